"""BSA method of resin microspheres: hand-worked values, its lobar form and the steps of the shunt."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.dose import body_surface_m2, bsa_activity_gbq, modified_bsa_activity_gbq
from radioembolization.dose.body_surface import shunt_reduction
from radioembolization.errors import InputError


def test_body_surface_of_du_bois():
    # The same formula in cm is 0.007184 h^0.725 w^0.425; the rounded constants differ by 2e-5.
    assert body_surface_m2(1.818, 70.7) == pytest.approx(1.907961, abs=5e-7)
    assert body_surface_m2(1.75, 80.0) == pytest.approx(0.007184 * 175.0**0.725 * 80.0**0.425, rel=1e-4)


def test_whole_liver():
    # BSA 1.9561 m2, tumour share 300 / 1800.
    assert bsa_activity_gbq(1.75, 80.0, 300.0, 1800.0) == pytest.approx(1.9561 - 0.2 + 1.0 / 6.0, abs=1e-4)


def test_lobe_is_the_whole_liver_if_it_is_all_of_it():
    whole = bsa_activity_gbq(1.75, 80.0, 300.0, 1800.0, 0.12)
    assert modified_bsa_activity_gbq(1.75, 80.0, 300.0, 1800.0, 1800.0, 0.12) == whole


def test_lobar_form_against_its_other_way_of_writing():
    # (BSA - 0.2) V_lobe / V_liver + V_T,lobe / V_liver.
    surface = body_surface_m2(1.75, 80.0)
    expected = (surface - 0.2) * 1100.0 / 1800.0 + 250.0 / 1800.0
    assert modified_bsa_activity_gbq(1.75, 80.0, 250.0, 1100.0, 1800.0) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("shunt", "reduction"),
    [(0.0, 0.0), (0.10, 0.0), (0.101, 0.2), (0.15, 0.2), (0.151, 0.4), (0.20, 0.4), (0.201, 1.0), (0.9, 1.0)],
)
def test_steps_of_the_shunt(shunt, reduction):
    assert shunt_reduction(shunt) == reduction
    whole = bsa_activity_gbq(1.75, 80.0, 300.0, 1800.0)
    assert bsa_activity_gbq(1.75, 80.0, 300.0, 1800.0, shunt) == pytest.approx(whole * (1.0 - reduction))


@settings(deadline=None)
@given(tumour=st.floats(0.0, 500.0), more=st.floats(1.0, 500.0))
def test_more_tumour_needs_more_activity(tumour, more):
    less, greater = (bsa_activity_gbq(1.7, 70.0, volume, 2000.0) for volume in (tumour, tumour + more))
    assert greater > less


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((175.0, 80.0, 300.0, 1800.0, 1800.0), "Height 175 m is outside"),
        ((math.nan, 80.0, 300.0, 1800.0, 1800.0), "Height nan m"),
        ((1.75, 0.0, 300.0, 1800.0, 1800.0), "Weight 0 kg"),
        ((1.75, 80.0, -1.0, 1800.0, 1800.0), "Tumour volume must be"),
        ((1.75, 80.0, 1900.0, 1800.0, 1800.0), "must not decrease"),
        ((1.75, 80.0, 300.0, 1900.0, 1800.0), "must not decrease"),
        ((1.75, 80.0, 0.0, 0.0, 1800.0), "Lobe volume must be"),
        ((1.75, 80.0, 0.0, 1.0, 0.0), "Liver volume must be"),
        ((1.75, 80.0, 300.0, 1800.0, 1800.0, 12.0), "enter a fraction"),
        ((0.35, 2.0, 0.0, 100.0, 100.0), "so small a body surface"),
    ],
)
def test_impossible_numbers_are_refused(numbers, message):
    with pytest.raises(InputError, match=message):
        modified_bsa_activity_gbq(*numbers)
