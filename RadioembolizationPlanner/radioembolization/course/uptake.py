"""Dose per activity of 177Lu-DOTATATE in organs and lesions, and the dose of each cycle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from radioembolization.errors import HalfLifeError, InputError
from radioembolization.physics import LU177, Sourced
from radioembolization.physics.checked_numbers import not_negative, positive

#: Activity of the usual cycle [GBq]; ranges of dose are quoted for it.
CYCLE_GBQ = 7.4
#: One cycle with more activity [GBq] has not been given: the number is in another unit.
_MOST_GBQ = 50.0


class Origin(StrEnum):
    """Where the uptake of a region comes from."""

    POPULATION = "population"
    PATIENT = "patient"
    ENTERED = "entered"


@dataclass(frozen=True)
class RegionUptake:
    """What one GBq of 177Lu gives to an organ or lesion.

    Parameters
    ----------
    region : str
        Name of the structure.
    gy_per_gbq : Sourced of float
        Mean absorbed dose per administered activity in the first cycle [Gy/GBq].
    effective_half_life_h : Sourced of float
        Half-life of the dose rate [h].
    range_gy_per_gbq : (float, float) or None
        Least and largest value that a source gives [Gy/GBq]; stress a plan with it.
    change_per_cycle : float
        Change of the uptake from one cycle to the next, -0.14 for 14 % less; 0 for organs.
    origin : Origin
    sd_gy_per_gbq : float or None
        Standard uncertainty [Gy/GBq]; None where it is not known.

    Raises
    ------
    InputError
        If a number is out of its domain.
    HalfLifeError
        If the half-life is longer than the physical one.
    """

    region: str
    gy_per_gbq: Sourced[float]
    effective_half_life_h: Sourced[float]
    range_gy_per_gbq: tuple[float, float] | None = None
    change_per_cycle: float = 0.0
    origin: Origin = Origin.ENTERED
    sd_gy_per_gbq: float | None = None

    def __post_init__(self) -> None:
        not_negative(f"Dose of '{self.region}' per activity", self.gy_per_gbq.value, "Gy/GBq")
        checked_half_life(self.effective_half_life_h.value, f"'{self.region}'")
        if not -1.0 < self.change_per_cycle < 1.0:
            raise InputError(
                f"Change of uptake per cycle of '{self.region}' is {self.change_per_cycle:g}: enter a fraction between "
                "-1 and 1, such as -0.14 for 14 % less."
            )
        if self.range_gy_per_gbq is not None and not 0.0 <= self.range_gy_per_gbq[0] <= self.range_gy_per_gbq[1]:
            raise InputError(f"Range {self.range_gy_per_gbq} Gy/GBq of '{self.region}': enter the lower end first.")


def checked_half_life(half_life_h: float, of: str) -> float:
    """Return an effective half-life of 177Lu [h]; refuse one that physical decay does not allow.

    Raises
    ------
    InputError
        If it is not a positive number.
    HalfLifeError
        If it is longer than the physical half-life.
    """
    positive(f"Effective half-life of {of}", half_life_h, "h")
    if half_life_h > LU177.half_life_h * (1.0 + 1e-6):
        raise HalfLifeError(
            f"Effective half-life {half_life_h:g} h of {of} is longer than the physical {LU177.half_life_h:.1f} h of "
            "177Lu, which activity cannot outlive: enter the effective half-life in hours, not the biological one."
        )
    return half_life_h


def checked_cycle_gbq(activity_gbq: float) -> float:
    """Return the activity of one cycle [GBq]; refuse one in another unit.

    Raises
    ------
    InputError
        If it is not positive, or more than 50 GBq.
    """
    positive("Activity of a cycle", activity_gbq, "GBq")
    if activity_gbq > _MOST_GBQ:
        raise InputError(
            f"Activity {activity_gbq:g} GBq in one cycle of 177Lu is beyond any treatment (usual {CYCLE_GBQ:g}): enter "
            f"GBq; {activity_gbq:g} MBq are {activity_gbq / 1000.0:g} GBq."
        )
    return activity_gbq


def cycle_doses_gy(uptake: RegionUptake, cycle_number: int, activity_gbq: float) -> float:
    """Return the mean dose of a region in one cycle [Gy].

    ``D_n = u A (1 + c)^(n - 1)`` with the uptake u of the first cycle and its change c per cycle.

    Parameters
    ----------
    uptake : RegionUptake
    cycle_number : int
        Number of the cycle, the first is 1.
    activity_gbq : float
        Administered in that cycle [GBq].

    Raises
    ------
    InputError
        If the cycle is below 1 or the activity is not that of a cycle.
    """
    return uptake.gy_per_gbq.value * _activity_of_first_uptake(uptake, cycle_number, activity_gbq)


def cycle_dose_range_gy(uptake: RegionUptake, cycle_number: int, activity_gbq: float) -> tuple[float, float] | None:
    """Return the least and largest dose of a region in one cycle [Gy] by the range of its uptake; None without one."""
    if uptake.range_gy_per_gbq is None:
        return None
    low, high = uptake.range_gy_per_gbq
    scale = _activity_of_first_uptake(uptake, cycle_number, activity_gbq)
    return low * scale, high * scale


def _activity_of_first_uptake(uptake: RegionUptake, cycle_number: int, activity_gbq: float) -> float:
    if cycle_number != int(cycle_number) or cycle_number < 1:
        raise InputError(f"Cycle {cycle_number}: the first cycle is number 1.")
    return checked_cycle_gbq(activity_gbq) * (1.0 + uptake.change_per_cycle) ** (int(cycle_number) - 1)
