"""The best choice of injection sites, proved by a hitting-set search.

Solving the linear program on a subset S of the sites gives multipliers, and from them, for every other subset, a
bound: above a threshold lie only plans that use at least one site of a certain set, a *cut*.  A better plan must
use a site of every cut.  A depth-first search branches on the sites of the smallest cut that is not hit yet; where
cuts that share no site ask for more sites than are left, it turns back.  It needs no large constants, and its cuts
and branches are a proof that can be checked without it.  Combinatorial Benders cuts: Codato and Fischetti 2006,
10.1287/opre.1060.0286.

Rules that hold only for used sites (least activity, mean dose of each injected territory) are not part of the cuts,
which hold for every plan.  With them, the search branches on the rules that are broken (``rule_tree``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.effort import Watch
from radioembolization.planning.greedy import greedy_sites
from radioembolization.planning.lagrangian import NEGLIGIBLE
from radioembolization.planning.rule_tree import Over, RuleTree
from radioembolization.planning.site_cuts import NOTHING_KNOWN, OpenCuts, SiteCuts, common_sites, mask_of, packing
from radioembolization.planning.site_proof import Node, walk
from radioembolization.planning.tie_break import slack_of

#: Gap to which plans on given sites are solved, as a share of the gap of the search.
_FINER = 0.1
#: The search reports its progress, and looks at the clock, after as many nodes.
_NODES_PER_REPORT = 64
#: Nodes, most of which look at bits only, that take about as long as a linear program.
_NODES_PER_STEP = 16
#: With rules of used sites, the search for equal plans ends after as many steps of its own.
_STEPS_FOR_EQUALS = 2_000
#: With rules of used sites, a first choice holds at most as many sites.
_MOST_AT_FIRST = 12
#: That choice is made at most as often, each time with more planes.
_MOST_ROUNDS = 4
#: A cut is made smaller at most as many times.
_MOST_STRONGER = 3
#: So many plans of equal score are compared at most.
_MOST_EQUALS = 32


@dataclass(frozen=True, eq=False)
class Choice:
    """The best plan over all choices of sites.

    Parameters
    ----------
    activities_gbq : ndarray (sites,)
    score, bound : float
    prove : callable or None
        Returns the branches of the proof and the multipliers (rows,) of its cuts; None if there are none.
    nodes : int
    finished : bool
        Whether nothing is left to search; if not, the bound is not near the score.
    """

    activities_gbq: np.ndarray
    score: float
    bound: float
    prove: Callable[[], tuple[Node, tuple[np.ndarray, ...]]] | None
    nodes: int = 0
    finished: bool = True

    @cached_property
    def proof(self) -> tuple[Node, tuple[np.ndarray, ...]] | None:
        """Branches and cuts of the proof, walked when first asked for; None if there are none."""
        return None if self.prove is None else self.prove()


@dataclass(eq=False)
class SiteSearch:
    """One search over the sites of a cutting-plane model.

    Parameters
    ----------
    planes : CuttingPlanes
    most : int
        Largest number of sites.
    gap : float
        Relative gap between the best plan and what is proved.
    watch : Watch
    floor : float
        Only plans with a better score are of interest.
    most_nodes : int
        After as many nodes the search ends without a proof, as after ``Effort.most_steps``; the result does not depend
        on the clock.
    greedy : bool
        Whether to look for good plans before the search even if those given have one.
    """

    planes: CuttingPlanes
    most: int
    gap: float
    watch: Watch
    floor: float = -np.inf
    most_nodes: int = 1 << 62
    greedy: bool = True
    best: np.ndarray = field(init=False)
    score: float = field(init=False, default=-np.inf)
    cuts: SiteCuts = field(init=False)
    nodes: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.sites = len(self.planes.cap_gbq)
        self.cuts = SiteCuts(self.planes.cap_gbq)
        self.ruled = bool(self.planes.rules.if_used)
        self._tried: set[int] = set()
        self._equals: list[np.ndarray] | None = None
        self._most_equals = _MOST_EQUALS
        self._first_program = self.planes.master.solved
        self._most_steps: float = self.watch.effort.most_steps
        self.best = np.zeros(self.sites)
        if not self.planes.has_lower:
            self.score = self.planes.goal.score(self.planes.dose, self.best)

    @property
    def threshold(self) -> float:
        """Score above which a plan would be better [unit of the goal]; in search of equals, would be as good."""
        if self._equals is not None:
            return self.score - slack_of(self.score)
        better = self.score + self.gap * max(1e-3, abs(self.score)) if np.isfinite(self.score) else self.score
        return max(better, self.floor)

    @property
    def proved(self) -> float:
        """Score that a finished search proves no plan to exceed."""
        return self.threshold + NEGLIGIBLE * max(1e-3, abs(self.threshold))

    def run(self, root: Optimum, start: np.ndarray | None = None) -> Choice:
        """Search, starting from the optimum over all sites and perhaps a plan (sites,) on few."""
        try:
            self._first_plans(root, start)
            if root.bound <= self.threshold:
                self._add_cut(root.relaxation.multipliers)
            if not self.ruled:
                self._descend([], 0, 0)
        except Over:
            if not self.ruled:
                return Choice(self.best, self.score, root.bound, None, self.nodes, finished=False)
        if self.ruled:
            return self._by_rules(root)
        bound = min(root.bound, self.proved)
        return Choice(self.best, self.score, bound, partial(walk, self), self.nodes)

    def _by_rules(self, root: Optimum) -> Choice:
        tree = RuleTree(self)
        proof = tree.run(), tuple(self.cuts.multipliers)
        bound = min(root.bound, max(self.proved, tree.open + NEGLIGIBLE * max(1e-3, abs(tree.open))))
        return Choice(self.best, self.score, bound, lambda: proof, self.nodes, finished=not tree.over)

    def equals(self) -> list[np.ndarray]:
        """Return plans as good as the best on all choices of sites there are, after ``run``."""
        self._equals = [self.best]
        self._tried.clear()
        if self.ruled:
            self._most_steps = min(self._most_steps, self.steps + _STEPS_FOR_EQUALS)
        self.cuts.renew(self.threshold)
        with contextlib.suppress(Over):
            self._descend([], 0, 0)
        found, self._equals = self._equals, None
        different = {tuple(np.flatnonzero(plan)): plan for plan in reversed(found)}
        return list(reversed(different.values()))

    def reaching(self, score: float, most_plans: int) -> tuple[list[np.ndarray], bool]:
        """Return plans (sites,) that reach a score, and whether none is missing; a search of its own, without ``run``.

        A plan for every choice of sites that reaches it and holds no smaller one that does, and perhaps for others.
        """
        self.score, self._equals, self._most_equals = score + slack_of(score), [], most_plans
        complete = True
        try:
            self._descend([], 0, 0)
        except Over:
            complete = False
        found, self._equals = self._equals, None
        return list({tuple(np.flatnonzero(plan)): plan for plan in found}.values()), complete

    # Plans on given sites.

    def _first_plans(self, root: Optimum, start: np.ndarray | None) -> None:
        """Find good plans: those given, and a greedy choice improved by exchanging single sites."""
        for activities in (root.activities_gbq, start):
            if activities is not None and 0 < np.count_nonzero(activities) <= self.most:
                self._evaluate([int(j) for j in np.flatnonzero(activities)])
        if not self.greedy and self.best.any():
            return
        most = min(self.most, _MOST_AT_FIRST) if self.ruled else self.most
        if self.ruled and self._first_ruled_plans(most):
            return
        ceiling = root.relaxation.value
        chosen = greedy_sites(self._relaxed_value, self.sites, most, self._check_clock, ceiling)
        self._evaluate(chosen)
        again = greedy_sites(self._relaxed_value, self.sites, most, self._check_clock, ceiling)
        if set(again) != set(chosen):
            self._evaluate(again)
        while self.ruled and len(chosen) > 1:  # the least injection may be too small to be made
            smallest = min(chosen, key=lambda site: self._relaxed_activity(chosen, site))
            chosen = [site for site in chosen if site != smallest]
            self._evaluate(chosen)

    def _first_ruled_plans(self, most: int) -> bool:
        """Find plans by a greedy choice with the rules of its sites, as long as new planes change it."""
        chosen: list[int] = []
        for _ in range(_MOST_ROUNDS):
            before, chosen = chosen, greedy_sites(self._ruled_value, self.sites, most, self._check_clock)
            if chosen == before:
                break
            self._evaluate(chosen)
        return bool(self.best.any())

    def _relaxed_value(self, sites: list[int]) -> float:
        self.planes.require(None)
        return self.planes.master.solve(np.where(self._of(sites), self.planes.cap_gbq, 0.0)).value

    def _ruled_value(self, sites: list[int]) -> float:
        used = self._of(sites)
        self.planes.require(used)
        return self.planes.master.solve(np.where(used, self.planes.cap_gbq, 0.0)).value

    def _relaxed_activity(self, sites: list[int], site: int) -> float:
        self.planes.require(None)
        solved = self.planes.master.solve(np.where(self._of(sites), self.planes.cap_gbq, 0.0))
        return float(solved.activities_gbq[site])

    def _of(self, sites: list[int]) -> np.ndarray:
        used = np.zeros(self.sites, dtype=bool)
        used[sites] = True
        return used

    def _evaluate(self, sites: list[int]) -> Optimum:
        """Solve on exactly these sites over all voxels; keep the plan if it is the best."""
        self._check_clock()
        used = self._of(sites)
        worth = self.threshold
        found = self.planes.solve(used, used if self.ruled else None, _FINER * self.gap, None, worth)
        if self.ruled and np.any(found.used != used) and np.isfinite(found.score):
            # A site that is left without activity need not obey its rules.
            found = self.planes.solve(found.used, found.used, _FINER * self.gap, None, worth)
        if self._equals is not None:
            if found.score >= self.threshold:
                self._equals.append(found.activities_gbq)
                if len(self._equals) >= self._most_equals:
                    raise Over
        elif found.score > self.score:
            self._improve(found.activities_gbq, found.score)
        return found

    def try_sites(self, sites: list[int]) -> bool:
        """Solve on exactly these sites, once; return whether it is the first time."""
        key = mask_of(sites)
        if key in self._tried:
            return False
        self._tried.add(key)
        self._evaluate(sites)
        return True

    def _improve(self, activities_gbq: np.ndarray, score: float) -> None:
        self.best, self.score = activities_gbq, score
        self.cuts.renew(self.threshold)

    # Cuts.

    def _add_cut(self, multipliers: np.ndarray) -> int:
        return self.cuts.add(multipliers, self.planes.master.argument(multipliers), self.threshold)

    def cut_from(self, sites: list[int]) -> bool:
        """Add the cut of these sites; return whether it excludes them."""
        if not self.ruled and self._relaxed_value(sites) > self.threshold:
            self._evaluate(sites)
        self.planes.require(None)
        solved = self.planes.master.solve(np.where(self._of(sites), self.planes.cap_gbq, 0.0))
        if solved.value > self.threshold + 1e-9 * abs(self.threshold):
            return False
        return not self._add_cut(self._stronger(solved.multipliers)) & mask_of(sites)

    def _mask_from(self, multipliers: np.ndarray) -> int:
        return self.cuts.mask(self.planes.master.argument(multipliers), self.threshold)

    def _stronger(self, multipliers: np.ndarray) -> np.ndarray:
        """Return multipliers of a cut of fewer sites: all sites outside a cut together make another, inside it."""
        mask = self._mask_from(multipliers)
        for _ in range(_MOST_STRONGER):
            outside = np.array([not mask >> site & 1 for site in range(self.sites)])
            solved = self.planes.master.solve(np.where(outside, self.planes.cap_gbq, 0.0))
            other = self._mask_from(solved.multipliers)
            if other & ~mask or other == mask:
                break
            mask, multipliers = other, solved.multipliers
        return multipliers

    # The search.

    @property
    def steps(self) -> float:
        """Steps of ``Effort.most_steps`` so far."""
        return self.planes.master.solved - self._first_program + self.nodes / _NODES_PER_STEP

    def _check_clock(self) -> None:
        if self.watch.over or self.steps > self._most_steps:
            raise Over

    def count(self) -> None:
        """Count a node; raises ``Over`` if it is one too many."""
        self.nodes += 1
        if self.nodes % _NODES_PER_REPORT == 0:
            self.watch.report("injection sites", self.nodes)
            self._check_clock()
        if self.nodes > self.most_nodes or self.steps > self._most_steps:
            raise Over

    def _descend(self, sites: list[int], hit: int, out: int, above: OpenCuts = NOTHING_KNOWN) -> None:
        self.count()
        while True:
            above = self.cuts.not_hit(hit, out, above)
            not_hit = above.cuts
            if packing(not_hit, self.most - len(sites)) is not None:
                return
            if not_hit:
                break
            if self.ruled:
                if not self._ruled_may_improve(sites, out):
                    return
                break
            if not self.cut_from(sites):
                if self._equals is not None:
                    return
                break
        if self.ruled and sites and not self._bound_may_improve(sites, out):
            return
        if len(sites) >= self.most:
            return
        mask = not_hit[0][0] if not_hit else ((1 << self.sites) - 1) & ~out & ~hit
        if len(sites) == self.most - 1:  # the last site must be in every cut
            mask = common_sites(not_hit, mask)
        for site in self.cuts.in_order(mask):
            self._descend([*sites, site], hit | 1 << site, out, above)
            out |= 1 << site

    def _ruled_may_improve(self, sites: list[int], out: int) -> bool:
        """With rules: try exactly these sites; return whether more sites may still be better."""
        key = mask_of(sites)
        if key not in self._tried:
            self._tried.add(key)
            if sites:
                self._evaluate(sites)
            self.cut_from(sites)
            if not self.cuts.latest_is_hit(key):
                return True
        return len(sites) < self.most

    def _bound_may_improve(self, sites: list[int], out: int) -> bool:
        """Whether plans that use these sites, with their rules, and any others not left out may be better."""
        return self.node_bound(sites, out)[0] > self.threshold

    def node_bound(self, sites: list[int], out: int, alone: bool = False) -> tuple[float, np.ndarray]:
        """Return the bound of plans that use these sites, and perhaps others not left out; and its multipliers."""
        allowed = self._of(sites)
        if not alone and len(sites) < self.most:
            allowed = np.array([not out >> site & 1 for site in range(self.sites)])
        self.planes.require(self._of(sites))
        upper = np.where(allowed, self.planes.cap_gbq, 0.0)
        solved = self.planes.master.solve(upper)
        return self.planes.master.argument(solved.multipliers).bound(np.zeros(self.sites), upper), solved.multipliers
