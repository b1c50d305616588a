"""Which plan is the plan of a treatment, and what is said with it."""

from __future__ import annotations

from dataclasses import replace

from radioembolization.planning import Plan, RobustPlan, VialPlan
from radioembolization.planning.explain import injected_sentence, territory_sentences
from radioembolization.treatment.analysis import Analysis

#: Why nothing in a plan file proves a robust plan.
ROBUST_PROOF = (
    "The bound is that of the goal over scenarios, proved in float64; the dose rows of the scenarios are not kept."
)


def chosen_plan(nominal: Plan, analysis: Analysis) -> Plan:
    """Return the plan of a treatment.

    Without more, it is the nominal plan: the best activities if all goes as planned.  If a robust plan was asked for,
    that is the plan, and the nominal one stands beside it (``analysis.nominal``).  If vials were asked for, the plan
    is at the activities that the best vials deliver; its status and bound are what is proved about vials.  With both,
    the vials are those that are best over scenarios.  Its sentences say what it gives up against the plan it came from.
    """
    robust, vials = analysis.robust, analysis.vials
    if vials is not None:
        return replace(vials.plan, explanation=_of_vials(vials, robust))
    if robust is not None:
        plan = replace(robust.robust, prescription=nominal.prescription, unproved=ROBUST_PROOF)
        return replace(
            plan, explanation=(injected_sentence(plan), *robust_sentences(robust), *territory_sentences(plan))
        )
    return nominal


def robust_sentences(robust: RobustPlan) -> tuple[str, ...]:
    """Say what the robust plan promises, what is proved, and what it costs."""
    goal, given = robust.goal, robust.uncertainty
    unit = f" {goal.unit}" if goal.unit else ""
    lines = [
        f"Robust over {given.count} scenarios (seed {given.seed}), limits with {given.probability:.0%}: {goal.name} "
        f"{goal.value:.4g}{unit}; no plan within the limits is above {goal.bound:.4g}{unit}.",
        f"As planned, that costs {robust.price:.3g}{unit} ({robust.price_share:.1%}) of {robust.nominal.goal.value:.4g}"
        f"{unit} of the nominal plan.",
    ]
    if robust.robust_fresh is not None and robust.nominal_fresh is not None:
        lines.append(
            f"In {robust.robust_fresh.count} scenarios not used in planning all limits are met together in "
            f"{robust.robust_fresh.all_limits:.1%}, by the nominal plan in {robust.nominal_fresh.all_limits:.1%}."
        )
    if robust.only_as_planned:
        lines.append(f"Kept as planned only, not in scenarios: {', '.join(robust.only_as_planned)}.")
    return tuple(lines)


def vial_sentences(vials: VialPlan) -> tuple[str, ...]:
    """Say which vials are injected, what they lose, and what is proved."""
    goal = vials.plan.goal
    unit = f" {goal.unit}" if goal.unit else ""
    lines = [f"Vials: {'; '.join(map(str, vials.orders)) or 'none'}."]
    lines.append(
        f"They lose {vials.chosen.loss:.1%} of the goal with free activities ({vials.chosen.value:.4g} instead of "
        f"{vials.free_value:.4g}{unit})."
    )
    word = "Proof" if vials.status == "optimal" else f"Reached within the {vials.status}"
    lines.append(f"{word}: no vials of the calendar have a goal better than {vials.bound:.4g}{unit}.")
    return tuple(lines)


def _of_vials(vials: VialPlan, robust: RobustPlan | None) -> tuple[str, ...]:
    over = () if robust is None else ("Values of the goal are those over scenarios.", *robust_sentences(robust))
    return (injected_sentence(vials.plan), *vial_sentences(vials), *over, *territory_sentences(vials.plan))
