"""Lists of points in a scene."""

from __future__ import annotations

from collections.abc import Collection

import slicer
import vtk

from RadioembolizationPlannerLib.geometry import Position, flipped


def new_points(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLMarkupsFiducialNode:
    """Put an empty list of points into a scene."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    node.CreateDefaultDisplayNodes()
    return node


def add_point(
    points: slicer.vtkMRMLMarkupsFiducialNode, position_lps_mm: Position, label: str, description: str = ""
) -> int:
    """Add a point at an LPS position [mm]; return its index."""
    index = points.AddControlPoint(vtk.vtkVector3d(*flipped(position_lps_mm)), label)
    points.SetNthControlPointDescription(index, description)
    return index


def remove_points(points: slicer.vtkMRMLMarkupsNode | None, labels: Collection[str]) -> None:
    """Take the points with some labels out of a list, if there is one."""
    for index in reversed(range(0 if points is None else points.GetNumberOfControlPoints())):
        if points.GetNthControlPointLabel(index) in labels:
            points.RemoveNthControlPoint(index)
