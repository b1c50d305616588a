"""Numbers are accepted in their domain and refused, with name and unit, outside it."""

import math

import pytest

from radioembolization.errors import InputError
from radioembolization.physics.checked_numbers import not_negative, positive, share_below_one


def test_numbers_in_their_domain_come_back_unchanged():
    assert positive("Mass", 1e-12, "kg") == 1e-12
    assert not_negative("Dose", 0.0, "Gy") == 0.0
    assert share_below_one("Shunt", 0.0) == 0.0
    assert share_below_one("Shunt", 0.999) == 0.999


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_positive_refuses(value):
    with pytest.raises(InputError, match=f"Mass must be a positive number, not {value:g} kg"):
        positive("Mass", value, "kg")


@pytest.mark.parametrize("value", [-1e-9, math.nan, math.inf])
def test_not_negative_refuses(value):
    with pytest.raises(InputError, match="Dose must be zero or a positive number"):
        not_negative("Dose", value, "Gy")


@pytest.mark.parametrize("value", [-0.01, 1.0, 6.0, math.nan])
def test_a_share_is_a_fraction_below_one(value):
    with pytest.raises(InputError, match=r"not in \[0, 1\): enter a fraction, not per cent"):
        share_below_one("Lung shunt", value)


def test_a_number_without_a_unit_is_printed_without_a_space_before_the_stop():
    with pytest.raises(InputError, match=r"not -3\.$"):
        positive("Ratio", -3.0, "")
