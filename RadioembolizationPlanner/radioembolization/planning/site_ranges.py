"""How much each site can and must receive in any plan that is nearly as good as the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.planning.alternatives import NearlyOptimal, nearly_optimal
from radioembolization.planning.choice import SiteRules
from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.effort import Effort, Watch
from radioembolization.planning.limits import USED_GBQ, activity_caps_gbq
from radioembolization.planning.near_optimal import WITHIN, OneSite, has_planes, least_score, reaching
from radioembolization.planning.problem import Problem
from radioembolization.planning.quantities import InjectionActivity
from radioembolization.planning.search import SiteSearch

#: Ranges are found to this, relative.
_GAP = 1e-5
#: Planes in float32 may be wrong by so much.
_MARGIN_GBQ = 1e-7
#: A site that only costs, with all dose in normal liver, may get just the share that may be lost; it counts as no more.
_ROUNDED = 1.01
#: A search for the range of one site ends after as many nodes; then its bound is that without rules about sites.
_MOST_NODES = 100
#: With rules about used sites there is no search over more sites than this; bounds are those without the rules.
_MOST_SEARCHED = 12


class Need(StrEnum):
    """What a site is to nearly optimal plans: every one uses it, some do, or none does to any purpose."""

    ESSENTIAL = "essential"
    EXCHANGEABLE = "exchangeable"
    USELESS = "useless"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SiteRange:
    """Activities of one site in all plans within a share of the optimum.

    Parameters
    ----------
    site : str
    activity_gbq : float
        Of the plan.
    least_gbq, most_gbq : float
        No plan within the share of the optimum has less, or more: proved.
    reached_gbq : tuple of (float, float)
        Least and largest activity of the plans found; equal to the proved range up to the gap of the work.
    need : Need
        Essential if ``least_gbq`` is not zero; useless if ``most_gbq`` is zero, below the least activity prescribed,
        or such a small share of the total activity as the goal may lose.
    """

    site: str
    activity_gbq: float
    least_gbq: float
    most_gbq: float
    reached_gbq: tuple[float, float]
    need: Need


def site_ranges(
    problem: Problem,
    dose: DosePerGBq,
    activities_gbq: np.ndarray,
    optimum: float,
    within: float = WITHIN,
    effort: Effort | None = None,
    known: NearlyOptimal | None = None,
) -> tuple[SiteRange, ...]:
    """Return the range of activity of every site over all plans within a share of the optimum.

    For each site, its activity is maximized and minimized over all plans within the limits that reach the goal, by
    cutting planes over all voxels.  With a largest number of sites that is done on every choice of sites that reaches
    the goal; where that is not enough, or with other rules about sites, by a search of limited length, whose bound is
    then wider than what its plans reach.  Empty with dose-volume limits or goals, where such plans are no convex set.

    Parameters
    ----------
    problem : Problem
    dose : DosePerGBq
    activities_gbq : ndarray (sites,)
        A plan; if it is worse, all plans as good as it are considered.
    optimum : float
        Goal value of the best plan.
    within : float
        Share of it that may be lost.
    effort : Effort, optional
        Its time limit ends the work; ranges that are not found by then are those that caps allow.
    known : NearlyOptimal, optional
        Choices of sites that reach the goal, if they have been found already.
    """
    if not has_planes(problem.goal, problem.limits, dose):
        return ()
    x = np.asarray(activities_gbq, dtype=float)
    score = least_score(problem.goal, optimum, within, problem.goal.value(dose, x))
    rules = SiteRules.together(limit.rules(dose) for limit in problem.limits)
    if known is None and rules.most_sites is not None and not rules.if_used:
        known = nearly_optimal(problem, dose, int(np.count_nonzero(x > USED_GBQ)), score, effort)
    with single_threaded_products():
        work = _Ranges(problem, dose, x, score, Watch(effort or Effort()), () if known is None else known.plans)
        lost = abs(abs(optimum) - abs(score)) / max(1e-3, abs(optimum))
        work.small_gbq = max(work.small_gbq, _ROUNDED * lost * float(x.sum()))
        if rules.any and not rules.if_used and known is not None and known.complete and known.plans:
            return work.on_choices(known)
        return tuple(work.range_of(site) for site in range(len(x)))


class _Ranges:
    """One model for the ranges of all sites."""

    def __init__(
        self,
        problem: Problem,
        dose: DosePerGBq,
        plan_gbq: np.ndarray,
        score: float,
        watch: Watch,
        known: Sequence[np.ndarray],
    ) -> None:
        self._dose, self._plan_gbq, self._watch = dose, plan_gbq, watch
        limits = (*problem.limits, reaching(problem.goal, score, dose))
        self._planes = CuttingPlanes(OneSite(0, True), limits, dose, activity_caps_gbq(problem.limits, dose))
        self._plans: list[np.ndarray] = []
        for plan in (plan_gbq, *known):
            self._keep(plan)
        least = [limit.bound for limit in problem.limits if isinstance(limit.quantity, InjectionActivity)]
        self.small_gbq = max([USED_GBQ, *(0.999 * bound for bound in least)])

    def _keep(self, plan_gbq: np.ndarray) -> None:
        if all(limit.is_met(self._dose, plan_gbq) for limit in self._planes.limits):
            self._plans.append(np.where(plan_gbq > USED_GBQ, plan_gbq, 0.0))

    # Without a number of sites, or by a search.

    def range_of(self, site: int) -> SiteRange:
        """Return the range of one site."""
        most = self._end(site, largest=True)
        least = 0.0 if any(plan[site] == 0.0 for plan in self._plans) else self._end(site, largest=False)
        return self._range(site, least, most)

    def _range(self, site: int, least: float, most: float) -> SiteRange:
        reached = [float(plan[site]) for plan in self._plans]
        ends = (min(reached, default=least), max(reached, default=most))
        return SiteRange(
            self._dose.site_names[site], float(self._plan_gbq[site]), least, most, ends, self._need(least, most, ends)
        )

    def _need(self, least: float, most: float, reached: tuple[float, float]) -> Need:
        if least > USED_GBQ:
            return Need.ESSENTIAL
        if most <= self.small_gbq:
            return Need.USELESS
        return Need.EXCHANGEABLE if reached[0] == 0.0 and reached[1] > 0.0 else Need.UNKNOWN

    def _end(self, site: int, largest: bool) -> float:
        """Return the proved largest or smallest activity of a site; plans found on the way are kept."""
        planes = self._planes
        if self._watch.over or planes.cap_gbq[site] <= 0.0:
            return float(planes.cap_gbq[site]) if largest else 0.0
        planes.aim(OneSite(site, largest))
        root = planes.solve(planes.cap_gbq > 0, None, _GAP, self._watch)
        found, bound = root.activities_gbq if np.isfinite(root.score) else None, root.bound
        if planes.rules.any and not (largest and bound <= USED_GBQ):
            found, bound = self._with_rules(site, largest, root)
        if found is not None:
            self._keep(found)
        return self._outward(bound, site, largest)

    def _with_rules(self, site: int, largest: bool, root: Optimum) -> tuple[np.ndarray | None, float]:
        """Return a plan of the largest or smallest activity that obeys the rules about sites, and the bound."""
        planes, start = self._planes, self._nearest(site, largest)
        if planes.rules.if_used and len(planes.cap_gbq) > _MOST_SEARCHED and start is not None:
            used = start > 0
            used[site] |= largest
            tried = planes.solve(used, used, _GAP, self._watch)
            return tried.activities_gbq if np.isfinite(tried.score) else None, root.bound
        most = min(planes.rules.most_sites or len(planes.cap_gbq), len(planes.cap_gbq))
        search = SiteSearch(planes, most, _GAP, self._watch, most_nodes=_MOST_NODES, greedy=start is None)
        choice = search.run(root, start)
        return choice.activities_gbq if np.isfinite(choice.score) else None, choice.bound

    def _nearest(self, site: int, largest: bool) -> np.ndarray | None:
        """Return the plan found so far that has most, or least, at a site."""
        if not self._plans:
            return None
        return (max if largest else min)(self._plans, key=lambda plan: float(plan[site]))

    def _outward(self, bound: float, site: int, largest: bool) -> float:
        """Return a bound of the score as an activity, with a margin for the rounding of planes."""
        if largest:
            return float(min(max(0.0, bound + _MARGIN_GBQ), self._planes.cap_gbq[site]))
        return max(0.0, -bound - _MARGIN_GBQ)

    # On given choices of sites.

    def on_choices(self, known: NearlyOptimal) -> tuple[SiteRange, ...]:
        """Return all ranges, where every plan that reaches the goal uses all sites of one of some choices."""
        choices = [plan > 0 for plan in known.plans]
        full = all(np.count_nonzero(choice) == known.most for choice in choices)
        return tuple(self._range_on(site, choices, full) for site in range(len(self._plan_gbq)))

    def _range_on(self, site: int, choices: list[np.ndarray], full: bool) -> SiteRange:
        holding = [choice for choice in choices if choice[site]]
        if not full:  # further sites may be added to a choice
            most = self._end(site, largest=True)
        else:
            most = self._end_on(site, holding, largest=True) if holding else 0.0
        if len(holding) < len(choices) or not choices:
            return self._range(site, 0.0, most)
        least = self._end_on(site, holding, largest=False) if full else self._end(site, largest=False)
        return self._range(site, least, most)

    def _end_on(self, site: int, choices: list[np.ndarray], largest: bool) -> float:
        """Return the proved largest or smallest activity of a site over some choices of sites."""
        if self._watch.over:
            return float(self._planes.cap_gbq[site]) if largest else 0.0
        self._planes.aim(OneSite(site, largest))
        score, bound = -np.inf, -np.inf
        for choice in choices:
            found = self._planes.solve(choice, None, _GAP, self._watch, score)
            bound = max(bound, found.bound)
            if np.isfinite(found.score):
                score = max(score, found.score)
                self._keep(found.activities_gbq)
        return self._outward(bound, site, largest)
