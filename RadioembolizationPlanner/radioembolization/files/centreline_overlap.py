"""Centrelines that run together for a while, as those from one source to every end, become branches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from radioembolization.territories.vessels.vessel import Vessel

#: Two centrelines run together where they are nearer than this share of the radius.
TOGETHER = 0.25


def without_overlap(vessels: Sequence[Vessel]) -> list[Vessel]:
    """Return vessels whose common stretches belong to one of them only.

    The longest keeps all; every other one loses the points at its two ends that lie within a quarter of the radius
    of those kept, less the last, at which it leaves. One that is left with nothing is left out.
    """
    kept: dict[int, Vessel] = {}
    for number in sorted(range(len(vessels)), key=lambda i: -vessels[i].length_mm):
        rest = _rest(vessels[number], list(kept.values()))
        if rest is not None:
            kept[number] = rest
    return [kept[number] for number in sorted(kept)]


def _rest(vessel: Vessel, others: Sequence[Vessel]) -> Vessel | None:
    """Return what of a vessel runs apart from the others; None if nothing."""
    near = np.zeros(len(vessel.radius_mm), dtype=bool)
    for other in others:
        points, radius = _close(other)
        away, nearest = cKDTree(points).query(vessel.points_lps_mm)
        near |= away <= TOGETHER * np.minimum(radius[nearest], vessel.radius_mm)
    apart = np.flatnonzero(~near)
    if len(apart) == 0:
        return None
    first, last = max(int(apart[0]) - 1, 0), min(int(apart[-1]) + 1, len(near) - 1)
    along = vessel.along_mm
    if along[-1] - (along[last] - along[first]) <= vessel.radius_mm.max():
        return vessel  # they only touch
    return Vessel(vessel.name, vessel.points_lps_mm[first : last + 1], vessel.radius_mm[first : last + 1])


def _close(vessel: Vessel) -> tuple[np.ndarray, np.ndarray]:
    """Return points and radii of a vessel, no two farther apart than a tenth of its thinnest radius or 0.05 mm."""
    along = vessel.along_mm
    step = max(0.05, 0.1 * float(vessel.radius_mm.min()))
    at = np.union1d(along, np.linspace(0.0, along[-1], int(np.ceil(along[-1] / step)) + 1))
    points = np.stack([np.interp(at, along, axis) for axis in vessel.points_lps_mm.T], axis=1)
    return points, np.interp(at, along, vessel.radius_mm)
