"""Tangent planes of functions of the activities: what a linear program needs to know of many voxels.

A mean, a maximum, the mean of the hottest voxels or a mean BED is a convex function of the activities of a few
sites, however many voxels it is taken over.  Its tangent plane at a point is one number per site and a constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Support:
    """A plane that touches a function of the activities at one point.

    Parameters
    ----------
    row : ndarray (sites,)
    constant : float
        ``row @ activities_gbq + constant`` is nowhere above a convex function and nowhere below a concave one.
    """

    row: np.ndarray
    constant: float = 0.0

    def at(self, activities_gbq: np.ndarray) -> float:
        """Return the height of the plane at some activities (sites,)."""
        return float(self.row @ activities_gbq) + self.constant

    def __neg__(self) -> Support:
        return Support(-self.row, -self.constant)

    def plus(self, constant: float) -> Support:
        """Return the plane moved up."""
        return Support(self.row, self.constant + constant)


def extreme_weights(dose_gy: np.ndarray, share: np.ndarray, part: float, *, hottest: bool, equal: bool) -> np.ndarray:
    """Return weights (voxels,) that sum to 1 over the hottest or coldest part of a structure.

    ``weights @ dose_gy`` is the mean over that part; the voxel at its edge counts with the share that lies inside.

    Parameters
    ----------
    dose_gy : ndarray (voxels,)
    share : ndarray (voxels,)
        Share of the mass of the structure; sums to 1.
    part : float
        Part of the mass, above 0 and at most 1.
    hottest : bool
        False for the coldest part.
    equal : bool
        Whether all shares are the same, which saves sorting.
    """
    if not equal:
        order = np.argsort(-dose_gy if hottest else dose_gy, kind="stable")
        before = np.concatenate([[0.0], np.cumsum(share[order])[:-1]])
        weights = np.empty(len(dose_gy))
        weights[order] = np.clip(part - before, 0.0, share[order]) / part
        return weights / weights.sum()
    count = part * len(dose_gy)
    whole = min(max(int(np.ceil(count - 1e-9)), 1), len(dose_gy))
    edge = len(dose_gy) - whole if hottest else whole - 1
    level = np.partition(dose_gy, edge)[edge]
    inside = dose_gy > level if hottest else dose_gy < level
    weights = inside.astype(dose_gy.dtype)
    at_edge = np.flatnonzero(dose_gy == level)
    weights[at_edge] = (count - np.count_nonzero(inside)) / len(at_edge)
    return weights / count
