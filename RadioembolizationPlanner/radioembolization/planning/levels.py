"""Goals that are only quasi-concave: the highest level that a plan reaches, by a concave margin at each level tried.

At a level a little above the best plan, the margin is maximized.  If even its bound is not positive, no plan reaches
the level; else the plan found reaches a higher one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.effort import Watch
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import Limit
from radioembolization.planning.search import Choice, SiteSearch

#: A level this much above the best plan is tried first, then ever higher ones if it can be neither reached nor refuted.
_FIRST_STEP, _STEP_FACTOR = 1e-4, 4.0
_MOST_LEVELS = 60
#: Up to this relative distance between the best plan and the level refuted, a plan is called optimal.
LEVEL_GAP = 1e-3
_MARGIN_GAP = 1e-3
#: A margin that cannot exceed this does not reach its level, whatever the rounding.
_NEGATIVE = -1e-6


@dataclass(frozen=True, eq=False)
class LevelReached:
    """The best plan and the level no plan reaches.

    Parameters
    ----------
    activities_gbq : ndarray (sites,)
    value : float
    level : float
        Refuted, if ``refuted``.
    refuted : bool
    planes : CuttingPlanes
        Of the margin at that level.
    root : Optimum
    choice : Choice or None
    """

    activities_gbq: np.ndarray
    value: float
    level: float
    refuted: bool
    planes: CuttingPlanes
    root: Optimum
    choice: Choice | None


def highest_level(
    goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, cap_gbq: np.ndarray, start: np.ndarray, watch: Watch
) -> LevelReached:
    """Return the best plan for a goal with ``margin``, from a plan (sites,) within the limits."""
    best, value = start, goal.value(dose, start)
    step = _FIRST_STEP
    for number in range(_MOST_LEVELS):
        watch.report("levels of the goal", number)
        size = max(abs(value), 1e-3)
        level = value + step * size
        planes = margin_planes(goal, limits, dose, cap_gbq, level)
        root, choice = maximized(planes, watch)
        found = choice or root
        reached = LevelReached(best, value, level, found.bound < 0.0, planes, root, choice)
        if reached.refuted or watch.over:
            return reached
        better = goal.value(dose, found.activities_gbq) if np.isfinite(found.score) else -np.inf
        if better > value + 0.1 * step * size:
            best, value = found.activities_gbq, better
        else:
            step *= _STEP_FACTOR
    return reached


def margin_planes(
    goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, cap_gbq: np.ndarray, level: float
) -> CuttingPlanes:
    """Return the model of the margin of a goal at a level."""
    margin = goal.margin(dose, level)
    if margin is None:
        raise ValueError(f"'{goal.name}' has no margin.")
    return CuttingPlanes(margin, limits, dose, cap_gbq)


def maximized(planes: CuttingPlanes, watch: Watch) -> tuple[Optimum, Choice | None]:
    """Return the optimum over all sites, and the best choice of sites if there is one to make."""
    root = planes.solve(planes.cap_gbq > 0, None, _MARGIN_GAP * 1e-3, watch, _NEGATIVE)
    if not planes.rules.any or root.bound <= _NEGATIVE:
        return root, None
    most = min(planes.rules.most_sites or len(planes.cap_gbq), len(planes.cap_gbq))
    return root, SiteSearch(planes, most, _MARGIN_GAP, watch, _NEGATIVE).run(root)
