"""How an arterial tree looks in a scene: tubes as wide as the arteries, and their names."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
import vtk.util.numpy_support

from radioembolization.files.tree_writer import ARTERY, RADIUS, SYNTHETIC_MARK, tree_polydata
from radioembolization.territories.arteries import ArterialTree
from RadioembolizationPlannerLib.colors import distinct_colors
from RadioembolizationPlannerLib.points import add_point, new_points

#: Array of the model that holds the color of each artery.
COLOR = "Color"
_TUBE_SIDES = 10
#: Names of more arteries than this hide one another.
_MOST_NAMES_SHOWN = 30
#: Of points behind surfaces, in 3D.
_OPACITY_INSIDE = 0.6
_NAME_COLOR, _NAME_SIZE, _GLYPH_SIZE = (0.95, 0.95, 0.95), 2.2, 0.6


def new_model(scene: slicer.vtkMRMLScene, tree: ArterialTree, name: str) -> slicer.vtkMRMLModelNode:
    """Put the tubes of a tree into a scene; the arrays ``Artery`` and ``Radius`` say which and how wide."""
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", name)
    model.SetAndObserveMesh(tubes(tree))
    model.CreateDefaultDisplayNodes()
    display = model.GetDisplayNode()
    display.SetActiveScalarName(COLOR)
    display.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseDirectMapping)
    display.SetScalarVisibility(True)
    display.SetVisibility2D(True)
    if tree.synthetic:
        model.SetDescription(SYNTHETIC_MARK)
    return model


def tubes(tree: ArterialTree) -> vtk.vtkPolyData:
    """Return a tree as tubes in RAS."""
    lines = tree_polydata(tree)
    flip = vtk.vtkTransform()
    flip.Scale(-1.0, -1.0, 1.0)
    ras = vtk.vtkTransformPolyDataFilter()
    ras.SetTransform(flip)
    ras.SetInputData(lines)
    ras.Update()
    data = vtk.vtkPolyData()
    data.CopyStructure(ras.GetOutput())
    numbers = np.repeat(np.arange(len(tree.arteries)), [len(artery.radius_mm) for artery in tree.arteries])
    colors = np.rint(255.0 * np.array(distinct_colors(len(tree.arteries)))).astype(np.uint8)[numbers]
    radius = np.concatenate([artery.radius_mm for artery in tree.arteries])
    for name, values in ((RADIUS, radius), (ARTERY, numbers.astype(np.int32)), (COLOR, colors)):
        array = vtk.util.numpy_support.numpy_to_vtk(np.ascontiguousarray(values), deep=True)
        array.SetName(name)
        data.GetPointData().AddArray(array)
    data.GetPointData().SetActiveScalars(RADIUS)
    tube = vtk.vtkTubeFilter()
    tube.SetInputData(data)
    tube.SetNumberOfSides(_TUBE_SIDES)
    tube.SetVaryRadiusToVaryRadiusByAbsoluteScalar()
    tube.CappingOn()
    tube.Update()
    made = vtk.vtkPolyData()
    made.ShallowCopy(tube.GetOutput())
    return made


def show_inside(display: slicer.vtkMRMLMarkupsDisplayNode) -> None:
    """Let points be seen through the surfaces that they lie in."""
    display.SetOccludedVisibility(True)
    display.SetOccludedOpacity(_OPACITY_INSIDE)


def new_names(scene: slicer.vtkMRMLScene, tree: ArterialTree, name: str) -> slicer.vtkMRMLMarkupsFiducialNode:
    """Put the names of a tree's arteries into a scene, each at the middle of its artery; hidden if there are many."""
    points = new_points(scene, name)
    for artery in tree.arteries:
        add_point(points, artery.point_along(0.5), artery.name)
    points.SetLocked(True)
    points.SetHideFromEditors(True)
    display = points.GetDisplayNode()
    display.SetColor(*_NAME_COLOR)
    display.SetSelectedColor(*_NAME_COLOR)
    display.SetTextScale(_NAME_SIZE)
    display.SetGlyphScale(_GLYPH_SIZE)
    show_inside(display)
    display.SetVisibility(len(tree.arteries) <= _MOST_NAMES_SHOWN)
    return points
