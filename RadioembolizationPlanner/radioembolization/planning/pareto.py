"""The goal against the bound of one limit: an exact front of a convex problem, proved points of any other."""

from __future__ import annotations

import numpy as np

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.errors import LimitError
from radioembolization.planning.bound_range import checked_range
from radioembolization.planning.convex_front import EXACT_GAP, SMALLEST_GOAL, ConvexFront, convex_front, rises
from radioembolization.planning.effort import Effort
from radioembolization.planning.front import FrontPoint, ParetoFront
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import Limit
from radioembolization.planning.problem import Problem
from radioembolization.planning.proved_points import proved_points, why_points_only


def pareto_front(
    problem: Problem,
    dose: DosePerGBq,
    limit: Limit,
    between: tuple[float, float] | None = None,
    *,
    gap: float = EXACT_GAP,
    most_points: int = 100,
    points: int = 20,
    effort: Effort | None = None,
) -> ParetoFront:
    """Return the best goal for every bound of one limit.

    Parameters
    ----------
    problem : Problem
    dose : DosePerGBq
    limit : Limit
        One of the limits of the problem, not the number of sites (``staircase``).
    between : (float, float), optional
        Bounds, the lower one first; default from the tightest that has a plan to where the limit no longer binds,
        and where no such end is known from half the present bound to one and a half of it (twice, if only this limit
        bounds a site).
    gap : float
        Relative gap at which a straight piece is good enough.
    most_points : int
        A front that is not polyhedral ends with as many points and the gap they leave, which is stated.
    points : int
        Number of points where nothing can be said between them: rules about sites, dose-volume limits, goals by
        levels, and the limit of the perfused normal liver.
    effort : Effort, optional
        Gaps and time limit of each of those points; time limit of a front.

    Raises
    ------
    LimitError
        If the limit is not of the problem, is about the number of sites, or the range is reversed or empty.
    Infeasible
        If no bound in the range has a plan.
    """
    problem.check_devices(dose.settings.device)
    _ = dose.usable
    index, effort = index_of(problem, limit), effort or Effort(fewer_within=None)
    given = None if between is None else checked_range(limit, between)
    with single_threaded_products():
        reason = why_points_only(problem, index, dose)
        if reason:
            return proved_points(problem, index, dose, given, points, effort, reason)
        allowed = np.ones(len(dose.site_names), dtype=bool)
        found = convex_front(problem.goal, problem.limits, index, dose, allowed, given, gap, most_points, effort)
    return _as_front(problem.goal, limit, dose, found)


def index_of(problem: Problem, limit: Limit) -> int:
    """Return which limit of a problem is moved; ``LimitError`` if it is none of them, or about the number of sites."""
    if limit not in problem.limits:
        known = ", ".join(f"'{other}'" for other in problem.limits)
        raise LimitError(f"The problem has no limit '{limit}': choose one of {known or 'none, as it has no limits'}.")
    if limit.quantity.keyword == "count":
        raise LimitError(
            f"The limit '{limit}' counts sites, so there is no front over it: the staircase shows the best goal for "
            "every number of injections."
        )
    return problem.limits.index(limit)


def _as_front(goal: Goal, limit: Limit, dose: DosePerGBq, front: ConvexFront) -> ParetoFront:
    sign, up, made = (1.0 if goal.maximized else -1.0), limit.upper, []
    for place in front.places:
        # A plan meets its limits to a relative 1e-6, and may by as much be beyond what holds for the limits themselves.
        proved = max(front.highest(place.looseness), place.score)
        bound = place.looseness if up else 0.0 - place.looseness
        closed = proved - place.score <= EXACT_GAP * max(SMALLEST_GOAL, abs(proved))
        activities = tuple(float(a) for a in place.activities_gbq)
        status = "optimal" if closed else "gap"
        made.append(FrontPoint(float(bound), sign * place.score, sign * proved, activities, status))
    flat = [k for k, place in enumerate(front.places) if not rises(place, front.places[-1])]
    ends = front.span.no_effect_beyond is not None or flat[0] < len(made) - 1
    return ParetoFront(
        goal=goal.name,
        goal_unit=goal.unit,
        maximized=goal.maximized,
        limit=limit.quantity.name,
        limit_unit=limit.quantity.unit,
        upper=up,
        limit_bound=limit.bound,
        site_names=dose.site_names,
        points=tuple(made if up else reversed(made)),
        gap=max(0.0, front.gap),
        infeasible_beyond=front.span.infeasible_beyond,
        no_effect_beyond=made[flat[0]].limit_bound if ends else None,
    )
