"""What Slicer packages, loads and shows: file lists, imports, the .ui file.  Needs no Slicer."""

from __future__ import annotations

import ast
import struct
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from refresh_cmake_lists import CMAKE_LISTS, MODULE, RESOURCES, SCRIPTS, files_listed, files_on_disk, refreshed

from support import REPOSITORY

UI = MODULE / "Resources" / "UI" / "RadioembolizationPlanner.ui"
MODULE_FILE = MODULE / "RadioembolizationPlanner.py"
#: What Slicer has when it loads a module; everything else is imported where it is used.
AT_FILE_SCOPE = set(sys.stdlib_module_names) | {
    *("slicer", "qt", "ctk", "vtk", "SimpleITK", "numpy", "scipy"),
    *("radioembolization", "RadioembolizationPlannerLib"),
}


@pytest.mark.parametrize("name", [SCRIPTS, RESOURCES])
def test_cmake_lists_name_every_file_on_disk(name):
    listed = files_listed(CMAKE_LISTS.read_text(encoding="utf-8"))[name]
    on_disk = files_on_disk()[name]
    missing, surplus = sorted(set(on_disk) - set(listed)), sorted(set(listed) - set(on_disk))
    assert not missing and not surplus, (
        f"{name} lacks {missing} and names {surplus}, which do not exist: run Testing/slicer/refresh_cmake_lists.py"
    )
    assert len(listed) == len(set(listed)), f"{name} names a file twice"


def test_refreshing_replaces_both_lists_and_nothing_else():
    text = "# kept (see below)\nset(MODULE_PYTHON_SCRIPTS\n  old.py\n  )\nset(MODULE_PYTHON_RESOURCES\n  )\nend()\n"
    files = {SCRIPTS: ["a.py", "b/c.py"], RESOURCES: ["d.csv"]}
    again = refreshed(text, files)
    assert files_listed(again) == files
    assert again.startswith("# kept (see below)\n") and again.endswith("  d.csv\n  )\nend()\n")


def _imports_at_file_scope(tree: ast.Module) -> list[str]:
    """Return the top-level names of the packages a module imports when it is itself imported."""
    names, pending = [], list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            names += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module.split(".")[0])
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return names


@pytest.mark.parametrize("path", files_on_disk()[SCRIPTS])
def test_no_file_imports_at_file_scope_what_slicer_lacks(path):
    tree = ast.parse((MODULE / path).read_text(encoding="utf-8"))
    foreign = sorted(set(_imports_at_file_scope(tree)) - AT_FILE_SCOPE)
    assert not foreign, f"{path} imports {foreign} at file scope: import them where they are used"


def test_the_import_test_sees_imports_in_classes_and_try_blocks_only():
    source = (
        "try:\n    import cvxpy\nexcept ImportError:\n    import jinja2\n"
        "class A:\n    import rich\ndef f():\n    import hidden\n"
        "if TYPE_CHECKING:\n    import typed\n"
    )
    assert sorted(_imports_at_file_scope(ast.parse(source))) == ["cvxpy", "jinja2", "rich"]


def test_every_widget_the_module_uses_is_in_the_ui_file():
    names = {widget.get("name") for widget in ElementTree.parse(UI).iter("widget")}
    used = {
        node.attr
        for node in ast.walk(ast.parse(MODULE_FILE.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self.ui"
    }
    assert "sectionsArea" in used
    assert used <= names, f"{sorted(used - names)} are no widgets of {UI.name}"


def test_ui_file_declares_its_custom_widgets_and_starts_with_a_mrml_widget():
    root = ElementTree.parse(UI).getroot()
    declared = {entry.findtext("class") for entry in root.iter("customwidget")}
    custom = {w.get("class") for w in root.iter("widget") if not w.get("class").startswith("Q")}
    assert custom == declared
    assert root.find("widget").get("class") == "qMRMLWidget"
    assert root.find("widget").get("name") == root.findtext("class") == "RadioembolizationPlanner"


def test_slicer_is_asked_for_the_packages_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = (MODULE / "Resources" / "requirements.txt").read_text(encoding="utf-8").split()
    bundled = ("numpy", "scipy", "SimpleITK", "pydicom", "vtk")
    not_needed_there = ("highdicom",)  # Slicer reads DICOM SEG itself
    expected = [d for d in project["dependencies"] if not d.startswith(bundled + not_needed_there)]
    assert sorted(asked) == sorted(expected)


@pytest.mark.parametrize("folder", [MODULE / "Resources" / "Icons", REPOSITORY / "Resources"])
def test_icon_is_128_pixels_square(folder: Path):
    header = (folder / "RadioembolizationPlanner.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", header[16:24]) == (128, 128)


@pytest.mark.parametrize("path", [path for path in files_on_disk()[RESOURCES] if path.startswith("Resources/Icons/")])
def test_pictures_that_are_shipped_are_small_png_files(path: str):
    content = (MODULE / path).read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) < 60_000


@pytest.mark.parametrize(
    "script", sorted((REPOSITORY / "Testing" / "slicer" / "desktop").glob("*.py")), ids=lambda p: p.name
)
def test_desktop_scripts_import_nothing_that_can_be_missing_before_they_guard_their_exit_code(script: Path):
    """An import that fails at file scope would leave Slicer open, or end it with success."""
    tree = ast.parse(script.read_text(encoding="ascii"))  # Slicer opens it in the encoding of the system
    guarded = [node for node in tree.body if isinstance(node, ast.If)]
    tree.body = [node for node in tree.body if node not in guarded]
    assert set(_imports_at_file_scope(tree)) <= set(sys.stdlib_module_names)
    assert "slicer.util.exit(code)" in ast.unparse(guarded[-1])
