"""Whether the organs that 177Lu reaches keep their budgets."""

from __future__ import annotations

from radioembolization.course.kind_effects import KindEffects


def exceeded_budgets(effects: KindEffects) -> tuple[str, ...]:
    """Return in words which budgets a kind of course exceeds with history and all cycles; empty if none.

    A budget of BED is checked for the schedule of the kind that spends most.
    """
    exceeded = []
    for budget in effects.problem.budgets:
        if budget.is_bed:
            value = float(effects.bed_before_gy(budget.structure).max())
        else:
            earlier = sum(exposure.dose_of_gy(budget.structure) for exposure in effects.problem.history)
            value = effects.lutetium_dose_gy(budget.structure) + earlier
        if value > budget.limit_gy * (1.0 + 1e-9):
            what = "BED" if budget.is_bed else "dose"
            exceeded.append(f"{budget.structure}: {what} {value:.3g} Gy above {budget.limit_gy:g} Gy")
    return tuple(exceeded)
