"""Linear convolution of an activity map with a voxel kernel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from radioembolization.dose.far_field import far_field
from radioembolization.dose.near_field import NearField, Patch, trim
from radioembolization.errors import InputError
from radioembolization.physics import TwoScaleKernel, VoxelKernel

#: Rounding of the transforms: what is smaller than this share of the largest value is set to zero.
ROUNDING = 2e-7
#: Negative activity down to this share of the largest is rounding of a resampling; more is refused.
_NEGATIVE_TOLERATED = 1e-6
#: Planes whose tail is interpolated together, which bounds the memory.
_SLAB = 64


def convolve(
    activity: np.ndarray,
    kernel: VoxelKernel | TwoScaleKernel,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Return the energy share absorbed in each voxel of a map's own grid.

    Zero outside the grid, no wrap-around.  Only the box that holds activity, widened by the kernel, is
    transformed, in single precision (error below 2e-6 of the largest dose), and in pieces where it would
    take more than 1 GB of working memory.  A two-scale kernel adds its tail from a coarse grid.

    Parameters
    ----------
    activity : ndarray (z, y, x)
        Any amount per voxel, not negative.
    kernel : VoxelKernel or TwoScaleKernel
        Of the same voxel spacing.
    progress : callable, optional
        Called with (pieces done, pieces); an exception it raises ends the computation.

    Returns
    -------
    ndarray (z, y, x) of float32
        Amount of absorbed energy in the unit of ``activity`` times the emitted energy; what the kernel
        carries out of the grid is lost from the sum.

    Raises
    ------
    InputError
        If the map has not three axes, or a value is negative beyond rounding or no finite number of
        single precision.
    """
    if activity.ndim != 3:
        raise InputError(f"An activity map has three axes (z, y, x), this one {activity.ndim}.")
    absorbed = np.zeros(activity.shape, dtype=np.float32)
    source = trim(Patch((0, 0, 0), activity))
    if source is None:
        return absorbed
    _check(source)
    two_scales = isinstance(kernel, TwoScaleKernel)
    near = NearField((kernel.near if isinstance(kernel, TwoScaleKernel) else kernel).energy_share)
    pieces = list(near.in_pieces(source))
    steps = len(pieces) + two_scales
    for done, piece in enumerate(pieces, start=1):
        box, values = near.patch(piece).clipped(activity.shape)
        absorbed[box] += values
        if progress:
            progress(done, steps)
    absorbed[absorbed < ROUNDING * absorbed.max()] = 0.0  # also the tiny negatives that rounding leaves
    if isinstance(kernel, TwoScaleKernel):
        _add_far(absorbed, source, kernel)
        if progress:
            progress(steps, steps)
    return absorbed


def _check(source: Patch) -> None:
    """Refuse values of which any voxel would spoil all others, or of which a dose would silently be lost."""
    values = source.values
    low, high = values.min(), values.max()
    largest = np.finfo(np.float32).max
    if not (-largest <= low and high <= largest):  # also where one is NaN
        wrong, what = ~(np.abs(values) <= largest), f"no finite number (below {largest:.2g})"
    elif low < -_NEGATIVE_TOLERATED * max(high, 0.0):
        wrong, what = values < 0, f"negative (down to {low:.3g}, largest {high:.3g}): set such values to zero"
    else:
        return
    place = tuple(int(i) + first for i, first in zip(np.argwhere(wrong)[0], source.start, strict=True))
    raise InputError(f"Activity of {np.count_nonzero(wrong)} voxels, the first at (z, y, x) = {place}, is {what}.")


def _add_far(absorbed: np.ndarray, source: Patch, kernel: TwoScaleKernel) -> None:
    z, y, x = absorbed.shape
    far = far_field(kernel, (z, y, x))
    gathered = far.gather(source)[None]
    for first in range(0, z, _SLAB):
        box = (slice(first, min(first + _SLAB, z)), slice(0, y), slice(0, x))
        absorbed[box] += next(far.spread(gathered, box))
