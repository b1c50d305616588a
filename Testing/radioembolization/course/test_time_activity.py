"""One time point: closed form, the range of half-lives, and what measurements are refused."""

import math

import numpy as np
import pytest
from scipy import integrate

from radioembolization.course.time_activity import TimeActivity, single_time_point
from radioembolization.errors import HalfLifeError, InputError


@pytest.mark.parametrize("hours", [1.0, 24.0, 96.0, 168.0])
@pytest.mark.parametrize("half_life_h", [30.0, 67.0, 110.0])
def test_an_exponential_is_integrated_exactly_from_any_point(hours, half_life_h):
    rate = math.log(2.0) / half_life_h
    tia = single_time_point(hours, 0.8 * math.exp(-rate * hours), half_life_h)
    area, _ = integrate.quad(lambda t: 0.8 * math.exp(-rate * t), 0.0, np.inf)
    assert tia.gbq_h == pytest.approx(area, rel=1e-9)
    assert (tia.sd_gbq_h, tia.range_gbq_h, tia.effective_half_life_h) == (None, None, half_life_h)


def test_at_one_half_life_it_is_the_rule_of_four_days():
    # 2 t A / ln 2 for T = t.
    assert single_time_point(96.0, 0.1, 96.0).gbq_h == pytest.approx(2.0 * 96.0 * 0.1 / math.log(2.0), rel=1e-12)


def test_uncertainty_is_that_of_a_uniform_half_life():
    rng = np.random.default_rng(4)
    half_lives = rng.uniform(50.0, 110.0, 200_000)
    sampled = 0.2 * 2.0 ** (24.0 / half_lives) * half_lives / math.log(2.0)
    tia = single_time_point(24.0, 0.2, 85.0, (50.0, 110.0))
    # 200 000 samples: standard deviation known to 0.2 %.
    assert tia.sd_gbq_h == pytest.approx(sampled.std(), rel=0.01)
    assert tia.range_gbq_h == pytest.approx((sampled.min(), sampled.max()), rel=1e-3)
    both = single_time_point(24.0, 0.2, 85.0, (50.0, 110.0), sd_gbq=0.02)
    assert both.sd_gbq_h == pytest.approx(math.hypot(tia.sd_gbq_h, 0.1 * tia.gbq_h), rel=1e-12)


def test_the_least_value_may_lie_inside_the_range():
    # t ln 2 = 66.5 h lies between 50 and 110 h.
    low, high = single_time_point(96.0, 1.0, 85.0, (50.0, 110.0)).range_gbq_h
    assert low == pytest.approx(96.0 * math.e, rel=1e-12)  # A e t at T = t ln 2
    assert high == pytest.approx(2.0 ** (96.0 / 110.0) * 110.0 / math.log(2.0), rel=1e-12)


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (HalfLifeError, "longer than the physical", (24.0, 0.1, 161.0)),
        (HalfLifeError, "the range is longer", (24.0, 0.1, 85.0, (50.0, 400.0))),
        (InputError, "outside its own range", (24.0, 0.1, 85.0, (90.0, 110.0))),
        (InputError, "Effective half-life", (24.0, 0.1, 0.0)),
        (InputError, "Activity at 24 h must be zero or a positive", (24.0, -0.1, 67.0)),
        (InputError, "none before it", (-1.0, 0.1, 67.0)),
        (InputError, "are zero", (24.0, 0.0, 67.0)),
    ],
)
def test_bad_single_points_are_refused(error, message, arguments):
    with pytest.raises(error, match=message):
        single_time_point(*arguments)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("do not increase", ((24.0, 4.0), (1.0, 0.5))),
        ("do not increase", ((24.0, 24.0), (1.0, 0.5))),
        ("as many activities", ((24.0, 48.0), (1.0,))),
        ("as many activities", ((), ())),
        ("Activity at 48 h", ((24.0, 48.0), (1.0, -0.01))),
        ("needs its uncertainty", ((24.0, 48.0), (1.0, 0.0))),
        ("each must be a positive", ((24.0, 48.0), (1.0, 0.5), (0.1, 0.0))),
        ("none before it", ((math.nan, 48.0), (1.0, 0.5))),
    ],
)
def test_bad_measurements_are_refused(message, arguments):
    with pytest.raises(InputError, match=message):
        TimeActivity(*arguments)
