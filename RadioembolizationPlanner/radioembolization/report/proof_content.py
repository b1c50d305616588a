"""What the page says about the goal of a plan, and what proves it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radioembolization.planning import GoalResult, Plan
from radioembolization.report.formats import gy, significant, small_percent
from radioembolization.treatment import Treatment

_ANY_PLAN = "No choice among these sites and no activities within these limits"
_ANY_VIALS = "No vials of the calendar at the stated hours, on any of these sites, within these limits"
_INPUTS = "the inputs of this case; it says nothing about errors of the scout, the territories or the outlines"
_SCENARIOS = "the inputs of this case in the scenarios drawn; it says nothing about what these do not cover"


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
    over = analysis is not None and analysis.robust is not None
    return goal_sentence(goals(treatment)[-1], plan.unproved, among, _SCENARIOS if over else _INPUTS)


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


def goal_sentence(goal: GoalResult, unproved: str = "", among: str = _ANY_PLAN, holds_for: str = _INPUTS) -> str:
    """Return what the bound proves about a plan, or why there is none.

    Parameters
    ----------
    goal : GoalResult
    unproved : str
    among : str
        What cannot be better.
    holds_for : str
        What the proof presumes, and what not.
    """
    if not np.isfinite(goal.bound):
        return unproved or "No bound is known."
    better, distance = ("above", "below") if goal.sense == "maximize" else ("below", "above")
    return (
        f"{among} can bring the {goal.name} {better} "
        f"{gy(goal.bound)} {goal.unit}; this plan is at most {_at_most(abs(goal.bound - goal.value))} {goal.unit} "
        f"{distance} that. The proof holds for the dose model and {holds_for}."
    )


def _at_most(difference: float) -> str:
    return "0.01" if difference < 0.01 else significant(difference, 2)
