"""Why a plan is as it is, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from radioembolization.planning.baselines import BaselineResult
from radioembolization.planning.effort import SEARCH_LIMIT, TIME_LIMIT
from radioembolization.planning.limits import LimitResult
from radioembolization.structures import Role

if TYPE_CHECKING:
    from radioembolization.planning.plan import Plan

#: How the sentence on the bound begins, by status.
_PROOFS = {
    "optimal": "Proof",
    "gap": "Proved up to a gap",
    TIME_LIMIT: "Bound reached within the time limit",
    SEARCH_LIMIT: "Bound reached within the limit of the search",
}
#: Share of the goal given up for fewer injections that is worth a sentence.
_NOTICEABLE = 1e-4
#: A tumour with a smaller share inside the injected territories is named.
_FULLY_PERFUSED = 0.995


def explain(plan: Plan, others: Sequence[BaselineResult]) -> tuple[str, ...]:
    """Return sentences on what the plan uses, what holds it back and how it compares."""
    lines = [injected_sentence(plan)]
    if not plan.used_sites:
        lines.append("No choice of sites within the limits gives every tumour a dose.")
    lines += territory_sentences(plan)
    binding = [limit for limit in plan.binding_limits if not _forbids(limit)]
    lines += [_binding_sentence(limit, plan) for limit in binding]
    if not plan.binding_limits:
        lines.append("No limit holds the goal back.")
    side = "above" if plan.goal.sense == "maximize" else "below"
    unit = f" {plan.goal.unit}" if plan.goal.unit else ""
    lines.append(
        f"{_PROOFS.get(plan.status, 'Bound')}: no plan within these limits has a {plan.goal.name} {side} "
        f"{plan.goal.bound + 0.0:.4g}{unit} (gap {_percent(plan.goal.gap)})."
    )
    lines += [*_ended_sentence(plan), *_fewer_sentence(plan)]
    compared = [b for b in others if b.limits_met]
    if compared:
        best = (max if plan.goal.sense == "maximize" else min)(compared, key=lambda b: b.goal_value)
        change = plan.goal.value - best.goal_value
        share = f" ({round(change / best.goal_value, 3) + 0.0:+.1%})" if best.goal_value > 0 else ""
        lines.append(
            f"Against the best rule of thumb ({best.name} on {', '.join(best.sites)}): {plan.goal.name} "
            f"{plan.goal.value:.1f} instead of {best.goal_value:.1f}{unit}{share}."
        )
    return tuple(lines)


def _forbids(limit: LimitResult) -> bool:
    """Whether a limit allows nothing at all, as one that forbids a site."""
    return limit.sense == "at most" and limit.limit == 0.0


def injected_sentence(plan: Plan) -> str:
    """Say what is injected where, and which sites are not used."""
    used = [f"{s.name} {s.activity_gbq:.3g} GBq" for s in plan.used_sites]
    unused = [s.name for s in plan.sites if s not in plan.used_sites]
    return f"Injected: {', '.join(used) or 'nothing'}." + (f" Not used: {', '.join(unused)}." if unused else "")


def territory_sentences(plan: Plan) -> list[str]:
    """Name the tumours that no injection fully reaches, and the hottest perfused normal liver."""
    untreated = [
        f"{1 - s.perfused_share:.0%} of {s.name} lies outside the injected territories and stays untreated."
        for s in plan.structures
        if s.role == Role.TUMOUR and s.perfused_share < _FULLY_PERFUSED
    ]
    return untreated + _hottest_sentence(plan)


def _ended_sentence(plan: Plan) -> list[str]:
    """Say what to do about a search that was ended before its proof."""
    if plan.status not in (TIME_LIMIT, SEARCH_LIMIT):
        return []
    more = "more time" if plan.status == TIME_LIMIT else "more steps (Effort.most_steps)"
    return [
        f"The search over {len(plan.sites)} candidate sites ended before it was proved that no plan is better than "
        "this one. Allow fewer injections (at_most_sites), offer fewer candidates (sites of arteries: a larger "
        f"smallest_radius_mm), choose another preset, or allow {more}."
    ]


def _fewer_sentence(plan: Plan) -> list[str]:
    """Say what the plan gives up for fewer injections."""
    lost = abs(plan.goal.optimum - plan.goal.value)
    if lost <= _NOTICEABLE * max(1e-3, abs(plan.goal.optimum)):
        return []
    unit = f" {plan.goal.unit}" if plan.goal.unit else ""
    return [
        f"Fewer injections are preferred: {len(plan.used_sites)} reach {plan.goal.value:.4g}{unit}; the best plan with "
        f"more reaches {plan.goal.optimum:.4g}{unit} ({lost / max(1e-3, abs(plan.goal.optimum)):.1%} better)."
    ]


def _hottest_sentence(plan: Plan) -> list[str]:
    """Name the injected territory whose perfused normal liver has the highest mean dose."""
    doses = [(site.territory_normal_liver_gy, site.name) for site in plan.used_sites]
    known = [(gy, name) for gy, name in doses if gy is not None]
    if len(known) < 2:
        return []
    gy, name = max(known)
    return [f"The hottest perfused normal liver is that of {name}: {gy:.1f} Gy mean."]


def _percent(gap: float) -> str:
    return "below 0.001 %" if gap < 1e-5 else f"{gap:.3%}"


def _binding_sentence(limit: LimitResult, plan: Plan) -> str:
    value = "none" if limit.value is None else f"{limit.value:.3g}"
    text = f"Binding: {limit.name} {value} of {limit.sense} {limit.limit:g} {limit.unit}"
    if limit.gain_per_unit is not None and np.isfinite(limit.gain_per_unit):
        unit = f" {plan.goal.unit}" if plan.goal.unit else ""
        verb = "more" if limit.sense == "at most" else "less"
        change = f"changes the goal by {limit.gain_per_unit:+.2g}{unit}" if limit.gain_per_unit else "changes nothing"
        text += f"; one {limit.unit} {verb} {change} on the same sites"
    return text + "."
