"""Which of several plans of equal goal value: nothing here changes the value or is part of its proof."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.goals import Goal
from radioembolization.planning.highs import cleaned, solve_with_highs
from radioembolization.planning.limits import Limit, activity_caps_gbq
from radioembolization.planning.model import Model, cvxpy

#: A tie-break may not lower the goal, or a settled tumour, by more than this, relative.
_TIE = 1e-9
#: The choice of sites by least activity may lower the goal by this, relative.
EQUAL = 1e-7
#: Goals below this are equal in every respect [Gy].
_SMALLEST_GOAL_GY = 1e-3
#: Tumour means closer than this, relative (and in Gy below 1 Gy), are at one level.
_SAME = 1e-6
#: Preference of a candidate over the next in the list, in relative activity.
_EARLIER = 1e-3


def sites_of_least_activity(
    goal: Goal, activities: np.ndarray, limits: Sequence[Limit], dose: DosePerGBq, only: np.ndarray | None
) -> np.ndarray:
    """Return the sites (sites,) of bool of the plan of equal goal value with the least activity.

    Of equal activity, earlier candidates are preferred.  Nested territories make plans exchangeable (the
    parent can replace its children); without a rule the solver's path would decide, and the same patient
    on another grid could have another plan.
    """
    model = Model(dose, activity_caps_gbq(limits, dose, only))
    constraints = [c for limit in limits for c in limit.constraints(model)]
    value, expression = goal.value(dose, activities), goal.expression(model)
    slack = EQUAL * max(_SMALLEST_GOAL_GY, abs(value))
    constraints.append(expression >= value - slack if goal.maximized else expression <= value + slack)
    weights = 1.0 + _EARLIER * np.arange(len(activities))
    status, _ = solve_with_highs(weights @ model.activities, False, constraints, model)
    return cleaned(model.activities.value if status == "optimal" else activities) > 0


def raise_the_others(rows: np.ndarray, activities: np.ndarray, limits: Sequence[Limit], dose: DosePerGBq) -> np.ndarray:
    """Among plans of equal worst tumour on the same sites, raise the next worst, and so on.

    Without it, a tumour in a territory of its own would keep whatever dose the solver's vertex has.
    """
    only = activities > 0
    floors = np.full(len(rows), -np.inf)
    best = activities
    while not np.all(np.isfinite(floors)):
        doses = rows @ best
        free = ~np.isfinite(floors)
        lowest = doses[free].min()
        at_lowest = np.flatnonzero(free & (doses <= lowest + _SAME * max(1.0, lowest)))
        floors[_stuck(at_lowest, np.where(free, lowest, floors), rows, limits, dose, only)] = lowest
        if np.all(np.isfinite(floors)):
            break
        better = _raise_level(rows, floors, limits, dose, only)
        if better is None:
            break
        best = better
    return best


def _stuck(
    at_lowest: np.ndarray,
    level: np.ndarray,
    rows: np.ndarray,
    limits: Sequence[Limit],
    dose: DosePerGBq,
    only: np.ndarray,
) -> np.ndarray:
    """Return those of the lowest tumours that cannot rise while all others keep the level.

    The solver's vertex may leave a tumour at the level of the worst although nothing holds it there.
    One tumour alone at the level is the worst and cannot rise.
    """
    if len(at_lowest) == 1:
        return at_lowest
    stuck = []
    for tumour in at_lowest:
        others = np.where(np.arange(len(level)) == tumour, -np.inf, level)
        raised = _raise_level(rows, others, limits, dose, only)
        if raised is None or rows[tumour] @ raised <= level[tumour] + _SAME * max(1.0, level[tumour]):
            stuck.append(tumour)
    return np.array(stuck) if stuck else at_lowest


def _raise_level(
    rows: np.ndarray, floors: np.ndarray, limits: Sequence[Limit], dose: DosePerGBq, only: np.ndarray
) -> np.ndarray | None:
    """Maximize the lowest free tumour dose while the others keep their floors; None if it fails."""
    model = Model(dose, activity_caps_gbq(limits, dose, only))
    constraints = [c for limit in limits for c in limit.constraints(model)]
    held = np.isfinite(floors)
    constraints.append(rows[held] @ model.activities >= floors[held] * (1 - _TIE))
    if model.uses_choice:
        constraints.append(model.used == only.astype(float))
    status, _ = solve_with_highs(cvxpy().min(rows[~held] @ model.activities), True, constraints, model)
    if status != "optimal":
        return None
    found = cleaned(model.activities.value)
    return found if all(limit.is_met(dose, found) for limit in limits) else None
