"""The voxels for which dose is wanted, and which of them lie in a box of the grid."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import InputError

Start = tuple[int, int, int]


class Columns:
    """Chosen voxels of a grid, in rising order of their flat index; remembers lookups of boxes.

    Parameters
    ----------
    voxels : ndarray (voxels,) of int
        Flat indices in C order, rising.
    shape : tuple of int
        Grid (z, y, x).

    Raises
    ------
    InputError
        If there is none, or they are not rising indices of the grid.
    """

    def __init__(self, voxels: np.ndarray, shape: tuple[int, int, int]) -> None:
        voxels = np.asarray(voxels)
        if not len(voxels) or voxels[0] < 0 or voxels[-1] >= np.prod(shape) or np.any(np.diff(voxels) <= 0):
            raise InputError(f"Voxels must be one or more rising flat indices of a grid of shape {shape}.")
        index = np.unravel_index(voxels, shape)
        self.box = tuple(slice(int(i.min()), int(i.max()) + 1) for i in index)
        #: Flat place of each voxel in the box that holds them all.
        self.places = np.ravel_multi_index(
            [i - part.start for i, part in zip(index, self.box, strict=True)],
            [part.stop - part.start for part in self.box],
        )
        self.shape = shape
        self._column = np.full([part.stop - part.start for part in self.box], -1, dtype=np.int32)
        self._column.reshape(-1)[self.places] = np.arange(len(voxels), dtype=np.int32)
        self._found: dict[tuple[Start, tuple[int, ...]], tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self.places)

    def in_box(self, start: Start, size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return which columns lie in a box, in rising order, and their flat places inside that box."""
        key = (start, tuple(size))
        if key not in self._found:
            self._found[key] = self._search(start, size)
        return self._found[key]

    def _search(self, start: Start, size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        target, offset = [], []
        for first, length, part in zip(start, size, self.box, strict=True):
            low, high = max(first, part.start), min(first + length, part.stop)
            if high <= low:
                return np.empty(0, np.int32), np.empty(0, np.int32)
            target.append(slice(low - part.start, high - part.start))
            offset.append(low - first)
        here = self._column[tuple(target)]
        inside = np.nonzero(here >= 0)
        flat = np.ravel_multi_index([i + o for i, o in zip(inside, offset, strict=True)], size)
        return here[inside], flat.astype(np.int32)
