"""A CT made ready for finding organs: checked to be in HU, and resampled along the axes of the patient."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from radioembolization.errors import ImageError
from radioembolization.images import Grid, Unit, Volume, resample_linear

#: Spacing of the grid on which organs are found [mm].
WORKING_MM = 3.0
#: Numbers of air, fat and water [HU]; what is below the padding limit was never measured.
AIR_HU, PADDING_HU = -1000.0, -1500.0
_HIGHEST_HU = 1500.0
#: A CT of a patient has air around or in the patient below the first, and tissue above the second [HU].
_AIR_BELOW_HU, _TISSUE_ABOVE_HU = -600.0, -300.0
#: Least extent of the image along each axis [mm], and least number of slices.
_LEAST_EXTENT_MM, _LEAST_SLICES = 50.0, 5


@dataclass(frozen=True, eq=False)
class WorkingCt:
    """A CT on cubic voxels along the axes of the patient.

    Index axes run to the head, to the back and to the patient's left, whatever those of the image.

    Parameters
    ----------
    image : Volume
        The CT as given.
    grid : Grid
        Axes along LPS.
    hu : ndarray (z, y, x) of float32
        Air where nothing was measured [HU].
    covered : ndarray (z, y, x) of bool
        Where the image was measured.
    """

    image: Volume
    grid: Grid
    hu: np.ndarray
    covered: np.ndarray

    @property
    def voxel_ml(self) -> float:
        """Volume of a working voxel [mL]."""
        return self.grid.voxel_ml

    def on_image(self, mask: np.ndarray) -> np.ndarray:
        """Return a working mask (z, y, x) on the grid of the image, its surface interpolated."""
        share = Volume(mask.astype(np.float32), self.grid, Unit.LABEL)
        return resample_linear(share, self.image.grid, 0.0).array > 0.5

    def on_working_grid(self, mask: np.ndarray) -> np.ndarray:
        """Return a mask of the image on the working grid."""
        share = Volume(mask.astype(np.float32), self.image.grid, Unit.LABEL)
        return resample_linear(share, self.grid, 0.0).array > 0.5

    def part(self, box: tuple[slice, ...]) -> WorkingCt:
        """Return the same CT with working arrays of a box (slices with start and stop along z, y, x) only."""
        low = tuple(int(one.start) for one in box)
        hu = self.hu[box]
        return replace(self, grid=self.grid.box(low, hu.shape), hu=hu, covered=self.covered[box])


def working_ct(ct: Volume, spacing_mm: float = WORKING_MM) -> WorkingCt:
    """Check a CT and resample it.

    Raises
    ------
    ImageError
        If the image is empty, not in HU, or too small to hold an organ.
    """
    check_hu(ct)
    corners = ct.grid.to_lps(np.array(list(np.ndindex(2, 2, 2))) * np.array(ct.grid.shape) - 0.5)
    template = Grid((1, 1, 1), (spacing_mm,) * 3)
    grid = Grid.covering(template, corners.min(axis=0), corners.max(axis=0), (spacing_mm,) * 3)
    known = np.clip(ct.array, AIR_HU, _HIGHEST_HU).astype(np.float32)
    hu = resample_linear(Volume(known, ct.grid, Unit.HU), grid, AIR_HU).array
    return WorkingCt(ct, grid, hu, _covered(ct, grid))


def check_hu(ct: Volume) -> None:
    """Refuse what is no CT of a patient.

    Raises
    ------
    ImageError
        Says what was expected and found.
    """
    if ct.unit is not Unit.HU:
        raise ImageError(f"Organs are found in a CT in HU, not in an image in {ct.unit}: choose the CT.")
    extent = np.array(ct.grid.shape) * np.array(ct.grid.spacing_mm)
    if min(ct.grid.shape) < _LEAST_SLICES or extent.min() < _LEAST_EXTENT_MM:
        raise ImageError(
            f"The CT has {ct.grid.shape} voxels over {extent.round().astype(int).tolist()} mm (z, y, x): organs need "
            f"at least {_LEAST_SLICES} slices and {_LEAST_EXTENT_MM:g} mm in all directions. Load the whole series."
        )
    values = ct.array[ct.array > PADDING_HU]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if low == high:
        raise ImageError(f"The CT is empty: all its voxels are {low:g} HU. Load the image again.")
    if low > _AIR_BELOW_HU or high < _TISSUE_ABOVE_HU:
        raise ImageError(_not_hu(low, high))


def _not_hu(low: float, high: float) -> str:
    message = f"The image holds values from {low:g} to {high:g}, so it is no CT in HU: air is -1000 and water 0."
    if low >= -50.0 and high > 1000.0:
        return f"{message} It looks like HU + 1024: apply the rescale intercept of the series."
    return f"{message} Values cut to a display window or scaled to counts cannot be used; load the original series."


def _covered(ct: Volume, grid: Grid) -> np.ndarray:
    measured = Volume((ct.array > PADDING_HU).astype(np.float32), ct.grid, Unit.LABEL)
    return resample_linear(measured, grid, 0.0).array > 0.5
