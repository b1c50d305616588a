"""Images made ready for registration: windowed, averaged to coarse voxels, with mask and foreground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from radioembolization.errors import ImageError
from radioembolization.images.grid import Grid
from radioembolization.images.volume import Unit, Volume

#: Voxels of the two levels of the search [mm]; finer detail hardly moves a rigid or affine result.
COARSE_MM, FINE_MM = 8.0, 4.0
#: Soft tissue and its borders to lung and fat; metal, bone and padding would take most bins of the histogram.
_WINDOW_HU = (-500.0, 500.0)
#: What is denser belongs to the body [HU].
_BODY_HU = -300.0
_COUNTS_PERCENTILE = 99.9
_OTHER_PERCENTILES = (0.5, 99.5)
_LEAST_VOXELS = 4


@dataclass(frozen=True, eq=False)
class Level:
    """An image at one voxel size.

    Parameters
    ----------
    image : SimpleITK.Image
        Windowed values, float32.
    mask : SimpleITK.Image, optional
        Where the image counts.
    foreground : ndarray (z, y, x) of bool
        Body, or what is bright, inside the mask.
    """

    image: sitk.Image
    mask: sitk.Image | None
    foreground: np.ndarray

    @property
    def grid(self) -> Grid:
        """Where its voxels lie."""
        return _grid_of(self.image)

    @property
    def array(self) -> np.ndarray:
        """Windowed values (z, y, x)."""
        return sitk.GetArrayViewFromImage(self.image)

    @property
    def inside(self) -> np.ndarray:
        """Voxels (z, y, x) of bool inside the mask; all without one."""
        if self.mask is None:
            return np.ones(self.foreground.shape, dtype=bool)
        return sitk.GetArrayViewFromImage(self.mask) > 0

    @property
    def centre_lps_mm(self) -> np.ndarray:
        """Mean position (3,) of the foreground in LPS [mm]."""
        return self.grid.to_lps(np.argwhere(self.foreground)).mean(axis=0)


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """Both levels of one image."""

    coarse: Level
    fine: Level


def prepared(volume: Volume, mask: np.ndarray | None, name: str) -> PreparedImage:
    """Return an image ready for registration.

    Parameters
    ----------
    volume : Volume
        CT is windowed to -500..500 HU; of counts and activity the root is taken, so that few hot voxels do not
        hide the rest.
    mask : ndarray (z, y, x) of bool, optional
        Only these voxels count.
    name : str
        For messages: "fixed" or "moving".

    Raises
    ------
    ImageError
        If the image has too few slices or is constant, or the mask is empty or not on its grid.
    """
    _check(volume, mask, name)
    values = _windowed(volume)
    region = None if mask is None else np.asarray(mask, dtype=bool)
    seen = values if region is None else values[region]
    if float(seen.max()) - float(seen.min()) < 1e-6:
        where = "" if region is None else " inside its mask"
        raise ImageError(
            f"The {name} image is constant{where} ({volume.array.flat[0]:g} {volume.unit}): there is nothing to align. "
            "Check that the right series was chosen."
        )
    coarse, fine = (_level(volume, values, region, spacing) for spacing in (COARSE_MM, FINE_MM))
    for level in (coarse, fine):
        if not level.foreground.any():
            raise ImageError(f"Nothing in the {name} image stands out from its background: check image and mask.")
    return PreparedImage(coarse, fine)


def _check(volume: Volume, mask: np.ndarray | None, name: str) -> None:
    if min(volume.grid.shape) < _LEAST_VOXELS:
        raise ImageError(
            f"The {name} image has {volume.grid.shape} voxels (z, y, x); registration needs at least {_LEAST_VOXELS} "
            "along each axis: use the whole series, not one slice."
        )
    if mask is None:
        return
    if np.shape(mask) != volume.grid.shape:
        raise ImageError(
            f"The mask of the {name} image has shape {np.shape(mask)}, the image {volume.grid.shape}: "
            "resample the mask onto the grid of its image."
        )
    if not np.any(mask):
        raise ImageError(f"The mask of the {name} image is empty: draw it, or leave it out.")


def _windowed(volume: Volume) -> np.ndarray:
    values = volume.array.astype(np.float32)
    if volume.unit is Unit.HU:
        return np.clip(values, *_WINDOW_HU)
    if volume.unit in (Unit.COUNTS, Unit.BQ_PER_ML):
        values = np.sqrt(np.maximum(values, 0.0))
        return np.minimum(values, np.percentile(values, _COUNTS_PERCENTILE) or values.max())
    low, high = np.percentile(values, _OTHER_PERCENTILES)
    return np.clip(values, low, high) if high > low else values


def _level(volume: Volume, values: np.ndarray, mask: np.ndarray | None, spacing_mm: float) -> Level:
    factors = [
        max(1, min(round(spacing_mm / side), n // _LEAST_VOXELS))
        for side, n in zip(volume.grid.spacing_mm[::-1], volume.grid.shape[::-1], strict=True)
    ]
    image = sitk.BinShrink(_image(values.astype(np.float32), volume.grid), factors)
    shrunk_mask, inside = None, None
    if mask is not None:
        share = sitk.BinShrink(_image(mask.astype(np.float32), volume.grid), factors)
        shrunk_mask = sitk.Cast(share > 0.0, sitk.sitkUInt8)
        inside = sitk.GetArrayFromImage(shrunk_mask) > 0
    array = sitk.GetArrayFromImage(image)
    foreground = array > _threshold(array if inside is None else array[inside], volume.unit)
    return Level(image, shrunk_mask, foreground if inside is None else foreground & inside)


def _threshold(values: np.ndarray, unit: Unit) -> float:
    """Return the value above which voxels are foreground: body in CT, else by Otsu's method."""
    if unit is Unit.HU and values.max() > _BODY_HU > values.min():
        return _BODY_HU
    otsu = sitk.OtsuThresholdImageFilter()
    otsu.Execute(sitk.GetImageFromArray(values.reshape(1, 1, -1)))
    return min(otsu.GetThreshold(), float(values.max()) - 1e-6 * float(np.ptp(values)))


def _image(array: np.ndarray, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    return image


def _grid_of(image: sitk.Image) -> Grid:
    return Grid(image.GetSize()[::-1], image.GetSpacing()[::-1], image.GetOrigin(), image.GetDirection())
