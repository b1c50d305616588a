"""Centreline models and curves as 3D Slicer itself saves them: positions are those of the scene."""

import numpy as np
import pytest

from radioembolization.files import read_arteries
from radioembolization.files.centreline_polydata import polylines_of, vessels_from_polydata
from radioembolization.territories.vessels.linking import link_vessels
from vessel_shapes import line, polydata

pytestmark = pytest.mark.slicer
POINTS_RAS = line((-10, 20, 0), (-10, 20, 30), (-40, 30, 60))
POINTS_LPS = POINTS_RAS * (-1, -1, 1)


@pytest.mark.parametrize("ending", [".vtk", ".vtp"])
@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_a_model_saved_by_slicer(scene, tmp_path, ending, system):
    import slicer

    model = scene.AddNewNodeByClass("vtkMRMLModelNode", "Centerline model")
    model.SetAndObserveMesh(polydata([POINTS_RAS], [2.0]))
    storage = slicer.vtkMRMLModelStorageNode()
    storage.SetCoordinateSystem(getattr(slicer.vtkMRMLStorageNode, f"CoordinateSystem{system}"))
    storage.SetFileName(str(tmp_path / f"hepatic artery{ending}"))
    assert storage.WriteData(model)
    tree = read_arteries(tmp_path / f"hepatic artery{ending}", root=POINTS_LPS[0])
    np.testing.assert_allclose(tree.root.points_lps_mm, POINTS_LPS, atol=1e-5)
    assert set(tree.root.radius_mm) == {2.0}


def test_the_lines_of_a_model_in_the_scene(scene):
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", "Centerline model")
    model.SetAndObserveMesh(polydata([POINTS_RAS], [2.0]))
    tree = link_vessels(
        vessels_from_polydata(polylines_of(model.GetPolyData(), ras=True), name="a"), root=POINTS_LPS[0]
    )
    np.testing.assert_allclose(tree.root.points_lps_mm, POINTS_LPS)


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_a_curve_saved_by_slicer_with_the_radii_of_the_vmtk_extension(scene, tmp_path, system):
    import slicer
    import vtk

    curve = scene.AddNewNodeByClass("vtkMRMLMarkupsCurveNode", "Centerline curve (0)")
    radius = vtk.vtkDoubleArray()
    radius.SetName("Radius")
    for number, point in enumerate(POINTS_RAS):
        curve.AddControlPoint(vtk.vtkVector3d(*point))
        radius.InsertNextValue(3.0 - 0.02 * number)
    measurement = slicer.vtkMRMLStaticMeasurement()
    measurement.SetName("Radius")
    measurement.SetUnits("mm")
    measurement.SetControlPointValues(radius)
    curve.AddMeasurement(measurement)
    storage = slicer.vtkMRMLMarkupsJsonStorageNode()
    scene.AddNode(storage)
    storage.SetCoordinateSystem(getattr(slicer.vtkMRMLStorageNode, f"CoordinateSystem{system}"))
    storage.SetFileName(str(tmp_path / "hepatic artery.mrk.json"))
    assert storage.WriteData(curve)
    tree = read_arteries(tmp_path / "hepatic artery.mrk.json")
    np.testing.assert_allclose(tree.root.points_lps_mm, POINTS_LPS, atol=1e-5)
    np.testing.assert_allclose(tree.root.radius_mm, 3.0 - 0.02 * np.arange(len(POINTS_LPS)))
    assert tree.names == ("hepatic artery",)
