"""The arterial tree as a VTK model that 3D Slicer shows: one polyline for each artery, with radii and names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import InputError
from radioembolization.files.replacing import replacing
from radioembolization.files.vtk_package import vtk_for
from radioembolization.territories.arteries import ArterialTree

SYNTHETIC_MARK = "SYNTHETIC: made by a program, belongs to no patient."
#: Arrays of the model: radius of each point [mm]; number of each artery, the root 0, and of the one it leaves, -1 for
#: none; names in the order of the numbers.
RADIUS, ARTERY, PARENT, NAMES, SOURCE = "Radius", "Artery", "Parent", "ArteryNames", "Source"


def write_tree(tree: ArterialTree, path: Path) -> None:
    """Write a tree as a VTK model in LPS, ``.vtk`` or ``.vtp``; it appears complete or not at all.

    Slicer takes the coordinate system of a model from ``SPACE=LPS`` in the title of a ``.vtk`` file, and from the
    field ``SPACE`` of a ``.vtp`` file.

    Raises
    ------
    InputError
        If the file name ends otherwise.
    MissingPackage
        If vtk is not installed.
    """
    if path.suffix.lower() not in (".vtk", ".vtp"):
        raise InputError(f"A tree is written as .vtk or .vtp, not as '{path.name}'.")
    vtk, legacy = vtk_for(path), path.suffix.lower() == ".vtk"
    writer = vtk.vtkPolyDataWriter() if legacy else vtk.vtkXMLPolyDataWriter()
    if legacy:
        writer.SetHeader("Arterial tree; SPACE=LPS" + ("; SYNTHETIC" if tree.synthetic else ""))
        writer.SetFileTypeToBinary()
    writer.SetInputData(tree_polydata(tree))
    with replacing(path) as temporary:
        writer.SetFileName(str(temporary))
        if not writer.Write():
            raise InputError(f"'{path}' could not be written: check the folder and the space on the disk.")


def tree_polydata(tree: ArterialTree) -> Any:
    """Return a tree as polylines in LPS (``vtkPolyData``), one for each artery in the order of the tree."""
    vtk = vtk_for("an arterial tree")
    numpy_to_vtk = vtk.util.numpy_support.numpy_to_vtk
    made, points, lines = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    points.SetData(numpy_to_vtk(np.concatenate([a.points_lps_mm for a in tree.arteries]), deep=True))
    first = 0
    for artery in tree.arteries:
        lines.InsertNextCell(len(artery.radius_mm))
        for number in range(first, first + len(artery.radius_mm)):
            lines.InsertCellPoint(number)
        first += len(artery.radius_mm)
    made.SetPoints(points)
    made.SetLines(lines)
    radius = np.concatenate([artery.radius_mm for artery in tree.arteries])
    made.GetPointData().AddArray(_named(numpy_to_vtk(radius, deep=True), RADIUS))
    made.GetPointData().SetActiveScalars(RADIUS)
    numbers = {name: number for number, name in enumerate(tree.names)}
    parents = [-1 if artery.parent is None else numbers[artery.parent] for artery in tree.arteries]
    for name, values in ((ARTERY, list(numbers.values())), (PARENT, parents)):
        made.GetCellData().AddArray(_named(numpy_to_vtk(np.array(values, dtype=np.int32), deep=True), name))
    for name, texts in _fields(tree).items():
        made.GetFieldData().AddArray(_texts(name, texts))
    return made


def _fields(tree: ArterialTree) -> dict[str, list[str]]:
    source = [tree.source, SYNTHETIC_MARK] if tree.synthetic else [tree.source]
    return {NAMES: list(tree.names), SOURCE: source, "SPACE": ["LPS"]}


def _named(array: Any, name: str) -> Any:
    array.SetName(name)
    return array


def _texts(name: str, texts: list[str]) -> Any:
    array = vtk_for(name).vtkStringArray()
    array.SetName(name)
    for text in texts:
        array.InsertNextValue(text)
    return array
