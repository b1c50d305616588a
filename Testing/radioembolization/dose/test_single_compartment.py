"""Single compartment: worked examples, inverse of each other, and what is refused."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.dose import single_compartment_activity_gbq, single_compartment_dose_gy
from radioembolization.errors import InputError

K = 49.67


def test_package_insert_form_with_residual():
    # 120 Gy x 1.5 kg / (50 J/GBq x 0.95 x 0.98) = 3.8668 GBq.
    activity = single_compartment_activity_gbq(120.0, 1.5, 50.0, 0.05, 0.02)
    assert activity == pytest.approx(180.0 / 46.55, rel=1e-12)
    assert activity == pytest.approx(3.867, rel=5e-4)


def test_glass_at_the_shunt_of_spect():
    assert single_compartment_activity_gbq(120.0, 1.4, K, 0.13) == pytest.approx(3.8877, abs=5e-5)


def test_shunt_and_residual_take_from_the_dose():
    without = single_compartment_dose_gy(2.0, 1.0, K)
    assert without == pytest.approx(2.0 * K)
    assert single_compartment_dose_gy(2.0, 1.0, K, 0.2, 0.1) == pytest.approx(without * 0.8 * 0.9)


@settings(deadline=None)
@given(
    dose=st.floats(0.1, 1000.0),
    mass=st.floats(0.01, 5.0),
    shunt=st.floats(0.0, 0.9),
    residual=st.floats(0.0, 0.9),
)
def test_dose_and_activity_are_inverse(dose, mass, shunt, residual):
    activity = single_compartment_activity_gbq(dose, mass, K, shunt, residual)
    assert single_compartment_dose_gy(activity, mass, K, shunt, residual) == pytest.approx(dose, rel=1e-12)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((-1.0, 1.0, K), "Activity must be zero or"),
        ((math.nan, 1.0, K), "Activity must be zero or"),
        ((1.0, 0.0, K), "Perfused mass must be a positive"),
        ((1.0, math.nan, K), "Perfused mass must be a positive"),
        ((1.0, 1.0, 0.0), "Energy per activity must be a positive"),
        ((1.0, 1.0, K, 18.0), "Lung shunt 18 is not in"),
        ((1.0, 1.0, K, 1.0), "Lung shunt 1 is not in"),
        ((1.0, 1.0, K, 0.0, 2.0), "Residual 2 is not in"),
        ((1.0, 1.0, K, 0.0, -0.1), "Residual -0.1 is not in"),
    ],
)
def test_impossible_numbers_are_refused(numbers, message):
    with pytest.raises(InputError, match=message):
        single_compartment_dose_gy(*numbers)
    with pytest.raises(InputError, match=message.replace("Activity", "Dose")):
        single_compartment_activity_gbq(*numbers)
