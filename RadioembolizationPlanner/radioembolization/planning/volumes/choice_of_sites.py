"""Choices of sites worth a closer look where dose-volume limits and rules of sites meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from radioembolization.planning.cutting_planes import LOOSER, CuttingPlanes
from radioembolization.planning.effort import Watch
from radioembolization.planning.limits import Limit
from radioembolization.planning.search import SiteSearch
from radioembolization.planning.volumes.counted import volume_bounds_of
from radioembolization.planning.volumes.plans import restriction

if TYPE_CHECKING:
    from radioembolization.planning.solve import Solution

#: The convex restriction is tried at the doses of the limits, and at these multiples: it is often far too strict.
_LOOSENED = (1.0, 1.25, 1.6)
_GAP, _NODES = 1e-3, 300


def candidate_choices(planes: CuttingPlanes, relaxed: Solution, free_gbq: np.ndarray, watch: Watch) -> list[np.ndarray]:
    """Return choices (sites,) of bool, without repetition.

    Those of the plan without dose-volume limits, of plans within convex restrictions of them, and the sites with most
    activity in the best plan without rules.
    """
    most = min(planes.rules.most_sites or len(free_gbq), len(free_gbq))
    found = [relaxed.activities_gbq > 0, _largest(free_gbq, most)]
    for factor in _LOOSENED:
        if watch.over:
            break
        found.append(_restricted(planes, factor, most, watch) > 0)
    different = {used.tobytes(): used for used in found if used.any()}
    return list(different.values())


def _largest(activities_gbq: np.ndarray, most: int) -> np.ndarray:
    used = np.zeros(len(activities_gbq), dtype=bool)
    used[np.argsort(-activities_gbq, kind="stable")[:most]] = True
    return used & (activities_gbq > 0)


def _restricted(planes: CuttingPlanes, factor: float, most: int, watch: Watch) -> np.ndarray:
    """Return the best plan (sites,) within convex restrictions that are loosened by a factor on their doses."""
    limits = [*planes.limits]
    for bound in volume_bounds_of(planes.limits):
        within = restriction(bound)
        if within is not None:
            dose_gy = within.bound * factor if within.upper else within.bound / factor
            limits.append(Limit(within.quantity, dose_gy, within.upper))
    convex = CuttingPlanes(planes.goal, limits, planes.dose, planes.cap_gbq / LOOSER)
    root = convex.solve(planes.cap_gbq > 0, None, _GAP, watch)
    search = SiteSearch(convex, most, _GAP, watch, most_nodes=_NODES)
    return search.run(root).activities_gbq
