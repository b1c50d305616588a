"""Which of several plans of equal goal value: nothing here is part of a proof.

Fewer injections are preferred as long as the goal is hardly worse (``Effort.fewer_within``).  Among choices of as many
sites with the same goal value, the one with the least lung dose is taken, then with the least activity, then with the
most proximal sites (the largest perfused mass), then with the earlier candidates.  On the sites chosen, the other
tumours are raised.
"""

from __future__ import annotations

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import SolverFailure
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.effort import Watch
from radioembolization.planning.goals import LowestOf
from radioembolization.planning.kept import once_per_dose
from radioembolization.planning.limits import USED_GBQ, Limit
from radioembolization.planning.model import cvxpy
from radioembolization.planning.reduced import Reduced
from radioembolization.structures import Role

#: Choices of sites with goals closer than this, relative, are equal.
EQUAL = 1e-6
#: A tie-break on given sites may not lower the goal, or a settled tumour, by more than this, relative.
_TIE = 1e-9
#: Goals below this are equal in every respect.
_SMALLEST_GOAL = 1e-3
#: Tumour means closer than this, relative (and in Gy below 1 Gy), are at one level.
_SAME = 1e-6
#: Lung doses and activities closer than this, relative, are equal.
_SAME_AMOUNT = 1e-6
_MOST_ROUNDS = 20


def slack_of(score: float) -> float:
    """Return by how much the score of an equal plan may be lower."""
    return EQUAL * max(_SMALLEST_GOAL, abs(score))


def preferred(planes: CuttingPlanes, plans: list[np.ndarray], score: float) -> np.ndarray:
    """Return the plan (sites,) that is preferred among plans of equal score on different sites.

    Of each choice of sites, the plan of the least lung dose, and of the least activity at that, is compared.
    """
    if len(plans) == 1:
        return plans[0]
    plans = sorted(plans, key=lambda plan: tuple(np.flatnonzero(plan)))
    thrifty = [_thrifty(planes, plan, score) for plan in plans]
    keys = np.array([_key(planes, plan) for plan in thrifty])
    left = list(range(len(plans)))
    for column in keys.T:
        least = min(column[i] for i in left)
        left = [i for i in left if column[i] <= least + _SAME_AMOUNT * max(1e-6, abs(least))]
    return plans[left[0]]


def _key(planes: CuttingPlanes, activities: np.ndarray) -> tuple[float, float, float]:
    """Return lung dose, activity and (negative) perfused mass of the sites used; smaller is preferred."""
    lung = _lung_row(planes) @ activities
    return float(lung), float(activities.sum()), -float(perfused_kg(planes.dose)[activities > 0].sum())


def _lung_row(planes: CuttingPlanes) -> np.ndarray:
    dose = planes.dose
    return dose.lung_shunt if dose.lung_gy_per_gbq is None else dose.lung_gy_per_gbq


@once_per_dose
def perfused_kg(dose: DosePerGBq) -> np.ndarray:
    """Return the mass of liver that each site perfuses (sites,) [kg]: the larger, the more proximal."""
    liver = np.unique(np.concatenate([s.voxels for s in dose.structures if s.role is not Role.ORGAN]))
    return np.asarray(dose.perfused[:, liver] @ dose.voxel_kg[liver])


def _thrifty(planes: CuttingPlanes, activities: np.ndarray, score: float) -> np.ndarray:
    """Return the plan of least lung dose, then least activity, of the same score on the same sites."""
    plan = activities
    held: list[tuple[np.ndarray, float]] = []
    for row in (_lung_row(planes), np.ones(len(activities))):
        found = _least(planes, activities > 0, row, score - slack_of(score), held)
        if found is None:
            return plan
        plan = found
        held.append((row, float(row @ plan)))
    return plan


def _least(
    planes: CuttingPlanes, used: np.ndarray, row: np.ndarray, score: float, held: list[tuple[np.ndarray, float]]
) -> np.ndarray | None:
    """Minimize a row over plans that reach a score and keep other rows, on some sites."""
    planes.require(used)
    for _ in range(_MOST_ROUNDS):
        model = Reduced(planes, used)
        kept = [r @ model.activities <= value * (1 + _SAME_AMOUNT / 10) + 1e-12 for r, value in held]
        found = model.solve(row @ model.activities, False, model.score >= score, *kept)
        if found is None:
            return None
        if not planes.separate(found) + planes.separate_goal(found, score):
            return found
    return None


def raise_the_others(planes: CuttingPlanes, activities: np.ndarray, watch: Watch | None = None) -> np.ndarray:
    """Among plans of equal worst tumour on the same sites, raise the next worst, and so on, until the time is over.

    Without it, a tumour in a territory of its own would keep whatever dose the solver's vertex has.  For goals that
    are the lowest of several means; others keep their plan.
    """
    goal = planes.goal
    used = activities > 0
    if not isinstance(goal, LowestOf) or not used.any():
        return activities
    planes.require(used)
    rows = goal.rows(planes.dose)
    floors = np.full(len(rows), -np.inf)
    best = activities
    while not (np.all(np.isfinite(floors)) or (watch is not None and watch.over)):
        doses = rows @ best
        free = ~np.isfinite(floors)
        lowest = doses[free].min()
        at_lowest = np.flatnonzero(free & (doses <= lowest + _SAME * max(1.0, lowest)))
        floors[_stuck(at_lowest, np.where(free, lowest, floors), rows, planes, used)] = lowest
        if np.all(np.isfinite(floors)):
            break
        better = _raise_level(rows, floors, planes, used)
        if better is None:
            break
        best = better
    return best


def _stuck(
    at_lowest: np.ndarray, level: np.ndarray, rows: np.ndarray, planes: CuttingPlanes, used: np.ndarray
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
        raised = _raise_level(rows, others, planes, used)
        if raised is None or rows[tumour] @ raised <= level[tumour] + _SAME * max(1.0, level[tumour]):
            stuck.append(tumour)
    return np.array(stuck) if stuck else at_lowest


def _raise_level(rows: np.ndarray, floors: np.ndarray, planes: CuttingPlanes, used: np.ndarray) -> np.ndarray | None:
    """Maximize the lowest free tumour dose while the others keep their floors; None if it fails."""
    held = np.isfinite(floors)
    for _ in range(_MOST_ROUNDS):
        model = Reduced(planes, used)
        kept = rows[held] @ model.activities >= floors[held] * (1 - _TIE)
        try:
            found = model.solve(cvxpy().min(rows[~held] @ model.activities), True, kept)
        except SolverFailure:
            return None
        if found is None:
            return None
        if not planes.separate(found):
            return found if within(planes.limits, planes, found) else None
    return None


def within(limits: tuple[Limit, ...], planes: CuttingPlanes, activities: np.ndarray) -> bool:
    """Whether all limits are met, evaluated in float64 on all voxels."""
    return all(limit.is_met(planes.dose, activities) for limit in limits)


def cleaned(activities: np.ndarray) -> np.ndarray:
    """Return activities (sites,) with traces below ``USED_GBQ`` set to zero."""
    activities = np.asarray(activities, dtype=float)
    return np.where(activities > USED_GBQ, activities, 0.0)
