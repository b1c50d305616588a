"""A plan whose activities are set by hand: evaluated like any other, with nothing optimized and nothing proved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import InputError
from radioembolization.planning.explain import injected_sentence, territory_sentences
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import USED_GBQ, LimitResult
from radioembolization.planning.plan import BY_HAND, GoalResult, Plan, evaluated
from radioembolization.planning.problem import Problem

NO_BOUND = "Activities set by hand; no bound: nothing was optimized, so better plans within the limits may exist."


def manual_plan(problem: Problem, dose: DosePerGBq, activities_gbq: np.ndarray) -> Plan:
    """Return the plan of activities set by hand; needs no solver.

    Limits are evaluated and may be exceeded.  The goal has its value but no bound (infinite), and its optimum is
    that value, as no better plan is known.  Activities that count as unused (1e-6 GBq and less) become zero.

    Parameters
    ----------
    problem : Problem
        Goal and limits to judge the activities by.
    dose : DosePerGBq
    activities_gbq : ndarray (sites,)
        [GBq], in the order of ``dose.site_names``.

    Raises
    ------
    InputError
        If there is not one activity of zero or more for each site.
    DeviceMismatch, LimitError, LungMassMissing, StructureError, TerritoryError
        If goal or limits do not fit the dose rows.
    """
    problem.check_devices(dose.settings.device)
    activities = _checked(activities_gbq, dose)
    goal = _goal_without_bound(problem.goal, problem.goal.value(dose, activities))
    plan = evaluated(activities, goal, problem.limits, dose, BY_HAND)
    return replace(plan, explanation=_explanation(plan), prescription=problem.tables_if_named(), unproved=NO_BOUND)


def _checked(activities_gbq: np.ndarray, dose: DosePerGBq) -> np.ndarray:
    activities, names = np.asarray(activities_gbq, dtype=float), dose.site_names
    if activities.shape != (len(names),):
        raise InputError(
            f"Activities set by hand must be one number for each of the {len(names)} sites ({', '.join(names)}), "
            f"not an array of shape {activities.shape}."
        )
    wrong = [f"{name} {a:g} GBq" for name, a in zip(names, activities, strict=True) if not (np.isfinite(a) and a >= 0)]
    if wrong:
        raise InputError(f"Activities set by hand must be zero or more, not {', '.join(wrong)}: correct these sites.")
    return np.where(activities > USED_GBQ, activities, 0.0)


def _goal_without_bound(goal: Goal, value: float) -> GoalResult:
    sense, nothing_better = ("maximize", np.inf) if goal.maximized else ("minimize", -np.inf)
    return GoalResult(goal.name, value, value, nothing_better, np.inf, goal.unit, sense)


def _explanation(plan: Plan) -> tuple[str, ...]:
    unit = f" {plan.goal.unit}" if plan.goal.unit else ""
    lines = [injected_sentence(plan), NO_BOUND, *territory_sentences(plan)]
    lines.append(f"With these activities the {plan.goal.name} is {plan.goal.value:.4g}{unit}.")
    exceeded = [limit for limit in plan.limits if not limit.met]
    lines += [_exceeded_sentence(limit) for limit in exceeded]
    if plan.limits and not exceeded:
        lines.append("All limits are met.")
    return tuple(lines)


def _exceeded_sentence(limit: LimitResult) -> str:
    if limit.value is None:
        return f"Not met: {limit.name}, {limit.sense} {limit.limit:g} {limit.unit}."
    word = "Exceeded" if limit.sense == "at most" else "Not reached"
    by = abs(limit.value - limit.limit)
    return f"{word}: {limit.name} {limit.value:.3g} of {limit.sense} {limit.limit:g} {limit.unit}, by {by:.2g}."
