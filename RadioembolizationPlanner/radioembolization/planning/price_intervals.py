"""What one more unit of each binding limit buys, and up to which bound.

A shadow price holds from one breakpoint of the front over the bound of its limit (``pareto``) to the next.
``prices`` has the price at the bound itself; here are those to both sides, with where they end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.errors import Infeasible, SolverFailure
from radioembolization.planning.convex_front import ConvexFront, convex_front
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.effort import Effort
from radioembolization.planning.limits import USED_GBQ, Limit, LimitResult, activity_caps_gbq
from radioembolization.planning.on_sites import limits_on
from radioembolization.planning.prices import STEP, gains_per_unit
from radioembolization.planning.problem import Problem
from radioembolization.planning.volumes import is_about_volumes

#: A price holds as long as it foretells the goal to this, relative; so curved fronts have few prices.
PRICE_GAP = 1e-4
_MOST_POINTS = 40
#: Prices closer than this, relative, are one; smaller ones, over the goal per unit of the bound, are none.
_SAME, _NOTHING = 1e-6, 1e-6


@dataclass(frozen=True)
class PriceInterval:
    """A shadow price and the bounds over which it holds.

    Parameters
    ----------
    limit : str
        The limited quantity, with its denominator.
    per_unit : float
        Change of the goal for each unit by which the limit is loosened.
    valid_from, valid_to : float
        Bounds of the limit, the lower one first.
    unit : str
        Of the limit.
    """

    limit: str
    per_unit: float
    valid_from: float
    valid_to: float
    unit: str


@dataclass(frozen=True)
class LimitPrices:
    """All prices of one binding limit, everything else as prescribed.

    Parameters
    ----------
    index : int
        Of the limit in the problem.
    limit : str
        The limited quantity, with its denominator.
    limit_bound : float
        As prescribed, in ``unit``.
    unit, goal_unit : str
    upper : bool
        Whether the limit is an upper one.
    intervals : tuple of PriceInterval
        By ascending bound, without gaps between them.
    no_effect_beyond : float or None
        Looser bounds buy nothing; None if that is not known.
    infeasible_beyond : float or None
        Tighter bounds have no plan; None if all have one.
    all_sites : bool
        Whether other sites may be used too; else these are prices on the sites of the plan.
    """

    index: int
    limit: str
    limit_bound: float
    unit: str
    goal_unit: str
    upper: bool
    intervals: tuple[PriceInterval, ...]
    no_effect_beyond: float | None
    infeasible_beyond: float | None
    all_sites: bool

    @property
    def loosening(self) -> tuple[PriceInterval, ...]:
        """Prices on the looser side of the bound, the nearest first."""
        if self.upper:
            return tuple(i for i in self.intervals if i.valid_to > self.limit_bound)
        return tuple(i for i in reversed(self.intervals) if i.valid_from < self.limit_bound)

    @property
    def tightening(self) -> tuple[PriceInterval, ...]:
        """Prices on the tighter side of the bound, the nearest first."""
        if self.upper:
            return tuple(i for i in reversed(self.intervals) if i.valid_from < self.limit_bound)
        return tuple(i for i in self.intervals if i.valid_to > self.limit_bound)


def price_intervals(
    problem: Problem, dose: DosePerGBq, activities_gbq: np.ndarray, effort: Effort | None = None
) -> tuple[LimitPrices, ...]:
    """Return the prices of every limit that a plan binds: on its own sites, then over all sites if no rule forbids.

    Empty with dose-volume limits and for goals by levels, which have no shadow prices.

    Parameters
    ----------
    problem : Problem
    dose : DosePerGBq
    activities_gbq : ndarray (sites,)
        Of the plan.
    effort : Effort, optional
        Its time limit ends the work on each limit.
    """
    x, effort = np.asarray(activities_gbq, dtype=float), effort or Effort()
    if is_about_volumes(problem.goal, problem.limits, dose) or problem.goal.margin(dose, 1.0) is not None:
        return ()
    used = x > USED_GBQ
    own, found = limits_on(problem.limits, used, dose), []
    with single_threaded_products():
        for place, (index, _) in enumerate(own):
            if used.any() and LimitResult.of(problem.limits[index], dose, x).binding:
                found.append(_prices(problem, [li for _, li in own], place, index, dose, used, False, effort))
        everywhere = np.ones(len(x), dtype=bool)
        if all(limit.rules(dose) is None for limit in problem.limits):
            for index, limit in enumerate(problem.limits):
                if LimitResult.of(limit, dose, x).binding:
                    found.append(_prices(problem, list(problem.limits), index, index, dose, everywhere, True, effort))
    return tuple(prices for prices in found if prices is not None)


def _prices(
    problem: Problem,
    limits: list[Limit],
    place: int,
    index: int,
    dose: DosePerGBq,
    allowed: np.ndarray,
    all_sites: bool,
    effort: Effort,
) -> LimitPrices | None:
    """Return the prices of one limit; None if no front is found around its bound."""
    limit, goal = limits[place], problem.goal
    beyond: tuple[float | None, float | None] = (None, None)
    if limit.quantity.shifts:
        try:
            front = convex_front(
                goal, limits, place, dose, allowed, None, PRICE_GAP, _MOST_POINTS, effort, through=limit.bound
            )
        except (Infeasible, SolverFailure):
            return None
        intervals = _merged(_of_front(front, limit, goal.maximized))
        beyond = (_no_effect(front, limit), front.span.infeasible_beyond)
    else:
        intervals = _nearby(problem, limits, place, dose, allowed)
    return LimitPrices(
        index,
        limit.quantity.name,
        limit.bound,
        limit.quantity.unit,
        goal.unit,
        limit.upper,
        tuple(intervals),
        *beyond,
        all_sites,
    )


def _of_front(front: ConvexFront, limit: Limit, maximized: bool) -> list[PriceInterval]:
    """Return a price for each straight piece, by ascending bound."""
    sign, intervals = (1.0 if maximized else -1.0), []
    for a, b in pairwise(front.places):
        per_unit = sign * (b.score - a.score) / (b.looseness - a.looseness)
        ends = sorted((abs(a.looseness), abs(b.looseness)))
        small = _NOTHING * abs(b.score) / max(abs(b.looseness), 1e-9)
        per_unit = 0.0 if abs(per_unit) <= small else per_unit
        intervals.append(PriceInterval(limit.quantity.name, per_unit, ends[0], ends[1], limit.quantity.unit))
    return intervals if limit.upper else intervals[::-1]


def _merged(intervals: list[PriceInterval]) -> list[PriceInterval]:
    """Return the intervals with neighbours of the same price as one."""
    merged = intervals[:1]
    for interval in intervals[1:]:
        last = merged[-1]
        if abs(interval.per_unit - last.per_unit) <= _SAME * max(abs(interval.per_unit), abs(last.per_unit)):
            merged[-1] = replace(last, valid_to=interval.valid_to)
        else:
            merged.append(interval)
    return merged


def _no_effect(front: ConvexFront, limit: Limit) -> float | None:
    return None if front.span.no_effect_beyond is None else abs(front.places[-1].looseness)


def _nearby(
    problem: Problem, limits: list[Limit], place: int, dose: DosePerGBq, allowed: np.ndarray
) -> list[PriceInterval]:
    """Return the price over one per cent of the bound, for a limit whose front is not concave."""
    limit = limits[place]
    planes = CuttingPlanes(problem.goal, limits, dose, activity_caps_gbq(limits, dose, allowed))
    activities = np.where(allowed, planes.solve(allowed).activities_gbq, 0.0)
    gain = gains_per_unit(planes, activities)[place]
    if gain is None:
        return []
    ends = sorted((limit.bound, limit.bound * (1.0 + STEP if limit.upper else 1.0 - STEP)))
    return [PriceInterval(limit.quantity.name, gain, ends[0], ends[1], limit.quantity.unit)]
