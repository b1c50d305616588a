"""Changed inputs make a plan stale in the panel, by themselves; undone changes do not."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.structures import DEFAULT_LIVER_DENSITY

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]


def test_approved_changed_revoked_undone(small):
    plan = small.optimize()
    results = small.ui("Results")
    results.approverEdit.text = "A. Physicist"
    small.click("Results", "approveButton")
    assert "Approved by A. Physicist" in results.stateLabel.text
    small.ui("Case").densityBox.value = 1.0
    small.idle()
    state = results.stateLabel.text
    assert "OUT OF DATE: device and dose settings has changed" in state and "revoked" in state
    assert not results.approveButton.enabled and not small.ui("Plan").keepButton.enabled
    assert "Compute the doses again" in small.ui("Plan").keepButton.toolTip
    small.ui("Case").densityBox.value = DEFAULT_LIVER_DENSITY
    small.idle()
    assert "OUT OF DATE" not in results.stateLabel.text and "Approved" not in results.stateLabel.text
    assert "revoked" in results.stateLabel.text
    assert results.approveButton.enabled and small.ui("Plan").keepButton.enabled
    assert plan is small.parameters.shown_plan


def test_an_edited_image_and_a_moved_segmentation_are_noticed_by_themselves(small, scene):
    """Half a second after the last change, without any button."""
    small.optimize()
    scout = small.parameters.scout
    voxels = slicer.util.arrayFromVolume(scout)
    voxels *= 2.0
    slicer.util.arrayFromVolumeModified(scout)
    state = small.ui("Results").stateLabel
    small.until(lambda: "OUT OF DATE: scout image has changed" in state.text, 10.0)
    voxels /= 2.0
    slicer.util.arrayFromVolumeModified(scout)
    small.until(lambda: "OUT OF DATE" not in state.text, 10.0)
    _move_segmentation(small, scene, state)


def _move_segmentation(small, scene, state):
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    small.parameters.segmentation.SetAndObserveTransformNodeID(transform.GetID())
    small.spin(1.0)
    assert "OUT OF DATE" not in state.text  # it has not moved yet
    matrix = np.eye(4)
    matrix[0, 3] = 8.0
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    small.until(lambda: "structure 'liver' has changed" in state.text, 10.0)
    small.parameters.segmentation.SetAndObserveTransformNodeID(None)
    small.until(lambda: "OUT OF DATE" not in state.text, 10.0)
