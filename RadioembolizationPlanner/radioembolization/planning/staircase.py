"""The best goal for every number of injections, each step proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.errors import Infeasible, LimitError, SolverFailure
from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.effort import Effort, Watch
from radioembolization.planning.limits import USED_GBQ, Limit, activity_caps_gbq
from radioembolization.planning.problem import Problem
from radioembolization.planning.quantities import InjectionSites
from radioembolization.planning.reused_cuts import RepeatedSearch, proved_score
from radioembolization.planning.solve import optimize
from radioembolization.planning.volumes import is_about_volumes

#: The staircase ends where a further injection can gain no more than this, relative.
ENOUGH = 1e-3
_SMALLEST_GOAL = 1e-3


@dataclass(frozen=True)
class Step:
    """The best plan with at most some injections.

    Parameters
    ----------
    most_injections : int
    value : float or None
        Goal of the plan; None if no plan is within the limits.
    best_possible : float
        No plan with as many injections has a better goal.
    activities_gbq : tuple of float
        (sites,) [GBq]
    sites : tuple of str
        Those with activity.
    status : str
        ``"optimal"``, ``"gap"``, ``"time limit"``, ``"search limit"`` or ``"infeasible"``.
    """

    most_injections: int
    value: float | None
    best_possible: float
    activities_gbq: tuple[float, ...]
    sites: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Staircase:
    """The goal against the number of injections, all else as prescribed but for a limit on that number.

    Parameters
    ----------
    goal, goal_unit : str
    maximized : bool
    steps : tuple of Step
        From one injection on, until the goal is within 0.1 % of what all sites together can reach.
    all_sites : float
        No plan has a better goal, however many injections it takes.
    """

    goal: str
    goal_unit: str
    maximized: bool
    steps: tuple[Step, ...]
    all_sites: float


def staircase(problem: Problem, dose: DosePerGBq, most: int | None = None, effort: Effort | None = None) -> Staircase:
    """Return the best goal for 1, 2, ... injections, with its plans.

    Parameters
    ----------
    problem : Problem
        Its limit on the number of sites, if any, is left out.
    dose : DosePerGBq
    most : int, optional
        Last step; default as many as there are sites.
    effort : Effort, optional
        Gap and time limit of the whole.

    Raises
    ------
    LimitError
        If not even one injection is asked for.
    Infeasible
        If no number of injections has a plan within the limits.
    """
    if most is not None and most < 1:
        raise LimitError(f"A staircase needs at least one injection, not {most}.")
    problem.check_devices(dose.settings.device)
    _ = dose.usable
    effort, last = effort or Effort(fewer_within=None), min(most or len(dose.site_names), len(dose.site_names))
    limits = tuple(limit for limit in problem.limits if not isinstance(limit.quantity, InjectionSites))
    plain = replace(problem, limits=limits)
    with single_threaded_products():
        by_planes = problem.goal.margin(dose, 1.0) is None and not is_about_volumes(problem.goal, limits, dose)
        steps, all_sites = (_by_one_model if by_planes else _each_anew)(plain, dose, last, effort)
    if all(step.value is None for step in steps):
        raise Infeasible(f"No plan with at most {last} injections is within the limits: loosen one, or allow more.")
    return Staircase(problem.goal.name, problem.goal.unit, problem.goal.maximized, tuple(steps), all_sites)


def _by_one_model(problem: Problem, dose: DosePerGBq, last: int, effort: Effort) -> tuple[list[Step], float]:
    """Return all steps from one model, whose planes and cuts serve every number of injections."""
    watch, caps = Watch(effort), activity_caps_gbq(problem.limits, dose)
    planes = CuttingPlanes(problem.goal, _with_number(problem, last), dose, caps)
    root = planes.solve(planes.cap_gbq > 0, None, effort.plan_gap, watch)
    proved = proved_score(planes, root, None)
    highest = root.bound if proved is None else proved
    steps = list(_steps(problem, planes, root, highest, last, caps, watch))
    return steps, highest if problem.goal.maximized else -highest


def _with_number(problem: Problem, number: int) -> tuple[Limit, ...]:
    return (*problem.limits, InjectionSites().at_most(count=number))


def _steps(
    problem: Problem,
    planes: CuttingPlanes,
    root: Optimum,
    highest: float,
    last: int,
    caps_gbq: np.ndarray,
    watch: Watch,
) -> Iterator[Step]:
    searches, start, reached = RepeatedSearch(planes, watch), None, np.nan
    sign = 1.0 if planes.goal.maximized else -1.0
    for number in range(1, last + 1):
        watch.report("injections", number, last)
        planes.changed(_with_number(problem, number), caps_gbq)
        choice = searches.run(number, root, start)
        closed = choice.finished
        proved = proved_score(planes, root, choice) if closed and np.isfinite(choice.score) else None
        best = min(highest, highest if proved is None else proved)
        if not np.isfinite(choice.score):
            best = -np.inf if closed else highest
            yield Step(number, None, sign * best, (), (), "infeasible" if closed else watch.unfinished)
            continue
        value = planes.goal.value(planes.dose, choice.activities_gbq)
        if start is not None and sign * value <= sign * reached:  # a plan with fewer injections is one with more
            value = reached
        else:
            start, reached = choice.activities_gbq, value
        yield _step(
            number, value, sign * best, start, planes.dose, "optimal" if proved is not None else watch.unfinished
        )
        if highest - sign * value <= ENOUGH * max(_SMALLEST_GOAL, abs(highest)):
            return


def _each_anew(problem: Problem, dose: DosePerGBq, last: int, effort: Effort) -> tuple[list[Step], float]:
    """Return all steps, each a problem of its own: dose-volume limits and goals by levels."""
    free = optimize(problem.goal, problem.limits, dose, effort=effort)
    sign = 1.0 if problem.goal.maximized else -1.0
    steps: list[Step] = []
    for number in range(1, last + 1):
        try:
            solution = optimize(problem.goal, _with_number(problem, number), dose, effort=effort)
        except (Infeasible, SolverFailure) as error:
            status = "infeasible" if isinstance(error, Infeasible) else "time limit"
            steps.append(Step(number, None, free.bound, (), (), status))
            continue
        value = problem.goal.value(dose, solution.activities_gbq)
        best = sign * min(sign * solution.bound, sign * free.bound)
        steps.append(_step(number, value, best, solution.activities_gbq, dose, solution.status))
        if sign * (free.bound - value) <= ENOUGH * max(_SMALLEST_GOAL, abs(free.bound)):
            break
    return steps, free.bound


def _step(number: int, value: float, best: float, activities_gbq: np.ndarray, dose: DosePerGBq, status: str) -> Step:
    sites = tuple(name for name, a in zip(dose.site_names, activities_gbq, strict=True) if a > USED_GBQ)
    return Step(number, value, float(best), tuple(float(a) for a in activities_gbq), sites, status)
