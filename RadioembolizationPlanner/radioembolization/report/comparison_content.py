"""What the page compares a plan with: the nominal plan, where it is another one, and rules of thumb."""

from __future__ import annotations

from radioembolization.planning import BaselineResult, Plan
from radioembolization.planning.plan import tumours
from radioembolization.report.formats import signed
from radioembolization.structures import NORMAL_LIVER
from radioembolization.treatment import Treatment

#: Goals closer than this are called equal [Gy].
_EQUAL_GY = 0.05


def plan_kind(treatment: Treatment) -> str:
    """Return what kind of plan it is, in a word or two."""
    analysis = treatment.analysis
    if treatment.plan.by_hand:
        return "set by hand"
    robust = analysis is not None and analysis.robust is not None
    vials = analysis is not None and analysis.vials is not None
    return ", ".join(word for word, said in (("robust", robust), ("of vials", vials)) if said) or "optimized"


def nominal_beside(treatment: Treatment) -> Plan | None:
    """Return the nominal plan, where the plan of a treatment is another one."""
    analysis = treatment.analysis
    if analysis is None or (analysis.robust is None and analysis.vials is None):
        return None
    return analysis.nominal


def comparison_rows(treatment: Treatment) -> list[BaselineResult]:
    """Return the plan, in the form of a rule of thumb, the nominal one if it is another, and rules of thumb."""
    plan, nominal = treatment.plan, nominal_beside(treatment)
    own = _as_rule(plan, f"this plan ({plan_kind(treatment)})")
    if nominal is None:
        return [own, *plan.baselines]
    return [own, _as_rule(nominal, "nominal plan (free activities, nothing uncertain)"), *nominal.baselines]


def _as_rule(plan: Plan, name: str) -> BaselineResult:
    treated = tumours(plan)
    normal = next(s for s in plan.structures if s.name == NORMAL_LIVER)
    return BaselineResult(
        name=name,
        goal_value=plan.goal.value,
        limits_met=all(limit.met for limit in plan.limits),
        sites=tuple(site.name for site in plan.used_sites),
        activities_gbq=tuple(site.activity_gbq for site in plan.used_sites),
        tumour_mean_gy=min(t.mean_gy for t in treated),
        tumour_d70_gy=min(t.d70_gy for t in treated),
        normal_liver_gy=normal.mean_gy,
    )


def margin_sentence(treatment: Treatment) -> str:
    """Return the distance of the plan, or of the nominal one beside it, to the best rule of thumb in the limits."""
    beside = nominal_beside(treatment)
    plan, whose = (treatment.plan, "") if beside is None else (beside, "Of the nominal plan: ")
    return whose + _margin(plan)


def _margin(plan: Plan) -> str:
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
