"""What one more unit of each limit would buy: shadow prices from multipliers, and from solving again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.limits import Limit, LimitResult, activity_caps_gbq

#: Relative step of the finite difference behind "one more unit buys".
STEP = 0.01
#: A smaller relative change of the goal is rounding.
_NOTHING = 1e-6


def shadow_prices(planes: CuttingPlanes, optimum: Optimum) -> dict[int, float]:
    """Return the change of the score per unit by which a limit is loosened, by index of the limit.

    From the multipliers of the last linear program; exact at the optimum, for an interval of bounds around.  In
    models where goal and limits grow in proportion to the activities, the prices times the bounds sum to the goal.
    """
    prices = dict.fromkeys((i for i, limit in enumerate(planes.limits) if limit.rules(planes.dose) is None), 0.0)
    for number in np.flatnonzero(optimum.relaxation.multipliers > 0):
        origin = planes.origins[number]
        if origin.kind == "limit":
            prices[origin.index] += optimum.relaxation.multipliers[number] * _room(planes, int(number), optimum)
    return prices


def _room(planes: CuttingPlanes, number: int, optimum: Optimum) -> float:
    """Return by how much a plane sinks at the optimum if its limit is loosened by one unit."""
    origin = planes.origins[number]
    limit = planes.limits[origin.index]
    if limit.quantity.shifts:
        return 1.0
    at = optimum.activities_gbq if origin.at_gbq is None else origin.at_gbq
    looser = replace(limit, bound=limit.bound * 2.0 if limit.upper else 0.0)
    heights = [li.supports(planes.dose, at)[origin.plane].at(optimum.activities_gbq) for li in (limit, looser)]
    return (heights[0] - heights[1]) / abs(looser.bound - limit.bound)


def gains_per_unit(planes: CuttingPlanes, activities_gbq: np.ndarray) -> list[float | None]:
    """Return what one more unit of each binding limit changes the goal by, on the same sites.

    A finite difference over one per cent of the limit, solved anew; None where a limit does not bind, counts sites or
    has no planes.
    """
    used = activities_gbq > 0
    required = used if planes.rules.if_used else None
    before = planes.solve(used, required).score
    sign = 1.0 if planes.goal.maximized else -1.0
    limits = planes.limits
    gains: list[float | None] = []
    for index, limit in enumerate(limits):
        step = STEP * limit.bound
        binding = LimitResult.of(limit, planes.dose, activities_gbq).binding
        if not binding or step <= 0 or not np.isfinite(before) or _cannot_change(planes, index):
            gains.append(None)
            continue
        looser = replace(limit, bound=limit.bound + (step if limit.upper else -step))
        changed = [*limits[:index], looser, *limits[index + 1 :]]
        after = _score(planes, changed, used, required)
        change = after - before if abs(after - before) > _NOTHING * max(1.0, abs(before)) else 0.0
        gains.append(sign * change / step if np.isfinite(after) else None)
    return gains


def _score(planes: CuttingPlanes, limits: list[Limit], used: np.ndarray, required: np.ndarray | None) -> float:
    """Return the best score on the same sites within other bounds; the model is left as it was."""
    caps = activity_caps_gbq(limits, planes.dose)
    moved = next(i for i, (a, b) in enumerate(zip(planes.limits, limits, strict=True)) if a != b)
    if planes.limits[moved].rules(planes.dose) is not None:
        return CuttingPlanes(planes.goal, limits, planes.dose, caps).solve(used, required).score
    before = planes.limits
    planes.changed(limits, caps)
    score = planes.solve(used, required).score
    planes.changed(before, activity_caps_gbq(before, planes.dose))
    return score


def _cannot_change(planes: CuttingPlanes, index: int) -> bool:
    """Whether a limit counts sites, or is a dose-volume limit."""
    limit = planes.limits[index]
    rules = limit.rules(planes.dose)
    return limit.volume_bound is not None or (rules is not None and not rules.if_used)
