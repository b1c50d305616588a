"""Emission images of one sphere in a uniform background, as a scanner with known resolution and noise sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.images import Grid, Unit, Volume
from radioembolization.structures.segmentation.blurred_sphere import FWHM_PER_SIGMA, blurred_sphere

#: Distance of the image's border from the surface of the sphere, beside the resolution [mm].
_MARGIN_MM = 22.0


@dataclass(frozen=True)
class Scanner:
    """Resolution, voxels and noise of an emission image.

    Parameters
    ----------
    name : str
    fwhm_mm : float
        Resolution of the image: that of the detector and of the filter together.
    filter_fwhm_mm : float
        Gaussian filter after reconstruction, which correlates the noise.
    spacing_mm : tuple of float
        (z, y, x).
    background_counts : float
        Counts per voxel of the background before the filter.
    """

    name: str
    fwhm_mm: float
    filter_fwhm_mm: float
    spacing_mm: tuple[float, float, float]
    background_counts: float


#: Both have noise of 10 % (one standard deviation) in the background.
PET = Scanner("PET", 6.0, 4.0, (3.0, 3.0, 3.0), 12.0)
SPECT = Scanner("SPECT", 14.0, 8.0, (4.8, 4.8, 4.8), 6.0)


def image_of_sphere(
    scanner: Scanner, diameter_mm: float, contrast: float, rng: np.random.Generator | None
) -> tuple[Volume, tuple[float, float, float]]:
    """Return an image and the centre (x, y, z) [mm] of its sphere, which lies anywhere within a voxel.

    Parameters
    ----------
    scanner : Scanner
    diameter_mm : float
    contrast : float
        Ratio of the sphere to the background.
    rng : numpy.random.Generator, optional
        Moves the sphere and makes Poisson noise; None: centred, without noise, and as if filtered.
    """
    side_mm = diameter_mm + 2.0 * (scanner.fwhm_mm + _MARGIN_MM)
    shape = tuple(2 * int(side_mm / 2.0 / s) + 1 for s in scanner.spacing_mm)
    spacing = np.array(scanner.spacing_mm)
    grid = Grid(shape, scanner.spacing_mm, tuple(-(np.array(shape) // 2 * spacing)[::-1]))
    centre = np.zeros(3) if rng is None else rng.uniform(-0.5, 0.5, 3) * spacing[::-1]
    distance = np.linalg.norm(grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)) - centre, axis=-1)
    detector_mm = np.sqrt(scanner.fwhm_mm**2 - scanner.filter_fwhm_mm**2) if rng is not None else scanner.fwhm_mm
    sphere = blurred_sphere(distance, diameter_mm / 2.0, float(detector_mm))
    counts = scanner.background_counts * (1.0 + (contrast - 1.0) * sphere)
    if rng is not None:
        sigma = scanner.filter_fwhm_mm / FWHM_PER_SIGMA / spacing
        counts = ndimage.gaussian_filter(rng.poisson(counts).astype(float), sigma, mode="nearest")
    return Volume(counts.astype(np.float32), grid, Unit.COUNTS), tuple(float(c) for c in centre)
