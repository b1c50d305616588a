"""What a front says: how good the goal can be for every bound of one limit, with a plan at each point."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from radioembolization.errors import LimitError
from radioembolization.planning.limits import USED_GBQ

#: Bounds closer than this, relative, are the same.
_SAME_BOUND = 1e-9


@dataclass(frozen=True)
class FrontPoint:
    """The best plan for one bound of the limit.

    Parameters
    ----------
    limit_bound : float
        In the unit of the limit.
    value : float
        Goal of the plan, evaluated in float64.
    best_possible : float
        No plan within the limits has a better goal.
    activities_gbq : tuple of float
        The plan (sites,) [GBq].
    status : str
        ``"optimal"``, ``"gap"``, ``"time limit"`` or ``"search limit"``, as of a plan.
    """

    limit_bound: float
    value: float
    best_possible: float
    activities_gbq: tuple[float, ...]
    status: str = "optimal"

    @property
    def injections(self) -> int:
        """Number of sites with activity."""
        return sum(activity > USED_GBQ for activity in self.activities_gbq)


@dataclass(frozen=True)
class ParetoFront:
    """The goal against the bound of one limit, all else as prescribed.

    Parameters
    ----------
    goal, goal_unit : str
    maximized : bool
    limit, limit_unit : str
        Name of the limited quantity with its denominator.
    upper : bool
        Whether the limit is an upper one.
    limit_bound : float
        The bound that is prescribed.
    site_names : tuple of str
    points : tuple of FrontPoint
        By ascending bound.
    gap : float
        Largest relative difference, anywhere between the first and the last point, between the goal of the plans and
        what is proved to be impossible.
    points_only : str
        Why nothing is known between the points; empty if the front is straight between them.
    infeasible_beyond : float or None
        Bounds tighter than this have no plan; None if the tightest asked for has one.
    no_effect_beyond : float or None
        Bounds looser than this change nothing; None if that is not known.
    """

    goal: str
    goal_unit: str
    maximized: bool
    limit: str
    limit_unit: str
    upper: bool
    limit_bound: float
    site_names: tuple[str, ...]
    points: tuple[FrontPoint, ...]
    gap: float
    points_only: str = ""
    infeasible_beyond: float | None = None
    no_effect_beyond: float | None = None

    @property
    def prices(self) -> tuple[float, ...]:
        """Change of the goal per unit by which the limit is loosened, between each point and the next.

        Of a straight front these are its shadow prices; of points alone, mean changes.
        """
        sign = 1.0 if self.upper else -1.0
        return tuple(sign * (b.value - a.value) / (b.limit_bound - a.limit_bound) for a, b in pairwise(self.points))

    def activities_at(self, limit_bound: float) -> np.ndarray:
        """Return a plan (sites,) [GBq] within the limit at some bound, the best known.

        On a straight front it is mixed from the plans at both ends, which meets every limit, as these are convex;
        else it is the plan of the next tighter point.

        Raises
        ------
        LimitError
            If the front does not reach there.
        """
        share, before, after = self._between(limit_bound)
        mixed = (1.0 - share) * np.array(before.activities_gbq) + share * np.array(after.activities_gbq)
        return np.where(mixed > USED_GBQ, mixed, 0.0)

    def value_at(self, limit_bound: float) -> float:
        """Return the goal that is at least reached at some bound; ``LimitError`` if the front does not reach there."""
        share, before, after = self._between(limit_bound)
        return (1.0 - share) * before.value + share * after.value

    def nearest(self, limit_bound: float) -> FrontPoint:
        """Return the point whose bound is nearest."""
        return min(self.points, key=lambda point: abs(point.limit_bound - limit_bound))

    def _between(self, bound: float) -> tuple[float, FrontPoint, FrontPoint]:
        """Return the points around a bound and its place between them, from 0 to 1."""
        bounds = [point.limit_bound for point in self.points]
        slack = _SAME_BOUND * max(1.0, abs(bounds[-1]))
        if not bounds[0] - slack <= bound <= bounds[-1] + slack:
            raise LimitError(
                f"The front of '{self.limit}' reaches from {bounds[0]:.4g} to {bounds[-1]:.4g} {self.limit_unit}, not "
                f"to {bound:g}: ask for a wider range."
            )
        left = min(max(bisect_right(bounds, bound) - 1, 0), max(len(bounds) - 2, 0))
        before, after = self.points[left], self.points[min(left + 1, len(bounds) - 1)]
        width = after.limit_bound - before.limit_bound
        share = min(max((bound - before.limit_bound) / width, 0.0), 1.0) if width > 0 else 0.0
        if self.points_only:
            tighter_first = share >= 1.0 if self.upper else share > 0.0
            share = 1.0 if tighter_first else 0.0
        return share, before, after
