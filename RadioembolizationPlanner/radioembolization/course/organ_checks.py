"""Whether the organs that 177Lu reaches keep their budgets."""

from __future__ import annotations

import numpy as np

from radioembolization.course.kind_effects import KindEffects


def schedules_within_budgets(effects: KindEffects) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which schedules keep every budget with history and all cycles (schedules,), and in words what none keeps.

    What sessions give to an organ is limited in them.
    """
    within, exceeded = np.ones(effects.schedules, dtype=bool), []
    for budget in effects.problem.budgets:
        if budget.is_single:
            continue
        if budget.is_bed:
            values = effects.bed_before_gy(budget.structure)
        else:
            earlier = sum(exposure.dose_of_gy(budget.structure) for exposure in effects.problem.history)
            values = np.full(effects.schedules, effects.lutetium_dose_gy(budget.structure) + earlier)
        kept = values <= budget.limit_gy * (1.0 + 1e-9)
        within &= kept
        if not kept.any():
            what, least = "BED" if budget.is_bed else "dose", float(values.min())
            exceeded.append(f"{budget.structure}: {what} {least:.3g} Gy above {budget.limit_gy:g} Gy")
    return within, tuple(exceeded)
