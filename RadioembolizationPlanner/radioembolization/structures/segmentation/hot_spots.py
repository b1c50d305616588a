"""Where an emission image is hot: maxima, what surrounds them, and how much they stand out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from radioembolization.images import Grid
from radioembolization.structures.segmentation.blurred_sphere import FWHM_PER_SIGMA

#: Radius of the sphere of 1 mL whose mean is the peak [mm].
_PEAK_RADIUS_MM = 6.2
#: Background is taken from a shell of this thickness [mm] that begins one resolution width outside the hot region.
_SHELL_MM = 15.0
#: Fewer voxels make no background.
_LEAST_VOXELS = 20
#: Without a region, voxels below this share of the maximum are air and count for no background.
_AIR_SHARE = 0.05
#: A valley between two lesions falls below this share of the contrast of the lower one.
_VALLEY_SHARE = 0.7
#: From median absolute deviation to standard deviation of a normal distribution.
_MAD_TO_SD = 1.4826
#: A hot spot stands out by so many standard deviations of the smoothed region.
_LEAST_DEVIATIONS = 3.0


@dataclass(frozen=True, eq=False)
class Emission:
    """What may be searched of an emission image.

    Parameters
    ----------
    values : ndarray (z, y, x) of float32
        Not negative.
    allowed : ndarray (z, y, x) of bool
        Where lesions may lie.
    grid : Grid
    resolution_mm : float
        Full width at half maximum of the image [mm].
    """

    values: np.ndarray
    allowed: np.ndarray
    grid: Grid
    resolution_mm: float

    @cached_property
    def smoothed(self) -> np.ndarray:
        """Values (z, y, x) blurred by half the resolution, which hides noise."""
        sigma = 0.5 * self.resolution_mm / FWHM_PER_SIGMA / np.array(self.grid.spacing_mm)
        return ndimage.gaussian_filter(self.values, sigma, mode="nearest")

    @cached_property
    def background(self) -> tuple[float, float]:
        """Median and robust standard deviation of the smoothed region."""
        inside = self.smoothed[self.allowed]
        if self.allowed.all():
            inside = inside[inside > _AIR_SHARE * inside.max()]
        middle = float(np.median(inside))
        return middle, _MAD_TO_SD * float(np.median(np.abs(inside - middle)))

    def within(self, index: tuple[int, ...], radius_mm: float) -> tuple[tuple[slice, ...], np.ndarray]:
        """Return the box around a voxel as slices, and which of its voxels lie within a radius."""
        reach = [int(radius_mm / s) for s in self.grid.spacing_mm]
        box = tuple(slice(max(0, i - r), i + r + 1) for i, r in zip(index, reach, strict=True))
        offsets = np.meshgrid(
            *(np.arange(b.start, min(b.stop, n)) - i for b, i, n in zip(box, index, self.grid.shape, strict=True)),
            indexing="ij",
        )
        squared = sum((o * s) ** 2 for o, s in zip(offsets, self.grid.spacing_mm, strict=True))
        return box, np.asarray(squared <= radius_mm**2)

    def summit(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """Return the hottest voxel that is reached from a maximum without descending far from its height.

        Noise makes many maxima in one lesion; between two lesions, the image falls below 70 % of the contrast.
        """
        while True:
            level = self.background[0] + _VALLEY_SHARE * (float(self.values[index]) - self.background[0])
            reached = connected_at(self.allowed & (self.values >= level), index)
            highest = np.unravel_index(int(np.where(reached, self.values, -1.0).argmax()), self.values.shape)
            if self.values[highest] <= self.values[index]:
                return index
            index = tuple(int(i) for i in highest)

    def hottest_near(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """Return the hottest allowed voxel within half a resolution width of an allowed one."""
        box, near = self.within(index, 0.5 * self.resolution_mm)
        candidates = np.where(near & self.allowed[box], self.values[box], -1.0)
        at = np.unravel_index(int(candidates.argmax()), candidates.shape)
        return tuple(int(a + b.start) for a, b in zip(at, box, strict=True))


@dataclass(frozen=True, eq=False)
class HotSpot:
    """A maximum and its surroundings.

    Parameters
    ----------
    emission : Emission
    index : tuple of int
        Voxel (z, y, x) of the maximum.
    background, scatter : float
        Median and standard deviation around the hot region.
    is_local : bool
        Whether they come from around it, not from the whole region.
    """

    emission: Emission
    index: tuple[int, ...]
    background: float
    scatter: float
    is_local: bool

    @property
    def maximum(self) -> float:
        """Value of its hottest voxel."""
        return float(self.emission.values[self.index])

    @property
    def peak(self) -> float:
        """Mean within the sphere of 1 mL around the maximum."""
        box, near = self.emission.within(self.index, _PEAK_RADIUS_MM)
        return float(self.emission.values[box][near & self.emission.allowed[box]].mean())

    def above(self, threshold: float) -> np.ndarray:
        """Return the allowed voxels (z, y, x) at or above a threshold that are connected to the maximum."""
        return connected_at(self.emission.allowed & (self.emission.values >= threshold), self.index)


def connected_at(mask: np.ndarray, index: tuple[int, ...]) -> np.ndarray:
    """Return the part of a mask (z, y, x) connected to a voxel through sides; empty if it is not in the mask."""
    labels, _ = ndimage.label(mask)
    return labels == labels[index] if labels[index] else np.zeros_like(mask)


def hot_spots(emission: Emission, least_contrast: float, starts: np.ndarray | None = None) -> list[tuple[int, ...]]:
    """Return the maxima that stand out of their region, hottest first.

    A maximum is higher than everything within a resolution width, and its smoothed value is above the median of the
    region by the least contrast and by three standard deviations.  Only maxima of the smoothed image within ``starts``
    (z, y, x), if given, are followed to their summits.
    """
    smoothed = emission.smoothed
    middle, deviation = emission.background
    floor = max(least_contrast * middle, middle + _LEAST_DEVIATIONS * deviation)
    size = [2 * max(1, int(emission.resolution_mm / s)) + 1 for s in emission.grid.spacing_mm]
    highest = ndimage.maximum_filter(np.where(emission.allowed, smoothed, 0.0), size)
    found = np.argwhere(
        emission.allowed & (smoothed >= highest) & (smoothed >= floor) & (smoothed > 0) & (starts is None or starts)
    )
    spots = dict.fromkeys(emission.summit(emission.hottest_near(tuple(int(i) for i in at))) for at in found)
    return sorted(spots, key=lambda at: (-float(emission.values[at]), at))


def hot_spot(emission: Emission, index: tuple[int, ...]) -> HotSpot:
    """Return a maximum with the background of a shell around what is above half way to the region's median."""
    middle, deviation = emission.background
    hot = emission.values >= middle + 0.5 * (float(emission.values[index]) - middle)
    own = connected_at(hot & emission.allowed, index)
    reach = np.ceil((emission.resolution_mm + _SHELL_MM) / np.array(emission.grid.spacing_mm)).astype(int) + 1
    ends = np.argwhere(own)
    box = tuple(
        slice(max(0, int(a - r)), int(b + r + 1))
        for a, b, r in zip(ends.min(axis=0), ends.max(axis=0), reach, strict=True)
    )
    away = ndimage.distance_transform_edt(~own[box], sampling=emission.grid.spacing_mm)
    shell = (away > emission.resolution_mm) & (away <= emission.resolution_mm + _SHELL_MM)
    values = emission.values[box][shell & emission.allowed[box] & ~hot[box]]
    if len(values) < _LEAST_VOXELS:
        return HotSpot(emission, index, middle, deviation, False)
    median = float(np.median(values))
    return HotSpot(emission, index, median, _MAD_TO_SD * float(np.median(np.abs(values - median))), True)
