"""Decay between calibration and injection, and the residual."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.dose import calibrated_activity_gbq, decayed_activity_gbq
from radioembolization.errors import InputError
from radioembolization.physics import HO166, Y90


def test_twenty_hours_of_90y_are_a_fifth():
    assert decayed_activity_gbq(3.0, Y90, 20.0) == pytest.approx(3.0 * (1.0 - 0.1945), rel=1e-4)


def test_decay_per_hour():
    # 1.08 % of 90Y and 2.55 % of 166Ho, printed digits.
    assert 1.0 - decayed_activity_gbq(1.0, Y90, 1.0) == pytest.approx(0.0108, abs=5e-5)
    assert 1.0 - decayed_activity_gbq(1.0, HO166, 1.0) == pytest.approx(0.0255, abs=5e-5)


def test_one_half_life_and_half_left_behind():
    assert calibrated_activity_gbq(1.0, Y90, Y90.half_life_h, 0.5) == pytest.approx(4.0, rel=1e-12)


@settings(deadline=None)
@given(activity=st.floats(0.01, 20.0), hours=st.floats(-200.0, 400.0), residual=st.floats(0.0, 0.9))
def test_calibrated_activity_delivers_what_was_wanted(activity, hours, residual):
    calibrated = calibrated_activity_gbq(activity, Y90, hours, residual)
    assert decayed_activity_gbq(calibrated, Y90, hours) * (1.0 - residual) == pytest.approx(activity, rel=1e-12)


@pytest.mark.parametrize(
    ("activity", "hours", "message"),
    [
        (-1.0, 1.0, "Activity"),
        (math.nan, 1.0, "Activity"),
        (1.0, math.nan, "A time of nan h"),
        (1.0, 1e6, "give hours"),
    ],
)
def test_impossible_numbers_are_refused(activity, hours, message):
    with pytest.raises(InputError, match=message):
        decayed_activity_gbq(activity, Y90, hours)


def test_residual_is_a_fraction():
    with pytest.raises(InputError, match="Residual 2 is not in"):
        calibrated_activity_gbq(1.0, Y90, 0.0, 2.0)
