"""Tumors by a threshold: the preview follows and leaves nothing behind, what is added are numbered tumors."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless
from hands import pick

from radioembolization.structures import Role
from radioembolization.structures.terminology import TUMOUR
from radioembolization.treatment.fingerprint import input_digests
from small_case import SCOUT_GRID

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]

_TOOL = "ThresholdTool"
_AFTER_S = 0.05


@pytest.fixture
def tool(small):
    """The small case with the part of the threshold opened and its preview shown, which follows at once."""
    small.sections["ThresholdToolSection"]._later.setInterval(0)
    small.ui(_TOOL).thresholdToolButton.collapsed = False
    _settle(small)
    return small


def _settle(panel):
    panel.spin(_AFTER_S)
    panel.until(lambda: not panel.sections["ThresholdToolSection"]._later.active, 10.0)


def _preview(panel):
    return panel.sections["ThresholdToolSection"].desk.preview


def _volumes_ml(node):
    """Return the volume of each segment by its name."""
    from RadioembolizationPlannerLib.segments import mask_from_segment

    segments = node.GetSegmentation()
    sources = {segments.GetSegment(k).GetName(): mask_from_segment(node, k) for k in segments.GetSegmentIDs()}
    return {name: np.count_nonzero(source.mask) * source.grid.voxel_ml for name, source in sources.items()}


def test_nothing_is_looked_for_until_the_part_is_opened(small):
    small.spin(0.3)
    ui = small.ui(_TOOL)
    assert _preview(small) is None and ui.thresholdToolButton.collapsed
    assert ui.thresholdImageSelector.currentNode() is small.parameters.scout


def test_the_preview_follows_the_number_and_is_no_part_of_the_case(tool, scene, tmp_path):
    node = _preview(tool)
    assert node is not None and set(_volumes_ml(node)) == {"tumor 1", "tumor 2", "tumor 3"}
    assert tool.ui(_TOOL).thresholdLabel.text.startswith(
        "Hot regions: 3, together 22.1 mL; the largest 11.6 mL, above 164 (41% of"
    )
    tool.ui(_TOOL).thresholdSlider.value = 20.0  # of A and B, this is below the liver around them
    _settle(tool)
    assert _preview(tool) is node and set(_volumes_ml(node)) == {"tumor 1"}
    _a_sharp_image_gives_the_volumes_of_its_tumors(tool)
    _the_preview_is_no_part_of_the_case(tool, scene, tmp_path)


def _a_sharp_image_gives_the_volumes_of_its_tumors(tool):
    """Half way between lesion and background, the voxels of the three balls are found, no more and no fewer."""
    pick(tool.ui(_TOOL).thresholdMethodBox, "adaptive")
    assert tool.ui(_TOOL).thresholdSlider.value == 50.0 and tool.ui(_TOOL).thresholdSlider.suffix == " %"
    _settle(tool)
    scout = slicer.util.arrayFromVolume(tool.parameters.scout)
    expected = sorted(np.count_nonzero(scout == counts) * SCOUT_GRID.voxel_ml for counts in (250.0, 400.0, 600.0))
    assert sorted(_volumes_ml(_preview(tool)).values()) == pytest.approx(expected)


def _the_preview_is_no_part_of_the_case(tool, scene, tmp_path):
    digests = input_digests(tool.session.inputs())
    parameters = tool.parameters
    tool.ui(_TOOL).thresholdSlider.value = 70.0
    _settle(tool)
    assert input_digests(tool.session.inputs()) == digests and tool.parameters == parameters
    node = _preview(tool)
    assert node.GetHideFromEditors() and not node.GetSaveWithScene()
    selector = tool.ui("Structures").segmentationSelector
    assert node not in [selector.nodeFromIndex(i) for i in range(selector.nodeCount())]
    path = tmp_path / "case.mrml"
    scene.SetURL(str(path))
    scene.Commit(str(path))
    assert "threshold preview" not in path.read_text(encoding="utf-8")


def test_the_preview_vanishes_on_leaving(tool, scene):
    count = scene.GetNumberOfNodes()
    assert _preview(tool) is not None
    tool.widget.exit()
    assert _preview(tool) is None and scene.GetNumberOfNodes() < count
    tool.spin(_AFTER_S)
    assert _preview(tool) is None
    tool.widget.enter()
    _settle(tool)
    assert _preview(tool) is not None  # as it was left
    tool.ui(_TOOL).thresholdToolButton.collapsed = True
    assert _preview(tool) is None and tool.ui(_TOOL).thresholdLabel.text == ""
    tool.ui(_TOOL).thresholdToolButton.collapsed = False
    _settle(tool)
    ui = tool.ui(_TOOL)
    ui.previewBox.checked = False
    assert _preview(tool) is None
    ui.previewBox.checked = True
    _settle(tool)
    assert _preview(tool) is not None
    ui.thresholdImageSelector.setCurrentNode(None)
    assert _preview(tool) is None
    assert not ui.addTumorsButton.enabled and "Choose a SPECT or PET" in ui.addTumorsButton.toolTip


def test_a_closed_panel_leaves_no_preview(tool, scene):
    node_id = _preview(tool).GetID()
    tool.widget.cleanup()
    assert scene.GetNodeByID(node_id) is None


def test_a_closed_scene_takes_the_preview_along(tool, scene):
    scene.Clear(False)
    tool.spin(_AFTER_S)
    assert _preview(tool) is None
    assert not [n for n in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if "preview" in n.GetName()]


def test_what_is_added_are_numbered_tumors_with_codes(tool, scene):
    before = set(tool.parameters.segmentation.GetSegmentation().GetSegmentIDs())
    roles = dict(tool.parameters.roles)
    for first in (1, 4):
        tool.click(_TOOL, "addTumorsButton")
        tool.idle()
        assert _preview(tool) is None
        segments = tool.parameters.segmentation.GetSegmentation()
        new = [key for key in segments.GetSegmentIDs() if key not in before]
        names = [segments.GetSegment(key).GetName() for key in new]
        assert names == [f"tumor {first + i}" for i in range(3)]
        assert all(segments.GetSegment(key).GetTerminology() == TUMOUR.slicer_text for key in new)
        assert all(tool.parameters.roles[key] is Role.TUMOUR for key in new)
        before |= set(new)
    assert {key: tool.parameters.roles[key] for key in roles} == roles
    assert "Added to 'Segmentation'" in tool.ui(_TOOL).thresholdLabel.text


def test_outside_the_liver_is_searched_only_when_asked_or_when_there_is_none(tool):
    """The scout has something hot above the liver, at a fixed value below that of the liver."""
    ui = tool.ui(_TOOL)
    counts = slicer.util.arrayFromVolume(tool.parameters.scout)
    counts[counts == 40.0] = 500.0
    slicer.util.arrayFromVolumeModified(tool.parameters.scout)
    pick(ui.thresholdMethodBox, "fixed")
    assert ui.thresholdSlider.maximum == pytest.approx(600.0) and ui.thresholdSlider.value == pytest.approx(300.0)
    _settle(tool)
    assert len(_volumes_ml(_preview(tool))) == 2  # 400 and 600
    ui.withinLiverBox.checked = False
    _settle(tool)
    assert len(_volumes_ml(_preview(tool))) == 3
    ui.withinLiverBox.checked = True
    roles = {key: role for key, role in tool.parameters.roles.items() if role is not Role.LIVER}
    tool.session.change(roles=roles)
    _settle(tool)
    assert not ui.withinLiverBox.enabled and len(_volumes_ml(_preview(tool))) == 3


def test_small_regions_are_left_out_and_some_methods_have_no_number(tool):
    tool.ui(_TOOL).minimumVolumeBox.value = 8.0  # A is 11 mL, B 7 mL, C 3 mL
    _settle(tool)
    assert len(_volumes_ml(_preview(tool))) == 1
    assert "2 hot regions below 8 mL" in tool.ui(_TOOL).thresholdLabel.text
    for method in ("size", "gradient"):
        pick(tool.ui(_TOOL).thresholdMethodBox, method)
        _settle(tool)
        assert not tool.ui(_TOOL).thresholdSlider.enabled and _volumes_ml(_preview(tool))


def test_an_image_that_cannot_be_searched_says_why_and_the_choice_stays_that_of_the_user(tool, scene):
    ui = tool.ui(_TOOL)
    ui.thresholdImageSelector.setCurrentNode(tool.parameters.ct)  # -100 HU is no count
    _settle(tool)
    assert _preview(tool) is None and "negative" in ui.thresholdLabel.text
    tool.click(_TOOL, "addTumorsButton")
    assert tool.session.status.failed and "negative" in tool.session.status.text
    pet = slicer.modules.volumes.logic().CloneVolume(scene, tool.parameters.scout, "PET")
    tool.spin()
    tool.ui(_TOOL).thresholdImageSelector.setCurrentNode(pet)
    tool.session.change(scout=None)
    _settle(tool)
    assert tool.ui(_TOOL).thresholdImageSelector.currentNode() is pet
