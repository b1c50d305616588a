"""Radial dose point kernels, read from tables of our own Monte Carlo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from radioembolization.errors import InputError
from radioembolization.physics.data_table import read_rows
from radioembolization.physics.nuclide import NUCLIDES, Nuclide
from radioembolization.physics.tissue import CORTICAL_BONE, LIVER, LUNG, WATER, Tissue

#: Which table holds the kernel, by nuclide and tissue.
_TABLES = {(name, WATER): "water" for name in NUCLIDES} | {
    ("Y-90", LIVER): "liver",
    ("Y-90", LUNG): "lung",
    ("Y-90", CORTICAL_BONE): "bone",
}


@dataclass(frozen=True, eq=False)
class PointKernel:
    """Energy absorbed around a point source in an infinite homogeneous medium.

    Parameters
    ----------
    nuclide_name : str
    outer_radius_g_cm2 : ndarray (shells,)
        Outer radius of each spherical shell as mass depth [g/cm2].
    energy_fraction : ndarray (shells,)
        Energy absorbed in each shell as a fraction of all emitted energy (electrons and photons of
        ICRP-107).  The sum is below one by what leaves the outermost shell (30 g/cm2 in water); the
        finite number of simulated decays makes it uncertain by 0.02 % (90Y in water) to 0.1 %, so it can
        exceed one where nothing leaves.
    sigma_fraction : ndarray (shells,)
        One standard deviation of ``energy_fraction`` (Monte Carlo noise).
    """

    nuclide_name: str
    outer_radius_g_cm2: np.ndarray
    energy_fraction: np.ndarray
    sigma_fraction: np.ndarray

    @property
    def inner_radius_g_cm2(self) -> np.ndarray:
        """Inner radius of each shell [g/cm2]."""
        return np.concatenate(([0.0], self.outer_radius_g_cm2[:-1]))

    def fraction_within(self, radius_g_cm2: float) -> float:
        """Return the share of the emitted energy absorbed within a mass depth [g/cm2]."""
        cumulative = np.concatenate(([0.0], np.cumsum(self.energy_fraction)))
        radii = np.concatenate(([0.0], self.outer_radius_g_cm2))
        return float(np.interp(radius_g_cm2, radii, cumulative))

    @staticmethod
    def water(nuclide: Nuclide) -> PointKernel:
        """Return the kernel in water (PENELOPE 2018, settings in the table's header).

        Raises
        ------
        InputError
            If there is no table for the nuclide.
        """
        return PointKernel.simulated_in(nuclide, WATER)

    @staticmethod
    def simulated_in(nuclide: Nuclide, tissue: Tissue) -> PointKernel:
        """Return the kernel as simulated in a tissue, its mass depth in that tissue.

        Doses are made with the kernel of water scaled by the tissue's depth factor; these are the kernels
        the factors come from (90Y in liver, lung and cortical bone).

        Raises
        ------
        InputError
            If the nuclide was not simulated in the tissue.
        """
        table = _TABLES.get((nuclide.name, tissue))
        if table is None:
            known = ", ".join(t.name for name, t in _TABLES if name == nuclide.name) or "no tissue"
            raise InputError(
                f"There is no dose point kernel for {nuclide.name} in {tissue.name} (only in {known}): scale the "
                "kernel of water by the depth factor of the tissue."
            )
        return _read(f"point_kernel_{nuclide.name}_{table}.csv", nuclide.name, nuclide.total_mev)


@cache
def _read(table: str, nuclide_name: str, total_mev: float) -> PointKernel:
    columns = ("r_outer_g_cm2", "E_MeV_per_decay", "sigma_MeV")
    values = np.array([[float(row[column]) for column in columns] for row in read_rows(table)])
    radius, energy, sigma = values[:, 0].copy(), values[:, 1] / total_mev, values[:, 2] / total_mev
    for array in (radius, energy, sigma):
        array.flags.writeable = False
    return PointKernel(nuclide_name, radius, energy, sigma)
