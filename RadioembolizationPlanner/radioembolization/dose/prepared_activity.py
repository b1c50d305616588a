"""Activity between calibration and injection, and what stays in the delivery set."""

from __future__ import annotations

import math

from radioembolization.errors import InputError
from radioembolization.physics import Nuclide, decay_factor
from radioembolization.physics.checked_numbers import not_negative, share_below_one

#: Decay by more half-lives than this is taken for a mistake in the time.
_MOST_HALF_LIVES = 100.0


def decayed_activity_gbq(activity_gbq: float, nuclide: Nuclide, elapsed_h: float) -> float:
    """Return the activity after a time [GBq], ``A 2^(-t / T)``.

    Parameters
    ----------
    activity_gbq : float
        Activity at the stated time, such as that of calibration [GBq].
    nuclide : Nuclide
    elapsed_h : float
        Time after it [h]; negative for an earlier one.

    Raises
    ------
    InputError
        If the activity is negative, or the time is not a number or longer than 100 half-lives.
    """
    not_negative("Activity", activity_gbq, "GBq")
    if not (math.isfinite(elapsed_h) and abs(elapsed_h) <= _MOST_HALF_LIVES * nuclide.half_life_h):
        raise InputError(
            f"A time of {elapsed_h:g} h is not within {_MOST_HALF_LIVES:g} half-lives of {nuclide.name} "
            f"({nuclide.half_life_h:g} h): give hours."
        )
    return activity_gbq * decay_factor(nuclide, elapsed_h)


def calibrated_activity_gbq(delivered_gbq: float, nuclide: Nuclide, elapsed_h: float, residual: float = 0.0) -> float:
    """Return the activity at calibration for an activity delivered later [GBq], ``A 2^(t / T) / (1 - R)``.

    Parameters
    ----------
    delivered_gbq : float
        Activity that is to reach the patient [GBq].
    nuclide : Nuclide
    elapsed_h : float
        Time from calibration to injection [h].
    residual : float
        Fraction R of the prepared activity that stays in vial and catheter, in [0, 1).

    Raises
    ------
    InputError
        As for ``decayed_activity_gbq``, and for a residual outside its range.
    """
    prepared = not_negative("Activity", delivered_gbq, "GBq") / (1.0 - share_below_one("Residual", residual))
    return decayed_activity_gbq(prepared, nuclide, -elapsed_h)
