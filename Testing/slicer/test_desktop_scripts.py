"""The scripts for desktop Slicer, run without it: exit codes, and a bundle that opens again.

They have not been run in desktop Slicer by these tests; ``.github/workflows/slicer.yml`` does that.
"""

from __future__ import annotations

import importlib.util
import json
import runpy
import sys
import types
import unittest
import zipfile
from pathlib import Path
from typing import Any

import pytest
import slicer_headless

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = pytest.mark.slicer

DESKTOP = Path(__file__).with_name("desktop")


@pytest.fixture
def exit_code(scene, monkeypatch) -> list[int]:
    """The codes handed to ``slicer.util.exit``."""
    import slicer_module_standins

    slicer_module_standins.install()
    codes: list[int] = []
    monkeypatch.setattr(slicer.util, "exit", codes.append)
    return codes


def _run(name: str, monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> None:
    """Run a script as Slicer does."""
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(DESKTOP / name), run_name="__main__")


def _passes(self: unittest.TestCase) -> None:
    pass


def _fails(self: unittest.TestCase) -> None:
    self.fail("wrong")


def _breaks(self: unittest.TestCase) -> None:
    raise RuntimeError("broken")


def _skips(self: unittest.TestCase) -> None:
    self.skipTest("no package")


@pytest.mark.parametrize(
    ("tests", "arguments", "code"),
    [
        ({"test_a": _passes, "test_b": _passes}, (), 0),
        ({"test_a": _passes, "test_b": _fails}, (), 1),
        ({"test_a": _passes, "test_b": _breaks}, (), 1),
        ({}, (), 1),
        ({"test_a": _passes, "test_b": _skips}, (), 1),
        ({"test_a": _passes, "test_b": _skips}, ("--allow-skipped",), 0),
        ({"test_a": _skips}, ("--allow-skipped",), 1),
        ({"test_a": _passes}, ("--unknown",), 2),
    ],
    ids=["passed", "failed", "error", "no tests", "skipped", "skipped allowed", "all skipped", "wrong argument"],
)
def test_self_test_succeeds_only_when_tests_ran_and_passed(tests, arguments, code, exit_code, monkeypatch, tmp_path):
    module = types.ModuleType("RadioembolizationPlanner")
    base = type("ScriptedLoadableModuleTest", (unittest.TestCase,), {"runTest": _passes})  # as Slicer's
    module.ScriptedLoadableModuleTest = base
    module.RadioembolizationPlannerTest = type("RadioembolizationPlannerTest", (base,), tests)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(slicer.modules, "radioembolizationplanner", object(), raising=False)
    result = tmp_path / "result.json"
    _run("self_test.py", monkeypatch, "--result", result, *arguments)
    assert exit_code == [code]
    if code < 2:
        assert json.loads(result.read_text(encoding="utf-8"))["passed"] is (code == 0)


def test_self_test_fails_when_slicer_has_not_loaded_the_module(exit_code, monkeypatch, tmp_path):
    monkeypatch.delattr(slicer.modules, "radioembolizationplanner", raising=False)
    _run("self_test.py", monkeypatch, "--result", tmp_path / "result.json")
    assert exit_code == [1]
    assert "--additional-module-path" in json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["reason"]


def test_self_test_fails_when_the_module_cannot_be_imported(exit_code, monkeypatch):
    monkeypatch.setattr(slicer.modules, "radioembolizationplanner", object(), raising=False)
    monkeypatch.setitem(sys.modules, "RadioembolizationPlanner", None)
    _run("self_test.py", monkeypatch)
    assert exit_code == [1]


@pytest.fixture
def headless_plan(scene) -> types.ModuleType:
    import slicer_module_standins

    slicer_module_standins.install()
    spec = importlib.util.spec_from_file_location("headless_plan", DESKTOP / "headless_plan.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_a_case_file_becomes_a_bundle_with_case_and_plan(headless_plan, scene, tmp_path):
    pytest.importorskip("cvxpy")
    from radioembolization.files import write_case
    from small_case import small_inputs

    write_case(small_inputs(), tmp_path / "case")
    bundle = tmp_path / "plan.mrb"
    assert headless_plan.main(scene, [str(tmp_path / "case" / "case.toml"), str(bundle)]) == 0
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
        (saved,) = (tmp_path / name for name in archive.namelist() if name.endswith(".mrml"))
    hottest_gy = slicer.util.arrayFromVolume(_dose(scene)).max()
    assert hottest_gy > 10.0
    scene.Clear(False)
    scene.SetURL(str(saved))
    assert scene.Connect()
    assert slicer.util.arrayFromVolume(_dose(scene)).max() == pytest.approx(hottest_gy, rel=1e-6)
    assert scene.GetNumberOfNodesByClass("vtkMRMLTableNode") >= 4
    assert scene.GetFirstNodeByName("small case: anatomy").GetSegmentation().GetNumberOfSegments() >= 4


def _dose(scene: Any) -> Any:
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene)
    (dose,) = (volume for volume in volumes if volume.GetAttribute("DicomRtImport.DoseVolume"))
    return dose


def test_a_missing_case_file_ends_with_a_code(exit_code, monkeypatch, tmp_path):
    _run("headless_plan.py", monkeypatch, tmp_path / "none.toml", tmp_path / "plan.mrb")
    assert exit_code == [1] and not (tmp_path / "plan.mrb").exists()


def test_wrong_arguments_end_with_a_code(exit_code, monkeypatch):
    _run("headless_plan.py", monkeypatch)
    assert exit_code == [2]
