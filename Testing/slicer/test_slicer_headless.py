"""The headless application saves and loads with the real nodes, and modules find what Slicer gives them."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402

pytestmark = pytest.mark.slicer


@pytest.fixture
def standins(scene):
    import slicer_module_standins

    slicer_module_standins.install()
    return slicer_module_standins


def _volume() -> object:
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 0, -2.0)
    matrix.SetElement(1, 1, -1.0)  # right-handed: the reader turns a left-handed image over
    matrix.SetElement(2, 3, 30.0)
    return slicer.util.addVolumeFromArray(np.arange(24.0).reshape(2, 3, 4), ijkToRAS=matrix, name="Dose")


def _segmentation(scene, reference) -> object:
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Anatomy")
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    node.GetSegmentation().AddEmptySegment("liver", "Liver")
    mask = np.zeros((2, 3, 4), dtype=np.uint8)
    mask[1, 1:, 2] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "liver", reference)
    return node


def test_a_scene_comes_back_from_a_bundle(scene, standins, tmp_path):
    class PlannerLogic(standins.ScriptedLoadableModuleLogic):
        pass

    volume = _volume()
    segmentation = _segmentation(scene, volume)
    parameters = PlannerLogic().getParameterNode()
    parameters.SetParameter("device", "resin")
    parameters.SetNodeReferenceID("dose", volume.GetID())
    values, mask = slicer.util.arrayFromVolume(volume).copy(), _mask(segmentation, volume)
    path = str(tmp_path / "plan.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear(False)
    slicer.util.loadScene(path)
    loaded, parameters = slicer.util.getNode("Dose"), PlannerLogic().getParameterNode()
    assert np.array_equal(slicer.util.arrayFromVolume(loaded), values)
    assert loaded.GetOrigin()[2] == 30.0 and loaded.GetSpacing()[0] == 2.0
    assert np.array_equal(_mask(slicer.util.getNode("Anatomy"), loaded), mask)
    assert parameters.GetParameter("device") == "resin" and parameters.GetNodeReference("dose") is loaded


def _mask(segmentation, volume) -> np.ndarray:
    return slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "liver", volume).copy()


def test_a_scene_file_refers_to_the_saved_nodes(scene, tmp_path):
    node = scene.AddNewNodeByClass("vtkMRMLTextNode", "Notices")
    node.SetText("none")
    node.SetForceCreateStorageNode(node.CreateStorageNodeAlways)  # a short text is kept in the scene file
    assert slicer.util.saveNode(node, str(tmp_path / "notices.txt"))
    assert slicer.util.saveScene(str(tmp_path / "plan.mrml"))
    slicer.util.loadScene(str(tmp_path / "plan.mrml"), properties={"clear": True})
    assert slicer.util.getNode("Notices").GetText() == "none"
    assert slicer.util.loadText(str(tmp_path / "notices.txt")).GetText() == "none"


def test_nodes_come_back_from_files(scene, tmp_path):
    volume = _volume()
    points = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Sites")
    points.AddControlPoint(vtk.vtkVector3d(1.0, 2.0, 3.0), "left")
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", "Limits")
    column = vtk.vtkStringArray()
    column.SetName("Limit")
    column.InsertNextValue("lungs")
    table.AddColumn(column)
    colors = scene.AddNewNodeByClass("vtkMRMLColorTableNode", "Doses")
    colors.SetTypeToUser()
    colors.SetNumberOfColors(2)
    colors.SetColor(1, "high", 1.0, 0.0, 0.0, 1.0)
    sphere = vtk.vtkSphereSource()
    sphere.Update()
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", "Isodose")
    model.SetAndObservePolyData(sphere.GetOutput())
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Registration")
    nodes = {
        "Dose.nrrd": (volume, slicer.util.loadVolume),
        "Anatomy.seg.nrrd": (_segmentation(scene, volume), slicer.util.loadSegmentation),
        "Sites.mrk.json": (points, slicer.util.loadMarkups),
        "Limits.tsv": (table, slicer.util.loadTable),
        "Doses.ctbl": (colors, slicer.util.loadColorTable),
        "Isodose.vtk": (model, slicer.util.loadModel),
        "Registration.h5": (transform, slicer.util.loadTransform),
    }
    for name, (node, load) in nodes.items():
        assert slicer.util.saveNode(node, str(tmp_path / name)), name
        loaded = load(str(tmp_path / name))
        assert loaded is not node and loaded.GetClassName() == node.GetClassName()


def test_a_file_that_is_not_there_is_named(scene, tmp_path):
    with pytest.raises(RuntimeError, match=r"absent\.nrrd"):
        slicer.util.loadVolume(str(tmp_path / "absent.nrrd"))


def test_the_application_is_that_of_a_test_without_windows(scene):
    app = slicer.app
    assert app.testingEnabled() and app.layoutManager() is None and (app.majorVersion, app.minorVersion) >= (5, 12)
    assert slicer.modules.plots.logic().IsA("vtkSlicerPlotsLogic") and slicer.modules.colors.logic()
    app.processEvents()
    seen = []
    app.connect("aboutToQuit()", lambda: seen.append("quit"))
    app.emit("aboutToQuit()")
    assert seen == ["quit"]
    with pytest.raises(KeyError):
        app.connect("quitting()", print)


def test_a_module_has_one_parameter_node_even_after_the_scene_was_closed(scene, standins):
    class PlannerLogic(standins.ScriptedLoadableModuleLogic):
        pass

    node = PlannerLogic().getParameterNode()
    assert (node.GetName(), node.GetAttribute("ModuleName")) == ("Planner", "Planner")
    assert PlannerLogic().getParameterNode() is node and PlannerLogic().getAllParameterNodes() == [node]
    scene.Clear(False)
    assert PlannerLogic().getParameterNode().GetAttribute("ModuleName") == "Planner"
    assert PlannerLogic().getAllParameterNodes() == [PlannerLogic().getParameterNode()]
