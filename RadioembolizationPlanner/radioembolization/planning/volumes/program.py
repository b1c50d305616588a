"""A linear program over activities and levels, with rows that come and go, solved by HiGHS."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import SolverFailure
from radioembolization.planning.lagrangian import NONE
from radioembolization.planning.master import Master
from radioembolization.planning.model import highspy

#: Missing a limit costs as many times the highest score.
_COST_OF_MISSING = 50.0
#: Simplex strategies of HiGHS.
_DUAL, _PRIMAL = 1, 4


class Program:
    """Columns: activities (sites,), levels (terms,), how far limits are missed (1), and more.

    Parameters
    ----------
    cap_gbq : ndarray (sites,)
    weights : ndarray (terms,)
    more : int
        Further columns of at least zero.
    """

    def __init__(self, cap_gbq: np.ndarray, weights: np.ndarray, more: int = 0) -> None:
        library = highspy()
        self._infinite = library.kHighsInf
        self.sites, self.terms = len(cap_gbq), len(weights)
        self.weights = np.asarray(weights, dtype=float)
        self.missed, self.first_more = self.sites + self.terms, self.sites + self.terms + 1
        self.columns = self.first_more + more
        self.rows = 0
        solver = self._solver = library.Highs()
        for option, value in (
            ("output_flag", False),
            ("parallel", "off"),
            ("presolve", "off"),
            ("solver", "simplex"),
            ("random_seed", 0),
        ):
            solver.setOptionValue(option, value)
        lower, upper = np.zeros(self.columns), np.full(self.columns, self._infinite)
        lower[self.sites : self.missed] = -self._infinite
        upper[: self.sites] = cap_gbq
        solver.addVars(self.columns, lower, upper)
        self._all = np.arange(self.columns, dtype=np.int32)
        self._activities = np.arange(self.sites, dtype=np.int32)

    def objective(self, row: np.ndarray | None, scored: bool, highest: float) -> None:
        """Maximize a row (sites,), the score, both, or neither; missing a limit costs far more."""
        cost = np.zeros(self.columns)
        if row is not None:
            cost[: self.sites] = -row
        if scored:
            cost[self.sites : self.missed] = -self.weights
        cost[self.missed] = _COST_OF_MISSING * max(highest, 1e-3)
        self._solver.changeColsCost(self.columns, self._all, cost)

    def add(self, matrix: np.ndarray, right: np.ndarray) -> None:
        """Add rows ``matrix @ columns <= right``."""
        if not len(matrix):
            return
        row, column = np.nonzero(matrix)
        starts = np.searchsorted(row, np.arange(len(matrix))).astype(np.int32)
        left = np.full(len(matrix), -self._infinite)
        right = np.asarray(right, dtype=float)
        self._solver.addRows(
            len(matrix), left, right, len(row), starts, column.astype(np.int32), np.asarray(matrix[row, column])
        )
        self.rows += len(matrix)

    def add_planes(self, master: Master, first: int) -> np.ndarray:
        """Add the active rows of a model from a number on; return their numbers there.

        Rows of limits can be missed, in proportion to their right side.
        """
        rows = master.rows()
        numbers = np.array([k for k in range(first, master.count) if master.is_active(k)], dtype=int)
        matrix = np.zeros((len(numbers), self.columns))
        matrix[:, : self.sites] = rows.matrix[numbers]
        term = rows.term[numbers]
        goals, limits = np.flatnonzero(term != NONE), np.flatnonzero(term == NONE)
        matrix[goals, self.sites + term[goals]] = 1.0
        matrix[limits, self.missed] = -np.maximum(np.abs(rows.right[numbers[limits]]), 1e-3)
        self.add(matrix, rows.right[numbers])
        return numbers

    def truncate(self, rows: int) -> None:
        """Delete all rows from a number on."""
        if self.rows > rows:
            self._solver.deleteRows(self.rows - rows, np.arange(rows, self.rows, dtype=np.int32))
            self.rows = rows

    def right(self, first: int, right: np.ndarray) -> None:
        """Change the right sides of consecutive rows."""
        for number, value in enumerate(right):
            self._solver.changeRowBounds(first + number, -self._infinite, float(value))

    def bounds(self, lower: np.ndarray, upper: np.ndarray) -> None:
        """Change the bounds of the activities (sites,)."""
        self._solver.changeColsBounds(
            self.sites, self._activities, np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
        )

    def solve(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns at the optimum, and the multipliers (rows,) of at least zero.

        Raises
        ------
        SolverFailure
        """
        self._solver.run()
        for strategy in (_DUAL, _PRIMAL):
            if self._status() == "Optimal":
                break
            # Start anew, not from the last basis, and with the threads of this process (see ``Master.solve``).
            highspy().Highs.resetGlobalScheduler(True)
            self._solver.clearSolver()
            self._solver.setOptionValue("simplex_strategy", strategy)
            self._solver.run()
            self._solver.setOptionValue("simplex_strategy", _DUAL)
        if self._status() != "Optimal":
            raise SolverFailure(
                f"HiGHS ended with status '{self._status()}' and no plan: check the numbers of the case."
            )
        found = self._solver.getSolution()
        return np.array(found.col_value), np.maximum(0.0, -np.array(found.row_dual))

    def _status(self) -> str:
        return str(self._solver.modelStatusToString(self._solver.getModelStatus()))
