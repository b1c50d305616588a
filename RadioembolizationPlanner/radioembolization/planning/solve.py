"""Solving a planning problem: cvxpy states it, HiGHS solves it, numpy bounds and checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import Infeasible, SolverFailure
from radioembolization.planning.goals import Goal, LowestOf
from radioembolization.planning.highs import cleaned, solve_with_highs
from radioembolization.planning.limits import Limit, activity_caps_gbq
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.tie_break import EQUAL, raise_the_others, sites_of_least_activity

#: A relaxed plan may exceed the activity caps of the unrelaxed limits by this factor.
_RELAXED_CAPS = 10.0


@dataclass(frozen=True, eq=False)
class Solution:
    """Activities with the proof of how good they can be.

    Parameters
    ----------
    activities_gbq : ndarray (sites,)
    bound : float
        No feasible plan has a better goal value.
    status : str
        ``"optimal"``.
    """

    activities_gbq: np.ndarray
    bound: float
    status: str


def optimize(goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, only: np.ndarray | None = None) -> Solution:
    """Return the best activities within the limits and a bound on every feasible plan.

    Parameters
    ----------
    goal : Goal
    limits : sequence of Limit
    dose : DosePerGBq
    only : ndarray (sites,) of bool, optional
        Sites that may be used; default all.

    Raises
    ------
    UnboundedActivity, Infeasible, SolverFailure
    """
    activities, bound = _optimum(goal, limits, dose, only)
    chosen = sites_of_least_activity(goal, activities, limits, dose, only)
    if np.any(chosen != (activities > 0)):
        activities = _on_sites(chosen, activities, goal, limits, dose)
    if isinstance(goal, LowestOf):
        activities = raise_the_others(goal.rows(dose), activities, limits, dose)
    return Solution(activities, bound, "optimal")


def _optimum(
    goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, only: np.ndarray | None
) -> tuple[np.ndarray, float]:
    """Return optimal activities (sites,) [GBq] and the bound."""
    model = Model(dose, activity_caps_gbq(limits, dose, only))
    constraints = [c for limit in limits for c in limit.constraints(model)]
    status, bound = solve_with_highs(goal.expression(model), goal.maximized, constraints, model)
    if status == "infeasible":
        raise _infeasible(limits, dose, only)
    if status != "optimal":
        raise SolverFailure(f"HiGHS ended with status '{status}' and no plan: check the numbers of the case.")
    return cleaned(model.activities.value), bound


def _on_sites(
    chosen: np.ndarray, activities: np.ndarray, goal: Goal, limits: Sequence[Limit], dose: DosePerGBq
) -> np.ndarray:
    """Return the optimum on the chosen sites if it reaches the goal value of the activities, else these."""
    try:
        other, _ = _optimum(goal, limits, dose, chosen)
    except (Infeasible, SolverFailure):  # at the accuracy of the solver
        return activities
    change = goal.value(dose, other) - goal.value(dose, activities)
    worse = -change if goal.maximized else change
    return other if worse <= EQUAL * max(1.0, abs(goal.value(dose, activities))) else activities


def _infeasible(limits: Sequence[Limit], dose: DosePerGBq, only: np.ndarray | None) -> Infeasible:
    """Find a least relative relaxation that makes the limits compatible, and name it."""
    model = Model(dose, _RELAXED_CAPS * activity_caps_gbq(limits, dose, only))
    relaxed, slacks = [], []
    for limit in limits:
        slack = 0.0
        if limit.quantity.keyword != "count":  # the number of sites is never relaxed
            slack = cvxpy().Variable(nonneg=True)
            slacks.append(slack / max(limit.bound, 1.0))
        relaxed += limit.quantity.constraints(model, limit.upper, limit.bound, slack)
    status, _ = solve_with_highs(sum(slacks), False, relaxed, model)
    if status != "optimal":
        return Infeasible("The limits contradict each other, even if each is relaxed: check their numbers.")
    activities = cleaned(model.activities.value)
    named = {str(limit): limit for limit in limits if not limit.is_met(dose, activities)}
    excess = {text: float(limit.excess(dose, activities)) for text, limit in named.items()}
    if not excess:
        return Infeasible(
            "The limits contradict each other by less than the accuracy of the solver: loosen one of them."
        )
    parts = [f"'{text}' by {value:.3g} {named[text].quantity.unit}" for text, value in excess.items()]
    return Infeasible(
        f"The limits contradict each other; no plan meets them all. Least relaxation: {' and '.join(parts)}.", excess
    )
