"""Dose-volume limits in one form: at most a share of a structure on the wrong side of a dose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq

#: A voxel is on the wrong side of the dose only if it is so by more than this, relative: optimal plans put many
#: voxels exactly at the dose.
SIDE = 1e-6


@dataclass(frozen=True)
class VolumeBound:
    """At most ``share`` of the mass of a structure may receive more (or less) than a dose.

    Parameters
    ----------
    structure : str
    dose_gy : float
    above : bool
        True if voxels above the dose count, False for those below.
    share : float
        From 0 to 1.
    """

    structure: str
    dose_gy: float
    above: bool
    share: float

    def wrong(self, dose_gy: np.ndarray) -> np.ndarray:
        """Return which voxels (voxels,) of bool count, for their doses [Gy]."""
        if self.above:
            return dose_gy > self.dose_gy * (1.0 + SIDE)
        return dose_gy < self.dose_gy * (1.0 - SIDE)

    def wrong_share(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        """Return the share of the mass that counts, evaluated in float64."""
        rows = dose.voxel_rows(self.structure)
        return float(rows.share @ self.wrong(rows.exact_dose_gy(np.asarray(activities_gbq, dtype=float))))
