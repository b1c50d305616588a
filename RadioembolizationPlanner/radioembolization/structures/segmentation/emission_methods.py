"""Where a hot region of an emission image ends: published methods, one class each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from radioembolization.errors import StructureError
from radioembolization.structures.segmentation.blurred_sphere import surface_share
from radioembolization.structures.segmentation.hot_spots import HotSpot

#: The mean of a hot region is taken over voxels above this share of its maximum.
_MEAN_SHARE = 0.7
#: Iterations end when the threshold changes by less than this share of the contrast, or after so many.
_STEADY, _ITERATIONS = 0.01, 20
#: The height of a lesion is the mean within this share of its radius, which noise changes less than its maximum.
_CORE_RADIUS = 0.5
#: No size can be told of lesions with a radius below this share of the resolution.
_LEAST_RADIUS = 0.3


@dataclass(frozen=True, eq=False)
class Delineation:
    """One hot region.

    Parameters
    ----------
    mask : ndarray (z, y, x) of bool
        May be empty.
    threshold : float, optional
        None where a method uses none.
    text : str
        What was done, for a report.
    """

    mask: np.ndarray
    threshold: float | None
    text: str


class EmissionMethod(Protocol):
    """Finds the edge of a hot region."""

    @property
    def lesion_value(self) -> float | None:
        """Value above which all is lesion; None if each hot spot is judged by itself."""

    def delineate(self, spot: HotSpot) -> Delineation:
        """Return the region around a hot spot."""


@dataclass(frozen=True)
class FixedValue:
    """All above one value, in the unit of the image.

    Parameters
    ----------
    value : float
        Above 0.
    """

    value: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.value) and self.value > 0):
            raise StructureError(f"A threshold must be above 0, not {self.value:g}.")

    @property
    def lesion_value(self) -> float | None:
        """The value."""
        return self.value

    def delineate(self, spot: HotSpot) -> Delineation:
        """Return the connected voxels at or above the value."""
        return _by_threshold(spot, self.value, "fixed value")


@dataclass(frozen=True)
class ShareOfMaximum:
    """All above a share of the lesion's own maximum, or of its peak.

    41 % and 50 % are those of the EANM guideline (Boellaard 2015, https://doi.org/10.1007/s00259-014-2961-x); they
    hold for contrasts well above 2:1, since background is not looked at.

    Parameters
    ----------
    share : float
        Between 0 and 1.
    of_peak : bool
        Of the mean within 1 mL around the maximum, which noise changes less.
    """

    share: float = 0.41
    of_peak: bool = False

    def __post_init__(self) -> None:
        check_share(self.share, "The share of the maximum")

    @property
    def lesion_value(self) -> float | None:
        """None: each lesion has its own maximum."""
        return None

    def delineate(self, spot: HotSpot) -> Delineation:
        """Return the connected voxels at or above the share."""
        of, name = (spot.peak, "peak") if self.of_peak else (spot.maximum, "maximum")
        return _by_threshold(spot, self.share * of, f"{self.share:.0%} of the {name} {of:.4g}")


@dataclass(frozen=True)
class BackgroundAdaptive:
    """Above a sum of shares of the lesion's mean and of the background around it.

    ``mean_share x mean + background_share x background``, the mean taken above 70 % of the maximum: the form of
    Schaefer 2008 (https://doi.org/10.1007/s00259-008-0875-1), whose shares belong to a calibrated scanner.  The
    default, half of both, is where the image of a straight edge passes under any symmetric blur.

    Parameters
    ----------
    mean_share, background_share : float
        Above 0 and at most 1.
    """

    mean_share: float = 0.5
    background_share: float = 0.5

    def __post_init__(self) -> None:
        check_share(self.mean_share, "The share of the mean")
        check_share(self.background_share, "The share of the background", 1.0 + 1e-9)

    @property
    def lesion_value(self) -> float | None:
        """None: each lesion has its own background."""
        return None

    def delineate(self, spot: HotSpot) -> Delineation:
        """Return the connected voxels at or above the threshold."""
        mean = float(spot.emission.values[spot.above(_MEAN_SHARE * spot.maximum)].mean())
        threshold = self.mean_share * mean + self.background_share * spot.background
        text = f"{self.mean_share:g} x mean {mean:.4g} + {self.background_share:g} x background {spot.background:.4g}"
        return _by_threshold(spot, threshold, text)


@dataclass(frozen=True)
class SizeAdaptive:
    """At what a blurred sphere of the found size has at its surface, found by iteration.

    Thresholds that follow size and contrast are from Jentzen 2007 (J Nucl Med 48:108-114), who calibrated them with
    phantoms; here they come from the closed form of a sphere seen with the resolution of the image.

    Parameters
    ----------
    fwhm_mm : float, optional
        Full width at half maximum of the image [mm]; default: the resolution stated for the image.
    """

    fwhm_mm: float | None = None

    def __post_init__(self) -> None:
        if self.fwhm_mm is not None and not (np.isfinite(self.fwhm_mm) and self.fwhm_mm > 0):
            raise StructureError(f"The resolution must be above 0 mm, not {self.fwhm_mm:g} mm.")

    @property
    def lesion_value(self) -> float | None:
        """None: each lesion has its own size."""
        return None

    def delineate(self, spot: HotSpot) -> Delineation:
        """Return the connected voxels at or above the threshold of their own size."""
        fwhm_mm = self.fwhm_mm or spot.emission.resolution_mm
        threshold, share = spot.background + 0.5 * (spot.maximum - spot.background), 0.5
        for _ in range(_ITERATIONS):
            radius_mm, core_mm, height = _size(spot, threshold)
            share = surface_share(max(radius_mm, _LEAST_RADIUS * fwhm_mm), fwhm_mm, core_mm)
            before, threshold = threshold, min(spot.background + share * (height - spot.background), spot.maximum)
            if abs(threshold - before) <= _STEADY * (threshold - spot.background):
                break
            threshold = 0.5 * (threshold + before)
        text = f"{share:.0%} of the contrast to background {spot.background:.4g}, for {fwhm_mm:g} mm resolution"
        return _by_threshold(spot, threshold, text)


def _size(spot: HotSpot, threshold: float) -> tuple[float, float, float]:
    """Return the radius of the sphere as large as what is above a threshold, and radius and mean of its core [mm]."""
    grid, index = spot.emission.grid, np.argwhere(spot.above(threshold))
    radius_mm = float((3.0 * len(index) * grid.voxel_ml * 1000.0 / (4.0 * np.pi)) ** (1.0 / 3.0))
    core_mm = max(_CORE_RADIUS * radius_mm, 0.75 * max(grid.spacing_mm))
    distance = np.linalg.norm((index - index.mean(axis=0)) * np.array(grid.spacing_mm), axis=1)
    core = index[distance <= max(core_mm, float(distance.min()))]
    return radius_mm, core_mm, float(spot.emission.values[tuple(core.T)].mean())


def _by_threshold(spot: HotSpot, threshold: float, text: str) -> Delineation:
    return Delineation(spot.above(threshold), threshold, f"above {threshold:.4g} ({text})")


def check_share(share: float, what: str, below: float = 1.0) -> None:
    """Refuse a share that is not between 0 and a bound."""
    if not (np.isfinite(share) and 0.0 < share < below):
        raise StructureError(f"{what} must lie between 0 and {below:.3g}, not {share:g}.")


#: Mean times 0.15 plus background (Nestle 2005, J Nucl Med 46:1342-1348).
NESTLE = BackgroundAdaptive(0.15, 1.0)
