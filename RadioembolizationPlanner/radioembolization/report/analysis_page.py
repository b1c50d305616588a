"""The parts of the page on reasons, trade-offs, scenarios, microspheres and vials, as far as a treatment has them."""

from __future__ import annotations

from typing import Any

from radioembolization.planning import ParetoFront, Staircase, VialPlan
from radioembolization.planning.explanation import Explanation
from radioembolization.report import explanation_content as reasons
from radioembolization.report import scenario_content, trade_off_content, vial_content
from radioembolization.report.embedded import svg_uri
from radioembolization.report.figures import (
    bands_figure,
    chances_figure,
    front_figure,
    staircase_figure,
    vials_figure,
)
from radioembolization.report.scenario_charts import shown_bands
from radioembolization.treatment import Analysis, Treatment

FILTERS = {
    "clock": vial_content.clock,
    "vials_in_words": vial_content.vials_in_words,
    "set_in_words": vial_content.set_in_words,
    "spread_numbers": scenario_content.spread_numbers,
    "step_status": trade_off_content.step_status,
}


def analysis_parts(treatment: Treatment) -> dict[str, Any]:
    """Return what the templates of the parts need, by part; None for what the treatment does not have."""
    analysis = treatment.analysis or Analysis()
    return {
        "explanation": _explanation(analysis.explanation, analysis.vials is not None),
        "front": _front(analysis.front, treatment),
        "staircase": _staircase(analysis.staircase, treatment),
        "scenarios": _scenarios(analysis, treatment),
        "microspheres": _microspheres(analysis, treatment),
        "vials": _vials(analysis),
    }


def _explanation(found: Explanation | None, of_free: bool) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "prices": found.price_lines,
        "sites": reasons.explained_sites(found),
        "within": found.within,
        "reasons": reasons.reasons_without_ranges(found),
        "goal_unit": found.goal_unit,
        "others": reasons.other_plans(found),
        "others_sentence": reasons.alternatives_sentence(found),
        "contributions": found.contributions,
        "rows": reasons.contribution_rows(found.contributions),
        "remark": found.remark,
        "of_free": of_free and bool(found.sites),
    }


def _front(front: ParetoFront | None, treatment: Treatment) -> dict[str, Any] | None:
    if front is None:
        return None
    plan = trade_off_content.plan_on_front(front, treatment.plan)
    return {
        "front": front,
        "rows": trade_off_content.priced_points(front),
        "sentence": trade_off_content.front_sentence(front),
        "plan": plan,
        "figure": svg_uri(front_figure(front, plan)),
    }


def _staircase(steps: Staircase | None, treatment: Treatment) -> dict[str, Any] | None:
    if steps is None:
        return None
    plan = trade_off_content.plan_on_staircase(steps, treatment.plan)
    return {"steps": steps, "plan": plan, "figure": svg_uri(staircase_figure(steps, plan))}


def _scenarios(analysis: Analysis, treatment: Treatment) -> dict[str, Any] | None:
    found = analysis.in_scenarios
    if found is None:
        return None
    nominal, promised = scenario_content.nominal_evaluation(analysis), scenario_content.promised(analysis)
    given, robust = analysis.asked.uncertainty, analysis.robust
    return {
        "sentence": scenario_content.scenarios_sentence(analysis),
        "chances": scenario_content.chance_rows(found, nominal),
        "chances_figure": svg_uri(chances_figure(found, nominal, promised)),
        "nominal": nominal is not None,
        "promised": promised,
        "only_as_planned": () if robust is None else robust.only_as_planned,
        "tumours": scenario_content.tumour_rows(treatment.plan, found, nominal),
        "bands": svg_uri(bands_figure(treatment, found)) if found.bands else "",
        "left_out": len(found.bands) - len(shown_bands(found)),
        "spreads": () if given is None else given.spreads,
    }


def _microspheres(analysis: Analysis, treatment: Treatment) -> dict[str, Any] | None:
    if analysis.microspheres is None:
        return None
    return {
        "sentence": scenario_content.spheres_sentence(treatment),
        "left_out": scenario_content.SPHERES_LEFT_OUT,
        "rows": scenario_content.sphere_rows(analysis.microspheres),
    }


def _vials(analysis: Analysis) -> dict[str, Any] | None:
    found: VialPlan | None = analysis.vials
    if found is None or analysis.asked.vials is None:
        return None
    calendar = analysis.asked.vials.calendar
    return {
        "plan": found,
        "calendar": calendar,
        "unit": found.plan.goal.unit,
        "window": vial_content.window_sentence(found),
        "hours": vial_content.hour_tables(found, calendar),
        "figure": svg_uri(vials_figure(found)),
    }
