"""The blurred sphere: against numerical convolution and limits."""

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.structures.segmentation.blurred_sphere import FWHM_PER_SIGMA, blurred_sphere, surface_share


def test_the_closed_form_is_a_convolution():
    side, radius, fwhm = 0.5, 9.0, 7.0
    axis = np.arange(-50, 51) * side
    distance = np.sqrt(sum(a**2 for a in np.meshgrid(axis, axis, axis, indexing="ij")))
    filled = np.clip((radius - distance) / side + 0.5, 0.0, 1.0)  # partly filled voxels at the surface
    seen = ndimage.gaussian_filter(filled, fwhm / FWHM_PER_SIGMA / side, truncate=6.0)
    # Half a millimetre of voxels widens the blur by 0.1 %.
    np.testing.assert_allclose(seen[50, 50, 50:90], blurred_sphere(axis[50:90], radius, fwhm), atol=2e-3)


def test_it_keeps_the_volume():
    r = np.linspace(0.0, 120.0, 24001)
    integral = np.trapezoid(4.0 * np.pi * r**2 * blurred_sphere(r, 12.0, 10.0), r)
    assert integral == pytest.approx(4.0 / 3.0 * np.pi * 12.0**3, rel=1e-5)


def test_the_share_at_the_surface():
    assert surface_share(500.0, 6.0) == pytest.approx(0.5, abs=0.003)
    # Scaling: only the ratio of radius to resolution counts.
    assert surface_share(7.0, 6.0) == pytest.approx(surface_share(14.0, 12.0))
    assert min(surface_share(r, 10.0) for r in np.arange(2.0, 50.0, 0.1)) == pytest.approx(0.376, abs=0.001)
    # A point seen by the scanner: exp(-R^2 / 2 sigma^2) at a distance R.
    assert surface_share(0.5, 10.0) == pytest.approx(np.exp(-0.5 * (0.5 * FWHM_PER_SIGMA / 10.0) ** 2), rel=1e-3)
    assert surface_share(30.0, 6.0, core_mm=10.0) == pytest.approx(surface_share(30.0, 6.0), rel=1e-3)
