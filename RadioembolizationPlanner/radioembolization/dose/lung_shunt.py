"""The lungs as a source: dose of the microspheres that pass through the liver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radioembolization.dose.convolution import convolve
from radioembolization.dose.dose_per_gbq import DoseSettings, Method
from radioembolization.dose.local_deposition import deposit_locally
from radioembolization.errors import StructureError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import LUNG, two_scale_kernel


@dataclass(frozen=True, eq=False)
class LungShuntDose:
    """Dose in the lungs per GBq that reaches them.

    Parameters
    ----------
    dose_gy_per_gbq : Volume
        In the lung voxels; 0 elsewhere, where the density of lung does not hold [Gy per GBq shunted].
    mean_gy_per_gbq : float
        Mean over the lungs [Gy per GBq shunted].
    escaped_share : float
        Share of the energy emitted in the lungs that is absorbed outside them.
    """

    dose_gy_per_gbq: Volume
    mean_gy_per_gbq: float
    escaped_share: float


def lung_shunt_dose(
    lungs: np.ndarray,
    grid: Grid,
    density_g_per_cm3: float,
    settings: DoseSettings,
    progress: Callable[[int, int], None] | None = None,
) -> LungShuntDose:
    """Return the dose of activity spread evenly over the lungs.

    One large source at one density: electrons go four times as far as in liver, so some of their energy
    leaves the lungs, which dose by shunt and mass does not know.  The lungs need no fine grid: 4 mm will
    do, a fifth of the range.

    Parameters
    ----------
    lungs : ndarray (z, y, x) of bool
        Both lungs, whole, on the grid.
    grid : Grid
    density_g_per_cm3 : float
        Mean density of the lungs, mass by volume.
    settings : DoseSettings
    progress : callable, optional
        As for ``convolve``.

    Raises
    ------
    StructureError
        If the lungs are empty or not on the grid.
    InputError
        If density or spacing cannot be used.
    """
    if lungs.shape != grid.shape or not lungs.any():
        raise StructureError(
            f"The lungs have {int(np.count_nonzero(lungs))} voxels in shape {lungs.shape}, the grid has shape "
            f"{grid.shape}: give the lung structure on the grid of the dose."
        )
    activity = lungs / np.count_nonzero(lungs)
    if settings.method is Method.LOCAL:
        share = deposit_locally(activity)
    else:
        nuclide = settings.device.nuclide
        share = convolve(activity, two_scale_kernel(nuclide, grid.spacing_mm, density_g_per_cm3, LUNG), progress)
    share[~lungs] = 0.0
    dose = share * np.float32(settings.energy_j_per_gbq / (grid.voxel_ml * density_g_per_cm3 * 1e-3))
    return LungShuntDose(
        Volume(dose, grid, Unit.GY_PER_GBQ),
        float(dose[lungs].mean(dtype=float)),
        1.0 - float(share.sum(dtype=float)),
    )
