"""Packages are found, asked for once, and named when they are still missing."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
import slicer_headless

from radioembolization.errors import MissingPackage

slicer_headless.require_slicer()
import slicer  # noqa: E402

from RadioembolizationPlannerLib.dependencies import ensure_packages, missing_packages  # noqa: E402

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
