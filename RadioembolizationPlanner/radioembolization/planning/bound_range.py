"""Over which bounds a limit matters: from the tightest that has a plan to where it no longer binds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import Infeasible, LimitError, UnboundedActivity
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import MET_TOLERANCE, Limit, Quantity, activity_caps_gbq
from radioembolization.planning.supports import Support

#: Without any other limit on a site there is no bound from which on a limit has no effect; twice the present one.
_WITHOUT_END = 2.0
#: Around the present bound, where nothing says more.
_AROUND = (0.5, 1.5)


@dataclass(frozen=True)
class AsGoal(Goal):
    """A limited quantity as a goal: as low as possible if its limit is an upper one, else as high."""

    quantity: Quantity
    upper: bool
    homogeneous: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return self.quantity.name

    @property
    def maximized(self) -> bool:
        return not self.upper

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return self.quantity.value(dose, activities_gbq)

    def expression(self, model: object) -> object:
        raise NotImplementedError("A limited quantity as a goal is solved by planes.")

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        planes = self.quantity.supports(dose, activities_gbq, exact)
        return [-plane for plane in planes] if self.upper else planes


@dataclass(frozen=True)
class BoundRange:
    """Bounds from low to high, with what is known beyond them.

    Parameters
    ----------
    low, high : float
    infeasible_beyond, no_effect_beyond : float or None
    """

    low: float
    high: float
    infeasible_beyond: float | None = None
    no_effect_beyond: float | None = None


def checked_range(limit: Limit, between: tuple[float, float]) -> tuple[float, float]:
    """Return a range of bounds given by the user; ``LimitError`` if it is reversed, empty or no range at all."""
    low, high = (float(bound) for bound in between)
    unit = limit.quantity.unit
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise LimitError(
            f"The bounds of '{limit}' can be moved between numbers of zero or more, not {low:g}, {high:g}."
        )
    if not low < high:
        how = "empty" if low == high else "reversed"
        raise LimitError(
            f"The range from {low:g} to {high:g} {unit} of '{limit.quantity.name}' is {how}: give the lower bound "
            "first and a higher one after it."
        )
    return low, high


def range_around(limit: Limit) -> BoundRange:
    """Return bounds around the present one, of a limit of which no more is known."""
    low, high = (factor * limit.bound for factor in _AROUND)
    return BoundRange(low, min(high, 100.0) if limit.quantity.unit == "%" else high)


def range_of_effect(
    goal: Goal, limits: Sequence[Limit], index: int, dose: DosePerGBq, allowed: np.ndarray
) -> BoundRange:
    """Return the bounds between which a convex limit matters.

    Parameters
    ----------
    goal : Goal
    limits : sequence of Limit
    index : int
        Of the limit that is moved; its planes move with its bound.
    dose : DosePerGBq
    allowed : ndarray (sites,) of bool

    Raises
    ------
    Infeasible
        If no bound of this limit has a plan.
    """
    limit = limits[index]
    loosest, ends = _no_effect(goal, limits, index, dose, allowed)
    tightest = tightest_bound(limits, index, dose, allowed, loosest)
    if (loosest - tightest) * (1.0 if limit.upper else -1.0) <= MET_TOLERANCE * max(1.0, abs(loosest)):
        # It never binds, or the goal wants what the limit wants.
        far = max(_WITHOUT_END * max(loosest, limit.bound), 1.0) if limit.upper else 0.0
        low, high = sorted((tightest, far))
        return BoundRange(low, high, tightest, loosest)
    low, high = sorted((tightest, loosest))
    return BoundRange(low, high, tightest if _can_be_missed(limits, index) else None, loosest if ends else None)


def tightest_bound(limits: Sequence[Limit], index: int, dose: DosePerGBq, allowed: np.ndarray, loose: float) -> float:
    """Return the tightest bound of a limit for which the others leave a plan.

    Parameters
    ----------
    limits, index, dose, allowed
        As of ``range_of_effect``.
    loose : float
        A bound of this limit that need not be exceeded.

    Raises
    ------
    Infeasible
        If the others contradict each other.
    """
    limit = limits[index]
    if not _can_be_missed(limits, index):
        return limit.quantity.value(dose, np.zeros(len(dose.site_names)))
    others = [li for k, li in enumerate(limits) if k != index]
    capped = [*others, replace(limit, bound=loose)] if limit.upper else others
    planes = CuttingPlanes(AsGoal(limit.quantity, limit.upper), others, dose, activity_caps_gbq(capped, dose))
    found = planes.solve(allowed & (planes.cap_gbq > 0), gap=1e-8)
    if not np.isfinite(found.score):
        raise Infeasible(
            f"The limits contradict each other whatever the bound of '{limit.quantity.name}': loosen one of "
            + ", ".join(f"'{other}'" for other in others)
            + "."
        )
    value = limit.quantity.value(dose, found.activities_gbq)
    slack = MET_TOLERANCE * max(1.0, abs(value))
    return value + slack if limit.upper else max(0.0, value - slack)


def _can_be_missed(limits: Sequence[Limit], index: int) -> bool:
    """Whether tight bounds have no plan: a lower limit, or an upper one beside a lower one."""
    return any(not limit.upper for limit in limits) or not limits[index].upper


def _no_effect(
    goal: Goal, limits: Sequence[Limit], index: int, dose: DosePerGBq, allowed: np.ndarray
) -> tuple[float, bool]:
    """Return the bound that the best plan without the limit keeps, and whether there is such a plan."""
    limit, others = limits[index], [li for k, li in enumerate(limits) if k != index]
    try:
        caps = activity_caps_gbq(others, dose, allowed)
    except UnboundedActivity:
        return _WITHOUT_END * limit.bound, False
    found = CuttingPlanes(goal, others, dose, caps).solve(allowed, gap=1e-8)
    if not np.isfinite(found.score):
        raise Infeasible(
            f"The limits contradict each other even without '{limit}': loosen one of "
            + ", ".join(f"'{other}'" for other in others)
            + "."
        )
    value = limit.quantity.value(dose, found.activities_gbq)
    return (value, True) if limit.upper or value > 0 else (0.0, True)
