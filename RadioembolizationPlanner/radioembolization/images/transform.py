"""Rigid and affine maps between the spaces of two images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from radioembolization.errors import ImageError
from radioembolization.images.grid import Grid
from radioembolization.images.volume import Volume

#: A matrix is rigid if it keeps lengths and angles within this.
_RIGID = 1e-5


@dataclass(frozen=True, eq=False)
class AffineTransform:
    """A map of positions from a moving image to a fixed one, in LPS millimetres.

    This is the direction in which Slicer moves a node under a transform.  ITK resamples with its inverse.

    Parameters
    ----------
    matrix : ndarray (4, 4)
        ``fixed = matrix @ (x, y, z, 1)`` of a position in the moving image.

    Raises
    ------
    ImageError
        If the matrix is no invertible affine map that keeps handedness.
    """

    matrix: np.ndarray

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=float)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise ImageError(f"A transform is a finite 4 x 4 matrix whose last row is 0 0 0 1, not {matrix.tolist()}.")
        if np.linalg.det(matrix[:3, :3]) < 1e-6:
            raise ImageError("The transform flattens or mirrors space: use a rigid or affine one.")
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)

    @staticmethod
    def identity() -> AffineTransform:
        """Return the map that moves nothing."""
        return AffineTransform(np.eye(4))

    @property
    def is_rigid(self) -> bool:
        """Whether lengths and angles are kept."""
        linear = self.matrix[:3, :3]
        return bool(np.allclose(linear @ linear.T, np.eye(3), atol=_RIGID))

    @property
    def inverse(self) -> AffineTransform:
        """The map back, from the fixed to the moving image."""
        return AffineTransform(np.linalg.inv(self.matrix))

    def after(self, first: AffineTransform) -> AffineTransform:
        """Return this map applied after another, as one: no image is resampled twice."""
        return AffineTransform(self.matrix @ first.matrix)

    def points(self, positions_lps_mm: np.ndarray) -> np.ndarray:
        """Return positions (..., 3) of the moving image in the fixed one [mm]."""
        return np.asarray(positions_lps_mm, dtype=float) @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def grid(self, grid: Grid) -> Grid:
        """Return a grid of the moving image in the fixed space; voxels stay what they are.

        Raises
        ------
        ImageError
            If the transform is not rigid: a grid has no shear.
        """
        if not self.is_rigid:
            raise ImageError("Only a rigid transform keeps the voxels of an image; an affine one needs resampling.")
        direction = self.matrix[:3, :3] @ grid.direction_matrix
        origin = self.points(np.array(grid.origin_mm))
        return replace(grid, origin_mm=tuple(origin), direction=tuple(direction.ravel()))

    def moved(self, volume: Volume) -> Volume:
        """Return an image in the fixed space by a rigid transform, without resampling; errors as of ``grid``."""
        return Volume(volume.array, self.grid(volume.grid), volume.unit)
