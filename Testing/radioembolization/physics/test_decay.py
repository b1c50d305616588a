"""Decay against half-lives and the losses quoted in clinical practice."""

import pytest

from radioembolization.physics import HO166, Y90, decay_factor


@pytest.mark.parametrize("nuclide", [Y90, HO166])
def test_half_is_left_after_one_half_life(nuclide):
    assert decay_factor(nuclide, nuclide.half_life_h) == pytest.approx(0.5, rel=1e-14)
    assert decay_factor(nuclide, 0.0) == 1.0


@pytest.mark.parametrize(
    ("nuclide", "hours", "lost"),
    [(Y90, 1.0, 0.0108), (HO166, 1.0, 0.0255), (Y90, 20.0, 0.194)],
)
def test_published_losses(nuclide, hours, lost):
    # Per hour 1.08 % and 2.55 %, and 19.4 % of 90Y in 20 h: half of the last printed digit.
    assert 1.0 - decay_factor(nuclide, hours) == pytest.approx(lost, abs=5e-5 if hours == 1.0 else 5e-4)


def test_an_earlier_time_has_more_activity():
    assert decay_factor(Y90, -64.1) == pytest.approx(2.0, rel=1e-12)
    assert decay_factor(Y90, -7.0) * decay_factor(Y90, 7.0) == pytest.approx(1.0, rel=1e-14)
