"""The best whole vials: from the plan of free activities to the proved choice, or which vial comes nearest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError, SolverFailure
from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.effort import Watch
from radioembolization.planning.goals import Goal
from radioembolization.planning.infeasible import infeasible
from radioembolization.planning.limits import MET_TOLERANCE, Limit, activity_caps_gbq
from radioembolization.planning.problem import Problem
from radioembolization.planning.search import Choice, SiteSearch
from radioembolization.planning.solve import check_limits_at_zero, optimize
from radioembolization.planning.vial_levels import VialLevel
from radioembolization.planning.vial_nearest import no_vials_fit
from radioembolization.planning.vial_search import VIAL_GAP, VialSearch
from radioembolization.planning.volumes import is_about_volumes


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


def loosened(limit: Limit, dose: DosePerGBq) -> Limit:
    """Return the limit that every plan meets whose excess counts as met; a number of sites has no excess."""
    rules = limit.rules(dose)
    if rules is not None and rules.most_sites is not None:
        return limit
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
    model = free_model(problem, dose, may_use, watch)
    levels = levels_of(model.planes.cap_gbq)
    search, chosen = search_vials(problem, model, levels, watch, keep)
    if not search.found:
        if not chosen.finished:
            raise SolverFailure(
                f"The {watch.unfinished} ended the search before any vials within the limits were found."
            )
        raise no_vials_fit(problem, dose, model.best.activities_gbq, levels_of(np.full(len(may_use), np.inf)))
    free_score, free_bound = _free(problem, dose, may_use, watch, model.best)
    return Found(
        _in_order(search.found, dose),
        levels,
        max(search.score, chosen.bound),
        free_score,
        free_bound,
        "optimal" if chosen.finished else watch.unfinished,
        search.nodes,
        search.evaluated,
    )


@dataclass(frozen=True, eq=False)
class FreeModel:
    """The problem with any activities, solved: planes in float64, limits loosened by what counts as met.

    Parameters
    ----------
    planes : CuttingPlanes
    root : Optimum
        On all sites.
    most : int
        Largest number of sites.
    search : SiteSearch or None
        None if there are no rules about sites.
    best : Optimum or Choice
    """

    planes: CuttingPlanes
    root: Optimum
    most: int
    search: SiteSearch | None
    best: Optimum | Choice


def free_model(problem: Problem, dose: DosePerGBq, may_use: np.ndarray, watch: Watch) -> FreeModel:
    """Return the problem solved with any activities (``Infeasible``, ``SolverFailure``)."""
    check_limits_at_zero(problem.limits, dose)
    limits = [loosened(limit, dose) for limit in problem.limits]
    planes = CuttingPlanes(problem.goal, limits, dose, activity_caps_gbq(limits, dose, may_use), exact=True)
    root = planes.solve(planes.cap_gbq > 0, None, watch.effort.plan_gap, watch)
    most = min(planes.rules.most_sites or len(may_use), int(np.count_nonzero(may_use)))
    search = SiteSearch(planes, most, watch.effort.gap, watch) if planes.rules.any else None
    best = root if search is None else search.run(root)
    if not np.isfinite(best.score):
        if watch.over or (isinstance(best, Choice) and not best.finished):
            raise SolverFailure(f"The {watch.unfinished} ended the search before any plan within the limits was found.")
        raise infeasible(planes, planes.cap_gbq > 0)
    return FreeModel(planes, root, most, search, best)


def search_vials(
    problem: Problem, model: FreeModel, levels: Sequence[Sequence[VialLevel]], watch: Watch, keep: int
) -> tuple[VialSearch, Choice]:
    """Return the finished search for the best vials and what it proved; the model's largest activities become theirs.

    Parameters
    ----------
    problem : Problem
    model : FreeModel
    levels : sequence of sequence of VialLevel
        What can be delivered to every site.
    watch : Watch
    keep : int
        How many plans are kept.
    """
    planes = model.planes
    floor = _lowest_score(planes, model.most)
    values = [np.array([level.delivered_gbq for level in some]) for some in levels]
    planes.cap_gbq = np.array([some[-1] if len(some) else 0.0 for some in values])
    planes.require(None)
    search = VialSearch(
        planes, model.most, watch.effort.gap, watch, floor, levels_gbq=values, limits=problem.limits, keep=keep
    )
    for multipliers in [] if model.search is None else model.search.cuts.multipliers:
        search.cuts.add(multipliers, planes.master.argument(multipliers), search.threshold)
    return search, search.run(model.root, model.best.activities_gbq)


def _in_order(found: list[tuple[float, np.ndarray]], dose: DosePerGBq) -> tuple[np.ndarray, ...]:
    """Return plans (sites,), the best first; of equal ones that of fewer injections, then of less lung shunt."""
    best = found[0][0]
    equal = [x for score, x in found if score >= best - VIAL_GAP * max(1e-3, abs(best))]
    equal.sort(key=lambda x: (np.count_nonzero(x), float(dose.lung_shunt @ x), float(x.sum())))
    return (*equal, *(x for _, x in found[len(equal) :]))


def _free(
    problem: Problem, dose: DosePerGBq, may_use: np.ndarray, watch: Watch, best: Optimum | Choice
) -> tuple[float, float]:
    """Return score and bound of the best plan with any activities."""
    if not is_about_volumes(problem.goal, problem.limits, dose):
        return best.score, best.bound
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
