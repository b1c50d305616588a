"""Microspheres are whole: how many come to rest in a voxel, drawn at random around what is expected.

Each sphere is taken to lodge on its own, with the probability of the activity map, so that counts are Poisson.  Spheres
that travel together and vessels that take unequal parts make real distributions more uneven (Walrand 2014,
10.2967/jnumed.113.126839): what is drawn here is the least that must be expected.  The total varies too, by one over
the square root of all spheres, far below the error of any assay.
"""

from __future__ import annotations

import numpy as np

from radioembolization.errors import InputError
from radioembolization.territories.perfusion import Territories


def expected_spheres(territories: Territories, activities_gbq: np.ndarray, bq_per_sphere: float) -> np.ndarray:
    """Return the expected number of microspheres (z, y, x) per voxel, in liver and drawn organs.

    Parameters
    ----------
    territories : Territories
    activities_gbq : ndarray (sites,)
    bq_per_sphere : float
        Activity of one microsphere when it is injected [Bq].

    Raises
    ------
    InputError
        If an activity is negative or no number, or that of a sphere is not positive.
    """
    activities = np.asarray(activities_gbq, dtype=float)
    if activities.shape != (len(territories.sites),) or not np.all((activities >= 0) & np.isfinite(activities)):
        raise InputError(f"Microspheres need one activity of zero or more for each of {len(territories.sites)} sites.")
    if not (np.isfinite(bq_per_sphere) and bq_per_sphere > 0):
        raise InputError(f"A microsphere of {bq_per_sphere:g} Bq: give its activity in Bq, for glass about 2500.")
    return territories.combined(activities) * (1e9 / bq_per_sphere)


def drawn(
    territories: Territories, activities_gbq: np.ndarray, bq_per_sphere: float, rng: np.random.Generator
) -> np.ndarray:
    """Return one possible activity per voxel [GBq] (z, y, x): whole microspheres, Poisson around what is expected.

    Parameters
    ----------
    territories : Territories
    activities_gbq : ndarray (sites,)
    bq_per_sphere : float
    rng : numpy.random.Generator
    """
    return drawn_around(expected_spheres(territories, activities_gbq, bq_per_sphere), bq_per_sphere, rng)


def drawn_around(spheres: np.ndarray, bq_per_sphere: float, rng: np.random.Generator) -> np.ndarray:
    """Return one possible activity per voxel [GBq] around expected numbers of microspheres per voxel."""
    return rng.poisson(spheres) * (bq_per_sphere * 1e-9)


def expected_variation(territories: Territories, activities_gbq: np.ndarray, bq_per_sphere: float) -> np.ndarray:
    """Return the coefficient of variation (z, y, x) of the activity of a voxel: ``1 / sqrt(spheres)``.

    Infinite where none is expected.  The dose of a voxel varies less, since electrons reach several millimetres.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / np.sqrt(expected_spheres(territories, activities_gbq, bq_per_sphere)))
