"""Equivalent uniform doses: hand-worked halves, bounds, volume weights and extreme numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.biology import (
    bed_gy,
    equivalent_uniform_bed_gy,
    equivalent_uniform_dose_gy,
    generalized_eud_gy,
)
from radioembolization.errors import InputError

LIVER_Y90 = (2.5, 2.5, 64.1)
DOSES = st.lists(st.floats(0.0, 500.0), min_size=1, max_size=20).map(np.array)


def test_generalized_eud_of_two_halves():
    doses = np.array([3.0, 4.0])
    assert generalized_eud_gy(doses, 1.0) == pytest.approx(3.5)
    assert generalized_eud_gy(doses, 2.0) == pytest.approx(math.sqrt(12.5))
    assert generalized_eud_gy(doses, -1.0) == pytest.approx(2.0 / (1.0 / 3.0 + 1.0 / 4.0))


def test_generalized_eud_tends_to_the_extremes_without_overflow():
    doses = np.array([1.0, 50.0, 300.0])
    assert generalized_eud_gy(doses, 5000.0) == pytest.approx(300.0, rel=1e-3)
    assert generalized_eud_gy(doses, -5000.0) == pytest.approx(1.0, rel=1e-3)


def test_a_cold_voxel():
    doses = np.array([0.0, 100.0])
    assert generalized_eud_gy(doses, -10.0) == 0.0
    assert generalized_eud_gy(doses, 2.0) == pytest.approx(100.0 / math.sqrt(2.0))
    assert generalized_eud_gy(np.zeros(3), 2.0) == 0.0
    # Half of the cells survive: EUBED = ln 2 / alpha, whatever the other half receives.
    assert equivalent_uniform_bed_gy(np.array([0.0, 1e6]), 0.3) == pytest.approx(math.log(2.0) / 0.3, rel=1e-12)


def test_uniform_doses_are_their_own_equivalent():
    doses = np.full(7, 123.0)
    assert generalized_eud_gy(doses, -7.0) == pytest.approx(123.0)
    assert equivalent_uniform_bed_gy(doses, 0.35) == pytest.approx(123.0)
    assert equivalent_uniform_dose_gy(doses, 0.35, *LIVER_Y90) == pytest.approx(123.0)


def test_eubed_by_hand():
    # Survival of 10 and 20 Gy at 0.1 /Gy: (exp(-1) + 3 exp(-2)) / 4.
    expected = -10.0 * math.log((math.exp(-1.0) + 3.0 * math.exp(-2.0)) / 4.0)
    assert equivalent_uniform_bed_gy(np.array([10.0, 20.0]), 0.1, np.array([1.0, 3.0])) == pytest.approx(expected)


def test_hardly_sensitive_cells_see_the_mean_and_sensitive_ones_the_coldest():
    beds = np.array([20.0, 80.0, 500.0])
    # Second order: mean - alpha variance / 2, variance (180^2 + 120^2 + 300^2) / 3.
    assert equivalent_uniform_bed_gy(beds, 1e-6) == pytest.approx(200.0 - 0.5e-6 * 45600.0, abs=1e-4)
    assert equivalent_uniform_bed_gy(beds, 100.0) == pytest.approx(20.0 + math.log(3.0) / 100.0, rel=1e-12)
    # exp(-alpha BED) of 1e5 is below the smallest number; the result is not.
    assert equivalent_uniform_bed_gy(beds * 1e4, 0.35) == pytest.approx(2e5 + math.log(3.0) / 0.35, rel=1e-12)


def test_uniform_dose_has_the_same_survival():
    doses = np.array([5.0, 30.0, 60.0, 90.0])
    uniform = equivalent_uniform_dose_gy(doses, 0.02, *LIVER_Y90)
    survival = np.exp(-0.02 * bed_gy(doses, *LIVER_Y90)).mean()
    assert math.exp(-0.02 * bed_gy(uniform, *LIVER_Y90)) == pytest.approx(survival, rel=1e-12)


def test_weights_count_like_repeated_voxels():
    doses, weights = np.array([5.0, 30.0, 60.0]), np.array([2.0, 0.0, 1.0])
    repeated = np.array([5.0, 5.0, 60.0])
    for equivalent in (
        lambda d, w=None: generalized_eud_gy(d, -3.0, w),
        lambda d, w=None: equivalent_uniform_bed_gy(d, 0.1, w),
        lambda d, w=None: equivalent_uniform_dose_gy(d, 0.1, *LIVER_Y90, w),
    ):
        assert equivalent(doses, weights) == pytest.approx(equivalent(repeated), rel=1e-12)
        assert equivalent(doses, 1e-3 * weights) == pytest.approx(equivalent(repeated), rel=1e-12)


@settings(deadline=None)
@given(doses=DOSES, alpha=st.floats(1e-3, 10.0))
def test_equivalent_doses_lie_between_the_lowest_and_the_mean(doses, alpha):
    slack = 1e-9 * doses.max() + 1e-9
    assert doses.min() - slack <= equivalent_uniform_bed_gy(doses, alpha) <= doses.mean() + slack
    # A dose is not more even than its BED: the uniform dose can lie above the mean dose, never above the highest.
    assert doses.min() - slack <= equivalent_uniform_dose_gy(doses, alpha, *LIVER_Y90) <= doses.max() + slack


@settings(deadline=None)
@given(doses=DOSES, low=st.floats(-20.0, 20.0), step=st.floats(0.1, 10.0))
def test_generalized_eud_rises_with_its_exponent(doses, low, step):
    high = low + step
    if min(abs(low), abs(high)) < 0.05:
        return
    below, above = generalized_eud_gy(doses, low), generalized_eud_gy(doses, high)
    assert below <= above * (1.0 + 1e-9) + 1e-9
    assert doses.min() * (1.0 - 1e-9) <= above <= doses.max() * (1.0 + 1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generalized_eud_gy(np.array([1.0]), 0.0), "exponent"),
        (lambda: generalized_eud_gy(np.array([1.0]), math.inf), "exponent"),
        (lambda: generalized_eud_gy(np.array([]), 1.0), "0 doses"),
        (lambda: generalized_eud_gy(np.array([-1.0]), 1.0), "Doses must be"),
        (lambda: equivalent_uniform_bed_gy(np.array([math.nan]), 0.1), "Doses must be"),
        (lambda: equivalent_uniform_bed_gy(np.array([1.0]), 0.0), "alpha must be a positive number"),
        (lambda: equivalent_uniform_bed_gy(np.array([1.0, 2.0]), 0.1, np.array([1.0])), "2 doses and 1 weights"),
        (lambda: equivalent_uniform_bed_gy(np.array([1.0]), 0.1, np.array([0.0])), "Weights must be"),
        (lambda: equivalent_uniform_bed_gy(np.array([1.0]), 0.1, np.array([-1.0])), "Weights must be"),
    ],
)
def test_impossible_numbers_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
