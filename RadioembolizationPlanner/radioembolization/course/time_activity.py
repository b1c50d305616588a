"""Time-integrated activity from measurements after an administration: fits of exponentials, or one time point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.course.uptake import checked_half_life
from radioembolization.errors import InputError
from radioembolization.physics.checked_numbers import not_negative

_LN2 = math.log(2.0)


@dataclass(frozen=True)
class TimeActivity:
    """Measured activity of one region.

    Parameters
    ----------
    hours : tuple of float
        Times after the administration [h], increasing.
    activity_gbq : tuple of float
        Activity in the region at these times, not corrected for decay [GBq].
    sd_gbq : tuple of float, optional
        Standard uncertainty of each [GBq]; without, all have the same unknown relative uncertainty.

    Raises
    ------
    InputError
        If lengths differ, times do not increase from above zero, an activity is negative, or all are zero.
    """

    hours: tuple[float, ...]
    activity_gbq: tuple[float, ...]
    sd_gbq: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        n = len(self.hours)
        if n == 0 or len(self.activity_gbq) != n or (self.sd_gbq is not None and len(self.sd_gbq) != n):
            raise InputError(f"{n} times need as many activities, and as many uncertainties if any: check the lists.")
        if not all(map(math.isfinite, self.hours)) or self.hours[0] < 0.0:
            raise InputError(f"Times {_listed(self.hours)} h: enter hours after the administration, none before it.")
        if any(later <= earlier for earlier, later in zip(self.hours, self.hours[1:], strict=False)):
            raise InputError(f"Times {_listed(self.hours)} h do not increase: put the measurements in order.")
        for hour, activity in zip(self.hours, self.activity_gbq, strict=True):
            not_negative(f"Activity at {hour:g} h", activity, "GBq")
        if not any(self.activity_gbq):
            raise InputError("All measured activities are zero: there is nothing to integrate.")
        self._check_uncertainty()

    def _check_uncertainty(self) -> None:
        if self.sd_gbq is None:
            if not all(self.activity_gbq):
                raise InputError("An activity of zero needs its uncertainty: give it for every time point.")
        elif not all(math.isfinite(sd) and sd > 0.0 for sd in self.sd_gbq):
            raise InputError(f"Uncertainties {_listed(self.sd_gbq)} GBq: each must be a positive number.")


@dataclass(frozen=True)
class TimeIntegratedActivity:
    """Decays in a region from administration to infinity, as activity times time.

    Parameters
    ----------
    gbq_h : float
        [GBq h]; times 3.6e12 the number of decays.
    sd_gbq_h : float or None
        Standard uncertainty [GBq h]; None where the data do not give one.
    effective_half_life_h : float
        ln 2 times the mean time of decay, ``ln 2 int t A dt / int A dt`` [h]; for one exponential its half-life.
    method : str
    range_gbq_h : (float, float) or None
        Least and largest value by the range of an assumed half-life [GBq h].
    """

    gbq_h: float
    sd_gbq_h: float | None
    effective_half_life_h: float
    method: str
    range_gbq_h: tuple[float, float] | None = None

    @property
    def relative_sd(self) -> float | None:
        """Standard uncertainty as a fraction; None where it is not known."""
        return None if self.sd_gbq_h is None else self.sd_gbq_h / self.gbq_h


def single_time_point(
    hours: float,
    activity_gbq: float,
    half_life_h: float,
    half_life_range_h: tuple[float, float] | None = None,
    sd_gbq: float | None = None,
) -> TimeIntegratedActivity:
    """Return the time-integrated activity from one measurement and an assumed effective half-life.

    ``TIA = A(t) 2^(t/T) T / ln 2``, one exponential from the administration on (Madsen et al. 2018,
    10.1002/mp.12886).  As a function of T it is stationary at ``T = t ln 2``, so that a measurement at 1 to 2
    half-lives depends least on T; Haenscheid et al. 2018 (10.2967/jnumed.117.193706) take ``2 t A / ln 2``, this
    value for T = t.

    The range of T is taken as a uniform distribution; its standard deviation and that of the activity are added in
    squares.  Uptake after the administration and several phases are not described.

    Parameters
    ----------
    hours : float
        Time of the measurement after the administration [h].
    activity_gbq : float
        Activity at that time [GBq].
    half_life_h : float
        Assumed effective half-life T [h].
    half_life_range_h : (float, float), optional
        Least and largest half-life that is likely [h]; without it its uncertainty is not included.
    sd_gbq : float, optional
        Standard uncertainty of the activity [GBq].

    Returns
    -------
    TimeIntegratedActivity
        Its uncertainty is None unless the range is given.

    Raises
    ------
    InputError
        If a number is out of its domain, or the range does not hold the half-life.
    HalfLifeError
        If a half-life is longer than the physical one.
    """
    data = TimeActivity((hours,), (activity_gbq,), None if sd_gbq is None else (sd_gbq,))
    value = data.activity_gbq[0] * _hours_per_activity(hours, checked_half_life(half_life_h, "the region"))
    if half_life_range_h is None:
        return TimeIntegratedActivity(value, None, half_life_h, f"one time point, half-life {half_life_h:g} h")
    low, high = _checked_range(half_life_range_h, half_life_h)
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half_lives = low + (high - low) * (nodes + 1.0) / 2.0
    values = activity_gbq * np.array([_hours_per_activity(hours, t) for t in half_lives])
    mean = float(np.sum(values * weights)) / 2.0
    variance = float(np.sum((values - mean) ** 2 * weights)) / 2.0 + (value * (sd_gbq or 0.0) / activity_gbq) ** 2
    stationary = [hours * _LN2] if low < hours * _LN2 < high else []
    extremes = [activity_gbq * _hours_per_activity(hours, t) for t in (low, high, half_life_h, *stationary)]
    method = f"one time point, half-life {half_life_h:g} h ({low:g} to {high:g})"
    return TimeIntegratedActivity(value, math.sqrt(variance), half_life_h, method, (min(extremes), max(extremes)))


def _hours_per_activity(hours: float, half_life_h: float) -> float:
    """Return time-integrated activity over the activity at a time [h]."""
    return float(2.0 ** (hours / half_life_h) * half_life_h / _LN2)


def _checked_range(half_life_range_h: tuple[float, float], half_life_h: float) -> tuple[float, float]:
    low, high = (checked_half_life(end, "the range") for end in half_life_range_h)
    if not low <= half_life_h <= high:
        raise InputError(f"Half-life {half_life_h:g} h is outside its own range {low:g} to {high:g} h.")
    return low, high


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
