"""Digits and signs as they are printed."""

import pytest

from radioembolization.report import formats


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.61149, "0.611"),
        (0.99996, "1.00"),
        (9.996, "10.0"),
        (12.345, "12.3"),
        (12345.6, "12346"),  # digits before the point are kept
        (0.00012345, "0.000123"),
        (-2.345, "-2.35"),
        (0.0, "0"),
    ],
)
def test_significant_digits_without_exponent(value, printed):
    assert formats.significant(value, 3) == printed


@pytest.mark.parametrize(("value", "printed"), [(-0.04, "0.0"), (0.05, "0.1"), (104.96, "105.0")])
def test_doses_have_one_decimal_and_no_negative_zero(value, printed):
    assert formats.gy(value) == printed


@pytest.mark.parametrize(("value", "printed"), [(2.634, "+2.6"), (-0.012, "-0.012"), (0.0, "0"), (0.0512, "+0.051")])
def test_changes_carry_their_sign(value, printed):
    assert formats.signed(value, 2) == printed


def test_units_set_scale_and_digits():
    assert formats.percent(0.05) == "5.0"
    assert formats.millions(30.842e6) == "30.8"
    assert formats.grams(0.01393) == "13.9"
    assert formats.in_unit(40.04, "Gy") == "40.0"
    assert formats.in_unit(0.6049, "GBq") == "0.605"
    assert formats.in_unit(2.0, "sites") == "2"


@pytest.mark.parametrize(
    ("share", "printed"), [(0.0, "< 0.0001"), (9e-7, "< 0.0001"), (1.23e-4, "0.012"), (0.05, "5.0")]
)
def test_a_gap_too_small_to_print_is_bounded(share, printed):
    assert formats.small_percent(share) == printed
