"""Two images compared at points of the fixed one, for any transform: what starts and results are judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.images.registration_images import Level
from radioembolization.images.similarity import correlation, normalized_mutual_information
from radioembolization.images.transform import AffineTransform

_MOST_SAMPLES = 5000
#: Fewer samples in both images say nothing.
_LEAST_SAMPLES = 100
#: Placements that bring a smaller share of the smaller image into the other are not considered.
LEAST_OVERLAP = 0.25


@dataclass(frozen=True, eq=False)
class Samples:
    """Points of two images, drawn once, so that all transforms are judged by the same.

    Parameters
    ----------
    fixed, moving : Level
    points_lps_mm : ndarray (points, 3)
        In the fixed image, inside its mask [mm].
    values : ndarray (points,)
        The fixed image there.
    foreground_fixed, foreground_moving : ndarray (points, 3)
        Points of either foreground, in its own space [mm].
    """

    fixed: Level
    moving: Level
    points_lps_mm: np.ndarray
    values: np.ndarray
    foreground_fixed: np.ndarray
    foreground_moving: np.ndarray

    @staticmethod
    def of(fixed: Level, moving: Level, seed: int) -> Samples:
        """Draw the points from a seed."""
        rng = np.random.default_rng(seed)
        index = _drawn(np.argwhere(fixed.inside), rng)
        return Samples(
            fixed,
            moving,
            fixed.grid.to_lps(index),
            fixed.array[tuple(index.T)].astype(float),
            fixed.grid.to_lps(_drawn(np.argwhere(fixed.foreground), rng)),
            moving.grid.to_lps(_drawn(np.argwhere(moving.foreground), rng)),
        )

    def overlap_share(self, transform: AffineTransform) -> float:
        """Return the share of one foreground inside the other image, the larger of the two."""
        moved = _inside(self.fixed, transform.points(self.foreground_moving)).mean()
        back = _inside(self.moving, transform.inverse.points(self.foreground_fixed)).mean()
        return float(max(moved, back))

    def score(self, transform: AffineTransform) -> float:
        """Return the rank of a transform; 0 where the images hardly meet.

        Information above independence times the share of the smaller image that lies in the other: information alone
        grows where images share little but background.
        """
        fixed, moving = self.pairs(transform)
        if len(fixed) < _LEAST_SAMPLES or self.overlap_share(transform) < LEAST_OVERLAP:
            return 0.0
        return (normalized_mutual_information(fixed, moving) - 1.0) * min(1.0, len(fixed) / self._most_pairs)

    def information(self, transform: AffineTransform) -> float:
        """Return the normalized mutual information under a transform; 1 where the images do not meet."""
        fixed, moving = self.pairs(transform)
        return normalized_mutual_information(fixed, moving) if len(fixed) >= _LEAST_SAMPLES else 1.0

    def correlation(self, transform: AffineTransform) -> float:
        """Return the correlation under a transform; 0 where the images do not meet."""
        fixed, moving = self.pairs(transform)
        return correlation(fixed, moving) if len(fixed) >= _LEAST_SAMPLES else 0.0

    @property
    def _most_pairs(self) -> float:
        """How many points can lie in both images at most."""
        fixed, moving = (np.count_nonzero(lv.inside) * lv.grid.voxel_ml for lv in (self.fixed, self.moving))
        return len(self.values) * min(1.0, moving / fixed)

    def pairs(self, transform: AffineTransform) -> tuple[np.ndarray, np.ndarray]:
        """Return the values of both images at the points that lie in both, and in their masks."""
        index = self.moving.grid.to_index(transform.inverse.points(self.points_lps_mm))
        inside = np.all((index >= 0) & (index <= np.array(self.moving.grid.shape) - 1), axis=1)
        if self.moving.mask is not None:
            nearest = np.rint(index[inside]).astype(int)
            inside[inside] = self.moving.inside[tuple(nearest.T)]
        moving = ndimage.map_coordinates(self.moving.array, index[inside].T, output=float, order=1, mode="nearest")
        return self.values[inside], moving


def _drawn(index: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if len(index) <= _MOST_SAMPLES:
        return index
    return index[np.sort(rng.choice(len(index), _MOST_SAMPLES, replace=False))]


def _inside(level: Level, points_lps_mm: np.ndarray) -> np.ndarray:
    index = level.grid.to_index(points_lps_mm)
    return np.all((index >= -0.5) & (index <= np.array(level.grid.shape) - 0.5), axis=1)
