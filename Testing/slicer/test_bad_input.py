"""What users and other modules do to a scene: the panel says what, where and how to fix it; the scene stays whole."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import slicer_headless

from radioembolization.structures import Role
from series import series
from small_case import small_inputs

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from panel_driver import Panel  # noqa: E402
from plan_cases import by_hand, contents, put  # noqa: E402

from RadioembolizationPlannerLib import export, plans  # noqa: E402
from RadioembolizationPlannerLib.plan_record import PLAN_ATTRIBUTE, record_of  # noqa: E402
from RadioembolizationPlannerLib.publish import publish_case  # noqa: E402
from RadioembolizationPlannerLib.synthetic import take_case  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]


@pytest.fixture
def planner(scene: Any, slicer_widgets: Any, qt_app: Any) -> Panel:
    """The panel with the small case."""
    import RadioembolizationPlanner

    driven = Panel(slicer_widgets(RadioembolizationPlanner.RadioembolizationPlannerWidget), qt_app)
    inputs = small_inputs()
    take_case(driven.session, inputs, publish_case(scene, inputs))
    driven.idle()
    assert driven.ui("Plan").optimizeButton.enabled
    return driven


@pytest.fixture
def plan(planner: Panel, scene: Any) -> Any:
    """A plan of the case in the panel."""
    made = put(scene, "mine")
    planner.session.desk.choose(made)
    planner.idle()
    assert record_of(made).stale == ()
    return made


def _told(planner: Panel) -> str:
    """What stands in the status line."""
    return planner.ui("Plan").statusLabel.text


def _why_not(planner: Panel, button: str = "optimizeButton") -> str:
    """Why a button is disabled."""
    widget = getattr(planner.ui("Plan"), button)
    assert not widget.enabled
    return widget.toolTip


@contextmanager
def _refused(planner: Panel, *words: str) -> Iterator[None]:
    """What is done inside is refused with a message that has some words, and leaves the scene as it was."""
    before = contents(slicer.mrmlScene)
    yield
    assert planner.session.status.failed, planner.session.status
    for word in words:
        assert word in _told(planner), _told(planner)
    assert contents(slicer.mrmlScene) == before


def _try(planner: Panel, section: str, button: str) -> None:
    """Press a button whatever it says, as a script would."""
    planner.click(section, button)
    planner.idle()


# -- the scene changes during a run ---------------------------------------------------------------------------------


def _delete_scout(scene: Any, planner: Panel) -> None:
    scene.RemoveNode(planner.parameters.scout)


def _delete_segmentation(scene: Any, planner: Panel) -> None:
    scene.RemoveNode(planner.parameters.segmentation)


def _delete_territory(scene: Any, planner: Panel) -> None:
    planner.parameters.segmentation.GetSegmentation().RemoveSegment(planner.parameters.sites[1].segment_id)


def _delete_tumour(scene: Any, planner: Panel) -> None:
    planner.parameters.segmentation.GetSegmentation().RemoveSegment("A")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("delete", "told"),
    [
        pytest.param(
            _delete_scout, "Case: choose the scout image", marks=[pytest.mark.process, pytest.mark.exhaustive]
        ),
        (_delete_segmentation, "Structures: choose the segmentation"),
        pytest.param(_delete_territory, "Sites: choose the perfused volume of 'left'", marks=pytest.mark.exhaustive),
        pytest.param(_delete_tumour, "structure 'A' is missing", marks=pytest.mark.exhaustive),
    ],
    ids=["scout", "segmentation", "perfused volume", "tumour"],
)
def test_what_is_deleted_during_a_run_makes_its_plan_out_of_date(planner, scene, delete, told):
    """The plan of what was there is kept, since it is a plan; it cannot be approved."""
    planner.click("Plan", "optimizeButton")
    delete(scene, planner)
    planner.idle()
    (made,) = plans.plans_of(scene)
    assert told in "; ".join(record_of(made).stale)
    assert told in planner.ui("Results").stateLabel.text
    assert not planner.ui("Results").approveButton.enabled
    if told.startswith("structure"):
        assert "Compute the doses again: structure 'A' is missing" in _why_not(planner, "keepButton")
    else:
        assert told in _why_not(planner)


@pytest.mark.process
@pytest.mark.slow
def test_a_scene_closed_during_a_run_stays_empty(planner, scene):
    planner.click("Plan", "optimizeButton")
    slicer.mrmlScene.Clear(False)
    assert not planner.session.runner.is_running
    planner.spin(3.0)
    assert plans.plans_of(scene) == ()
    assert _told(planner) == "" and planner.parameters.segmentation is None
    assert "Structures: choose the segmentation" in _why_not(planner)


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("replaced", series([True, False], 1))
def test_a_scene_loaded_during_a_run_is_shown(planner, scene, tmp_path, replaced):
    """A scene that takes the place of the other ends the run; one that is added to it makes the plan out of date."""
    planner.session.change(case_name="the other", spacing_mm=5.0)
    assert slicer.util.saveScene(str(tmp_path / "other.mrb"))
    planner.session.change(case_name="the first", spacing_mm=4.0)
    planner.click("Plan", "optimizeButton")
    if replaced:
        scene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "other.mrb"))
    planner.idle()
    assert planner.parameters.case_name == "the other"
    assert planner.ui("Case").caseNameEdit.text == "the other"
    assert planner.ui("Plan").optimizeButton.enabled, planner.ui("Plan").optimizeButton.toolTip
    stale = [record_of(made).stale for made in plans.plans_of(scene)]
    assert stale == ([] if replaced else [("device and dose settings has changed",)])


@pytest.mark.process
@pytest.mark.slow
def test_a_killed_process_is_told_and_the_next_run_works(planner, scene):
    before = contents(scene)
    planner.click("Plan", "dosesButton")
    os.kill(planner.session.runner._job.child._process.pid, signal.SIGKILL)
    planner.idle()
    assert planner.session.status.failed and "signal SIGKILL" in _told(planner) and "coarser" in _told(planner)
    assert contents(scene) == before
    planner.click("Plan", "dosesButton")
    planner.idle()
    assert not planner.session.status.failed and "ready" in _told(planner)


# -- images and segments that cannot be used ------------------------------------------------------------------------


def _nan(planner: Panel) -> None:
    slicer.util.arrayFromVolume(planner.parameters.scout)[3, 4, 5] = np.nan
    slicer.util.arrayFromVolumeModified(planner.parameters.scout)


def _empty_segment(planner: Panel) -> None:
    segmentation = planner.parameters.segmentation.GetSegmentation()
    segmentation.AddEmptySegment("later", "Tumor to draw")
    planner.session.change(roles={**planner.parameters.roles, "later": Role.TUMOUR})


def _vector_volume(planner: Panel) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photograph")
    slicer.util.updateVolumeFromArray(node, np.zeros((4, 5, 6, 3), dtype=np.uint8))
    planner.session.change(ct=node)


def _warped(planner: Panel) -> None:
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "warp")
    planner.parameters.segmentation.SetAndObserveTransformNodeID(warp.GetID())


def _same_names(planner: Panel) -> None:
    planner.parameters.segmentation.GetSegmentation().GetSegment("B").SetName("A")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_nan, ("'small case: scout'", "NaN", "repair or crop")),
        (_empty_segment, ("'Tumor to draw'", "is empty", "draw it")),
        (_vector_volume, ("'photograph'", "3 values per voxel", "choose")),
        (_warped, ("'small case: anatomy'", "'warp'", "harden")),
        (_same_names, ("called A", "rename")),
    ],
    ids=["NaN", "empty segment", "vectors", "warped", "names"],
)
def test_what_cannot_be_read_is_told_where_the_buttons_are(planner, scene, spoil, words):
    spoil(planner)
    before = contents(scene)
    planner.idle()
    for word in words:
        assert word in _why_not(planner), _why_not(planner)
    assert contents(scene) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-500.0, ("negative counts down to -500", "check scaling")),
        pytest.param(0.0, ("no counts", "check the file"), marks=pytest.mark.exhaustive),
    ],
)
def test_counts_that_are_none_are_refused(planner, value, words):
    """Only the other process looks at every count."""
    array = slicer.util.arrayFromVolume(planner.parameters.scout)
    array[...] = np.minimum(array, 0.0)
    if value:
        array[10:20, 10:20, 10:20] = 100.0
    array[3, 4, 5] = value
    slicer.util.arrayFromVolumeModified(planner.parameters.scout)
    planner.idle()
    with _refused(planner, *words):
        _try(planner, "Plan", "dosesButton")


def test_an_empty_segmentation_is_told(planner, scene):
    empty = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "nothing drawn yet")
    planner.ui("Structures").segmentationSelector.setCurrentNode(empty)
    planner.idle()
    assert planner.parameters.segmentation is empty and planner.parameters.roles == {}
    for told in ("exactly one segment the role liver (0 have it)", "the perfused volume of 'proper'"):
        assert told in _why_not(planner)


def test_units_not_stated_are_those_of_the_place_and_of_two_segmentations_the_chosen_one_counts(planner, scene):
    """Scout and CT of most scenes say no unit."""
    assert planner.parameters.scout.GetVoxelValueUnits() is None
    assert planner.session.inputs().scout.unit == "counts"
    other = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "other")
    other.GetSegmentation().AddEmptySegment("liver", "liver")
    planner.idle()
    assert planner.parameters.segmentation.GetName() == "small case: anatomy"
    assert planner.ui("Plan").optimizeButton.enabled


# -- numbers and names that are none --------------------------------------------------------------------------------


def _type(planner: Panel, section: str, table: str, row: int, column: int, text: str) -> None:
    getattr(planner.ui(section), table).item(row, column).setText(text)
    planner.spin()


_CELLS = {
    "shunt": ("Sites", "sitesTable", 1, 2, "5"),
    "extrahepatic": ("Sites", "sitesTable", 1, 4, "0"),
    "ratio": ("Ratios", "ratiosTable", 0, 1, ""),
    "bound": ("Prescription", "limitsTable", 0, 2, "40"),
}


@pytest.mark.slow
def test_what_is_no_number_leaves_the_cell_as_it_was(planner):
    for section, table, row, column, shown in _CELLS.values():
        for text in ("five", "-1", "1e99", "nan", "5 %", "1;2"):
            with _refused(planner, f"'{text}' is no number from", "keeps its value"):
                _type(planner, section, table, row, column, text)
            assert getattr(planner.ui(section), table).item(row, column).text() == shown
    with _refused(planner, "'120' is no number from 0 to 100"):
        _type(planner, "Sites", "sitesTable", 1, 2, "120")


def test_a_site_keeps_its_name_if_the_other_is_taken_and_a_decimal_comma_is_a_decimal_point(planner):
    with _refused(planner, "a site called 'right' already", "choose another name"):
        _type(planner, "Sites", "sitesTable", 1, 0, "right")
    assert planner.ui("Sites").sitesTable.item(1, 0).text() == "left"
    _type(planner, "Sites", "sitesTable", 1, 2, "7,5")
    assert planner.parameters.site("left").lung_shunt == pytest.approx(0.075)


@pytest.mark.slow
def test_more_shunt_and_deposit_than_there_is_activity(planner):
    _type(planner, "Sites", "sitesTable", 1, 2, "60")
    _type(planner, "Sites", "sitesTable", 1, 4, "50")
    planner.idle()
    with _refused(planner, "left"):
        _try(planner, "Plan", "dosesButton")


# -- what contradicts itself ------------------------------------------------------------------------------------------


def test_a_required_site_needs_a_least_activity(planner):
    sites = planner.parameters.sites
    planner.session.change(sites=(replace(sites[0], rule="required"), *sites[1:]), least_activity_gbq=None)
    planner.idle()
    assert "least_activity_gbq" in _why_not(planner)


@pytest.mark.slow
def test_limits_that_contradict_each_other_are_told(planner):
    sites = planner.parameters.sites
    planner.session.change(
        sites=(replace(sites[0], rule="required"), *(replace(site, rule="forbidden") for site in sites[1:])),
        least_activity_gbq=9.0,
    )
    planner.idle()
    with _refused(planner, "contradict each other", "activity at proper >= 9 GBq"):
        _try(planner, "Plan", "optimizeButton")


@pytest.mark.exhaustive
@pytest.mark.slow
def test_no_site_is_left(planner):
    sites = tuple(replace(site, rule="forbidden") for site in planner.parameters.sites)
    own = {"quantity": "mean_dose", "structure": "A", "at_least_gy": 10.0}
    planner.session.change(sites=sites, limits=(*planner.parameters.limits, own))
    planner.idle()
    with _refused(planner, "mean dose, A"):
        _try(planner, "Plan", "optimizeButton")


@pytest.mark.slow
def test_limits_of_another_device_need_a_reason(planner):
    from RadioembolizationPlannerLib.case import preset_limits

    planner.session.change(device="glass", preset="resin/bilobar", limits=preset_limits("resin/bilobar"))
    planner.idle()
    with _refused(planner, "resin", "glass"):
        _try(planner, "Plan", "optimizeButton")


def test_a_tumour_that_lost_its_role_loses_its_ratio(planner):
    _type(planner, "Ratios", "ratiosTable", 0, 1, "4.5")
    assert planner.session.inputs().tumour_to_normal == {"A": 4.5}
    roles = {key: role for key, role in planner.parameters.roles.items() if key != "A"}
    planner.session.change(roles=roles)
    planner.idle()
    assert planner.ui("Ratios").ratiosTable.rowCount == 2
    assert planner.session.inputs().tumour_to_normal == {}
    planner.session.change(roles={**roles, "A": Role.TUMOUR})
    assert planner.session.inputs().tumour_to_normal == {"A": 4.5}


# -- plans that are not what they were --------------------------------------------------------------------------------


def test_a_plan_whose_dose_was_deleted(planner, scene, plan, tmp_path):
    planner.ui("Results").approverEdit.text = "A. Physicist"
    scene.RemoveNode(plans.node_of(plan, plans.DOSE))
    planner.idle()
    for button in ("showButton", "approveButton", "isodosesButton"):
        planner.session.say("")
        with _refused(planner, "'mine'", "was deleted", "plan again"):
            planner.click("Results", button)
    planner.session.say("")
    with _refused(planner, "'mine'", "was deleted", "plan again"):
        _export(planner, plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _export(planner: Panel, plan: Any, folder: Any) -> None:
    section = planner.sections["ResultsSection"]
    section.attempt(lambda: planner.session.desk.export(plan, folder))


@pytest.mark.slow
def test_a_plan_is_checked_without_its_dose(planner, scene, plan):
    """Its dose is computed anew."""
    scene.RemoveNode(plans.node_of(plan, plans.DOSE))
    planner.click("Results", "certifyButton")
    planner.idle()
    assert not planner.session.status.failed
    assert "The doses of plan 'mine' stand" in _told(planner)


@pytest.mark.slow
@pytest.mark.parametrize("text", series(["more activity", "broken", "better goal"], 2))
def test_a_plan_edited_by_hand_does_not_stand(planner, plan, text):
    document = json.loads(plan.GetText())
    if text == "more activity":
        document["sites"][1]["activity_gbq"] *= 2.0
    elif text == "better goal":
        document["goal"]["value"] *= 1.5
    plan.SetText("{" if text == "broken" else json.dumps(document))
    before = contents(slicer.mrmlScene)
    planner.click("Results", "certifyButton")
    planner.idle()
    told = {"more activity": "computed anew, not", "better goal": "as it states", "broken": "'mine' is no plan file"}
    assert planner.session.status.failed and told[text] in _told(planner), _told(planner)
    assert contents(slicer.mrmlScene) == before


@pytest.mark.parametrize("change", series(["text", "dose", "no dose"], 1))
def test_an_approval_of_something_else_is_revoked_as_the_scene_is_loaded(planner, scene, plan, tmp_path, change):
    planner.ui("Results").approverEdit.text = "A. Physicist"
    planner.click("Results", "approveButton")
    assert "Approved by A. Physicist" in planner.ui("Results").stateLabel.text
    dose = plans.node_of(plan, plans.DOSE)
    if change == "text":
        plan.SetText(plan.GetText().replace("small case", "other case"))
    elif change == "dose":
        slicer.util.arrayFromVolume(dose)[10, 10, 10] += 1.0
    else:
        scene.RemoveNode(dose)
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    planner.idle()
    (loaded,) = plans.plans_of(scene)
    assert record_of(loaded).approval is None
    assert "revoked" in planner.ui("Results").stateLabel.text
    assert "Approved by A. Physicist, " not in planner.ui("Results").stateLabel.text


def test_a_plan_of_a_newer_program_is_told_and_left(planner, scene, plan):
    plan.SetAttribute(PLAN_ATTRIBUTE, "2")
    before = {name: plan.GetAttribute(name) for name in plan.GetAttributeNames()}
    planner.ui("Results").approverEdit.text = "A. Physicist"
    planner.session.refresh()
    planner.spin()
    assert "Plan 'mine' has format 2" in _told(planner) and "update the extension" in _told(planner)
    assert not planner.ui("Results").approveButton.enabled
    assert {name: plan.GetAttribute(name) for name in plan.GetAttributeNames()} == before


def test_parameters_of_a_newer_program_are_told_and_left(planner, scene, tmp_path):
    node = planner.widget.logic.getParameterNode()
    node.SetParameter("format", "2")
    node.SetParameter("spacing_mm", '{"x": 2.0}')
    assert slicer.util.saveScene(str(tmp_path / "newer.mrb"))
    scene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "newer.mrb"))
    planner.spin(0.1)
    node = planner.widget.logic.getParameterNode()
    before = {name: node.GetParameter(name) for name in node.GetParameterNames()}
    with _refused(planner, "format 2, this program reads up to 1", "update the extension"):
        planner.ui("Case").spacingBox.value = 4.0
        planner.ui("Sites").shuntBox.value = 4.0
        planner.spin(0.7)
    assert {name: node.GetParameter(name) for name in node.GetParameterNames()} == before


def test_a_broken_parameter_is_told_with_its_way_out(planner):
    node = planner.widget.logic.getParameterNode()
    node.SetParameter("limits", '["at most 40 Gy"]')
    planner.spin()
    assert "parameter 'limits' stored in the scene cannot be read" in _told(planner)
    way_out = _told(planner).split("Python console: ")[1]
    assert way_out == f"slicer.mrmlScene.GetNodeByID('{node.GetID()}').UnsetParameter('limits')"
    eval(way_out)
    planner.idle()
    assert planner.parameters.limits == ()
    assert "choose a preset or add a limit" in _why_not(planner)


def test_two_plans_of_one_name_can_be_compared_and_deleted(planner, scene, plan):
    other = put(scene, "mine", by_hand(0.0, 0.2, 0.2))
    planner.ui("Results").otherPlanSelector.setCurrentNode(other)
    planner.click("Results", "compareButton")
    assert planner.session.desk.comparison.GetNumberOfColumns() == 3
    planner.click("Results", "deleteButton")
    assert plans.plans_of(scene) == (other,)
    assert planner.parameters.shown_plan is other


# -- folders ----------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_a_file(planner, plan, tmp_path):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with _refused(planner, str(tmp_path / "taken"), "cannot be written to", "Choose another folder"):
        _export(planner, plan, tmp_path / "taken")


def test_a_full_disk(planner, plan, tmp_path, monkeypatch):
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(export, "write_volume", full)
    with _refused(planner, "'mine'", "No space left", "free space"):
        _export(planner, plan, tmp_path)
    assert list(tmp_path.iterdir()) == []
