"""The module file as Slicer loads it, with stand-ins for the base classes and the panel."""

from __future__ import annotations

import sys
import types
import unittest
from typing import Any

import pytest
import slicer_headless

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = pytest.mark.slicer


@pytest.fixture
def module(scene: Any) -> types.ModuleType:
    import slicer_module_standins

    slicer_module_standins.install()
    import RadioembolizationPlanner

    return RadioembolizationPlanner


class _Button:
    """A button that keeps what is connected to it; only its real signal is accepted."""

    def __init__(self) -> None:
        self.slots: list[Any] = []

    def connect(self, signal: str, slot: Any) -> None:
        assert signal == "clicked(bool)"
        self.slots.append(slot)

    def click(self) -> None:
        for slot in self.slots:
            slot(False)


@pytest.fixture
def panel(module, monkeypatch):
    """The widget on a panel of two names, its patient coarse."""
    ui = types.SimpleNamespace(planButton=_Button(), statusLabel=types.SimpleNamespace(text="before"))
    root = types.SimpleNamespace(setMRMLScene=lambda scene: None)
    loaded: list[str] = []
    monkeypatch.setattr(slicer.util, "loadUI", lambda path: loaded.append(path) or root)
    monkeypatch.setattr(slicer.util, "childWidgetVariables", lambda widget: ui)
    monkeypatch.setitem(sys.modules, "qt", types.SimpleNamespace(Qt=types.SimpleNamespace(WaitCursor=3)))
    layout = types.SimpleNamespace(addWidget=lambda widget: None)
    widget = module.RadioembolizationPlannerWidget(types.SimpleNamespace(layout=lambda: layout))
    widget.setup()
    assert loaded[0].endswith("Resources/UI/RadioembolizationPlanner.ui")
    yield widget
    widget.cleanup()


def test_module_says_what_it_is(module):
    parent = types.SimpleNamespace()
    module.RadioembolizationPlanner(parent)
    assert parent.title == "Radioembolization Planner"
    assert parent.categories == ["Nuclear Medicine"]
    assert "Research use only; not a medical device" in parent.helpText


def test_logic_carries_the_synthetic_patient_through_the_scene(module, scene):
    pytest.importorskip("radioembolization.phantom")
    logic = module.RadioembolizationPlannerLogic()
    case, nodes, treatment = logic.planSyntheticPatient(spacingMm=6.0)
    for node in (case.segmentation, case.scout, case.ct, nodes.dose, nodes.sites, nodes.injections):
        assert scene.GetNodeByID(node.GetID()) is node
    assert slicer.util.arrayFromVolume(nodes.dose).max() == pytest.approx(treatment.dose.array.max(), rel=1e-6)
    summary = logic.summary(treatment)
    assert "Plan of 'synthetic patient 1'. Research use only" in summary
    assert f"Notices: {len(treatment.notices)}," in summary and len(treatment.notices) > 0


def test_button_plans_and_the_label_tells_so(panel, monkeypatch):
    pytest.importorskip("radioembolization.phantom")
    plan = panel.logic.planSyntheticPatient
    monkeypatch.setattr(panel.logic, "planSyntheticPatient", lambda: plan(spacingMm=6.0))
    monkeypatch.setattr(sys.modules["RadioembolizationPlanner"], "ensure_packages", lambda path, feature: None)
    panel.ui.planButton.click()
    assert "Injected:" in panel.ui.statusLabel.text


def test_a_failed_plan_leaves_no_old_result_in_the_label(panel, monkeypatch):
    def fail():
        raise ValueError("no plan")

    monkeypatch.setattr(panel.logic, "planSyntheticPatient", fail)
    monkeypatch.setattr(sys.modules["RadioembolizationPlanner"], "ensure_packages", lambda path, feature: None)
    with pytest.raises(ValueError, match="no plan"):
        panel.ui.planButton.click()
    assert panel.ui.statusLabel.text == ""


def test_closing_the_scene_empties_the_label(panel, scene):
    panel.ui.statusLabel.text = "a plan"
    scene.Clear(False)
    assert panel.ui.statusLabel.text == ""


def test_self_test_of_the_module_passes(module):
    pytest.importorskip("radioembolization.phantom")
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(module.RadioembolizationPlannerTest)
    result = unittest.TestResult()
    suite.run(result)
    assert result.testsRun == 1 and result.wasSuccessful(), result.errors + result.failures


def test_these_tests_are_no_part_of_the_slicer_package():
    """It would import them all as its own, because their folder has its name."""
    assert not [path for path in slicer.__path__ if "Testing" in path]
