"""The smooth tail of a kernel, convolved on a coarse grid and interpolated to the fine one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import fft

from radioembolization.dose.near_field import Patch
from radioembolization.physics import TwoScaleKernel

#: Coarse samples in one interpolation (Lagrange, degree 5), and coarse samples beyond the grid on each side.
_TAPS = 6
_MARGIN = _TAPS // 2


@dataclass(frozen=True, eq=False)
class FarField:
    """Convolution with the tail of a kernel on one grid.

    Sources are gathered on every m-th voxel by the transposed interpolation, which keeps their amount
    and their first five moments; the coarse map is convolved with the tail and interpolated back.  Both
    steps err with the sixth power of the sampling distance.  See ``TwoScaleKernel`` for the bound.

    Parameters
    ----------
    interpolation : three ndarrays (fine, coarse), float32
        Per axis (z, y, x).
    octant : ndarray (z, y, x), float64
        Tail at all offsets of the coarse grid, from 0 on; even along each axis.
    factor : tuple of int
        Fine voxels per coarse sample (z, y, x).
    """

    interpolation: tuple[np.ndarray, np.ndarray, np.ndarray]
    octant: np.ndarray
    factor: tuple[int, int, int]

    @property
    def coarse_shape(self) -> tuple[int, int, int]:
        """Samples (z, y, x) of the coarse grid."""
        z, y, x = self.octant.shape
        return z, y, x

    def gather(self, source: Patch) -> np.ndarray:
        """Return a source inside the grid as amounts on the coarse grid (z, y, x)."""
        matrices = [
            matrix[first : first + size]
            for matrix, first, size in zip(self.interpolation, source.start, source.values.shape, strict=True)
        ]
        target = [_filled_range(matrix, 1) for matrix in matrices]
        to_z, to_y, to_x = (matrix[:, part] for matrix, part in zip(matrices, target, strict=True))
        nz, ny, nx = source.values.shape
        values = np.ascontiguousarray(source.values, dtype=np.float32)
        work = (values.reshape(-1, nx) @ to_x).reshape(nz, ny, -1)
        work = np.matmul(to_y.T, work)
        gathered = np.zeros(self.coarse_shape, dtype=np.float32)
        gathered[tuple(target)] = (to_z.T @ work.reshape(nz, -1)).reshape(-1, *work.shape[1:])
        return gathered

    def spread(self, gathered: np.ndarray, box: Sequence[slice]) -> Iterator[np.ndarray]:
        """Yield, for each gathered source (sources, z, y, x), the absorbed share in a box of the fine grid.

        Parameters
        ----------
        gathered : ndarray (sources, z, y, x)
        box : three slices with start and stop
        """
        matrices = [matrix[part] for matrix, part in zip(self.interpolation, box, strict=True)]
        target = [_filled_range(matrix, 1) for matrix in matrices]
        filled = (gathered != 0).any(axis=0)
        source = [_filled_range(filled, axis) for axis in (0, 1, 2)]
        lengths, spectrum = self._spectrum(source, target)
        cut = tuple(slice(0, part.stop - part.start) for part in target)
        from_z, from_y, from_x = (matrix[:, part] for matrix, part in zip(matrices, target, strict=True))
        for amounts in gathered:
            waves = fft.rfftn(amounts[tuple(source)], s=lengths)
            waves *= spectrum
            coarse = fft.irfftn(waves, s=lengths, overwrite_x=True)[cut]
            work = (from_z @ coarse.reshape(coarse.shape[0], -1)).reshape(-1, *coarse.shape[1:])
            spread = np.matmul(np.matmul(from_y, work), from_x.T)
            yield np.maximum(spread, 0.0, out=spread)

    @cached_property
    def _whole_acceptance(self) -> np.ndarray:
        sums = [matrix.sum(axis=0) for matrix in self.interpolation]
        return self.acceptance(np.einsum("z,y,x->zyx", *sums))

    def acceptance(self, weights: np.ndarray) -> np.ndarray:
        """Return the share (z, y, x) of each gathered amount that a gathered weight of voxels absorbs."""
        whole = [slice(0, n) for n in self.coarse_shape]
        lengths, spectrum = self._spectrum(whole, whole)
        accepted = fft.irfftn(fft.rfftn(weights, s=lengths) * spectrum, s=lengths)
        return np.asarray(accepted[tuple(whole)], dtype=float)

    def totals(self, gathered: np.ndarray, relative_density: np.ndarray | None = None) -> np.ndarray:
        """Return the share of each source (sources, z, y, x) absorbed on the whole fine grid (sources,).

        ``relative_density`` (z, y, x) weighs the voxels, for maps of dose in a medium of varying density.
        """
        if relative_density is None:
            accepted = self._whole_acceptance
        else:
            accepted = self.acceptance(self.gather(Patch((0, 0, 0), relative_density)))
        return np.tensordot(gathered.astype(float), accepted, axes=3)

    def _spectrum(self, source: list[slice], target: list[slice]) -> tuple[list[int], np.ndarray]:
        """Return transform lengths, and the spectrum that carries a source range to the start of a target range."""
        wrapped, lengths = self.octant, []
        for axis, (here, there) in enumerate(zip(source, target, strict=True)):
            sizes = here.stop - here.start, there.stop - there.start
            length = fft.next_fast_len(sum(sizes) - 1, real=True)
            step = np.arange(length)
            step[sizes[1] :] -= length  # offsets of targets before the source wrap around
            offset = np.minimum(np.abs(step + there.start - here.start), self.octant.shape[axis] - 1)
            wrapped = np.take(wrapped, offset, axis=axis)
            lengths.append(length)
        return lengths, fft.rfftn(wrapped.astype(np.float32))


@lru_cache(maxsize=8)
def far_field(kernel: TwoScaleKernel, shape: tuple[int, int, int]) -> FarField:
    """Return the far field of a kernel on a grid of a shape (z, y, x)."""
    z, y, x = (_lagrange(voxels, factor) for voxels, factor in zip(shape, kernel.coarse_factor, strict=True))
    spacing = kernel.near.spacing_mm
    offsets = [
        np.arange(matrix.shape[1]) * factor * side
        for matrix, factor, side in zip((z, y, x), kernel.coarse_factor, spacing, strict=True)
    ]
    octant = kernel.tail.between_voxels((offsets[0], offsets[1], offsets[2]), spacing)
    return FarField((z, y, x), octant, kernel.coarse_factor)


def _filled_range(values: np.ndarray, axis: int) -> slice:
    """Return the range along an axis that holds everything that is not zero."""
    index = np.flatnonzero(np.any(values, axis=tuple(set(range(values.ndim)) - {axis})))
    return slice(int(index[0]), int(index[-1]) + 1) if len(index) else slice(0, 1)


def _lagrange(voxels: int, factor: int) -> np.ndarray:
    """Return the interpolation matrix (voxels, samples) from every ``factor``-th position to all voxels."""
    if factor == 1:
        return np.eye(voxels, dtype=np.float32)
    samples = -(-voxels // factor) + 2 * _MARGIN
    position = (np.arange(voxels) - (factor - 1) / 2.0) / factor + _MARGIN
    first = np.floor(position).astype(int) - (_TAPS // 2 - 1)
    matrix = np.zeros((voxels, samples), dtype=np.float32)
    for tap in range(_TAPS):
        weight = np.ones(voxels)
        for other in range(_TAPS):
            if other != tap:
                weight *= (position - (first + other)) / (tap - other)
        matrix[np.arange(voxels), first + tap] = weight
    return matrix
