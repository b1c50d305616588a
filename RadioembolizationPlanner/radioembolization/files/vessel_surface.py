"""Surfaces of single vessels (STL, GLB) become centrelines with radii."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import ArterialTreeError, FileMissing, TerritoryError
from radioembolization.files.vtk_package import silent, vtk_for
from radioembolization.images import Grid
from radioembolization.territories.skeleton import centreline_of_mask
from radioembolization.territories.vessels.vessel import LARGEST_EXTENT_MM, Vessel

#: Sides of the voxels a surface is filled with [mm], and the most of them.
VOXEL_MM, MOST_VOXELS = 0.3, 20_000_000
#: A smaller surface is no vessel in millimetres.
SMALLEST_MM = 1.0
#: glTF 2.0 is in metres with x to the left, y up and z to the front of what it shows; LPS is x, -z, y.
_GLTF_TO_LPS_MM = 1000.0 * np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_GLB_JSON = 0x4E4F534A


def read_stl_vessel(path: Path) -> Vessel:
    """Read one vessel from an STL file in mm; LPS unless its header says "SPACE=RAS", as 3D Slicer writes it."""
    vtk = vtk_for(path)
    reader = silent(vtk.vtkSTLReader())
    reader.SetFileName(str(path))
    reader.Update()
    header = reader.GetHeader() or ""  # bytes where they are no text
    ras = "SPACE=RAS" in (header.decode(errors="replace") if isinstance(header, bytes) else header)
    flip = np.diag([-1.0, -1.0, 1.0]) if ras else np.eye(3)
    return vessel_of_surface(path.stem, _moved(reader.GetOutput(), flip))


def read_glb_surfaces(path: Path) -> dict[str, Any]:
    """Read the named surfaces of a GLB file as polydata in LPS mm; prefixes as "VH_M_" of the HRA are dropped."""
    vtk = vtk_for(path)
    names = _node_names(path)
    reader = silent(vtk.vtkGLTFReader())
    reader.SetFileName(str(path))
    reader.Update()
    parts: dict[str, Any] = {}
    for node, polydata in _leaves(reader.GetOutput(), vtk.vtkCompositeDataSet.NAME(), ""):
        number = int(node.removeprefix("Node_") or 0)
        name = re.sub(r"^VH_[MF]_", "", names[number] if number < len(names) else node)
        parts.setdefault(name, vtk.vtkAppendPolyData()).AddInputData(_moved(polydata, _GLTF_TO_LPS_MM))
    for append in parts.values():
        append.Update()
    return {name: append.GetOutput() for name, append in parts.items()}


def _leaves(block: Any, key: Any, node: str) -> Iterator[tuple[str, Any]]:
    """Give every polydata of a block with the name of the node it hangs on."""
    for number in range(block.GetNumberOfBlocks()):
        part, about = block.GetBlock(number), block.GetMetaData(number)
        named = (about.Get(key) if about is not None else None) or ""
        within = named if named.startswith("Node_") else node
        if part is not None and part.IsA("vtkMultiBlockDataSet"):
            yield from _leaves(part, key, within)
        elif part is not None and part.IsA("vtkPolyData") and part.GetNumberOfCells():
            yield within, part


def _node_names(path: Path) -> list[str]:
    """Return the names of the nodes of a GLB file, which the reader of VTK numbers only."""
    data = path.read_bytes()
    if len(data) < 20 or data[:4] != b"glTF" or struct.unpack("<I", data[16:20])[0] != _GLB_JSON:
        raise FileMissing(f"File '{path.name}' is no GLB file (binary glTF 2.0): export the model anew.")
    try:
        document = json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])
    except ValueError as error:
        raise FileMissing(f"GLB file '{path.name}' is damaged: {error}") from error
    return [str(node.get("name", f"node {number}")) for number, node in enumerate(document.get("nodes", []))]


def _moved(polydata: Any, matrix: np.ndarray) -> Any:
    """Return a copy of a surface with its points multiplied by a matrix (3, 3)."""
    from vtk import vtkPolyData
    from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

    copy = vtkPolyData()
    copy.DeepCopy(polydata)
    if polydata.GetNumberOfPoints():
        points = vtk_to_numpy(polydata.GetPoints().GetData()).astype(float) @ matrix.T
        copy.GetPoints().SetData(numpy_to_vtk(np.ascontiguousarray(points), deep=True))
    return copy


def vessel_of_surface(name: str, surface: Any) -> Vessel:
    """Return the centreline and radius of the surface of one vessel (polydata in LPS mm).

    Open ends are closed, the inside is filled with voxels, and the longest path through them is taken.

    Raises
    ------
    ArterialTreeError
        If the surface has no triangles, the size of no vessel, encloses nothing, or is no elongated vessel.
    """
    if surface.GetNumberOfPolys() + surface.GetNumberOfStrips() == 0:
        raise ArterialTreeError(f"Surface '{name}' has no triangles: give the surface of one vessel.")
    extent = float(np.ptp(np.array(surface.GetBounds()).reshape(3, 2), axis=1).max())
    if not SMALLEST_MM <= extent <= LARGEST_EXTENT_MM:
        raise ArterialTreeError(
            f"Surface '{name}' is {extent:.3g} mm large: is it in another unit? Give an STL file in millimetres, a GLB "
            "file in metres."
        )
    mask, grid = filled_surface(surface)
    if not mask.any():
        raise ArterialTreeError(f"Surface '{name}' encloses no volume: repair its holes.")
    try:
        points, radius = centreline_of_mask(mask, grid)
    except TerritoryError as error:
        raise ArterialTreeError(f"Surface '{name}' gives no centreline: {error}") from error
    return Vessel(name, points, radius)


def filled_surface(surface: Any, voxel_mm: float = VOXEL_MM) -> tuple[np.ndarray, Grid]:
    """Return the voxels (z, y, x) inside a surface in LPS mm, and their grid.

    Voxels grow beyond `voxel_mm` where there would be more than ``MOST_VOXELS``.
    """
    vtk = vtk_for("surface")
    from vtk.util.numpy_support import vtk_to_numpy

    low, high = np.array(surface.GetBounds()).reshape(3, 2).T
    extent = np.maximum(high - low, voxel_mm)
    step = max(voxel_mm, float((np.prod(extent) / MOST_VOXELS) ** (1.0 / 3.0)))
    origin, size = low - 2.0 * step, np.ceil(extent / step).astype(int) + 5
    stencil = vtk.vtkPolyDataToImageStencil()
    stencil.SetInputData(_closed(vtk, surface))
    stencil.SetOutputOrigin(*origin)
    stencil.SetOutputSpacing(step, step, step)
    stencil.SetOutputWholeExtent(0, int(size[0]) - 1, 0, int(size[1]) - 1, 0, int(size[2]) - 1)
    image = vtk.vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetOutputScalarTypeToUnsignedChar()
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.Update()
    voxels = vtk_to_numpy(image.GetOutput().GetPointData().GetScalars()).reshape(tuple(size[::-1]))
    x, y, z = (float(value) for value in origin)
    return voxels.astype(bool), Grid((int(size[2]), int(size[1]), int(size[0])), (step, step, step), (x, y, z))


def _closed(vtk: Any, surface: Any) -> Any:
    """Return a surface with equal points merged and open ends closed."""
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputData(surface)
    triangles.PassLinesOff()
    triangles.PassVertsOff()
    clean = vtk.vtkCleanPolyData()
    clean.SetInputConnection(triangles.GetOutputPort())
    closed = vtk.vtkFillHolesFilter()
    closed.SetInputConnection(clean.GetOutputPort())
    closed.SetHoleSize(1e6)
    closed.Update()
    return closed.GetOutput()
