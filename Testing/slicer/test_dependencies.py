"""Packages are found, asked for once, and named when they are still missing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import types
from pathlib import Path

import pytest
import slicer_headless

from radioembolization.errors import MissingPackage

slicer_headless.require_slicer()
import slicer  # noqa: E402

from RadioembolizationPlannerLib.dependencies import (  # noqa: E402
    ensure_packages,
    missing_packages,
    solver_available,
)

pytestmark = pytest.mark.slicer


@pytest.fixture
def requirements(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("numpy>=1.0\n# a comment\nno-such-package[extra]>=2.0\n", encoding="utf-8")
    return path


@pytest.fixture
def packaging(monkeypatch):
    """A ``slicer.packaging`` that records what it is asked for and installs nothing."""
    module = types.ModuleType("slicer.packaging")
    module.asked = []
    module.load_requirements = lambda path: [path]

    def pip_ensure(_requirements, constraints, requester):
        module.asked.append((Path(constraints).read_text(encoding="utf-8"), requester))

    module.pip_ensure = pip_ensure
    monkeypatch.setitem(sys.modules, "slicer.packaging", module)
    monkeypatch.setattr(slicer, "packaging", module, raising=False)
    return module


def test_missing_packages_are_those_not_installed(requirements):
    assert missing_packages(requirements) == ["no-such-package[extra]>=2.0"]


def test_without_slicer_packaging_the_message_names_package_and_feature(requirements):
    with pytest.raises(MissingPackage, match=r"Planning needs the Python packages no-such-package.*pip_install"):
        ensure_packages(requirements, "Planning")


def test_slicer_is_asked_with_numpy_and_scipy_held(requirements, packaging):
    with pytest.raises(MissingPackage, match="no-such-package"):
        ensure_packages(requirements, "Planning")
    ((constraints, requester),) = packaging.asked
    assert requester == "Planning"
    assert [line.split("==")[0] for line in constraints.split()] == ["numpy", "scipy"]


def test_a_user_who_declines_is_told_what_is_missing(requirements, packaging):
    def decline(*_, **__):
        raise RuntimeError("User declined package installation")

    packaging.pip_ensure = decline
    with pytest.raises(MissingPackage, match=r"no-such-package.*User declined"):
        ensure_packages(requirements, "Planning")


def test_nothing_is_raised_when_everything_is_installed(tmp_path, packaging):
    path = tmp_path / "requirements.txt"
    path.write_text("numpy>=1.0\n", encoding="utf-8")
    ensure_packages(path, "Planning")
    assert len(packaging.asked) == 1  # Slicer checks the versions


def test_a_failed_installation_is_told(requirements, packaging):
    def fail(*_, **__):
        raise subprocess.CalledProcessError(1, ["pip"])

    packaging.pip_ensure = fail
    with pytest.raises(MissingPackage, match=r"no-such-package.*installation failed.*network"):
        ensure_packages(requirements, "Planning")


# Slicer 5.10: no slicer.packaging; pip_install takes the arguments of pip and asks nothing.


@pytest.fixture
def pip(monkeypatch):
    """A Slicer 5.10 that is not testing; it records what it asks and what it would install."""
    record = types.SimpleNamespace(asked=[], installed=[], answer=True, testing=False)
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    monkeypatch.delattr(slicer, "packaging", raising=False)
    translation = types.ModuleType("slicer.i18n")
    translation.tr = lambda text: text
    monkeypatch.setitem(sys.modules, "slicer.i18n", translation)
    monkeypatch.setattr(slicer, "app", types.SimpleNamespace(testingEnabled=lambda: record.testing), raising=False)

    def ask(text, *_, **__):
        record.asked.append(text)
        return record.answer

    def install(arguments):
        record.installed.append([*arguments[:-1], Path(arguments[-1]).read_text(encoding="utf-8")])

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", ask)
    monkeypatch.setattr(slicer.util, "pip_install", install)
    return record


def test_an_older_slicer_asks_then_installs_what_is_missing(requirements, pip, monkeypatch):
    seen = []
    monkeypatch.setattr(importlib, "invalidate_caches", lambda: seen.append(len(pip.installed)))
    with pytest.raises(MissingPackage, match=r"no-such-package.*pip did not install them"):
        ensure_packages(requirements, "Planning")
    assert pip.asked == [
        "Planning needs Python packages that will be downloaded and installed into Slicer: no-such-package[extra]>=2.0."
    ]
    ((requirement, option, constraints),) = pip.installed
    assert (requirement, option) == ("no-such-package[extra]>=2.0", "--constraint")
    assert [line.split("==")[0] for line in constraints.split()] == ["numpy", "scipy"]
    assert seen == [1]  # what was installed can be imported


def test_an_older_slicer_installs_nothing_when_declined(requirements, pip):
    pip.answer = False
    with pytest.raises(MissingPackage, match=r"no-such-package.*declined"):
        ensure_packages(requirements, "Planning")
    assert pip.asked and not pip.installed


def test_an_older_slicer_neither_asks_nor_installs_while_testing(requirements, pip):
    pip.testing = True
    with pytest.raises(MissingPackage, match="nothing while testing"):
        ensure_packages(requirements, "Planning")
    assert not pip.asked and not pip.installed


def test_an_older_slicer_does_not_ask_when_nothing_is_missing(tmp_path, pip):
    path = tmp_path / "requirements.txt"
    path.write_text("numpy>=1.0\n", encoding="utf-8")
    ensure_packages(path, "Planning")
    assert not pip.asked and not pip.installed


# The solver.


def test_the_solver_is_found_without_importing_it():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from RadioembolizationPlannerLib.dependencies import solver_available\n"
        "print(solver_available(), 'cvxpy' in sys.modules, 'highspy' in sys.modules)\n"
    )
    folder = str(Path(sys.modules["RadioembolizationPlannerLib"].__file__).parents[1])
    said = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
    found = all(importlib.util.find_spec(name) for name in ("cvxpy", "highspy"))
    assert said.stdout.split() == [str(found), "False", "False"]


@pytest.mark.parametrize("name", ["cvxpy", "highspy"])
def test_both_packages_of_the_solver_are_needed(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    assert not solver_available()
