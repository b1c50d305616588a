"""The part of a volume that is nearer to one structure than to others."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def nearest_part(
    volume: np.ndarray, spacing_mm: tuple[float, float, float], seeds: tuple[np.ndarray, ...], index: int
) -> np.ndarray:
    """Return the part of a volume that is nearer to one seed region than to the others.

    Straight distances on the given spacing (z, y, x) [mm]; a tie goes to the first seed.
    """
    distances = [ndimage.distance_transform_edt(~seed, sampling=spacing_mm) for seed in seeds]
    return volume & (np.argmin(np.stack(distances), axis=0) == index)
