"""Branch and bound on coordinates: boxes whose envelopes allow no better plan are closed, others are split."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from radioembolization.errors import SolverFailure
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.effort import Watch
from radioembolization.planning.volumes.argument import Frame, Weighing
from radioembolization.planning.volumes.boxes import Box, propagated
from radioembolization.planning.volumes.cells import Cells
from radioembolization.planning.volumes.counted import ROUNDING
from radioembolization.planning.volumes.envelope import Open
from radioembolization.planning.volumes.node_program import Cut, NodeProgram, Outcome
from radioembolization.planning.volumes.plans import Standing

#: Rounds of cuts at the root and in other boxes; rounds at the root that narrow all coordinates.
_ROUNDS_AT_ROOT, _ROUNDS, _ROOT_ROUNDS = 25, 6, 8
#: At the root, coordinates are narrowed again if they became narrower by this, relative.
_NARROWER = 0.03
#: So many coordinates are narrowed in each box, those that the envelope misses most.
_NARROWED = 3
#: A coordinate is split at the optimum of the box, but no nearer to its ends than this share.
_INNER = 0.2
#: A coordinate narrower than this share of its range is not split.
_NARROWEST = 1e-4
#: After as many boxes a plan is looked for around the optimum of the box.
_BOXES_PER_PLAN = 50
#: Without a score to bound, a box is closed if even its limits cannot be met, by more than rounding.
_CANNOT = -1e-9
#: A coordinate counts as narrowed if it became so by this share of its width.
_WORTH_A_STEP = 1e-2


@dataclass(eq=False)
class Stage:
    """A box in the record of a search: what bounds it, what narrows it, what it is split into.

    Parameters
    ----------
    level : int
        Which width of cells.
    floor : float
        Score that the steps presume.
    """

    level: int
    bound: float = np.inf
    weighing: Weighing | None = None
    floor: float = -np.inf
    steps: list[tuple[int, bool, Weighing]] = field(default_factory=list)
    split: tuple[int, float] | None = None
    parts: list[Stage] = field(default_factory=list)
    #: Whether narrowing, or the coordinates themselves, leave nothing of the box.
    emptied: bool = False


@dataclass(eq=False)
class _Node:
    bound: float
    box: Box
    known: list[Open]
    cuts: tuple[Cut, ...]
    depth: int
    stage: Stage


class VolumeTree:
    """One search.

    Parameters
    ----------
    planes : CuttingPlanes
        Goal and convex limits.
    frame : Frame
    levels : sequence of (sequence of Cells)
        The dose-volume limits in wide cells, in narrower ones, and so on.
    best : Standing
        The best plan known.
    gap : float
        Relative gap at which to stop.
    watch : Watch
    improved : callable
        Looks for a plan near activities (sites,).
    scored : bool
        Whether the largest score is sought; else whether there is any plan.
    floor : float or None
        Score, that of ``planes``, that plans in question have if it is not sought.
    upgrade : sequence of float
        A box within this of the cut-off, relative, is looked at in the next narrower cells.
    """

    def __init__(
        self,
        planes: CuttingPlanes,
        frame: Frame,
        levels: Sequence[Sequence[Cells]],
        best: Standing,
        gap: float,
        watch: Watch,
        improved: Callable[[np.ndarray], Standing],
        scored: bool = True,
        floor: float | None = None,
        upgrade: Sequence[float] = (),
    ) -> None:
        self.planes, self.frame, self.levels, self.best, self.gap = planes, frame, levels, best, gap
        self.watch, self._improved, self._floor, self._upgrade = watch, improved, floor, tuple(upgrade)
        self._scored = scored
        self.largest = frame.matrix @ frame.cap_gbq
        highest = abs(best.score) if np.isfinite(best.score) else 1.0
        self.program = NodeProgram(planes, frame, levels[0], self.largest, scored, floor, max(highest, 1e-3))
        self.nodes = 0
        self.root = Stage(0)
        self._removed = self._closed = -np.inf
        self._heap: list[tuple[float, int, _Node]] = []
        self._pushed = 0
        self.found_better = False

    @property
    def cut_off(self) -> float:
        """Bound at which a box is closed."""
        if not self._scored:
            return _CANNOT
        return self.best.score + self.gap * max(1e-3, abs(self.best.score))

    @property
    def bound(self) -> float:
        """Score that no plan surpasses; if none is sought: below zero if there is no plan."""
        still = max((node.bound for _, _, node in self._heap), default=-np.inf)
        found = max(still, self._closed, self._removed)
        return max(found, self.best.score) if self._scored else found

    def run(self, most_nodes: int) -> None:
        """Search until the gap is closed, the time is over or as many boxes were looked at."""
        box = Box.of(np.zeros(len(self.largest)), self.largest * (1.0 + ROUNDING))
        root = self._narrow_root(_Node(np.inf, box, self._all(0), (), 0, self.root))
        if root is None:
            return
        self._push(root)
        while self._heap and not self.watch.over and self.nodes < most_nodes and not self.found_better:
            if self._heap[0][2].bound <= self.cut_off:
                return
            node = heapq.heappop(self._heap)[2]
            self.nodes += 1
            self.watch.report("dose-volume limits", self.nodes, most_nodes)
            self._visit(node)

    def _all(self, level: int) -> list[Open]:
        return [Open.all_of(cells) for cells in self.levels[level]]

    def _push(self, node: _Node) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (-node.bound, self._pushed, node))

    def _close(self, node: _Node) -> None:
        self._closed = max(self._closed, node.bound)

    def _solve(self, node: _Node, rounds: int) -> Outcome | None:
        """Bound a box; None if it is closed."""
        level = node.stage.level
        self.program.load(node.box, self.levels[level], node.known, node.cuts)
        node.known = [table.open for table in self.program.tables]
        found = self.program.solve(self.cut_off, rounds)
        node.stage.bound, node.stage.weighing = found.bound, found.weighing
        node.bound, node.cuts = min(node.bound, found.bound), found.cuts
        return None if node.bound <= self.cut_off else found

    def _narrow_root(self, node: _Node) -> _Node | None:
        """Bound the root and narrow its coordinates, several times; None if that closes it."""
        for round_ in range(_ROOT_ROUNDS):
            self.watch.report("dose-volume limits", 0)
            try:
                found = self._solve(node, _ROUNDS_AT_ROOT)
            except SolverFailure:
                return node
            if found is None:
                self._close(node)
                return None
            if round_ < 4:
                self._offer(found.activities_gbq, improve=True)
            if self.watch.over or self.found_better:
                return node
            before = float(np.sum(node.box.upper - node.box.lower))
            if not self._narrow(node, range(len(self.largest))):
                return None
            node = self._next(node, node.stage.level)
            if float(np.sum(node.box.upper - node.box.lower)) > (1.0 - _NARROWER) * before:
                return node
        return node

    def _next(self, node: _Node, level: int) -> _Node:
        """Return the same box once more, narrowed, perhaps with narrower cells."""
        stage = Stage(level)
        node.stage.parts.append(stage)
        known = node.known if level == node.stage.level else self._all(level)
        return replace(node, stage=stage, known=known)

    def _narrow(self, node: _Node, coordinates: Sequence[int] | range) -> bool:
        """Narrow coordinates to those of plans above the cut-off; return whether any are left."""
        floor = self.cut_off if self._scored else self._floor
        lower, upper = node.box.lower.copy(), node.box.upper.copy()
        node.stage.floor = -np.inf if floor is None else floor
        for coordinate, above, value, weighing in self.program.extremes(coordinates, floor):
            least = _WORTH_A_STEP * (upper[coordinate] - lower[coordinate])
            if above and value < upper[coordinate] - least:
                upper[coordinate] = value
            elif not above and value > lower[coordinate] + least:
                lower[coordinate] = value
            else:
                continue
            node.stage.steps.append((coordinate, above, weighing))
        if node.stage.steps and self._scored and floor is not None:
            self._removed = max(self._removed, floor)
        node.box = propagated(self.frame.matrix, lower, upper)
        node.stage.emptied = node.box.empty
        return not node.box.empty

    def _visit(self, node: _Node) -> None:
        try:
            found = self._solve(node, _ROUNDS)
        except SolverFailure:
            self._split(node, node.box.upper - node.box.lower, None)
            return
        if found is None:
            self._close(node)
            return
        self._offer(found.activities_gbq, self.nodes % _BOXES_PER_PLAN == 1)
        level = node.stage.level
        if level + 1 < len(self.levels) and self._near(node.bound, self._upgrade[level]):
            self._push(self._next(node, level + 1))
            return
        coordinates = self.frame.matrix @ found.activities_gbq
        widths = node.box.upper - node.box.lower
        missed = np.zeros(len(widths))
        for table, heights in zip(self.program.tables, found.heights, strict=True):
            missed += table.uncounted(coordinates, heights, widths)
        order = np.argsort(-missed * (widths > 0), kind="stable")
        if not self._narrow(node, [int(k) for k in order[:_NARROWED]]):
            return
        self._split(node, missed, coordinates)

    def _near(self, bound: float, within: float) -> bool:
        """Whether narrower cells may close a box."""
        return not self._scored or bound <= self.cut_off + within * max(1e-3, abs(self.cut_off))

    def _split(self, node: _Node, missed: np.ndarray, coordinates: np.ndarray | None) -> None:
        """Split a box where the envelope misses most, at the optimum of the box if it is inside."""
        box = node.box
        widths = box.upper - box.lower
        wide = widths > _NARROWEST * np.maximum(self.largest, 1e-9)
        value = np.where(wide, missed, -1.0) if np.any(missed[wide] > 0) else widths / np.maximum(self.largest, 1e-9)
        coordinate = int(np.argmax(value))
        low, width = box.lower[coordinate], widths[coordinate]
        at = 0.5 * (2.0 * low + width) if coordinates is None else coordinates[coordinate]
        at = float(np.clip(at, low + _INNER * width, low + (1.0 - _INNER) * width))
        node.stage.split = (coordinate, at)
        for above in (False, True):
            lower, upper = box.lower.copy(), box.upper.copy()
            (lower if above else upper)[coordinate] = at
            part = propagated(self.frame.matrix, lower, upper)
            stage = Stage(node.stage.level, emptied=part.empty)
            node.stage.parts.append(stage)
            if not part.empty:
                self._push(_Node(node.bound, part, node.known, node.cuts, node.depth + 1, stage))

    def _offer(self, activities_gbq: np.ndarray, improve: bool) -> None:
        """Take a plan if it is better."""
        found = self._improved(activities_gbq) if improve else None
        if found is not None and found.above(self.best):
            self.best = found
            enough = -np.inf if self._floor is None else self._floor
            self.found_better = not self._scored and found.within and found.score >= enough
