"""The part of the liver that a catheter position supplies, from contrast cone-beam CT or from a scout SPECT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import ndimage

from radioembolization.errors import ImageError, StructureError
from radioembolization.images import Unit, Volume
from radioembolization.structures import editing
from radioembolization.structures.editing import Region
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation.emission_methods import check_share
from radioembolization.structures.segmentation.hot_regions import emission_of
from radioembolization.structures.segmentation.segmented import SegmentedStructure, SegmentedStructures
from radioembolization.structures.segmentation.two_classes import TwoClasses, two_classes
from radioembolization.structures.terminology import PERFUSED_VOLUME

NAME = "perfused volume"
#: Noise of cone-beam CT is smoothed by a Gaussian of this standard deviation [mm].
_SMOOTHING_MM = 2.0
#: Vessels and gaps thinner than twice this are no territory, and no hole in one [mm].
_CLEANING_MM = 3.0
#: Parts smaller than this share of the largest are dropped.
_LEAST_PART = 0.05
#: Enhancement is not told from noise below this separation of the classes.
_LEAST_SEPARATION = 2.0
#: A perfused volume covers nearly all, or next to none, of the liver beyond these shares.
_NEARLY_ALL, _NEXT_TO_NONE = 0.95, 0.03
#: Outside the liver, more than this share of its volume in a shell of this thickness [mm] is reported.  The shell
#: begins at a distance that breathing, or the resolution of a SPECT, explain [mm].
_OUTSIDE_SHARE, _OUTSIDE_MM, _BREATHING_MM = 0.05, 15.0, 5.0


class ScoutRule(Protocol):
    """Finds the threshold of a perfused volume."""

    def threshold(self, inside: np.ndarray) -> tuple[float, str]:
        """Return the threshold for the values (n,) in the liver, and its description."""


@dataclass(frozen=True)
class ShareOfLiverMaximum:
    """A threshold at a share of the largest smoothed counts in the liver, which depends on the hottest tumour."""

    share: float = 0.1

    def __post_init__(self) -> None:
        check_share(self.share, "The share of the maximum")

    def threshold(self, inside: np.ndarray) -> tuple[float, str]:
        """Return the threshold for the values (n,) in the liver, and its description."""
        return self.share * float(inside.max()), f"{self.share:.0%} of the maximum in the liver"


@dataclass(frozen=True)
class ShareOfLiverMean:
    """A threshold at a share of the mean counts in the liver; hot tumours change it less than the maximum."""

    share: float = 0.5

    def __post_init__(self) -> None:
        check_share(self.share, "The share of the mean", 10.0)

    def threshold(self, inside: np.ndarray) -> tuple[float, str]:
        """Return the threshold for the values (n,) in the liver, and its description."""
        return self.share * float(inside.mean()), f"{self.share:.0%} of the mean in the liver"


def perfused_from_cbct(cbct: Volume, liver: Region, name: str = NAME) -> SegmentedStructures:
    """Find what is enhanced inside the liver in a contrast cone-beam CT taken during injection.

    The image is smoothed, the liver split into two classes of values, the brighter cleaned of vessels, gaps and small
    parts.  Cone-beam numbers need not be in HU: only the difference within the liver counts.

    Parameters
    ----------
    cbct : Volume
        In HU, or what the device calls so.
    liver : Region
        On any grid; what lies outside the image is reported.

    Raises
    ------
    ImageError
        If the image has another unit, or does not vary in the liver.
    StructureError
        If liver and image do not meet, or nothing is left after cleaning.
    """
    if cbct.unit is not Unit.HU:
        raise ImageError(f"Enhancement is found in a CT, not in an image in {cbct.unit}: choose the contrast CT.")
    inside = liver.on(cbct.grid)
    smoothed = _smoothed(cbct, inside.mask)
    classes = two_classes(smoothed[inside.mask])
    if classes is None or np.ptp(cbct.array[inside.mask]) == 0:
        raise ImageError(f"The image is the same everywhere in '{liver.name}': it shows no enhancement.")
    enhanced = smoothed > classes.threshold
    perfused = _cleaned(Region(name, enhanced & inside.mask, cbct.grid), inside)
    findings = (
        *_separation(classes, name),
        *_coverage(perfused, inside),
        *_outside(enhanced, perfused, inside, _BREATHING_MM),
        *_cut_liver(liver, inside),
    )
    text = (
        f"enhancement above {classes.threshold:.0f} in the liver, between means of {classes.means[0]:.0f} and "
        f"{classes.means[1]:.0f}; parts thinner than {2 * _CLEANING_MM:g} mm removed"
    )
    return _result(perfused, text, findings)


def perfused_from_scout(
    scout: Volume,
    liver: Region,
    rule: ScoutRule | None = None,
    resolution_mm: float = 15.0,
    name: str = NAME,
) -> SegmentedStructures:
    """Find the part of the liver in which a scout SPECT shows counts.

    The image is smoothed by half its resolution and cut at a threshold; the rest is what Chiesa 2021
    (https://doi.org/10.1186/s40658-021-00394-3) call the perfused liver cropped within the liver of the CT.

    Parameters
    ----------
    scout : Volume
        Counts or Bq/mL.
    liver : Region
        On any grid.
    rule : ShareOfLiverMaximum or ShareOfLiverMean, optional
        Default: half the mean.
    resolution_mm : float
        Full width at half maximum [mm].

    Raises
    ------
    ImageError
        If the image is empty, constant, has negative values, or is no emission image.
    StructureError
        If liver and image do not meet.
    """
    rule = rule or ShareOfLiverMean()
    emission, notes = emission_of(scout, liver, resolution_mm)
    inside = Region(liver.name, emission.allowed, scout.grid)
    threshold, text = rule.threshold(emission.smoothed[emission.allowed])
    hot = emission.smoothed >= threshold
    if not (hot & emission.allowed).any():
        raise StructureError(f"No counts in the liver reach {threshold:.4g} ({text}): lower the share.")
    perfused = editing.filled(_without_small(Region(name, hot & emission.allowed, scout.grid)))
    findings = (*notes, *_coverage(perfused, inside), *_outside(hot, perfused, inside, resolution_mm))
    return _result(perfused, f"smoothed counts above {threshold:.4g} ({text})", findings)


def _result(perfused: Region, text: str, findings: tuple[Finding, ...]) -> SegmentedStructures:
    structure = SegmentedStructure(perfused.name, PERFUSED_VOLUME, perfused.mask, text, findings=findings)
    return SegmentedStructures(perfused.grid, (structure,))


def _smoothed(image: Volume, liver: np.ndarray) -> np.ndarray:
    """Blur inside and outside of the liver apart, so that neither its surroundings nor its edge change its values."""
    sigma = _SMOOTHING_MM / np.array(image.grid.spacing_mm)
    result = np.zeros(liver.shape, dtype=np.float32)
    for side in (liver, ~liver):
        weight = ndimage.gaussian_filter(side.astype(np.float32), sigma, mode="nearest")
        values = ndimage.gaussian_filter(np.where(side, image.array, 0.0).astype(np.float32), sigma, mode="nearest")
        result[side] = values[side] / weight[side]
    return result


def _cleaned(enhanced: Region, liver: Region) -> Region:
    """Open, keep large parts, close and fill; the liver's surface is no reason to open."""
    around = Region(enhanced.name, enhanced.mask | ~liver.mask, enhanced.grid)
    core = editing.shrunk(around, _CLEANING_MM).mask & enhanced.mask
    if not core.any():
        raise StructureError(
            f"What is enhanced in '{liver.name}' is thinner than {2 * _CLEANING_MM:g} mm everywhere, like vessels or "
            "noise: check the phase of the image, or draw the territory."
        )
    opened = editing.expanded(Region(enhanced.name, core, enhanced.grid), _CLEANING_MM)
    kept = _without_small(Region(enhanced.name, opened.mask & enhanced.mask, enhanced.grid))
    grown = editing.expanded(kept, _CLEANING_MM)
    closed = editing.shrunk(Region(kept.name, grown.mask, kept.grid), _CLEANING_MM).mask | kept.mask
    return Region(kept.name, editing.filled(Region(kept.name, closed, kept.grid)).mask & liver.mask, kept.grid)


def _without_small(region: Region) -> Region:
    largest_ml = editing.largest_part(region).volume_ml
    return editing.without_islands(region, _LEAST_PART * largest_ml)


def _separation(classes: TwoClasses, name: str) -> tuple[Finding, ...]:
    if classes.separation >= _LEAST_SEPARATION:
        return ()
    text = (
        f"'{name}' is not told from the rest of the liver: they differ by {classes.separation:.2g} standard "
        f"deviations, less than {_LEAST_SEPARATION:g}. Check that the image was taken during injection, or draw it."
    )
    return (Finding("no clear enhancement", Severity.WARNING, text, (name,)),)


def _coverage(perfused: Region, liver: Region) -> tuple[Finding, ...]:
    share = perfused.volume_ml / liver.volume_ml
    if _NEXT_TO_NONE <= share <= _NEARLY_ALL:
        return ()
    much = "nearly all" if share > _NEARLY_ALL else "next to none"
    text = f"'{perfused.name}' covers {much} of the liver ({share:.0%}): check image, liver and threshold."
    return (Finding("perfused share", Severity.WARNING, text, (perfused.name,)),)


def _outside(hot: np.ndarray, perfused: Region, liver: Region, beyond_mm: float) -> tuple[Finding, ...]:
    """Report what goes on outside the liver, connected to the perfused volume."""
    from_liver = ndimage.distance_transform_edt(~liver.mask, sampling=liver.grid.spacing_mm)
    labels, _ = ndimage.label(hot & (from_liver <= beyond_mm + _OUTSIDE_MM))
    touched = np.unique(labels[perfused.mask])
    beyond = np.isin(labels, touched[touched > 0]) & (from_liver > beyond_mm)
    share = np.count_nonzero(beyond) / np.count_nonzero(perfused.mask)
    if share <= _OUTSIDE_SHARE:
        return ()
    at = liver.grid.to_lps(np.argwhere(beyond).mean(axis=0))
    text = (
        f"'{perfused.name}' goes on more than {beyond_mm:g} mm outside the liver, by {share:.0%} of its volume: check "
        "for a supply of other organs, and that liver and image are aligned."
    )
    where = (float(at[0]), float(at[1]), float(at[2]))
    return (Finding("perfused outside the liver", Severity.WARNING, text, (perfused.name, liver.name), where),)


def _cut_liver(liver: Region, inside: Region) -> tuple[Finding, ...]:
    seen = inside.volume_ml / liver.volume_ml
    if seen >= _NEARLY_ALL:
        return ()
    text = f"The image shows {seen:.0%} of '{liver.name}': the rest of the territory, if any, is not seen."
    return (Finding("liver partly outside the image", Severity.WARNING, text, (liver.name,)),)
