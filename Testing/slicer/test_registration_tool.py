"""Images registered from the panel: moved by a transform, chained, taken back, and what cannot be registered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import RegistrationFailed
from radioembolization.images import AffineTransform, Grid, Unit, Volume
from radioembolization.images.registration import Kind, Registration
from radioembolization.images.registration_quality import RegistrationQuality
from support import ellipsoid

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]

_TOOL = "RegistrationTool"
_GRID = Grid((24, 32, 36), (9.0, 8.0, 8.0), (-140.0, -124.0, -104.0))
#: Where the moving image has to go in LPS [mm]; a sign lost on the way to RAS would double x or y.
_SHIFT_LPS_MM = (12.0, -9.0, 20.0)
_QUALITY = RegistrationQuality(1.05, 1.2, 0.1, 0.8, 0.97, 1.6, 0.8, 2.0, 25.0, (1.0, 1.0, 1.0))
_DOUBT = "Registration uncertain: only 12% of the smaller body lies in the other image."


def _abdomen(grid=_GRID):
    """Return a CT without symmetry: body, liver, spleen, spine, gas."""
    hu = np.full(grid.shape, -1000.0, dtype=np.float32)
    for centre, semi, value in (
        ((0, 0, 0), (120, 90, 200), 20.0),
        ((-45, -10, 20), (52, 48, 55), 110.0),
        ((70, 20, 40), (20, 25, 35), 150.0),
        ((0, 60, 0), (18, 16, 300), 350.0),
        ((30, -45, 25), (26, 18, 20), -700.0),
    ):
        hu[ellipsoid(grid, centre, semi)] = value
    return Volume(hu, grid, Unit.HU)


def _publish(scene, volume, name):
    from RadioembolizationPlannerLib.publish import publish_volume

    return publish_volume(scene, volume, name)


def _under(scene, node, matrix_ras, name="by hand"):
    """Put a node under a transform."""
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.asarray(matrix_ras, dtype=float)))
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def _shift(x, y, z):
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def _to_world(node):
    from RadioembolizationPlannerLib.geometry import matrix_to_world

    return matrix_to_world(node)


def _choose(panel, fixed, moving):
    panel.spin()
    ui = panel.ui(_TOOL)
    ui.registrationToolButton.collapsed = False
    ui.fixedImageSelector.setCurrentNode(fixed)
    ui.movingImageSelector.setCurrentNode(moving)
    panel.spin()


def _also(panel, *names):
    """Check nodes in the list of what goes along."""
    import qt

    also = panel.ui(_TOOL).alsoMovedList
    offered = [also.item(row).text() for row in range(also.count)]
    assert set(names) <= set(offered), offered
    for row, name in enumerate(offered):
        also.item(row).setCheckState(qt.Qt.Checked if name in names else qt.Qt.Unchecked)


def _register(panel):
    panel.click(_TOOL, "registerButton")
    panel.idle()


@pytest.fixture
def found(monkeypatch):
    """Replaces the search by a known result; returns what was asked of it."""
    from RadioembolizationPlannerLib import tasks

    asked = []

    def register(request, progress):
        asked.append(request)
        progress("registration", 1, 4)
        matrix = _shift(*_SHIFT_LPS_MM)
        if request.kind is Kind.AFFINE:
            matrix[0, 1] = 0.1
        doubts = (_DOUBT,) if len(asked) == 2 else ()
        return tasks.Registered(Registration(AffineTransform(matrix), request.kind, _QUALITY, doubts))

    monkeypatch.setattr(tasks, "register", register)
    return asked


def test_a_shifted_image_is_brought_back_with_what_belongs_to_it(panel, scene):
    """The real search, in one go with masks and Dice; liver drawn in both images."""
    from radioembolization.treatment import SourceMask
    from RadioembolizationPlannerLib.new_segments import NewSegment, add_segments, new_segmentation

    moved = replace(_GRID, origin_mm=tuple(np.subtract(_GRID.origin_mm, _SHIFT_LPS_MM)))
    fixed = _publish(scene, _abdomen(), "planning CT")
    moving = _publish(scene, Volume(_abdomen().array, moved, Unit.HU), "CT of SPECT")
    spect = _publish(scene, Volume(np.ones(moved.shape, dtype=np.float32), moved, Unit.COUNTS), "SPECT")
    liver, livers = ellipsoid(_GRID, (-45, -10, 20), (52, 48, 55)), new_segmentation(scene, "livers")
    sources = (SourceMask(liver, _GRID), SourceMask(liver, moved))
    keys = add_segments(livers, [NewSegment("liver", source, (1, 0, 0)) for source in sources])
    panel.session.change(ct=fixed, scout=spect)
    _choose(panel, fixed, moving)
    ui = panel.ui(_TOOL)
    for box, key in ((ui.fixedRegionBox, keys[0]), (ui.movingRegionBox, keys[1])):
        box.setCurrentIndex(box.findData(f"{livers.GetID()}|{key}"))
    _also(panel, "SPECT")
    _register(panel)
    text = ui.registrationLabel.text
    assert "Moved by 'CT of SPECT to planning CT': CT of SPECT, SPECT." in text
    for node in (moving, spect):
        assert np.allclose(_to_world(node), _shift(-12.0, 9.0, 20.0), atol=1.0), _to_world(node)
        assert node.GetParentTransformNode().GetName() == "CT of SPECT to planning CT"
    assert fixed.GetParentTransformNode() is None and livers.GetParentTransformNode() is None
    before, after = (float(word) for word in text.split("Dice of the structures ")[1].split()[0:3:2])
    assert after > 0.97 and before < 0.75 and "come back within" in text


def test_the_images_of_the_case_are_proposed_and_the_plan_is_stale_afterwards(small, found):
    ui = small.ui(_TOOL)
    assert ui.fixedImageSelector.currentNode() is small.parameters.ct
    assert ui.movingImageSelector.currentNode() is small.parameters.scout
    small.click("Plan", "dosesButton")
    small.idle()
    assert small.session.why_no_doses() == ""
    _register(small)
    (request,) = found
    assert (request.fixed.unit, request.moving.unit) == (Unit.HU, Unit.COUNTS)
    assert request.fixed_region is None and request.kind is Kind.RIGID
    assert "scout image has changed" in small.session.why_no_doses()
    assert np.allclose(_to_world(small.parameters.scout), _shift(-12.0, 9.0, 20.0))
    small.click(_TOOL, "takeBackButton")
    small.idle()
    assert small.parameters.scout.GetParentTransformNode() is None and small.session.why_no_doses() == ""
    assert ui.registrationLabel.text == "Taken back: SPECT." and not ui.takeBackButton.enabled


def test_registered_again_transforms_are_chained_numbered_and_taken_back_one_by_one(panel, scene, found):
    fixed, moving = _publish(scene, _abdomen(), "CT"), _publish(scene, _abdomen(), "SPECT")
    turn = np.array([[0.0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])
    by_hand = _under(scene, moving, turn)
    voxels = moving.GetImageData()
    _choose(panel, fixed, moving)
    _register(panel)
    once = _shift(-12.0, 9.0, 20.0) @ turn
    assert np.allclose(_to_world(moving), once)
    _register(panel)
    assert "WARNING: Registration uncertain: only 12%" in panel.ui(_TOOL).registrationLabel.text
    assert np.allclose(_to_world(moving), _shift(-12.0, 9.0, 20.0) @ once)
    transforms = [moving.GetParentTransformNode().GetName()]
    panel.click(_TOOL, "takeBackButton")
    transforms.append(moving.GetParentTransformNode().GetName())
    assert transforms == ["SPECT to CT_1", "SPECT to CT"] and np.allclose(_to_world(moving), once)
    panel.click(_TOOL, "takeBackButton")
    assert moving.GetParentTransformNode() is by_hand and np.allclose(_to_world(moving), turn)
    assert moving.GetImageData() is voxels and np.allclose(
        _to_world(by_hand.GetScene().GetNodeByID(by_hand.GetID())), np.eye(4)
    )
    assert not panel.ui(_TOOL).takeBackButton.enabled


def test_a_saved_scene_keeps_the_transform_and_can_take_it_back(panel, scene, found, tmp_path):
    fixed, moving = _publish(scene, _abdomen(), "CT"), _publish(scene, _abdomen(), "SPECT")
    _under(scene, moving, _shift(1.0, 2.0, 3.0))
    _choose(panel, fixed, moving)
    _register(panel)
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear(False)
    slicer.util.loadScene(path)
    panel.spin(0.1)
    loaded = slicer.util.getNode("SPECT")
    assert np.allclose(_to_world(loaded), _shift(-11.0, 11.0, 23.0))
    assert "mutual information" in loaded.GetParentTransformNode().GetDescription()
    panel.click(_TOOL, "takeBackButton")
    assert np.allclose(_to_world(loaded), _shift(1.0, 2.0, 3.0))


def test_images_without_contrast_or_choice_are_refused_with_the_reason(panel, scene):
    ui = panel.ui(_TOOL)
    assert not ui.registerButton.enabled and "Choose the fixed image" in ui.registerButton.toolTip
    fixed = _publish(scene, _abdomen(), "CT")
    flat = _publish(scene, Volume(np.full(_GRID.shape, 7.0, dtype=np.float32), _GRID, Unit.COUNTS), "flat")
    _choose(panel, fixed, None)
    assert "Choose the moving image" in ui.registerButton.toolTip and not ui.overlayButton.enabled
    _choose(panel, fixed, fixed)
    assert "two different images" in ui.registerButton.toolTip
    _choose(panel, fixed, flat)
    _register(panel)
    assert ui.registrationLabel.text.startswith("Failed: The moving image is constant")
    assert flat.GetParentTransformNode() is None and not ui.takeBackButton.enabled
    new_liver_elsewhere(scene)
    panel.sections[f"{_TOOL}Section"].enter()
    ui.movingRegionBox.setCurrentIndex(ui.movingRegionBox.findText("far away: liver"))
    _register(panel)
    assert (
        "Failed: 'liver'" in ui.registrationLabel.text
        and "has no voxels on the other grid" in ui.registrationLabel.text
    )


def new_liver_elsewhere(scene):
    """Return a segmentation whose liver lies a metre from the images."""
    from radioembolization.treatment import SourceMask
    from RadioembolizationPlannerLib.new_segments import NewSegment, add_segments, new_segmentation

    node, grid = new_segmentation(scene, "far away"), Grid((8, 8, 8), (5.0, 5.0, 5.0), (1000.0, 0.0, 0.0))
    add_segments(node, [NewSegment("liver", SourceMask(np.ones(grid.shape, dtype=bool), grid), (1, 0, 0))])
    return node


def test_a_failed_search_and_one_overtaken_by_events_move_nothing(small, scene, monkeypatch):
    from RadioembolizationPlannerLib import tasks

    def fail(request, progress):
        raise RegistrationFailed("No usable alignment was found: it turns the image by 80 degrees.")

    scout, text = small.parameters.scout, lambda: small.ui(_TOOL).registrationLabel.text
    monkeypatch.setattr(tasks, "register", fail)
    _register(small)
    assert text().startswith("Failed: No usable alignment") and scout.GetParentTransformNode() is None
    result = tasks.Registered(Registration(AffineTransform(_shift(*_SHIFT_LPS_MM)), Kind.RIGID, _QUALITY))
    monkeypatch.setattr(tasks, "register", lambda request, progress: result)
    small.ui(_TOOL).registerButton.click()  # the task runs when the event loop next comes round
    by_hand = _under(scene, scout, _shift(1.0, 0.0, 0.0))
    small.idle()
    assert "moved meanwhile" in text() and scout.GetParentTransformNode() is by_hand
    small.ui(_TOOL).registerButton.click()
    scene.RemoveNode(scout)
    small.idle()
    assert "deleted meanwhile" in text() and not small.ui(_TOOL).takeBackButton.enabled


def test_an_affine_transform_of_the_scout_says_that_the_case_needs_it_resampled(small, found):
    from hands import pick

    pick(small.ui(_TOOL).registrationKindBox, "affine")
    _register(small)
    text = small.ui(_TOOL).registrationLabel.text
    assert "Affine, by" in text and "WARNING: Volume 'SPECT': The axes" in text
    small.click(_TOOL, "takeBackButton")
    assert "Volume 'SPECT'" not in small.session.problem


@pytest.mark.process
def test_cancelled_nothing_is_moved(small):
    small.click(_TOOL, "registerButton")
    ui = small.ui(_TOOL)
    assert ui.cancelRegistrationButton.enabled and ui.registerButton.toolTip == "A calculation is running."
    small.click(_TOOL, "cancelRegistrationButton")
    small.idle(20.0)
    assert ui.registrationLabel.text == "Cancelled. Nothing was changed."
    assert small.parameters.scout.GetParentTransformNode() is None and ui.registerButton.enabled


def test_what_shows_plans_and_what_is_hidden_does_not_go_along(small, scene):
    small.click("Plan", "dosesButton")
    small.idle()
    small.session.keep_activities("by hand")
    small.sections[f"{_TOOL}Section"].enter()
    also = small.ui(_TOOL).alsoMovedList
    assert {also.item(row).text() for row in range(also.count)} == {"Segmentation"} | _points(small)
    small.session.change(ct=None)  # the scout stays where it is then
    small.spin()
    assert small.ui(_TOOL).fixedImageSelector.currentNode() is small.parameters.scout
    assert small.ui(_TOOL).movingImageSelector.currentNode() is None
    small.ui(_TOOL).fixedImageSelector.setCurrentNode(None)
    assert "SPECT" in {also.item(row).text() for row in range(also.count)}


def _points(panel):
    points = panel.parameters.site_points
    return set() if points is None else {points.GetName()}


def test_the_overlay_shows_both_images_and_follows_the_slider(small, scene):
    composites = [scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode") for _ in range(2)]
    small.click(_TOOL, "overlayButton")
    small.ui(_TOOL).overlaySlider.value = 80.0
    for composite in composites:
        assert composite.GetBackgroundVolumeID() == small.parameters.ct.GetID()
        assert composite.GetForegroundVolumeID() == small.parameters.scout.GetID()
        assert composite.GetForegroundOpacity() == pytest.approx(0.8)
    composites[0].SetForegroundVolumeID(small.parameters.ct.GetID())  # something else is shown there now
    small.ui(_TOOL).overlaySlider.value = 20.0
    assert [round(c.GetForegroundOpacity(), 3) for c in composites] == [0.8, 0.2]
