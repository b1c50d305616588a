"""The convex envelope of a count of voxels within a box of coordinates, one step function for each form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.planning.volumes.boxes import Box
from radioembolization.planning.volumes.cells import Cells

#: Steps are moved up to the next of so many places between the ends of each form.
PLACES = 128
#: A step is moved by at least this share of a place, far more than rounding.
_MOVED = 1e-3
_MOST_CHORDS = 60


@dataclass(frozen=True, eq=False)
class Open:
    """Cells that a box leaves undecided.

    Parameters
    ----------
    cells : ndarray of int
    certain : float
        Share of those that count for certain.
    """

    cells: np.ndarray
    certain: float

    @staticmethod
    def all_of(cells: Cells) -> Open:
        """Return all cells as undecided."""
        return Open(np.arange(len(cells.weights)), 0.0)


@dataclass(frozen=True, eq=False)
class Table:
    """The count in a box from below: for each form the height of a rising step function at some places.

    Parameters
    ----------
    cells : Cells
    open : Open
    places, heights : ndarray (forms, PLACES + 1)
        Places are values of the form, times the sign of the limit; the lower hull of these points is nowhere above
        the share of open cells that count.
    corner : ndarray (coordinates,)
        Of the box, where the fewest cells count.
    """

    cells: Cells
    open: Open
    places: np.ndarray
    heights: np.ndarray
    corner: np.ndarray

    @staticmethod
    def of(cells: Cells, known: Open, box: Box) -> Table:
        """Return the table of a box, from what a box around it left open."""
        sign, forms = cells.sign, len(cells.forms)
        corner, other = (box.lower, box.upper) if sign > 0 else (box.upper, box.lower)
        rows = np.take(cells.rows, known.cells, axis=0)
        least, most = (sign * (rows @ np.stack([corner, other], axis=1) - cells.threshold_gy)).T
        certain, left = least > 0.0, (least <= 0.0) & (most > 0.0)
        share = known.certain + float(cells.weights[known.cells[certain]].sum())
        now = Open(known.cells[left], share)
        home, factor = cells.home[now.cells], cells.factor[now.cells]
        first, last = sign * (cells.forms @ corner), sign * (cells.forms @ other)
        width = np.maximum(last - first, 1e-12)
        with np.errstate(divide="ignore"):
            beyond = np.where(factor > 0, -least[left] / factor, np.inf)  # of the first place of its form
        place = np.ceil(np.minimum(beyond / width[home] * PLACES, 2.0 * PLACES) + _MOVED).astype(np.int64)
        steps = place < PLACES
        at = home[steps] * (PLACES + 1) + np.maximum(place[steps], 0) + 1
        heights = np.bincount(at, cells.weights[now.cells[steps]], forms * (PLACES + 1))
        heights = np.cumsum(heights.reshape(forms, PLACES + 1), axis=1)
        places = first[:, None] + width[:, None] * np.linspace(0.0, 1.0, PLACES + 1)
        return Table(cells, now, places, heights, corner)

    def of_form(self, coordinates: np.ndarray) -> np.ndarray:
        """Return the value of each form (forms,) at coordinates (coordinates,), times the sign of the limit."""
        return np.asarray(self.cells.sign * (self.cells.forms @ coordinates))

    def intercepts(self, forms: np.ndarray, slopes: np.ndarray, times: float | np.ndarray = 1.0) -> np.ndarray:
        """Return the largest b with ``slope * s + b <= times * hull(s)`` between the ends of each form."""
        return np.asarray((times * self.heights[forms] - slopes[:, None] * self.places[forms]).min(axis=1))

    def slopes(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return slope and height of the hull (forms,) at a value of each form, by chords that turn around it."""
        places, heights = self.places, self.heights
        slope, height = np.zeros(len(places)), np.zeros(len(places))
        values = np.clip(values, places[:, 0], places[:, -1])
        live = np.flatnonzero(heights[:, -1] > 1e-12)
        left, right = np.zeros(len(places), dtype=int), np.full(len(places), PLACES)
        for _ in range(_MOST_CHORDS):
            if not len(live):
                break
            x, y, each = places[live], heights[live], np.arange(len(live))
            a, b = left[live], right[live]
            chord = (y[each, b] - y[each, a]) / np.maximum(x[each, b] - x[each, a], 1e-30)
            below = y - chord[:, None] * x
            deepest = below.argmin(axis=1)
            goes = below[each, deepest] < y[each, a] - chord * x[each, a] - 1e-8
            slope[live], height[live] = chord, chord * values[live] + below[each, deepest]
            before = x[each, deepest] <= values[live]
            left[live[goes & before]] = deepest[goes & before]
            right[live[goes & ~before]] = deepest[goes & ~before]
            live = live[goes]
        return np.maximum(slope, 0.0), height

    def uncounted(self, coordinates: np.ndarray, heights: np.ndarray, widths: np.ndarray) -> np.ndarray:
        """Return, by coordinate, the share that counts at some coordinates but not in the envelope there.

        Parameters
        ----------
        coordinates : ndarray (coordinates,)
        heights : ndarray (forms,)
            Of the hulls there.
        widths : ndarray (coordinates,)
            Of the box.
        """
        cells, sign = self.cells, self.cells.sign
        values = self.of_form(coordinates)
        span = np.maximum(self.places[:, -1] - self.places[:, 0], 1e-12)
        step = np.clip((values - self.places[:, 0]) / span * PLACES, 0, PLACES).astype(int)
        above = np.maximum(self.heights[np.arange(len(step)), step] - heights, 0.0)
        part = cells.forms * widths
        error = above @ (part / np.maximum(part.sum(axis=1, keepdims=True), 1e-30))
        open_, home = self.open.cells, cells.home[self.open.cells]
        rows = np.take(cells.rows, open_, axis=0)
        moved = values - sign * (cells.forms @ self.corner)
        at_corner = sign * (rows @ self.corner - cells.threshold_gy)
        counts = sign * (rows @ coordinates - cells.threshold_gy) > 0.0
        missed = np.flatnonzero(counts & (at_corner + cells.factor[open_] * moved[home] <= 0.0))
        if len(missed):
            why = rows[missed] * np.abs(coordinates - self.corner)
            why /= np.maximum(why.sum(axis=1, keepdims=True), 1e-20)
            error = error + cells.weights[open_[missed]] @ why
        return np.asarray(error)
