"""The dose rows of one structure, side by side in memory, for functions of all its voxels."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

import numpy as np

from radioembolization.dose.threads import map_on_threads

#: Voxels taken at a time where sums are carried in float64.
_BLOCK = 1 << 15
#: From as many voxels on, the work is spread over threads, in as many parts.
_SPREAD_FROM, _PARTS = 100_000, 4


class VoxelRows:
    """Dose per GBq of every site in the voxels of one structure.

    Parameters
    ----------
    rows : ndarray (sites, voxels)
        Dose [Gy/GBq]; copied as float32 unless it is float64.
    voxel_kg : ndarray (voxels,)

    Attributes
    ----------
    share : ndarray (voxels,)
        Mass of each voxel over that of the structure; sums to 1.
    """

    def __init__(self, rows: np.ndarray, voxel_kg: np.ndarray) -> None:
        kind = np.float64 if rows.dtype == np.float64 else np.float32
        self.rows = np.ascontiguousarray(rows, dtype=kind)
        self.share = voxel_kg / voxel_kg.sum()
        self.equal = bool(np.ptp(voxel_kg) <= 1e-12 * voxel_kg.max())

    def __len__(self) -> int:
        return self.rows.shape[1]

    def dose_gy(self, activities_gbq: np.ndarray) -> np.ndarray:
        """Return the dose of each voxel (voxels,) [Gy] in the precision of the rows, quickly."""
        used = np.flatnonzero(activities_gbq)
        activities = np.asarray(activities_gbq, dtype=self.rows.dtype)
        dose = np.zeros(len(self), dtype=self.rows.dtype)

        def fill(part: slice) -> None:
            if len(used) > len(activities) // 2:
                dose[part] = activities @ self.rows[:, part]
                return
            for site in used:
                dose[part] += activities[site] * self.rows[site, part]

        for _ in map_on_threads(fill, self._parts(), len(self) >= _SPREAD_FROM):
            pass
        return dose

    def exact_dose_gy(self, activities_gbq: np.ndarray) -> np.ndarray:
        """Return the dose of each voxel (voxels,) [Gy], computed in float64."""
        used = np.flatnonzero(activities_gbq)
        activities = np.asarray(activities_gbq, dtype=float)[used]
        dose = np.empty(len(self))
        for start in range(0, len(self), _BLOCK):
            dose[start : start + _BLOCK] = activities @ self.rows[used, start : start + _BLOCK].astype(float)
        return dose

    def weighted_row(self, weights: np.ndarray, exact: bool = False) -> np.ndarray:
        """Return ``sum_v weights_v rows_v`` (sites,), summed in float64 over blocks of voxels, or wholly."""
        kind = np.float64 if exact else self.rows.dtype
        weights = np.asarray(weights, dtype=kind)

        def of(part: slice) -> np.ndarray:
            total = np.zeros(len(self.rows))
            for start in range(part.start, part.stop, _BLOCK):
                block = slice(start, min(start + _BLOCK, part.stop))
                total += self.rows[:, block].astype(kind, copy=False) @ weights[block]
            return total

        return np.sum(list(map_on_threads(of, self._parts(), len(self) >= _SPREAD_FROM)), axis=0)

    def _parts(self) -> list[slice]:
        """Return a few parts of the voxels, as many whatever the machine, so that sums do not depend on it."""
        edges = np.linspace(0, len(self), _PARTS + 1 if len(self) >= _SPREAD_FROM else 2).astype(int)
        return [slice(int(a), int(b)) for a, b in pairwise(edges)]

    @cached_property
    def gram(self) -> np.ndarray:
        """Mean over the mass of the products of the rows (sites, sites) [Gy^2/GBq^2], ``sum_v share_v D_v D_v^T``.

        ``x @ gram @ x`` is the mean of the squared dose.  Summed in float64 over blocks of voxels: single precision
        would lose that it is not negative for any x.
        """
        total = np.zeros((len(self.rows), len(self.rows)))
        for start in range(0, len(self), _BLOCK):
            part = self.rows[:, start : start + _BLOCK] * np.sqrt(self.share[start : start + _BLOCK])
            total += part @ part.T
        return total

    def row_of(self, voxel: int) -> np.ndarray:
        """Return the dose per GBq (sites,) of one voxel."""
        return self.rows[:, voxel].astype(float)
