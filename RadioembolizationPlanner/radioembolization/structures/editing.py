"""Uniting, cutting, growing and cleaning of masks, on any grids, with volumes stated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from radioembolization.errors import StructureError
from radioembolization.images import Grid, resample_mask

#: Distances equal to a margin up to rounding count as within it [mm].
_ROUNDING_MM = 1e-6
#: Neighbours of a voxel: the 6 that share a side.
_SIX = ndimage.generate_binary_structure(3, 1)


@dataclass(frozen=True, eq=False)
class Region:
    """A named mask on its grid.

    Parameters
    ----------
    name : str
    mask : ndarray (z, y, x) of bool
        Not empty; read-only.
    grid : Grid
    notes : tuple of str
        What an operation did that its user may not expect, such as resampling.

    Raises
    ------
    StructureError
        If the mask is empty, or not on its grid.
    """

    name: str
    mask: np.ndarray
    grid: Grid
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        mask = np.asarray(self.mask, dtype=bool).view()
        mask.flags.writeable = False
        object.__setattr__(self, "mask", mask)
        if mask.shape != self.grid.shape:
            raise StructureError(
                f"Mask of '{self.name}' has {mask.shape} voxels, its grid {self.grid.shape} (z, y, x)."
            )
        if not mask.any():
            raise StructureError(f"'{self.name}' has no voxels: draw it, or leave it out.")

    @property
    def volume_ml(self) -> float:
        """Number of voxels times their volume [mL]."""
        return float(np.count_nonzero(self.mask)) * self.grid.voxel_ml

    def on(self, grid: Grid) -> Region:
        """Return the region on another grid, its volume kept, with a note of what changed.

        Raises
        ------
        StructureError
            If nothing of it lies on the grid.
        """
        if grid == self.grid:
            return self
        mask = resample_mask(self.mask, self.grid, grid)
        if not mask.any():
            raise StructureError(
                f"'{self.name}' ({self.volume_ml:.3g} mL) has no voxels on the other grid: it lies outside, or is "
                "smaller than a voxel there. Check that both belong to one frame of reference, or register them."
            )
        after_ml = float(np.count_nonzero(mask)) * grid.voxel_ml
        note = (
            f"'{self.name}' was resampled to the grid of the result: {self.volume_ml:.4g} mL became {after_ml:.4g} mL."
        )
        return Region(self.name, mask, grid, (*self.notes, note))


def unite(first: Region, *others: Region, name: str | None = None) -> Region:
    """Return what lies in any of some regions, on the grid of the first."""
    masks, notes = _aligned(first, others)
    return Region(name or first.name, np.logical_or.reduce(masks), first.grid, notes)


def intersect(first: Region, *others: Region, name: str | None = None) -> Region:
    """Return what lies in all of some regions, on the grid of the first.

    Raises
    ------
    StructureError
        If they share no voxel.
    """
    masks, notes = _aligned(first, others)
    common = np.logical_and.reduce(masks)
    text = f"{_names((first, *others))} share no voxel: check that they belong to one frame of reference."
    return _not_empty(name or first.name, common, first.grid, notes, text)


def subtract(first: Region, *others: Region, name: str | None = None) -> Region:
    """Return a region without others, for instance the liver without its tumours, on the grid of the first.

    Raises
    ------
    StructureError
        If nothing is left.
    """
    masks, notes = _aligned(first, others)
    rest = masks[0] & ~np.logical_or.reduce([np.zeros_like(masks[0]), *masks[1:]])
    text = f"Nothing of '{first.name}' is left without {_names(others)}: check which is to be cut from which."
    return _not_empty(name or first.name, rest, first.grid, notes, text)


def expanded(region: Region, by_mm: float) -> Region:
    """Return a region and all voxels whose centre is within a distance of one of its voxel centres.

    The distance is Euclidean in millimetres, whatever the voxel's shape.  What the image's border cuts off is noted.

    Parameters
    ----------
    region : Region
    by_mm : float
        Above 0 [mm].
    """
    _check_length(by_mm, "An expansion")
    away = ndimage.distance_transform_edt(~region.mask, sampling=region.grid.spacing_mm)
    grown = away <= by_mm + _ROUNDING_MM
    notes = region.notes
    if _distance_to_border_mm(region) < by_mm:
        notes = (*notes, f"'{region.name}' was not expanded beyond the border of the image.")
    return replace(region, mask=grown, notes=notes)


def shrunk(region: Region, by_mm: float) -> Region:
    """Return the voxels of a region whose centre is farther than a distance from all voxel centres outside it.

    The image's border is no surface: where a region is cut by it, nothing is taken away there, which is noted.

    Raises
    ------
    StructureError
        If nothing is left.
    """
    _check_length(by_mm, "A margin")
    notes = region.notes
    if _distance_to_border_mm(region) <= 0.0:
        notes = (*notes, f"'{region.name}' touches the border of the image and was not shrunk there.")
    if region.mask.all():
        return replace(region, notes=notes)
    depth = ndimage.distance_transform_edt(region.mask, sampling=region.grid.spacing_mm)
    text = f"Nothing of '{region.name}' is deeper than {by_mm:g} mm, {depth.max():.3g} mm at most: shrink it by less."
    return _not_empty(region.name, depth > by_mm + _ROUNDING_MM, region.grid, notes, text)


def largest_part(region: Region) -> Region:
    """Return the largest part connected through voxel sides; of equal ones, the first in voxel order."""
    labels, sizes = _parts(region.mask)
    return replace(region, mask=labels == 1 + int(np.argmax(sizes)))


def without_islands(region: Region, below_ml: float) -> Region:
    """Return a region without connected parts smaller than a volume [mL].

    Raises
    ------
    StructureError
        If all parts are smaller.
    """
    _check_length(below_ml, "A volume", "mL")
    labels, sizes = _parts(region.mask)
    kept = np.concatenate([[False], sizes * region.grid.voxel_ml >= below_ml * (1.0 - 1e-9)])
    text = (
        f"All parts of '{region.name}' are smaller than {below_ml:g} mL, the largest has "
        f"{sizes.max() * region.grid.voxel_ml:.3g} mL: choose a smaller volume."
    )
    return _not_empty(region.name, kept[labels], region.grid, region.notes, text)


def filled(region: Region) -> Region:
    """Return a region with its holes: what no path through voxel sides connects to the image's border."""
    return replace(region, mask=ndimage.binary_fill_holes(region.mask, _SIX))


def smoothed(region: Region, sigma_mm: float) -> Region:
    """Return a region with a smoother surface and the same number of voxels.

    The voxels with the highest values of the mask blurred by a Gaussian; details smaller than about its width go.
    Beyond the image's border the mask continues as at the border.

    Parameters
    ----------
    region : Region
    sigma_mm : float
        Standard deviation of the Gaussian [mm].
    """
    _check_length(sigma_mm, "A smoothing width")
    sigma = sigma_mm / np.array(region.grid.spacing_mm)
    blurred = ndimage.gaussian_filter(region.mask.astype(np.float32), sigma, mode="nearest").ravel()
    order = np.argsort(-blurred, kind="stable")
    mask = np.zeros(region.mask.size, dtype=bool)
    mask[order[: np.count_nonzero(region.mask)]] = True
    return replace(region, mask=mask.reshape(region.mask.shape))


def _aligned(first: Region, others: tuple[Region, ...]) -> tuple[list[np.ndarray], tuple[str, ...]]:
    regions = [first, *(other.on(first.grid) for other in others)]
    notes = dict.fromkeys(note for region in regions for note in region.notes)
    return [region.mask for region in regions], tuple(notes)


def _not_empty(name: str, mask: np.ndarray, grid: Grid, notes: tuple[str, ...], message: str) -> Region:
    if not mask.any():
        raise StructureError(message)
    return Region(name, mask, grid, notes)


def _parts(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, count = ndimage.label(mask, _SIX)
    return labels, np.bincount(labels.ravel(), minlength=count + 1)[1:]


def _distance_to_border_mm(region: Region) -> float:
    index = np.argwhere(region.mask)
    least = np.minimum(index.min(axis=0), np.array(region.grid.shape) - 1 - index.max(axis=0))
    return float((least * np.array(region.grid.spacing_mm)).min())


def _names(regions: tuple[Region, ...]) -> str:
    return ", ".join(f"'{region.name}'" for region in regions)


def _check_length(value: float, what: str, unit: str = "mm") -> None:
    if not (np.isfinite(value) and value > 0):
        raise StructureError(f"{what} must be above 0 {unit}, not {value:g}.")
