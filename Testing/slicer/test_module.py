"""The module file as Slicer loads it, with stand-ins for the base classes and the panel."""

from __future__ import annotations

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


def test_module_says_what_it_is(module):
    parent = types.SimpleNamespace()
    module.RadioembolizationPlanner(parent)
    assert parent.title == "Radioembolization Planner"
    assert parent.categories == ["Nuclear Medicine"]
    assert "Research use only; not a medical device" in parent.helpText


def test_module_registers_its_sample_data_once_slicer_is_up(module, monkeypatch):
    connected = []
    monkeypatch.setattr(slicer.app, "connect", lambda signal, slot: connected.append((signal, slot)))
    module.RadioembolizationPlanner(types.SimpleNamespace())
    assert connected == [("startupCompleted()", module.register)]


@pytest.mark.exhaustive
def test_logic_gives_a_session_that_scripts_drive_without_a_panel(module, scene):
    """As in a script: no timer polls, the caller waits."""
    from RadioembolizationPlannerLib.synthetic import load_synthetic_patient

    session = module.RadioembolizationPlannerLogic().newSession()
    load_synthetic_patient(session, spacing_mm=10.0)
    session.compute_doses()
    assert session.runner.is_running
    session.runner.wait(120.0)
    site = session.parameters.sites[0].name
    session.set_activities({site: 2.0})
    plan = session.keep_activities("by a script")
    dose = slicer.util.arrayFromVolume(plan.GetNodeReference("planDose"))
    assert dose.max() > 10.0 and session.parameters.shown_plan is plan


def test_two_sessions_share_the_parameters_of_the_scene(module, scene):
    first, second = (module.RadioembolizationPlannerLogic().newSession() for _ in range(2))
    first.change(case_name="shared", at_most_sites=2)
    assert second.parameters == first.parameters and second.parameters.case_name == "shared"


@pytest.mark.gui
def test_panel_opens_on_an_empty_scene_and_says_what_is_missing(module, slicer_widgets):
    widget = slicer_widgets(module.RadioembolizationPlannerWidget)
    assert [section.name for section in widget.sections] == [
        "CaseSection",
        "StructuresSection",
        "StructureToolsSection",
        "ThresholdToolSection",
        "RegistrationToolSection",
        "ChecksSection",
        "SitesSection",
        "ArteriesSection",
        "ArterySitesSection",
        "LungShuntSection",
        "RatiosSection",
        "FociSection",
        "PrescriptionSection",
        "PlanSection",
        "VialsSection",
        "RobustnessSection",
        "FurtherResultsSection",
        "ResultsSection",
        "WhySection",
        "TradeOffsSection",
        "ScenariosSection",
        "OrdersSection",
        "CourseSection",
    ]
    plan = next(section.ui for section in widget.sections if section.name == "PlanSection")
    assert not plan.optimizeButton.enabled
    assert "choose the segmentation" in plan.optimizeButton.toolTip


@pytest.mark.gui
def test_a_closed_panel_follows_nothing_any_more(module, slicer_widgets):
    widget = slicer_widgets(module.RadioembolizationPlannerWidget)
    session, shown = widget.session, []
    widget.watcher._parameters_modified = lambda **_: shown.append(1)
    session.change(case_name="before")
    assert shown
    shown.clear()
    widget.cleanup()
    session.change(case_name="after")
    assert not shown


@pytest.mark.exhaustive
@pytest.mark.slow
def test_self_test_of_the_module_passes(module, monkeypatch):
    """Here with voxels of 8 mm instead of 5."""
    from RadioembolizationPlannerLib import synthetic

    load = synthetic.load_synthetic_patient
    monkeypatch.setattr(synthetic, "load_synthetic_patient", lambda session, spacing_mm: load(session, spacing_mm=8.0))
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(module.RadioembolizationPlannerTest)
    result = unittest.TestResult()
    suite.run(result)
    assert result.testsRun == 2 and result.wasSuccessful(), result.errors + result.failures
    assert not result.skipped


def test_these_tests_are_no_part_of_the_slicer_package():
    """It would import them all as its own, because their folder has its name."""
    assert not [path for path in slicer.__path__ if "Testing" in path]
