"""The extension, packaged by CMake against a stand-in for Slicer, holds every file in its place and works.

Slicer packages only what the CMakeLists.txt files list.  The index builds the package in the same way on each
pull request (and skips extensions with C++ or with dependencies).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from support import REPOSITORY

STUB = Path(__file__).with_name("slicer_stub")
MODULES = Path("lib") / "Slicer-5.12" / "qt-scripted-modules"
DESCRIPTION = Path("share") / "Slicer-5.12" / "RadioembolizationPlanner.s4ext"
pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def _tool(name: str) -> Path:
    """Return a program of the pip package ``cmake``, or of the system; skip without one."""
    beside_python = Path(sys.executable).parent
    found = shutil.which(name, path=str(beside_python)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (pip install cmake)")
    return Path(found)


def _source(folder: Path) -> Path:
    """Copy what CMake reads, so that nothing that other programs leave beside it gets in."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", ".*")
    for name in ("RadioembolizationPlanner", "Testing/slicer"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignore)
    for name in ("CMakeLists.txt", "README.md", "LICENSE.txt"):
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The build folder, configured with tests."""
    if shutil.which("cl") is None and not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        pytest.skip("CMake finds no compiler; Slicer extensions are projects of C++")
    folder = tmp_path_factory.mktemp("extension")
    source = _source(folder / "source")
    _run(_tool("cmake"), "-S", source, "-B", folder / "build", f"-DSlicer_DIR={STUB.as_posix()}", "-DBUILD_TESTING=ON")
    _run(_tool("cmake"), "--build", folder / "build", "--config", "Release")
    return folder / "build"


@pytest.fixture(scope="module")
def package(built) -> Path:
    """The package, unpacked."""
    _run(_tool("cpack"), "-C", "Release", cwd=built)
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        content.extractall(built / "package", filter="data")
    (root,) = (built / "package").iterdir()
    return root


def _shipped(module: Path) -> set[str]:
    files = {path.relative_to(module).as_posix() for path in module.rglob("*") if path.is_file()}
    return {name for name in files if name != "CMakeLists.txt"}


def test_package_holds_every_file_of_the_module_in_its_place(built, package):
    source = built.parent / "source" / "RadioembolizationPlanner"
    assert _shipped(package / MODULES) == _shipped(source)
    for name in _shipped(source):
        assert (package / MODULES / name).read_bytes() == (source / name).read_bytes(), name


def test_package_holds_nothing_else_but_the_description(package):
    files = [path.relative_to(package) for path in package.rglob("*") if path.is_file()]
    assert [path for path in files if MODULES not in path.parents] == [DESCRIPTION]


def test_description_is_complete(package):
    lines = (package / DESCRIPTION).read_text(encoding="utf-8").splitlines()
    description = dict(line.split(" ", 1) for line in lines)
    assert description["description"].endswith("Research use only, not a medical device.")
    assert description["tier"] == "1" and description["depends"] == "NA"
    assert description["keywords"].split()[:2] == ["radioembolization", "SIRT"]


def test_slicer_runs_the_test_of_the_module(built):
    assert "py_RadioembolizationPlanner" in _run(_tool("ctest"), "-N", "-C", "Release", cwd=built)


def test_packaged_core_works_with_its_own_data(built, package):
    """A new interpreter that sees the package only imports every file and makes the synthetic case."""
    source = built.parent / "source" / "RadioembolizationPlanner"
    modules = sorted(
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for path in (source / "radioembolization").rglob("*.py")
        if path.name != "__main__.py"
    )
    code = f"""
import importlib, sys
root = {str(package / MODULES)!r}
for name in {modules!r}:
    module = importlib.import_module(name)
    assert module.__file__.startswith(root), module.__file__
foreign = sorted({{"slicer", "vtk", "qt", "cvxpy", "matplotlib", "jinja2", "pydicom"}} & set(sys.modules))
assert not foreign, foreign
from radioembolization.physics import RESIN_Y90
from radioembolization.planning import preset
from radioembolization.phantom import synthetic_case
assert preset("resin/bilobar") and RESIN_Y90.name == "resin"
print(len(synthetic_case(spacing_mm=8.0).sites))
"""
    run = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package / MODULES), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.strip() == "13"


def test_a_file_that_is_not_there_stops_the_build(tmp_path):
    source = _source(tmp_path / "source")
    (source / "RadioembolizationPlanner" / "radioembolization" / "errors.py").unlink()
    cmake = [str(_tool("cmake")), "-S", str(source), "-B", str(tmp_path / "build"), f"-DSlicer_DIR={STUB.as_posix()}"]
    run = subprocess.run(cmake, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "nonexistent file 'radioembolization/errors.py'" in " ".join(run.stderr.split())
