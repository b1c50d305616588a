"""Convolution of a box by a padded fast Fourier transform with a kept real spectrum."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from scipy import fft

from radioembolization.dose.hartley import even_spectrum

#: Boxes with fewer voxels are transformed on one thread.
_THREADED_FROM = 200_000


@dataclass(frozen=True, eq=False)
class FourierPlan:
    """Spectrum to convolve sources of one shape with one kernel.

    Linear, without wrap-around: every axis is padded to the source plus the kernel's reach on both
    sides.  The kernel is even along each axis, so its spectrum is real and takes half the memory.

    Parameters
    ----------
    padded_shape : tuple of int
    half_width : tuple of int
        Reach of the kernel [voxels], (z, y, x).
    spectrum : ndarray (z, y, x // 2 + 1) of padded_shape, float32
    """

    padded_shape: tuple[int, int, int]
    half_width: tuple[int, int, int]
    spectrum: np.ndarray

    @property
    def nbytes(self) -> int:
        """Memory held [bytes]."""
        return self.spectrum.nbytes

    def spread(self, source: np.ndarray) -> np.ndarray:
        """Return the convolution (n + 2h along each axis) of a source (z, y, x), float32."""
        nz, ny, nx = self.padded_shape
        workers = os.cpu_count() if self.spectrum.size > _THREADED_FROM else None
        waves = fft.rfft(source, n=nx, axis=2, workers=workers)  # pads one axis at a time
        waves = fft.fft(waves, n=ny, axis=1, workers=workers)
        waves = fft.fft(waves, n=nz, axis=0, overwrite_x=True, workers=workers)
        waves *= self.spectrum
        spread = fft.irfftn(waves, s=self.padded_shape, overwrite_x=True, workers=workers)
        return _unwrapped(spread, source.shape, self.half_width)


def fourier_plan(octant: np.ndarray, source_shape: tuple[int, ...]) -> FourierPlan:
    """Return the plan for sources of a shape; ``octant`` as for ``hartley_plan``."""
    half = [n - 1 for n in octant.shape]
    nz, ny, nx = (fft.next_fast_len(n + 2 * h, real=True) for n, h in zip(source_shape, half, strict=True))
    spectrum = octant
    for axis, (length, waves) in enumerate(((nz, nz), (ny, ny), (nx, nx // 2 + 1))):
        if axis == 2:
            spectrum = spectrum.astype(np.float32)
        spectrum = even_spectrum(spectrum, axis, length, waves)
    return FourierPlan((nz, ny, nx), (half[0], half[1], half[2]), np.ascontiguousarray(spectrum, np.float32))


def _unwrapped(wrapped: np.ndarray, source_shape: tuple[int, ...], half_width: tuple[int, ...]) -> np.ndarray:
    """Copy a circular result, with the source at index 0, into the widened box."""
    wide = np.empty([n + 2 * h for n, h in zip(source_shape, half_width, strict=True)], np.float32)
    pieces = [
        ((slice(p - h, p), slice(0, h)), (slice(0, n + h), slice(h, n + 2 * h)))
        for p, n, h in zip(wrapped.shape, source_shape, half_width, strict=True)
    ]
    for z in pieces[0]:
        for y in pieces[1]:
            for x in pieces[2]:
                wide[z[1], y[1], x[1]] = wrapped[z[0], y[0], x[0]]
    return wide
