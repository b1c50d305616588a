"""Dose-volume histograms, exact by sorting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DoseVolumeHistogram:
    """A cumulative dose-volume histogram.

    Parameters
    ----------
    dose_gy : ndarray (points,)
        Rising doses [Gy].
    volume_share : ndarray (points,)
        Share of the volume that receives at least that dose.
    """

    dose_gy: np.ndarray
    volume_share: np.ndarray


def dose_at_volume_share(dose_gy: np.ndarray, share: float) -> float:
    """Return Dx [Gy]: the dose that a share of the volume receives at least (0.70 for D70).

    Linear interpolation between the sorted voxel doses; all voxels count the same.
    """
    return float(np.quantile(dose_gy, 1.0 - share))


def dose_volume_histogram(dose_gy: np.ndarray, points: int = 400) -> DoseVolumeHistogram:
    """Return the cumulative histogram of voxel doses [Gy] at evenly spaced doses from 0 to the maximum."""
    ordered = np.sort(np.asarray(dose_gy, dtype=float))
    doses = np.linspace(0.0, ordered[-1], points)
    below = np.searchsorted(ordered, doses, side="left")
    return DoseVolumeHistogram(doses, 1.0 - below / len(ordered))
