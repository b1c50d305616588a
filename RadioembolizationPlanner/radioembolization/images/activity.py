"""Checks of an activity map, and maps of relative counts scaled to an activity."""

from __future__ import annotations

import math
import warnings

import numpy as np

from radioembolization.errors import ImageError, InputError, NegativeCountsSetToZero, UnlikelyActivity
from radioembolization.images.scout import NEGATIVE_TOLERATED
from radioembolization.images.volume import Unit, Volume

#: Total activities outside this range [GBq] are hardly meant: 1 kBq to 100 GBq.
_LIKELY_GBQ = (1e-6, 100.0)


def activity_map(volume: Volume, activity_gbq: float | None = None) -> Volume:
    """Return a map of activity concentration [Bq/mL] without negative values.

    Parameters
    ----------
    volume : Volume
        In Bq/mL, or in counts to be scaled.
    activity_gbq : float, optional
        What the whole map is scaled to hold [GBq]; needed for counts.

    Raises
    ------
    ImageError
        If the map is empty, has more than ripple below zero, or is in another unit.
    InputError
        If the activity is not a positive number.
    """
    if volume.unit not in (Unit.BQ_PER_ML, Unit.COUNTS):
        raise ImageError(f"An activity map is in Bq/mL or in counts, this image is in {volume.unit}.")
    if volume.unit is Unit.COUNTS and activity_gbq is None:
        raise InputError("A map in counts needs the activity it holds: state it in GBq.")
    if activity_gbq is not None and not (math.isfinite(activity_gbq) and activity_gbq > 0):
        raise InputError(f"Activity {activity_gbq:g} GBq is not a positive number.")
    values = _without_negatives(volume)
    if activity_gbq is not None:
        values = values * (activity_gbq * 1e9 / (float(values.sum()) * volume.grid.voxel_ml))
    total = float(values.sum()) * volume.grid.voxel_ml * 1e-9
    if not _LIKELY_GBQ[0] <= total <= _LIKELY_GBQ[1]:
        warnings.warn(_unlikely(total, scaled=activity_gbq is not None), UnlikelyActivity, stacklevel=2)
    return Volume(values, volume.grid, Unit.BQ_PER_ML)


def total_gbq(activity: Volume) -> float:
    """Return the activity in a map of Bq/mL [GBq]."""
    return float(activity.array.sum(dtype=float)) * activity.grid.voxel_ml * 1e-9


def _without_negatives(volume: Volume) -> np.ndarray:
    values = volume.array.astype(float)
    highest, lowest = float(values.max()), float(values.min())
    if not highest > 0:
        raise ImageError(f"The activity map is empty (its maximum is {highest:g}): check the file.")
    if lowest < -NEGATIVE_TOLERATED * highest:
        where = np.unravel_index(int(values.argmin()), values.shape)
        raise ImageError(
            f"The activity map has negative values down to {lowest:g} ({-lowest / highest:.1%} of its maximum) at "
            f"index (z, y, x) = {tuple(int(i) for i in where)}: more than 1 % is no reconstruction ripple; check "
            "scaling, subtraction or data type."
        )
    if lowest < 0:
        warnings.warn(
            f"{np.count_nonzero(values < 0)} voxels of the activity map with values down to {lowest:g} "
            f"({-lowest / highest:.2%} of the maximum) were set to 0.",
            NegativeCountsSetToZero,
            stacklevel=3,
        )
    return np.maximum(values, 0.0)


def _unlikely(total: float, scaled: bool) -> str:
    low, high = _LIKELY_GBQ
    found = f"The map holds {total:.3g} GBq, outside {low:g} to {high:g} GBq: "
    if scaled:
        return found + "check that the activity was stated in GBq."
    return found + (
        "it must be in Bq/mL. Divide a map of Bq per voxel by the voxel volume in mL, multiply one of kBq/mL by 1000; "
        "for relative counts state the activity of the whole map in GBq (--activity-gbq)."
    )
