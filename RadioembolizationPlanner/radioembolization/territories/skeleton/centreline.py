"""From a path of voxels to a smooth centreline with radii."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radioembolization.territories.skeleton.thinning import Skeleton

#: Standard deviation of the smoothing along a centreline, in voxels.
_SMOOTHING_VOXELS = 2.0
#: Faces of the wall count up to this multiple of the distance to the nearest one; other vessels are beyond.
_REACH = 1.6


def smooth_line(places_mm: np.ndarray, step_mm: float) -> np.ndarray:
    """Return a path of voxels as a line of equal steps, smoothed by a Gaussian; its ends stay where they are.

    Parameters
    ----------
    places_mm : ndarray (points, 3)
        At least two different points [mm].
    step_mm : float
        Side of a voxel [mm].

    Returns
    -------
    ndarray (points, 3)
        At least four points, about one step apart [mm].
    """
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places_mm, axis=0), axis=1))])
    count = max(4, round(along[-1] / step_mm) + 1)
    at = np.linspace(0.0, along[-1], count)
    line = np.stack([np.interp(at, along, axis) for axis in places_mm.T], axis=1)
    around = min(int(4 * _SMOOTHING_VOXELS), count - 1)
    # mirrored through its end points, a line keeps them whatever symmetric filter follows
    padded = np.pad(line, ((around, around), (0, 0)), mode="reflect", reflect_type="odd")
    sigma = min(_SMOOTHING_VOXELS, around / 2.0)
    smooth = ndimage.gaussian_filter1d(padded, sigma, axis=0, mode="nearest", truncate=around / sigma)
    return np.asarray(smooth[around:-around])


def radius_along(line_mm: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Return the radius of a vessel along its centreline (points,) [mm].

    It is the mean distance of the faces of the wall in the cross-section of every point. The face lies half way
    between the last voxel inside and the first outside, where the real wall is on average, so that half a voxel
    is neither lost nor won, and a point beside the middle by d changes the mean only by d^2 / (4 r). Within one
    radius of an end, the wall is that of the tip or of the artery it leaves: the radius further in holds there.
    """
    tangents = np.gradient(line_mm, axis=0)
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1), 1e-9)[:, None]
    nearest, _ = skeleton.wall.query(line_mm)
    near = skeleton.wall.query_ball_point(line_mm, _REACH * nearest + skeleton.step_mm)
    radius = nearest.copy()
    for number, faces in enumerate(near):
        away = skeleton.wall_mm[faces] - line_mm[number]
        ahead = away @ tangents[number]
        across = np.linalg.norm(away - ahead[:, None] * tangents[number], axis=1)[np.abs(ahead) <= skeleton.step_mm]
        if len(across):
            radius[number] = across.mean()
    steps = np.linalg.norm(np.diff(line_mm, axis=0), axis=1)
    steady = _as_further_in(np.asarray(radius), np.concatenate([[0.0], np.cumsum(steps)]))
    return np.asarray(ndimage.gaussian_filter1d(steady, _SMOOTHING_VOXELS, mode="nearest"))


def _as_further_in(radius: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Replace radii within one radius of an end by the median of the nearest ones further in."""
    left = along <= max(radius[0], np.median(radius))
    right = along[-1] - along <= max(radius[-1], np.median(radius))
    inner = np.flatnonzero(~(left | right))
    if len(inner) < 3:
        middle = len(radius) // 4
        return np.full(len(radius), np.median(radius[middle : len(radius) - middle]))
    result = radius.copy()
    result[: inner[0]] = np.median(radius[inner[:5]])
    result[inner[-1] + 1 :] = np.median(radius[inner[-5:]])
    return result
