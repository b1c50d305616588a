"""Placement: MRML counts in RAS, the core in LPS; no voxel may move between them."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import ImageError
from radioembolization.images import Grid, Unit, Volume
from support import as_direction, rotation

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402

from RadioembolizationPlannerLib.publish import publish_volume  # noqa: E402
from RadioembolizationPlannerLib.scene import volume_from_node  # noqa: E402

pytestmark = pytest.mark.slicer

# Oblique, z flipped, a different spacing and size along every axis: nothing can be swapped unseen.
_TURNED = rotation((1.0, 2.0, 0.5), 25.0) @ np.diag([1.0, 1.0, -1.0])
OBLIQUE = Grid((3, 4, 5), (4.0, 2.5, 1.5), (-31.0, 17.0, 95.0), as_direction(_TURNED))


def _numbered(grid: Grid) -> Volume:
    return Volume(np.arange(grid.voxels, dtype=np.float32).reshape(grid.shape), grid, Unit.COUNTS)


def _ras_of_index(node: object, index_xyz: tuple[int, int, int]) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.array(matrix.MultiplyPoint((*index_xyz, 1.0)))[:3]


def test_a_published_voxel_keeps_its_place_with_x_and_y_negated(scene):
    node = publish_volume(scene, _numbered(OBLIQUE), "oblique")
    left, back, up = OBLIQUE.to_lps(np.array([2, 1, 4]))
    assert _ras_of_index(node, (4, 1, 2)) == pytest.approx([-left, -back, up], abs=1e-9)
    assert slicer.util.arrayFromVolume(node)[2, 1, 4] == 2 * 20 + 1 * 5 + 4


def test_an_oblique_flipped_volume_survives_the_scene(scene):
    volume = _numbered(OBLIQUE)
    again = volume_from_node(publish_volume(scene, volume, "oblique"), Unit.COUNTS)
    assert again.grid.shape == OBLIQUE.shape
    assert again.grid.spacing_mm == pytest.approx(OBLIQUE.spacing_mm, rel=1e-12)
    assert again.grid.origin_mm == pytest.approx(OBLIQUE.origin_mm, abs=1e-9)
    assert again.grid.direction == pytest.approx(OBLIQUE.direction, abs=1e-12)
    assert np.array_equal(again.array, volume.array)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int16, np.int64, np.float64])
def test_voxel_values_of_any_type_survive_the_scene(scene, dtype):
    array = (np.arange(OBLIQUE.voxels).reshape(OBLIQUE.shape) % 2).astype(dtype)
    again = volume_from_node(publish_volume(scene, Volume(array, OBLIQUE, Unit.LABEL), "values"), Unit.LABEL)
    assert np.array_equal(again.array, array)


def test_a_linear_transform_moves_the_volume_but_not_its_node(scene):
    node = publish_volume(scene, _numbered(OBLIQUE), "moved")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    to_world = np.eye(4)
    to_world[:3, :3], to_world[:3, 3] = rotation((0.0, 0.0, 1.0), 90.0), (10.0, 20.0, 30.0)
    slicer.util.updateTransformMatrixFromArray(transform, to_world)
    node.SetAndObserveTransformNodeID(transform.GetID())

    x, y, z = _ras_of_index(node, (4, 1, 2))
    # A quarter turn about the vertical axis in RAS takes (x, y) to (-y, x); then LPS negates both.
    expected = -(-y + 10.0), -(x + 20.0), z + 30.0
    moved = volume_from_node(node, Unit.COUNTS).grid.to_lps(np.array([2, 1, 4]))
    assert moved == pytest.approx(expected, abs=1e-9)
    assert node.GetParentTransformNode() is transform


def test_a_non_linear_transform_is_refused_with_both_names(scene):
    node = publish_volume(scene, _numbered(OBLIQUE), "scout")
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode", "breathing")
    spline = vtk.vtkThinPlateSplineTransform()
    for setter, shift in ((spline.SetSourceLandmarks, 0.0), (spline.SetTargetLandmarks, 5.0)):
        points = vtk.vtkPoints()
        for corner in ((0, 0, 0), (50, 0, 0), (0, 50, 0), (0, 0, 50), (20, 20, 20 + shift)):
            points.InsertNextPoint(corner)
        setter(points)
    transform.SetAndObserveTransformToParent(spline)
    node.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(ImageError, match="'scout' is under the non-linear transform 'breathing'"):
        volume_from_node(node, Unit.COUNTS)


def test_a_volume_without_voxels_is_refused(scene):
    with pytest.raises(ImageError, match="'nothing' has no voxels"):
        volume_from_node(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing"), Unit.COUNTS)
