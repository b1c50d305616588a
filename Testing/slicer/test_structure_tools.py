"""Structures found from the panel: built-in, by extensions, grown from seeds; in any order, with anything missing."""

from __future__ import annotations

import numpy as np
import pytest
import runner_tasks
import slicer_headless
import standin_neighbours as standins
from hands import Heartbeat, bare_nodes

from radioembolization.errors import ImageError
from radioembolization.images import Unit
from radioembolization.structures import Role
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation import SegmentedStructure, SegmentedStructures
from radioembolization.structures.terminology import BODY, LIVER
from radioembolization.treatment import SourceMask
from small_case import small_inputs
from support import ellipsoid

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]

_TOOLS = "StructureTools"


@pytest.fixture
def found(monkeypatch):
    """Replaces the finding in the CT by a quick one; returns what it was asked."""
    from RadioembolizationPlannerLib import tasks

    asked = []

    def segment(request, progress):
        asked.append(request)
        progress("liver", 1, 2)
        grid = request.ct.grid
        liver = ellipsoid(grid, (0.0, 0.0, 0.0), (60.0, 50.0, 45.0))
        unsure = Finding("uncertain liver", Severity.WARNING, "'liver' is uncertain: correct it.", ("liver",))
        structures = (
            SegmentedStructure("body", BODY, np.ones(grid.shape, dtype=bool), "by the test"),
            SegmentedStructure("liver", LIVER, liver, "by the test", 0.4, (unsure,)),
        )
        return SegmentedStructures(grid, structures)

    monkeypatch.setattr(tasks, "segment", segment)
    return asked


def _with_images(panel, scene, **changes):
    """Choose the images of the small case and no segmentation; return its nodes."""
    nodes = bare_nodes(scene, small_inputs(**changes))
    panel.session.change(ct=nodes.ct, scout=nodes.scout)
    panel.idle()
    return nodes


def _names(panel):
    node = panel.parameters.segmentation
    segments = node.GetSegmentation()
    return {segments.GetSegment(key).GetName(): key for key in segments.GetSegmentIDs()}


def _dice(a, b):
    return 2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def _check(panel, *names):
    """Check segments in the list of seeds."""
    import qt

    seeds = panel.ui(_TOOLS).seedsList
    for row in range(seeds.count):
        seeds.item(row).setCheckState(qt.Qt.Checked if seeds.item(row).text() in names else qt.Qt.Unchecked)
    panel.spin()


def test_nothing_can_be_found_in_an_empty_scene_and_tooltips_say_why(panel, monkeypatch):
    standins.install(monkeypatch, standins.TotalSegmentatorLogic)
    panel.spin()
    ui = panel.ui(_TOOLS)
    panel.sections["StructureToolsSection"]._show_readiness()
    for button in (ui.segmentButton, ui.totalSegmentatorButton):
        assert not button.enabled and button.toolTip == "Choose the CT in section 1 first."
    assert not ui.growButton.enabled and "Choose a CT or a scout image" in ui.growButton.toolTip
    assert not ui.cancelSegmentButton.enabled
    assert not ui.monaiButton.enabled and "Install the extension MONAIAuto3DSeg" in ui.monaiButton.toolTip


@pytest.mark.exhaustive
@pytest.mark.process
@pytest.mark.slow
def test_the_synthetic_patient_is_segmented_in_another_process(panel):
    from RadioembolizationPlannerLib.synthetic import load_synthetic_patient

    load_synthetic_patient(panel.session, spacing_mm=5.0)
    drawn = panel.parameters.segmentation
    panel.session.change(segmentation=None, roles={}, sites=())
    panel.idle()
    with Heartbeat() as heart:
        panel.click(_TOOLS, "segmentButton")
        panel.idle(300.0)
    names = _names(panel)
    assert {"body", "left lung", "right lung", "liver"} == set(names) and heart.beats > 50
    found = slicer.util.arrayFromSegmentBinaryLabelmap(
        panel.parameters.segmentation, names["liver"], panel.parameters.ct
    )
    known = slicer.util.arrayFromSegmentBinaryLabelmap(drawn, "liver", panel.parameters.ct)
    assert 2.0 * np.count_nonzero(found & known) / (np.count_nonzero(found) + np.count_nonzero(known)) > 0.85


def test_what_is_found_in_the_ct_makes_a_segmentation_with_roles(panel, scene, found):
    nodes = _with_images(panel, scene)
    panel.click(_TOOLS, "segmentButton")
    panel.idle()
    names = _names(panel)
    assert list(names) == ["body", "liver"] and panel.parameters.segmentation is not nodes.segmentation
    assert panel.parameters.roles == {names["liver"]: Role.LIVER}
    assert panel.ui("Structures").segmentationSelector.currentNode() is panel.parameters.segmentation
    text = panel.ui(_TOOLS).toolsLabel.text
    assert "liver (" in text and " mL)" in text and "WARNING: 'liver' is uncertain: correct it." in text
    (request,) = found
    assert request.ct.unit is Unit.HU and request.seeds_lps_mm == ()


@pytest.mark.exhaustive
def test_found_again_it_stands_beside_what_is_there(small, found):
    node, roles = small.parameters.segmentation, dict(small.parameters.roles)
    small.click(_TOOLS, "segmentButton")
    small.idle()
    small.click(_TOOLS, "segmentButton")
    small.idle()
    assert small.parameters.segmentation is node
    assert {"liver", "liver 2", "liver 3", "body", "body 2"} <= set(_names(small))
    assert "WARNING: 'liver 3' is uncertain" in small.ui(_TOOLS).toolsLabel.text  # the one that was added last
    assert {key: small.parameters.roles[key] for key in roles} == roles
    assert list(small.parameters.roles.values()).count(Role.LIVER) == 1


def test_points_in_the_liver_are_handed_on_in_lps(panel, scene, found):
    from RadioembolizationPlannerLib.points import add_point, new_points

    _with_images(panel, scene)
    points = new_points(scene, "in the liver")
    add_point(points, (10.0, -20.0, 30.0), "a")
    add_point(points, (1.0, 2.0, 3.0), "a")  # labels do not matter here
    panel.spin()
    panel.ui(_TOOLS).liverPointsSelector.setCurrentNode(points)
    panel.click(_TOOLS, "segmentButton")
    panel.idle()
    assert np.allclose(found[0].seeds_lps_mm, [(10.0, -20.0, 30.0), (1.0, 2.0, 3.0)])


def test_doses_hold_until_a_new_segment_has_a_role(small, found):
    small.click("Plan", "dosesButton")
    small.idle()
    small.click(_TOOLS, "segmentButton")
    small.idle()
    assert small.session.why_no_doses() == ""  # neither a body nor a second liver has a role
    small.session.change(roles={**small.parameters.roles, _names(small)["liver 2"]: Role.ORGAN})
    small.idle()
    assert small.session.why_no_doses().startswith("Compute the doses again")


def test_what_the_core_refuses_is_told_where_the_button_is(panel, scene, monkeypatch):
    from RadioembolizationPlannerLib import tasks

    def refuse(request, progress):
        raise ImageError("The CT is empty: load the image again.")

    monkeypatch.setattr(tasks, "segment", refuse)
    _with_images(panel, scene)
    panel.click(_TOOLS, "segmentButton")
    panel.idle()
    assert panel.ui(_TOOLS).toolsLabel.text == "Failed: The CT is empty: load the image again."
    assert panel.parameters.segmentation is None and panel.ui(_TOOLS).segmentButton.enabled


@pytest.mark.process
def test_cancelled_nothing_is_changed(panel, scene):
    _with_images(panel, scene)
    nodes = scene.GetNumberOfNodes()
    panel.click(_TOOLS, "segmentButton")
    ui = panel.ui(_TOOLS)
    assert ui.cancelSegmentButton.enabled and not ui.segmentButton.enabled
    assert ui.segmentButton.toolTip == "A calculation is running."
    panel.click(_TOOLS, "cancelSegmentButton")
    panel.idle(20.0)
    assert panel.parameters.segmentation is None and scene.GetNumberOfNodes() == nodes
    assert ui.segmentButton.enabled and panel.session.status.text == "Cancelled. Nothing was changed."


@pytest.mark.exhaustive
@pytest.mark.process
def test_a_killed_process_is_told_and_nothing_is_changed(panel, scene, monkeypatch):
    from RadioembolizationPlannerLib import tasks

    monkeypatch.setattr(tasks, "segment", runner_tasks.be_killed)
    _with_images(panel, scene)
    panel.click(_TOOLS, "segmentButton")
    panel.idle(30.0)
    assert panel.session.status.failed and panel.parameters.segmentation is None
    assert panel.ui(_TOOLS).toolsLabel.text.startswith("Failed: ")
    assert panel.ui(_TOOLS).segmentButton.enabled


def test_a_segmentation_deleted_meanwhile_is_replaced_by_a_new_one(small, scene, found):
    small.ui(_TOOLS).segmentButton.click()  # the task runs when the event loop next comes round
    scene.RemoveNode(small.parameters.segmentation)
    small.idle()
    assert list(_names(small)) == ["body", "liver"] and not small.session.status.failed


def test_an_extension_is_run_from_the_panel_and_may_fail(small, monkeypatch):
    standins.install(monkeypatch, standins.TotalSegmentatorLogic, standins.MONAIAuto3DSegLogic)
    ui = small.ui(_TOOLS)
    small.sections["StructureToolsSection"]._show_readiness()
    ui.fastBox.checked = False
    small.click(_TOOLS, "totalSegmentatorButton")
    assert standins.TotalSegmentatorLogic.made[0].calls[0]["quality"] == "normal"
    assert "spleen (" in ui.toolsLabel.text and "spleen" in _names(small)
    ui.taskBox.setCurrentIndex(ui.taskBox.findData("liver_lesions"))
    assert not ui.monaiButton.enabled and "no model for this" in ui.monaiButton.toolTip
    small.click(_TOOLS, "totalSegmentatorButton")
    assert standins.TotalSegmentatorLogic.made[1].calls[0]["task"] == "liver_lesions"
    assert small.parameters.roles[_names(small)["liver lesions"]] is Role.TUMOUR
    monkeypatch.setattr(standins.TotalSegmentatorLogic, "fails", RuntimeError("no memory"))
    small.click(_TOOLS, "totalSegmentatorButton")
    assert "Failed: TotalSegmentator failed (RuntimeError: no memory)" in ui.toolsLabel.text
    assert ui.totalSegmentatorButton.enabled


def test_what_other_sections_do_is_told_elsewhere(small, found):
    small.click(_TOOLS, "segmentButton")
    small.idle()
    told = small.ui(_TOOLS).toolsLabel.text
    assert told.startswith("Added to 'Segmentation'")
    small.click("Plan", "dosesButton")
    small.idle()
    small.session.say("The limits contradict each other.", failed=True)
    assert small.ui(_TOOLS).toolsLabel.text == told


def test_seeds_grow_to_new_segments(small):
    from RadioembolizationPlannerLib.new_segments import NewSegment, add_segments
    from small_case import GRID

    node = small.parameters.segmentation
    inside = SourceMask(ellipsoid(GRID, (0.0, 0.0, 0.0), 20.0), GRID)
    rim = np.zeros(GRID.shape, dtype=bool)
    rim[:, :, :2] = rim[:, :, -2:] = True
    add_segments(node, [NewSegment("in", inside, (1, 0, 0)), NewSegment("around", SourceMask(rim, GRID), (0, 0, 1))])
    small.spin()
    ui = small.ui(_TOOLS)
    assert not ui.growButton.enabled and "at least two seeds" in ui.growButton.toolTip
    _check(small, "in", "around")
    small.click(_TOOLS, "growButton")
    names = _names(small)
    assert {"in grown", "around grown"} <= set(names)
    grown = slicer.util.arrayFromSegmentBinaryLabelmap(node, names["in grown"], small.parameters.ct)
    liver = slicer.util.arrayFromSegmentBinaryLabelmap(node, names["liver"], small.parameters.ct)
    assert _dice(grown, liver) > 0.97
    assert [item.text() for item in _checked(small)] == ["in", "around"]  # the list was made anew, checks stay


def _checked(panel):
    seeds = panel.ui(_TOOLS).seedsList
    return [seeds.item(row) for row in range(seeds.count) if int(seeds.item(row).checkState()) == 2]


def test_a_closed_scene_forgets_the_seeds(small):
    _check(small, "liver", "A")
    slicer.mrmlScene.Clear(False)
    small.spin(0.1)
    assert small.ui(_TOOLS).seedsList.count == 0 and not small.ui(_TOOLS).growButton.enabled
