"""Error of the coarse photon tail: a bound for every dose, and what a uniform liver shows of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from page import table
from scipy import fft

from radioembolization.dose import convolve
from radioembolization.dose.far_field import FarField, far_field
from radioembolization.dose.near_field import Patch
from radioembolization.physics import LIVER, LUNG, NUCLIDES, Nuclide, Tissue, two_scale_kernel, voxel_kernel
from radioembolization.physics.voxel_kernel import TAIL_ERROR, TwoScaleKernel

Spacing = tuple[float, float, float]
#: Voxel sides (z, y, x) [mm].
SPACINGS: tuple[Spacing, ...] = (
    (1.0, 1.0, 1.0),
    (2.0, 2.0, 2.0),
    (2.5, 2.5, 2.5),
    (3.0, 3.0, 3.0),
    (3.0, 4.0, 4.0),
    (4.0, 4.0, 4.0),
    (4.8, 4.8, 4.8),
)
LUNG_SPACING: Spacing = (4.0, 4.0, 4.0)
#: Every voxel is looked at up to so many joints from the source, beyond every k-th, at most so many along one axis.
_EVERY_VOXEL_JOINTS, _MOST_BEYOND = 3.0, 40
#: Coarse samples that the response can reach beyond the end of the tail.
_RINGING = 4
#: Semi-axes (z, y, x) of an ellipsoid of 1.5 L, the uniform liver, and its voxels [mm].
LIVER_MM, LIVER_SPACING = (60.0, 65.0, 92.0), (3.0, 4.0, 4.0)
LIVER_TOLERANCE = 5e-4

#: The kernel ends abruptly at the last shell of the Monte Carlo; beyond this share of its range its end counts.
_END = 0.9

TITLE = "Two scales: error of the coarse tail"
INTRO = f"""
The tail of a kernel is convolved on a coarse grid. Its error is a linear operator, so no dose errs by more than the
highest concentration times the sum of absolute errors of the response to one point. *Misplaced*: that sum, as a share
of the emitted energy, for the worst position of the point in its coarse voxel, by the operators of the program in
double precision over the whole range of the kernel (every voxel up to {_EVERY_VOXEL_JOINTS:g} joints along each axis,
beyond that every k-th, k without a common divisor with the coarse factor, which sums to 5 % of a full count). `within`
counts distances up to {_END:g} of the range (283 mm in liver) and must not exceed {TAIL_ERROR:.0e}; `end` is the rest:
the tail fades out there, so that a coarse grid can follow it, and `end` hardly adds to `within`.

"""
COLUMNS = ("nuclide", "medium", "voxel mm (z, y, x)", "joint mm", "factor (z, y, x)", "within", "end", "bound held")
SUMMARY = """
Worst: within {within:.1e}, end {end:.1e}.

### A uniform liver

Ellipsoid of 1.5 L in {size} mm voxels: two scales against one convolution with the whole kernel in double precision.
Largest local error over the local dose, which must stay below {tolerance:.2%}, and share of the dose that the tail
gives at the centre.

"""
LIVER_COLUMNS = ("nuclide", "largest local error", "tail at the centre")


def write() -> str:
    """Return the tables of bounds and of the uniform liver."""
    rows, bounds = [], []
    cases = [(spacing, LIVER) for spacing in SPACINGS] + [(LUNG_SPACING, LUNG)]
    for nuclide in NUCLIDES.values():
        for spacing, tissue in cases:
            kernel = two_scale_kernel(nuclide, spacing, tissue.density_g_per_cm3, tissue)
            bounds.append(bound(kernel))
            rows.append(_bound_row(nuclide, tissue, kernel, bounds[-1]))
    within, end = max(b.within for b in bounds), max(b.misplaced_at_end for b in bounds)
    sides = " x ".join(f"{side:g}" for side in LIVER_SPACING)
    text = INTRO + table(COLUMNS, rows) + SUMMARY.format(within=within, end=end, size=sides, tolerance=LIVER_TOLERANCE)
    return text + table(LIVER_COLUMNS, [_liver_row(nuclide) for nuclide in NUCLIDES.values()])


@dataclass(frozen=True)
class Bound:
    """Share of the emitted energy that the coarse tail misplaces at most.

    Parameters
    ----------
    coarse_factor : tuple of int
        Fine voxels per coarse sample (z, y, x).
    misplaced : float
        Sum of absolute errors of the response to a point source at its worst position.
    position : tuple of int
        That position in the coarse voxel (z, y, x).
    misplaced_at_end : float
        The part of ``misplaced`` in the last tenth of the kernel's range and beyond.
    """

    coarse_factor: tuple[int, int, int]
    misplaced: float
    position: tuple[int, int, int]
    misplaced_at_end: float

    @property
    def within(self) -> float:
        """The part nearer than that."""
        return self.misplaced - self.misplaced_at_end


def bound(kernel: TwoScaleKernel) -> Bound:
    """Return the bound of a kernel: the worst sum of absolute errors over all positions of a point source."""
    spacing, factor = kernel.near.spacing_mm, kernel.coarse_factor
    if max(factor) == 1:
        return Bound(factor, 0.0, (0, 0, 0), 0.0)  # the tail is sampled at every voxel
    lines = [_samples(kernel, axis) for axis in range(3)]
    offsets = [index * side for (index, _), side in zip(lines, spacing, strict=True)]
    exact = kernel.tail.between_voxels((offsets[0], offsets[1], offsets[2]), spacing)
    shape = [int(index[-1]) + f for (index, _), f in zip(lines, factor, strict=True)]
    far = far_field.__wrapped__(kernel, (shape[0], shape[1], shape[2]))  # large, not to be kept
    weight = np.einsum("z,y,x->zyx", *(weights for _, weights in lines))
    outer = _radius(offsets) > _END * kernel.tail.end_mm
    sums = {}
    for position in _positions(factor, spacing, mirrored=True):
        error = np.abs(response(far, position, [index for index, _ in lines]) - exact) * weight
        sums[position] = float(error.sum()), float(error[outer].sum())
    places = _positions(factor, spacing, mirrored=False)
    totals = [(*_all_octants(sums, place, factor, spacing), place) for place in places]
    worst, at_end, position = max(totals)
    return Bound(factor, worst, position, at_end)


def response(far: FarField, position: tuple[int, int, int], offsets: list[np.ndarray]) -> np.ndarray:
    """Return what the operators make of a point source, before negative values are cut, in double precision.

    Parameters
    ----------
    far : FarField
    position : tuple of int
        Voxel of the source (z, y, x).
    offsets : three ndarrays of int
        Voxels from the source along each axis.
    """
    gathered = far.gather(Patch(position, np.ones((1, 1, 1), dtype=np.float32))).astype(float)
    found = _convolved(gathered, far.octant)
    for axis, (matrix, first, index) in enumerate(zip(far.interpolation, position, offsets, strict=True)):
        rows = matrix[first + index].astype(float)
        found = np.moveaxis(np.tensordot(rows, found, axes=(1, axis)), 0, axis)
    return found


def _convolved(gathered: np.ndarray, octant: np.ndarray) -> np.ndarray:
    """Return the gathered point convolved with the tail on the coarse grid."""
    box = [np.flatnonzero(gathered.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    amounts = gathered[np.ix_(*box)]
    # The gathered amount is a product of three vectors; its sum is one.
    vectors = [amounts.sum(axis=tuple({0, 1, 2} - {axis})) for axis in range(3)]
    result = octant
    for axis, (samples, vector) in enumerate(zip(box, vectors, strict=True)):
        index = np.abs(np.arange(octant.shape[axis])[None] - samples[:, None])
        result = sum(w * np.take(result, i, axis=axis) for w, i in zip(vector, index, strict=True))
    return result


def _samples(kernel: TwoScaleKernel, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the offsets along an axis that are looked at, and how many voxels each stands for on one side."""
    side, factor = kernel.near.spacing_mm[axis], kernel.coarse_factor[axis]
    near = math.ceil(_EVERY_VOXEL_JOINTS * kernel.tail.joint_mm / side)
    last = math.ceil(kernel.tail.end_mm / side) + _RINGING * factor
    step = math.ceil((last - near) / _MOST_BEYOND)
    while math.gcd(step, factor) > 1:
        step += 1
    beyond = np.arange(near + step // 2, last + step, step)
    index = np.concatenate([np.arange(near), beyond])
    weights = np.concatenate([np.ones(near), np.full(len(beyond), float(step))])
    weights[0] = 0.5  # both sides have the plane of symmetry
    return index, weights


def _positions(factor: tuple[int, int, int], spacing: Spacing, mirrored: bool) -> list[tuple[int, int, int]]:
    """Return the positions in a coarse voxel that differ by more than a permutation (or a mirror image)."""
    ranges = (range(f if mirrored else (f + 1) // 2) for f in factor)
    return sorted({_canonical(position, factor, spacing) for position in product(*ranges)})


def _canonical(position: tuple[int, ...], factor: tuple[int, int, int], spacing: Spacing) -> tuple[int, int, int]:
    """Return a position with the coordinates of equal axes in rising order."""
    found = list(position)
    for first, second in ((0, 1), (1, 2), (0, 1)):
        if (factor[first], spacing[first]) == (factor[second], spacing[second]) and found[first] > found[second]:
            found[first], found[second] = found[second], found[first]
    return found[0], found[1], found[2]


def _all_octants(
    sums: dict[tuple[int, int, int], tuple[float, float]],
    position: tuple[int, int, int],
    factor: tuple[int, int, int],
    spacing: Spacing,
) -> tuple[float, float]:
    """Return the sums over all eight octants around a position: each is the first octant of a mirror image."""
    images = product(*((s, f - 1 - s) for s, f in zip(position, factor, strict=True)))
    parts = [sums[_canonical(image, factor, spacing)] for image in images]
    return sum(part[0] for part in parts), sum(part[1] for part in parts)


def _radius(offsets: list[np.ndarray]) -> np.ndarray:
    z, y, x = np.ix_(*offsets)
    return np.sqrt(z**2 + y**2 + x**2)


def _bound_row(nuclide: Nuclide, tissue: Tissue, kernel: TwoScaleKernel, found: Bound) -> list[object]:
    sides, factor = (" x ".join(f"{n:g}" for n in numbers) for numbers in (kernel.near.spacing_mm, found.coarse_factor))
    held = "yes" if found.misplaced <= TAIL_ERROR else "except at the end" if found.within <= TAIL_ERROR else "**no**"
    joint = f"{kernel.tail.joint_mm:.1f}"
    shares = f"{found.within:.1e}", f"{found.misplaced_at_end:.1e}"
    return [nuclide.name, tissue.name, sides, joint, factor, *shares, held]


def _liver_row(nuclide: Nuclide) -> list[str]:
    error, tail = liver_error(nuclide)
    held = "" if error <= LIVER_TOLERANCE else " **too large**"
    return [nuclide.name, f"{error:.1e}{held}", f"{tail:.2%}"]


def liver_error(nuclide: Nuclide, spacing: Spacing = LIVER_SPACING) -> tuple[float, float]:
    """Return the largest local error in a uniform liver, and the part of the dose that the tail gives at the centre."""
    half = [math.ceil(semi / side) for semi, side in zip(LIVER_MM, spacing, strict=True)]
    axes = [(np.arange(-n, n + 1) * side / semi) ** 2 for n, side, semi in zip(half, spacing, LIVER_MM, strict=True)]
    liver = axes[0][:, None, None] + axes[1][:, None] + axes[2] <= 1.0
    kernel = two_scale_kernel(nuclide, spacing, LIVER.density_g_per_cm3, LIVER)
    found = convolve(liver.astype(np.float32), kernel)
    reach = 2.0 * max(LIVER_MM) + max(spacing)
    whole = voxel_kernel(nuclide, spacing, LIVER.density_g_per_cm3, reach, LIVER).energy_share
    exact = _convolved_in_double(liver, whole)
    far = found - convolve(liver.astype(np.float32), kernel.near)
    return float(np.abs(found / exact - 1.0)[liver].max()), float(far[tuple(half)] / found[tuple(half)])


def _convolved_in_double(liver: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    shape = [fft.next_fast_len(a + b - 1, real=True) for a, b in zip(liver.shape, kernel.shape, strict=True)]
    full = fft.irfftn(fft.rfftn(liver.astype(float), s=shape) * fft.rfftn(kernel, s=shape), s=shape)
    return full[tuple(slice(k // 2, k // 2 + n) for k, n in zip(kernel.shape, liver.shape, strict=True))]
