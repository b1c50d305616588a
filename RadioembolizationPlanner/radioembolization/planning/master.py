"""The small linear program over activities that cuts are added to, solved by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from radioembolization.errors import SolverFailure
from radioembolization.planning.lagrangian import NONE, Argument, Rows
from radioembolization.planning.model import highspy

_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "parallel": "off",
    "presolve": "off",
    "solver": "simplex",
    "random_seed": 0,
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
}
#: What is tried, one after the other, if HiGHS fails with these.
_FORGIVING: tuple[dict[str, Any], ...] = (
    {},
    {"dual_feasibility_tolerance": 1e-7, "primal_feasibility_tolerance": 1e-8},
    {"presolve": "on"},
    {"solver": "ipm"},
)


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Optimum of the linear program.

    Parameters
    ----------
    value : float
        Of the objective, as HiGHS has it.
    activities_gbq : ndarray (sites,)
    levels : ndarray (terms,)
    slacks : ndarray (slacks,)
    multipliers : ndarray (rows,)
        At least zero.
    """

    value: float
    activities_gbq: np.ndarray
    levels: np.ndarray
    slacks: np.ndarray
    multipliers: np.ndarray


class Master:
    """Maximize the weighted sum of the levels over activities, within rows; see ``lagrangian``.

    Rows of lower limits have a slack that costs more than the goal can gain, so that the program always has an
    optimum; a bound that its multipliers prove holds for the program without slack all the same.

    Parameters
    ----------
    cap_gbq : ndarray (sites,)
    weights : ndarray (terms,)
    penalties : ndarray (slacks,)
        Cost of each unit by which a lower limit is missed.
    """

    def __init__(self, cap_gbq: np.ndarray, weights: np.ndarray, penalties: np.ndarray) -> None:
        self.cap_gbq = np.asarray(cap_gbq, dtype=float)
        self.weights, self.penalties = np.asarray(weights, dtype=float), np.asarray(penalties, dtype=float)
        self._sites = len(self.cap_gbq)
        self._all = np.arange(self._sites, dtype=np.int32)
        self._matrix = np.zeros((64, self._sites))
        self._right = np.zeros(64)
        self._term = np.full(64, NONE)
        self._active = np.zeros(64, dtype=bool)
        self.count = 0
        #: How many linear programs were solved.
        self.solved = 0
        self._solver = self._new_solver()

    def _new_solver(self) -> Any:
        library = highspy()
        solver = library.Highs()
        for option, value in _OPTIONS.items():
            solver.setOptionValue(option, value)
        terms, slacks, infinite = len(self.weights), len(self.penalties), library.kHighsInf
        lower = np.concatenate([np.zeros(self._sites), np.full(terms, -infinite), np.zeros(slacks)])
        upper = np.concatenate([self.cap_gbq, np.full(terms + slacks, infinite)])
        solver.addVars(len(lower), lower, upper)
        cost = np.concatenate([np.zeros(self._sites), -self.weights, self.penalties])
        solver.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        return solver

    def add(self, row: np.ndarray, right: float, term: int = NONE, slack: int = NONE, active: bool = True) -> int:
        """Add ``row @ x (+ level) (- slack) <= right``; return its number."""
        if self.count == len(self._right):
            self._grow()
        number, self.count = self.count, self.count + 1
        self._matrix[number], self._right[number] = row, right
        self._term[number], self._active[number] = term, active
        columns = np.flatnonzero(row)
        values = row[columns]
        for column, value in ((term, 1.0), (slack, -1.0)):
            if column != NONE:
                place = self._sites + column + (0 if value > 0 else len(self.weights))
                columns, values = np.append(columns, place), np.append(values, value)
        self._solver.addRow(
            -highspy().kHighsInf, self._right_now(number), len(columns), columns.astype(np.int32), values.astype(float)
        )
        return number

    def activate(self, number: int, active: bool) -> None:
        """Let a row hold, or not."""
        if self._active[number] != active:
            self._active[number] = active
            self._solver.changeRowBounds(number, -highspy().kHighsInf, self._right_now(number))

    def is_active(self, number: int) -> bool:
        """Whether a row holds."""
        return bool(self._active[number])

    def change_right(self, number: int, right: float) -> None:
        """Change the right side of a row."""
        self._right[number] = right
        self._solver.changeRowBounds(number, -highspy().kHighsInf, self._right_now(number))

    def solve(self, upper_gbq: np.ndarray, lower_gbq: np.ndarray | None = None) -> Relaxation:
        """Return the optimum for activities (sites,) between bounds.

        Raises
        ------
        SolverFailure
        """
        self.solved += 1
        lower = np.zeros(self._sites) if lower_gbq is None else lower_gbq
        self._solver.changeColsBounds(self._sites, self._all, lower, np.asarray(upper_gbq, dtype=float))
        self._run()
        solution = self._solver.getSolution()
        x = np.array(solution.col_value)
        activities = np.clip(x[: self._sites], lower, upper_gbq)
        levels = x[self._sites : self._sites + len(self.weights)]
        slacks = x[self._sites + len(self.weights) :]
        multipliers = np.maximum(0.0, -np.array(solution.row_dual))
        value = float(self.weights @ levels - self.penalties @ slacks)
        return Relaxation(value, activities, levels, slacks, multipliers)

    def rows(self) -> Rows:
        """Return all rows, those that are not active too."""
        used = slice(0, self.count)
        return Rows(self._matrix[used], self._right[used], self._term[used], self.weights)

    def argument(self, multipliers: np.ndarray) -> Argument:
        """Return what multipliers (rows,) of active rows say about every plan."""
        used = np.flatnonzero((multipliers > 0) & self._active[: len(multipliers)])
        return Argument.of(self.rows().only(used), multipliers[used])

    def _run(self) -> None:
        """Solve from the last basis; if that fails, anew, with ever more forgiving options.

        Bounds do not depend on the accuracy of the multipliers.  Another use of HiGHS in this process with another
        number of threads leaves its threads unusable; they are started anew, too.
        """
        self._solver.run()
        for options in _FORGIVING:
            if self._status() == "Optimal":
                break
            highspy().Highs.resetGlobalScheduler(True)
            self._solver.clearSolver()
            for option, value in options.items():
                self._solver.setOptionValue(option, value)
            self._solver.run()
        status = self._status()
        for option, value in _OPTIONS.items():
            if status != "Optimal" or self._solver.getOptionValue(option)[1] != value:
                self._solver.setOptionValue(option, value)
        if status != "Optimal":
            raise SolverFailure(f"HiGHS ended with status '{status}' and no plan: check the numbers of the case.")

    def _status(self) -> str:
        return str(self._solver.modelStatusToString(self._solver.getModelStatus()))

    def _right_now(self, number: int) -> float:
        return float(self._right[number]) if self._active[number] else highspy().kHighsInf

    def _grow(self) -> None:
        size = len(self._right)
        self._matrix = np.vstack([self._matrix, np.zeros((size, self._sites))])
        self._right = np.concatenate([self._right, np.zeros(size)])
        self._term = np.concatenate([self._term, np.full(size, NONE)])
        self._active = np.concatenate([self._active, np.zeros(size, dtype=bool)])
