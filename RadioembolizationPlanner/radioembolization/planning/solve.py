"""Solving a planning problem: cutting planes over all voxels, a search over sites, bounds that can be checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.errors import Infeasible, SolverFailure
from radioembolization.planning.certificate import Certificate, certificate_of
from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.effort import Effort, Watch
from radioembolization.planning.goals import Goal, WorstTumourMean
from radioembolization.planning.infeasible import infeasible
from radioembolization.planning.levels import LEVEL_GAP, LevelReached, highest_level, margin_planes
from radioembolization.planning.limits import Limit, activity_caps_gbq
from radioembolization.planning.search import Choice, SiteSearch
from radioembolization.planning.tie_break import preferred, raise_the_others, slack_of, within
from radioembolization.planning.volumes import is_about_volumes, optimize_volumes
from radioembolization.planning.volumes.goal_at_volume import planes_goal
from radioembolization.planning.volumes.record import VolumeCertificate

#: Goals closer than this are equal, as rows in float32 are.
_ROUNDING = 1e-7
#: A search for fewer injections ends without an answer after as many nodes; all of them together after as many steps.
_NODES_FOR_FEWER, _STEPS_FOR_FEWER = 5_000, 15_000
#: From more injections than these, single ones are left out first, and fewer steps follow.
_MANY, _STEPS_FROM_MANY = 12, 4_000


@dataclass(frozen=True, eq=False)
class Solution:
    """Activities with the proof of how good they can be.

    Parameters
    ----------
    activities_gbq : ndarray (sites,)
        The preferred plan.
    optimum : float
        Goal value of the best plan found; the preferred plan may be a little worse with fewer injections.
    bound : float
        No feasible plan has a better goal value.
    status : str
        ``"optimal"``; ``"gap"`` if a nonconvex problem is proved up to a gap only; ``"time limit"`` if the gap could
        not be closed in time; ``"search limit"`` if not within ``Effort.most_steps``.
    planes : CuttingPlanes
        The model, with all planes the proof rests on.
    root : Optimum
        The best plan on all sites, and its multipliers.
    choice : Choice or None
        The search over sites; None if there was nothing to choose.
    level : float or None
        For goals by levels: the level that is refuted.
    volumes : VolumeCertificate or None
        With dose-volume limits: what proves the bound; None if it is that without them, or the record is too large.
    """

    activities_gbq: np.ndarray
    optimum: float
    bound: float
    status: str
    planes: CuttingPlanes
    root: Optimum
    choice: Choice | None
    level: float | None = None
    volumes: VolumeCertificate | None = None

    def certificate(self) -> Certificate | None:
        """Return what proves the bound; None where nothing does."""
        proved = None if self.choice is None else self.choice.proof
        if self.choice is None or proved is None:
            return certificate_of(self.planes, [self.root.relaxation.multipliers], None, self.root.bound)
        branches, cuts = proved
        return certificate_of(self.planes, cuts, branches, self.choice.bound)


def optimize(
    goal: Goal,
    limits: Sequence[Limit],
    dose: DosePerGBq,
    only: np.ndarray | None = None,
    effort: Effort | None = None,
) -> Solution:
    """Return the best activities within the limits and a bound on every feasible plan.

    Parameters
    ----------
    goal : Goal
    limits : sequence of Limit
    dose : DosePerGBq
    only : ndarray (sites,) of bool, optional
        Sites that may be used; default all.
    effort : Effort, optional
        Gap, time limit, progress.

    Raises
    ------
    InputError
        If the dose rows are no numbers, or all zero.
    UnboundedActivity, Infeasible, SolverFailure
    """
    _ = dose.usable
    with single_threaded_products():
        check_limits_at_zero(limits, dose)
        caps, watch = activity_caps_gbq(limits, dose, only), Watch(effort or Effort())
        if is_about_volumes(goal, limits, dose):
            return _with_volumes(goal, limits, dose, caps, watch)
        if goal.margin(dose, 1.0) is not None:
            return _by_levels(goal, limits, dose, caps, watch)
        return optimize_planes(CuttingPlanes(goal, limits, dose, caps), watch)


def _with_volumes(goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, cap_gbq: np.ndarray, watch: Watch) -> Solution:
    """Optimize under dose-volume limits; where the best plan without them meets them, it is the best plan."""
    found, plain = planes_goal(goal, dose), Watch(replace(watch.effort, fewer_within=None), watch.started_s)
    relaxed = optimize_planes(CuttingPlanes(found, limits, dose, cap_gbq), plain)
    if found is not goal or not within(relaxed.planes.limits, relaxed.planes, relaxed.activities_gbq):
        return optimize_volumes(goal, relaxed, watch)
    preferred_one = optimize_planes(CuttingPlanes(goal, limits, dose, cap_gbq), watch)
    met = within(preferred_one.planes.limits, preferred_one.planes, preferred_one.activities_gbq)
    return preferred_one if met else relaxed


def _by_levels(goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, cap_gbq: np.ndarray, watch: Watch) -> Solution:
    """Optimize a goal that has margins only, from the plan of the best mean doses."""
    plain = replace(watch.effort, fewer_within=None)
    start = optimize_planes(CuttingPlanes(WorstTumourMean(), limits, dose, cap_gbq), Watch(plain))
    reached = highest_level(goal, limits, dose, cap_gbq, start.activities_gbq, watch)
    best, fewer_within = reached.activities_gbq, watch.effort.fewer_within
    if fewer_within and best.any() and not watch.over:
        enough = margin_planes(goal, limits, dose, cap_gbq, reached.value - fewer_within * abs(reached.value))
        fewer = _fewest(enough, best, 0.0, watch)
        best = best if fewer is None else fewer.best
    return Solution(
        best,
        reached.value,
        reached.level if reached.refuted else np.inf,
        _level_status(reached, watch),
        reached.planes,
        reached.root,
        reached.choice,
        reached.level,
    )


def _level_status(reached: LevelReached, watch: Watch) -> str:
    if not reached.refuted:
        return watch.unfinished
    close = reached.level - reached.value <= LEVEL_GAP * max(1e-3, abs(reached.value))
    return "optimal" if close else "gap"


def optimize_planes(planes: CuttingPlanes, watch: Watch) -> Solution:
    """Return the best activities of a model, which may know planes from an earlier solution; see ``optimize``."""
    allowed = planes.cap_gbq > 0
    root = planes.solve(allowed, None, watch.effort.plan_gap, watch)
    choice, search = _choose(planes, root, watch)
    found = choice or root
    best, score, bound = found.activities_gbq, found.score, found.bound
    ended = watch.unfinished
    if not np.isfinite(score):
        if watch.over or (choice is not None and not choice.finished):
            raise SolverFailure(f"The {ended} ended the search before any plan within the limits was found.")
        raise infeasible(planes, allowed)
    activities = _preferred(planes, search, best, score, watch)
    closed = bound - score <= 2.0 * max(watch.effort.gap, watch.effort.plan_gap) * max(1e-3, abs(bound)) + _ROUNDING
    sign = 1.0 if planes.goal.maximized else -1.0
    return Solution(activities, sign * score, sign * bound, "optimal" if closed else ended, planes, root, choice)


def check_limits_at_zero(limits: Sequence[Limit], dose: DosePerGBq) -> None:
    """Refuse upper limits that are exceeded without any activity (``Infeasible``)."""
    zero = np.zeros(len(dose.site_names))
    for limit in limits:
        if limit.upper and not limit.is_met(dose, zero):
            excess = float(limit.excess(dose, zero))
            raise Infeasible(
                f"The limits contradict each other; no plan meets them all. Least relaxation: '{limit}' by "
                f"{excess:.3g} {limit.quantity.unit}, which is reached before anything is injected.",
                {str(limit): excess},
                (str(limit),),
            )


def _choose(planes: CuttingPlanes, root: Optimum, watch: Watch) -> tuple[Choice | None, SiteSearch | None]:
    """Search over the sites if any rule asks for it."""
    if not planes.rules.any:
        return None, None
    most = planes.rules.most_sites or len(planes.cap_gbq)
    search = SiteSearch(planes, min(most, len(planes.cap_gbq)), watch.effort.gap, watch)
    return search.run(root), search


def _preferred(
    planes: CuttingPlanes, search: SiteSearch | None, best: np.ndarray, score: float, watch: Watch
) -> np.ndarray:
    """Return the plan of fewest injections within the tolerated loss, by the other tie-breaks among its equals."""
    if watch.effort.fewer_within is None or not best.any():
        return best
    enough = score - max(watch.effort.fewer_within * abs(score), slack_of(score))
    used = int(np.count_nonzero(best))
    search = _fewest(planes, best, enough, watch) or search or _search(planes, used, enough, watch)
    if search.best.any() and not watch.over:
        best = preferred(planes, search.equals(), search.score)
    raised = raise_the_others(planes, best, watch)
    return raised if within(planes.limits, planes, raised) else best


def _fewest(planes: CuttingPlanes, best: np.ndarray, enough: float, watch: Watch) -> SiteSearch | None:
    """Return the ended search with the least number of sites whose plan is good enough, if fewer than of the best."""
    used = int(np.count_nonzero(best))
    found, start = None, None
    failed, works, left = 0, used, _STEPS_FOR_FEWER
    if used > _MANY:
        start = _thinned(planes, best, enough, watch)
        works, left = int(np.count_nonzero(start)) + 1, _STEPS_FROM_MANY
    while works - failed > 1 and not watch.over:
        number = works - 1 if start is not None else (failed + works) // 2
        search = _search(planes, number, enough, Watch(replace(watch.effort, most_steps=left), watch.started_s), start)
        start, left = None, max(0, left - int(search.steps))
        if search.score >= enough:
            found, works = search, int(np.count_nonzero(search.best))
        else:
            failed = number
    return found


def _thinned(planes: CuttingPlanes, plan: np.ndarray, enough: float, watch: Watch) -> np.ndarray:
    """Return a plan (sites,) that is good enough, without the sites it can do without, the least active first."""
    for site in np.argsort(plan):
        if plan[site] > 0 and not watch.over:
            used = (plan > 0) & (np.arange(len(plan)) != site)
            found = planes.solve(used, used if planes.rules.if_used else None, watch.effort.plan_gap, None, enough)
            plan = found.activities_gbq if found.score >= enough else plan
    return plan


def _search(
    planes: CuttingPlanes, number: int, enough: float, watch: Watch, start: np.ndarray | None = None
) -> SiteSearch:
    """Search for a plan on a number of sites, without proof if it takes long."""
    root = planes.solve(planes.cap_gbq > 0, None, watch.effort.plan_gap)
    search = SiteSearch(planes, number, watch.effort.gap, watch, enough, _NODES_FOR_FEWER, greedy=start is None)
    search.run(root, start)
    return search
