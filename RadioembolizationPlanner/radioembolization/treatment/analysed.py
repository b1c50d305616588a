"""A treatment with its analysis: the plan that was asked for, and everything known about it."""

from __future__ import annotations

from dataclasses import replace

from radioembolization.planning import Effort
from radioembolization.treatment.analysis import analyse
from radioembolization.treatment.analysis_request import AnalysisRequest
from radioembolization.treatment.case import collected_notices, joined
from radioembolization.treatment.chosen_plan import chosen_plan
from radioembolization.treatment.prepared_case import PreparedCase, Progress
from radioembolization.treatment.treatment import Treatment, plan_on_rows, with_plan


def plan_and_analyse(
    prepared: PreparedCase,
    asked: AnalysisRequest | None = None,
    progress: Progress | None = None,
    effort: Effort | None = None,
) -> Treatment:
    """Optimize on dose rows that are there already, and find out what is asked, by default what the case asks for.

    Raises
    ------
    PlannerError
        In one of its named forms; see ``plan_on_rows`` and ``analyse``.
    """
    return analysed(plan_on_rows(prepared, progress, effort), asked, progress, effort)


def analysed(
    treatment: Treatment,
    asked: AnalysisRequest | None = None,
    progress: Progress | None = None,
    effort: Effort | None = None,
) -> Treatment:
    """Return a treatment with its analysis; its plan is then the robust one, or that of the vials, if asked for.

    Parameters
    ----------
    treatment : Treatment
        Planned as usual, or by hand.
    asked : AnalysisRequest, optional
        By default what the case asks for.
    progress : callable, optional
    effort : Effort, optional

    Raises
    ------
    PlannerError
        In one of its named forms; see ``analyse``.
    """
    asked = treatment.case.inputs.analysis if asked is None else asked
    with collected_notices() as notices:
        analysis = analyse(treatment, asked, progress, effort)
        found = with_plan(treatment, chosen_plan(treatment.plan, analysis), progress)
    if analysis.explanation is not None:
        analysis = replace(analysis, explanation=replace(analysis.explanation, summary=found.plan.explanation))
    return replace(found, analysis=analysis, notices=joined(found.notices, notices))
