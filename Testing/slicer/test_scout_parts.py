"""Tumor-to-normal ratios and extrahepatic foci in the panel: known values found, shown, jumped to, out of date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import slicer_headless
from hands import pick, row_of, texts_of, type_into
from scout_case import FOCUS_LPS_MM, RATIOS, take_scout_case

from radioembolization.structures import Role
from radioembolization.treatment.case import Notice

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]


@pytest.fixture
def part(panel, scene):
    take_scout_case(panel, scene)
    panel.session.change(lung_shunt=0.05)
    panel.idle()
    return panel


def _measure(panel, reference=""):
    pick(panel.ui("Ratios").referenceBox, reference)
    panel.click("Ratios", "measureButton")
    panel.idle()
    return {row[0]: row[1:] for row in texts_of(panel.ui("Ratios").ratiosTable)}


def _find(panel):
    panel.click("Foci", "findFociButton")
    panel.idle()
    return texts_of(panel.ui("Foci").fociTable)


def _change_scout(panel, where, counts):
    array = slicer.util.arrayFromVolume(panel.parameters.scout)
    array[where(array)] = counts
    slicer.util.arrayFromVolumeModified(panel.parameters.scout)
    panel.idle()


def test_each_lesion_has_its_ratio_with_error_size_and_blur_to_expect(part):
    ui = part.ui("Ratios")
    assert texts_of(ui.ratiosTable)[0] == ["A", "", "–", "", "", "", ""]
    assert not ui.enterRatiosButton.enabled
    rows = _measure(part)
    assert {name: float(row[1]) for name, row in rows.items()} == pytest.approx(RATIOS)
    assert [row[2] for row in rows.values()] == ["0", "0", "0"]  # uniform
    assert rows["C"][3:] == ["3.38", "41 %", "partial volume"] and rows["A"][5] == ""  # 27 voxels of 5 mm
    assert "Tumor 'C' has 3.4 mL" in ui.ratiosLabel.text and "Measured against normal liver" in ui.ratiosLabel.text
    _typed_wins(part)


def _references(part):
    """Normal liver on the right is given twice the counts: each side has its own reference, and there is an error."""
    array = slicer.util.arrayFromVolume(part.parameters.scout)
    index = np.arange(array.shape[2])
    on_right = -110.0 + 5.0 * index < -4.0  # LPS; the volume is as published, columns along x
    liver = array == 100.0
    array[liver & on_right[None, None, :]] = 200.0
    slicer.util.arrayFromVolumeModified(part.parameters.scout)
    part.idle()
    whole, left = _measure(part), _measure(part, "left")
    assert float(whole["B"][1]) < 2.0 and float(whole["B"][2]) > 0.0
    assert float(left["B"][1]) == pytest.approx(2.5, rel=0.02)
    assert "normal liver of left" in part.ui("Ratios").ratiosLabel.text
    own = _measure(part, "*")
    assert float(own["B"][1]) == pytest.approx(2.5, rel=0.02) and own["A"][1] == whole["A"][1]
    site = part.parameters.sites[1]
    part.session.change(sites=(part.parameters.sites[0],))
    part.idle()
    assert "perfused volume of 'left' is missing" in part.ui("Ratios").ratiosLabel.text and site.name == "left"


def _typed_wins(part):
    """What is typed in stays when the measured ratios are entered."""
    table = part.ui("Ratios").ratiosTable
    type_into(table, row_of(table, "A"), 1, "3,5")
    part.click("Ratios", "enterRatiosButton")
    part.idle()
    assert part.session.inputs().tumour_to_normal == pytest.approx({**RATIOS, "A": 3.5})
    assert [row[1] for row in texts_of(table)] == ["3.5", "2.5", "6"]
    assert "Plans use the ratios typed in" in part.ui("Ratios").ratiosLabel.text
    type_into(table, row_of(table, "A"), 1, "0")
    assert "'0' is no number from 0.01" in part.session.status.text and table.item(0, 1).text() == "3.5"
    part.session.change(tumour_to_normal={})
    part.idle()
    _references(part)


def test_a_focus_is_listed_and_selecting_it_shows_its_place(part, scene):
    ui = part.ui("Foci")
    views = {}
    for name in ("Sagittal", "Coronal", "Axial"):
        views[name] = scene.AddNewNodeByClass("vtkMRMLSliceNode", name)
        views[name].SetOrientation(name)
    assert not ui.fociTable.visible and ui.fociLabel.text == "" and not ui.markFociButton.enabled
    _change_scout(part, lambda array: (0, 0, 0), -0.01)  # which is told too, before the foci
    ((place, share, volume, _peak, near),) = _find(part)
    assert place.startswith("L 30, A 80, S ") and near.endswith(" mm from liver") and "Foci: 1." in ui.fociLabel.text
    scout = slicer.util.arrayFromVolume(part.parameters.scout)
    hot = scout == 300.0
    assert float(share) == pytest.approx(100.0 * scout[hot].sum() / scout.sum(), abs=0.006)
    assert float(volume) == pytest.approx(0.125 * hot.sum(), rel=0.01)
    assert ui.fociTable.item(0, 0).toolTip().startswith("The scout is hot at 30")
    ui.fociTable.selectRow(0)
    part.spin()
    ras = [views[name].GetSliceToRAS().GetElement(axis, 3) for axis, name in enumerate(views)]
    assert ras == pytest.approx([-FOCUS_LPS_MM[0], -FOCUS_LPS_MM[1], FOCUS_LPS_MM[2]], abs=5.1)
    part.click("Foci", "markFociButton")
    (points,) = [
        n for n in slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode") if n.GetName().startswith("Extra")
    ]
    assert points.GetNthControlPointPositionWorld(0) == pytest.approx(ras) and points.GetLocked()
    assert points.GetNthControlPointLabel(0) == "focus 1" and "liver" in points.GetNthControlPointDescription(0)
    _told_and_out_of_date(part)


def _told_and_out_of_date(part):
    """Ratios and foci are told in plans until they are out of date."""
    _measure(part)
    assert _notices(part) == {"ExtrahepaticFocusFound", "NegativeCountsSetToZero", "PartialVolumeLoss"}
    _change_scout(part, lambda array: array == 300.0, 0.0)
    assert part.ui("Foci").fociLabel.text.startswith("OUT OF DATE: scout image has changed. Search again.")
    assert not _notices(part)
    assert _find(part) == [] and part.ui("Foci").fociLabel.text == "No extrahepatic focus was found."
    assert not part.ui("Foci").fociTable.visible
    _of_another_scout(part)
    roles = {key: role for key, role in part.parameters.roles.items() if role is not Role.LIVER}
    part.session.change(roles=roles)
    part.idle()
    part.click("Foci", "findFociButton")
    part.idle()
    assert part.ui("Foci").fociLabel.text.startswith("Failed: The search for extrahepatic foci needs exactly one liver")
    part.session.change(scout=None)
    part.idle()
    assert not part.ui("Ratios").measureButton.enabled and not part.ui("Foci").findFociButton.enabled


def _of_another_scout(part):
    """Ratios of another scout are out of date; a lesion without counts is told."""
    _measure(part)
    _change_scout(part, lambda array: array == 600.0, 0.0)
    label = part.ui("Ratios").ratiosLabel
    assert label.text.startswith("OUT OF DATE: scout image has changed. Measure again.")
    assert not part.ui("Ratios").enterRatiosButton.enabled
    rows = _measure(part)
    assert rows["C"][1] == "0" and rows["C"][5] == "no counts"
    assert "no counts in tumor 'C'" in label.text and "OUT OF DATE" not in label.text
    _change_scout(part, lambda array: array == 100.0, 0.0)
    _measure(part)
    assert label.text.startswith("Failed: The normal liver of the reference region has no scout counts")


@dataclass(frozen=True)
class _Treatment:
    """What a treatment has that is told of."""

    notices: tuple[Notice, ...] = ()


def _notices(panel):
    return {notice.name for notice in panel.session.scout.told_in(_Treatment()).notices}
