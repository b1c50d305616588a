"""Polylines with arrays, as VMTK and this program write them, become vessels or a tree; no file is read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from radioembolization.errors import ArterialTreeError
from radioembolization.files.centreline_overlap import without_overlap
from radioembolization.files.vessel_radius import radius_or_assumed
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.territories.vessels.vessel import Vessel

#: Names of the radius in the point data, the first that is there counts.
RADIUS_NAMES = ("Radius", "MaximumInscribedSphereRadius", "radius")
GROUP, CENTRELINE, TRACT, BLANKING = "GroupIds", "CenterlineIds", "TractIds", "Blanking"


@dataclass(frozen=True, eq=False)
class Polylines:
    """Points, lines and arrays of a polydata.

    Parameters
    ----------
    points_lps_mm : ndarray (points, 3)
    lines : tuple of ndarray of int
        Numbers of the points of every line.
    point_arrays, cell_arrays : mapping of str to ndarray
        One value for each point, or each line.
    fields : mapping of str to tuple of str
        Texts that belong to the whole.
    """

    points_lps_mm: np.ndarray
    lines: tuple[np.ndarray, ...]
    point_arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    cell_arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def polylines_of(polydata: Any, *, ras: bool = False) -> Polylines:
    """Return the lines of a ``vtkPolyData``; `ras` says that its points are RAS, as those of nodes in Slicer are."""
    from vtk.util.numpy_support import vtk_to_numpy

    polydata = _in_one_piece(polydata)
    count = polydata.GetNumberOfPoints()
    points = vtk_to_numpy(polydata.GetPoints().GetData()).astype(float) if count else np.zeros((0, 3))
    cells = polydata.GetLines()
    offsets, numbers = vtk_to_numpy(cells.GetOffsetsArray()), vtk_to_numpy(cells.GetConnectivityArray())
    lines = tuple(np.array(numbers[a:b]) for a, b in pairwise(offsets))
    arrays = []
    for data in (polydata.GetPointData(), polydata.GetCellData()):
        found = [data.GetArray(i) for i in range(data.GetNumberOfArrays())]
        arrays.append({a.GetName(): vtk_to_numpy(a) for a in found if a is not None and a.GetNumberOfComponents() == 1})
    before = polydata.GetNumberOfVerts()  # cell data count the vertices first
    cell_arrays = {name: values[before : before + len(lines)] for name, values in arrays[1].items()}
    return Polylines(points * ([-1, -1, 1] if ras else 1), lines, arrays[0], cell_arrays, _texts(polydata))


def _in_one_piece(polydata: Any) -> Any:
    """Return lines of two points each, as some programs cut centrelines, as long lines; others as they are."""
    from vtk import vtkStripper

    count = polydata.GetNumberOfLines()
    known = [polydata.GetCellData().GetAbstractArray(GROUP), polydata.GetFieldData().GetAbstractArray("ArteryNames")]
    if count < 2 or any(known) or polydata.GetLines().GetMaxCellSize() != 2:
        return polydata
    stripper = vtkStripper()
    stripper.SetInputData(polydata)
    stripper.SetMaximumLength(count + 1)
    stripper.JoinContiguousSegmentsOn()
    stripper.Update()
    return stripper.GetOutput()


def _texts(polydata: Any) -> dict[str, tuple[str, ...]]:
    data = polydata.GetFieldData()
    arrays = [data.GetAbstractArray(number) for number in range(data.GetNumberOfArrays())]
    return {
        array.GetName(): tuple(array.GetValue(i) for i in range(array.GetNumberOfValues()))
        for array in arrays
        if array is not None and array.IsA("vtkStringArray")
    }


def vessels_from_polydata(data: Polylines, *, name: str, radius_mm: float | None = None) -> list[Vessel]:
    """Return the vessels that polylines describe, of unknown direction and not joined yet.

    Understood are lines that VMTK split in groups (``GroupIds``, ``CenterlineIds``, ``TractIds``, ``Blanking``):
    one vessel for each group, led back through the blanked bifurcation to the group before it; lines from one
    source to every end, which share their trunk: the longest stays whole, the others begin where they leave it;
    and separate lines.

    Parameters
    ----------
    data : Polylines
    name : str
        Name of the vessel, with a number if there are several.
    radius_mm : float, optional
        Radius where the lines have none [mm]; a warning says so.

    Raises
    ------
    ArterialTreeError
        If there is no line, it has no radius, or a line has no length or points that are no numbers.
    """
    radius = next((data.point_arrays[key] for key in RADIUS_NAMES if key in data.point_arrays), None)
    radius = radius_or_assumed(radius, len(data.points_lps_mm), radius_mm, f"centrelines '{name}'")
    numbers = [i for i, line in enumerate(data.lines) if len(line) > 1]
    if not numbers:
        raise ArterialTreeError(
            f"Model '{name}' has no line of at least two points: is it a surface? Give centrelines."
        )
    lines = {i: (data.points_lps_mm[data.lines[i]], radius[data.lines[i]]) for i in numbers}
    if {GROUP, CENTRELINE, TRACT, BLANKING} <= set(data.cell_arrays) and np.any(data.cell_arrays[BLANKING]):
        parts = _of_groups(lines, data.cell_arrays)
        return [Vessel(f"{name} {group}", *part) for group, part in parts.items()]
    named = [name] if len(lines) == 1 else [f"{name} {k}" for k in range(1, len(lines) + 1)]
    return without_overlap([Vessel(one, *line) for one, line in zip(named, lines.values(), strict=True)])


_Line = tuple[np.ndarray, np.ndarray]


def _of_groups(lines: Mapping[int, _Line], arrays: Mapping[str, np.ndarray]) -> dict[int, _Line]:
    """Return one line for each group of split VMTK centrelines, with the blanked piece before it."""
    found: dict[int, _Line] = {}
    order = sorted(lines, key=lambda i: (arrays[CENTRELINE][i], arrays[TRACT][i]))
    before: list[_Line] = []
    for last, i in zip([-1, *order], order, strict=False):
        if last < 0 or arrays[CENTRELINE][last] != arrays[CENTRELINE][i]:
            before = []
        if arrays[BLANKING][i]:
            before.append(lines[i])
            continue
        if int(arrays[GROUP][i]) not in found:
            found[int(arrays[GROUP][i])] = _chained([*before, lines[i]])
        before = []
    return found


def _chained(parts: Sequence[_Line]) -> _Line:
    """Return consecutive pieces as one line, each common point once."""
    points, radius = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    kept = np.concatenate([[True], np.linalg.norm(np.diff(points, axis=0), axis=1) > 1e-6])
    return points[kept], radius[kept]


def written_tree(data: Polylines) -> ArterialTree | None:
    """Return the tree that this program wrote as polylines, or None if others wrote them."""
    names, parents = data.fields.get("ArteryNames"), data.cell_arrays.get("Parent")
    if names is None or parents is None or len(names) != len(data.lines) or "Radius" not in data.point_arrays:
        return None
    radius = data.point_arrays["Radius"]
    arteries = tuple(
        Artery(name, None if parent < 0 else names[int(parent)], data.points_lps_mm[line], radius[line])
        for name, parent, line in zip(names, parents, data.lines, strict=True)
    )
    source = data.fields.get("Source", ("",))
    return ArterialTree(arteries, source[0], synthetic=any(text.startswith("SYNTHETIC") for text in source[1:]))
