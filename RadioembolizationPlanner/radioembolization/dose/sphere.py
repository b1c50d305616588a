"""Self dose of a uniform sphere: the organ-level expectation that a voxel dose is held against."""

from __future__ import annotations

import math

import numpy as np

from radioembolization.physics import SOFT_TISSUE, Nuclide, PointKernel, Tissue
from radioembolization.physics.checked_numbers import not_negative, positive
from radioembolization.physics.nuclide import JOULE_PER_MEV


def sphere_absorbed_share(nuclide: Nuclide, mass_kg: float, density_g_per_cm3: float = 1.04) -> float:
    """Return the share of the emitted energy that a uniform sphere in soft tissue absorbs itself.

    ``sum_shells e_i <P(r)>`` with e the energy share of each shell of the point kernel, electrons and photons, and
    ``P(r) = 1 - 3 r / 4 R + r^3 / 16 R^3`` (zero beyond 2 R) the share of point pairs at distance r of which both
    lie in the sphere, averaged over the shell in closed form.  Surroundings of the same density.

    Parameters
    ----------
    nuclide : Nuclide
    mass_kg : float
    density_g_per_cm3 : float

    Raises
    ------
    InputError
        If mass or density is not a positive number.
    """
    return _share(nuclide, _radius_g_cm2(mass_kg, density_g_per_cm3, SOFT_TISSUE))


def sphere_dose_gy(
    nuclide: Nuclide,
    time_integrated_gbq_h: float,
    mass_kg: float,
    energy_mev: float,
    density_g_per_cm3: float = 1.04,
) -> float:
    """Return the self dose of a mass with an even time-integrated activity, as if it were a sphere.

    ``D = TIA E phi / m``: number of decays, emitted energy, absorbed share, mass (MIRD schema).  The shape matters
    little: organs absorb nearly all electrons, and photons carry a fifth of the energy of 177Lu, most of it out.

    Parameters
    ----------
    nuclide : Nuclide
    time_integrated_gbq_h : float
        Time-integrated activity TIA [GBq h].
    mass_kg : float
    energy_mev : float
        Emitted energy per decay E [MeV], from ``nuclide.energy_mev(convention)``.
    density_g_per_cm3 : float

    Raises
    ------
    InputError
        If the activity is negative, or another number is not positive.
    """
    tia = not_negative("Time-integrated activity", time_integrated_gbq_h, "GBq h")
    share = sphere_absorbed_share(nuclide, mass_kg, density_g_per_cm3)
    return tia * 3600e9 * positive("Energy per decay", energy_mev, "MeV") * JOULE_PER_MEV * share / mass_kg


def _radius_g_cm2(mass_kg: float, density_g_per_cm3: float, tissue: Tissue) -> float:
    """Return the radius as mass depth in water [g/cm2]."""
    density = positive("Density", density_g_per_cm3, "g/cm3")
    cm = math.cbrt(3.0 * positive("Mass", mass_kg, "kg") * 1000.0 / (4.0 * math.pi * density))
    return cm * density * tissue.depth_factor


def _share(nuclide: Nuclide, radius: float) -> float:
    kernel = PointKernel.water(nuclide)
    inner = np.minimum(kernel.inner_radius_g_cm2, 2.0 * radius)
    outer = np.minimum(kernel.outer_radius_g_cm2, 2.0 * radius)

    def integral(r: np.ndarray) -> np.ndarray:
        return r - 3.0 * r**2 / (8.0 * radius) + r**4 / (64.0 * radius**3)

    width = kernel.outer_radius_g_cm2 - kernel.inner_radius_g_cm2
    return float(np.sum(kernel.energy_fraction * (integral(outer) - integral(inner)) / width))
