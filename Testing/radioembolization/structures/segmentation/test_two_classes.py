"""Two overlapping classes: known mixtures are recovered."""

import numpy as np
import pytest

from radioembolization.structures.segmentation.two_classes import two_classes


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_known_mixture_is_recovered(share):
    rng = np.random.default_rng(4)
    upper = int(40000 * share)
    values = np.concatenate([rng.normal(80.0, 12.0, 40000 - upper), rng.normal(160.0, 20.0, upper)])
    found = two_classes(values)
    assert found.means == pytest.approx((80.0, 160.0), abs=2.0)
    assert found.deviations == pytest.approx((12.0, 20.0), abs=2.0)
    assert found.shares[1] == pytest.approx(share, abs=0.01)
    assert found.separation == pytest.approx(80.0 / np.sqrt((12.0**2 + 20.0**2) / 2.0), rel=0.08)
    # Where both densities are equal.
    low = (1.0 - share) / 12.0 * np.exp(-0.5 * ((found.threshold - 80.0) / 12.0) ** 2)
    high = share / 20.0 * np.exp(-0.5 * ((found.threshold - 160.0) / 20.0) ** 2)
    assert low == pytest.approx(high, rel=0.4)  # the densities change 2.3 times within 3 units


def test_one_class_is_not_separated():
    assert two_classes(np.random.default_rng(4).normal(100.0, 10.0, 40000)).separation < 2.0


def test_constant_values_have_no_classes():
    assert two_classes(np.full(100, 3.0)) is None
