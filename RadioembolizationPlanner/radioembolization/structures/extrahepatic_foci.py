"""Hot spots of the scout outside liver and lungs: microspheres would reach stomach, bowel or gallbladder."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from radioembolization.errors import ExtrahepaticFocusFound, InputError, StructureError
from radioembolization.images import Grid, Volume, checked_counts, covered_share
from radioembolization.structures.consistency import DrawnStructure
from radioembolization.structures.segmentation.hot_spots import Emission, connected_at, hot_spots
from radioembolization.structures.structure_set import Role
from radioembolization.structures.tumour_to_normal import SPECT_RESOLUTION_MM

#: Organs that free 99mTc pertechnetate makes hot, by words in their names.
PERTECHNETATE_ORGANS = ("kidney", "renal", "stomach", "gastric", "thyroid", "salivary", "urinary", "bladder")
#: Words of organs that the ones above would otherwise match.
_NEVER_LEFT_OUT = ("gallbladder", "gall bladder", "adrenal")
#: A focus ends at this share of its height above background.
_EDGE_SHARE = 0.5
#: Soft tissue lies further than this from the liver [mm], and above this share of its mean: below is air.
_AWAY_MM, _AIR_SHARE = 25.0, 0.02
#: From median absolute deviation to standard deviation of a normal distribution.
_MAD_TO_SD = 1.4826
#: Least contrast to the median of the image for a maximum to be looked at.
_LEAST_CONTRAST = 1.5


@dataclass(frozen=True)
class FocusRule:
    """What counts as a focus.

    Parameters
    ----------
    least_share_of_liver : float
        Its hottest voxel has at least this share of the mean of the liver ...
    least_deviations : float
        ... and lies at least so many standard deviations above the soft tissue.
    margin_mm : float
        Its hottest voxel lies further than this from the middle of the nearest liver voxel [mm]; blur alone makes no
        maximum outside the liver, however hot its edge.
    smallest_ml : float
        Smaller ones are noise [mL].
    resolution_mm : float
        Full width at half maximum of the image [mm].
    left_out : tuple of str
        Organs, by words in their names, in which nothing is searched beside the lungs.
    """

    least_share_of_liver: float = 0.5
    least_deviations: float = 5.0
    margin_mm: float = 3.0
    smallest_ml: float = 0.5
    resolution_mm: float = SPECT_RESOLUTION_MM
    left_out: tuple[str, ...] = PERTECHNETATE_ORGANS

    def __post_init__(self) -> None:
        numbers = (self.least_share_of_liver, self.least_deviations, self.margin_mm, self.smallest_ml)
        if not np.all(np.isfinite(numbers)) or min(numbers) < 0 or not self.resolution_mm > 0:
            raise InputError(f"Numbers of the search for extrahepatic foci are out of range: {self}.")

    def leaves_out(self, structure: DrawnStructure) -> bool:
        """Whether nothing is searched in a structure."""
        name = structure.name.casefold()
        if any(word in name for word in _NEVER_LEFT_OUT):
            return False
        return structure.role is Role.LUNGS or any(re.search(rf"\b{word}", name) for word in self.left_out)


@dataclass(frozen=True)
class ExtrahepaticFocus:
    """A hot spot outside liver and lungs.

    Parameters
    ----------
    position_lps_mm : tuple of float
        Its hottest voxel (x, y, z) [mm].
    volume_ml : float
        Above half its height [mL].
    share_of_counts : float
        Of all counts of the image, within that volume.
    peak_over_liver_mean : float
        Its hottest voxel over the mean of the liver.
    nearest_structure : str
        Nearest drawn structure, the liver among them.
    distance_mm : float
        From its hottest voxel to that structure; 0 inside it [mm].
    liver_mm : float
        To the liver [mm].
    """

    position_lps_mm: tuple[float, float, float]
    volume_ml: float
    share_of_counts: float
    peak_over_liver_mean: float
    nearest_structure: str
    distance_mm: float
    liver_mm: float


def extrahepatic_foci(
    scout: Volume, structures: Sequence[DrawnStructure], rule: FocusRule | None = None
) -> tuple[ExtrahepaticFocus, ...]:
    """Return the hot spots of a scout outside liver and lungs, those with most counts first; warns of each.

    Not searched: liver, lungs, and drawn organs that free pertechnetate makes hot (kidneys, stomach, urinary bladder,
    thyroid, salivary glands), each with half the resolution around.  The spleen is searched.  A maximum belongs to a
    hotter one if the image between them stays above 70 % of its height, so that the edge of a hot liver is no focus.

    Parameters
    ----------
    scout : Volume
        Counts.
    structures : sequence of DrawnStructure
        One of role liver, any others.
    rule : FocusRule, optional

    Raises
    ------
    StructureError
        If there is not one liver, or no counts are in it.
    ImageError
        If the scout has no counts or negative ones.
    """
    rule = rule or FocusRule()
    counts = checked_counts(scout)
    grid, values = counts.grid, counts.array.astype(np.float32)
    livers = [s for s in structures if s.role is Role.LIVER]
    if len(livers) != 1:
        raise StructureError(f"The search for extrahepatic foci needs exactly one liver, not {len(livers)}.")
    masks = {s.name: _mask(s, grid) for s in structures if s.role is not Role.TUMOUR}
    liver = masks[livers[0].name]
    mean = float(values[liver].mean(dtype=float)) if liver.any() else 0.0
    if not mean > 0:
        raise StructureError("The scout has no counts in the liver: check that scout and structures are aligned.")
    out = _left_out(structures, masks, rule, grid)
    liver_mm = ndimage.distance_transform_edt(~liver, sampling=grid.spacing_mm)
    emission = _Scout(
        values, np.ones(grid.shape, dtype=bool), grid, rule.resolution_mm, _tissue(values, mean, liver_mm)
    )
    floor, found = _floor(emission, mean, rule), []
    for index in hot_spots(emission, _LEAST_CONTRAST, _starts(emission, ~out & (liver_mm > 0), floor)):
        if out[index] or liver_mm[index] <= rule.margin_mm or values[index] < floor:
            continue
        focus = _focus(emission, index, mean, masks, liver_mm)
        if focus.volume_ml >= rule.smallest_ml:
            found.append(focus)
    foci = tuple(sorted(found, key=lambda focus: -focus.share_of_counts))
    for focus in foci:
        warnings.warn(_message(focus, rule), ExtrahepaticFocusFound, stacklevel=2)
    return foci


@dataclass(frozen=True, eq=False)
class _Scout(Emission):
    """A scout whose background is that of soft tissue away from the liver, median and standard deviation."""

    tissue: tuple[float, float] = (0.0, 0.0)

    @cached_property
    def background(self) -> tuple[float, float]:
        """Median and standard deviation of soft tissue."""
        return self.tissue


def _tissue(values: np.ndarray, liver_mean: float, liver_mm: np.ndarray) -> tuple[float, float]:
    """Return median and robust standard deviation of what is no air and no liver; zeros if there is nothing."""
    inside = values[(liver_mm > _AWAY_MM) & (values > _AIR_SHARE * liver_mean)]
    if not len(inside):
        return 0.0, 0.0
    middle = float(np.median(inside))
    return middle, _MAD_TO_SD * float(np.median(np.abs(inside - middle)))


def _mask(structure: DrawnStructure, grid: Grid) -> np.ndarray:
    return np.asarray(covered_share(structure.part, structure.part_grid, grid) >= 0.5)


def _left_out(
    structures: Sequence[DrawnStructure], masks: dict[str, np.ndarray], rule: FocusRule, grid: Grid
) -> np.ndarray:
    """Return where (z, y, x) nothing is searched."""
    out = np.zeros(grid.shape, dtype=bool)
    for structure in structures:
        if structure.name in masks and rule.leaves_out(structure):
            out |= masks[structure.name]
    if not out.any():
        return out
    return np.asarray(ndimage.distance_transform_edt(~out, sampling=grid.spacing_mm) <= 0.5 * rule.resolution_mm)


def _starts(emission: Emission, searched: np.ndarray, floor: float) -> np.ndarray:
    """Return where (z, y, x) smoothed maxima are followed: near what is searched and hot enough."""
    reach_mm = 0.5 * emission.resolution_mm
    size = [2 * max(1, int(reach_mm / s)) + 1 for s in emission.grid.spacing_mm]
    hot = ndimage.maximum_filter(np.where(searched, emission.values, 0.0), size) >= floor
    return np.asarray(hot)


def _floor(emission: Emission, liver_mean: float, rule: FocusRule) -> float:
    """Return the least height of a focus."""
    middle, deviation = emission.background
    return max(rule.least_share_of_liver * liver_mean, middle + rule.least_deviations * deviation)


def _focus(
    emission: Emission, index: tuple[int, ...], liver_mean: float, masks: dict[str, np.ndarray], liver_mm: np.ndarray
) -> ExtrahepaticFocus:
    peak, grid = float(emission.values[index]), emission.grid
    level = emission.background[0] + _EDGE_SHARE * (peak - emission.background[0])
    region = _own_part(emission, connected_at(emission.values >= level, index), index)
    distances = {name: _distance_mm(mask, index, grid) for name, mask in masks.items() if mask.any()}
    nearest = min(distances, key=lambda name: (distances[name], name))
    return ExtrahepaticFocus(
        position_lps_mm=tuple(float(round(p, 1)) for p in grid.to_lps(np.array(index))),  # type: ignore[arg-type]
        volume_ml=float(np.count_nonzero(region)) * grid.voxel_ml,
        share_of_counts=float(emission.values[region].sum(dtype=float) / emission.values.sum(dtype=float)),
        peak_over_liver_mean=peak / liver_mean,
        nearest_structure=nearest,
        distance_mm=distances[nearest],
        liver_mm=float(liver_mm[index]),
    )


def _own_part(emission: Emission, region: np.ndarray, index: tuple[int, ...]) -> np.ndarray:
    """Return the part of a region that is no hotter than its focus, where it runs into something hotter."""
    if emission.values[region].max() <= emission.values[index]:
        return region
    hotter = emission.values > emission.values[index]
    hotter_mm = ndimage.distance_transform_edt(~(hotter & region), sampling=emission.grid.spacing_mm)
    at_focus = np.ones(region.shape, dtype=bool)
    at_focus[index] = False
    own_mm = ndimage.distance_transform_edt(at_focus, sampling=emission.grid.spacing_mm)
    return connected_at(region & (own_mm <= hotter_mm), index)


def _distance_mm(mask: np.ndarray, index: tuple[int, ...], grid: Grid) -> float:
    """Return the distance of a voxel to the nearest one of a mask that is not empty [mm]."""
    offsets = (np.argwhere(mask) - np.array(index)) * np.array(grid.spacing_mm)
    return float(np.sqrt((offsets**2).sum(axis=1).min()))


def _message(focus: ExtrahepaticFocus, rule: FocusRule) -> str:
    x, y, z = focus.position_lps_mm
    near = (
        " Within the blur of the liver: it may be a misaligned part of it."
        if focus.liver_mm <= rule.resolution_mm
        else ""
    )
    place = "in" if focus.distance_mm == 0 else f"{focus.distance_mm:.0f} mm from"
    return (
        f"The scout is hot at {x:g}, {y:g}, {z:g} mm (LPS), {place} '{focus.nearest_structure}': "
        f"{focus.volume_ml:.1f} mL with {focus.share_of_counts:.1%} of the counts, up to "
        f"{focus.peak_over_liver_mean:.1f} times the mean of the liver.{near} "
        "Look for an artery to stomach, bowel or gallbladder before anything is injected there."
    )
