"""Points of a front that is not concave: each is a problem of its own, solved and proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import Infeasible, SolverFailure
from radioembolization.planning.bound_range import BoundRange, range_around, range_of_effect
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.effort import Effort, Watch
from radioembolization.planning.front import FrontPoint, ParetoFront
from radioembolization.planning.limits import Limit, activity_caps_gbq
from radioembolization.planning.problem import Problem
from radioembolization.planning.reused_cuts import RepeatedSearch, proved_score
from radioembolization.planning.solve import optimize
from radioembolization.planning.volumes import is_about_volumes

_SMALLEST_GOAL = 1e-3


def why_points_only(problem: Problem, index: int, dose: DosePerGBq) -> str:
    """Return why the front of a limit is no concave function of its bound; empty if it is."""
    if is_about_volumes(problem.goal, problem.limits, dose):
        return "dose-volume limits and goals are not convex"
    if problem.goal.margin(dose, 1.0) is not None:
        return f"the goal '{problem.goal.name}' is found by levels"
    if any(limit.rules(dose) is not None for limit in problem.limits):
        return "with rules about which sites are used, plans cannot be mixed"
    if not problem.limits[index].quantity.shifts:
        return f"a plan between two bounds of the {problem.limits[index].quantity.name} is not a mix of their plans"
    return ""


def proved_points(
    problem: Problem,
    index: int,
    dose: DosePerGBq,
    between: tuple[float, float] | None,
    points: int,
    effort: Effort,
    reason: str,
) -> ParetoFront:
    """Return points at equal distances, each with the best plan found and what is proved about every plan.

    Raises
    ------
    Infeasible
        If no bound in the range has a plan.
    """
    limit = problem.limits[index]
    span = _span(problem, index, dose) if between is None else BoundRange(*between)
    bounds = np.linspace(span.low, span.high, max(points, 2))
    loose_first = list(bounds[::-1] if limit.upper else bounds)
    if _has_planes(problem, index, dose):
        found = list(_by_one_model(problem, index, dose, loose_first, effort))
    else:
        found = list(_each_anew(problem, index, dose, loose_first, effort))
    if not found:
        raise Infeasible(
            f"No bound of '{limit.quantity.name}' between {span.low:.4g} and {span.high:.4g} {limit.quantity.unit} has "
            "a plan within all limits: loosen another limit, or widen the range."
        )
    made = _consistent(found if limit.upper else list(found), problem.goal.maximized)
    gaps = [abs(p.best_possible - p.value) / max(_SMALLEST_GOAL, abs(p.best_possible)) for p in made]
    return ParetoFront(
        goal=problem.goal.name,
        goal_unit=problem.goal.unit,
        maximized=problem.goal.maximized,
        limit=limit.quantity.name,
        limit_unit=limit.quantity.unit,
        upper=limit.upper,
        limit_bound=limit.bound,
        site_names=dose.site_names,
        points=tuple(reversed(made) if limit.upper else made),
        gap=max(gaps),
        points_only=reason,
        infeasible_beyond=made[-1].limit_bound if len(made) < len(bounds) else None,
        no_effect_beyond=span.no_effect_beyond,
    )


def _span(problem: Problem, index: int, dose: DosePerGBq) -> BoundRange:
    """Return the bounds that matter without rules about sites; around the present one, where that is not known."""
    limits, goal = problem.limits, problem.goal
    moved = limits[index]
    if not _has_planes(problem, index, dose) or not moved.quantity.shifts:
        return range_around(moved)
    plain = [limit for limit in limits if limit.rules(dose) is None]
    allowed = np.ones(len(dose.site_names), dtype=bool)
    return range_of_effect(goal, plain, plain.index(moved), dose, allowed)


def _has_planes(problem: Problem, index: int, dose: DosePerGBq) -> bool:
    """Whether planes are enough, and those of the limit stay or move with its bound."""
    convex = problem.goal.margin(dose, 1.0) is None and not is_about_volumes(problem.goal, problem.limits, dose)
    return convex and problem.limits[index].rules(dose) is None


def _moved(problem: Problem, index: int, bound: float) -> tuple[Limit, ...]:
    limits = problem.limits
    return (*limits[:index], replace(limits[index], bound=float(bound)), *limits[index + 1 :])


def _by_one_model(
    problem: Problem, index: int, dose: DosePerGBq, bounds: list[float], effort: Effort
) -> Iterator[FrontPoint]:
    """Solve at every bound with one model, from the loosest on; those without a plan are left out."""
    caps, watch = activity_caps_gbq(_moved(problem, index, bounds[0]), dose), Watch(effort)
    planes = CuttingPlanes(problem.goal, _moved(problem, index, bounds[0]), dose, caps)
    searches, start = RepeatedSearch(planes, watch), None
    sign = 1.0 if problem.goal.maximized else -1.0
    for number, bound in enumerate(bounds):
        watch.report("trade-off", number, len(bounds))
        planes.changed(_moved(problem, index, bound), caps)
        root = planes.solve(planes.cap_gbq > 0, None, effort.plan_gap, watch)
        choice = None
        if planes.rules.any and root.activities_gbq.any():
            choice = searches.run(planes.rules.most_sites or len(caps), root, start)
        found = choice or root
        if not np.isfinite(found.score):
            continue
        start = found.activities_gbq
        proved = proved_score(planes, root, choice)
        closed = proved is not None and (choice is None or choice.finished)
        best = root.bound if proved is None else proved
        activities = tuple(float(a) for a in found.activities_gbq)
        value = problem.goal.value(dose, found.activities_gbq)
        yield FrontPoint(float(bound), value, sign * best, activities, "optimal" if closed else watch.unfinished)


def _each_anew(
    problem: Problem, index: int, dose: DosePerGBq, bounds: list[float], effort: Effort
) -> Iterator[FrontPoint]:
    """Solve every bound as a problem of its own; those without a plan are left out."""
    watch = Watch(effort)
    for number, bound in enumerate(bounds):
        watch.report("trade-off", number, len(bounds))
        try:
            solution = optimize(problem.goal, _moved(problem, index, bound), dose, effort=effort)
        except (Infeasible, SolverFailure):
            continue
        activities = tuple(float(a) for a in solution.activities_gbq)
        value = problem.goal.value(dose, solution.activities_gbq)
        yield FrontPoint(float(bound), value, float(solution.bound), activities, solution.status)


def _consistent(loose_first: list[FrontPoint], maximized: bool) -> list[FrontPoint]:
    """Return the points with what follows from their order.

    A plan within a tighter bound is within a looser one; what is impossible within a looser bound is so within a
    tighter one.
    """
    better, worse = (max, min) if maximized else (min, max)
    points = list(loose_first)
    for k in range(len(points) - 2, -1, -1):
        if better(points[k].value, points[k + 1].value) != points[k].value:
            points[k] = replace(points[k], value=points[k + 1].value, activities_gbq=points[k + 1].activities_gbq)
    for k in range(1, len(points)):
        points[k] = replace(points[k], best_possible=worse(points[k].best_possible, points[k - 1].best_possible))
    return points
