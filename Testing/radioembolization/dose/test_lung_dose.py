"""Lung dose by shunt and mass: worked examples and the activity it allows."""

import math

import pytest

from radioembolization.dose import STANDARD_LUNG_KG, lung_dose_gy, lung_limited_activity_gbq
from radioembolization.dose.lung_dose import FORMULA_TO_MONTE_CARLO
from radioembolization.errors import InputError

K = 49.67


def test_three_gbq_at_ten_per_cent():
    assert lung_dose_gy(3.0, K, 0.10, STANDARD_LUNG_KG) == pytest.approx(14.90, rel=5e-4)


@pytest.mark.parametrize(("energy", "printed"), [(49.38, 0.6075), (49.67, 0.6040), (50.0, 0.600)])
def test_activity_in_one_kg_of_lung_for_30_gy(energy, printed):
    # Of 1 GBq in the lungs (half of 2 GBq) 30 Gy, for each of the constants in use.
    shunted = 0.5 * lung_limited_activity_gbq(30.0, energy, 0.5, 1.0)
    assert shunted == pytest.approx(printed, rel=5e-4)


def test_glass_bound_by_the_lung():
    assert lung_limited_activity_gbq(30.0, K, 0.18, 1.0) == pytest.approx(3.3555, abs=5e-5)
    assert lung_limited_activity_gbq(30.0, K, 0.18, 0.8) == pytest.approx(2.6844, abs=5e-5)
    assert lung_limited_activity_gbq(25.0, K, 0.18, 1.0) == pytest.approx(2.7962, abs=5e-5)
    assert lung_dose_gy(3.8877, K, 0.13, 1.0) / FORMULA_TO_MONTE_CARLO == pytest.approx(41.8, abs=0.05)


def test_without_shunt_no_lung_dose_and_no_limit():
    assert lung_dose_gy(3.0, K, 0.0, 1.0) == 0.0
    with pytest.raises(InputError, match="limits an activity must be a positive number"):
        lung_limited_activity_gbq(30.0, K, 0.0, 1.0)


@pytest.mark.parametrize(
    "numbers",
    [
        (-1.0, K, 0.1, 1.0),
        (1.0, 0.0, 0.1, 1.0),
        (1.0, K, 18.0, 1.0),
        (1.0, K, 0.1, 0.0),
        (1.0, K, 0.1, math.nan),
        (math.inf, K, 0.1, 1.0),
    ],
)
def test_impossible_numbers_are_refused(numbers):
    for function in (lung_dose_gy, lung_limited_activity_gbq):
        with pytest.raises(InputError):
            function(*numbers)
