"""Solving a planning problem: cvxpy states it, HiGHS solves it, numpy bounds and checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import Infeasible, SolverFailure, UnboundedActivity
from radioembolization.planning.goals import Goal, WorstTumourMean, tumour_mean_rows
from radioembolization.planning.limits import USED_GBQ, Limit
from radioembolization.planning.model import Model, cvxpy

#: Relative gap at which the search over sites ends.
MIP_GAP = 1e-6
_OPTIONS = {
    "output_flag": False,
    "mip_rel_gap": MIP_GAP,
    "mip_feasibility_tolerance": 1e-9,
    "random_seed": 0,
    "parallel": "off",
}
#: The tie-break may not lower the goal by more than this, relative.
_TIE = 1e-9
#: Tumour means closer than this, relative (and in Gy below 1 Gy), are at one level.
_SAME = 1e-6
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
    model = Model(dose, activity_caps_gbq(limits, dose, only))
    constraints = [c for limit in limits for c in limit.constraints(model)]
    status, bound = _solve(goal.expression(model), goal.maximized, constraints, model)
    if status == "infeasible":
        raise _infeasible(limits, dose, only)
    if status != "optimal":
        raise SolverFailure(f"HiGHS ended with status '{status}' and no plan: check the numbers of the case.")
    activities = _cleaned(model.activities.value)
    if isinstance(goal, WorstTumourMean):
        activities = _raise_other_tumours(activities, limits, dose)
    return Solution(activities, bound, "optimal")


def activity_caps_gbq(limits: Sequence[Limit], dose: DosePerGBq, only: np.ndarray | None = None) -> np.ndarray:
    """Return the largest activity (sites,) [GBq] any feasible plan can give each site.

    Raises
    ------
    UnboundedActivity
        If no limit bounds a site.
    """
    caps = np.min([np.full(len(dose.site_names), np.inf), *(limit.cap_gbq(dose) for limit in limits)], axis=0)
    if only is not None:
        caps = np.where(only, caps, 0.0)
    for name, cap in zip(dose.site_names, caps, strict=True):
        if not np.isfinite(cap):
            raise UnboundedActivity(
                f"No limit bounds the activity of site '{name}', so no optimal plan exists: add a limit on "
                "normal liver, lungs or total activity."
            )
    return caps


def _solve(expression: Any, maximized: bool, constraints: list[Any], model: Model) -> tuple[str, float]:
    """Solve with HiGHS; return status and a bound on the expression."""
    cp = cvxpy()
    level = cp.Variable()
    epigraph = level <= expression if maximized else level >= expression
    objective = cp.Minimize(-level if maximized else level)
    problem = cp.Problem(objective, [*constraints, *model.choice_constraints(), epigraph])
    data, chain, inverse = problem.get_problem_data(cp.HIGHS)
    output = chain.solve_via_data(problem, data, solver_opts=dict(_OPTIONS))
    try:
        problem.unpack_results(output, chain, inverse)
    except cp.error.SolverError as error:
        raise SolverFailure(f"HiGHS failed: {error}") from error
    if problem.status not in ("optimal", "optimal_inaccurate"):
        return str(problem.status), float("nan")
    lowest = output["info"].mip_dual_bound if model.uses_choice else _dual_bound(data, output)
    return str(problem.status), -float(lowest) if maximized else float(lowest)


def _dual_bound(data: dict[str, Any], output: dict[str, Any]) -> float:
    """Return the Lagrangian lower bound of the linear program from its row multipliers.

    For ``min c x, A x <= b`` (first rows ``=``), any multipliers ``y <= 0`` of the inequalities give
    ``y b + sum_j min_{l <= x <= u} (c - A' y)_j x_j``; the solver's accuracy cannot falsify it.  The
    free level variable has a zero reduced cost up to rounding, which is taken as zero.
    """
    matrix, right, cost = data["A"], data["b"], data["c"]
    multipliers = np.array(output["solution"].row_dual)
    equalities = data["dims"].zero
    multipliers[equalities:] = np.minimum(multipliers[equalities:], 0.0)
    reduced = cost - matrix.T @ multipliers
    reduced[np.abs(reduced) < 1e-9] = 0.0
    lower = data["lower_bounds"] if data["lower_bounds"] is not None else np.full(len(cost), -np.inf)
    upper = data["upper_bounds"] if data["upper_bounds"] is not None else np.full(len(cost), np.inf)
    ends = np.where(reduced > 0, lower, upper)
    return float(multipliers @ right + np.sum(reduced * np.where(reduced == 0, 0.0, ends)))


def _cleaned(activities: np.ndarray) -> np.ndarray:
    activities = np.asarray(activities, dtype=float)
    return np.where(activities > USED_GBQ, activities, 0.0)


def _raise_other_tumours(activities: np.ndarray, limits: Sequence[Limit], dose: DosePerGBq) -> np.ndarray:
    """Among plans of equal worst tumour on the same sites, raise the next worst, and so on.

    Without it, a tumour in a territory of its own would keep whatever dose the solver's vertex has.
    """
    rows, only = tumour_mean_rows(dose), activities > 0
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
    status, _ = _solve(cvxpy().min(rows[~held] @ model.activities), True, constraints, model)
    if status != "optimal":
        return None
    found = _cleaned(model.activities.value)
    return found if all(limit.is_met(dose, found) for limit in limits) else None


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
    status, _ = _solve(sum(slacks), False, relaxed, model)
    if status != "optimal":
        return Infeasible("The limits contradict each other, even if each is relaxed: check their numbers.")
    activities = _cleaned(model.activities.value)
    named = {str(limit): limit for limit in limits if not limit.is_met(dose, activities)}
    excess = {text: float(limit.excess(dose, activities)) for text, limit in named.items()}
    parts = [f"'{text}' by {value:.3g} {named[text].quantity.unit}" for text, value in excess.items()]
    return Infeasible(
        f"The limits contradict each other; no plan meets them all. Least relaxation: {' and '.join(parts)}.", excess
    )
