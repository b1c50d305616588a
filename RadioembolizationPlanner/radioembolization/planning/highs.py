"""Solving a stated model with HiGHS through cvxpy.

The bound of a linear program is recomputed in numpy from its multipliers; that of a mixed-integer one is
the bound of HiGHS' branch and bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from radioembolization.errors import SolverFailure
from radioembolization.planning.limits import USED_GBQ
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


def solve_with_highs(expression: Any, maximized: bool, constraints: list[Any], model: Model) -> tuple[str, float]:
    """Optimize an expression of the model with HiGHS.

    Returns
    -------
    status : str
        As cvxpy names it.
    bound : float
        No feasible point has a better value; NaN without a solution.

    Raises
    ------
    SolverFailure
    """
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


def cleaned(activities: np.ndarray) -> np.ndarray:
    """Return activities (sites,) with traces below ``USED_GBQ`` set to zero."""
    activities = np.asarray(activities, dtype=float)
    return np.where(activities > USED_GBQ, activities, 0.0)
