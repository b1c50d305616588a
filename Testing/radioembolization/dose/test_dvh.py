"""Dose-volume figures by hand."""

import numpy as np
import pytest

from radioembolization.dose import dose_at_volume_share, dose_volume_histogram

DOSES = np.array([50.0, 10.0, 40.0, 20.0, 30.0, 0.0, 60.0, 100.0, 80.0, 70.0, 90.0])  # 0 to 100 in tens


@pytest.mark.parametrize(
    ("share", "gy"), [(0.70, 30.0), (0.95, 5.0), (0.50, 50.0), (0.10, 90.0), (1.0, 0.0), (0.0, 100.0), (0.65, 35.0)]
)
def test_dose_that_a_share_of_the_volume_receives_at_least(share, gy):
    # Eleven voxels 10 Gy apart: a share x of the volume lies above the dose 100 (1 - x), interpolated.
    assert dose_at_volume_share(DOSES, share) == pytest.approx(gy)


def test_d70_is_below_the_median_and_d95_lower_still():
    doses = np.random.default_rng(0).gamma(2.0, 30.0, 5000)
    d95, d70, d50 = (dose_at_volume_share(doses, share) for share in (0.95, 0.70, 0.50))
    assert d95 < d70 < d50
    assert np.mean(doses >= d70) == pytest.approx(0.70, abs=1e-3)
    assert np.mean(doses >= d95) == pytest.approx(0.95, abs=1e-3)


def test_histogram_is_the_share_that_receives_at_least_a_dose():
    histogram = dose_volume_histogram(np.array([10.0, 10.0, 20.0, 40.0]), points=5)
    np.testing.assert_allclose(histogram.dose_gy, [0.0, 10.0, 20.0, 30.0, 40.0])
    np.testing.assert_allclose(histogram.volume_share, [1.0, 1.0, 0.5, 0.25, 0.25])


def test_histogram_falls_from_one_and_its_area_is_the_mean():
    doses = np.random.default_rng(1).gamma(3.0, 20.0, 2000)
    histogram = dose_volume_histogram(doses, points=2001)
    assert histogram.volume_share[0] == 1.0
    assert np.all(np.diff(histogram.volume_share) <= 0.0)
    assert histogram.volume_share[-1] == pytest.approx(1.0 / 2000)
    # Trapezoids of 1/2000 of the maximum.
    area = np.trapezoid(histogram.volume_share, histogram.dose_gy)
    assert area == pytest.approx(doses.mean(), rel=1e-3)
