"""Tumours in SPECT and PET: hot regions of emission images, one structure each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from radioembolization.errors import ImageError, StructureError
from radioembolization.images import Unit, Volume, checked_counts
from radioembolization.structures.editing import Region
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation.emission_methods import Delineation, EmissionMethod
from radioembolization.structures.segmentation.hot_findings import Lesion, findings_of
from radioembolization.structures.segmentation.hot_spots import Emission, HotSpot, connected_at, hot_spot, hot_spots
from radioembolization.structures.segmentation.segmented import SegmentedStructure, SegmentedStructures
from radioembolization.structures.terminology import TUMOUR

#: Units of emission images.
_UNITS = (Unit.COUNTS, Unit.BQ_PER_ML)
#: Without seeds, a maximum this much above the median of the region may be a lesion.
LEAST_CONTRAST = 1.5
#: Without seeds, no more lesions are looked for.
_MOST_LESIONS = 60


@dataclass(frozen=True, eq=False)
class _Found:
    spot: HotSpot
    result: Delineation
    was_cut: bool


def find_hot_regions(
    image: Volume,
    method: EmissionMethod,
    within: Region | None = None,
    seeds_lps_mm: Sequence[tuple[float, float, float]] = (),
    minimum_ml: float = 0.5,
    resolution_mm: float = 10.0,
    least_contrast: float = LEAST_CONTRAST,
) -> SegmentedStructures:
    """Find tumours in a SPECT or PET image.

    Lesions start at seeds, else at all maxima that stand out of the region, hottest first; each ends where the method
    says.  What touches becomes one structure.  They are called ``"tumour 1"`` and on, the largest first; of equal
    ones, the first in voxel order.

    Parameters
    ----------
    image : Volume
        Counts or Bq/mL.
    method : EmissionMethod
        ``FixedValue``, ``ShareOfMaximum``, ``BackgroundAdaptive``, ``SizeAdaptive`` or ``GradientEdge``.
    within : Region, optional
        Where lesions may lie, usually the liver; on any grid.
    seeds_lps_mm : sequence of (x, y, z), optional
        Positions in or near lesions (LPS) [mm]; the hottest voxel within half the resolution is taken.
    minimum_ml : float
        Smaller regions are left out [mL].
    resolution_mm : float
        Full width at half maximum of the image [mm]: about 6 for PET and 10 to 15 for SPECT.
    least_contrast : float
        Without seeds: least ratio of a lesion to the median of the region.

    Returns
    -------
    SegmentedStructures
        Without structures, but with a finding, if nothing stands out.

    Raises
    ------
    ImageError
        If the image is empty, constant, has negative values, or is no emission image.
    StructureError
        If the region does not meet the image, a seed is outside, nothing lies above the threshold, or a number is
        out of its range.
    """
    _check_numbers(minimum_ml, resolution_mm, least_contrast)
    emission, notes = emission_of(image, within, resolution_mm)
    if seeds_lps_mm:
        starts = [_seed_index(emission, seed) for seed in seeds_lps_mm]
    elif method.lesion_value is not None:
        starts = _maxima_above(emission, method.lesion_value)
    else:
        starts = hot_spots(emission, least_contrast)[:_MOST_LESIONS]
    found = _delineated(emission, method, starts, bool(seeds_lps_mm))
    structures, small = _structures(emission, found, minimum_ml)
    if not structures:
        notes = (*notes, _nothing(emission, least_contrast, minimum_ml, small))
    elif small:
        text = f"{small} hot regions below {minimum_ml:g} mL were left out."
        notes = (*notes, Finding("small hot regions", Severity.NOTICE, text))
    return SegmentedStructures(image.grid, structures, notes)


def emission_of(image: Volume, within: Region | None, resolution_mm: float) -> tuple[Emission, tuple[Finding, ...]]:
    """Check an emission image and its region, and bring the region to the image's grid.

    Raises
    ------
    ImageError
        If the image is empty, constant, has negative values, or is no emission image.
    StructureError
        If the region does not meet the image.
    """
    if image.unit not in _UNITS:
        raise ImageError(f"Hot regions are found in counts or Bq/mL, not in {image.unit}: choose the SPECT or PET.")
    values = checked_counts(image).array.astype(np.float32)
    if values.min() == values.max():
        raise ImageError(f"All voxels of the image are {values.max():g}: it shows nothing. Load the image again.")
    if within is None:
        return Emission(values, np.ones(values.shape, dtype=bool), image.grid, resolution_mm), ()
    region = within.on(image.grid)
    if values[region.mask].max() <= 0:
        raise ImageError(f"The image has no counts in '{within.name}': check that both belong to one patient.")
    notes = tuple(Finding("resampled region", Severity.NOTICE, note, (within.name,)) for note in region.notes)
    return Emission(values, region.mask, image.grid, resolution_mm), notes


def _delineated(
    emission: Emission, method: EmissionMethod, starts: list[tuple[int, ...]], were_given: bool
) -> list[_Found]:
    """Delineate the hottest first; a maximum inside what was found is no further lesion."""
    taken = np.zeros(emission.grid.shape, dtype=bool)
    found: list[_Found] = []
    for index in sorted(dict.fromkeys(starts), key=lambda at: (-float(emission.values[at]), at)):
        if taken[index]:
            continue
        spot = hot_spot(emission, index)
        result, was_cut = method.delineate(spot), False
        if not result.mask.any():
            if were_given:
                raise StructureError(_none_above(spot, result))
            continue
        if method.lesion_value is None and emission.values[result.mask].max() > spot.maximum:
            if not were_given:  # a shoulder of something hotter
                continue
            result, was_cut = _cut_at_valley(spot, result), True
        taken |= result.mask
        found.append(_Found(spot, result, was_cut))
    return found


def _cut_at_valley(spot: HotSpot, result: Delineation) -> Delineation:
    """Keep the basin of a maximum, where its region runs into something hotter."""
    hotter = result.mask & (spot.emission.values > spot.maximum)
    markers = 2 * hotter.astype(np.uint8)
    markers[spot.index] = 1
    inverted = sitk.GetImageFromArray(-spot.emission.smoothed)
    basins = sitk.MorphologicalWatershedFromMarkers(inverted, sitk.GetImageFromArray(markers), False, False)
    mask = connected_at(result.mask & (sitk.GetArrayFromImage(basins) == 1), spot.index)
    return Delineation(mask, result.threshold, f"{result.text}, cut at the valley to a hotter neighbour")


def _structures(
    emission: Emission, found: list[_Found], minimum_ml: float
) -> tuple[tuple[SegmentedStructure, ...], int]:
    """Return connected regions as structures, and the number of those too small."""
    union = np.logical_or.reduce([np.zeros(emission.grid.shape, dtype=bool), *(one.result.mask for one in found)])
    labels, count = ndimage.label(union)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    order = [int(i) + 1 for i in np.argsort(-sizes, kind="stable") if sizes[i] * emission.grid.voxel_ml >= minimum_ml]
    structures = []
    for number, label in enumerate(order, start=1):
        mask, name = labels == label, f"tumour {number}"
        members = [one for one in found if mask[one.spot.index]]
        lesion = Lesion(name, mask, members[0].spot, members[0].result.threshold, any(m.was_cut for m in members))
        method = "; ".join(dict.fromkeys(member.result.text for member in members))
        structures.append(SegmentedStructure(name, TUMOUR, mask, method, findings=findings_of(lesion)))
    return tuple(structures), count - len(order)


def _maxima_above(emission: Emission, value: float) -> list[tuple[int, ...]]:
    """Return the hottest voxel of each connected region above a value."""
    labels, count = ndimage.label(emission.allowed & (emission.values >= value))
    if not count:
        highest = float(emission.values[emission.allowed].max())
        raise StructureError(f"No voxel reaches {value:g}, the highest is {highest:.4g}: lower the threshold.")
    places = ndimage.maximum_position(emission.values, labels, range(1, count + 1))
    return [tuple(int(i) for i in place) for place in places]


def _seed_index(emission: Emission, seed_lps_mm: tuple[float, float, float]) -> tuple[int, ...]:
    index = tuple(int(i) for i in np.rint(emission.grid.to_index(np.array(seed_lps_mm))))
    where = f"The seed at LPS ({', '.join(f'{float(p):.0f}' for p in seed_lps_mm)}) mm"
    if any(not 0 <= i < n for i, n in zip(index, emission.grid.shape, strict=True)):
        raise StructureError(f"{where} lies outside the image: place it in a lesion.")
    if not emission.allowed[index]:
        raise StructureError(f"{where} lies outside the region that is searched: move it, or choose another region.")
    return emission.summit(emission.hottest_near(index))


def _none_above(spot: HotSpot, result: Delineation) -> str:
    where = ", ".join(f"{p:.0f}" for p in spot.emission.grid.to_lps(np.array(spot.index)))
    limit = "its edge" if result.threshold is None else f"the threshold {result.threshold:.4g}"
    return (
        f"Nothing around the seed at LPS ({where}) mm reaches {limit} (hottest voxel {spot.maximum:.4g}, background "
        f"{spot.background:.4g}): move the seed, or choose a lower threshold."
    )


def _nothing(emission: Emission, least_contrast: float, minimum_ml: float, small: int) -> Finding:
    highest, middle = float(emission.smoothed[emission.allowed].max()), emission.background[0]
    if small:
        text = f"All {small} hot regions are smaller than {minimum_ml:g} mL: lower the minimum volume, or set seeds."
    else:
        text = (
            f"Nothing stands out of the region: the hottest part has {highest / max(middle, 1e-9):.3g} times its "
            f"median, {least_contrast:g} is asked for. Set seeds, or lower the contrast."
        )
    return Finding("no hot region", Severity.WARNING, text)


def _check_numbers(minimum_ml: float, resolution_mm: float, least_contrast: float) -> None:
    if not (np.isfinite(minimum_ml) and minimum_ml >= 0):
        raise StructureError(f"The minimum volume must not be negative: {minimum_ml:g} mL.")
    if not (np.isfinite(resolution_mm) and 0 < resolution_mm <= 50):
        raise StructureError(f"The resolution must lie between 0 and 50 mm, not {resolution_mm:g} mm.")
    if not (np.isfinite(least_contrast) and least_contrast >= 1):
        raise StructureError(f"The contrast of a lesion must be at least 1, not {least_contrast:g}.")
