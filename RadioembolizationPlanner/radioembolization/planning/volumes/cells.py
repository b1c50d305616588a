"""Voxels with nearly the same factors taken together, and forms: few directions that the count is split along.

The share of voxels on the wrong side of a dose is a sum over cells.  Each cell has a home form ``s_h = S_h c`` and a
factor f with ``F_v >= f S_h``; within a box of coordinates it counts for certain where ``s_h`` is beyond a number of
its own, so that the count is at least a sum of step functions, each of one variable.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from radioembolization.dose.threads import map_on_threads
from radioembolization.planning.volumes.counted import Counted

#: Rounds in which groups of voxels are halved.
_MOST_HALVINGS = 70
#: What is given away for rounding in float32.
_GIVEN_AWAY = 1e-6
#: Forms: voxels looked at, rounds of grouping, quantile of each entry; a voxel with more on one coordinate is its own.
_SAMPLE, _ROUNDS, _QUANTILE, _ALONE = 30_000, 8, 0.1, 0.97
_SMALLEST_ENTRY = 0.01
_BLOCK = 1 << 16
#: Groups are looked at on threads, in as many parts, from as many voxels on.
_PARTS, _SPREAD_FROM = 8, 100_000


@dataclass(frozen=True, eq=False)
class Cells:
    """Voxels of a dose-volume limit, taken together.

    Parameters
    ----------
    sign : float
        1 if doses above the threshold count, -1 for those below.
    threshold_gy, share : float
        At most this share of the weights may lie beyond the threshold.
    rows : ndarray (cells, coordinates)
        Nowhere above the factors of its voxels, or nowhere below for sign -1.
    weights : ndarray (cells,)
        Shares of the mass.
    forms : ndarray (forms, coordinates)
    home : ndarray (cells,) of int
    factor : ndarray (cells,)
    owner : ndarray (forms,) of int
        The coordinate that a form mainly follows.
    cell : ndarray (voxels,) of int
        The cell of each voxel.
    """

    sign: float
    threshold_gy: float
    share: float
    rows: np.ndarray
    weights: np.ndarray
    forms: np.ndarray
    home: np.ndarray
    factor: np.ndarray
    owner: np.ndarray
    cell: np.ndarray

    @staticmethod
    def of(
        limit: Counted, factors: np.ndarray, below_zero_gy: float, width: float, forms: np.ndarray | None, blends: int
    ) -> Cells:
        """Return the cells of a limit.

        Parameters
        ----------
        limit : Counted
        factors : ndarray (coordinates, voxels)
        below_zero_gy : float
            By how much negative rows can lower a dose.
        width : float
            Relative difference of factors within a cell; 0 for every voxel by itself.
        forms : ndarray (forms, coordinates), optional
        blends : int
            Number of forms made if none are given, beside the coordinates.
        """
        threshold = limit.counts_from_gy + (below_zero_gy if limit.bound.above else 0.0)
        levels = _levels(factors, threshold)
        cell = cell_of_voxels(factors, levels, width)
        rows = merged(factors, cell, limit.bound.above)
        weights = np.bincount(cell, limit.rows.share)
        if forms is None:
            forms = blended(rows, levels, blends)
        home, factor = _homes(rows, forms, levels)
        owner = (forms * levels).argmax(axis=1)
        return Cells(
            limit.sign,
            threshold,
            limit.bound.share,
            np.ascontiguousarray(rows.T),
            weights,
            forms,
            home,
            factor,
            owner,
            cell.astype(np.int32),
        )


def _levels(factors: np.ndarray, threshold_gy: float) -> np.ndarray:
    """Return a typical size of each coordinate (coordinates,): where the voxels that follow it reach the threshold."""
    total = factors.sum(axis=1, dtype=float)
    square = np.einsum("cv,cv->c", factors, factors, dtype=float)
    return np.where(total > 0, threshold_gy * total / np.where(square > 0, square, 1.0), 1.0)


def merged(factors: np.ndarray, cell: np.ndarray, above: bool) -> np.ndarray:
    """Return rows (coordinates, cells) nowhere above the factors of the voxels of each cell, or nowhere below."""
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    extreme = np.minimum if above else np.maximum
    return np.stack([extreme.reduceat(row[order].astype(float), starts) for row in factors])


def cell_of_voxels(factors: np.ndarray, levels: np.ndarray, width: float) -> np.ndarray:
    """Return the cell of each voxel (voxels,) of int: groups that follow the same coordinates, halved until narrow."""
    voxels = factors.shape[1]
    if width <= 0.0:
        return np.arange(voxels)
    x = np.ascontiguousarray((factors * levels[:, None].astype(factors.dtype)).T)
    cell = np.empty(voxels, dtype=np.int64)
    order, starts = _by_coordinates(x)
    known = 0
    for _ in range(_MOST_HALVINGS):
        low, high = _extremes(x, order, starts)
        counts = np.diff(np.append(starts, len(order)))
        spread = high - low
        done = (spread.sum(axis=1) <= width * high.sum(axis=1)) | (counts == 1)
        group = np.repeat(np.arange(len(starts)), counts)
        numbers = known + np.cumsum(done) - 1
        finished = done[group]
        cell[order[finished]] = numbers[group[finished]]
        known += int(done.sum())
        if finished.all():
            return cell
        order, group = order[~finished], group[~finished]
        widest = spread.argmax(axis=1)[group]
        middle = 0.5 * (low + high)
        key = 2 * group + (x[order, widest] > middle[group, widest])
        again = np.argsort(key, kind="stable")
        order, key = order[again], key[again]
        starts = np.flatnonzero(np.diff(key, prepend=-1))
    cell[order] = known + np.searchsorted(starts, np.arange(len(order)), side="right") - 1
    return cell


def _extremes(x: np.ndarray, order: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the largest values (groups, coordinates) of each group of voxels."""
    edges = np.unique(np.linspace(0, len(starts), _PARTS + 1).astype(int))
    ends = np.append(starts, len(order))

    def of(part: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        first, last = part
        values, inside = x[order[ends[first] : ends[last]]], starts[first:last] - starts[first]
        return np.minimum.reduceat(values, inside, axis=0), np.maximum.reduceat(values, inside, axis=0)

    found = list(map_on_threads(of, list(pairwise(edges.tolist())), len(order) >= _SPREAD_FROM))
    return np.concatenate([low for low, _ in found]), np.concatenate([high for _, high in found])


def _by_coordinates(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return voxels in order of the two coordinates they mainly follow, and where each group starts."""
    first = x.argmax(axis=1)
    rest = x.copy()
    rest[np.arange(len(x)), first] = -1.0
    key = first * x.shape[1] + rest.argmax(axis=1)
    order = np.argsort(key, kind="stable")
    return order, np.flatnonzero(np.diff(key[order], prepend=-1))


def blended(rows: np.ndarray, levels: np.ndarray, blends: int) -> np.ndarray:
    """Return forms (forms, coordinates): the coordinates, and blends that groups of cells follow (Lloyd 1982)."""
    count = len(rows)
    rng = np.random.default_rng(0)
    size = rows.shape[1]
    chosen = np.sort(rng.choice(size, _SAMPLE, replace=False)) if size > _SAMPLE else np.arange(size)
    mixed = rows[:, chosen] * levels[:, None]
    total = mixed.sum(axis=0)
    mixed = mixed[:, total > 1e-12] / total[total > 1e-12]
    forms = np.eye(count)
    candidates = np.flatnonzero(mixed.max(axis=0, initial=0.0) < _ALONE)
    if count > 1 and len(candidates) and blends:
        starts = rng.choice(candidates, min(blends, len(candidates)), replace=False)
        centres = np.concatenate([np.eye(count), mixed[:, starts].T])
        for _ in range(_ROUNDS):
            centres[count:] = _means(mixed, _nearest(mixed, centres), centres)[count:]
        nearest = _nearest(mixed, centres)
        more = [
            np.quantile(mixed[:, nearest == k], _QUANTILE, axis=1)
            for k in range(count, len(centres))
            if np.any(nearest == k)
        ]
        more = [np.where(form < _SMALLEST_ENTRY, 0.0, form) for form in more]
        forms = np.array([*forms, *(form for form in more if np.count_nonzero(form) > 1)])
    return np.asarray(forms / levels)


def _nearest(mixed: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the nearest centre of each cell (cells,) of int."""
    half = 0.5 * np.einsum("fc,fc->f", centres, centres)[:, None]
    parts = [slice(start, start + _BLOCK) for start in range(0, mixed.shape[1], _BLOCK)]
    return np.concatenate([(half - centres @ mixed[:, part]).argmin(axis=0) for part in parts])


def _means(mixed: np.ndarray, nearest: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the mean of the cells of each centre; the centre itself where there are none."""
    count = np.bincount(nearest, minlength=len(centres))[:, None]
    total = np.stack([np.bincount(nearest, row, len(centres)) for row in mixed], axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), centres)


def _homes(rows: np.ndarray, forms: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the form each cell follows and its factor: of the nearest form and the largest coordinate, what says more.

    The factor is the largest with ``rows >= factor * form`` everywhere.
    """
    scaled = forms * levels
    centres = scaled / scaled.sum(axis=1, keepdims=True)
    home, factor = np.empty(rows.shape[1], dtype=np.int64), np.empty(rows.shape[1])
    for start in range(0, rows.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        mixed = rows[:, part] * levels[:, None]
        mixed = mixed / np.maximum(mixed.sum(axis=0), 1e-20)
        best = np.full(mixed.shape[1], -1.0)
        home[part], factor[part] = 0, np.nan
        for choice in (_nearest(mixed, centres), mixed.argmax(axis=0)):
            wanted = forms[choice].T
            with np.errstate(divide="ignore", invalid="ignore"):
                found = np.where(wanted > 0, rows[:, part] / wanted, np.inf).min(axis=0) * (1.0 - 1e-12)
            says = found * scaled.sum(axis=1)[choice]
            better = says > best
            home[part] = np.where(better, choice, home[part])
            factor[part] = np.where(better, found, factor[part])
            best = np.maximum(best, says)
    return home, factor
