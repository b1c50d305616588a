"""Slicer's own reader, which SlicerRT uses too, finds the exported dose where it belongs."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.files import write_rtdose
from radioembolization.images import Grid, Unit, Volume
from support import as_direction, positions, rotation

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402
from vtk.util.numpy_support import vtk_to_numpy  # noqa: E402

pytestmark = pytest.mark.slicer


@pytest.mark.parametrize("turn", [np.eye(3), -np.eye(3), rotation((3, 1, 2), 40.0) * [1.0, 1.0, -1.0]])
def test_bright_voxel_is_at_its_place_after_reading_and_scaling(scene, tmp_path, turn):
    import pydicom

    grid = Grid((4, 5, 6), (3.0, 2.0, 1.5), (10.0, -20.0, 30.0), as_direction(turn))
    array = np.full(grid.shape, 10.0)
    array[3, 1, 4] = 250.0
    path = tmp_path / "dose.dcm"
    write_rtdose(Volume(array, grid, Unit.GY), path, reference=None, plan_label="plan A")

    node = slicer.vtkMRMLScalarVolumeNode()
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    storage.ResetFileNameList()
    storage.SetSingleFile(1)
    assert storage.ReadData(node)
    scene.AddNode(node)

    image = node.GetImageData()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    index = np.unravel_index(int(pixels.argmax()), pixels.shape)
    scaling = float(pydicom.dcmread(path).DoseGridScaling)
    assert pixels.max() * scaling == pytest.approx(250.0, rel=1e-9)
    to_ras = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(to_ras)
    ras = to_ras.MultiplyPoint((*[float(i) for i in index[::-1]], 1.0))[:3]
    left, back, head = positions(grid)[3, 1, 4]
    np.testing.assert_allclose(ras, [-left, -back, head], atol=1e-6)
