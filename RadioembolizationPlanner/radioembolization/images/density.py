"""Mass from CT numbers."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import ImageError
from radioembolization.images.grid import Grid
from radioembolization.images.volume import Unit, Volume


def lung_mass_kg_from_ct(ct: Volume, lungs: np.ndarray) -> float:
    """Return the mass of the lungs from CT numbers.

    ``m = sum (HU + 1000) / 1000 * voxel volume``, with CT numbers taken between -1000 and 100 HU; a
    linear density is adequate for lung (air to soft tissue).

    Parameters
    ----------
    ct : Volume
        In HU.
    lungs : ndarray (z, y, x) of bool
        On the grid of the CT.

    Returns
    -------
    float
        Mass [kg].

    Raises
    ------
    ImageError
        If the CT is not in HU, or the values inside the lungs cannot be those of lung.
    """
    if ct.unit is not Unit.HU:
        raise ImageError(f"Lung mass needs a CT in HU, this image is in {ct.unit}.")
    values = np.clip(ct.array[lungs].astype(float), -1000.0, 100.0)
    mean_hu = float(values.mean()) if values.size else float("nan")
    if not -980.0 < mean_hu < -300.0:
        raise ImageError(
            f"The lungs have a mean CT number of {mean_hu:.0f} HU over {values.size} voxels, outside "
            "-980 to -300: check the lung structure and that the CT is in HU, or enter the lung mass."
        )
    return float(np.sum((values + 1000.0) / 1000.0)) * _voxel_kg(ct.grid)


def _voxel_kg(grid: Grid) -> float:
    return grid.voxel_ml / 1000.0
