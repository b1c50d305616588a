"""The best whole vials and sites together, proved.

Vials are some of the activities a site can have, so that every cut of the search over sites (``search``) holds.  Where
sites hit all cuts, their vials are a grid (``vial_grid``); a point that the planes leave above the threshold is
evaluated over all voxels, adds the planes that touch there, and is never looked at again.  What remains at the end is
no point, and the cuts exclude all other sites: the vials are the best there are.  All planes are computed in float64,
and each bound from multipliers in numpy (``lagrangian``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from radioembolization.planning.cutting_planes import Optimum
from radioembolization.planning.lagrangian import NONE, Rows
from radioembolization.planning.limits import Limit
from radioembolization.planning.search import SiteSearch
from radioembolization.planning.site_cuts import NOTHING_KNOWN, OpenCuts, common_sites, mask_of, packing
from radioembolization.planning.vial_grid import VialGrid

#: Plans of whole vials closer than this, relative, are equal; far above rounding in float64.
VIAL_GAP = 1e-9


@dataclass(eq=False)
class VialSearch(SiteSearch):
    """A search over sites whose activities are those of vials.

    Parameters
    ----------
    levels_gbq : sequence of ndarray
        Activities that vials can deliver to each site, ascending [GBq]; empty where none fits.
    limits : sequence of Limit
        As they are to be met; the model holds them loosened by the tolerance with which they count as met.
    keep : int
        As many plans are found: the best and the next ones.
    """

    levels_gbq: Sequence[np.ndarray] = ()
    limits: Sequence[Limit] = ()
    keep: int = 1
    found: list[tuple[float, np.ndarray]] = field(init=False, default_factory=list)
    evaluated: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.score = -np.inf
        self.ruled = False  # rules of used sites are rows of their grid
        self._seen: set[tuple[float, ...]] = set()
        self._least = np.array([levels[0] if len(levels) else 0.0 for levels in self.levels_gbq])

    @property
    def threshold(self) -> float:
        """Score above which a plan would be among those kept."""
        if len(self.found) < self.keep:
            return self.floor
        worst = self.found[-1][0]
        return max(self.floor, worst + VIAL_GAP * max(1e-3, abs(worst)))

    def _first_plans(self, root: Optimum, start: np.ndarray | None) -> None:
        """Try the vials of the sites of a good plan with any activities, and of some of them."""
        sites = [int(site) for site in np.flatnonzero(root.activities_gbq if start is None else start)]
        sites = sorted(sites, key=lambda site: -(root.activities_gbq if start is None else start)[site])[: self.most]
        sets = [list(some) for count in range(len(sites), 0, -1) for some in combinations(sites, count)]
        worth = {tuple(some): self._relaxed_value(some) for some in sets}
        for some in sorted(sets, key=lambda some: -worth[tuple(some)]):
            if worth[tuple(some)] > self.threshold:
                self._evaluate(some)

    # The vials of given sites.

    def _evaluate(self, sites: list[int]) -> None:  # type: ignore[override]
        """Find all vials of exactly these sites that are among the best."""
        sites = sorted(sites)
        key = mask_of(sites)
        if not sites or key in self._tried:
            return
        self._tried.add(key)
        self._check_clock()
        levels = [self.levels_gbq[site] for site in sites]
        if not all(len(some) for some in levels):
            return
        self.planes.require(self._of(sites))
        grid = VialGrid(self._rows(), sites, levels)
        for points, scores in grid.above(lambda: self.threshold):
            self._examine(sites, levels, points, scores)
        self.planes.require(None)

    def _rows(self) -> Rows:
        master = self.planes.master
        return master.rows().only(np.flatnonzero([master.is_active(number) for number in range(master.count)]))

    def _examine(self, sites: list[int], levels: list[np.ndarray], points: np.ndarray, scores: np.ndarray) -> None:
        """Evaluate points (points, sites) over all voxels, the best first, until the planes leave none."""
        while len(points):
            at = int(np.argmax(scores))
            if scores[at] <= self.threshold:
                return
            self._check_clock()
            before = self.planes.master.count
            self._try(sites, points[at], float(scores[at]))
            points, scores = np.delete(points, at, axis=0), np.delete(scores, at)
            if self.planes.master.count > before:
                again = VialGrid(self._rows(), sites, levels).scores(points)
                keep = again > self.threshold
                points, scores = points[keep], again[keep]

    def _try(self, sites: list[int], activities_gbq: np.ndarray, score_of_planes: float) -> None:
        x = np.zeros(self.sites)
        x[sites] = activities_gbq
        key = tuple(x)
        if key in self._seen:
            return
        self._seen.add(key)
        self.evaluated += 1
        self.planes.separate(x)
        if not all(limit.is_met(self.planes.dose, x) for limit in self.limits):
            return
        score = self.planes.goal.score(self.planes.dose, x)
        self.planes.separate_goal(x, score_of_planes)
        if score > self.threshold:
            self.found = sorted([*self.found, (score, x)], key=lambda pair: -pair[0])[: self.keep]
            self.best, self.score = self.found[0][1], self.found[0][0]
            self.cuts.renew(self.threshold)

    # The search.

    def _descend(self, sites: list[int], hit: int, out: int, above: OpenCuts = NOTHING_KNOWN) -> None:
        self.count()
        while True:
            above = self.cuts.not_hit(hit, out, above)
            not_hit = above.cuts
            if packing(not_hit, self.most - len(sites)) is not None:
                return
            if not_hit or not self.cut_from(sites):
                break
        if len(sites) >= self.most or (sites and not self._bound_may_improve(sites, out)):
            return
        mask = not_hit[0][0] if not_hit else ((1 << self.sites) - 1) & ~out & ~hit
        if len(sites) == self.most - 1:  # the last site must be in every cut
            mask = common_sites(not_hit, mask)
        for site in self.cuts.in_order(mask):
            self._descend([*sites, site], hit | 1 << site, out, above)
            out |= 1 << site

    def node_bound(self, sites: list[int], out: int, alone: bool = False) -> tuple[float, np.ndarray]:
        """Return the bound of plans with at least the smallest vial at these sites; and its multipliers."""
        used = self._of(sites)
        if not alone and len(sites) < self.most:
            allowed = np.array([not out >> site & 1 for site in range(self.sites)])
        else:
            allowed = used
        self.planes.require(used)
        upper, lower = np.where(allowed, self.planes.cap_gbq, 0.0), np.where(used, self._least, 0.0)
        if self._exceeded(lower, upper):
            return -np.inf, np.zeros(0)
        solved = self.planes.master.solve(upper, lower)
        return self.planes.master.argument(solved.multipliers).bound(lower, upper), solved.multipliers

    def _exceeded(self, lower: np.ndarray, upper: np.ndarray) -> bool:
        """Whether a limit is exceeded by any activities (sites,) between bounds."""
        rows = self._rows()
        of_limits = rows.term == NONE
        matrix, right = rows.matrix[of_limits], rows.right[of_limits]
        least = np.maximum(matrix, 0.0) @ lower + np.minimum(matrix, 0.0) @ upper
        return bool(np.any(least > right + 1e-9 * np.maximum(1.0, np.abs(right))))
