"""The linear program of one box: planes of goal and limits, and cuts of the envelopes, added until few are violated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.errors import SolverFailure
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.volumes.argument import Aim, Frame, Weighing
from radioembolization.planning.volumes.boxes import Box
from radioembolization.planning.volumes.cells import Cells
from radioembolization.planning.volumes.envelope import Open, Table
from radioembolization.planning.volumes.program import Program

#: Share of a structure by which the cuts of one limit may miss its envelope; a cut is added for a tenth of it.
_MISSED = 6e-4
#: Planes of the goal that are violated by less than this, relative, are not added.
_SEPARATED = 1e-3
#: A round of cuts must lower the bound by this, relative.
_WORTH = 1e-3


@dataclass(frozen=True, eq=False)
class Cut:
    """Slopes of the forms of one coordinate, for one dose-volume limit; the intercepts depend on the box."""

    limit: int
    coordinate: int
    slopes: np.ndarray


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the linear program of a box gave.

    Parameters
    ----------
    bound : float
        Proved by ``weighing``.
    weighing : Weighing
    activities_gbq : ndarray (sites,)
    heights : tuple of ndarray (forms,)
        Of the hulls of each dose-volume limit there; empty if the bound closed the box.
    cuts : tuple of Cut
        Those that bind.
    """

    bound: float
    weighing: Weighing
    activities_gbq: np.ndarray
    heights: tuple[np.ndarray, ...]
    cuts: tuple[Cut, ...]


class NodeProgram:
    """One linear program for all boxes of a search.

    Parameters
    ----------
    planes : CuttingPlanes
        Goal and convex limits; planes found are added.
    frame : Frame
    limits : sequence of Cells
        The dose-volume limits; their forms are the same at every width of cells.
    largest : ndarray (coordinates,)
    scored : bool
        Whether the score is maximized.
    floor : float or None
        Score that every plan in question has; None for any.
    highest : float
        Size of the score.
    """

    def __init__(
        self,
        planes: CuttingPlanes,
        frame: Frame,
        limits: Sequence[Cells],
        largest: np.ndarray,
        scored: bool,
        floor: float | None,
        highest: float,
    ) -> None:
        self.planes, self.frame, self.scored, self.floor = planes, frame, scored, floor
        self._highest = highest
        self._count, self._limits = len(frame.matrix), len(limits)
        self._rows = [cells.sign * (cells.forms @ frame.matrix) for cells in limits]
        self._groups = [[np.flatnonzero(cells.owner == k) for k in range(self._count)] for cells in limits]
        self._owners = [cells.owner for cells in limits]
        weights = np.array([weight for weight, _ in planes.terms])
        self.program = Program(frame.cap_gbq, weights, self._limits * self._count)
        self._single = np.all(np.count_nonzero(frame.matrix, axis=1) == 1)
        self._add_head(largest)
        self._planes = np.zeros(0, dtype=int)
        self._static = self._first_plane = self.program.rows
        self._cuts: list[Cut | int] = []
        self.solved = 0

    def _add_head(self, largest: np.ndarray) -> None:
        """Add the rows whose right sides change from box to box."""
        program, count = self.program, self._count
        head = np.zeros((1 + self._limits, program.columns))
        head[0, program.sites : program.missed] = -program.weights
        head[0, program.missed] = -self._highest
        for limit in range(self._limits):
            head[1 + limit, program.missed] = -1.0
            head[1 + limit, self._columns_of(limit)] = 1.0
        program.add(head, np.full(len(head), np.inf))
        self._head = program.rows
        if not self._single:
            sides = np.zeros((2 * count, program.columns))
            sides[:count, : program.sites] = self.frame.matrix
            sides[count:, : program.sites] = -self.frame.matrix
            sides[:, program.missed] = -np.tile(np.maximum(largest, 1e-9), 2)
            program.add(sides, np.full(2 * count, np.inf))

    def _columns_of(self, limit: int) -> slice:
        first = self.program.first_more + limit * self._count
        return slice(first, first + self._count)

    def load(self, box: Box, limits: Sequence[Cells], known: Sequence[Open], cuts: Sequence[Cut]) -> None:
        """Make the program that of a box."""
        self.box = box
        self.tables = [Table.of(cells, open_, box) for cells, open_ in zip(limits, known, strict=True)]
        program = self.program
        program.truncate(self._static)
        self._planes = self._planes[: self._static - self._first_plane]
        self._take_planes()
        self._static = program.rows
        self._cuts = []
        program.bounds(*self.frame.activities(box))
        program.right(1, np.array([table.cells.share - table.open.certain for table in self.tables]))
        if not self._single:
            program.right(self._head, np.concatenate([box.upper, -box.lower]))
        self._floor_row(self.floor)
        self._add_cuts(list(cuts))

    def _floor_row(self, floor: float | None) -> None:
        self.program.right(0, np.array([np.inf if floor is None else -floor]))

    def _take_planes(self) -> int:
        """Add the planes found since the last time; return their number."""
        known = int(self._planes[-1]) + 1 if len(self._planes) else 0
        new = self.program.add_planes(self.planes.master, known)
        self._planes = np.concatenate([self._planes, new])
        return len(new)

    def _add_cuts(self, cuts: list[Cut]) -> None:
        if not cuts:
            return
        matrix, right = np.zeros((len(cuts), self.program.columns)), np.zeros(len(cuts))
        for number, cut in enumerate(cuts):
            forms = self._groups[cut.limit][cut.coordinate]
            right[number] = -float(np.sum(self.tables[cut.limit].intercepts(forms, cut.slopes)))
            matrix[number, : self.program.sites] = cut.slopes @ self._rows[cut.limit][forms]
            matrix[number, self._columns_of(cut.limit).start + cut.coordinate] = -1.0
        self.program.add(matrix, right)
        self._cuts += cuts

    def solve(self, cut_off: float, most_rounds: int) -> Outcome:
        """Add planes and cuts until the bound is at most a cut-off, or few are violated."""
        self.program.objective(None, self.scored, self._highest if self.scored else 1.0)
        aim, before = Aim(np.zeros(self.program.sites), self.scored), np.inf
        best = np.inf
        for round_ in range(most_rounds):
            columns, multipliers = self.program.solve()
            self.solved += 1
            weighing = self._weighing(multipliers)
            bound = self._bound(aim, weighing, self.floor)
            if round_ == 0 or bound < best:
                best, proof = bound, weighing
            x = np.clip(columns[: self.program.sites], 0.0, self.frame.cap_gbq)
            if best <= cut_off:
                return Outcome(best, proof, x, (), ())
            heights, cuts = self._violated(x, columns)
            levels = columns[self.program.sites : self.program.missed]
            found = self.planes.separate_levels(x, levels, _SEPARATED) + self.planes.separate(x)
            if round_ == most_rounds - 1 or (round_ >= 2 and before - bound < _WORTH * abs(bound)):
                break
            if found:
                self._cuts += [int(k) for k in range(self._take_planes())]
            self._add_cuts(cuts)
            if not found and not cuts:
                break
            before = bound
        return Outcome(best, proof, x, heights, self._binding(multipliers))

    def _violated(self, x: np.ndarray, columns: np.ndarray) -> tuple[tuple[np.ndarray, ...], list[Cut]]:
        """Return the heights of the hulls at activities, and the cuts that are violated."""
        coordinates = self.frame.matrix @ x
        all_heights, cuts = [], []
        for limit, table in enumerate(self.tables):
            slopes, heights = table.slopes(table.of_form(coordinates))
            all_heights.append(heights)
            short = np.bincount(self._owners[limit], heights, self._count) - columns[self._columns_of(limit)]
            if np.maximum(short, 0.0).sum() > _MISSED:
                for coordinate in np.flatnonzero(short > 0.1 * _MISSED):
                    cuts.append(Cut(limit, int(coordinate), slopes[self._groups[limit][coordinate]]))
        return tuple(all_heights), cuts

    def _binding(self, multipliers: np.ndarray) -> tuple[Cut, ...]:
        binds = multipliers[self._static :] > 1e-9
        return tuple(cut for cut, b in zip(self._cuts, binds, strict=False) if b and isinstance(cut, Cut))

    def _weighing(self, multipliers: np.ndarray) -> Weighing:
        """Return multipliers of rows as those of planes, limits, slopes and sides."""
        planes = np.zeros(self.planes.master.count)
        static = self._static - self._first_plane
        planes[self._planes[:static]] = multipliers[self._first_plane : self._static]
        slopes = tuple(np.zeros(len(rows)) for rows in self._rows)
        new = iter(self._planes[static:])
        for cut, y in zip(self._cuts, multipliers[self._static :], strict=False):
            if not isinstance(cut, Cut):
                planes[next(new)] = y
            elif y > 0:
                slopes[cut.limit][self._groups[cut.limit][cut.coordinate]] += y * cut.slopes
        sides = np.zeros(self._count)
        if not self._single:
            both = multipliers[self._head : self._first_plane]
            sides = both[: self._count] - both[self._count :]
        return Weighing(planes, float(multipliers[0]), multipliers[1 : self._head].copy(), slopes, sides)

    def _bound(self, aim: Aim, weighing: Weighing, floor: float | None) -> float:
        rows = self.planes.master.rows()
        return self.frame.bound(aim, weighing, rows, 0.0 if floor is None else floor, self.box, self.tables)

    def extremes(self, coordinates: Sequence[int], floor: float | None) -> list[tuple[int, bool, float, Weighing]]:
        """Return what holds for coordinates of every plan in the box, of at least a score if one is given, with proofs.

        Returns
        -------
        list of (coordinate, whether from above, bound, Weighing)
        """
        found = []
        self._floor_row(floor)
        for coordinate in coordinates:
            for upper in (False, True):
                row = self.frame.matrix[coordinate] * (1.0 if upper else -1.0)
                self.program.objective(row, False, max(1e-3, float(self.box.upper[coordinate])))
                try:
                    _, multipliers = self.program.solve()
                except SolverFailure:
                    continue
                self.solved += 1
                weighing = self._weighing(multipliers)
                bound = self._bound(Aim(row, False), weighing, floor)
                found.append((coordinate, upper, bound if upper else -bound, weighing))
        self._floor_row(self.floor)
        return found
