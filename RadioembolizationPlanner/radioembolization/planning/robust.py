"""A plan that withstands scenarios, beside the one that does not, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.dose.scenarios import Scenarios
from radioembolization.dose.uncertainty import Uncertainty
from radioembolization.errors import LimitError
from radioembolization.planning.certificate import Certificate
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.effort import Effort
from radioembolization.planning.infeasible import infeasible
from radioembolization.planning.limits import MET_TOLERANCE, activity_caps_gbq
from radioembolization.planning.plan import GoalResult, Plan, assemble, evaluated
from radioembolization.planning.problem import Problem
from radioembolization.planning.scenario_evaluation import ScenarioEvaluation, check_sites, evaluate_scenarios
from radioembolization.planning.scenario_goal import GoalInScenarios
from radioembolization.planning.scenario_limits import limits_in_scenarios
from radioembolization.planning.solve import Solution, optimize

#: Gap to which it is looked at whether limits contradict each other.
_ROUGHLY = 1e-3
#: The relative gap refers to the bound, but to no less than this [Gy].
_SMALLEST_BOUND_GY = 1e-3


@dataclass(frozen=True)
class RobustPlan:
    """The robust and the nominal plan side by side.

    Parameters
    ----------
    uncertainty : Uncertainty
        Spreads, count and seed of the scenarios planned with.
    goal : GoalResult
        The goal over scenarios: value of the robust plan, and the bound no plan within the limits surpasses.
    status : str
        As of a plan.
    robust, nominal : Plan
        Both evaluated as planned, with the goal as planned; the nominal one is optimal for that.
    nominal_goal : float
        Value of the goal over scenarios for the nominal plan, whose limits may fail.
    robust_in, nominal_in : ScenarioEvaluation
        In the scenarios planned with.
    robust_fresh, nominal_fresh : ScenarioEvaluation or None
        In scenarios not used in planning.
    only_as_planned : tuple of str
        Limits that are kept as planned, not in scenarios.
    certificate : Certificate or None
        What proves the bound over all activities and choices of sites, computed anew in float64.
    """

    uncertainty: Uncertainty
    goal: GoalResult
    status: str
    robust: Plan
    nominal: Plan
    nominal_goal: float
    robust_in: ScenarioEvaluation
    nominal_in: ScenarioEvaluation
    robust_fresh: ScenarioEvaluation | None = None
    nominal_fresh: ScenarioEvaluation | None = None
    only_as_planned: tuple[str, ...] = ()
    certificate: Certificate | None = field(default=None, compare=False)

    @property
    def price(self) -> float:
        """What robustness costs if all goes as planned [unit of the goal]."""
        return self.nominal.goal.value - self.robust.goal.value

    @property
    def price_share(self) -> float:
        """The same over the goal of the nominal plan."""
        return self.price / max(abs(self.nominal.goal.value), _SMALLEST_BOUND_GY)


def robust_problem(problem: Problem, scenarios: Scenarios, uncertainty: Uncertainty) -> tuple[Problem, tuple[str, ...]]:
    """Return the problem over scenarios, and the names of limits that can only be kept as planned.

    Raises
    ------
    LimitError
        If the goal cannot be planned over scenarios.
    """
    if not problem.goal.maximized:
        raise LimitError(f"'{problem.goal.name}' is minimized, which cannot be planned over scenarios.")
    limits, unknown = limits_in_scenarios(problem.limits, scenarios, uncertainty.worst_share)
    return Problem(GoalInScenarios(problem.goal, scenarios, uncertainty.worst_percent / 100.0), limits), unknown


def plan_robustly(
    problem: Problem,
    dose: DosePerGBq,
    scenarios: Scenarios,
    uncertainty: Uncertainty,
    effort: Effort | None = None,
    *,
    nominal: Plan | None = None,
    fresh: Scenarios | None = None,
    bands: bool = True,
) -> RobustPlan:
    """Return the best plan over scenarios, proved, beside the nominal one.

    Parameters
    ----------
    problem : Problem
        As it would be planned without scenarios.
    dose : DosePerGBq
        Rows as planned.
    scenarios : Scenarios
        Drawn with ``uncertainty`` (``dose.sampling.draw``).
    uncertainty : Uncertainty
        Says with which probability limits are to be met, and what the goal is over scenarios.
    effort : Effort, optional
    nominal : Plan, optional
        The plan without scenarios, if it is known already.
    fresh : Scenarios, optional
        Scenarios not used in planning, to evaluate both plans in.
    bands : bool
        Whether histograms are made.

    Raises
    ------
    LimitError, UnboundedActivity, Infeasible, SolverFailure
        As for a plan without scenarios.
    """
    problem.check_devices(dose.settings.device)
    check_sites(dose, scenarios)
    over, unknown = robust_problem(problem, scenarios, uncertainty)
    _check_feasible(over, dose)
    solution = optimize(over.goal, over.limits, dose, effort=effort)
    certificate = solution.certificate()
    if nominal is None:
        found = optimize(problem.goal, problem.limits, dose, effort=effort)
        nominal = assemble(problem.goal, problem.limits, dose, found, [None] * len(problem.limits))
    robust = _as_planned(problem, dose, solution)

    def both(where: Scenarios | None) -> tuple[ScenarioEvaluation | None, ...]:
        if where is None:
            return None, None
        return tuple(evaluate_scenarios(problem, where, x, bands=bands) for x in activities)

    activities = (solution.activities_gbq, nominal.activities_gbq)
    robust_in, nominal_in = (evaluate_scenarios(problem, scenarios, x, bands=bands) for x in activities)
    robust_fresh, nominal_fresh = both(fresh)
    return RobustPlan(
        uncertainty=uncertainty,
        goal=_goal(over, dose, solution, certificate),
        status=solution.status,
        robust=robust,
        nominal=nominal,
        nominal_goal=over.goal.value(dose, nominal.activities_gbq),
        robust_in=robust_in,
        nominal_in=nominal_in,
        robust_fresh=robust_fresh,
        nominal_fresh=nominal_fresh,
        only_as_planned=unknown,
        certificate=certificate,
    )


def _check_feasible(over: Problem, dose: DosePerGBq) -> None:
    """Refuse lower limits that no plan meets, before sites are searched (``Infeasible``)."""
    if all(limit.upper for limit in over.limits):
        return
    plain = [limit for limit in over.limits if limit.rules(dose) is None and limit.volume_bound is None]
    planes = CuttingPlanes(over.goal, plain, dose, activity_caps_gbq(over.limits, dose))
    root = planes.solve(planes.cap_gbq > 0, gap=_ROUGHLY)
    if not np.isfinite(root.score) and float(root.relaxation.slacks.sum()) > MET_TOLERANCE:
        raise infeasible(planes, planes.cap_gbq > 0)


def _as_planned(problem: Problem, dose: DosePerGBq, solution: Solution) -> Plan:
    """Return the robust activities as a plan without scenarios; nothing bounds its goal as planned."""
    value = problem.goal.value(dose, solution.activities_gbq)
    goal = GoalResult(problem.goal.name, value, value, np.inf, np.inf, problem.goal.unit, "maximize")
    return evaluated(solution.activities_gbq, goal, problem.limits, dose, solution.status)


def _goal(over: Problem, dose: DosePerGBq, solution: Solution, certificate: Certificate | None) -> GoalResult:
    value = over.goal.value(dose, solution.activities_gbq)
    bound = solution.bound if certificate is None else certificate.bound
    optimum = max(value, solution.optimum)
    gap = abs(bound - optimum) / max(abs(bound), _SMALLEST_BOUND_GY)
    return GoalResult(over.goal.name, value, optimum, bound, gap, over.goal.unit, "maximize")
