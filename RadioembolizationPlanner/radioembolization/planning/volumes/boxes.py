"""Boxes of coordinates, and what the coordinates say about each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.planning.volumes.counted import ROUNDING


@dataclass(frozen=True, eq=False)
class Box:
    """Where the coordinates are.

    Parameters
    ----------
    lower, upper : ndarray (coordinates,)
    """

    lower: np.ndarray
    upper: np.ndarray

    @staticmethod
    def of(lower: np.ndarray, upper: np.ndarray) -> Box:
        """Return a box; sides that cross by no more than rounding are one."""
        crossed = (lower > upper) & (lower <= upper + ROUNDING * np.maximum(1.0, np.abs(upper)))
        return Box(lower, np.where(crossed, lower, upper))

    @property
    def empty(self) -> bool:
        """Whether no coordinates lie in it."""
        return bool(np.any(self.lower > self.upper))


def propagated(matrix: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> Box:
    """Return a box narrowed by what coordinates, sums of the same activities, say about each other.

    ``c_a <= max_j (C_aj / C_bj) c_b`` for every pair a, b.
    """
    if np.all(np.count_nonzero(matrix, axis=1) == 1):
        return Box.of(lower, upper)
    ratio = ratios(matrix)
    with np.errstate(divide="ignore", invalid="ignore"):
        from_above = np.where(np.isfinite(ratio), ratio * upper, np.inf).min(axis=1)
        from_below = np.where(np.isfinite(ratio), lower[:, None] / ratio, 0.0).max(axis=0)
    upper = np.minimum(upper, from_above * (1.0 + ROUNDING))
    return Box.of(np.maximum(lower, from_below * (1.0 - ROUNDING)), upper)


def ratios(matrix: np.ndarray) -> np.ndarray:
    """Return the largest ratio (a, b) of the coordinates a and b at any activities."""
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(matrix[:, None, :] > 0, matrix[:, None, :] / matrix[None, :, :], 0.0)
    return np.asarray(each.max(axis=2))
