"""The geometry of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.errors import ImageError

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Grid:
    """Shape, spacing and placement of a voxel array.

    What belongs to the array is in array order (z, y, x); what belongs to space is in LPS
    millimetres (x to the patient's left, y to the back, z to the head), as in DICOM and ITK.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x).
    spacing_mm : tuple of float
        (z, y, x) [mm].
    origin_mm : tuple of float
        LPS position (x, y, z) of the centre of voxel (0, 0, 0) [mm].
    direction : tuple of 9 float
        Row-major 3 x 3 matrix; column i is the LPS direction of index axis i, axes in the order
        (x, y, z), as in ITK.

    Raises
    ------
    ImageError
        If the shape is empty, a spacing is not positive or the direction is not orthonormal.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = _IDENTITY

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        for name in ("spacing_mm", "origin_mm", "direction"):
            object.__setattr__(self, name, tuple(float(value) for value in getattr(self, name)))
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ImageError(f"An image needs three dimensions of at least one voxel, not {self.shape}.")
        numbers = np.array(self.spacing_mm + self.origin_mm)
        if len(self.origin_mm) != 3 or len(self.direction) != 9:
            raise ImageError(f"An image needs an origin of 3 and a direction of 9 numbers, not {self.origin_mm}.")
        if len(self.spacing_mm) != 3 or min(self.spacing_mm) <= 0 or not np.all(np.isfinite(numbers)):
            raise ImageError(f"Voxel spacing must be positive and finite, not {self.spacing_mm} mm (z, y, x).")
        matrix = self.direction_matrix
        if not np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-3):
            raise ImageError(
                f"The axes of the image are not perpendicular unit vectors: {self.direction}. "
                "Sheared images must be resampled first."
            )

    @property
    def direction_matrix(self) -> np.ndarray:
        """3 x 3 matrix whose columns are the index axes (x, y, z) in LPS."""
        return np.array(self.direction).reshape(3, 3)

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel [mL]."""
        return self.spacing_mm[0] * self.spacing_mm[1] * self.spacing_mm[2] / 1000.0

    def to_lps(self, index_zyx: np.ndarray) -> np.ndarray:
        """Return LPS positions (..., 3) [mm] of fractional voxel indices (..., 3) in (z, y, x) order."""
        index = np.asarray(index_zyx, dtype=float)[..., ::-1]
        return index * np.array(self.spacing_mm[::-1]) @ self.direction_matrix.T + np.array(self.origin_mm)

    def to_index(self, position_lps_mm: np.ndarray) -> np.ndarray:
        """Return fractional voxel indices (..., 3) in (z, y, x) order of LPS positions (..., 3) [mm]."""
        offset = np.asarray(position_lps_mm, dtype=float) - np.array(self.origin_mm)
        return (offset @ self.direction_matrix / np.array(self.spacing_mm[::-1]))[..., ::-1]

    def box(self, low_zyx: tuple[int, ...], shape: tuple[int, ...]) -> Grid:
        """Return the grid of a box of voxels that starts at an index (z, y, x), which may be outside."""
        origin = self.to_lps(np.array(low_zyx, dtype=float))
        return Grid(shape, self.spacing_mm, tuple(origin), self.direction)  # type: ignore[arg-type]

    def refined(self, factors_zyx: tuple[int, ...]) -> Grid:
        """Return the grid with every voxel split into whole parts along (z, y, x)."""
        factors = np.array(factors_zyx)
        first = self.to_lps(-0.5 + 0.5 / factors)
        shape = tuple(int(n) for n in np.array(self.shape) * factors)
        return Grid(shape, tuple(np.array(self.spacing_mm) / factors), tuple(first), self.direction)  # type: ignore[arg-type]

    @staticmethod
    def covering(
        template: Grid,
        low_lps_mm: np.ndarray,
        high_lps_mm: np.ndarray,
        spacing_mm: tuple[float, float, float],
    ) -> Grid:
        """Return a grid with the axes of a template that covers a box, with a given spacing.

        Parameters
        ----------
        template : Grid
            Its direction is used.
        low_lps_mm, high_lps_mm : ndarray (3,)
            Corners of the box along the template's own axes, as positions in LPS [mm].
        spacing_mm : tuple of float
            (z, y, x) [mm].
        """
        axes = template.direction_matrix
        low, high = np.array(low_lps_mm) @ axes, np.array(high_lps_mm) @ axes
        low, high = np.minimum(low, high), np.maximum(low, high)
        spacing = np.array(spacing_mm[::-1])
        count = np.maximum(1, np.ceil((high - low) / spacing - 1e-6)).astype(int)
        centre = (low + high) / 2.0
        first = centre - (count - 1) / 2.0 * spacing
        return Grid(tuple(int(n) for n in count[::-1]), spacing_mm, tuple(axes @ first), template.direction)  # type: ignore[arg-type]
