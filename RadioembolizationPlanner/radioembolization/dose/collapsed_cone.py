"""Transport of electron energy along straight rays through any density: a collapsed-cone scheme.

Along a ray energy runs out with mass depth, so where density changes the range changes with it: exact
for plane layers of one composition (Dieudonne et al. 2013, 10.2967/jnumed.112.112151, scale kernels by
density in the same spirit; Ahnesjo 1989, 10.1118/1.596360, introduced collapsed cones).  The sphere of
directions is divided into equal parts; the energy of each part runs along the lines of voxels in that
direction, in a recursion that costs the same for any range.  No energy is lost but through the box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radioembolization.dose.threads import map_on_threads
from radioembolization.physics.ray_kernel import RayKernel

#: Directions in half a sphere; each is used both ways.
DIRECTIONS = 128
#: Directions are worked on in this many parts, whatever the number of cores, so that sums have one order; in
#: fewer where each part's result takes much memory.
_PARTS, _FEW_PARTS, _LARGE = 8, 2, 8_000_000
#: Smallest mass depth of one step [g/cm2], below which single precision cannot resolve it.
_LEAST_STEP = 2e-5


@dataclass(frozen=True, eq=False)
class _Line:
    """A family of parallel lines of voxels.

    One voxel in each plane along ``axis``; from plane to plane a line moves by the rounded multiples of
    its slope.  Seen from all planes the rounding is spread evenly, so a line shares its energy between
    voxels as a straight beam as wide as a voxel does.
    """

    axis: int
    forward: bool
    slopes: tuple[float, float]
    step_cm: float


def transport(
    activity: np.ndarray,
    depth_density: np.ndarray | float,
    spacing_mm: tuple[float, float, float],
    kernel: RayKernel,
    directions: int = DIRECTIONS,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Return the energy of electrons absorbed in each voxel.

    Parameters
    ----------
    activity : ndarray (z, y, x)
        Any amount per voxel.
    depth_density : ndarray (z, y, x) or float
        Mass depth in water of one centimetre [g/cm2], that is density times the tissue's depth factor.
    spacing_mm : tuple of float
        (z, y, x) [mm].
    kernel : RayKernel
    directions : int
        In half a sphere.
    progress : callable, optional
        Called with (parts done, parts); an exception it raises ends the computation.

    Returns
    -------
    ndarray (z, y, x) of float32
        In the unit of ``activity`` times the emitted energy; the sum falls short of
        ``activity.sum() * kernel.share`` by what leaves the box.  The ripple of the kernel's fit can leave
        values of about -0.1 % of the largest.
    """
    source = np.ascontiguousarray(activity, dtype=np.float32)
    density = np.asarray(depth_density, dtype=np.float32)
    lines = [line for vector in half_sphere(directions) for line in _lines(vector, spacing_mm)]
    count = _FEW_PARTS if source.size > _LARGE else _PARTS
    parts = [lines[first::count] for first in range(count)]

    def run(part: list[_Line]) -> np.ndarray:
        absorbed = np.zeros(source.shape, dtype=np.float32)
        for line in part:
            _sweep(source, density, line, kernel, absorbed)
        return absorbed

    total = np.zeros(source.shape, dtype=np.float32)
    for done, absorbed in enumerate(map_on_threads(run, parts), start=1):
        total += absorbed
        if progress:
            progress(done, len(parts))
    total *= np.float32(kernel.share / len(lines))
    return total


def half_sphere(count: int) -> np.ndarray:
    """Return unit vectors (count, 3) in z, y, x order that divide half a sphere into equal parts.

    A Fibonacci lattice, turned so that no direction lies along an axis of the grid.
    """
    index = np.arange(count)
    up = (index + 0.5) / count
    angle = np.pi * (1.0 + np.sqrt(5.0)) * index
    across = np.sqrt(1.0 - up**2)
    vectors = np.stack([up, across * np.sin(angle), across * np.cos(angle)], axis=1)
    cosines, sines = np.cos([0.4, 1.1]), np.sin([0.4, 1.1])
    tilt = np.array([[cosines[0], -sines[0], 0.0], [sines[0], cosines[0], 0.0], [0.0, 0.0, 1.0]])
    turn = np.array([[1.0, 0.0, 0.0], [0.0, cosines[1], -sines[1]], [0.0, sines[1], cosines[1]]])
    return np.asarray(vectors @ (turn @ tilt).T)


def _lines(vector: np.ndarray, spacing_mm: tuple[float, float, float]) -> tuple[_Line, _Line]:
    """Return the lines of voxels along a direction, both ways."""
    voxels = vector / np.array(spacing_mm)
    axis = int(np.abs(voxels).argmax())
    first, second = (voxels[i] / abs(voxels[axis]) for i in range(3) if i != axis)
    step_cm = spacing_mm[axis] / abs(vector[axis]) / 10.0
    upwards = bool(voxels[axis] > 0)
    return _Line(axis, upwards, (first, second), step_cm), _Line(axis, not upwards, (-first, -second), step_cm)


def _sweep(activity: np.ndarray, density: np.ndarray, line: _Line, kernel: RayKernel, absorbed: np.ndarray) -> None:
    """Carry energy along one family of lines and add what each voxel absorbs."""
    planes = np.moveaxis(activity, line.axis, 0)
    into = np.moveaxis(absorbed, line.axis, 0)
    dense = np.moveaxis(density, line.axis, 0) if density.ndim else None
    terms = np.arange(1, len(kernel.weights) + 1, dtype=np.float32)[:, None, None]
    weights = kernel.weights.astype(np.float32)
    rate = np.float32(kernel.decay_per_g_cm2 * line.step_cm)
    filled = np.flatnonzero(planes.any(axis=(1, 2)))
    if not len(filled):
        return
    order = range(filled[0], len(planes)) if line.forward else range(filled[-1], -1, -1)
    shifts = [np.floor(np.arange(len(order)) * slope + 0.5).astype(int) for slope in line.slopes]
    size = planes.shape[1:]
    origin = [max(0, int(shift[-1])) for shift in shifts]
    carried = np.zeros((len(terms), *(n + abs(int(s[-1])) for n, s in zip(size, shifts, strict=True))), np.float32)
    left = np.zeros(carried.shape[1:], np.float32)
    if dense is None:
        thick = rate * np.float32(density)
        kept, mean = _step(np.full((1, 1), thick, np.float32), terms)
    for count, plane in enumerate(order):
        starts = [first - int(shift[count]) for first, shift in zip(origin, shifts, strict=True)]
        window = tuple(slice(start, start + n) for start, n in zip(starts, size, strict=True))
        here, rest = carried[:, window[0], window[1]], left[window]
        if dense is not None:
            thick = np.maximum(dense[plane] * rate, np.float32(_LEAST_STEP * kernel.decay_per_g_cm2))
            kept, mean = _step(thick, terms)
        emitted = planes[plane]
        here *= kept
        here += emitted * mean
        after = np.tensordot(weights, here, axes=1)
        into[plane] += rest + emitted - after
        rest[...] = after


def _step(thick: np.ndarray, terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what is left of each term (terms, y, x) after a voxel, and the mean over emission inside it."""
    kept = np.empty((len(terms), *thick.shape), np.float32)
    np.exp(-thick, out=kept[0])
    for term in range(1, len(terms)):
        np.multiply(kept[term - 1], kept[0], out=kept[term])
    return kept, (1.0 - kept) / (terms * thick)
