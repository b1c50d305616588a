"""Between the geometry of MRML (RAS, columns i, j, k) and of the core (LPS, arrays in (z, y, x) order)."""

from __future__ import annotations

import numpy as np
import slicer
import vtk

from radioembolization.errors import ImageError
from radioembolization.images import Grid

Position = tuple[float, float, float]

#: RAS to LPS and back: x and y change sign.
_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


def grid_from_ijk_to_ras(ijk_to_ras: np.ndarray, shape: tuple[int, int, int]) -> Grid:
    """Return the grid of an array (z, y, x) placed by an IJK-to-RAS matrix.

    Parameters
    ----------
    ijk_to_ras : ndarray (4, 4)
        [mm].
    shape : tuple of int
        (z, y, x).

    Raises
    ------
    ImageError
        If the axes are sheared.
    """
    to_lps = _FLIP @ ijk_to_ras
    spacing = np.linalg.norm(to_lps[:3, :3], axis=0)
    direction = to_lps[:3, :3] / spacing
    return Grid(shape, tuple(spacing[::-1]), tuple(to_lps[:3, 3]), tuple(direction.ravel()))


def ijk_to_ras_from_grid(grid: Grid) -> np.ndarray:
    """Return the IJK-to-RAS matrix (4, 4) [mm] of a grid."""
    to_lps = np.eye(4)
    to_lps[:3, :3] = grid.direction_matrix * np.array(grid.spacing_mm[::-1])
    to_lps[:3, 3] = grid.origin_mm
    return _FLIP @ to_lps


def ras_from_lps(matrix: np.ndarray) -> np.ndarray:
    """Return a map (4, 4) of positions in LPS as one of positions in RAS, or the other way round."""
    return _FLIP @ matrix @ _FLIP


def flipped(position_mm: Position) -> Position:
    """Return a position in LPS as RAS, or one in RAS as LPS [mm]."""
    x, y, z = (float(value) for value in position_mm)
    return -x, -y, z


def matrix_to_world(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    """Return the matrix (4, 4) from a node's own RAS to world RAS; the node is left as it is.

    Raises
    ------
    ImageError
        If the node is under a transform that no matrix describes.
    """
    transform = node.GetParentTransformNode()
    if transform is None:
        return np.eye(4)
    if not transform.IsTransformToWorldLinear():
        raise ImageError(
            f"'{node.GetName()}' is under the non-linear transform '{transform.GetName()}': harden the transform "
            "(module Transforms, Harden) or take the node out of it."
        )
    matrix = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformToWorld(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)
