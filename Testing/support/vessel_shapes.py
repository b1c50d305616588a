"""Centrelines and tubes of known geometry, written as VTK and other programs write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np


def line(*corners: Sequence[float], step_mm: float = 1.0) -> np.ndarray:
    """Return points along straight lines between corners, one about every step (points, 3)."""
    points = [np.array(corners[:1], dtype=float)]
    for a, b in pairwise(np.array(corners, dtype=float)):
        parts = max(round(float(np.linalg.norm(b - a)) / step_mm), 1)
        points.append(a + (b - a) * np.arange(1, parts + 1)[:, None] / parts)
    return np.concatenate(points)


def polydata(
    lines: Sequence[np.ndarray],
    radii: Sequence[float] | None,
    cells: Mapping[str, Sequence[int]] | None = None,
    *,
    radius_name: str = "Radius",
    share_points: bool = False,
):
    """Return polylines with a radius array and integer cell arrays (``vtkPolyData``)."""
    import vtk

    made, points, cellarray, radius = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray(), vtk.vtkDoubleArray()
    points.SetDataTypeToDouble()
    radius.SetName(radius_name)
    numbers: dict[tuple[float, ...], int] = {}
    for i, one in enumerate(lines):
        ids = []
        for point in one:
            key = tuple(np.round(point, 6))
            if not share_points or key not in numbers:
                numbers[key] = points.InsertNextPoint(*point)
                radius.InsertNextValue(1.0 if radii is None else radii[i])
            ids.append(numbers[key])
        cellarray.InsertNextCell(len(ids))
        for number in ids:
            cellarray.InsertCellPoint(number)
    made.SetPoints(points)
    made.SetLines(cellarray)
    if radii is not None:
        made.GetPointData().AddArray(radius)
    for name, values in (cells or {}).items():
        array = vtk.vtkIntArray()
        array.SetName(name)
        for value in values:
            array.InsertNextValue(value)
        made.GetCellData().AddArray(array)
    return made


def tube(points: np.ndarray, radius_mm: float, *, capped: bool = True):
    """Return the surface of a tube around a centreline (``vtkPolyData`` of triangles)."""
    import vtk

    filtered, triangles = vtk.vtkTubeFilter(), vtk.vtkTriangleFilter()
    filtered.SetInputData(polydata([points], None))
    filtered.SetRadius(radius_mm)
    filtered.SetNumberOfSides(24)
    filtered.SetCapping(capped)
    triangles.SetInputConnection(filtered.GetOutputPort())
    triangles.Update()
    return triangles.GetOutput()
