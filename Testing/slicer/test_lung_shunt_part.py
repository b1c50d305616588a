"""Lung shunts in the panel: every method side by side, one used, out of date after a change, kept in the scene."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer_headless
from hands import pick, row_of, texts_of, type_into
from scout_case import SHUNT, take_scout_case

from radioembolization.images import Grid, Unit, Volume
from radioembolization.territories.shunt.lung_shunt import ShuntMethod
from radioembolization.treatment import SourceMask

slicer_headless.require_slicer()
import slicer  # noqa: E402

from RadioembolizationPlannerLib.plan_record import record_of  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]

_PART = "LungShunt"
#: sqrt(120 * 270) = 180 and sqrt(1200 * 2700) = 1800
_COUNTS = {"lungs": ("120", "270"), "liver": ("1200", "2700")}
PLANAR = 180.0 / 1980.0


@pytest.fixture
def part(panel, scene):
    take_scout_case(panel, scene)
    return panel


def _rows(panel):
    """Return shunt, deviation, difference and state by method."""
    return {row[0]: row[1:] for row in texts_of(panel.ui(_PART).shuntsTable)}


def _told(panel):
    return panel.ui(_PART).lungShuntLabel.text


def _by_spect(panel):
    panel.click(_PART, "spectShuntButton")
    panel.idle()


def _by_counts(panel, counts=_COUNTS):
    table = panel.ui(_PART).planarTable
    for organ, texts in counts.items():
        for column, text in enumerate(texts, start=1):
            type_into(table, row_of(table, organ), column, text)
    panel.click(_PART, "countsShuntButton")
    panel.idle()


def _use(panel, method):
    table = panel.ui(_PART).shuntsTable
    table.selectRow(row_of(table, method))
    panel.click(_PART, "useShuntButton")
    panel.idle()


def test_both_methods_stand_side_by_side_and_the_one_used_is_that_of_the_case(part):
    assert _rows(part) == {} and not part.ui(_PART).useShuntButton.enabled
    _by_spect(part)
    _by_counts(part)
    assert _rows(part) == {"planar": ["9.09", "5.3", "", ""], "SPECT/CT": ["8.00", "3.6", "", ""]}
    assert "lung shunt" in part.session.problem  # computed is not chosen
    _use(part, "SPECT/CT")
    assert _rows(part) == {"planar": ["9.09", "5.3", "+1.1", ""], "SPECT/CT": ["8.00", "3.6", "", "used"]}
    assert part.parameters.lung_shunt == pytest.approx(SHUNT, rel=1e-4)
    assert part.ui("Sites").shuntBox.value == pytest.approx(8.0)
    inputs = part.session.inputs()
    assert {site.lung_shunt for site in inputs.sites} == {part.parameters.lung_shunt}
    assert [(s.method, s.used) for s in inputs.lung_shunts] == [(ShuntMethod.PLANAR, False), (ShuntMethod.SPECT, True)]
    assert "The case uses 8.00 %, SPECT/CT." in _told(part) and "WARNING" not in _told(part)
    _use(part, "planar")
    assert part.parameters.lung_shunt == pytest.approx(PLANAR) and _rows(part)["SPECT/CT"][2] == "-1.1"
    _typed_in(part)


def _typed_in(part):
    """What is typed in is used, and the others stay; sites with a shunt of their own keep it."""
    part.session.shunts.remove(ShuntMethod.PLANAR)
    part.ui("Sites").shuntBox.value = 5.0
    part.idle()
    assert _rows(part) == {"entered": ["5.00", "–", "", "used"], "SPECT/CT": ["8.00", "3.6", "+3.0", ""]}
    _use(part, "SPECT/CT")
    assert _rows(part)["entered"] == ["5.00", "–", "-3.0", ""]  # kept
    table = part.ui("Sites").sitesTable
    type_into(table, row_of(table, "left"), 2, "3")
    part.idle()
    assert "Sites with a lung shunt of their own keep it: left." in _told(part)
    assert [site.lung_shunt for site in part.session.inputs().sites] == pytest.approx([SHUNT, 0.03], rel=1e-4)
    part.ui(_PART).shuntsTable.selectRow(row_of(part.ui(_PART).shuntsTable, "SPECT/CT"))
    part.click(_PART, "removeShuntButton")
    part.idle()
    assert set(_rows(part)) == {"entered"} and part.parameters.lung_shunt is None
    part.click(_PART, "removeShuntButton")
    type_into(table, row_of(table, "left"), 2, "")
    part.idle()
    _bad_counts(part)


def _bad_counts(part):
    """Planar counts are refused or used, with background or without."""
    _by_counts(part, {"lungs": ("120", "270"), "liver": ("1200", "")})
    assert "Failed: Enter the posterior counts of the liver" in _told(part) and _rows(part) == {}
    type_into(part.ui(_PART).planarTable, 0, 1, "-5")
    assert "'-5' is no number" in part.session.status.text and part.ui(_PART).planarTable.item(0, 1).text() == ""
    _by_counts(part, {"lungs": ("0", "270"), "liver": ("1200", "2700")})
    assert "anterior counts of the lungs are 0" in _told(part)
    _by_counts(part, {"lungs": ("170", "370", "50", "1", "2"), "liver": ("1200", "2700")})  # 120 and 270 without it
    assert _rows(part)["planar"][0] == "9.09" and "background subtracted" in _told(part)
    _high(part)


def _high(part):
    """A high shunt, and methods that disagree, are told in the panel and with the case."""
    _by_spect(part)
    _by_counts(part, {"lungs": ("500", "500", "", "", ""), "liver": ("1500", "1500")})  # 25 %
    assert "WARNING: The planar lung shunt of 25.0% is +17.0 percentage points off" in _told(part)
    assert "contraindicates" not in _told(part)
    _use(part, "planar")
    assert "above 20 %, where labeling contraindicates resin" in _told(part)
    names = {notice.name for notice in part.session.inputs().notices}
    assert {"LungShuntHigh", "ShuntMethodsDisagree"} <= names


def test_cropped_lungs_are_told_or_refused(panel, scene):
    """Of the lungs, from 77 to 153 mm, the scout has those below 137 mm, then those below 107 mm."""
    take_scout_case(panel, scene, planes=44)
    _by_spect(panel)
    assert _rows(panel)["SPECT/CT"][0] == "8.00"  # uniform lungs: extrapolated without an error
    assert "of the lungs lie outside the scout; they were taken to have the mean" in _told(panel)
    _use(panel, "SPECT/CT")
    assert "LungsExtrapolated" in {notice.name for notice in panel.session.inputs().notices}
    scene.Clear(False)
    panel.spin(0.1)
    take_scout_case(panel, scene, planes=38)
    _by_spect(panel)
    assert _rows(panel) == {} and "of the lungs lie inside the scout" in _told(panel)
    assert _told(panel).startswith("Failed: Only ")


def test_another_scout_makes_shunt_and_plan_out_of_date_also_in_a_loaded_scene(part, scene, tmp_path):
    _by_spect(part)
    _by_counts(part)
    _use(part, "SPECT/CT")
    before = part.parameters.lung_shunts
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear(False)
    part.spin(0.1)
    assert _rows(part) == {} and texts_of(part.ui(_PART).planarTable)[1][1:] == [""] * 5
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    part.idle()
    assert [row[1:3] for row in texts_of(part.ui(_PART).planarTable)] == [list(counts) for counts in _COUNTS.values()]
    assert part.parameters.lung_shunts == before and _rows(part)["SPECT/CT"][3] == "used"
    counts = slicer.util.arrayFromVolume(part.parameters.scout)
    counts[counts == counts[36].max()] *= 1.5  # the lungs
    slicer.util.arrayFromVolumeModified(part.parameters.scout)
    part.idle()
    assert _rows(part)["SPECT/CT"][3] == "used, OUT OF DATE" and _rows(part)["planar"][3] == ""
    assert "OUT OF DATE, SPECT/CT: scout image has changed. Compute it again." in _told(part)
    plan = part.optimize()
    document = json.loads(plan.GetText())
    stated = {shunt["method"]: (shunt["used"], shunt["fraction"]) for shunt in document["inputs"]["lung_shunts"]}
    assert stated["spect"] == (True, pytest.approx(SHUNT, rel=1e-4))
    assert stated["planar"] == (False, pytest.approx(PLANAR))
    assert "LungShuntOutOfDate" in {notice["name"] for notice in document["notices"]}
    with pytest.raises(ValueError, match=r"out of date \(scout image has changed\): compute it again"):
        part.session.shunts.use(ShuntMethod.SPECT)
    assert record_of(plan).stale == ()
    _by_spect(part)
    assert part.parameters.lung_shunt == pytest.approx(1.5 * SHUNT / (1.0 + 0.5 * SHUNT), rel=1e-4)
    assert _rows(part)["SPECT/CT"][3] == "used" and "WARNING: A lung shunt of 11.5% reduces" in _told(part)
    assert record_of(plan).stale == ("site 'proper' has changed", "site 'left' has changed")


# -- planar images --------------------------------------------------------------------------------------------------

_IMAGE_GRID = Grid((2, 30, 40), (10.0, 4.0, 4.0))


def _planar_nodes(panel, scene):
    """Put an image with both views into the scene; lungs hold 120 and 270 counts per pixel, the liver 600 and 1350.

    The liver is on one side only, so that it tells whether the posterior view is mirrored.
    """
    from RadioembolizationPlannerLib.new_segments import new_segmentation
    from RadioembolizationPlannerLib.publish import publish_volume
    from RadioembolizationPlannerLib.segments import segment_from_mask, set_reference_geometry

    lungs, liver = np.zeros((2, 30, 40), dtype=bool), np.zeros((2, 30, 40), dtype=bool)
    lungs[:, 2:12, 5:35], liver[:, 14:24, 4:24] = True, True
    counts = np.where(lungs, 120.0, 0.0) + np.where(liver, 600.0, 0.0)
    counts[1] = 2.25 * counts[1, :, ::-1]  # as seen from behind
    image = publish_volume(scene, Volume(counts.astype(np.float32), _IMAGE_GRID, Unit.COUNTS), "planar")
    segmentation = new_segmentation(scene, "regions")
    set_reference_geometry(segmentation, _IMAGE_GRID)
    for name, mask in (("lungs", lungs), ("liver", liver)):
        segmentation.GetSegmentation().AddSegment(
            segment_from_mask(name, SourceMask(mask, _IMAGE_GRID), (1, 0, 0)), name
        )
    ui = panel.ui(_PART)
    ui.lungShuntButton.collapsed = True
    ui.lungShuntButton.collapsed = False  # offers the segments
    for selector in (ui.anteriorSelector, ui.posteriorSelector):
        selector.setCurrentNode(image)
    ui.posteriorPlaneBox.value = 2
    for box, name in ((ui.lungsRegionBox, "lungs"), (ui.liverRegionBox, "liver")):
        pick(box, f"{segmentation.GetID()}|{name}")
    panel.spin()
    return image, segmentation


def test_planar_images_with_regions_give_the_shunt_and_go_out_of_date(part, scene, tmp_path):
    ui = part.ui(_PART)
    assert not ui.imagesShuntButton.enabled and "anterior" in ui.imagesShuntButton.toolTip
    image, segmentation = _planar_nodes(part, scene)
    part.click(_PART, "imagesShuntButton")
    part.idle()
    lungs, liver = 300.0 * 180.0, 200.0 * 900.0  # pixels times geometric mean
    (known,) = part.parameters.lung_shunts
    assert known.shunt.fraction == pytest.approx(lungs / (lungs + liver)) and "WARNING" not in _told(part)
    image, segmentation = _loaded_again(part, scene, image, segmentation, tmp_path / "planar.mrb")
    slicer.util.arrayFromVolume(image)[:] += 1.0
    slicer.util.arrayFromVolumeModified(image)
    part.widget.exit()
    part.widget.enter()
    assert _rows(part)["planar"][3] == "OUT OF DATE" and "anterior image has changed" in _told(part)
    slicer.util.arrayFromVolume(image)[:] -= 1.0
    slicer.util.arrayFromVolumeModified(image)
    part.idle()
    assert _rows(part)["planar"][3] == ""
    _do_not_fit(part, image)
    scene.RemoveNode(segmentation)
    part.idle()
    assert "not in the scene any more" in part.session.shunts.changes[ShuntMethod.PLANAR][0]
    assert _rows(part)["planar"][3] == "OUT OF DATE" and not ui.imagesShuntButton.enabled


def _loaded_again(part, scene, image, segmentation, path):
    """Images, planes and regions are those of the stored shunt in the loaded scene, and what is chosen next stays."""
    ui, ids = part.ui(_PART), (image.GetID(), segmentation.GetID())
    assert slicer.util.saveScene(str(path))
    scene.Clear(False)
    part.spin(0.1)
    ui.posteriorPlaneBox.value = 1
    slicer.util.loadScene(str(path))
    part.spin(0.1)
    part.idle()
    image, segmentation = map(scene.GetNodeByID, ids)
    assert ui.anteriorSelector.currentNode() is image and ui.posteriorSelector.currentNode() is image
    assert (ui.lungsRegionBox.currentData, ui.backgroundRegionBox.currentData) == (f"{ids[1]}|lungs", "")
    assert (ui.anteriorPlaneBox.value, ui.posteriorPlaneBox.value) == (1, 2) and ui.imagesShuntButton.enabled
    pick(ui.lungsRegionBox, f"{ids[1]}|liver")
    part.session.change(device="glass")
    part.idle()
    assert ui.lungsRegionBox.currentData == f"{ids[1]}|liver"
    pick(ui.lungsRegionBox, f"{ids[1]}|lungs")
    part.session.change(device="resin")
    part.idle()
    return image, segmentation


def _do_not_fit(part, image):
    """A view turned over is told, a plane that is not there and negative counts are refused."""
    slicer.util.arrayFromVolume(image)[1] = slicer.util.arrayFromVolume(image)[1, :, ::-1].copy()
    part.click(_PART, "imagesShuntButton")
    part.idle()
    assert "WARNING: The posterior image fits the anterior one better turned over" in _told(part)
    part.ui(_PART).mirroredBox.checked = False
    part.click(_PART, "imagesShuntButton")
    part.idle()
    assert _rows(part)["planar"][0] == f"{100.0 * 54.0 / 234.0:.2f}" and "turned over" not in _told(part)
    part.ui(_PART).mirroredBox.checked = True
    part.ui(_PART).posteriorPlaneBox.value = 3
    part.click(_PART, "imagesShuntButton")
    part.idle()
    assert "Failed: The posterior image has 2 planes, so none has the number 3" in _told(part)
    part.ui(_PART).posteriorPlaneBox.value = 2
    slicer.util.arrayFromVolume(image)[1, 0, 0] = -4.0
    slicer.util.arrayFromVolumeModified(image)
    part.click(_PART, "imagesShuntButton")
    part.idle()
    assert "no negative" in _told(part)


@pytest.mark.process
@pytest.mark.exhaustive
def test_spect_shunt_in_a_process_of_its_own_and_without_lungs(part):
    _by_spect(part)
    assert _rows(part)["SPECT/CT"][0] == "8.00"
    part.session.change(roles={key: role for key, role in part.parameters.roles.items() if key != "lungs"})
    part.idle()
    _by_spect(part)
    assert "needs structures.lungs" in _told(part)
