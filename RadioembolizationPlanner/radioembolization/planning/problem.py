"""A planning problem: one goal under limits; printed, it reads as the prescription."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.physics import Device
from radioembolization.planning.baselines import baselines
from radioembolization.planning.effort import Effort
from radioembolization.planning.explain import explain
from radioembolization.planning.goal_table import goal_from_value, goal_to_value
from radioembolization.planning.goals import Goal
from radioembolization.planning.limit_table import limit_from_table, limit_to_table
from radioembolization.planning.limits import Limit
from radioembolization.planning.plan import Plan, assemble, certified
from radioembolization.planning.prices import gains_per_unit
from radioembolization.planning.solve import optimize


@dataclass(frozen=True)
class Problem:
    """A goal and the limits it is subject to."""

    goal: Goal
    limits: tuple[Limit, ...] = ()

    def subject_to(self, *limits: Limit) -> Problem:
        """Return the problem with further limits."""
        return replace(self, limits=self.limits + limits)

    def check_devices(self, device: Device) -> None:
        """Refuse limits made for another device (``DeviceMismatch``)."""
        for limit in self.limits:
            limit.check_device(device)

    def solve(self, dose: DosePerGBq, effort: Effort | None = None) -> Plan:
        """Return the optimal plan.

        Parameters
        ----------
        dose : DosePerGBq
        effort : Effort, optional
            Gap, time limit, progress, and how much of the goal fewer injections are worth.

        Raises
        ------
        DeviceMismatch, LimitError, LungMassMissing, UnboundedActivity
            If the limits do not fit the dose rows.
        Infeasible
            If the limits contradict each other; the message names the least relaxation.
        SolverFailure
            If the solver gives no plan.
        """
        self.check_devices(dose.settings.device)
        solution = optimize(self.goal, self.limits, dose, effort=effort)
        gains: list[float | None] = [None] * len(self.limits)
        if solution.status != "gap":
            gains = gains_per_unit(solution.planes, solution.activities_gbq)
        plan = assemble(self.goal, self.limits, dose, solution, gains)
        plan = certified(plan, solution, (self.goal, self.limits, dose))
        others = baselines(self.goal, self.limits, dose, effort)
        return replace(plan, baselines=others, explanation=explain(plan, others), prescription=self.tables_if_named())

    def evaluate(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> dict[str, float]:
        """Return the value of every limit for given activities, by printed limit."""
        return {str(limit): limit.quantity.value(dose, activities_gbq) for limit in self.limits}

    def to_tables(self) -> dict[str, Any]:
        """Return goal and limits as in case files, from which ``from_tables`` makes the problem.

        Raises
        ------
        LimitError
            If one has no name in files.
        """
        return {"goal": goal_to_value(self.goal), "limits": [limit_to_table(limit) for limit in self.limits]}

    @staticmethod
    def from_tables(tables: Mapping[str, Any]) -> Problem:
        """Return the problem that ``to_tables`` states; ``LimitError`` if something is unknown or impossible."""
        limits = tables["limits"]
        if not isinstance(limits, list) or not all(isinstance(table, dict) for table in limits):
            raise LimitError(f"Limits are a list of tables, not {limits!r:.60}.")
        return Problem(goal_from_value(tables["goal"], ()), tuple(limit_from_table(table) for table in limits))

    def tables_if_named(self) -> dict[str, Any] | None:
        """Return ``to_tables``, or None if the goal or a limit has no name in files."""
        try:
            return self.to_tables()
        except LimitError:
            return None

    def __str__(self) -> str:
        verb = "maximize" if self.goal.maximized else "minimize"
        lines = [f"{verb} {self.goal.name}", "subject to"]
        return "\n".join(lines + [f"  {limit}" for limit in self.limits])


def maximize(goal: Goal) -> Problem:
    """Return the problem of maximizing a goal."""
    if not goal.maximized:
        raise LimitError(f"'{goal.name}' is a goal to minimize.")
    return Problem(goal)


def minimize(goal: Goal) -> Problem:
    """Return the problem of minimizing a goal."""
    if goal.maximized:
        raise LimitError(f"'{goal.name}' is a goal to maximize.")
    return Problem(goal)
