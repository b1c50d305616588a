"""All activities that a few sites can receive in whole vials, as far as the planes known so far allow them.

On given sites the vials make a grid.  Boxes of it are narrowed by the planes in float64, split, and enumerated when
small; a point is left out only if a plane forbids it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from radioembolization.planning.lagrangian import NONE, Rows

#: Boxes of no more points are enumerated.
_MOST_POINTS = 4096
#: Rounding of sums in float64, relative.
_ROUNDING = 1e-10
_MOST_NARROWINGS = 4


@dataclass(frozen=True, eq=False)
class _Box:
    """Part of the grid: first and last level (sites,) of int of every site, and the score none of it exceeds."""

    first: np.ndarray
    last: np.ndarray
    bound: float

    @property
    def points(self) -> int:
        return int(np.prod(self.last - self.first + 1))


class VialGrid:
    """The grid of some sites under planes.

    Parameters
    ----------
    rows : Rows
        Planes that hold, all sites.
    sites : sequence of int
    levels_gbq : sequence of ndarray
        Activities of each of these sites, ascending [GBq].
    """

    def __init__(self, rows: Rows, sites: Sequence[int], levels_gbq: Sequence[np.ndarray]) -> None:
        self._levels = list(levels_gbq)
        self._weights = rows.weights
        of_goal = rows.term != NONE
        order = np.concatenate([np.flatnonzero(rows.term == t) for t in range(len(rows.weights))])
        order = np.concatenate([order, np.flatnonzero(~of_goal)])
        self._matrix = rows.matrix[np.ix_(order, np.asarray(sites))]
        self._term = rows.term[order]
        self._right = rows.right[order] + _ROUNDING * np.maximum(1.0, np.abs(rows.right[order]))
        self._goal = int(np.count_nonzero(of_goal))
        self._starts = np.searchsorted(self._term[: self._goal], np.arange(len(rows.weights)))
        self._positive, self._negative = np.maximum(self._matrix, 0.0), np.minimum(self._matrix, 0.0)

    def above(self, threshold: Callable[[], float]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield activities (points, sites) [GBq] that no plane forbids, and their scores (points,) by the planes.

        Only scores above the threshold, which may rise meanwhile; boxes of the best bound come first.
        """
        whole = _Box(
            np.zeros(len(self._levels), dtype=int), np.array([len(levels) - 1 for levels in self._levels]), np.inf
        )
        tie, heap = count(), []
        narrowed = self._narrowed(whole, threshold())
        if narrowed is not None:
            heap.append((-narrowed.bound, next(tie), narrowed))
        while heap and -heap[0][0] > threshold():
            box = heapq.heappop(heap)[2]
            if box.points <= _MOST_POINTS:
                yield self._enumerated(box, threshold())
                continue
            for part in _halves(box):
                narrowed = self._narrowed(part, threshold())
                if narrowed is not None:
                    heapq.heappush(heap, (-narrowed.bound, next(tie), narrowed))

    def _narrowed(self, box: _Box, threshold: float) -> _Box | None:
        """Return the part of a box that may hold points above a threshold; None if there is none."""
        first, last, bound = box.first, box.last, box.bound
        for _ in range(_MOST_NARROWINGS):
            if np.any(first > last):
                return None
            low = np.array([levels[i] for levels, i in zip(self._levels, first, strict=True)])
            high = np.array([levels[i] for levels, i in zip(self._levels, last, strict=True)])
            room = self._right - self._positive @ low - self._negative @ high
            tops = np.minimum.reduceat(room[: self._goal], self._starts)
            bound = float(self._weights @ tops)
            if bound <= threshold or np.any(room[self._goal :] < 0):
                return None
            if np.isfinite(threshold):  # a term may miss its top by what the others leave
                room[: self._goal] -= (tops - (bound - threshold) / self._weights)[self._term[: self._goal]]
            with np.errstate(divide="ignore", invalid="ignore"):
                upper = np.where(self._positive > 0, low + room[:, None] / self._positive, np.inf)
                lower = np.where(self._negative < 0, high + room[:, None] / self._negative, -np.inf)
            if not np.isfinite(threshold):
                upper, lower = upper[self._goal :], lower[self._goal :]
            small = _ROUNDING * np.maximum(1.0, high)
            top, bottom = upper.min(axis=0, initial=np.inf) + small, lower.max(axis=0, initial=-np.inf) - small
            before = first, last
            pairs = list(zip(self._levels, bottom, top, strict=True))
            first = np.maximum(first, [np.searchsorted(levels, least) for levels, least, _ in pairs])
            last = np.minimum(last, [np.searchsorted(levels, most, "right") - 1 for levels, _, most in pairs])
            if np.array_equal(first, before[0]) and np.array_equal(last, before[1]):
                break
        return None if np.any(first > last) else _Box(first, last, bound)

    def _enumerated(self, box: _Box, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        axes = [levels[i : k + 1] for levels, i, k in zip(self._levels, box.first, box.last, strict=True)]
        points = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
        room = self._right - points @ self._matrix.T
        scores = np.minimum.reduceat(room[:, : self._goal], self._starts, axis=1) @ self._weights
        chosen = (scores > threshold) & np.all(room[:, self._goal :] >= 0, axis=1)
        return points[chosen], scores[chosen]

    def scores(self, points_gbq: np.ndarray) -> np.ndarray:
        """Return the scores (points,) of activities (points, sites) by the planes; minus infinity where forbidden."""
        room = self._right - points_gbq @ self._matrix.T
        scores = np.minimum.reduceat(room[:, : self._goal], self._starts, axis=1) @ self._weights
        return np.where(np.all(room[:, self._goal :] >= 0, axis=1), scores, -np.inf)


def _halves(box: _Box) -> tuple[_Box, _Box]:
    site = int(np.argmax(box.last - box.first))
    middle = int(box.first[site] + box.last[site]) // 2
    last, first = box.last.copy(), box.first.copy()
    last[site], first[site] = middle, middle + 1
    return _Box(box.first, last, box.bound), _Box(first, box.last, box.bound)
