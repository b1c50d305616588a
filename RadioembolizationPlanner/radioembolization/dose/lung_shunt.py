"""The lungs voxel by voxel: microspheres that pass through the liver, and electrons that leave its dome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.dose.convolution import convolve
from radioembolization.dose.medium import Medium
from radioembolization.errors import InputError, StructureError
from radioembolization.images import Unit, Volume
from radioembolization.physics import LIVER, LUNG, Nuclide, Tissue, two_scale_kernel


@dataclass(frozen=True, eq=False)
class LungVoxelDose:
    """Dose of the lungs by voxels.

    Parameters
    ----------
    dose : Volume
        In the lung voxels, 0 elsewhere [Gy].
    mass_kg : float
        Of the lungs, from the density.
    from_shunt_gy, from_liver_gy : float
        Mean dose (energy over mass) by the shunted activity, and by the activity in the liver [Gy].
    escaped_share : float
        Share of the energy emitted in the lungs that is absorbed outside them.
    """

    dose: Volume
    mass_kg: float
    from_shunt_gy: float
    from_liver_gy: float
    escaped_share: float

    @property
    def mean_gy(self) -> float:
        """Mean dose of the lungs [Gy]."""
        return self.from_shunt_gy + self.from_liver_gy


def lung_voxel_dose(
    lungs: np.ndarray,
    density: Volume,
    nuclide: Nuclide,
    energy_j_per_gbq: float,
    shunted_gbq: float,
    liver_gbq: np.ndarray | None = None,
    liver_density_g_per_cm3: float = LIVER.density_g_per_cm3,
) -> LungVoxelDose:
    """Return the dose in the voxels of the lungs, electrons carried through the densities as they are.

    Shunted activity is spread evenly over the volume of the lungs.  The formula by mass keeps all its
    energy in the lungs; here about a tenth leaves them, and some enters from the liver.  A grid of 4 mm
    will do: electrons go 40 mm in lung.

    Parameters
    ----------
    lungs : ndarray (z, y, x) of bool
        Both lungs, whole, on the grid of the density.
    density : Volume
        [g/cm3].
    nuclide : Nuclide
    energy_j_per_gbq : float
        Emitted energy [J/GBq].
    shunted_gbq : float
        Activity in the lungs [GBq].
    liver_gbq : ndarray (z, y, x), optional
        Activity per voxel in the liver [GBq].
    liver_density_g_per_cm3 : float
        Density of the tissue with that activity.

    Raises
    ------
    StructureError
        If the lungs are empty or not on the grid.
    InputError
        If a density or the activity cannot be used.
    """
    if lungs.shape != density.grid.shape or not lungs.any():
        raise StructureError(
            f"The lungs have {int(np.count_nonzero(lungs))} voxels in shape {lungs.shape}, the density has shape "
            f"{density.grid.shape}: give the lung structure on the grid of the density."
        )
    if not (np.isfinite(shunted_gbq) and shunted_gbq >= 0):
        raise InputError(f"Shunted activity {shunted_gbq:g} GBq is not a number of at least 0.")
    kg = density.array * np.float32(density.grid.voxel_ml * 1e-3)
    mean_density = float(density.array[lungs].mean(dtype=float))
    spread = lungs.astype(np.float32) / np.count_nonzero(lungs)
    shunt = _gy_per_gbq(spread, density, mean_density, LUNG, nuclide, energy_j_per_gbq)
    dose = np.float32(shunted_gbq) * shunt
    mass_kg = float(kg[lungs].sum(dtype=float))

    def energy_j(gy: np.ndarray) -> float:
        return float((gy[lungs] * kg[lungs]).sum(dtype=float))

    from_liver = 0.0
    if liver_gbq is not None and liver_gbq.any():
        spill = _gy_per_gbq(liver_gbq, density, liver_density_g_per_cm3, LIVER, nuclide, energy_j_per_gbq)
        from_liver = energy_j(spill) / mass_kg
        dose += spill
    dose[~lungs] = 0.0
    return LungVoxelDose(
        dose=Volume(dose, density.grid, Unit.GY),
        mass_kg=mass_kg,
        from_shunt_gy=shunted_gbq * energy_j(shunt) / mass_kg,
        from_liver_gy=from_liver,
        escaped_share=1.0 - energy_j(shunt) / energy_j_per_gbq,
    )


def _gy_per_gbq(
    gbq: np.ndarray,
    density: Volume,
    reference_g_per_cm3: float,
    tissue: Tissue,
    nuclide: Nuclide,
    energy_j_per_gbq: float,
) -> np.ndarray:
    """Return the dose [Gy] of an activity map [GBq per voxel]."""
    grid = density.grid
    medium = Medium(density.array, reference_g_per_cm3, grid.spacing_mm)
    share = convolve(gbq, two_scale_kernel(nuclide, grid.spacing_mm, reference_g_per_cm3, tissue))
    share = medium.corrected(share, gbq, nuclide)
    return share * np.float32(energy_j_per_gbq / (grid.voxel_ml * reference_g_per_cm3 * 1e-3))
