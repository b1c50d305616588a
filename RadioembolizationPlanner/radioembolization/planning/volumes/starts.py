"""Where the search for plans within dose-volume limits starts: convex plans near the problem, and random ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radioembolization.planning.cutting_planes import LOOSER, CuttingPlanes
from radioembolization.planning.effort import Watch
from radioembolization.planning.volumes.counted import Counted, volume_bounds_of
from radioembolization.planning.volumes.plans import LocalSearch, Standing, restriction

#: Random starts, on a sample of as many voxels; steps there, and then on all voxels within a smaller region.
_STARTS, _SAMPLE, _STEPS, _POLISHING, _NEAR = 16, 10_000, 20, 6, 0.05
#: A plan found on the sample is worked on if it is at least this share of the best.
_PROMISING = 0.99
_STEPS_IN_BOX, _POLISHING_IN_BOX = 8, 3
_CONVEX_GAP = 1e-3


class PlanFinder:
    """Plans within dose-volume limits on some sites.

    Parameters
    ----------
    planes : CuttingPlanes
        Goal and limits; left as it is.
    limits, goals : sequence of Counted
    allowed : ndarray (sites,) of bool
    required : ndarray (sites,) of bool, optional
        Sites whose rules hold.
    """

    def __init__(
        self,
        planes: CuttingPlanes,
        limits: Sequence[Counted],
        goals: Sequence[Counted],
        allowed: np.ndarray,
        required: np.ndarray | None = None,
    ) -> None:
        self._planes, self._allowed = planes, allowed
        self._search = LocalSearch(fresh(planes), limits, goals, allowed, required)
        self._sample = self._search.sampled(_SAMPLE, seed=0)

    def best(self, starts: Sequence[np.ndarray], watch: Watch, random: int = _STARTS) -> Standing:
        """Return the best plan found from some activities (sites,), the convex restriction and random starts."""
        best = self._search.standing(np.zeros(len(self._allowed)))
        for start in (*starts, self.restricted(watch)):
            found = self._search.improved(start)
            best = found if found.above(best) else best
        rng = np.random.default_rng(0)
        for number in range(random):
            watch.report("plans within dose-volume limits", number, random)
            if watch.over:
                break
            found = self._sample.improved(random_starts(self._search.cap_gbq, best.activities_gbq, rng), _STEPS)
            if not best.within or (found.within and found.score >= best.score - (1.0 - _PROMISING) * abs(best.score)):
                found = self._search.improved(found.activities_gbq, _POLISHING, _NEAR)
                best = found if found.above(best) else best
        return self.exact(best.activities_gbq)

    def near(self, activities_gbq: np.ndarray) -> Standing:
        """Return a plan near activities (sites,), improved a little."""
        found = self._sample.improved(activities_gbq, _STEPS_IN_BOX)
        return self.exact(self._search.improved(found.activities_gbq, _POLISHING_IN_BOX, _NEAR).activities_gbq)

    def exact(self, activities_gbq: np.ndarray) -> Standing:
        """Return activities (sites,) scaled into the limits in float64; within only if every limit is met."""
        found = self._search.standing(activities_gbq, exact=True)
        planes = self._planes
        if found.within and not all(
            limit.is_met(planes.dose, found.activities_gbq)
            for limit in planes.limits
            if self._search.obeys_rules or limit.rules(planes.dose) is None
        ):
            return Standing(found.activities_gbq, 1e-6, found.score)
        return found

    def restricted(self, watch: Watch) -> np.ndarray:
        """Return the best activities (sites,) if each dose-volume limit holds for the mean of its worst part."""
        planes = self._planes
        within = [r for bound in volume_bounds_of(planes.limits) if (r := restriction(bound)) is not None]
        convex = CuttingPlanes(planes.goal, [*planes.limits, *within], planes.dose, planes.cap_gbq / LOOSER)
        found = convex.solve(self._allowed, None, _CONVEX_GAP, watch)
        return found.activities_gbq if np.isfinite(found.score) else found.relaxation.activities_gbq


def fresh(planes: CuttingPlanes, exact: bool = False) -> CuttingPlanes:
    """Return the same model without the planes found so far."""
    return CuttingPlanes(planes.goal, planes.limits, planes.dose, planes.cap_gbq / LOOSER, exact)


def random_starts(cap_gbq: np.ndarray, best: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return activities (sites,) to start from: at random, or the best plan (sites,) shaken."""
    sites = len(cap_gbq)
    kind = int(rng.integers(0, 3))
    if kind == 0 or not best.any():
        return np.asarray(rng.exponential(size=sites) * cap_gbq / sites)
    x = best * np.exp(0.5 * rng.normal(size=sites))
    if kind == 2:
        few = rng.choice(sites, min(4, sites), replace=False)
        x[few] += rng.exponential(size=len(few)) * cap_gbq[few] / sites * 4.0
    if sites > 4:
        x[rng.choice(sites, sites // 10, replace=False)] = 0.0
    return np.asarray(x)
