"""The edge of a hot region where the image is steepest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from radioembolization.structures.segmentation.blurred_sphere import FWHM_PER_SIGMA
from radioembolization.structures.segmentation.emission_methods import Delineation, check_share
from radioembolization.structures.segmentation.hot_spots import HotSpot, connected_at

#: Markers: the core is above this share of the contrast, the surroundings farther than this number of resolution
#: widths from what is above half of it.
_CORE_SHARE, _OUTSIDE_WIDTHS = 0.8, 1.0


@dataclass(frozen=True)
class GradientEdge:
    """Where the image is steepest around the maximum: a watershed of the gradient's magnitude from two markers.

    The idea of Geets 2007 (Eur J Nucl Med Mol Imaging 34:1427-1438), without its deblurring.

    Parameters
    ----------
    smoothing : float
        Width of the Gaussian under which the gradient is taken, as a share of the resolution.
    """

    smoothing: float = 0.5

    def __post_init__(self) -> None:
        check_share(self.smoothing, "The smoothing", 2.0)

    @property
    def lesion_value(self) -> float | None:
        """None: each lesion has its own edge."""
        return None

    def delineate(self, spot: HotSpot) -> Delineation:
        """Return the basin of the maximum."""
        contrast = spot.maximum - spot.background
        half = spot.above(spot.background + 0.5 * contrast)
        box = _around(half, spot, 2.0 * spot.emission.resolution_mm)
        core = spot.above(spot.background + _CORE_SHARE * contrast)[box]
        away = ndimage.distance_transform_edt(~half[box], sampling=spot.emission.grid.spacing_mm)
        outside = away > _OUTSIDE_WIDTHS * spot.emission.resolution_mm
        markers = core.astype(np.uint8) + 2 * outside.astype(np.uint8)
        mask = np.zeros(spot.emission.grid.shape, dtype=bool)
        mask[box] = _basin(spot.emission.values[box], markers, self._sigma_mm(spot), spot.emission.grid.spacing_mm)
        mask = connected_at(mask & spot.emission.allowed, spot.index)
        return Delineation(mask, None, "watershed of the gradient")

    def _sigma_mm(self, spot: HotSpot) -> float:
        emission = spot.emission
        return max(self.smoothing * emission.resolution_mm / FWHM_PER_SIGMA, 0.5 * min(emission.grid.spacing_mm))


def _basin(values: np.ndarray, markers: np.ndarray, sigma_mm: float, spacing_mm: tuple[float, ...]) -> np.ndarray:
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.SetSpacing([float(s) for s in spacing_mm[::-1]])
    marked = sitk.GetImageFromArray(markers)
    marked.CopyInformation(image)
    gradient = sitk.GradientMagnitudeRecursiveGaussian(image, sigma_mm)
    return sitk.GetArrayFromImage(sitk.MorphologicalWatershedFromMarkers(gradient, marked, False, False)) == 1


def _around(mask: np.ndarray, spot: HotSpot, margin_mm: float) -> tuple[slice, ...]:
    """Return the box of a mask and a margin, at least four voxels along each axis as filters need."""
    index = np.argwhere(mask)
    reach = np.maximum(4, np.ceil(margin_mm / np.array(spot.emission.grid.spacing_mm)).astype(int))
    low, high = np.maximum(0, index.min(axis=0) - reach), index.max(axis=0) + reach + 1
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
