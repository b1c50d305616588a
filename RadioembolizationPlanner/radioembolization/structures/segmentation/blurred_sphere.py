"""A uniform sphere seen by a scanner with Gaussian resolution, in closed form."""

from __future__ import annotations

import numpy as np
from scipy.special import erf

#: Full width at half maximum of a Gaussian in standard deviations.
FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
#: Shells for the mean of a ball.
_SHELLS = 64


def blurred_sphere(distance_mm: np.ndarray, radius_mm: float, fwhm_mm: float) -> np.ndarray:
    """Return the image of a sphere of height 1 without background, at distances from its centre.

    ``1/2 [erf((r + R) / s) - erf((r - R) / s)] - s / (2 r sqrt(pi)) [exp(-(r - R)^2 / s^2) - exp(-(r + R)^2 / s^2)]``
    with ``s = sigma sqrt(2)``: the convolution of a ball with a Gaussian.

    Parameters
    ----------
    distance_mm : ndarray
        From the centre [mm].
    radius_mm : float
    fwhm_mm : float
        Full width at half maximum of the scanner [mm].
    """
    s = fwhm_mm / FWHM_PER_SIGMA * np.sqrt(2.0)
    r = np.maximum(np.asarray(distance_mm, dtype=float), 1e-3 * s)  # the limit at the centre, to 1e-6
    step = 0.5 * (erf((r + radius_mm) / s) - erf((r - radius_mm) / s))
    curved = (
        s / (2.0 * r * np.sqrt(np.pi)) * (np.exp(-(((r - radius_mm) / s) ** 2)) - np.exp(-(((r + radius_mm) / s) ** 2)))
    )
    return step - curved


def surface_share(radius_mm: float, fwhm_mm: float, core_mm: float = 0.0) -> float:
    """Return what a blurred sphere has at its true surface, as a share of the mean of a ball around its centre.

    Towards 1/2 for spheres much larger than the resolution, down to 0.376 at a radius of 1.16 times the resolution, and
    up to 1 for smaller ones, whose centre loses.

    Parameters
    ----------
    radius_mm, fwhm_mm : float
    core_mm : float
        Radius of the ball [mm]; 0: the centre itself.
    """
    thirds = (np.arange(_SHELLS) + 0.5) / _SHELLS  # shells of equal volume
    core = blurred_sphere(core_mm * np.cbrt(thirds), radius_mm, fwhm_mm).mean()
    return float(blurred_sphere(np.array([radius_mm]), radius_mm, fwhm_mm)[0] / core)


def mean_recovery(volume_ml: float, fwhm_mm: float) -> float:
    """Return the share of its contrast that a sphere keeps on average over its own volume when it is blurred.

    Parameters
    ----------
    volume_ml : float
        Of the sphere [mL].
    fwhm_mm : float
        Full width at half maximum of the scanner [mm].
    """
    radius_mm = np.cbrt(3000.0 * volume_ml / (4.0 * np.pi))
    if fwhm_mm == 0.0:
        return 1.0
    shells = radius_mm * np.cbrt((np.arange(_SHELLS) + 0.5) / _SHELLS)  # of equal volume
    return float(blurred_sphere(shells, radius_mm, fwhm_mm).mean())
