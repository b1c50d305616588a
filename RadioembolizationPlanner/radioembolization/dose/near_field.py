"""Convolution of boxes with the compact part of a kernel, by the faster of two exact transforms."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

import numpy as np
from scipy import fft

from radioembolization.dose.fourier import FourierPlan, fourier_plan
from radioembolization.dose.hartley import HartleyPlan, hartley_flops, hartley_plan

#: Cost of one operation in matrix products, and of one padded voxel of a Fourier transform pair [ns], on one
#: ordinary core.  Fixed rather than measured, so that results do not depend on the day.
_NS_PER_FLOP, _NS_PER_FFT_VOXEL = 0.0145, 8.5
#: Memory for kept plans, and working memory of one transform, above which a source is split [bytes].
PLANS_NBYTES, WORKING_NBYTES = 256 << 20, 1 << 30
#: Working memory of a Fourier transform pair per padded voxel [bytes].
_NBYTES_PER_VOXEL = 16


@dataclass(frozen=True, eq=False)
class Patch:
    """Values in a box of a grid; the box may stick out of the grid.

    Parameters
    ----------
    start : tuple of int
        Index (z, y, x) of the first voxel; may be negative.
    values : ndarray (z, y, x), float32
    """

    start: tuple[int, int, int]
    values: np.ndarray

    def clipped(self, shape: tuple[int, ...]) -> tuple[tuple[slice, ...], np.ndarray]:
        """Return the part inside a grid: its slices there, and its values (a view)."""
        target, piece = [], []
        for first, size, whole in zip(self.start, self.values.shape, shape, strict=True):
            low, high = min(max(first, 0), whole), max(min(first + size, whole), 0)
            target.append(slice(low, max(high, low)))
            piece.append(slice(low - first, max(high, low) - first))
        return tuple(target), self.values[tuple(piece)]


class _Plans:
    """The plans used last, by kernel and shape, up to a size."""

    def __init__(self, nbytes: int) -> None:
        self._plans: OrderedDict[tuple[object, ...], HartleyPlan | FourierPlan] = OrderedDict()
        self._limit, self._held, self._lock = nbytes, 0, Lock()

    def get(self, octant: np.ndarray, key: bytes, shape: tuple[int, ...], hartley: bool) -> HartleyPlan | FourierPlan:
        full_key = (key, shape, hartley)
        with self._lock:
            if full_key in self._plans:
                self._plans.move_to_end(full_key)
                return self._plans[full_key]
        plan = hartley_plan(octant, shape) if hartley else fourier_plan(octant, shape)
        with self._lock:
            if full_key not in self._plans:
                self._plans[full_key] = plan
                self._held += plan.nbytes
            while self._held > self._limit and len(self._plans) > 1:
                self._held -= self._plans.popitem(last=False)[1].nbytes
        return plan

    def clear(self) -> None:
        with self._lock:
            self._plans.clear()
            self._held = 0


_PLANS = _Plans(PLANS_NBYTES)


class NearField:
    """Convolution with one compact kernel, even along each axis.

    Parameters
    ----------
    energy_share : ndarray (2a+1, 2b+1, 2c+1)
    """

    def __init__(self, energy_share: np.ndarray) -> None:
        a, b, c = (n // 2 for n in energy_share.shape)
        self.half_width = (a, b, c)
        self._octant = np.ascontiguousarray(energy_share[a:, b:, c:], dtype=np.float64)
        self._key = self._octant.tobytes()
        self._key = repr(self._octant.shape).encode() + self._key

    def spread(self, source: np.ndarray) -> np.ndarray:
        """Return the convolution of a source (z, y, x), widened by the half width on all sides, float32."""
        values = np.ascontiguousarray(source, dtype=np.float32)
        plan = _PLANS.get(self._octant, self._key, values.shape, self.prefers_hartley(values.shape))
        return plan.spread(values)

    def patch(self, source: Patch) -> Patch:
        """Return the convolution of a patch."""
        z, y, x = (first - half for first, half in zip(source.start, self.half_width, strict=True))
        return Patch((z, y, x), self.spread(source.values))

    def prefers_hartley(self, shape: tuple[int, ...]) -> bool:
        """Return whether matrix products are the faster transform for sources of a shape."""
        return hartley_flops(shape, self.half_width) * _NS_PER_FLOP < self.cost_ns(shape, hartley=False)

    def cost_ns(self, shape: tuple[int, ...], hartley: bool | None = None) -> float:
        """Return the estimated time of one convolution [ns] by the faster (or a given) transform."""
        matrix = hartley_flops(shape, self.half_width) * _NS_PER_FLOP + 2e4
        fourier = self._padded_voxels(shape) * _NS_PER_FFT_VOXEL + 1e5
        if hartley is None:
            return min(matrix, fourier)
        return matrix if hartley else fourier

    def in_pieces(self, source: Patch) -> Iterator[Patch]:
        """Split a patch until each piece, trimmed to what is not zero, fits into the working memory."""
        trimmed = trim(source)
        if trimmed is None:
            return
        shape = trimmed.values.shape
        if self._padded_voxels(shape) * _NBYTES_PER_VOXEL <= WORKING_NBYTES or max(shape) <= 2 * max(self.half_width):
            yield trimmed
            return
        axis = int(np.argmax(shape))
        half = shape[axis] // 2
        for low, high in ((0, half), (half, shape[axis])):
            piece = [slice(None)] * 3
            piece[axis] = slice(low, high)
            start = list(trimmed.start)
            start[axis] += low
            yield from self.in_pieces(Patch((start[0], start[1], start[2]), trimmed.values[tuple(piece)]))

    def _padded_voxels(self, shape: tuple[int, ...]) -> int:
        lengths = (fft.next_fast_len(n + 2 * h, real=True) for n, h in zip(shape, self.half_width, strict=True))
        return math.prod(lengths)


def trim(source: Patch) -> Patch | None:
    """Return the smallest patch with all that is not zero; None if nothing is."""
    filled = source.values != 0
    start, box = [], []
    for axis in range(3):
        along = np.flatnonzero(filled.any(axis=tuple({0, 1, 2} - {axis})))
        if not len(along):
            return None
        box.append(slice(int(along[0]), int(along[-1]) + 1))
        start.append(source.start[axis] + int(along[0]))
    return Patch((start[0], start[1], start[2]), source.values[tuple(box)])


def forget_plans() -> None:
    """Free the memory of kept plans."""
    _PLANS.clear()
