"""Cells as the check of a record sees them: compared with their voxels, and with their steps as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.dose import VoxelRows
from radioembolization.errors import CertificateRejected
from radioembolization.planning.proof_check import ROUNDING
from radioembolization.planning.volumes.boxes import Box
from radioembolization.planning.volumes.cells import Cells

_BLOCK = 1 << 15


@dataclass(frozen=True, eq=False)
class Steps:
    """The cells that a box leaves open: where each counts, in order of form and place.

    Parameters
    ----------
    certain : float
    open : ndarray of int
    home : ndarray (open,) of int
    place, before : ndarray (open,)
        The form counts beyond this value; share of the open cells of the same form that do so earlier.
    last, total : ndarray (forms,)
        Largest value of each form, and the share that counts there.
    """

    cells: Cells
    certain: float
    open: np.ndarray
    home: np.ndarray
    place: np.ndarray
    before: np.ndarray
    last: np.ndarray
    total: np.ndarray

    @staticmethod
    def of(cells: Cells, known: np.ndarray, certain: float, box: Box) -> Steps:
        """Return what a box leaves open of the cells that are known to be open, and count the others."""
        sign = cells.sign
        corner, other = (box.lower, box.upper) if sign > 0 else (box.upper, box.lower)
        rows = np.take(cells.rows, known, axis=0)
        least, most = (sign * (rows @ np.stack([corner, other], axis=1) - cells.threshold_gy)).T
        left = (least <= 0.0) & (most > 0.0)
        certain = certain + float(cells.weights[known[least > 0.0]].sum())
        open_ = known[left]
        home, factor = cells.home[open_], cells.factor[open_]
        first, last = sign * (cells.forms @ corner), sign * (cells.forms @ other)
        useful = factor > 0.0
        home, factor = home[useful], factor[useful]
        place = first[home] - least[left][useful] / factor
        weights = np.where(place < last[home], cells.weights[open_[useful]], 0.0)
        order = np.lexsort((place, home))
        home, place, weights = home[order], np.minimum(place[order], last[home[order]]), weights[order]
        total = np.bincount(home, weights, len(last))
        before = np.cumsum(weights) - weights - (np.cumsum(total) - total)[home]
        return Steps(cells, certain, open_, home, place, np.maximum(before, 0.0), last, total)

    def intercept(self, slopes: np.ndarray, times: float) -> float:
        """Return the sum over forms of the least of ``times * count(s) - slope * s``."""
        least = times * self.total - slopes * self.last
        if len(self.home):
            starts = np.flatnonzero(np.diff(self.home, prepend=-1))
            values = times * self.before - slopes[self.home] * self.place
            forms = self.home[starts]
            least[forms] = np.minimum(least[forms], np.minimum.reduceat(values, starts))
        return float(least[slopes != 0.0].sum())


def check_cells(cells: Cells, rows: VoxelRows, matrix: np.ndarray, allowed: np.ndarray) -> None:
    """Compare cells with the rows of their voxels (``CertificateRejected``).

    A dose above which voxels count is at least that of the cell; one below which they count is at most that.
    """
    weights = np.bincount(cells.cell, rows.share, len(cells.weights))
    if len(weights) != len(cells.weights) or np.any(np.abs(weights - cells.weights) > 1e-12):
        raise CertificateRejected("The cells have another mass than their voxels.")
    if not all(np.all(np.isfinite(values)) for values in (cells.rows, cells.factor, cells.weights)):
        raise CertificateRejected("The forms of the certificate make cells that are no numbers.")
    rest = cells.rows - cells.factor[:, None] * cells.forms[cells.home]
    if np.any(cells.factor < 0) or np.any(cells.rows < 0) or np.any(rest < -ROUNDING * cells.rows):
        raise CertificateRejected("A cell follows its form by more than it holds.")
    sites = np.flatnonzero(allowed)
    of_cells = matrix[:, sites]
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        dose = np.maximum(rows.rows[sites, part].astype(float).T, 0.0)
        cell = cells.rows[cells.cell[part]] @ of_cells
        beyond = cells.sign * (cell - dose)
        if np.any(beyond > ROUNDING * np.maximum(cell, dose)):
            raise CertificateRejected("A cell promises a dose that the rows of its voxels do not give.")
