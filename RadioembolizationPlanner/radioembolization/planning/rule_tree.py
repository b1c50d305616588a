"""The search over sites where rules hold for used sites only: branches on rules that the linear program breaks.

At a node some sites are used, with their rules, and some are left out.  Of the sites that the linear program gives
activity although their rule is broken, the one that breaks it most is tried: used in a branch of its own, then left
out.  So it goes on until without the sites tried no plan is better, or the optimum keeps all rules: then it is a plan.
Of the branches, those of the highest bound are followed first.  When time or steps end, every branch that is still
open is closed by its own multipliers, so that the tree proves the largest of their bounds.

Where the optimum has too many sites, and its rules say little, the cuts of ``site_cuts`` say which sites to try.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from radioembolization.planning.lagrangian import NONE
from radioembolization.planning.limits import USED_GBQ
from radioembolization.planning.site_cuts import NOTHING_KNOWN, OpenCuts, common_sites, mask_of, packing, sites_of
from radioembolization.planning.site_proof import Node

if TYPE_CHECKING:
    from radioembolization.planning.search import SiteSearch

#: A rule counts as kept if it is broken by no more, relative to the size of its terms.
_KEPT = 1e-7
#: A rule tells much if, in the branch of its site, no more than this share of the node's gap is left.
_MUCH = 0.5


class Over(Exception):
    """The time limit has passed, or the steps or nodes are used up."""


@dataclass(frozen=True, eq=False)
class _Solved:
    """Linear program of a node: bound on all plans below it, multipliers (rows,) that prove it, activities (sites,)."""

    bound: float
    multipliers: np.ndarray
    activities_gbq: np.ndarray


class RuleTree:
    """One search, whose tree is its proof.

    Parameters
    ----------
    search : SiteSearch
        Evaluates plans, keeps the best of them and the cuts.
    """

    def __init__(self, search: SiteSearch) -> None:
        self._search = search
        rules = search.planes.rules.if_used
        self._owner = np.array([site for site, _ in rules], dtype=int)
        self._rows = np.array([plane.row for _, plane in rules])
        self._constant = np.array([plane.constant for _, plane in rules])
        #: Largest bound of the branches that were left open.
        self.open = -np.inf
        self.over = False

    def run(self) -> Node:
        """Return the root; it proves ``max(open, threshold)``."""
        return self._node([], 0, None, NOTHING_KNOWN)

    @contextmanager
    def _unless_over(self) -> Iterator[None]:
        try:
            yield
        except Over:
            self.over = True

    def _node(self, sites: list[int], out: int, solved: _Solved | None, above: OpenCuts) -> Node:
        """Return the proof for plans that use some sites and none of those left out (mask)."""
        search = self._search
        with self._unless_over():
            search.count()
        above = search.cuts.not_hit(mask_of(sites), out, above)
        packed = packing(above.cuts, search.most - len(sites))
        if packed is not None:
            return Node(packing=tuple(packed))
        solved = self._solve(sites, out) if solved is None else solved
        if sites and not self._closed(solved) and self._evaluated(sites):
            solved = self._solve(sites, out)
        if self._closed(solved):
            return Node(multipliers=solved.multipliers)
        return self._branch(sites, out, solved, above)

    def _branch(self, sites: list[int], out: int, solved: _Solved, above: OpenCuts) -> Node:
        """Try sites one after the other, until without them no plan is better."""
        search = self._search
        tried: list[tuple[int, int, _Solved]] = []
        while not self._closed(solved) and not self.over and len(sites) < search.most:
            free = self._free(sites, solved)
            if not free.any():
                break
            site = self._most_broken(free, solved)
            used = [int(site) for site in np.flatnonzero(solved.activities_gbq > USED_GBQ)]
            if site is None and len(used) <= search.most and self._evaluated(used):
                solved = self._solve(sites, out)
                continue
            branch = None if site is None else self._solve([*sites, site], out)
            if not tried and len(used) > search.most and not self._tells(branch, solved):
                found = self._by_cut(sites, out, above)
                if found is not None:
                    return found
            if site is None or branch is None:
                site = int(np.argmax(np.where(free, solved.activities_gbq, -1.0)))
                branch = self._solve([*sites, site], out)
            tried.append((site, out, branch))
            out |= 1 << site
            solved = self._solve(sites, out)
        if not self._closed(solved):
            self.open = max(self.open, solved.bound)
        children: dict[int, Node] = {}
        for site, left_out, own in sorted(tried, key=lambda item: -item[2].bound):
            children[site] = self._node([*sites, site], left_out, own, above)
        return Node(tuple((site, children[site]) for site, _, _ in tried), NONE, (), solved.multipliers)

    def _tells(self, branch: _Solved | None, solved: _Solved) -> bool:
        """Whether the bound of a branch is much nearer to the best plan than that of its node."""
        threshold = self._search.threshold
        return branch is not None and branch.bound - threshold <= _MUCH * (solved.bound - threshold)

    def _evaluated(self, sites: list[int]) -> bool:
        """Evaluate a plan on exactly these sites; whether that is new."""
        new = False
        with self._unless_over():
            new = self._search.try_sites(sites)
        return new

    def _free(self, sites: list[int], solved: _Solved) -> np.ndarray:
        """Return the sites (sites,) of bool with activity that are not decided yet."""
        free = solved.activities_gbq > USED_GBQ
        free[sites] = False
        return free

    def _most_broken(self, free: np.ndarray, solved: _Solved) -> int | None:
        """Return the site, of some (sites,) of bool, whose rule is broken most; None if all are kept."""
        x = solved.activities_gbq
        heights = self._rows @ x + self._constant
        sizes = np.abs(self._rows) @ x + np.abs(self._constant)
        broken = np.where(free[self._owner], heights / np.maximum(sizes, 1e-12), -np.inf)
        return int(self._owner[np.argmax(broken)]) if broken.max() > _KEPT else None

    def _by_cut(self, sites: list[int], out: int, above: OpenCuts) -> Node | None:
        """Try the sites of the smallest cut that is not hit; None if there is none."""
        search = self._search
        with self._unless_over():
            search.cut_from(sites)
        hit = mask_of(sites)
        above = search.cuts.not_hit(hit, out, above)
        if not above.cuts or self.over:
            return None
        mask, cut = above.cuts[0]
        last = common_sites(above.cuts, mask) if len(sites) == search.most - 1 else mask
        branches: list[tuple[int, Node]] = []
        for site in search.cuts.in_order(mask):
            if last >> site & 1:
                branches.append((site, self._node([*sites, site], out, None, above)))
            else:  # a cut that the last site is not in
                without = next(number for other, number in above.cuts if not other >> site & 1)
                branches.append((site, Node(packing=(without,))))
            out |= 1 << site
        return Node(tuple(branches), cut)

    def _closed(self, solved: _Solved) -> bool:
        return solved.bound <= self._search.threshold

    def _solve(self, sites: list[int], out: int) -> _Solved:
        search = self._search
        used = np.zeros(search.sites, dtype=bool)
        used[sites] = True
        allowed = used.copy()
        if len(sites) < search.most:
            allowed = np.ones(search.sites, dtype=bool)
            allowed[sites_of(out)] = False
        search.planes.require(used)
        upper = np.where(allowed, search.planes.cap_gbq, 0.0)
        found = search.planes.master.solve(upper)
        argument = search.planes.master.argument(found.multipliers)
        return _Solved(argument.bound(np.zeros(search.sites), upper), found.multipliers, found.activities_gbq)
