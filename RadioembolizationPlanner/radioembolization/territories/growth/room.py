"""The room in which branches grow: what lies inside, which straight line stays inside, and the way around."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from radioembolization.images import Grid

#: Ways are sought on voxels of at least this size [mm]; near the surface they cost up to this much more,
#: falling off over this depth [mm].
_WAY_MM, _SURFACE_COST, _SURFACE_MM = 2.5, 3.0, 4.0


@dataclass(frozen=True, eq=False)
class Room:
    """A mask (z, y, x) of one piece on its grid."""

    mask: np.ndarray
    grid: Grid

    @staticmethod
    def around(mask: np.ndarray, grid: Grid) -> Room:
        """Return the room of a mask that is not empty, in the box around it."""
        places = ndimage.find_objects(mask.astype(np.uint8))[0]
        part = np.ascontiguousarray(mask[places])
        return Room(part, grid.box(tuple(int(s.start) for s in places), part.shape))

    @cached_property
    def places_lps_mm(self) -> np.ndarray:
        """Positions of all voxels inside (voxels, 3) [mm]."""
        return self.grid.to_lps(np.argwhere(self.mask))

    @property
    def volume_ml(self) -> float:
        """Volume [mL]."""
        return len(self.places_lps_mm) * self.grid.voxel_ml

    def contains(self, positions_lps_mm: np.ndarray) -> np.ndarray:
        """Return which positions (..., 3) lie in a voxel of the mask (...,)."""
        return self._holds(np.rint(self.grid.to_index(positions_lps_mm)).astype(int))

    def sees(self, starts_lps_mm: np.ndarray, ends_lps_mm: np.ndarray) -> np.ndarray:
        """Return which straight lines (n,) between positions (n, 3) stay inside.

        Exact: every voxel is looked up that a line passes through, between two crossings of voxel faces.
        """
        start, end = self.grid.to_index(starts_lps_mm), self.grid.to_index(ends_lps_mm)
        crossings = [np.zeros((len(start), 1)), np.ones((len(start), 1))]
        for axis in range(3):
            low, high = np.minimum(start[:, axis], end[:, axis]), np.maximum(start[:, axis], end[:, axis])
            faces = np.floor(low + 0.5)[:, None] + 0.5 + np.arange(int(np.ceil((high - low).max(initial=0.0))) + 1)
            step = np.where(end[:, axis] == start[:, axis], np.inf, end[:, axis] - start[:, axis])[:, None]
            crossings.append(np.clip((faces - start[:, axis, None]) / step, 0.0, 1.0))
        share = np.sort(np.concatenate(crossings, axis=1), axis=1)
        share = (share[:, 1:] + share[:, :-1])[..., None] / 2.0
        index = np.rint(start[:, None] + share * (end - start)[:, None]).astype(int)
        return np.asarray(self._holds(index).all(axis=1))

    def _holds(self, index: np.ndarray) -> np.ndarray:
        inside = ((index >= 0) & (index < self.mask.shape)).all(axis=-1)
        index[~inside] = 0
        return np.asarray(inside & self.mask[tuple(np.moveaxis(index, -1, 0))])

    def nearest(self, position_lps_mm: np.ndarray) -> np.ndarray:
        """Return the voxel position inside that is nearest to a position (3,) [mm]."""
        away = ((self.places_lps_mm - position_lps_mm) ** 2).sum(axis=1)
        return np.asarray(self.places_lps_mm[np.argmin(away)])

    def way(self, start_lps_mm: np.ndarray, end_lps_mm: np.ndarray) -> np.ndarray | None:
        """Return a short way inside, away from the surface where that is possible (points, 3); None if there is none.

        A cheapest path over voxels, pulled straight wherever the line stays inside.
        """
        if self.sees(start_lps_mm[None], end_lps_mm[None])[0]:
            return np.stack([start_lps_mm, end_lps_mm])
        for costs_on in (self._joined_voxels, self._own_voxels):
            path = _cheapest(*costs_on(), start_lps_mm, end_lps_mm)
            if path is not None:
                straight = self._straightened(np.concatenate([start_lps_mm[None], path, end_lps_mm[None]]))
                if self.sees(straight[:-1], straight[1:]).all():
                    return straight
        return None

    def _joined_voxels(self) -> tuple[np.ndarray, Grid]:
        return self._cost_of(tuple(max(1, round(_WAY_MM / spacing)) for spacing in self.grid.spacing_mm))

    def _own_voxels(self) -> tuple[np.ndarray, Grid]:
        return self._cost_of((1, 1, 1))

    @cached_property
    def _known_costs(self) -> dict[tuple[int, ...], tuple[np.ndarray, Grid]]:
        return {}

    def _cost_of(self, factors: tuple[int, ...]) -> tuple[np.ndarray, Grid]:
        """Return the cost per mm (z, y, x), infinite outside, on voxels joined to blocks that lie wholly inside."""
        if factors not in self._known_costs:
            self._known_costs[factors] = self._computed_cost(factors)
        return self._known_costs[factors]

    def _computed_cost(self, factors: tuple[int, ...]) -> tuple[np.ndarray, Grid]:
        rest = [(0, -n % f) for n, f in zip(self.mask.shape, factors, strict=True)]
        padded = np.pad(self.mask, rest)
        parts = [size for n, f in zip(padded.shape, factors, strict=True) for size in (n // f, f)]
        mask = padded.reshape(parts).all(axis=(1, 3, 5))
        spacing = tuple(s * f for s, f in zip(self.grid.spacing_mm, factors, strict=True))
        origin = self.grid.to_lps((np.array(factors) - 1.0) / 2.0)
        grid = Grid(mask.shape, spacing, tuple(origin), self.grid.direction)  # type: ignore[arg-type]
        depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
        return np.where(mask, 1.0 + _SURFACE_COST * np.exp(-depth / _SURFACE_MM), np.inf), grid

    def _straightened(self, points: np.ndarray) -> np.ndarray:
        """Return the points of a way less those that a straight line inside can leave out."""
        kept, at = [0], 0
        while at < len(points) - 1:
            ahead = points[at + 1 :]
            seen = np.flatnonzero(self.sees(np.broadcast_to(points[at], ahead.shape), ahead))
            at += 1 + (int(seen[-1]) if len(seen) else 0)
            kept.append(at)
        return points[kept]


def _cheapest(costs: np.ndarray, grid: Grid, start_lps_mm: np.ndarray, end_lps_mm: np.ndarray) -> np.ndarray | None:
    from skimage.graph import MCP_Geometric

    open_voxels = np.argwhere(np.isfinite(costs))
    if not len(open_voxels):
        return None
    start, end = (
        tuple(open_voxels[np.argmin((((open_voxels - grid.to_index(p)) * grid.spacing_mm) ** 2).sum(axis=1))])
        for p in (start_lps_mm, end_lps_mm)
    )
    finder = MCP_Geometric(costs, sampling=grid.spacing_mm)
    reached, _ = finder.find_costs([start], [end])
    return grid.to_lps(np.array(finder.traceback(end))) if np.isfinite(reached[end]) else None


def largest_piece(mask: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the largest connected piece of a mask (z, y, x), and its share of all voxels."""
    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
    if count < 2:
        return mask, 1.0
    sizes = np.bincount(labels.ravel())[1:]
    return labels == 1 + int(np.argmax(sizes)), float(sizes.max() / sizes.sum())
