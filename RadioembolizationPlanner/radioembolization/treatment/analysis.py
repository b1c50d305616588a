"""What is known about a treatment beyond its plan: reasons, trade-offs, scenarios, vials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from radioembolization.dose import SphereScenarios, Uncertainty, sphere_scenarios
from radioembolization.dose.sampling import FRESH, draw
from radioembolization.dose.scenario_basis import ScenarioBasis, scenario_basis
from radioembolization.dose.scenarios import Scenarios
from radioembolization.planning import (
    Effort,
    GoalResult,
    ParetoFront,
    Plan,
    Problem,
    RobustPlan,
    ScenarioEvaluation,
    Staircase,
    VialPlan,
    choose_vials,
    evaluate_scenarios,
    pareto_front,
    plan_robustly,
    staircase,
)
from radioembolization.planning.contributions import contributions
from radioembolization.planning.explanation import Explanation, explain_plan
from radioembolization.planning.plan import evaluated
from radioembolization.planning.robust import robust_problem
from radioembolization.treatment.analysis_request import AnalysisRequest, FrontRequest, MicrosphereRequest
from radioembolization.treatment.front_limit import limit_of_front
from radioembolization.treatment.prepared_case import Progress, report

if TYPE_CHECKING:
    from radioembolization.treatment.treatment import Treatment

#: A robust plan is judged in as many scenarios that were not used in planning.
FRESH_SCENARIOS = 1000


@dataclass(frozen=True)
class Analysis:
    """What was found out about a treatment; None for what was not asked.

    Parameters
    ----------
    explanation : Explanation or None
        Of the robust plan if there is one, else of the nominal one: vials are chosen, not explained.
    front : ParetoFront or None
        As planned, with free activities.
    staircase : Staircase or None
        The same.
    robust : RobustPlan or None
    in_scenarios : ScenarioEvaluation or None
        The plan of the treatment in scenarios that were not used in planning.
    vials : VialPlan or None
        Where the plan is robust, values, losses and bounds are those of its goal over scenarios.
    nominal : Plan or None
        The optimal plan with free activities and nothing uncertain, beside which the others stand.
    microspheres : SphereScenarios or None
        The plan of the treatment with whole microspheres; of the strength of its vials, else typical of the device.
    asked : AnalysisRequest
    """

    explanation: Explanation | None = None
    front: ParetoFront | None = None
    staircase: Staircase | None = None
    robust: RobustPlan | None = None
    in_scenarios: ScenarioEvaluation | None = None
    vials: VialPlan | None = None
    nominal: Plan | None = None
    microspheres: SphereScenarios | None = None
    asked: AnalysisRequest = field(default_factory=AnalysisRequest)


def analyse(
    treatment: Treatment, asked: AnalysisRequest, progress: Progress | None = None, effort: Effort | None = None
) -> Analysis:
    """Return what is asked about a treatment that is planned as usual, or by hand.

    Of activities set by hand only the explanation, as far as there is one, and the scenarios are known.

    Parameters
    ----------
    treatment : Treatment
        Its plan is the nominal one.
    asked : AnalysisRequest
    progress : callable, optional
        An exception it raises ends the work.
    effort : Effort, optional

    Raises
    ------
    LimitError
        If goal or limits do not go with what is asked.
    VialError, Infeasible, UnboundedActivity, SolverFailure
        As of ``choose_vials`` and ``plan_robustly``.
    """
    return _Analyst(treatment, asked, progress, effort).analysis()


class _Analyst:
    """Finds out one thing after the other about one treatment."""

    def __init__(
        self, treatment: Treatment, asked: AnalysisRequest, progress: Progress | None, effort: Effort | None
    ) -> None:
        self.asked, self.progress = asked, progress
        self.case, self.dose, self.nominal = treatment.case, treatment.dose_per_gbq, treatment.plan
        self.problem = self.case.inputs.prescription.problem(self.case.inputs.settings.device)
        effort = effort or Effort()
        self.effort = effort if effort.progress is not None else replace(effort, progress=progress)
        self.proving = replace(self.effort, fewer_within=None)

    def analysis(self) -> Analysis:
        """Return everything that is asked."""
        asked, optimized = self.asked, not self.nominal.by_hand
        drawn = self._drawn()
        robust = self._robust(drawn) if drawn and asked.robust and optimized else None
        problem, free, plan = self.problem, self.nominal, self.nominal
        if robust is not None and drawn is not None:
            problem = robust_problem(self.problem, drawn.scenarios, drawn.uncertainty)[0]
            free, plan = self._over(problem, robust), robust.robust
        vials = self._vials(problem) if asked.vials and optimized else None
        plan = plan if vials is None else vials.plan
        return Analysis(
            explanation=self._explanation(problem, free, plan) if asked.explanation else None,
            front=self._front(asked.front) if asked.front and optimized else None,
            staircase=self._staircase() if asked.staircase and optimized else None,
            robust=robust,
            in_scenarios=self._in_scenarios(drawn, plan, robust, vials),
            vials=vials,
            nominal=self.nominal if optimized else None,
            microspheres=self._microspheres(asked.microspheres, plan, vials) if asked.microspheres else None,
            asked=asked,
        )

    def _drawn(self) -> _Drawn | None:
        uncertainty = self.asked.uncertainty
        if uncertainty is None:
            return None
        shared = self.asked.vials is not None and self.asked.vials.calendar.supply.drawn
        basis = scenario_basis(
            self.case.territories,
            self.case.inputs.settings,
            uncertainty,
            lambda step, steps: report(self.progress, "dose for scenarios", step, steps),
            self.case.density,
        )
        return _Drawn(basis, uncertainty, [0] * len(self.dose.site_names) if shared else None)

    def _robust(self, drawn: _Drawn) -> RobustPlan:
        report(self.progress, "robust plan", 0, 1)
        given = (self.problem, self.dose, drawn.scenarios, drawn.uncertainty, self.effort)
        robust = plan_robustly(*given, nominal=self.nominal, fresh=drawn.unused)
        report(self.progress, "robust plan", 1, 1)
        return robust

    def _over(self, problem: Problem, robust: RobustPlan) -> Plan:
        """Return the robust plan with the goal and the limits over scenarios, for which it is optimal."""
        return evaluated(robust.robust.activities_gbq, robust.goal, problem.limits, self.dose, robust.status)

    def _vials(self, problem: Problem) -> VialPlan:
        asked = self.asked.vials
        assert asked is not None
        report(self.progress, "vials", 0, 1)
        found = choose_vials(problem, self.dose, asked.calendar, asked.inject_at, self.effort)
        report(self.progress, "vials", 1, 1)
        if problem is self.problem:
            return found
        goal = self.problem.goal
        value = goal.value(self.dose, found.plan.activities_gbq)
        result = GoalResult(goal.name, value, value, np.inf, np.inf, goal.unit, "maximize")
        plan = evaluated(found.plan.activities_gbq, result, self.problem.limits, self.dose, found.status)
        tables = self.problem.tables_if_named()
        return replace(
            found, plan=replace(plan, sites=found.plan.sites, prescription=tables, unproved=found.plan.unproved)
        )

    def _explanation(self, problem: Problem, free: Plan, plan: Plan) -> Explanation:
        report(self.progress, "explanation", 0, 1)
        found = explain_plan(problem, self.dose, free, self.proving)
        report(self.progress, "explanation", 1, 1)
        if plan is free:
            return found
        return replace(found, contributions=contributions(self.dose, plan.activities_gbq))

    def _front(self, asked: FrontRequest) -> ParetoFront:
        limit = limit_of_front(self.problem, self.nominal, asked.limit)
        report(self.progress, "front", 0, 1)
        front = pareto_front(self.problem, self.dose, limit, asked.between, effort=self.proving)
        report(self.progress, "front", 1, 1)
        return front

    def _staircase(self) -> Staircase:
        return staircase(self.problem, self.dose, effort=self.proving)

    def _in_scenarios(
        self, drawn: _Drawn | None, plan: Plan, robust: RobustPlan | None, vials: VialPlan | None
    ) -> ScenarioEvaluation | None:
        if drawn is None:
            return None
        if robust is not None and vials is None:
            return robust.robust_fresh
        where = drawn.scenarios if robust is None else drawn.unused
        return evaluate_scenarios(self.problem, where, plan.activities_gbq)

    def _microspheres(self, asked: MicrosphereRequest, plan: Plan, vials: VialPlan | None) -> SphereScenarios:
        settings = self.case.inputs.settings
        injections = () if vials is None else vials.chosen.injections
        of_vials = {injection.site: injection.bq_per_sphere for injection in injections}
        return sphere_scenarios(
            self.case.territories,
            settings,
            plan.activities_gbq,
            asked.draws,
            np.random.default_rng(asked.seed),
            np.array([of_vials.get(site, settings.device.bq_per_sphere) for site in self.dose.site_names]),
            self.case.density,
            lambda step, steps: report(self.progress, "whole microspheres", step, steps),
        )


class _Drawn:
    """Scenarios to plan with, and others that are not used in planning; drawn on first use."""

    def __init__(self, basis: ScenarioBasis, uncertainty: Uncertainty, vial_of_site: Sequence[int] | None) -> None:
        self.basis, self.uncertainty, self._vials = basis, uncertainty, vial_of_site

    @cached_property
    def scenarios(self) -> Scenarios:
        """Those of the seed."""
        return draw(self.basis, self.uncertainty, self._vials)

    @cached_property
    def unused(self) -> Scenarios:
        """Those of another seed."""
        seed = self.uncertainty.seed + FRESH
        return draw(self.basis, replace(self.uncertainty, count=FRESH_SCENARIOS, seed=seed), self._vials)
