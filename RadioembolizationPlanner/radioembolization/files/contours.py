"""Voxels inside closed contours, by the share of each voxel that is covered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from radioembolization.images.coverage import keep_volume

#: Lines on which each row of voxels is sampled; along a line coverage is exact.
_LINES = 8
#: Contours nearer to each other than this part of a slice are in one plane.
_ONE_PLANE = 0.02
#: Contours farther apart than this multiple of the usual step have a gap between them that is left empty.
_GAP = 1.5
#: Slices covered equally are ranked by the multiples of the golden section, which spread evenly; and by how much.
_TURNS, _TURN_WEIGHT = 0.6180340, 1e-2


def mask_of_contours(contours_zyx: Sequence[np.ndarray], shape: tuple[int, int, int]) -> np.ndarray:
    """Return the voxels (z, y, x) of bool inside closed contours.

    Parameters
    ----------
    contours_zyx : sequence of ndarray (points, 3)
        Voxel indices; each contour has one z.  What lies outside the image is cut off.
    shape : tuple of int
        (z, y, x).
    """
    points = np.concatenate(contours_zyx)
    low = np.clip(np.floor(points.min(axis=0)).astype(int) - 1, 0, shape)
    high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 2, 0, shape)
    mask = np.zeros(shape, dtype=bool)
    planes, steps = _planes(contours_zyx)
    reach = int(np.ceil(max(map(max, steps)) / 2)) + 1
    low[0], high[0] = max(0, low[0] - reach), min(shape[0], high[0] + reach)
    if np.any(high <= low):
        return mask
    covered = np.zeros(high - low, dtype=np.float32)
    for (height, members), (below, above) in zip(planes, steps, strict=True):
        _add_slab(covered, low, members, height - below / 2, height + above / 2)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    if covered.any():
        around = ndimage.uniform_filter(covered, 3, mode="constant")
        # slices that are covered equally, as both ends of coarse contours are, take turns
        turns = (np.arange(len(covered), dtype=np.float32) * _TURNS) % 1.0
        mask[box] = keep_volume(covered, around - _TURN_WEIGHT * turns[:, None, None])
    return mask


def usual_step(heights: np.ndarray) -> float:
    """Return the median distance between the planes of contours, in slices; 1 for a single plane."""
    steps = np.diff(np.sort(heights))
    steps = steps[steps > _ONE_PLANE]
    return float(np.median(steps)) if len(steps) else 1.0


def _planes(
    contours: Sequence[np.ndarray],
) -> tuple[list[tuple[float, list[np.ndarray]]], list[tuple[float, float]]]:
    """Return the contours by planes of increasing height, and how far each reaches below and above, doubled."""
    planes: list[tuple[float, list[np.ndarray]]] = []
    for contour in sorted(contours, key=lambda points: float(points[:, 0].mean())):
        height = float(contour[:, 0].mean())
        if planes and height - planes[-1][0] <= _ONE_PLANE:
            planes[-1][1].append(contour)
        else:
            planes.append((height, [contour]))
    heights = np.array([height for height, _ in planes])
    usual = usual_step(heights)
    between = np.diff(heights)
    inner = np.where(between > _GAP * usual, usual, between)
    ends = np.concatenate([[usual], inner, [usual]])
    return planes, list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))


def _add_slab(covered: np.ndarray, low: np.ndarray, contours: Sequence[np.ndarray], bottom: float, top: float) -> None:
    """Add to each slice the share of it that lies between two heights, where the contours cover it."""
    plane = covered_by_polygons([points[:, 1:] - low[1:] for points in contours], covered.shape[1:])
    slices = np.arange(covered.shape[0]) + low[0]
    shares = np.clip(np.minimum(top, slices + 0.5) - np.maximum(bottom, slices - 0.5), 0.0, 1.0)
    for index in np.flatnonzero(shares):
        covered[index] += np.float32(shares[index]) * plane


def covered_by_polygons(polygons_yx: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Return the share of each pixel (y, x) inside an odd number of closed polygons.

    Where a line through a row of pixels crosses the polygons, every other piece of it is inside.

    Parameters
    ----------
    polygons_yx : sequence of ndarray (points, 2)
        Pixel indices; pixel centres are whole numbers.
    shape : tuple of int
    """
    rows, columns = shape
    line, crossing = _crossings(polygons_yx, rows * _LINES)
    order = np.lexsort((crossing, line))
    line, crossing = line[order], np.clip(crossing[order], -0.5, columns - 0.5)
    # what lies beyond a point p of a line covers pixel j by clip(j + 1/2 - p, 0, 1): summed from its differences
    slopes = np.zeros((rows * _LINES, columns + 2), dtype=np.float32)
    pixel = np.floor(crossing + 0.5).astype(int)
    share = pixel + 0.5 - crossing
    sign = np.where(np.arange(len(line)) % 2 == 0, 1.0, -1.0)  # lines are crossed an even number of times
    np.add.at(slopes, (line, pixel), sign * share)
    np.add.at(slopes, (line, pixel + 1), sign * (1.0 - share))
    along = np.clip(np.cumsum(slopes, axis=1)[:, :columns], 0.0, 1.0)
    return along.reshape(rows, _LINES, columns).mean(axis=1)


def _crossings(polygons_yx: Sequence[np.ndarray], lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Return line number and x of every place where a line crosses an edge; lines stand evenly in the rows."""
    start = np.concatenate(polygons_yx)
    end = np.concatenate([np.roll(polygon, -1, axis=0) for polygon in polygons_yx])
    # height of a point in line numbers: line n runs at y = (n + 1/2) / lines per row - 1/2
    from_line, to_line = ((points[:, 0] + 0.5) * _LINES - 0.5 for points in (start, end))
    first = np.clip(np.ceil(np.minimum(from_line, to_line)), 0, lines).astype(int)
    last = np.clip(np.ceil(np.maximum(from_line, to_line)), 0, lines).astype(int)  # half-open: joints count once
    counts = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(start)), counts)
    line = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    part = (line - from_line[edge]) / (to_line[edge] - from_line[edge])
    return line, start[edge, 1] + part * (end[edge, 1] - start[edge, 1])
