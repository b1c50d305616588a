"""What a structure receives from a dose map, with voxels on its border counted by their covered share."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from radioembolization.dose.activity_dose import ActivityDose
from radioembolization.dose.dvh import DoseVolumeHistogram, exact_dvh
from radioembolization.errors import StructureError, StructurePartlyOutside
from radioembolization.images import Grid, bounding_box, covered_share

#: A structure of which a larger share lies outside the map gets a notice.
_OUTSIDE_WARNED = 0.001


@dataclass(frozen=True)
class StructureDose:
    """Dose figures of one structure.

    Parameters
    ----------
    name : str
    volume_ml : float
        The part inside the map.
    mean_gy : float
        Energy over mass.
    min_gy, max_gy : float
        Of all voxels with a part in the structure, however small.
    d98_gy, d95_gy, d90_gy, d70_gy, d50_gy, d2_gy : float
        Dose that this percentage of the volume receives at least.
    v50_percent, v100_percent, v200_percent : float
        Percentage of the volume that receives at least 50, 100, 200 Gy.
    """

    name: str
    volume_ml: float
    mean_gy: float
    min_gy: float
    max_gy: float
    d98_gy: float
    d95_gy: float
    d90_gy: float
    d70_gy: float
    d50_gy: float
    d2_gy: float
    v50_percent: float
    v100_percent: float
    v200_percent: float


def dose_in_structure(
    result: ActivityDose, name: str, mask: np.ndarray, mask_grid: Grid
) -> tuple[StructureDose, DoseVolumeHistogram]:
    """Return the dose figures and the cumulative histogram of a structure drawn on any grid.

    Each voxel of the map counts with the share of it that the mask covers.

    Parameters
    ----------
    result : ActivityDose
    name : str
    mask : ndarray (z, y, x) of bool
    mask_grid : Grid

    Raises
    ------
    StructureError
        If the mask is empty or lies outside the map.
    """
    grid = result.dose.grid
    covered = _covered(mask, mask_grid, grid, name)
    inside = covered > 0.0
    doses, shares = result.dose.array[inside].astype(float), covered[inside]
    dvh = exact_dvh(doses, shares, voxel_ml=grid.voxel_ml, name=f"'{name}'")
    masses = shares if isinstance(result.voxel_kg, float) else shares * result.voxel_kg[inside]
    figures = StructureDose(
        name=name,
        volume_ml=dvh.volume_ml,
        mean_gy=float(np.average(doses, weights=masses)),
        min_gy=dvh.minimum_gy,
        max_gy=dvh.maximum_gy,
        d98_gy=dvh.dose_at_volume(0.98),
        d95_gy=dvh.dose_at_volume(0.95),
        d90_gy=dvh.dose_at_volume(0.90),
        d70_gy=dvh.dose_at_volume(0.70),
        d50_gy=dvh.dose_at_volume(0.50),
        d2_gy=dvh.dose_at_volume(0.02),
        v50_percent=100.0 * dvh.share_at_dose(50.0),
        v100_percent=100.0 * dvh.share_at_dose(100.0),
        v200_percent=100.0 * dvh.share_at_dose(200.0),
    )
    return figures, dvh.curve()


def _covered(mask: np.ndarray, mask_grid: Grid, grid: Grid, name: str) -> np.ndarray:
    """Return the covered share of each voxel of the map (z, y, x)."""
    box = bounding_box(mask)
    if box is None:
        raise StructureError(f"Structure '{name}' is empty (0 of {mask.size} voxels): draw it, or remove it.")
    part = mask[tuple(slice(low, high) for low, high in box)]
    covered = covered_share(part, mask_grid.box(tuple(low for low, _ in box), part.shape), grid)
    drawn_ml = np.count_nonzero(part) * mask_grid.voxel_ml
    missing = 1.0 - float(covered.sum(dtype=float)) * grid.voxel_ml / drawn_ml
    if missing > 1.0 - 1e-6:
        raise StructureError(
            f"Structure '{name}' ({drawn_ml:.1f} mL) lies outside the activity map: check that both belong to the "
            "same patient and frame of reference, or register them."
        )
    if missing > _OUTSIDE_WARNED:
        warnings.warn(
            f"{missing:.1%} of '{name}' ({drawn_ml:.1f} mL as drawn) lies outside the activity map and is left out.",
            StructurePartlyOutside,
            stacklevel=3,
        )
    return covered
