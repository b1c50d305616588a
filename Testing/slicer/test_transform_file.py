"""A transform file, loaded by Slicer and applied to the moving volume, brings it where the core puts it."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.files import read_transform, write_transform
from radioembolization.images import AffineTransform, Grid, Unit, Volume
from registration_trials import about
from support import rotation

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402

from RadioembolizationPlannerLib.publish import publish_volume  # noqa: E402

pytestmark = pytest.mark.slicer

GRID = Grid((4, 5, 6), (5.0, 2.0, 1.5), (-5.0, 7.0, 40.0))
TURN = about(np.array([5.0, -7.0, 11.0]), rotation((1.0, 2.0, 3.0), 12.0), np.array([3.0, -4.0, 25.0]))
AFFINE = TURN.after(AffineTransform(np.array([[1.1, 0.05, 0, 0], [0, 0.9, 0, 0], [0, 0, 1.05, 2], [0, 0, 0, 1.0]])))
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def _storage(scene, path):
    storage = scene.AddNewNodeByClass("vtkMRMLTransformStorageNode")
    storage.SetFileName(str(path))
    return storage


def _loaded(scene, path):
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "moving to fixed")
    assert _storage(scene, path).ReadData(node)
    return node


@pytest.mark.parametrize("ending", [".tfm", ".h5", ".txt"])
@pytest.mark.parametrize("transform", [TURN, AFFINE], ids=["rigid", "affine"])
def test_slicer_moves_the_moving_volume_to_the_fixed_one(scene, tmp_path, transform, ending):
    write_transform(transform, tmp_path / f"t{ending}")
    node = _loaded(scene, tmp_path / f"t{ending}")
    volume = publish_volume(scene, Volume(np.zeros(GRID.shape), GRID, Unit.HU), "moving")
    volume.SetAndObserveTransformNodeID(node.GetID())
    to_world = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(volume.GetParentTransformNode(), None, to_world)
    ijk_to_ras = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(ijk_to_ras)
    for index in ((0, 0, 0), (3, 4, 5), (1, 2, 0)):
        ras = np.array(ijk_to_ras.MultiplyPoint((*index[::-1], 1.0)))[:3]
        world_lps = np.array(to_world.TransformPoint(ras)) * (-1.0, -1.0, 1.0)
        np.testing.assert_allclose(world_lps, transform.points(GRID.to_lps(np.array(index))), atol=1e-4)


def test_a_transform_saved_by_slicer_is_read_in_the_same_direction(scene, tmp_path):
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "by hand")
    to_parent = vtk.vtkMatrix4x4()
    ras = LPS_TO_RAS @ TURN.matrix @ LPS_TO_RAS
    for row, column in np.ndindex(4, 4):
        to_parent.SetElement(row, column, ras[row, column])
    node.SetMatrixTransformToParent(to_parent)
    for ending in (".tfm", ".h5"):
        assert _storage(scene, tmp_path / f"saved{ending}").WriteData(node)
        np.testing.assert_allclose(read_transform(tmp_path / f"saved{ending}").matrix, TURN.matrix, atol=1e-9)
