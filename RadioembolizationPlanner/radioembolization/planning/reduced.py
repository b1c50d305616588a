"""The reduced model in cvxpy: a handful of rows in the place of all voxels, readable and for any objective.

``CuttingPlanes`` solves the same rows with HiGHS directly, because it does so hundreds of times; here they are stated
once, for what is asked once: tie-breaks, least relaxations, and the referee of the tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from radioembolization.errors import SolverFailure
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.lagrangian import NONE
from radioembolization.planning.limits import USED_GBQ
from radioembolization.planning.model import cvxpy

#: Of HiGHS, for programs whose answer is part of a statement.
OPTIONS = {
    "output_flag": False,
    "mip_rel_gap": 1e-7,
    "mip_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
    "random_seed": 0,
    "parallel": "off",
}


class Reduced:
    """Activities within the planes known so far.

    Parameters
    ----------
    planes : CuttingPlanes
    allowed : ndarray (sites,) of bool, optional
        Sites that may have activity; default all.
    elastic : bool
        Whether every limit on doses or activities may be exceeded, see ``excess``.

    Attributes
    ----------
    activities, levels : cvxpy variables (sites,), (terms,)
    excess : dict of int to cvxpy variable
        By how much each limit is exceeded [its unit], by its index.
    """

    def __init__(self, planes: CuttingPlanes, allowed: np.ndarray | None = None, elastic: bool = False) -> None:
        cp = cvxpy()
        self.planes = planes
        cap = planes.cap_gbq * (10.0 if elastic else 1.0)
        cap = cap if allowed is None else np.where(allowed, cap, 0.0)
        self.activities = cp.Variable(len(cap), bounds=[np.zeros(len(cap)), cap])
        self.levels = cp.Variable(len(planes.terms))
        self.excess: dict[int, Any] = {}
        self.constraints = [*self._rows(elastic), *self._rules(cap, elastic)]

    def _rows(self, elastic: bool) -> list[Any]:
        """State all rows that hold in one expression, as one for each takes cvxpy far longer."""
        rows, origins = self.planes.master.rows(), self.planes.origins
        active = [n for n, o in enumerate(origins) if o.kind != "site" and self.planes.master.is_active(n)]
        term = rows.term[active]
        left = rows.matrix[active] @ self.activities + (term[:, None] == np.arange(len(rows.weights))) @ self.levels
        if elastic:
            relaxed = [NONE if rows.term[n] != NONE else origins[n].index for n in active]
            excess = cvxpy().hstack([0.0 if limit == NONE else self._excess_of(limit) for limit in relaxed])
            left = left - excess
        return [left <= rows.right[active]]

    def _excess_of(self, limit: int) -> Any:
        if limit not in self.excess:
            self.excess[limit] = cvxpy().Variable(nonneg=True)
        return self.excess[limit]

    def _rules(self, cap: np.ndarray, elastic: bool) -> list[Any]:
        rules = self.planes.rules
        if not rules.any:
            return []
        used = cvxpy().Variable(len(cap), boolean=True)
        constraints = [self.activities <= cvxpy().multiply(cap, used)]
        if rules.most_sites is not None:
            constraints.append(cvxpy().sum(used) <= rules.most_sites)
        if rules.if_used:
            sites = [site for site, _ in rules.if_used]
            matrix = np.array([plane.row for _, plane in rules.if_used])
            constant = np.array([plane.constant for _, plane in rules.if_used])
            largest = np.array([p.row.clip(0.0) @ cap + max(p.constant, 0.0) for _, p in rules.if_used])
            slack = cvxpy().hstack([self._excess_of(owner) for owner in self.planes.rule_owners]) if elastic else 0.0
            unless_used = largest - cvxpy().multiply(largest, used[sites])
            constraints.append(matrix @ self.activities + constant <= unless_used + slack)
        return constraints

    @property
    def score(self) -> Any:
        """What is maximized, as a cvxpy expression."""
        return np.array([weight for weight, _ in self.planes.terms]) @ self.levels

    def solve(self, objective: Any, maximized: bool, *more: Any) -> np.ndarray | None:
        """Return the activities (sites,) that are best by an expression; None if there are none.

        Raises
        ------
        SolverFailure
        """
        cp = cvxpy()
        sense = cp.Maximize(objective) if maximized else cp.Minimize(objective)
        problem = cp.Problem(sense, [*self.constraints, *more])
        try:
            problem.solve(solver=cp.HIGHS, **OPTIONS)
        except cp.error.SolverError as error:
            raise SolverFailure(f"HiGHS failed: {error}") from error
        if problem.status not in ("optimal", "optimal_inaccurate"):
            return None
        activities = np.asarray(self.activities.value, dtype=float)
        return np.where(activities > USED_GBQ, activities, 0.0)
