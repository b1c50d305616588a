"""Lesions placed by the program, for phantoms and for anatomies without tumours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.errors import StructureError
from radioembolization.images import Grid


@dataclass(frozen=True, eq=False)
class Lesion:
    """One synthetic lesion: an ellipsoid clipped to the liver.

    Parameters
    ----------
    centre_lps_mm : tuple of float
    volume_ml : float
        Volume aimed at [mL].
    mask : ndarray (z, y, x) of bool
    """

    centre_lps_mm: tuple[float, float, float]
    volume_ml: float
    mask: np.ndarray


def place_lesions(
    liver: np.ndarray,
    grid: Grid,
    volumes_ml: tuple[float, ...],
    rng: np.random.Generator,
    regions: tuple[np.ndarray, ...] = (),
    gap_mm: float = 4.0,
) -> tuple[Lesion, ...]:
    """Place ellipsoidal lesions inside a liver, largest first, without touching each other.

    Parameters
    ----------
    liver : ndarray (z, y, x) of bool
    grid : Grid
    volumes_ml : tuple of float
        One lesion each [mL].
    rng : numpy.random.Generator
    regions : tuple of ndarray of bool, optional
        Lesion i is centred in ``regions[i % len(regions)]``, for instance the two lobes.
    gap_mm : float
        Smallest distance between lesions [mm].

    Returns
    -------
    tuple of Lesion
        In the order of ``volumes_ml``.

    Raises
    ------
    StructureError
        If a lesion does not fit.
    """
    depth_mm = ndimage.distance_transform_edt(liver, sampling=grid.spacing_mm)
    free = liver.copy()
    lesions: dict[int, Lesion] = {}
    for index in sorted(range(len(volumes_ml)), key=lambda i: -volumes_ml[i]):
        region = regions[index % len(regions)] if regions else liver
        lesion = _place_one(volumes_ml[index], depth_mm, free & region, free, grid, rng)
        lesions[index] = lesion
        reach = ndimage.distance_transform_edt(~lesion.mask, sampling=grid.spacing_mm)
        free &= reach > gap_mm
    return tuple(lesions[i] for i in range(len(volumes_ml)))


def _place_one(
    volume_ml: float,
    depth_mm: np.ndarray,
    centres: np.ndarray,
    free: np.ndarray,
    grid: Grid,
    rng: np.random.Generator,
) -> Lesion:
    radius_mm = (3.0 * volume_ml * 1000.0 / (4.0 * np.pi)) ** (1.0 / 3.0)
    stretch = rng.uniform(0.85, 1.15, size=3)
    semi_axes = radius_mm * stretch / np.prod(stretch) ** (1.0 / 3.0)
    candidates = np.argwhere(centres & (depth_mm > 0.7 * radius_mm))
    for candidate in candidates[rng.permutation(len(candidates))[:200]]:
        mask = _ellipsoid(grid, candidate, semi_axes)
        kept = mask & free
        if kept.sum() >= 0.97 * mask.sum():
            position = grid.to_lps(candidate)
            return Lesion(tuple(float(p) for p in position), volume_ml, kept)  # type: ignore[arg-type]
    raise StructureError(
        f"A synthetic lesion of {volume_ml:g} mL does not fit into the liver: use fewer or smaller lesions."
    )


def _ellipsoid(grid: Grid, centre_zyx: np.ndarray, semi_axes_mm: np.ndarray) -> np.ndarray:
    mask = np.zeros(grid.shape, dtype=bool)
    spacing = np.array(grid.spacing_mm)
    reach = np.ceil(semi_axes_mm / spacing).astype(int)
    low = np.maximum(0, centre_zyx - reach)
    high = np.minimum(grid.shape, centre_zyx + reach + 1)
    axes = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
    zyx = np.meshgrid(*axes, indexing="ij")
    distance = sum(((x - c) * s / a) ** 2 for x, c, s, a in zip(zyx, centre_zyx, spacing, semi_axes_mm, strict=True))
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = distance <= 1.0
    return mask
