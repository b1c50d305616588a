"""Nearly optimal plans and feasible limits by trying every choice of sites: linear programs of scipy, one for each.

Rows come from the values of quantities at 1 GBq of each site alone, so only quantities that are linear may be limited,
and from the voxels of the tumours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import OptimizeResult, linprog

from radioembolization.dose import DosePerGBq
from radioembolization.planning import InjectionActivity, InjectionSites, Limit, LowestDose, Problem, WorstTumourMean
from radioembolization.structures import Role


class EveryChoice:
    """All choices of sites that the rules of some limits allow.

    Parameters
    ----------
    limits : sequence of Limit
    dose : DosePerGBq
    """

    def __init__(self, limits: Sequence[Limit], dose: DosePerGBq) -> None:
        self._dose, self._sites = dose, len(dose.site_names)
        counts = [int(li.bound) for li in limits if isinstance(li.quantity, InjectionSites)]
        self._most = min([self._sites, *counts])
        self._least_gbq = max([0.0, *(li.bound for li in limits if isinstance(li.quantity, InjectionActivity))])
        unit, rows, sides = np.eye(self._sites), [np.zeros(self._sites)], [0.0]
        for limit in limits:
            if not isinstance(limit.quantity, InjectionSites | InjectionActivity):
                sign = 1.0 if limit.upper else -1.0
                rows.append(sign * np.array([limit.quantity.value(dose, row) for row in unit]))
                sides.append(sign * limit.bound)
        self._rows, self._sides = np.array(rows), np.array(sides)

    def choices(self) -> Iterator[tuple[int, ...]]:
        """Yield every choice of sites, the empty one first."""
        for size in range(self._most + 1):
            yield from combinations(range(self._sites), size)

    def solve(
        self, cost: np.ndarray, used: Sequence[int], rows: np.ndarray | None = None, sides: np.ndarray | None = None
    ) -> OptimizeResult:
        """Minimize a cost (sites,) over the activities of some sites, within the limits and further rows."""
        bounds = [(self._least_gbq, None) if site in used else (0.0, 0.0) for site in range(self._sites)]
        matrix, right = self._rows, self._sides
        if rows is not None and sides is not None:
            bounds += [(None, None)] * (rows.shape[1] - self._sites)
            matrix = np.hstack([matrix, np.zeros((len(matrix), rows.shape[1] - self._sites))])
            matrix, right = np.vstack([matrix, rows]), np.concatenate([right, sides])
        return linprog(cost, A_ub=matrix, b_ub=right, bounds=bounds)

    def feasible(self) -> bool:
        """Whether any plan is within the limits."""
        return any(self.solve(np.zeros(self._sites), used).status == 0 for used in self.choices())

    def goal_rows(self, problem: Problem) -> np.ndarray:
        """Return the rows (doses, sites) whose lowest value is the goal."""
        tumours = self._dose.with_role(Role.TUMOUR)
        if isinstance(problem.goal, LowestDose):
            return np.hstack([self._dose.rows[:, t.voxels] for t in tumours]).T.astype(float)
        assert isinstance(problem.goal, WorstTumourMean)
        return np.array([self._dose.rows[:, t.voxels] @ self._share(t.voxels) for t in tumours])

    def _share(self, voxels: np.ndarray) -> np.ndarray:
        return self._dose.voxel_kg[voxels] / self._dose.voxel_kg[voxels].sum()

    def best(self, problem: Problem, used: Sequence[int]) -> float:
        """Return the best goal on some sites; minus infinity if no plan is within the limits."""
        rows = np.hstack([-self.goal_rows(problem), np.ones((len(self.goal_rows(problem)), 1))])
        found = self.solve(np.append(np.zeros(self._sites), -1.0), used, rows, np.zeros(len(rows)))
        return -np.inf if found.status else -float(found.fun)

    def range_gbq(self, problem: Problem, site: int, least_goal: float) -> tuple[float, float]:
        """Return the least and largest activity of a site in plans that reach a goal."""
        rows, unit = -self.goal_rows(problem), np.eye(self._sites)[site]
        ends: list[tuple[float, float]] = []
        for used in self.choices():
            pair = [self.solve(sign * unit, used, rows, np.full(len(rows), -least_goal)) for sign in (1.0, -1.0)]
            if pair[0].status == 0:
                ends.append((float(pair[0].fun), -float(pair[1].fun)))
        return min(low for low, _ in ends), max(high for _, high in ends)

    def least_sets(self, problem: Problem, least_goal: float) -> set[frozenset[int]]:
        """Return the choices of sites that reach a goal and hold no smaller one that does."""
        found: list[frozenset[int]] = []
        for used in self.choices():
            if not any(known <= set(used) for known in found) and self.best(problem, used) >= least_goal:
                found.append(frozenset(used))
        return set(found)
