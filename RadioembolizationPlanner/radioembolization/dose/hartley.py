"""Convolution of a small box by separable Hartley transforms, done as matrix products."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class HartleyPlan:
    """Matrices to convolve sources of one shape with one kernel.

    The kernel is even along each axis, so the separable Hartley transform (cas = cos + sin along each
    axis) diagonalises the convolution with a real spectrum.  As products with small dense matrices the
    transform takes any length and never touches the zero padding; for boxes that fit into cache this
    beats a fast transform, because matrix products run near the peak of the processor (Dieudonne et al.
    2010, 10.2967/jnumed.110.077115, used a fast Hartley transform for voxel S values).

    Parameters
    ----------
    forward : three ndarrays (n + 2h, n), float32
        Transform of a source placed h voxels inside the widened box, per axis.
    inverse : three ndarrays (n + 2h, n + 2h), float32
    spectrum : ndarray (n + 2h along each axis), float32
    """

    forward: tuple[np.ndarray, np.ndarray, np.ndarray]
    inverse: tuple[np.ndarray, np.ndarray, np.ndarray]
    spectrum: np.ndarray

    @property
    def nbytes(self) -> int:
        """Memory held [bytes]."""
        return sum(m.nbytes for m in (*self.forward, *self.inverse, self.spectrum))

    def spread(self, source: np.ndarray) -> np.ndarray:
        """Return the convolution (n + 2h along each axis) of a source (z, y, x), float32."""
        to_z, to_y, to_x = self.forward
        nz, ny, nx = self.spectrum.shape
        work = source.reshape(-1, source.shape[2]) @ to_x.T
        work = np.matmul(to_y, work.reshape(source.shape[0], source.shape[1], nx))
        work = (to_z @ work.reshape(source.shape[0], -1)).reshape(nz, ny, nx)
        work *= self.spectrum
        from_z, from_y, from_x = self.inverse
        work = from_z @ work.reshape(nz, -1)
        work = np.matmul(from_y, work.reshape(nz, ny, nx))
        return (work.reshape(-1, nx) @ from_x).reshape(nz, ny, nx)


def hartley_plan(octant: np.ndarray, source_shape: tuple[int, ...]) -> HartleyPlan:
    """Return the plan for sources of a shape.

    Parameters
    ----------
    octant : ndarray (a+1, b+1, c+1), float64
        Kernel at offsets 0..a, 0..b, 0..c; even along each axis.
    source_shape : tuple of int
        (z, y, x).
    """
    forward, inverse = [], []
    spectrum = octant
    for axis, (voxels, taps) in enumerate(zip(source_shape, octant.shape, strict=True)):
        length = voxels + 2 * (taps - 1)
        waves = np.arange(length)
        forward.append(_cas(length, waves, np.arange(voxels) + taps - 1))
        inverse.append(_cas(length, waves, waves) / np.float32(length))
        spectrum = even_spectrum(spectrum, axis, length, length)
    return HartleyPlan(
        (forward[0], forward[1], forward[2]),
        (inverse[0], inverse[1], inverse[2]),
        np.ascontiguousarray(spectrum, np.float32),
    )


def even_spectrum(octant: np.ndarray, axis: int, length: int, waves: int) -> np.ndarray:
    """Transform one axis of an even kernel, given for offsets from 0 on, into its real spectrum.

    Parameters
    ----------
    octant : ndarray
    axis : int
    length : int
        Period [voxels].
    waves : int
        Number of frequencies wanted, from 0 on.
    """
    offsets = np.arange(octant.shape[axis])
    cosines = np.cos(2.0 * np.pi / length * (np.outer(np.arange(waves), offsets) % length))
    cosines[:, 1:] *= 2.0
    return np.moveaxis(np.tensordot(cosines, octant, (1, axis)), 0, axis)


def hartley_flops(source_shape: tuple[int, ...], half_width: tuple[int, ...]) -> float:
    """Return the floating-point operations of one convolution."""
    nz, ny, nx = source_shape
    wide = [n + 2 * h for n, h in zip(source_shape, half_width, strict=True)]
    there = nz * ny * nx * wide[2] + nz * ny * wide[1] * wide[2] + nz * math.prod(wide)
    return 2.0 * (there + math.prod(wide) * sum(wide))


def _cas(length: int, waves: np.ndarray, places: np.ndarray) -> np.ndarray:
    angle = 2.0 * np.pi / length * (np.outer(waves, places) % length)
    return (np.cos(angle) + np.sin(angle)).astype(np.float32)
