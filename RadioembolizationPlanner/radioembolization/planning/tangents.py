"""What multipliers prove for every bound of one limit at once: a straight line over the front, in float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.goals import LowestDose
from radioembolization.planning.lagrangian import NONE, Argument, Rows
from radioembolization.planning.proof_check import computed_planes
from radioembolization.planning.quantities import MaximumDose, MinimumDose

#: Planes of these are rows of single voxels, exact however they were found.
_SINGLE_VOXEL = (LowestDose, MaximumDose, MinimumDose)


@dataclass(frozen=True)
class Tangent:
    """A line nowhere below the best score, over how loose a limit is.

    Parameters
    ----------
    looseness : float
        Where it was made: the bound of an upper limit, the negative bound of a lower one.
    height : float
        There.
    slope : float
        At least zero.
    """

    looseness: float
    height: float
    slope: float

    def at(self, looseness: float) -> float:
        """Return the height somewhere."""
        return self.height + self.slope * (looseness - self.looseness)


class Tangents:
    """Makes the lines that multipliers prove for all bounds of a limit whose planes move with its bound.

    Any multipliers ``y >= 0`` with the right sums bound the score (``lagrangian``), and only the right sides of the
    limit's own rows change with its bound: the line rises by the sum of their multipliers.  Rows that are sums over
    voxels are made anew in float64, once.

    Parameters
    ----------
    planes : CuttingPlanes
    index : int
        Of the limit.
    upper_gbq : ndarray (sites,)
        Largest activities at any bound the lines are used for.
    """

    def __init__(self, planes: CuttingPlanes, index: int, upper_gbq: np.ndarray) -> None:
        self._planes, self._index, self._upper_gbq = planes, index, upper_gbq
        #: Exact row, and how far its right side is above that of the linear program, whatever the bounds.
        self._exact: dict[int, tuple[np.ndarray, float]] = {}

    def of(self, multipliers: np.ndarray) -> Tangent:
        """Return the line of multipliers (rows,) found at the present bound."""
        limit, master = self._planes.limits[self._index], self._planes.master
        looseness = limit.bound if limit.upper else -limit.bound
        used = np.array([n for n in np.flatnonzero(multipliers > 0) if master.is_active(int(n))], dtype=int)
        rows = self._rows(used)
        argument = Argument.of(rows, multipliers[used])
        if not np.isfinite(argument.fixed):
            return Tangent(looseness, np.inf, 0.0)
        factor = argument.best_factor(np.zeros(len(self._upper_gbq)), self._upper_gbq)
        y = rows.admissible(multipliers[used])
        y = np.where((rows.term == NONE) & (rows.right >= 0), factor * y, y)
        own = [self._is_own(int(number)) for number in used]
        height = float(y @ rows.right + np.maximum(-(y @ rows.matrix), 0.0) @ self._upper_gbq)
        return Tangent(looseness, height, float(y[own].sum()))

    def _is_own(self, number: int) -> bool:
        origin = self._planes.origins[number]
        return origin.kind == "limit" and origin.index == self._index

    def _rows(self, used: np.ndarray) -> Rows:
        """Return rows of the linear program, exact."""
        rows = self._planes.master.rows()
        self._make_anew([int(n) for n in used if int(n) not in self._exact and self._is_rounded(int(n))], rows)
        matrix, right = rows.matrix[used], rows.right[used]
        for place, number in enumerate(used):
            if int(number) in self._exact:
                matrix[place] = self._exact[int(number)][0]
                right[place] += self._exact[int(number)][1]
        return Rows(matrix, right, rows.term[used], rows.weights)

    def _make_anew(self, numbers: list[int], rows: Rows) -> None:
        planes = self._planes
        origins = [planes.origins[number] for number in numbers]
        found = computed_planes(origins, planes.goal, planes.limits, planes.dose)
        for number, origin, touching in zip(numbers, origins, found, strict=True):
            plane, sign = touching[origin.plane], -1.0 if origin.kind == "goal" else 1.0
            self._exact[number] = (sign * plane.row, -sign * plane.constant - float(rows.right[number]))

    def _is_rounded(self, number: int) -> bool:
        origin = self._planes.origins[number]
        if origin.at_gbq is None or origin.kind == "site":
            return False
        goal, limits = self._planes.terms, self._planes.limits
        of = goal[origin.index][1] if origin.kind == "goal" else limits[origin.index].quantity
        return not isinstance(of, _SINGLE_VOXEL)
