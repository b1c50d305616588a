"""Other choices of sites that are nearly as good as the best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.effort import Effort, Watch
from radioembolization.planning.limits import USED_GBQ, LimitResult, activity_caps_gbq
from radioembolization.planning.near_optimal import WITHIN, has_planes, least_score
from radioembolization.planning.problem import Problem
from radioembolization.planning.search import SiteSearch

#: As many plans are looked for at most, and as many nodes of the search.
MOST_SETS, _MOST_NODES = 64, 4000
#: Gap of each plan on its sites.
_GAP = 1e-5


@dataclass(frozen=True)
class Alternative:
    """A plan on other sites that is nearly as good as the best.

    Parameters
    ----------
    sites : tuple of str
        Those with activity.
    activities_gbq : tuple of float
        (sites,) [GBq]
    goal_value : float
        Evaluated on all voxels.
    loss : float
        Share by which it is worse than the optimum.
    limits : tuple of LimitResult
        All met, evaluated on all voxels.
    """

    sites: tuple[str, ...]
    activities_gbq: tuple[float, ...]
    goal_value: float
    loss: float
    limits: tuple[LimitResult, ...]


@dataclass(frozen=True)
class NearlyOptimal:
    """The choices of sites that reach a score, none holding another.

    Parameters
    ----------
    plans : tuple of ndarray (sites,)
        The best plan on each choice.
    most : int
        Largest number of sites looked at.
    complete : bool
        Whether these are all: every plan that reaches the score uses all sites of one of them.
    """

    plans: tuple[np.ndarray, ...]
    most: int
    complete: bool


def alternatives(
    problem: Problem,
    dose: DosePerGBq,
    activities_gbq: np.ndarray,
    optimum: float,
    within: float = WITHIN,
    most_plans: int = 5,
    effort: Effort | None = None,
) -> tuple[Alternative, ...]:
    """Return plans on other sites within a share of the optimum, or as good as a plan that is worse; the best first.

    No choice of sites contains another one, or that of the plan: every site is needed.  None has more injections than
    the prescription allows, or than the plan has if there is no such limit.  Empty with dose-volume limits or goals,
    and for goals by levels.

    Parameters
    ----------
    problem : Problem
    dose : DosePerGBq
    activities_gbq : ndarray (sites,)
        The plan.
    optimum : float
        Goal value of the best plan.
    within : float
        Share of it that may be lost.
    most_plans : int
    effort : Effort, optional
    """
    own = frozenset(np.flatnonzero(np.asarray(activities_gbq) > USED_GBQ).tolist())
    value = problem.goal.value(dose, np.asarray(activities_gbq, dtype=float))
    score = least_score(problem.goal, optimum, within, value)
    found = nearly_optimal(problem, dose, len(own), score, effort)
    return () if found is None else chosen_alternatives(problem, dose, own, optimum, found, most_plans)


def chosen_alternatives(
    problem: Problem, dose: DosePerGBq, own: frozenset[int], optimum: float, found: NearlyOptimal, most_plans: int
) -> tuple[Alternative, ...]:
    """Return the best of the plans found whose sites are not, and do not include, those of the plan."""
    others = [plan for plan in found.plans if not own <= set(np.flatnonzero(plan).tolist())]
    judged = [_alternative(problem, dose, plan, optimum) for plan in others]
    met = [alternative for alternative in judged if all(limit.met for limit in alternative.limits)]
    return tuple(sorted(met, key=lambda alternative: (alternative.loss, alternative.sites))[:most_plans])


def nearly_optimal(
    problem: Problem, dose: DosePerGBq, most: int, score: float, effort: Effort | None = None
) -> NearlyOptimal | None:
    """Return the choices of at most as many sites as are prescribed, or given, that reach a score.

    None with dose-volume limits or goals, and for goals by levels.
    """
    if not has_planes(problem.goal, problem.limits, dose) or problem.goal.margin(dose, 1.0) is not None:
        return None
    with single_threaded_products():
        planes = CuttingPlanes(problem.goal, problem.limits, dose, activity_caps_gbq(problem.limits, dose))
        most = min(planes.rules.most_sites or most, len(planes.cap_gbq))
        planes.solve(planes.cap_gbq > 0, None, _GAP)
        search = SiteSearch(planes, most, _GAP, Watch(effort or Effort()), most_nodes=_MOST_NODES)
        plans, complete = search.reaching(score, MOST_SETS)
    return NearlyOptimal(tuple(_without_supersets(plans)), most, complete)


def _without_supersets(plans: list[np.ndarray]) -> list[np.ndarray]:
    sets = [frozenset(np.flatnonzero(plan).tolist()) for plan in plans]
    return [plan for plan, own in zip(plans, sets, strict=True) if not any(other < own for other in sets)]


def _alternative(problem: Problem, dose: DosePerGBq, plan: np.ndarray, optimum: float) -> Alternative:
    value = problem.goal.value(dose, plan)
    worse = optimum - value if problem.goal.maximized else value - optimum
    sites = tuple(name for name, a in zip(dose.site_names, plan, strict=True) if a > USED_GBQ)
    limits = tuple(LimitResult.of(limit, dose, plan) for limit in problem.limits)
    loss = max(0.0, float(worse)) / max(1e-3, abs(optimum))
    return Alternative(sites, tuple(float(a) for a in plan), float(value), loss, limits)
