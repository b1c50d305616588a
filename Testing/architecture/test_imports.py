"""Imports of the core point only downwards; the checker walks the syntax tree of every file.

Floors from low to high; an import may go to the same folder or to a lower floor.  ``phantom`` stands beside
``report`` and ``files``: it uses treatment and what lies below.
"""

from __future__ import annotations

import ast
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from support import CORE

PACKAGE = "radioembolization"
FLOORS = (
    ("", "errors"),
    ("physics",),
    ("biology",),
    ("images",),
    ("structures",),
    ("territories",),
    ("dose",),
    ("planning",),
    ("course",),
    ("verification",),
    ("treatment",),
    ("report", "files", "phantom"),
    ("cli",),
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
AT_FILE_SCOPE = {"numpy", "scipy", "SimpleITK"}
NEVER = {"slicer", "qt", "ctk", "PythonQt", "RadioembolizationPlannerLib", "RadioembolizationPlanner"}
#: Packages that only some folders may use.
ONLY_IN = {
    "vtk": {"files"},
    "vtkmodules": {"files"},
    "cvxpy": {"planning", "course"},
    "highspy": {"planning", "course"},
}
#: Modules a folder may not see although they lie below it: planning knows dose rows only.
HIDDEN_FROM = {"planning": ("images", "dose.convolution", "dose.local_deposition", "physics.voxel_kernel")}
FORBIDDEN_NAMES = {"utils"}


@dataclass(frozen=True)
class Violation:
    """One forbidden import."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Import:
    """One imported module, with the line and whether it runs when the file is imported."""

    module: str
    line: int
    at_file_scope: bool


def violations(core: Path) -> list[Violation]:
    """Return every forbidden import and name of a tree."""
    _origin.cache_clear()  # files may have changed since the last walk
    found = []
    for path in sorted(core.rglob("*")):
        place = path.relative_to(core)
        if path.stem in FORBIDDEN_NAMES and (path.is_dir() or path.suffix == ".py"):
            found.append(Violation(str(place), 0, f"nothing may be called '{path.stem}'"))
    for path in sorted(core.rglob("*.py")):
        found += _of_file(path, core)
    return found


def _of_file(path: Path, core: Path) -> list[Violation]:
    place = path.relative_to(core)
    here = place.parts[0] if len(place.parts) > 1 else "" if place.stem == "__init__" else place.stem
    if here not in FLOOR:
        return [Violation(str(place), 0, f"'{here}' has no floor")]
    found = []
    for imported in _imports(path, core):
        reason = _reason(here, imported, core)
        if reason:
            found.append(Violation(str(place), imported.line, reason))
    return found


def _reason(here: str, imported: Import, core: Path) -> str:
    top, _, rest = imported.module.partition(".")
    if top == PACKAGE:
        return _reason_inside(here, rest, core)
    if top in NEVER:
        return f"the core never imports {top}"
    if top in ONLY_IN and here not in ONLY_IN[top]:
        return f"{top} is for {' and '.join(sorted(ONLY_IN[top]))} only"
    if imported.at_file_scope and top not in sys.stdlib_module_names | AT_FILE_SCOPE:
        return f"{top} must be imported where it is used, not at file scope"
    return ""


def _reason_inside(here: str, module: str, core: Path) -> str:
    there = module.split(".")[0]
    if there not in FLOOR:
        # A name of the package itself, such as its version; a folder without a floor is reported as such.
        return f"'{there}' has no floor" if (core / there).is_dir() else ""
    if there != here and FLOOR[there] >= FLOOR[here]:
        return f"{here or PACKAGE} may not import {there}"
    for hidden in HIDDEN_FROM.get(here, ()):
        if module == hidden or module.startswith(hidden + "."):
            return f"{here} may not see {hidden}"
    return ""


#: Functions that import the module they are given.
_IMPORTING = ("import_module", "__import__")


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def _import_nodes(text: str) -> list[tuple[ast.AST, bool]]:
    """Return the statements and calls of a file that may import, with whether they run at file scope."""
    found: list[tuple[ast.AST, bool]] = []

    def walk(node: ast.AST, at_file_scope: bool) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Call) and _called(node) in _IMPORTING
        ):
            found.append((node, at_file_scope))
        inside_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            walk(child, at_file_scope and not inside_function)

    walk(_parsed(text), True)
    return found


def _imports(path: Path, core: Path) -> list[Import]:
    return [
        Import(module, node.lineno, at_file_scope)  # type: ignore[attr-defined]
        for node, at_file_scope in _import_nodes(path.read_text(encoding="utf-8"))
        for module in _modules(node, path, core)
    ]


def _modules(node: ast.AST, path: Path, core: Path) -> list[str]:
    """Return the modules a statement or call imports, names of a package followed to where they are made."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _absolute(node, path, core)
        return [_origin(base, alias.name, core) for alias in node.names]
    if isinstance(node, ast.Call):
        first = node.args[0] if node.args else None
        by_name = _called(node) in _IMPORTING and isinstance(first, ast.Constant)
        return [str(first.value)] if by_name and isinstance(first, ast.Constant) else []
    return []


def _called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _absolute(node: ast.ImportFrom, path: Path, core: Path) -> str:
    if not node.level:
        return node.module or ""
    package = (PACKAGE, *path.relative_to(core).parent.parts)
    kept = package[: len(package) - (node.level - 1)]
    return ".".join((*kept, *([node.module] if node.module else [])))


@cache
def _origin(base: str, name: str, core: Path) -> str:
    """Return the module a name imported from a package comes from: a submodule, or what its __init__ imports."""
    if base.split(".")[0] != PACKAGE:
        return base
    folder = core.joinpath(*base.split(".")[1:])
    if (folder / f"{name}.py").is_file() or (folder / name).is_dir():
        return f"{base}.{name}"
    init = folder / "__init__.py"
    if init.is_file():
        for node in _parsed(init.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and any((a.asname or a.name) == name for a in node.names):
                return _absolute(node, init, core)
    return base


def test_imports_of_the_core_point_only_downwards():
    found = violations(CORE)
    assert not found, "\n".join(map(str, found))


def test_the_checker_sees_the_whole_core():
    # Enough files and imports that an empty walk would be noticed.
    files = sorted(CORE.rglob("*.py"))
    assert {"grid.py", "solve.py", "prepare.py", "dosimetry.py"} <= {path.name for path in files}
    modules = {imported.module for path in files for imported in _imports(path, CORE)}
    assert {"numpy", "cvxpy", "radioembolization.errors", "radioembolization.images.grid"} <= modules


@pytest.fixture(scope="module")
def clean_copy(tmp_path_factory):
    """Return a copy of the core's packages with the files that are changed in tests, without any violation."""
    changed = {Path(file).name for file, *_ in (*FORBIDDEN.values(), *ALLOWED.values())} | {"__init__.py"}
    target = tmp_path_factory.mktemp("copy") / PACKAGE
    for path in CORE.rglob("*.py"):
        if path.name in changed:
            there = target / path.relative_to(CORE)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, there)
    assert violations(target) == []
    return target


@pytest.fixture
def add(clean_copy):
    """Return a way to add code to a file of the copy, undone after the test."""
    added: list[tuple[Path, str | None]] = []

    def add_code(file: str, code: str) -> list[Violation]:
        path = clean_copy / file
        text = path.read_text(encoding="utf-8") if path.is_file() else None
        added.append((path, text))
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text or ''}\n\n{code}\n", encoding="utf-8")
        return violations(clean_copy)

    yield add_code
    for path, text in added:
        if text is not None:
            path.write_text(text, encoding="utf-8")
            continue
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()


FORBIDDEN = {
    "slicer in the core": ("images/grid.py", "import slicer", "never imports slicer"),
    "slicer on use": ("files/image_file.py", "def f():\n    import slicer.util", "never imports slicer"),
    "slicer by name": ("cli/shared.py", "def f():\n    importlib.import_module('slicer')", "never imports slicer"),
    "qt": ("report/page.py", "def f():\n    from qt import QWidget", "never imports qt"),
    "ctk": ("cli/dosimetry.py", "import ctk", "never imports ctk"),
    "the adapter": ("treatment/treatment.py", "from RadioembolizationPlannerLib import scene", "never imports"),
    "vtk outside files": ("territories/perfusion.py", "def f():\n    import vtk", "vtk is for files only"),
    "vtk modules outside files": ("report/slices.py", "def f():\n    import vtkmodules.util", "is for files only"),
    "vtk at file scope": ("files/image_file.py", "import vtk", "vtk must be imported where it is used"),
    "physics to images": ("physics/decay.py", "from radioembolization.images import Grid", "may not import images"),
    "physics to structures": (
        "physics/voxel_kernel.py",
        "def f():\n    from radioembolization.structures import StructureSet",
        "physics may not import structures",
    ),
    "physics to biology": ("physics/decay.py", "import radioembolization.biology.bed", "may not import biology"),
    "biology to images": ("biology/bed.py", "from radioembolization.images import Grid", "biology may not import"),
    "errors to physics": ("errors.py", "from radioembolization.physics import Y90", "errors may not import physics"),
    "package to a stage": ("__init__.py", "from radioembolization.dose import convolve", "may not import dose"),
    "images to structures": ("images/scout.py", "from radioembolization.structures import Role", "may not import"),
    "dose to planning": ("dose/dvh.py", "from radioembolization.planning import Plan", "dose may not import planning"),
    "dose to planning, relative": ("dose/dvh.py", "from ..planning import Plan", "dose may not import planning"),
    "dose to planning, by package": (
        "dose/dvh.py",
        "from radioembolization import planning",
        "may not import planning",
    ),
    "dose to planning, for types": (
        "dose/dvh.py",
        "if TYPE_CHECKING:\n    from radioembolization.planning.plan import Plan",
        "dose may not import planning",
    ),
    "planning to images": ("planning/goals.py", "from radioembolization.images import Volume", "may not see images"),
    "planning to convolution": (
        "planning/goals.py",
        "from radioembolization.dose.convolution import convolve",
        "planning may not see dose.convolution",
    ),
    "planning to convolution through the package": (
        "planning/goals.py",
        "from radioembolization.dose import convolve",
        "planning may not see dose.convolution",
    ),
    "planning to treatment": ("planning/plan.py", "from radioembolization.treatment import Case", "may not import"),
    "planning to report": ("planning/plan.py", "def f():\n    from radioembolization import report", "may not import"),
    "course to files": (
        "course/lutetium_dose.py",
        "from radioembolization.files import read_volume",
        "course may not import files",
    ),
    "course to treatment": (
        "course/uptake.py",
        "def f():\n    from radioembolization.treatment import Case",
        "course may not import treatment",
    ),
    "planning to course": ("planning/plan.py", "from radioembolization.course import RegionUptake", "may not import"),
    "treatment to files": (
        "treatment/case.py",
        "from radioembolization.files import read_case",
        "may not import files",
    ),
    "treatment to phantom": ("treatment/case.py", "from radioembolization.phantom import case_of", "may not import"),
    "files to report": ("files/plan_file.py", "from radioembolization.report import page", "may not import report"),
    "report to files": ("report/page.py", "from radioembolization.files import read_volume", "may not import files"),
    "phantom to files": ("phantom/case.py", "from radioembolization.files import write_case", "may not import files"),
    "anything to cli": ("report/page.py", "from radioembolization.cli import main", "report may not import cli"),
    "cvxpy at file scope": ("planning/solve.py", "import cvxpy as cp", "cvxpy must be imported where it is used"),
    "cvxpy at file scope in a try": (
        "planning/solve.py",
        "try:\n    import cvxpy\nexcept ImportError:\n    cvxpy = None",
        "cvxpy must be imported where it is used",
    ),
    "cvxpy in a class body": ("planning/solve.py", "class A:\n    import cvxpy", "must be imported where it is used"),
    "highspy at file scope": ("planning/model.py", "from highspy import Highs", "highspy must be imported where"),
    "cvxpy outside planning": (
        "dose/dose_per_gbq.py",
        "def f():\n    import cvxpy",
        "cvxpy is for course and planning",
    ),
    "highspy outside planning": ("treatment/prepare.py", "def f():\n    import highspy", "highspy is for course and"),
    "matplotlib at file scope": ("report/figures.py", "import matplotlib.pyplot as plt", "matplotlib must be imported"),
    "a package at file scope": ("dose/dvh.py", "import pandas", "pandas must be imported where it is used"),
    "utils as a file": ("images/utils.py", "X = 1", "nothing may be called 'utils'"),
    "utils as a folder": ("utils/__init__.py", "", "nothing may be called 'utils'"),
    "a folder without a floor": ("helpers/one.py", "X = 1", "'helpers' has no floor"),
}


@pytest.mark.parametrize(("file", "code", "message"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_forbidden_import_is_reported(add, file, code, message):
    found = add(file, code)
    assert found
    assert all(violation.file.startswith(file.split("/")[0].removesuffix(".py")) for violation in found)
    assert any(message in violation.text for violation in found), found


ALLOWED = {
    "vtk in files, on use": ("files/image_file.py", "def f():\n    import vtk"),
    "cvxpy in planning, on use": ("planning/solve.py", "def f():\n    import cvxpy"),
    "cvxpy in course, on use": ("course/sequence.py", "def f():\n    import cvxpy"),
    "matplotlib on use": ("report/figures.py", "def f():\n    import matplotlib"),
    "scipy at file scope": ("dose/dvh.py", "from scipy import optimize"),
    "the same folder": ("dose/dvh.py", "from radioembolization.dose.convolution import convolve"),
    "the same folder, relative": ("dose/dvh.py", "from . import convolution"),
    "course to dose": ("course/lutetium_dose.py", "from radioembolization.dose import dvh"),
    "a lower floor": ("verification/delivered.py", "from radioembolization.planning import Plan"),
    "biology to physics": ("biology/bed.py", "from radioembolization.physics import Sourced"),
    "the version": ("files/plan_file.py", "from radioembolization import __version__"),
    "standard library": ("dose/dvh.py", "import json, zipfile"),
}


@pytest.mark.parametrize(("file", "code"), ALLOWED.values(), ids=ALLOWED)
def test_an_allowed_import_is_not_reported(add, file, code):
    assert add(file, code) == []
