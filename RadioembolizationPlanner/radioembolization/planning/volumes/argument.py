"""The bound that multipliers prove within a box of coordinates, in numpy: no solver, no tolerance of a solver.

Within a box, every plan of a score t(x) of at least the floor T obeys, for multipliers of at least zero of planes (y),
of the floor (e), of each dose-volume limit (l) and of the sides of the box (r), and for any slopes m of forms,

    o x + k t(x) <= y r - e T + sum_q l_q (share_q - certain_q) - sum_h b_h + r-terms + sum_j max over 0 <= x_j <= u_j,

where ``m_h s_h + b_h`` is nowhere above l_q times the hull of the form h; the multipliers of goal planes sum to
``k + e`` times the weight of their term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.planning.lagrangian import Rows
from radioembolization.planning.volumes.boxes import Box
from radioembolization.planning.volumes.envelope import Table


@dataclass(frozen=True, eq=False)
class Aim:
    """What is bounded: ``row @ x``, plus the score if it is scored.

    Parameters
    ----------
    row : ndarray (sites,)
    scored : bool
    """

    row: np.ndarray
    scored: bool


@dataclass(frozen=True, eq=False)
class Weighing:
    """Multipliers.

    Parameters
    ----------
    planes : ndarray (planes,)
    floor : float
    limits : ndarray (limits,)
    slopes : tuple of ndarray (forms,)
        Of the forms of each dose-volume limit.
    sides : ndarray (coordinates,)
        Positive for the upper side of the box, negative for the lower one.
    """

    planes: np.ndarray
    floor: float
    limits: np.ndarray
    slopes: tuple[np.ndarray, ...]
    sides: np.ndarray


@dataclass(frozen=True, eq=False)
class Frame:
    """What is the same in all boxes.

    Parameters
    ----------
    matrix : ndarray (coordinates, sites)
        C.
    cap_gbq : ndarray (sites,)
    """

    matrix: np.ndarray
    cap_gbq: np.ndarray

    def activities(self, box: Box) -> tuple[np.ndarray, np.ndarray]:
        """Return what a box says about the activities (sites,) from below and above."""
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(self.matrix > 0, box.upper[:, None] / self.matrix, np.inf)
        upper = np.minimum(self.cap_gbq, each.min(axis=0))
        alone = np.count_nonzero(self.matrix, axis=1) == 1
        lower = np.zeros(len(upper))
        for coordinate in np.flatnonzero(alone):
            site = int(self.matrix[coordinate].argmax())
            lower[site] = max(lower[site], box.lower[coordinate] / self.matrix[coordinate, site])
        return lower, upper

    def bound(
        self, aim: Aim, weighing: Weighing, planes: Rows, floor: float, box: Box, tables: Sequence[Table]
    ) -> float:
        """Return what the multipliers prove; infinite if nothing."""
        y, e = normalized(planes, weighing.planes, weighing.floor, aim.scored)
        if not np.all(np.isfinite(y)):
            return np.inf
        total = float(y @ planes.right) - (e * floor if e > 0 else 0.0)
        left = aim.row - y @ planes.matrix
        for table, limit, slopes in zip(tables, weighing.limits, weighing.slopes, strict=True):
            cells = table.cells
            used = np.flatnonzero(slopes)
            total += float(limit) * (cells.share - table.open.certain)
            total -= float(np.sum(table.intercepts(used, slopes[used], float(limit))))
            left = left - cells.sign * ((slopes[used] @ cells.forms[used]) @ self.matrix)
        above, below = np.maximum(weighing.sides, 0.0), np.maximum(-weighing.sides, 0.0)
        total += float(above @ box.upper) - float(below @ box.lower)
        left = left - (above - below) @ self.matrix
        lower, upper = self.activities(box)
        return total + float(np.sum(np.maximum(left * lower, left * upper)))


def normalized(planes: Rows, multipliers: np.ndarray, floor: float, scored: bool) -> tuple[np.ndarray, float]:
    """Return multipliers of planes and floor changed so that the levels of the goal cancel; infinite if they cannot."""
    y = np.maximum(np.asarray(multipliers, dtype=float), 0.0)
    e = max(float(floor), 0.0)
    for term, weight in enumerate(planes.weights):
        of_term = planes.term == term
        wanted, total = weight * (float(scored) + e), y[of_term].sum()
        if wanted <= 0.0:
            y[of_term] = 0.0
        else:
            y[of_term] = y[of_term] * (wanted / total) if total > 0 else np.inf
    return y, e
