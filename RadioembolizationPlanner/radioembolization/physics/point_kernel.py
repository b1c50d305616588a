"""Radial dose point kernels in water, read from tables of our own Monte Carlo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from radioembolization.errors import InputError
from radioembolization.physics.nuclide import Nuclide


@dataclass(frozen=True)
class PointKernel:
    """Energy absorbed around a point source in an infinite homogeneous medium.

    Parameters
    ----------
    nuclide_name : str
    outer_radius_g_cm2 : ndarray (shells,)
        Outer radius of each spherical shell as mass depth [g/cm2].
    energy_fraction : ndarray (shells,)
        Energy absorbed in each shell as a fraction of all emitted energy (electrons and photons of
        ICRP-107); the sum is below one by what leaves the outermost shell.
    """

    nuclide_name: str
    outer_radius_g_cm2: np.ndarray
    energy_fraction: np.ndarray

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
        return _read(nuclide.name, nuclide.total_mev)


@cache
def _read(nuclide_name: str, total_mev: float) -> PointKernel:
    table = resources.files(__package__).joinpath(f"data/point_kernel_{nuclide_name}_water.csv")
    if not table.is_file():
        raise InputError(f"There is no dose point kernel for {nuclide_name}.")
    lines = [line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    values = np.array([[float(cell) for cell in line.split(",")[:2]] for line in lines[1:]])
    return PointKernel(nuclide_name, values[:, 0], values[:, 1] / total_mev)
