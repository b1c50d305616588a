"""Structures and territories seen through the whole patient, from the front and from the side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.images import Grid
from radioembolization.report.views import View

#: Side of the cubes in which the patient is looked through [mm].
STEP_MM = 2.0


@dataclass(frozen=True, eq=False)
class Projection:
    """A view through a box of the patient with its axes along LPS.

    Parameters
    ----------
    view : View
    box : Grid
    """

    view: View
    box: Grid

    @property
    def across_mm(self) -> np.ndarray:
        """Positions (columns,) along the picture, to its right [mm]."""
        return self._along(np.array(self.view.across))

    @property
    def down_mm(self) -> np.ndarray:
        """Positions (rows,) along the picture, to its bottom [mm]."""
        return self._along(np.array(self.view.down))

    @property
    def extent_mm(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top edge of the picture [mm]."""
        half = STEP_MM / 2.0
        return (
            self.across_mm[0] - half,
            self.across_mm[-1] + half,
            self.down_mm[-1] + half,
            self.down_mm[0] - half,
        )

    def places(self, points_lps_mm: np.ndarray) -> np.ndarray:
        """Return where points (n, 3) are in the picture (n, 2): across and down [mm]."""
        return np.atleast_2d(points_lps_mm) @ np.stack([self.view.across, self.view.down], axis=1)

    def thickness(self, inside: np.ndarray) -> np.ndarray:
        """Return how many voxels of a mask on the box (z, y, x) are behind each other (rows, columns)."""
        through = inside.sum(axis=2 - self.view.normal_axis, dtype=np.int32)
        return self._turned(through)

    def foremost(self, labels: np.ndarray, count: int) -> np.ndarray:
        """Return the label of 1 to ``count`` that fills most of each line of sight, 0 for none (rows, columns)."""
        most = np.zeros(self.thickness(labels > 0).shape, dtype=np.int32)
        found = np.zeros_like(most)
        for label in range(1, count + 1):
            here = self.thickness(labels == label)
            found[here > most] = label
            most = np.maximum(most, here)
        return found

    def _along(self, direction: np.ndarray) -> np.ndarray:
        axis = int(np.argmax(np.abs(direction)))
        at = self.box.origin_mm[axis] + STEP_MM * np.arange(self.box.shape[2 - axis])
        return np.sort(direction[axis] * at)

    def _turned(self, image: np.ndarray) -> np.ndarray:
        """Return an image over the two axes that are left, in their order of (z, y, x), as (rows, columns)."""
        left = [axis for axis in (2, 1, 0) if axis != self.view.normal_axis]
        down = int(np.argmax(np.abs(self.view.down)))
        turned = image if left[0] == down else image.T
        if np.sum(self.view.down) < 0:
            turned = turned[::-1]
        return turned if np.sum(self.view.across) > 0 else turned[:, ::-1]


def box_around(points_lps_mm: np.ndarray, margin_mm: float) -> Grid:
    """Return a grid of cubes with its axes along LPS around points (n, 3) [mm]."""
    low, high = points_lps_mm.min(axis=0) - margin_mm, points_lps_mm.max(axis=0) + margin_mm
    shape = np.ceil((high - low) / STEP_MM).astype(int)[::-1] + 1
    return Grid(tuple(int(n) for n in shape), (STEP_MM,) * 3, tuple(low))  # type: ignore[arg-type]


def on_box(arrays: Sequence[np.ndarray], grid: Grid, box: Grid) -> list[np.ndarray]:
    """Return arrays (z, y, x) on a grid at the nearest voxels of a box; outside they are zero."""
    index = np.rint(grid.to_index(box.to_lps(np.moveaxis(np.indices(box.shape), 0, -1)))).astype(int)
    within = np.all((index >= 0) & (index < np.array(grid.shape)), axis=-1)
    places = tuple(np.where(within, index[..., axis], 0) for axis in range(3))
    return [np.where(within, array[places], np.zeros((), array.dtype)) for array in arrays]


def smooth(image: np.ndarray) -> np.ndarray:
    """Return a mask (rows, columns) whose contour at one half is smooth."""
    return ndimage.gaussian_filter(image.astype(float), 0.8)
