"""The HU of a patient's liver, whatever phase or dose, and what they say about each voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.errors import ImageError, StructureError
from radioembolization.structures.segmentation.cavity import Cavity
from radioembolization.structures.segmentation.ct_image import WorkingCt

#: Livers lie in this range, from severe steatosis to late arterial phase [HU]; histograms have bins of the second.
_LIVER_HU, _BIN_HU = (-20.0, 220.0), 2.0
#: Smoothing of histograms [HU], and largest change between voxels inside a homogeneous organ [HU per voxel].
_SMOOTH_HU, _FLAT_HU = 6.0, 6.0
#: The liver lies within this below the top of the right diaphragm [mm].
_BELOW_DOME_MM = 200.0
#: Values this near the mode belong to it; the least standard deviation after smoothing [HU].
_NEAR_HU, _LEAST_SD_HU = 25.0, 6.0
#: Radius around a seed of which the HU is taken [mm].
_SEED_MM = 6.0
#: Share of liver among the homogeneous voxels at its mode, and outside which deviation nothing is liver.
_MOST_LIVER, _WIDEST = 0.95, 3.0


@dataclass(frozen=True)
class LiverHu:
    """Mode and standard deviation of the HU of the liver after smoothing."""

    mode: float
    sd: float


def estimate_liver_hu(work: WorkingCt, cavity: Cavity, seeds_lps_mm: Sequence[tuple[float, float, float]]) -> LiverHu:
    """Return the HU of most homogeneous tissue in the right upper abdomen, or around the seeds.

    Raises
    ------
    StructureError
        If no homogeneous tissue is there.
    ImageError
        If a seed is outside the image.
    """
    where = seed_balls(work, seeds_lps_mm, _SEED_MM) if seeds_lps_mm else _right_upper_abdomen(work, cavity)
    flat = ndimage.gaussian_gradient_magnitude(cavity.smoothed, 1.0) < _FLAT_HU
    values = cavity.smoothed[where & (flat | bool(seeds_lps_mm))]
    values = values[(values > _LIVER_HU[0]) & (values < _LIVER_HU[1])]
    if values.size == 0:
        raise StructureError(
            "No liver was found: no soft tissue is where it should be. Check that the CT shows the upper abdomen."
        )
    counts, edges = _histogram(values)
    mode = float(edges[counts.argmax()] + _BIN_HU / 2.0)
    near = values[np.abs(values - mode) < _NEAR_HU]
    return LiverHu(mode, max(_LEAST_SD_HU, 1.4826 * float(np.median(np.abs(near - mode)))))


def liver_prior(cavity: Cavity, liver: LiverHu) -> np.ndarray:
    """Return the probability (z, y, x) of being liver by HU: the share the liver has of all tissue of that HU."""
    values = cavity.smoothed[cavity.mask]
    counts, edges = _histogram(values)
    centres = edges[:-1] + _BIN_HU / 2.0
    peak = np.interp(liver.mode, centres, counts)
    gauss = np.exp(-(((centres - liver.mode) / liver.sd) ** 2) / 2.0)
    gauss[np.abs(centres - liver.mode) > _WIDEST * liver.sd] = 0.0
    share = np.minimum(_MOST_LIVER, _MOST_LIVER * gauss * peak / np.maximum(counts, 1e-9))
    prior = np.interp(cavity.smoothed, centres, share, left=0.0, right=0.0)
    return np.where(cavity.mask, prior, 0.0)


def _histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    counts, edges = np.histogram(values, bins=np.arange(_LIVER_HU[0], _LIVER_HU[1] + _BIN_HU, _BIN_HU))
    return ndimage.gaussian_filter1d(counts.astype(float), _SMOOTH_HU / _BIN_HU), edges


def _right_upper_abdomen(work: WorkingCt, cavity: Cavity) -> np.ndarray:
    where = cavity.mask & cavity.right
    if cavity.dome_index is None:
        return where
    lowest = cavity.dome_index - _BELOW_DOME_MM / work.grid.spacing_mm[0]
    return where & (np.arange(where.shape[0]) > lowest)[:, None, None]


def check_seeds(work: WorkingCt, seeds_lps_mm: Sequence[tuple[float, float, float]]) -> None:
    """Refuse seeds (LPS) [mm] outside the image.

    Raises
    ------
    ImageError
        Names the seed.
    """
    for seed in seeds_lps_mm:
        nearest = np.rint(work.grid.to_index(np.array(seed, dtype=float))).astype(int)
        if np.any(nearest < 0) or np.any(nearest >= work.grid.shape) or not work.covered[tuple(nearest)]:
            raise ImageError(f"The seed at LPS {tuple(seed)} mm lies outside the CT: place it inside the liver.")


def seed_balls(work: WorkingCt, seeds_lps_mm: Sequence[tuple[float, float, float]], radius_mm: float) -> np.ndarray:
    """Return the voxels (z, y, x) of the working grid within a radius of any seed; errors as of ``check_seeds``."""
    check_seeds(work, seeds_lps_mm)
    balls = np.zeros(work.grid.shape, dtype=bool)
    indices = np.indices(work.grid.shape, sparse=True)
    for seed in seeds_lps_mm:
        centre = work.grid.to_index(np.array(seed, dtype=float))
        square = sum((axis - c) ** 2 for axis, c in zip(indices, centre, strict=True))
        balls |= square * work.grid.spacing_mm[0] ** 2 <= radius_mm**2
    return balls
