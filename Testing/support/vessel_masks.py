"""Vessels of known centrelines and radii, painted on voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radioembolization.images import Grid

#: Centreline (points, 3) in LPS and radius (points,) [mm].
Line = tuple[np.ndarray, np.ndarray]


def line(*points: Sequence[float], radius: float | Sequence[float]) -> Line:
    """Return a broken line through points (x, y, z) with one radius, or one per point [mm]."""
    places = np.array(points, dtype=float)
    return places, np.broadcast_to(np.asarray(radius, dtype=float), len(places)).copy()


def turned(seed: int) -> tuple[float, ...]:
    """Return an oblique direction, row-major."""
    axes = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    axes[:, 0] *= np.linalg.det(axes)
    return tuple(axes.ravel())


def grid_around(lines: Sequence[Line], spacing_mm: tuple[float, float, float], direction: tuple[float, ...]) -> Grid:
    """Return a grid (z, y, x) that holds lines with 6 mm around."""
    axes = np.array(direction).reshape(3, 3)
    own = np.concatenate([points for points, _ in lines]) @ axes
    widest = max(float(radius.max()) for _, radius in lines) + 6.0
    low, high = own.min(axis=0) - widest, own.max(axis=0) + widest
    shape = np.ceil((high - low) / np.array(spacing_mm[::-1])).astype(int)[::-1]
    return Grid(tuple(int(n) for n in shape), spacing_mm, tuple(axes @ low), direction)


def painted(lines: Sequence[Line], grid: Grid) -> np.ndarray:
    """Return the voxels whose centre lies within a vessel: round ends, radii linear between points (z, y, x)."""
    mask = np.zeros(grid.shape, dtype=bool)
    for points, radius in lines:
        for piece in range(len(points) - 1):
            _paint(mask, grid, points[piece : piece + 2], radius[piece : piece + 2])
    return mask


def _paint(mask: np.ndarray, grid: Grid, ends: np.ndarray, radius: np.ndarray) -> None:
    corners, margin = grid.to_index(ends), radius.max() / np.array(grid.spacing_mm) + 1
    low = np.maximum(np.floor(corners.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=0) + margin) + 1, grid.shape).astype(int)
    axes = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
    places = grid.to_lps(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
    away, share = _from_segment(places, ends)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    mask[box] |= away <= radius[0] + share * (radius[1] - radius[0])


def distance_to(lines: Sequence[Line], places_lps_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of places from the nearest line, and the radius there [mm]."""
    best, radius_there = np.full(len(places_lps_mm), np.inf), np.zeros(len(places_lps_mm))
    for points, radius in lines:
        for piece in range(len(points) - 1):
            away, share = _from_segment(places_lps_mm, points[piece : piece + 2])
            nearer = away < best
            best[nearer] = away[nearer]
            radius_there[nearer] = (radius[piece] + share * (radius[piece + 1] - radius[piece]))[nearer]
    return best, radius_there


def _from_segment(places: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    along = ends[1] - ends[0]
    share = np.clip((places - ends[0]) @ along / (along @ along), 0.0, 1.0)
    return np.linalg.norm(places - ends[0] - share[..., None] * along, axis=-1), share
