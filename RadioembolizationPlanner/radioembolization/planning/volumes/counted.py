"""A dose-volume limit with its voxels: the dose that decides, and a plane that stands for it near a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq, VoxelRows
from radioembolization.planning.limits import Limit
from radioembolization.planning.quantities.dose_volume import HAIR, dose_received
from radioembolization.planning.volume_bound import SIDE, VolumeBound

#: Doses in float64 are wrong by less than this, relative; it is given away in bounds.
ROUNDING = 1e-9
#: Half widths around the deciding dose, relative, in which voxels are averaged: the first with enough voxels.
_WIDTHS = (0.02, 0.06, 0.2, 0.8)
_ENOUGH_VOXELS, _ENOUGH_SHARE = 40, 0.02


@dataclass(frozen=True, eq=False)
class Counted:
    """A dose-volume limit and the rows of its voxels.

    Parameters
    ----------
    bound : VolumeBound
    rows : VoxelRows
        Of the structure, or of a sample of it.
    """

    bound: VolumeBound
    rows: VoxelRows

    @property
    def sign(self) -> float:
        """1 if voxels above the dose count, -1 for those below."""
        return 1.0 if self.bound.above else -1.0

    @property
    def counts_from_gy(self) -> float:
        """Dose beyond which a voxel counts for certain [Gy]."""
        return self.bound.dose_gy * (1.0 + self.sign * (SIDE + ROUNDING))

    def deciding_gy(self, dose_gy: np.ndarray) -> float:
        """Return the dose [Gy] that must be on the right side of that of the limit, for the doses (voxels,)."""
        part = self.bound.share + HAIR if self.bound.above else 1.0 - self.bound.share
        return dose_received(dose_gy, self.rows, part)

    def scale(self, dose_gy: np.ndarray) -> float:
        """Return the factor on all activities that just meets the limit; infinite if none does or any does."""
        decides = self.deciding_gy(dose_gy)
        return self.bound.dose_gy / decides if decides > 0 else np.inf

    def local_row(self, activities_gbq: np.ndarray, dose_gy: np.ndarray) -> np.ndarray:
        """Return a row (sites,) that gives the deciding dose at some activities, and about its change around them."""
        decides = self.deciding_gy(dose_gy)
        near = np.array([], dtype=int)
        for width in _WIDTHS:
            near = np.flatnonzero(np.abs(dose_gy - decides) <= width * decides)
            if len(near) >= min(_ENOUGH_VOXELS, _ENOUGH_SHARE * len(dose_gy)):
                break
        if not len(near):
            near = np.array([int(np.abs(dose_gy - decides).argmin())])
        row = self.rows.rows[:, near] @ self.rows.share[near].astype(self.rows.rows.dtype)
        row = row.astype(float)
        size = float(row @ activities_gbq)
        return row * (decides / size) if size > 0 else row

    def sampled(self, most: int, rng: np.random.Generator) -> Counted:
        """Return the limit on a sample of its voxels."""
        if len(self.rows) <= most:
            return self
        chosen = np.sort(rng.choice(len(self.rows), most, replace=False))
        return Counted(self.bound, VoxelRows(self.rows.rows[:, chosen], self.rows.share[chosen]))


def counted(bounds: Sequence[VolumeBound], dose: DosePerGBq) -> list[Counted]:
    """Return dose-volume limits with their voxels."""
    return [Counted(bound, dose.voxel_rows(bound.structure)) for bound in bounds]


def volume_bounds_of(limits: Sequence[Limit]) -> list[VolumeBound]:
    """Return the dose-volume limits among some limits."""
    return [bound for limit in limits if (bound := limit.volume_bound) is not None]
