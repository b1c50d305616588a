"""Structures that may be drawn larger or smaller, and displaced: which voxels they can reach, and which they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.structures import Role

#: Rank of voxels that never belong to a structure.
_NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class Region:
    """A structure as an order of voxels: the first ``count`` are the structure as drawn.

    Parameters
    ----------
    name : str
    role : Role
    count : int
    rank : ndarray (z, y, x) of int32
        Place of each voxel in the order of the distance to the surface, deepest first, on the grid padded by the
        reach on every side.
    most : int
        Number of voxels of the largest volume that can be selected.
    """

    name: str
    role: Role
    count: int
    rank: np.ndarray
    most: int

    @staticmethod
    def of(
        name: str,
        role: Role,
        mask: np.ndarray,
        spacing_mm: tuple[float, float, float],
        reach: tuple[int, int, int],
        largest_factor: float = 1.0,
    ) -> Region:
        """Return the region of a mask (z, y, x) that may grow to a factor of its volume."""
        rank = np.full([n + 2 * r for n, r in zip(mask.shape, reach, strict=True)], _NEVER, dtype=np.int32)
        inner = rank[tuple(slice(r, r + n) for n, r in zip(mask.shape, reach, strict=True))]
        count = int(np.count_nonzero(mask))
        if largest_factor <= 1.0:
            inner[mask] = np.arange(count)
            return Region(name, role, count, rank, count)
        box = _box_around(mask, spacing_mm, largest_factor)
        part = mask[box]
        depth = ndimage.distance_transform_edt(part, sampling=spacing_mm)
        outside = ndimage.distance_transform_edt(~part, sampling=spacing_mm) if not part.all() else np.zeros(part.shape)
        most = min(int(np.ceil(largest_factor * count)), part.size)
        order = np.argsort((outside - depth).ravel(), kind="stable")[:most]
        ranks = np.full(part.size, _NEVER, dtype=np.int32)
        ranks[order] = np.arange(most)
        inner[box] = ranks.reshape(part.shape)
        return Region(name, role, count, rank, most)

    def voxels_for(self, factor: np.ndarray) -> np.ndarray:
        """Return the number of voxels (scenarios,) of factors on the volume; at least one, at most ``most``."""
        return np.clip(np.rint(self.count * np.asarray(factor, dtype=float)).astype(np.int64), 1, self.most)

    def candidates(self, reach: tuple[int, int, int]) -> np.ndarray:
        """Return the voxels (z, y, x) of bool of the grid that the region can reach when displaced."""
        return _spread_by(self.rank < self.most, reach, ndimage.maximum_filter1d)

    def certain(self, reach: tuple[int, int, int], least: int) -> np.ndarray:
        """Return the voxels (z, y, x) of bool of the grid that every selection of ``least`` voxels or more holds."""
        return _spread_by(self.rank < least, reach, ndimage.minimum_filter1d)


def _spread_by(mask: np.ndarray, reach: tuple[int, int, int], filtered: Callable[..., np.ndarray]) -> np.ndarray:
    """Return the extreme of a padded mask within the reach of each voxel, on the grid without padding."""
    found = mask.view(np.uint8)
    for axis, distance in enumerate(reach):
        if distance:
            found = filtered(found, 2 * distance + 1, axis=axis, mode="constant")
    inner = tuple(slice(r, n - r) for n, r in zip(mask.shape, reach, strict=True))
    return np.asarray(found[inner]).astype(bool)


def _box_around(mask: np.ndarray, spacing_mm: tuple[float, float, float], factor: float) -> tuple[slice, ...]:
    """Return a box that holds a mask and a margin by which it can grow to a factor of its volume."""
    box = ndimage.find_objects(mask.view(np.uint8))[0]
    thickness_mm = 0.5 * min((b.stop - b.start) * s for b, s in zip(box, spacing_mm, strict=True))
    margin_mm = max(thickness_mm, 2.0 * max(spacing_mm)) * (factor - 1.0) + max(spacing_mm)
    grown = [int(np.ceil(margin_mm / s)) for s in spacing_mm]
    return tuple(slice(max(0, b.start - g), b.stop + g) for b, g in zip(box, grown, strict=True))
