"""A plan in a few lines of text, always in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from radioembolization.planning import LimitResult, Plan, ScenarioEvaluation
from radioembolization.planning.plan import tumours
from radioembolization.report.content import limit_text, preset_title
from radioembolization.report.formats import gbq, gy, in_unit, millions, percent
from radioembolization.report.proof_content import proof_sentence
from radioembolization.report.terminal import RESEARCH_USE_ONLY
from radioembolization.report.territory_content import unperfused_line
from radioembolization.report.vial_content import vials_by_site
from radioembolization.treatment import Analysis, Treatment


def summary_lines(treatment: Treatment) -> tuple[str, ...]:
    """Return intent and device, sites, tumours and what of them is not perfused, limits, what binds, lungs, proof,
    overrides, and the research notice.

    Vials, doses that nine of ten scenarios reach (P10), how often limits are met, and prices are those of the analysis
    of the treatment; what it does not have is said to be missing.
    """
    plan, analysis = treatment.plan, treatment.analysis or Analysis()
    return (
        _intent(treatment),
        *_sites(plan, {} if analysis.vials is None else vials_by_site(analysis.vials)),
        *_tumours(plan, analysis.in_scenarios),
        unperfused_line(treatment.case),
        *_limits(plan, analysis.in_scenarios),
        *_binding(plan, analysis),
        _lungs(treatment),
        _proof(treatment),
        *_overrides(plan),
        RESEARCH_USE_ONLY,
    )


def _intent(treatment: Treatment) -> str:
    inputs = treatment.case.inputs
    return f"Intent: {preset_title(inputs.prescription)}. Device: {inputs.settings.device.title}."


def _sites(plan: Plan, vials: Mapping[str, str]) -> Iterator[str]:
    """Say activity, vial and sphere count of every injection."""
    for site in plan.used_sites:
        vial = vials.get(site.name, "vial not chosen")
        yield f"Site {site.name}: {gbq(site.activity_gbq)} GBq; {vial}; {millions(site.microspheres)} million spheres."
    if not plan.used_sites:
        yield "No site is injected."


def _tumours(plan: Plan, scenarios: ScenarioEvaluation | None) -> Iterator[str]:
    chances = {} if scenarios is None else {chance.name: chance for chance in scenarios.tumours}
    for tumour in tumours(plan):
        chance = chances.get(tumour.name)
        mean, d70 = ("", "") if chance is None else (f" (P10 {gy(x.p10)} Gy)" for x in (chance.mean_gy, chance.d70_gy))
        missing = "" if scenarios is not None else "; P10 not computed"
        yield f"Tumour {tumour.name}: mean {gy(tumour.mean_gy)} Gy{mean}, D70 {gy(tumour.d70_gy)} Gy{d70}{missing}."


def _limits(plan: Plan, scenarios: ScenarioEvaluation | None) -> Iterator[str]:
    """Say value, limit, denominator, status and source of every limit."""
    known = () if scenarios is None else scenarios.limits
    for limit in plan.limits:
        what, _, denominator = limit.name.partition(", ")
        of = f", denominator {denominator}" if denominator else ""
        status = ("met, binding" if limit.binding else "met") if limit.met else "NOT met"
        chances = [c for c in known if (c.name, c.sense, c.limit) == (limit.name, limit.sense, limit.limit)]
        shares = [c.probability for c in chances if c.probability is not None]
        often = f", in {percent(shares[0])} % of scenarios" if shares else ""
        value = f"{in_unit(limit.value, limit.unit)} {limit.unit}" if limit.value is not None else "none"
        yield (
            f"Limit, {what}: {value} of {limit_text(limit)} {limit.unit}{of}; {status}{often}; source {limit.source}."
        )
    if not plan.limits:
        yield "No limits were set."


def _binding(plan: Plan, analysis: Analysis) -> Iterator[str]:
    """Say what binds and what one more unit buys: of a plan of vials, with free activities."""
    explanation, before = analysis.explanation, "" if analysis.vials is None else "With free activities: "
    priced = set() if explanation is None else {price.limit for price in explanation.prices}
    if explanation is not None:
        yield from (before + line for line in explanation.price_lines)
    for limit in plan.binding_limits:
        if limit.name not in priced:
            yield f"Binds: {limit.name}{_gain(limit, plan)}."
    if not plan.binding_limits and not priced:
        yield "No limit holds the goal back."


def _gain(limit: LimitResult, plan: Plan) -> str:
    if limit.gain_per_unit is None or not np.isfinite(limit.gain_per_unit):
        return ""
    sign, unit = "+" if limit.sense == "at most" else "-", f" {plan.goal.unit}" if plan.goal.unit else ""
    return f"; {sign}1 {limit.unit} changes the {plan.goal.name} by {limit.gain_per_unit:+.2g}{unit} on the same sites"


def _lungs(treatment: Treatment) -> str:
    plan, rows, voxels = treatment.plan, treatment.dose_per_gbq, treatment.lung_voxels
    if plan.lung_gy is None:
        return "Lung dose: not known, the case has no lung mass."
    by_voxels = "" if voxels is None else f"; by voxels {gy(voxels.mean_gy)} Gy"
    method = f"lung shunt over a mass of {rows.lung_mass_kg:.2f} kg, {rows.lung_mass_method}"
    return f"Lung dose: {gy(plan.lung_gy)} Gy mean ({method}){by_voxels}."


def _proof(treatment: Treatment) -> str:
    plan = treatment.plan
    if plan.by_hand:
        return "Proof: none, the activities were set by hand."
    status = {
        "optimal": "optimal",
        "gap": "proved up to a gap",
        "time limit": "ended by the time limit",
        "search limit": "ended by the limit of the search",
    }
    said = proof_sentence(treatment)
    checked = (
        "Here the bound was computed anew from its certificate." if plan.certificate is not None else plan.unproved
    )
    return f"Proof: {status.get(plan.status, plan.status)}. {said} {'' if said == checked else checked}".strip()


def _overrides(plan: Plan) -> Iterator[str]:
    found = [limit for limit in plan.limits if limit.override_reason]
    for limit in found:
        yield f"Override: {limit.name} {limit_text(limit)} {limit.unit}: {limit.override_reason}."
    if not found:
        yield "Overrides: none."
