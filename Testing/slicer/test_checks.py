"""Checks of images and structures in the panel: listed, jumped to, out of date after a change, told in plans."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless
from hands import row_of, texts_of

from radioembolization.structures.findings import Finding, Severity
from small_case import GRID
from support import ellipsoid

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]

_UP_MM = 45.0


def _shift_scout(panel, scene, up_mm=_UP_MM):
    """Move the scout image towards the head, as by another frame of reference."""
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "other frame")
    matrix = np.eye(4)
    matrix[2, 3] = up_mm
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    panel.parameters.scout.SetAndObserveTransformNodeID(transform.GetID())
    panel.idle()
    return transform


def _check(panel):
    panel.click("Checks", "checkButton")
    panel.idle()
    return {row[1]: row for row in texts_of(panel.ui("Checks").checksTable)}


def _slices(scene):
    """Return three slice views, as the layout of the module has them."""
    views = {}
    for name in ("Axial", "Coronal", "Sagittal"):
        views[name] = scene.AddNewNodeByClass("vtkMRMLSliceNode", name)
        views[name].SetOrientation(name)
    return views


def test_a_misaligned_scout_is_listed_and_the_views_jump_to_it(small, scene):
    ui = small.ui("Checks")
    assert not ui.checksTable.visible and not ui.jumpButton.enabled and ui.checksLabel.text == ""
    assert "misaligned scout" not in _check(small)
    _shift_scout(small, scene)
    found = _check(small)
    weight, _check_name, names, message = found["misaligned scout"]
    assert weight == "WARNING" and "liver" in names and "the scout would have" in message
    assert ui.checksLabel.text.startswith("Errors: 0, warnings: ")
    (finding,) = [f for f in small.session.checks.findings if f.check == "misaligned scout"]
    x, y, z = finding.position_lps_mm
    views = _slices(scene)
    ui.checksTable.selectRow(row_of(ui.checksTable, "misaligned scout", 1))
    small.click("Checks", "jumpButton")
    offsets = [views[name].GetSliceToRAS().GetElement(axis, 3) for axis, name in enumerate(("Sagittal", "Coronal"))]
    assert offsets == pytest.approx([-x, -y]) and views["Axial"].GetSliceOffset() == pytest.approx(z)


def test_a_double_click_jumps_too_and_left_and_right_are_not_mixed_up(small, scene):
    """The island lies on the right of the patient, in front and low: LPS and RAS differ in two signs."""
    island = (-60.0, -50.0, -60.0)
    liver = slicer.util.arrayFromSegmentBinaryLabelmap(small.parameters.segmentation, "liver", small.parameters.ct)
    drawn = liver.astype(bool) | ellipsoid(GRID, island, 8.0)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        drawn.astype(np.uint8), small.parameters.segmentation, "liver", small.parameters.ct
    )
    views, ui = _slices(scene), small.ui("Checks")
    _check(small)
    row = row_of(ui.checksTable, "islands", 1)
    ui.checksTable.setCurrentCell(row, 0)
    ui.checksTable.cellDoubleClicked.emit(row, 0)
    small.spin()
    ras = [
        views[name].GetSliceToRAS().GetElement(axis, 3) for axis, name in enumerate(("Sagittal", "Coronal", "Axial"))
    ]
    assert ras == pytest.approx([60.0, 50.0, -60.0], abs=5.0)


def test_what_is_changed_afterwards_makes_the_list_out_of_date(small, scene):
    _check(small)
    label = small.ui("Checks").checksLabel
    small.session.change(at_most_sites=1)  # no matter of images and structures
    small.idle()
    assert "OUT OF DATE" not in label.text and small.session.checks.is_current
    transform = _shift_scout(small, scene, 3.0)
    assert label.text.startswith("OUT OF DATE: scout image has changed. Check again.")
    scene.RemoveNode(transform)
    small.idle()
    assert "OUT OF DATE" not in label.text  # as it was checked
    roles = {key: role for key, role in small.parameters.roles.items() if key != "gallbladder"}
    small.session.change(roles=roles)
    small.idle()
    assert "structure 'gallbladder' is missing" in label.text
    scene.Clear(False)
    small.spin(0.1)
    assert label.text == "" and not small.ui("Checks").checkButton.enabled


def test_before_there_are_sites_it_can_be_checked_but_not_without_structures(small):
    small.session.change(sites=(), limits=())
    small.idle()
    _check(small)
    assert not small.session.status.failed and small.session.checks.findings is not None
    segments = small.parameters.segmentation.GetSegmentation()
    small.session.change(roles={key: small.parameters.roles[key] for key in ("liver", "A")})
    segments.GetSegment("A").GetRepresentation("Binary labelmap").GetPointData().GetScalars().Fill(0)
    segments.GetSegment("A").GetRepresentation("Binary labelmap").Modified()
    segments.GetSegment("A").Modified()
    small.idle()
    _check(small)
    assert small.ui("Checks").checksLabel.text.startswith("Failed: Segment 'A' of 'Segmentation' is empty")
    segments.RemoveAllSegments()
    small.idle()
    _check(small)
    assert "give its segments roles first" in small.ui("Checks").checksLabel.text
    small.session.change(segmentation=None, roles={})
    small.idle()
    assert not small.ui("Checks").checkButton.enabled


def test_warnings_go_along_with_a_plan_while_they_are_current(small, scene):
    _shift_scout(small, scene)
    small.click("Plan", "dosesButton")
    small.idle()

    def notices():
        table = small.session.keep_activities("by hand").GetNodeReference("planNotices")
        return [str(table.GetTable().GetValue(row, 0)) for row in range(table.GetNumberOfRows())]

    _check(small)
    assert "MisalignedScout" in " ".join(notices())
    small.session.change(liver_density_g_per_cm3=1.03)
    small.idle()
    small.click("Plan", "dosesButton")
    small.idle()
    assert "MisalignedScout" not in " ".join(notices())


def test_notes_can_be_left_out_and_a_finding_without_a_place_says_so(small, monkeypatch):
    from RadioembolizationPlannerLib import tasks

    findings = (
        Finding("overlap", Severity.ERROR, "'tumour A' and 'B' are one tumour. Tumour!", ("tumour A", "B")),
        Finding("separate parts", Severity.NOTICE, "'B' has 2 separate parts.", ("B",), (1.0, 2.0, 3.0)),
    )
    monkeypatch.setattr(tasks, "check", lambda request, progress: findings)
    _check(small)
    ui = small.ui("Checks")
    assert texts_of(ui.checksTable) == [
        ["ERROR", "overlap", "tumour A, B", "'tumour A' and 'B' are one tumor. Tumor!"],
        ["note", "separate parts", "B", "'B' has 2 separate parts."],
    ]
    ui.checksTable.selectRow(0)
    small.spin()
    assert not ui.jumpButton.enabled and "no single place" in ui.jumpButton.toolTip
    ui.checksTable.selectRow(1)
    small.spin()
    assert ui.jumpButton.enabled and ui.checksLabel.text.endswith("\n'B' has 2 separate parts.")
    ui.notesBox.checked = False
    assert [row[1] for row in texts_of(ui.checksTable)] == ["overlap"]
    assert ui.checksLabel.text.startswith("Errors: 1, warnings: 0, notes: 1.")
    monkeypatch.setattr(tasks, "check", lambda request, progress: ())
    _check(small)
    assert not ui.checksTable.visible and "nothing was found" in ui.checksLabel.text


@pytest.mark.process
def test_the_check_runs_in_another_process_and_can_be_cancelled(small):
    small.click("Checks", "checkButton")
    assert small.ui("Checks").cancelCheckButton.enabled and not small.ui("Checks").checkButton.enabled
    small.click("Checks", "cancelCheckButton")
    small.idle(20.0)
    assert small.ui("Checks").checksLabel.text == "Cancelled. Nothing was changed."
    assert small.session.checks.findings is None
    _check(small)
    assert small.session.checks.is_current
