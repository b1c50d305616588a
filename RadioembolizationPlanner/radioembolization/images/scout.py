"""Checks of a scout image before anything is computed from it."""

from __future__ import annotations

import warnings

import numpy as np

from radioembolization.errors import ImageError, NegativeCountsSetToZero
from radioembolization.images.volume import Volume

#: Negative counts down to this share of the maximum are set to zero; larger ones are refused.
NEGATIVE_TOLERATED = 0.01


def checked_counts(scout: Volume) -> Volume:
    """Return a scout image without negative counts.

    Filtered reconstructions leave small negative values; down to -1 % of the maximum they are set to
    zero with a warning.

    Raises
    ------
    ImageError
        If the image has no counts, or larger negative values.
    """
    highest, lowest = float(scout.array.max()), float(scout.array.min())
    if not highest > 0:
        raise ImageError(f"The scout image has no counts (maximum {highest:g}): check the file.")
    if lowest < -NEGATIVE_TOLERATED * highest:
        where = np.unravel_index(int(scout.array.argmin()), scout.array.shape)
        raise ImageError(
            f"The scout image has negative counts down to {lowest:g} ({-lowest / highest:.1%} of its maximum) "
            f"at index (z, y, x) = {tuple(int(i) for i in where)}: more than 1 % is no reconstruction ripple; "
            "check scaling, subtraction or data type."
        )
    if lowest < 0:
        negative = int(np.count_nonzero(scout.array < 0))
        warnings.warn(
            f"{negative} scout voxels with counts down to {lowest:g} ({-lowest / highest:.2%} of the maximum) "
            "were set to 0.",
            NegativeCountsSetToZero,
            stacklevel=2,
        )
    return Volume(np.maximum(scout.array, 0), scout.grid, scout.unit)
