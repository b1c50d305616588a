"""Which vials come nearest to the limits, where none meets them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import VialError
from radioembolization.planning.limits import MET_TOLERANCE, Limit
from radioembolization.planning.problem import Problem
from radioembolization.planning.vial_levels import VialLevel

#: Of the plan with any activities, as many injections, the largest, are rounded down and up to vials.
_MOST_ROUNDED = 4


def no_vials_fit(
    problem: Problem, dose: DosePerGBq, free_gbq: np.ndarray, levels: list[tuple[VialLevel, ...]]
) -> VialError:
    """Return the error that names the vials which come nearest to the limits."""
    tried = [x for x in (*_smallest(levels), *_rounded(free_gbq, levels)) if np.any(x > 0)]
    if not tried:
        return VialError("No vial makes sense at the hour of any injection: add calibrations or sizes.")
    excesses = [_largest_excess(problem.limits, dose, x) for x in tried]
    nearest = int(np.argmin([relative for relative, *_ in excesses]))
    relative, excess, limit = excesses[nearest]
    parts = [
        f"{' + '.join(map(str, _level(levels[j], tried[nearest][j]).vials))} at site '{dose.site_names[j]}'"
        for j in np.flatnonzero(tried[nearest])
    ]
    if relative <= MET_TOLERANCE:
        return VialError(
            f"No vials within the limits make the {problem.goal.name} better than no injection does: add sizes "
            "or sites."
        )
    return VialError(
        f"No vials meet the limits. Nearest: {' and '.join(parts)}, which misses '{limit}' by {excess:.3g} "
        f"{limit.quantity.unit}. Add a smaller vial, inject later, or allow another choice of sites."
    )


def _level(levels: Sequence[VialLevel], activity_gbq: float) -> VialLevel:
    return min(levels, key=lambda level: abs(level.delivered_gbq - activity_gbq))


def _largest_excess(limits: Sequence[Limit], dose: DosePerGBq, x: np.ndarray) -> tuple[float, float, Limit]:
    excesses = [(float(limit.excess(dose, x)), limit) for limit in limits]
    return max(
        ((excess / max(1.0, limit.bound), excess, limit) for excess, limit in excesses), key=lambda entry: entry[0]
    )


def _smallest(levels: list[tuple[VialLevel, ...]]) -> list[np.ndarray]:
    """Return the smallest vial at each site alone (sites,)."""
    found = []
    for site, some in enumerate(levels):
        if some:
            found.append(np.zeros(len(levels)))
            found[-1][site] = some[0].delivered_gbq
    return found


def _rounded(free_gbq: np.ndarray, levels: list[tuple[VialLevel, ...]]) -> list[np.ndarray]:
    """Return the free activities rounded down and up to vials, or to none."""
    sites = [j for j in np.argsort(-free_gbq) if free_gbq[j] > 0 and levels[j]][:_MOST_ROUNDED]
    options = []
    for site in sites:
        values = np.array([0.0, *(level.delivered_gbq for level in levels[site])])
        above = min(int(np.searchsorted(values, free_gbq[site])), len(values) - 1)
        options.append(sorted({float(values[max(0, above - 1)]), float(values[above])}))
    found = []
    for chosen in product(*options):
        found.append(np.zeros(len(levels)))
        found[-1][sites] = chosen
    return found
