"""Energy closure: what the kernels hold, and what a convolution absorbs, for every nuclide."""

from __future__ import annotations

import numpy as np
from page import table

from radioembolization.dose import convolve
from radioembolization.physics import LIVER, NUCLIDES, Nuclide, PointKernel, two_scale_kernel

TITLE = "Energy closure"
SPACING_MM = (5.0, 5.0, 5.0)
#: Voxels to each side of the source; the corners reach beyond the end of the kernels (283 mm in liver).
HALF_WIDTH = 60
#: Largest deviation from closure.
TOLERANCE = 1e-3
INTRO = f"""
Shares of the emitted energy (ICRP-107, electrons and photons) in a kernel for {SPACING_MM[0]:g} mm voxels of liver:
fine part, coarse tail, and what lies beyond its end. `shells`: near, tail and what fades out at its end, less the sum
of the shells of the point kernel. `grid`: energy absorbed after convolution of one voxel of activity in the middle of
{2 * HALF_WIDTH + 1}^3 voxels, which holds the whole kernel, less near + tail. Both must be below {TOLERANCE:.1%}. A
negative rest is noise of the Monte Carlo, whose total varies by more than the noise of single shells (0.02 to 0.1 %).

"""


def write() -> str:
    """Return the table of all nuclides."""
    columns = ("nuclide", "near", "tail", "beyond", "shells", "grid", "closed")
    return INTRO + table(columns, [_row(nuclide) for nuclide in NUCLIDES.values()])


def closure(nuclide: Nuclide) -> tuple[float, float]:
    """Return the deviations of the kernel from its shells, and of a convolution from the kernel."""
    kernel = two_scale_kernel(nuclide, SPACING_MM, LIVER.density_g_per_cm3, LIVER)
    inside = float(kernel.near.energy_share.sum()) + kernel.tail.share
    shells = float(PointKernel.water(nuclide).energy_fraction.sum())
    activity = np.zeros((2 * HALF_WIDTH + 1,) * 3, dtype=np.float32)
    activity[HALF_WIDTH, HALF_WIDTH, HALF_WIDTH] = 1.0
    absorbed = float(convolve(activity, kernel).sum(dtype=float))
    return inside + kernel.tail.faded_share - shells, absorbed - inside


def _row(nuclide: Nuclide) -> list[object]:
    kernel = two_scale_kernel(nuclide, SPACING_MM, LIVER.density_g_per_cm3, LIVER)
    near, tail = float(kernel.near.energy_share.sum()), kernel.tail.share
    shells, grid = closure(nuclide)
    closed = "yes" if max(abs(shells), abs(grid)) < TOLERANCE else "NO"
    shares = (f"{near:.4%}", f"{tail:.4%}", f"{kernel.share_beyond:+.3%}")
    return [nuclide.name, *shares, f"{shells:+.1e}", f"{grid:+.1e}", closed]
