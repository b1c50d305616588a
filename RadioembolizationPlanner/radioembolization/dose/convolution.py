"""Linear convolution of an activity map with a voxel kernel."""

from __future__ import annotations

import numpy as np
from scipy import signal

from radioembolization.physics import VoxelKernel


def convolve(activity: np.ndarray, kernel: VoxelKernel) -> np.ndarray:
    """Return the energy share absorbed in each voxel of a map's own grid.

    Zero outside the grid, no wrap-around: the transform is padded.  Only the box that holds
    activity, widened by the kernel, is transformed.

    Parameters
    ----------
    activity : ndarray (z, y, x)
        Any amount per voxel.
    kernel : VoxelKernel
        Of the same voxel spacing.

    Returns
    -------
    ndarray (z, y, x) of float32
        Amount of absorbed energy in the unit of ``activity`` times the emitted energy; what the
        kernel carries out of the grid is lost from the sum.
    """
    absorbed = np.zeros(activity.shape, dtype=np.float32)
    filled = np.argwhere(activity)
    if not len(filled):
        return absorbed
    half = np.array(kernel.half_width)
    low, high = filled.min(axis=0), filled.max(axis=0) + 1
    source = activity[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    spread = signal.fftconvolve(source.astype(np.float32), kernel.energy_share.astype(np.float32), mode="full")
    np.maximum(spread, 0.0, out=spread)  # rounding of the transform leaves tiny negatives
    start, stop = low - half, high + half
    inside_low, inside_high = np.maximum(start, 0), np.minimum(stop, activity.shape)
    target = tuple(slice(a, b) for a, b in zip(inside_low, inside_high, strict=True))
    piece = tuple(slice(a - s, b - s) for a, b, s in zip(inside_low, inside_high, start, strict=True))
    absorbed[target] = spread[piece]
    return absorbed
