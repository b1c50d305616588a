"""What the page says beyond the fields of a plan: rows, comparisons and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from radioembolization import __version__
from radioembolization.dose import Method
from radioembolization.physics import Convention
from radioembolization.planning import BaselineResult, GoalResult, Limit, LimitResult, Plan, Prescription, load_presets
from radioembolization.planning.limits import Quantity
from radioembolization.planning.plan import PERFUSED_NORMAL_LIVER, StructureDose, tumours
from radioembolization.report.formats import gy, in_unit, signed, significant, small_percent
from radioembolization.structures import NORMAL_LIVER, WHOLE_LIVER
from radioembolization.territories import Pattern
from radioembolization.treatment import Treatment, package_versions

CONVENTIONS: Mapping[Convention, str] = {
    Convention.CLINICAL: "constant of clinical practice",
    Convention.ICRP107: "all electrons and photons of ICRP Publication 107",
    Convention.VENDOR: "constant printed by the manufacturer",
}
METHODS: Mapping[Method, str] = {
    Method.FFT: "convolution with a dose kernel, homogeneous medium",
    Method.LOCAL: "local deposition in each voxel",
    Method.DENSITY: "convolution with a dose kernel, corrected for the density of each voxel from CT",
}
PATTERNS: Mapping[Pattern, str] = {
    Pattern.SCOUT: "scout counts",
    Pattern.TUMOUR_TO_NORMAL: "tumour-to-normal ratios",
}
#: Names of liver structures as they are printed, with their denominator.
_PRINTED = {NORMAL_LIVER: "Normal liver, whole", PERFUSED_NORMAL_LIVER: "Normal liver, perfused", WHOLE_LIVER: None}
_ANY_PLAN = "No choice among these sites and no activities within these limits"
_ANY_VIALS = "No vials of the calendar at the stated hours, on any of these sites, within these limits"
#: Goals closer than this are called equal [Gy].
_EQUAL_GY = 0.05


@dataclass(frozen=True)
class SiteRow:
    """One site that is used: what is injected, and where it goes."""

    name: str
    activity_gbq: float
    perfused_liver_ml: float
    territory_normal_liver_gy: float | None
    lung_shunt: float
    extrahepatic_share: float
    microspheres: float
    escaped_share: float
    pattern: str
    position_lps_mm: tuple[float, float, float] | None


def used_site_rows(treatment: Treatment) -> list[SiteRow]:
    """Return the sites with activity, with the liver volume they perfuse."""
    used = {site.name for site in treatment.plan.used_sites}
    return [_site_row(treatment, i) for i, site in enumerate(treatment.plan.sites) if site.name in used]


def _site_row(treatment: Treatment, index: int) -> SiteRow:
    planned, site = treatment.plan.sites[index], treatment.case.sites[index]
    structures = treatment.case.structures
    perfused = treatment.case.territories.perfused(index) & structures.liver.mask
    return SiteRow(
        name=planned.name,
        activity_gbq=planned.activity_gbq,
        perfused_liver_ml=float(np.count_nonzero(perfused)) * structures.grid.voxel_ml,
        territory_normal_liver_gy=planned.territory_normal_liver_gy,
        lung_shunt=planned.lung_shunt,
        extrahepatic_share=site.extrahepatic_share,
        microspheres=planned.microspheres,
        escaped_share=float(treatment.dose_per_gbq.escaped_share[index]),
        pattern=PATTERNS[site.pattern],
        position_lps_mm=site.position_lps_mm,
    )


def unused_site_names(plan: Plan) -> list[str]:
    """Return the names of the candidates without activity."""
    used = {site.name for site in plan.used_sites}
    return [site.name for site in plan.sites if site.name not in used]


def printed_name(structure: StructureDose) -> str:
    """Return the name of a structure as it is printed: normal liver with its denominator."""
    return _PRINTED.get(structure.name) or structure.name[:1].upper() + structure.name[1:]


def organs_and_liver(plan: Plan) -> list[StructureDose]:
    """Return every structure that is not a tumour."""
    treated = tumours(plan)
    return [s for s in plan.structures if s not in treated]


def unperfused_share(plan: Plan) -> float:
    """Return the share of the normal liver that no injected territory perfuses."""
    return 1.0 - next(s.perfused_share for s in plan.structures if s.name == NORMAL_LIVER)


def preset_title(prescription: Prescription) -> str:
    """Return the device and intent of a prescription in words."""
    known = load_presets().get(prescription.preset_name)
    if known is None:
        return prescription.preset_name or "limits of the user, no preset"
    same = _bounds(prescription.limits) == _bounds(known.limits)
    return f"{known.title} (preset {known.name}{'' if same else ', limits changed by the user'})"


def _bounds(limits: Sequence[Limit]) -> list[tuple[Quantity, float, bool]]:
    return [(limit.quantity, limit.bound, limit.upper) for limit in limits]


def verdict(plan: Plan) -> str:
    """Return whether the limits are met, in a few words."""
    failed = [limit for limit in plan.limits if not limit.met]
    if not plan.limits:
        return "no limits were set"
    if failed:
        return f"{len(failed)} of {len(plan.limits)} limits NOT met"
    words = {1: "the limit is met", 2: "both limits are met"}
    return words.get(len(plan.limits), f"all {len(plan.limits)} limits are met")


def limit_text(limit: LimitResult) -> str:
    """Return a bound with its sign."""
    return f"{'≤' if limit.sense == 'at most' else '≥'} {in_unit(limit.limit, limit.unit)}"


def excess_text(limit: LimitResult) -> str:
    """Return by how much a limit is missed; empty if it is met."""
    if limit.value is None or limit.met:
        return ""
    return f"by {significant(abs(limit.value - limit.limit), 2)} {limit.unit}"


def gain_text(limit: LimitResult, goal: GoalResult) -> str:
    """Return what a looser limit would change the goal by, or a dash."""
    if limit.gain_per_unit is None:
        return "–"
    return f"{signed(limit.gain_per_unit, 2)} {goal.unit} per {limit.unit}"


def bound_texts(goal: GoalResult) -> tuple[str, str]:
    """Return the bound and the relative gap [%] as they are printed."""
    return (gy(goal.bound), small_percent(goal.gap)) if np.isfinite(goal.bound) else ("none", "–")


def goals(treatment: Treatment) -> list[GoalResult]:
    """Return the goal of a plan as planned and, where it was planned over scenarios, that over scenarios."""
    plan, analysis = treatment.plan, treatment.analysis
    if analysis is None or analysis.robust is None:
        return [plan.goal]
    over, vials = analysis.robust.goal, analysis.vials
    if vials is not None:
        value = vials.chosen.value
        over = replace(over, value=value, optimum=value, bound=vials.bound, gap=vials.gap)
    return [plan.goal, over]


def proof_sentence(treatment: Treatment) -> str:
    """Return what is proved about the plan of a treatment, robust or of vials, or why nothing is."""
    plan, analysis = treatment.plan, treatment.analysis
    among = _ANY_PLAN if analysis is None or analysis.vials is None else _ANY_VIALS
    return goal_sentence(goals(treatment)[-1], plan.unproved, among)


def certificate_line(plan: Plan) -> str:
    """Say what holds the proof of the bound, and how to check it; or why nothing does."""
    if plan.by_hand:
        return "none, as the activities were set by hand."
    if plan.certificate is None:
        return f"none. {plan.unproved}".strip()
    return (
        "in plan.json, with the multipliers and planes that prove the bound over all voxels. "
        "`radioembolization-planner certify plan.json` checks it in float64 without a solver. SHA256 of its dose rows: "
        f"{plan.certificate.fingerprint}."
    )


def goal_sentence(goal: GoalResult, unproved: str = "", among: str = "") -> str:
    """Return what the bound proves about a plan, or why there is none; ``among`` says what cannot be better."""
    if not np.isfinite(goal.bound):
        return unproved or "No bound is known."
    better, distance = ("above", "below") if goal.sense == "maximize" else ("below", "above")
    return (
        f"{among or _ANY_PLAN} can bring the {goal.name} {better} "
        f"{gy(goal.bound)} {goal.unit}; this plan is at most {_at_most(abs(goal.bound - goal.value))} {goal.unit} "
        f"{distance} that. The proof holds for the dose model and the inputs of this case; it says nothing about "
        "errors of the scout, the territories or the outlines."
    )


def comparison_rows(plan: Plan) -> list[BaselineResult]:
    """Return the plan, in the form of a rule of thumb, and the rules it is compared with."""
    treated = tumours(plan)
    normal = next(s for s in plan.structures if s.name == NORMAL_LIVER)
    own = BaselineResult(
        name="this plan (set by hand)" if plan.by_hand else "this plan (optimized)",
        goal_value=plan.goal.value,
        limits_met=all(limit.met for limit in plan.limits),
        sites=tuple(site.name for site in plan.used_sites),
        activities_gbq=tuple(site.activity_gbq for site in plan.used_sites),
        tumour_mean_gy=min(t.mean_gy for t in treated),
        tumour_d70_gy=min(t.d70_gy for t in treated),
        normal_liver_gy=normal.mean_gy,
    )
    return [own, *plan.baselines]


def margin_sentence(plan: Plan) -> str:
    """Return the distance of the plan to the best rule of thumb within the limits."""
    allowed = [b for b in plan.baselines if b.limits_met]
    if not plan.baselines:
        return "The plan is not compared with rules of thumb."
    if not allowed:
        return "No rule of thumb meets all limits on any choice of sites."
    best = (max if plan.goal.sense == "maximize" else min)(allowed, key=lambda b: b.goal_value)
    change = plan.goal.value - best.goal_value
    against = f"the best rule of thumb within the limits ({best.name}; {', '.join(best.sites) or 'no site'})"
    if abs(change) < _EQUAL_GY:
        return f"The {plan.goal.name} is equal, within {_EQUAL_GY:g} {plan.goal.unit}, to that of {against}."
    relative = f", {signed(100.0 * change / best.goal_value, 2)} %" if best.goal_value > 0 else ""
    return f"Margin over {against}: {signed(change, 2)} {plan.goal.unit}{relative} in the {plan.goal.name}."


def software_versions() -> list[tuple[str, str]]:
    """Return the packages a plan is computed with, and their versions."""
    return [("radioembolization", __version__), *package_versions().items()]


def _at_most(difference: float) -> str:
    return "0.01" if difference < 0.01 else significant(difference, 2)
