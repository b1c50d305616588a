"""The best whole vials: from the plan of free activities to the proved choice, or which vial comes nearest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError, SolverFailure, VialError
from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.effort import Watch
from radioembolization.planning.goals import Goal
from radioembolization.planning.infeasible import infeasible
from radioembolization.planning.limits import MET_TOLERANCE, Limit, activity_caps_gbq
from radioembolization.planning.problem import Problem
from radioembolization.planning.search import SiteSearch
from radioembolization.planning.solve import check_limits_at_zero, optimize
from radioembolization.planning.vial_levels import VialLevel
from radioembolization.planning.vial_search import VialSearch
from radioembolization.planning.volumes import is_about_volumes

#: Of a plan with free activities on more sites, rounding is tried down and to the nearest only.
_MOST_ROUNDED = 4


@dataclass(frozen=True, eq=False)
class Found:
    """Vials found, and what is proved.

    Parameters
    ----------
    plans : tuple of ndarray (sites,)
        Delivered activities, the best first [GBq].
    levels : list of tuple of VialLevel
        What can be delivered to every site.
    bound : float
        Score that no vials surpass.
    free_score, free_bound : float
        Score of the best plan with any activities, and what none surpasses.
    status : str
    nodes, evaluated : int
    """

    plans: tuple[np.ndarray, ...]
    levels: list[tuple[VialLevel, ...]]
    bound: float
    free_score: float
    free_bound: float
    status: str
    nodes: int = 0
    evaluated: int = 0


def check_goal(goal: Goal, dose: DosePerGBq) -> None:
    """Refuse a goal that has no planes (``LimitError``)."""
    if goal.margin(dose, 1.0) is not None or goal.volume_bounds(dose, 1.0):
        raise LimitError(
            f"Whole vials cannot be chosen for the goal '{goal.name}' yet: choose a mean or lowest dose, or the mean "
            "of the coldest part, and compare the vials found under the other goal."
        )


def loosened(limit: Limit) -> Limit:
    """Return the limit that every plan meets whose excess counts as met."""
    by = MET_TOLERANCE * max(1.0, limit.bound)
    return replace(limit, bound=limit.bound + by if limit.upper else max(0.0, limit.bound - by))


def best_whole_vials(
    problem: Problem,
    dose: DosePerGBq,
    may_use: np.ndarray,
    levels_of: Callable[[np.ndarray], list[tuple[VialLevel, ...]]],
    watch: Watch,
    keep: int,
) -> Found:
    """Return the best vials within the limits, and the next ones.

    Parameters
    ----------
    problem : Problem
    dose : DosePerGBq
    may_use : ndarray (sites,) of bool
    levels_of : callable
        Returns what vials can deliver to every site, for the largest activities (sites,) of any plan.
    watch : Watch
    keep : int
        How many.
    """
    check_limits_at_zero(problem.limits, dose)
    counted = [limit.rules(dose) is not None and limit.upper for limit in problem.limits]  # numbers of sites
    limits = [limit if fixed else loosened(limit) for limit, fixed in zip(problem.limits, counted, strict=True)]
    planes = CuttingPlanes(problem.goal, limits, dose, activity_caps_gbq(limits, dose, may_use), exact=True)
    root = planes.solve(planes.cap_gbq > 0, None, watch.effort.plan_gap, watch)
    most = min(planes.rules.most_sites or len(may_use), int(np.count_nonzero(may_use)))
    free = SiteSearch(planes, most, watch.effort.gap, watch) if planes.rules.any else None
    choice = root if free is None else free.run(root)
    if not np.isfinite(choice.score):
        if watch.over:
            raise SolverFailure("The time limit ended the search before any plan within the limits was found.")
        raise infeasible(planes, planes.cap_gbq > 0)
    levels = levels_of(planes.cap_gbq)
    floor = _lowest_score(planes, most)
    planes.cap_gbq = np.array([some[-1].delivered_gbq if some else 0.0 for some in levels])
    values = [np.array([level.delivered_gbq for level in some]) for some in levels]
    search = VialSearch(
        planes, most, watch.effort.gap, watch, floor, levels_gbq=values, limits=problem.limits, keep=keep
    )
    planes.require(None)
    for multipliers in [] if free is None else free.cuts.multipliers:
        search.cuts.add(multipliers, planes.master.argument(multipliers), search.threshold)
    chosen = search.run(root, choice.activities_gbq)
    if not search.found:
        if watch.over:
            raise SolverFailure("The time limit ended the search before any vials within the limits were found.")
        raise _no_vials(problem, dose, choice.activities_gbq, levels_of(np.full(len(may_use), np.inf)), may_use)
    free_score, free_bound = _free(problem, dose, may_use, watch, choice)
    closed = chosen.prove is not None
    return Found(
        tuple(x for _, x in search.found),
        levels,
        max(search.score, chosen.bound) if not closed else max(search.score, min(chosen.bound, search.proved)),
        free_score,
        free_bound,
        "optimal" if closed else "time limit",
        search.nodes,
        search.evaluated,
    )


def _free(
    problem: Problem, dose: DosePerGBq, may_use: np.ndarray, watch: Watch, choice: Optimum | object
) -> tuple[float, float]:
    """Return score and bound of the best plan with any activities."""
    if not is_about_volumes(problem.goal, problem.limits, dose):
        return choice.score, choice.bound  # type: ignore[attr-defined]
    effort = replace(watch.effort, fewer_within=None)
    solution = optimize(problem.goal, problem.limits, dose, may_use, effort)
    sign = 1.0 if problem.goal.maximized else -1.0
    return sign * solution.optimum, sign * solution.bound


def _lowest_score(planes: CuttingPlanes, most: int) -> float:
    """Return a score that every plan within the limits has, or that of no injection where that is within them.

    A plan on m sites is a mixture of nothing and of m times the largest activity at a single site; the score, being
    concave, is no lower than the lowest of these.
    """
    nothing = planes.goal.score(planes.dose, np.zeros(len(planes.cap_gbq)))
    if not planes.has_lower:
        return nothing
    corners = most * np.diag(planes.cap_gbq)
    lowest = min(nothing, *(planes.goal.score(planes.dose, corner) for corner in corners))
    return lowest - 1e-6 * max(1.0, abs(lowest))


def _no_vials(
    problem: Problem,
    dose: DosePerGBq,
    free_gbq: np.ndarray,
    levels: list[tuple[VialLevel, ...]],
    may_use: np.ndarray,
) -> VialError:
    """Return the error that names the vials which come nearest to the limits."""
    tried = [x for x in (*_smallest(levels), *_rounded(free_gbq, levels)) if np.any(x > 0)]
    if not tried:
        return VialError("No vial makes sense at the hour of any injection: add calibrations or sizes.")
    excesses = [_largest_excess(problem.limits, dose, x) for x in tried]
    nearest = int(np.argmin([relative for relative, *_ in excesses]))
    relative, excess, limit = excesses[nearest]
    parts = [
        f"{' + '.join(map(str, _level(levels[j], tried[nearest][j]).vials))} at site '{dose.site_names[j]}'"
        for j in np.flatnonzero(tried[nearest])
    ]
    if relative <= MET_TOLERANCE:
        return VialError(
            f"No vials within the limits make the {problem.goal.name} better than no injection does: add sizes "
            "or sites."
        )
    return VialError(
        f"No vials meet the limits. Nearest: {' and '.join(parts)}, which misses '{limit}' by {excess:.3g} "
        f"{limit.quantity.unit}. Add a smaller vial, inject later, or allow another choice of sites."
    )


def _level(levels: Sequence[VialLevel], activity_gbq: float) -> VialLevel:
    return min(levels, key=lambda level: abs(level.delivered_gbq - activity_gbq))


def _largest_excess(limits: Sequence[Limit], dose: DosePerGBq, x: np.ndarray) -> tuple[float, float, Limit]:
    excesses = [(float(limit.excess(dose, x)), limit) for limit in limits]
    return max(
        ((excess / max(1.0, limit.bound), excess, limit) for excess, limit in excesses), key=lambda entry: entry[0]
    )


def _smallest(levels: list[tuple[VialLevel, ...]]) -> list[np.ndarray]:
    """Return the smallest vial at each site alone (sites,)."""
    found = []
    for site, some in enumerate(levels):
        if some:
            found.append(np.zeros(len(levels)))
            found[-1][site] = some[0].delivered_gbq
    return found


def _rounded(free_gbq: np.ndarray, levels: list[tuple[VialLevel, ...]]) -> list[np.ndarray]:
    """Return the free activities rounded down and up to vials, or to none."""
    sites = [j for j in np.argsort(-free_gbq) if free_gbq[j] > 0 and levels[j]][:_MOST_ROUNDED]
    options = []
    for site in sites:
        values = np.array([0.0, *(level.delivered_gbq for level in levels[site])])
        above = min(int(np.searchsorted(values, free_gbq[site])), len(values) - 1)
        options.append(sorted({float(values[max(0, above - 1)]), float(values[above])}))
    found = []
    for chosen in product(*options):
        found.append(np.zeros(len(levels)))
        found[-1][sites] = chosen
    return found
