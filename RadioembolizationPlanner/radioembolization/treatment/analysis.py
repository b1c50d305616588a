"""What is known about a treatment beyond its plan: reasons, trade-offs, scenarios, vials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from radioembolization.dose.sampling import draw, fresh
from radioembolization.dose.scenario_basis import ScenarioBasis, scenario_basis
from radioembolization.dose.scenarios import Scenarios
from radioembolization.errors import LimitError
from radioembolization.planning import (
    Effort,
    Limit,
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
from radioembolization.planning.explanation import Explanation, explain_plan
from radioembolization.planning.robust import robust_problem
from radioembolization.treatment.analysis_request import AnalysisRequest, FrontRequest
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
    asked : AnalysisRequest
    """

    explanation: Explanation | None = None
    front: ParetoFront | None = None
    staircase: Staircase | None = None
    robust: RobustPlan | None = None
    in_scenarios: ScenarioEvaluation | None = None
    vials: VialPlan | None = None
    nominal: Plan | None = None
    asked: AnalysisRequest = AnalysisRequest()


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


def limit_of_front(problem: Problem, plan: Plan, name: str) -> Limit:
    """Return the limit of a problem that a name means; without a name, the one that holds a plan back most.

    Prices times bounds share the goal among the limits, so the largest of these products holds it back most; without
    prices, it is the upper limit that is nearest to its bound.

    Raises
    ------
    LimitError
        If the name means none or several, or there is no limit to move.
    """
    movable = [limit for limit in problem.limits if limit.quantity.keyword != "count" and limit.bound > 0.0]
    listed = ", ".join(f"'{limit}'" for limit in movable) or "none"
    if name:
        exact = [limit for limit in movable if name.casefold() in (str(limit).casefold(), limit.quantity.name.casefold())]
        found = exact or [limit for limit in movable if name.casefold() in str(limit).casefold()]
        if len(found) != 1:
            raise LimitError(f"'{name}' means {len(found) or 'none'} of the limits of the plan, which are: {listed}.")
        return found[0]
    results = [(limit, result) for limit, result in zip(problem.limits, plan.limits, strict=True) if limit in movable]
    priced = [(abs(r.gain_per_unit * r.limit), k) for k, (_, r) in enumerate(results) if r.binding and r.gain_per_unit]
    if priced:
        return results[max(priced)[1]][0]
    near = [(r.value / r.limit, k) for k, (limit, r) in enumerate(results) if limit.upper and r.value is not None]
    if not near:
        raise LimitError(f"No limit can be moved for a front; the limits are: {listed}.")
    return results[max(near)[1]][0]


class _Analyst:
    """Finds out one thing after the other.

    Parameters
    ----------
    treatment : Treatment
    asked : AnalysisRequest
    progress : callable or None
    effort : Effort or None
    """

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
        """Return everything that is asked, the plans first."""
        asked, optimized = self.asked, not self.nominal.by_hand
        basis = self._basis()
        scenarios = None if basis is None else self._drawn(basis)
        robust, problem = None, self.problem
        if asked.robust and optimized:
            robust = self._robust(basis, scenarios)
            problem = robust_problem(self.problem, scenarios, robust.uncertainty)[0]
        vials = self._vials(problem) if asked.vials and optimized else None
        free = self.nominal if robust is None else _over_scenarios(robust)
        plan = vials.plan if vials else robust.robust if robust else self.nominal
        return Analysis(
            explanation=self._explained(problem, free) if asked.explanation else None,
            front=self._front(asked.front) if asked.front and optimized else None,
            staircase=self._staircase() if asked.staircase and optimized else None,
            robust=robust,
            in_scenarios=self._in_scenarios(basis, scenarios, plan, robust, vials is not None),
            vials=vials,
            nominal=self.nominal if optimized else None,
            asked=asked,
        )

    def _basis(self) -> ScenarioBasis | None:
        uncertainty = self.asked.uncertainty
        if uncertainty is None:
            return None
        settings, density = self.case.inputs.settings, self.case.density
        tell = lambda step, steps: report(self.progress, "dose for scenarios", step, steps)  # noqa: E731
        return scenario_basis(self.case.territories, settings, uncertainty, tell, density)

    def _vial_of_site(self) -> Sequence[int] | None:
        """Return the vial of each site: one of all where they are drawn from the same, else its own."""
        shared = self.asked.vials is not None and self.asked.vials.calendar.supply.drawn
        return [0] * len(self.dose.site_names) if shared else None
