"""Candidates for lesions in the liver, darker or brighter than it in CT."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from scipy import ndimage

from radioembolization.errors import StructureError
from radioembolization.images import Volume, bounding_box
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation import shapes
from radioembolization.structures.segmentation.ct_image import WorkingCt, working_ct
from radioembolization.structures.segmentation.segmented import SegmentedStructure
from radioembolization.structures.terminology import TUMOUR

#: Spacing on which lesions are looked for, and their smoothing [mm].
_SPACING_MM, _SMOOTH_MM = 2.0, 2.0
#: A lesion differs from the liver by so many standard deviations over at least the second [mL] of its middle.
_DEVIATIONS, _LEAST_MIDDLE_ML = 3.0, 0.15
#: It is followed to half its contrast, but no further than to so many standard deviations.
_LEAST_DEVIATIONS = 2.0
#: Nearer to the surface of the liver it may be the surface [mm].
_SURFACE_MM = 4.0
#: Least volume [mL]; least ratio of its axes, and share of the ellipsoid of the same moments (vessels are long and
#: branched); largest number of candidates.
_LEAST_ML, _LEAST_ROUNDNESS, _LEAST_SOLIDITY, _MOST = 0.2, 0.4, 0.6, 50


class LesionKind(StrEnum):
    """How a lesion looks against the liver."""

    HYPO = "hypo"
    HYPER = "hyper"


def lesion_candidates(ct: Volume, liver: np.ndarray, kind: LesionKind) -> tuple[SegmentedStructure, ...]:
    """Find compact regions darker (hypo) or brighter (hyper) than the liver around them.

    They are candidates only: cysts, the gallbladder, vessels seen end on and artefacts look the same.

    Parameters
    ----------
    ct : Volume
        [HU].
    liver : ndarray (z, y, x) of bool
        On the grid of the CT.
    kind : LesionKind
        Or its text, ``"hypo"`` or ``"hyper"``.

    Returns
    -------
    tuple of SegmentedStructure
        ``"lesion 1"`` (the largest) and so on; disjoint, inside the liver, each with a finding to check it.

    Raises
    ------
    ImageError
        If the image is no CT in HU.
    StructureError
        If the liver is empty or not on the grid of the CT.
    """
    if liver.shape != ct.grid.shape or not liver.any():
        raise StructureError(
            f"Lesions are looked for in a liver on the grid of the CT {ct.grid.shape}, not in a mask of shape "
            f"{liver.shape} with {np.count_nonzero(liver)} voxels."
        )
    work = working_ct(ct, _SPACING_MM)
    inside = work.on_working_grid(liver)
    box = bounding_box(inside)
    if box is None:
        return ()
    part = tuple(slice(a, b) for a, b in box)
    work, inside = work.part(part), inside[part]
    sign = -1.0 if LesionKind(kind) is LesionKind.HYPO else 1.0
    masks = [work.on_image(mask) & liver for mask in _regions(work, inside, sign)]
    found = [mask for mask in masks if mask.any()]
    method = f"{kind}dense against the liver by {_DEVIATIONS:g} standard deviations of the smoothed CT"
    return tuple(_candidate(number, mask, ct, method) for number, mask in enumerate(found, start=1))


def _regions(work: WorkingCt, liver: np.ndarray, sign: float) -> list[np.ndarray]:
    """Return compact deviating regions (z, y, x), largest first."""
    values = ndimage.gaussian_filter(work.hu, _SMOOTH_MM / _SPACING_MM)
    inner = shapes.eroded(liver, _SURFACE_MM, _SPACING_MM)
    if not inner.any():
        return []
    middle = float(np.median(values[inner]))
    spread = 1.4826 * float(np.median(np.abs(values[inner] - middle)))
    contrast = np.where(liver, sign * (values - middle), 0.0)
    labels, sizes = shapes.components(inner & (contrast > _DEVIATIONS * max(spread, 1.0)))
    count = min(_MOST, int(np.count_nonzero(sizes * work.voxel_ml >= _LEAST_MIDDLE_ML)))
    regions = [
        _to_half(contrast, labels == number, inner, _LEAST_DEVIATIONS * spread) for number in range(1, count + 1)
    ]
    whole, _ = shapes.components(np.any(regions, axis=0)) if regions else (np.zeros_like(labels), None)
    parts = [whole == number for number in range(1, int(whole.max()) + 1)]
    return [part for part in parts if np.count_nonzero(part) * work.voxel_ml >= _LEAST_ML and _is_round(part)]


def _to_half(contrast: np.ndarray, middle: np.ndarray, inner: np.ndarray, least: float) -> np.ndarray:
    """Return the connected voxels with half the contrast of a lesion's middle, not along the surface of the liver."""
    level = max(least, float(np.percentile(contrast[middle], 75.0)) / 2.0)
    region = shapes.connected(inner & (contrast > level), middle)
    near = shapes.grown(region, _SURFACE_MM, _SPACING_MM) & (contrast > level)
    return shapes.connected(near, region)


def _is_round(part: np.ndarray) -> bool:
    """Whether a part is about as long as wide, and fills the ellipsoid of its moments."""
    index = np.argwhere(part).astype(float)
    variances = np.linalg.eigvalsh(np.cov(index.T) + np.eye(3) / 12.0)
    ellipsoid = 4.0 / 3.0 * np.pi * float(np.sqrt(np.prod(5.0 * variances)))
    return bool(variances[0] > _LEAST_ROUNDNESS**2 * variances[2] and len(index) > _LEAST_SOLIDITY * ellipsoid)


def _candidate(number: int, mask: np.ndarray, ct: Volume, method: str) -> SegmentedStructure:
    name = f"lesion {number}"
    x, y, z = ct.grid.to_lps(np.argwhere(mask).mean(axis=0))
    where = (float(x), float(y), float(z))
    volume_ml = np.count_nonzero(mask) * ct.grid.voxel_ml
    message = (
        f"'{name}' ({volume_ml:.1f} mL) is a candidate by its HU only: keep it if it is a tumour, delete it if it is "
        "a cyst, the gallbladder or a vessel."
    )
    finding = Finding("lesion candidate", Severity.NOTICE, message, (name,), where)
    return SegmentedStructure(name, TUMOUR, mask, method, None, (finding,))
