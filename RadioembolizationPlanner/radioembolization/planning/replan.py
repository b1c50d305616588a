"""Solving again after a limit was moved, in the time of a mouse movement."""

from __future__ import annotations

from dataclasses import replace

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.effort import Effort, Watch
from radioembolization.planning.limits import Limit, activity_caps_gbq
from radioembolization.planning.problem import Problem
from radioembolization.planning.solve import Solution, check_limits_at_zero, optimize, optimize_planes
from radioembolization.planning.volumes import is_about_volumes

#: A plan while a slider moves: to a ten-thousandth, no search for fewer injections, no tie-breaks.
LIVE = Effort(gap=1e-4, plan_gap=1e-4, fewer_within=None)


class Replanner:
    """Solves problems that differ in the bounds of their limits, and remembers every plane.

    Parameters
    ----------
    problem : Problem
    dose : DosePerGBq
    effort : Effort, optional
    """

    def __init__(self, problem: Problem, dose: DosePerGBq, effort: Effort = LIVE) -> None:
        self.dose, self.effort = dose, effort
        self._problem = problem
        self._planes: CuttingPlanes | None = None

    def solve(self, problem: Problem | None = None) -> Solution:
        """Return the solution of a problem; errors as of ``optimize``.

        A problem with another goal or other limits, apart from their bounds, is stated from scratch; so is one with
        dose-volume limits or a goal by levels, for which planes alone are not enough.
        """
        problem = problem or self._problem
        if _needs_more(problem, self.dose):
            self._planes, self._problem = None, problem
            return optimize(problem.goal, problem.limits, self.dose, effort=self.effort)
        check_limits_at_zero(problem.limits, self.dose)
        caps = activity_caps_gbq(problem.limits, self.dose)
        if (
            self._planes is not None
            and problem.goal == self._problem.goal
            and _alike(problem, self._problem, self.dose)
        ):
            self._planes.changed(problem.limits, caps)
        else:
            self._planes = CuttingPlanes(problem.goal, problem.limits, self.dose, caps)
        self._problem = problem
        with single_threaded_products():
            return optimize_planes(self._planes, Watch(self.effort))


def _needs_more(problem: Problem, dose: DosePerGBq) -> bool:
    """Whether a problem is not solved by cutting planes alone."""
    return is_about_volumes(problem.goal, problem.limits, dose) or problem.goal.margin(dose, 1.0) is not None


def _alike(one: Problem, other: Problem, dose: DosePerGBq) -> bool:
    """Whether problems have one goal and differ at most in bounds that are no rules about sites."""
    if one.goal != other.goal or len(one.limits) != len(other.limits):
        return False
    return all(_same_but_bound(a, b, dose) for a, b in zip(one.limits, other.limits, strict=True))


def _same_but_bound(one: Limit, other: Limit, dose: DosePerGBq) -> bool:
    return one == other or (replace(one, bound=other.bound) == other and one.rules(dose) is None)
