"""A plan of vials: which ones at which sites, what they deliver, what to order, and what whole vials cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.errors import VialError
from radioembolization.planning.effort import Effort, Watch
from radioembolization.planning.limits import USED_GBQ
from radioembolization.planning.plan import GoalResult, Plan, evaluated
from radioembolization.planning.problem import Problem
from radioembolization.planning.vial_calendar import VialCalendar
from radioembolization.planning.vial_drawn import drawn_activities
from radioembolization.planning.vial_levels import VialLevel, levels_of_sites, session_times
from radioembolization.planning.vial_order import OrderLine, UsableWindow, drawn_window, order_lines, whole_window
from radioembolization.planning.vial_whole import Found, best_whole_vials, check_goal
from radioembolization.planning.vials import Injection

_SMALLEST = 1e-3
_UNPROVED = "That no other vials are better was proved over all voxels in float64; no record of it is kept."
_UNPROVED_DRAWN = "Vials that are drawn from leave the activities free: the plan of free activities has the proof."


@dataclass(frozen=True)
class VialSet:
    """Vials for a treatment.

    Parameters
    ----------
    injections : tuple of Injection
    activities_gbq : tuple of float
        Delivered to each site (sites,) [GBq].
    value : float
        Goal at these.
    loss : float
        Share of the goal of free activities that is lost.
    """

    injections: tuple[Injection, ...]
    activities_gbq: tuple[float, ...]
    value: float
    loss: float


@dataclass(frozen=True)
class VialPlan:
    """The best vials, proved.

    Parameters
    ----------
    chosen : VialSet
    plan : Plan
        At the delivered activities, evaluated on all voxels.
    alternatives : tuple of VialSet
        The next best, best first; nothing between them is left out.
    free_value, free_bound : float
        Goal with any activities under the same limits, and what no activities surpass.
    bound, gap : float
        No vials have a better goal; relative gap to that of the chosen ones.
    window : UsableWindow
    orders : tuple of OrderLine
    status : str
        ``"optimal"``, ``"time limit"`` or ``"search limit"``.
    nodes, evaluated : int
        Of the search: choices of sites looked at, and vial sets evaluated on all voxels.
    """

    chosen: VialSet
    plan: Plan
    alternatives: tuple[VialSet, ...]
    free_value: float
    free_bound: float
    bound: float
    gap: float
    window: UsableWindow
    orders: tuple[OrderLine, ...]
    status: str
    nodes: int = 0
    evaluated: int = 0


def choose_vials(
    problem: Problem,
    dose: DosePerGBq,
    calendar: VialCalendar,
    at: datetime | Mapping[str, datetime],
    effort: Effort | None = None,
    *,
    alternatives: int = 3,
    window_loss: float = 0.05,
) -> VialPlan:
    """Return the vials whose plan has the best goal within the limits.

    Parameters
    ----------
    problem : Problem
    dose : DosePerGBq
    calendar : VialCalendar
    at : datetime, or mapping of str to datetime
        Hour of all injections, or of each site; a site that is not named is not used.
    effort : Effort, optional
        Gaps of free activities, time limit, progress.
    alternatives : int
        How many next best vial sets are found; each is proved to be the next.
    window_loss : float
        Share of the goal that may be lost within the window of use.

    Raises
    ------
    VialError
        If vials, times or sites do not fit, or no vial is small enough for the limits; the nearest is named.
    LimitError
        If the goal has no planes (equivalent uniform doses, doses at a volume) and vials are injected whole.
    Infeasible, UnboundedActivity, SolverFailure
        As for ``Problem.solve``.
    """
    problem.check_devices(dose.settings.device)
    if calendar.device != dose.settings.device:
        raise VialError(f"The vials are {calendar.device.title}, the doses those of {dose.settings.device.title}.")
    if alternatives < 0 or not 0.0 <= window_loss < 1.0:
        raise VialError("Alternatives are zero or more, and the loss within the window of use a share in [0, 1).")
    _ = dose.usable
    times, watch = session_times(at, dose), Watch(effort or Effort(fewer_within=None))
    with single_threaded_products():
        if calendar.supply.vials_per_site is None:
            return _any_activity(problem, dose, calendar, times, watch, window_loss)
        check_goal(problem.goal, dose)
        return _whole(problem, dose, calendar, times, watch, alternatives, window_loss)


def _whole(
    problem: Problem,
    dose: DosePerGBq,
    calendar: VialCalendar,
    times: tuple[datetime | None, ...],
    watch: Watch,
    alternatives: int,
    window_loss: float,
) -> VialPlan:
    used = np.array([at is not None for at in times])
    found = best_whole_vials(
        problem, dose, used, lambda cap_gbq: levels_of_sites(calendar, times, cap_gbq), watch, 1 + alternatives
    )
    sets = [
        _vial_set(problem, x, _injections(x, found.levels, times, calendar, dose), dose, found.free_score)
        for x in found.plans
    ]
    window = whole_window(problem.goal, problem.limits, dose, found.plans[0], sets[0].injections, window_loss)
    orders = order_lines(sets[0].injections, window, shared=False)
    return _assembled(problem, dose, sets, found, window, orders, _UNPROVED)


def _injections(
    activities_gbq: np.ndarray,
    levels: Sequence[Sequence[VialLevel]],
    times: tuple[datetime | None, ...],
    calendar: VialCalendar,
    dose: DosePerGBq,
) -> tuple[Injection, ...]:
    found = []
    for site in map(int, np.flatnonzero(activities_gbq > USED_GBQ)):
        level = min(levels[site], key=lambda one: abs(one.delivered_gbq - activities_gbq[site]))
        at = times[site]
        assert at is not None
        found.append(Injection.of(dose.site_names[site], level.vials, at, calendar.residual))
    return tuple(found)


def _any_activity(
    problem: Problem,
    dose: DosePerGBq,
    calendar: VialCalendar,
    times: tuple[datetime | None, ...],
    watch: Watch,
    window_loss: float,
) -> VialPlan:
    found, injections = drawn_activities(problem, dose, calendar, times, watch)
    x = found.plans[0]
    chosen = _vial_set(problem, x, injections, dose, found.free_score)
    if calendar.supply.drawn:
        window = drawn_window(injections)
    else:
        window = whole_window(problem.goal, problem.limits, dose, x, injections, window_loss)
    orders = order_lines(injections, window, shared=calendar.supply.drawn)
    return _assembled(problem, dose, [chosen], found, window, orders, _UNPROVED_DRAWN)


def _vial_set(
    problem: Problem, activities_gbq: np.ndarray, injections: tuple[Injection, ...], dose: DosePerGBq, free_score: float
) -> VialSet:
    score = problem.goal.score(dose, activities_gbq)
    loss = max(0.0, free_score - score) / max(_SMALLEST, abs(free_score))
    value = problem.goal.value(dose, activities_gbq)
    return VialSet(injections, tuple(float(a) for a in activities_gbq), value, loss)


def _assembled(
    problem: Problem,
    dose: DosePerGBq,
    sets: list[VialSet],
    found: Found,
    window: UsableWindow,
    orders: tuple[OrderLine, ...],
    unproved: str,
) -> VialPlan:
    goal, chosen = problem.goal, sets[0]
    sign = 1.0 if goal.maximized else -1.0
    bound = sign * found.bound
    gap = abs(bound - chosen.value) / max(abs(bound), _SMALLEST)
    sense = "maximize" if goal.maximized else "minimize"
    result = GoalResult(goal.name, chosen.value, chosen.value, bound, gap, goal.unit, sense)
    plan = evaluated(np.array(chosen.activities_gbq), result, problem.limits, dose, found.status)
    spheres = {injection.site: injection.microspheres for injection in chosen.injections}
    sites = tuple(replace(site, microspheres=spheres.get(site.name, 0.0)) for site in plan.sites)
    plan = replace(plan, sites=sites, prescription=problem.tables_if_named(), unproved=unproved)
    return VialPlan(
        chosen=chosen,
        plan=plan,
        alternatives=tuple(sets[1:]),
        free_value=sign * found.free_score,
        free_bound=sign * found.free_bound,
        bound=bound,
        gap=gap,
        window=window,
        orders=orders,
        status=found.status,
        nodes=found.nodes,
        evaluated=found.evaluated,
    )
