"""The part of a tumour without blood supply: hypodense in contrast CT, cold in SPECT or PET."""

from __future__ import annotations

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
from radioembolization.structures.terminology import NECROSIS

#: CT numbers of histological necrosis in the arterial phase (Chuma 2022, https://doi.org/10.3390/curroncol29050266:
#: best cut-off 30.2 HU).
NECROSIS_HU = 30.0
#: Thresholds outside make no sense: necrosis is about as dense as water, and enhancing tissue is above 60 HU.
_HU_RANGE = (0.0, 60.0)
#: Noise of CT is smoothed by a Gaussian of this standard deviation [mm].
_SMOOTHING_MM = 1.5
#: Fat and gas are no necrosis; gas may mean an abscess or recent treatment [HU].
_FAT_HU = -20.0
#: Level of the vital part in emission images: this percentile of the tumour.
_VITAL_PERCENTILE = 90.0


def necrotic_core(
    ct: Volume, tumour: Region, below_hu: float = NECROSIS_HU, rim_mm: float = 3.0, minimum_ml: float = 0.5
) -> SegmentedStructures:
    """Find the hypodense core of a tumour in a contrast CT (arterial or portal-venous).

    Voxels of the smoothed image under the threshold, deeper in the tumour than a rim: the tumour's edge is blurred with
    fat around the liver.  Holes are filled.

    Parameters
    ----------
    ct : Volume
        With contrast [HU].
    tumour : Region
        On any grid.
    below_hu : float
        30 by default; up to 50 is used for portal-venous images, with vital hypovascular tumour included more often.
    rim_mm : float
        [mm]; 0 for none.
    minimum_ml : float
        Smaller parts are left out [mL].

    Returns
    -------
    SegmentedStructures
        Without structures, but with a notice, if there is no such core.

    Raises
    ------
    ImageError
        If the image is not in HU, or not that of a contrast CT.
    StructureError
        If tumour and image do not meet, or a number is out of its range.
    """
    if ct.unit is not Unit.HU:
        raise ImageError(f"Necrosis is found in a CT in HU, not in an image in {ct.unit}: choose the contrast CT.")
    if not _HU_RANGE[0] < below_hu <= _HU_RANGE[1]:
        raise StructureError(f"The threshold must lie between 0 and 60 HU, not {below_hu:g} HU.")
    whole = tumour.on(ct.grid)
    sigma = _SMOOTHING_MM / np.array(ct.grid.spacing_mm)
    smoothed = ndimage.gaussian_filter(ct.array.astype(np.float32), sigma, mode="nearest")
    inner = _without_rim(whole, rim_mm)
    dark = (smoothed < below_hu) & (smoothed > _FAT_HU) & inner
    core = _core(whole, dark, minimum_ml)
    text = f"below {below_hu:g} HU, deeper than {rim_mm:g} mm in '{tumour.name}'"
    notes = _enhancement(smoothed, whole, core, below_hu)
    return _result(core, whole, text, notes)


def cold_core(
    image: Volume,
    tumour: Region,
    share: float = 0.5,
    rim_mm: float = 0.0,
    minimum_ml: float = 1.0,
    resolution_mm: float = 10.0,
) -> SegmentedStructures:
    """Find the part of a tumour with little uptake, enclosed in or deeper than its rim, in a SPECT or PET.

    Half the level of the vital part (90th percentile of the tumour) is where the edge of a cold core passes under a
    symmetric blur.  The tumour has to be drawn on CT or MR: one found by uptake has no cold core but a hole.

    Parameters
    ----------
    image : Volume
        Counts or Bq/mL.
    tumour : Region
    share : float
        Of the level of the vital part.
    rim_mm, minimum_ml : float
    resolution_mm : float
        Full width at half maximum [mm]; parts smaller than it are not trusted.

    Raises
    ------
    ImageError
        If the image is empty, constant, has negative values, or is no emission image.
    StructureError
        If tumour and image do not meet, or a number is out of its range.
    """
    check_share(share, "The share of the vital uptake")
    emission, _ = emission_of(image, tumour, resolution_mm)
    whole = Region(tumour.name, emission.allowed, image.grid)
    threshold = share * float(np.percentile(emission.smoothed[whole.mask], _VITAL_PERCENTILE))
    cold = (emission.smoothed < threshold) & _without_rim(whole, rim_mm)
    core = _core(whole, cold, minimum_ml)
    text = f"below {threshold:.4g}, {share:.0%} of the uptake of the vital part, in '{tumour.name}'"
    return _result(core, whole, text, _resolved(core, whole, resolution_mm))


def _without_rim(tumour: Region, rim_mm: float) -> np.ndarray:
    if not (np.isfinite(rim_mm) and rim_mm >= 0):
        raise StructureError(f"The rim must not be negative: {rim_mm:g} mm.")
    return editing.shrunk(tumour, rim_mm).mask if rim_mm > 0 else tumour.mask


def _core(tumour: Region, candidates: np.ndarray, minimum_ml: float) -> Region | None:
    """Return parts that are large enough, filled; None if there are none."""
    if not (np.isfinite(minimum_ml) and minimum_ml > 0):
        raise StructureError(f"The minimum volume must be above 0 mL, not {minimum_ml:g} mL.")
    if not candidates.any():
        return None
    name = f"necrosis of {tumour.name}"
    filled = editing.filled(Region(name, candidates, tumour.grid))
    if editing.largest_part(filled).volume_ml < minimum_ml:
        return None
    kept = editing.without_islands(filled, minimum_ml)
    return Region(name, kept.mask & tumour.mask, tumour.grid)


def _result(core: Region | None, tumour: Region, text: str, findings: tuple[Finding, ...]) -> SegmentedStructures:
    if core is None:
        notice = Finding("no necrosis", Severity.NOTICE, f"Nothing of '{tumour.name}' is {text}.", (tumour.name,))
        return SegmentedStructures(tumour.grid, (), (notice, *findings))
    share = core.volume_ml / tumour.volume_ml
    text = f"{text}; {core.volume_ml:.3g} mL, {share:.0%} of it"
    return SegmentedStructures(tumour.grid, (SegmentedStructure(core.name, NECROSIS, core.mask, text, None, findings),))


def _enhancement(smoothed: np.ndarray, tumour: Region, core: Region | None, below_hu: float) -> tuple[Finding, ...]:
    """Warn where the rest of the tumour hardly differs from the core: without contrast, all tumours are dark."""
    rest = tumour.mask if core is None else tumour.mask & ~core.mask
    vital = float(np.median(smoothed[rest])) if rest.any() else below_hu
    if vital >= below_hu + 15.0 or (core is None and vital >= below_hu):
        return ()
    text = (
        f"The rest of '{tumour.name}' has a median of {vital:.0f} HU, hardly above {below_hu:g} HU: the image may be "
        "without contrast, or the tumour hypovascular throughout. Compare with the image before contrast."
    )
    return (Finding("little enhancement", Severity.WARNING, text, (tumour.name,)),)


def _resolved(core: Region | None, tumour: Region, resolution_mm: float) -> tuple[Finding, ...]:
    if core is None:
        return ()
    diameter_mm = (6.0 * core.volume_ml * 1000.0 / np.pi) ** (1.0 / 3.0)
    if diameter_mm >= 1.5 * resolution_mm:
        return ()
    text = (
        f"'{core.name}' is as large as a sphere of {diameter_mm:.0f} mm, the image resolves {resolution_mm:g} mm: "
        "its volume is uncertain. Take it from contrast CT or MR."
    )
    return (Finding("small against resolution", Severity.WARNING, text, (core.name, tumour.name)),)
