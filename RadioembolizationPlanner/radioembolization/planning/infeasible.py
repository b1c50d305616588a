"""What contradicts what: the least relaxation of limits that no plan meets."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import Infeasible
from radioembolization.planning.conflict import conflict
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.reduced import Reduced

_MOST_ROUNDS = 50


def infeasible(planes: CuttingPlanes, allowed: np.ndarray) -> Infeasible:
    """Return the error that names a least relaxation, relative to the bounds, of the limits of a model.

    The number of sites is never relaxed.  Where several limits contradict each other, it also names an irreducible
    set of them, in which the number of sites may be.
    """
    activities = _least_relaxed(planes, allowed)
    found = conflict(planes, allowed)
    irreducible = () if found is None else found.limits
    if activities is None:
        text = "The limits contradict each other, even if each is relaxed: check their numbers."
        return Infeasible(text + _together(irreducible), irreducible=irreducible)
    dose = planes.dose
    broken = [limit for limit in planes.limits if not limit.is_met(dose, activities)]
    excess = {str(limit): float(limit.excess(dose, activities)) for limit in broken}
    if not excess:
        return Infeasible(
            "The limits contradict each other by less than the accuracy of the solver: loosen one of them."
        )
    units = {str(limit): limit.quantity.unit for limit in broken}
    parts = [f"'{text}' by {value:.3g} {units[text]}" for text, value in excess.items()]
    text = f"The limits contradict each other; no plan meets them all. Least relaxation: {' and '.join(parts)}."
    return Infeasible(text + _together(irreducible), excess, irreducible)


def _together(irreducible: tuple[str, ...]) -> str:
    """Name the limits of which any one has to give way."""
    if not irreducible:
        return ""
    if len(irreducible) == 1:
        return f" '{irreducible[0]}' cannot be met even alone."
    named = ", ".join(f"'{limit}'" for limit in irreducible)
    return f" These cannot be met together, but without any one of them the others can: {named}."


def _least_relaxed(planes: CuttingPlanes, allowed: np.ndarray) -> np.ndarray | None:
    planes.require(None)
    activities = None
    for _ in range(_MOST_ROUNDS):
        model = Reduced(planes, allowed, elastic=True)
        weights = [1.0 / max(planes.limits[index].bound, 1.0) for index in model.excess]
        total = sum(w * e for w, e in zip(weights, model.excess.values(), strict=True))
        activities = model.solve(total, False)
        if activities is None or not planes.separate_relaxed(
            activities, {i: float(e.value) for i, e in model.excess.items()}
        ):
            return activities
    return activities
