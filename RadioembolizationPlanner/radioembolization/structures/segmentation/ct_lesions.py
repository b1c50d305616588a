"""Candidates for lesions in the liver, darker or brighter than it in CT."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from scipy import ndimage

from radioembolization.errors import StructureError
from radioembolization.images import Volume
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation import shapes
from radioembolization.structures.segmentation.ct_image import WorkingCt, working_ct
from radioembolization.structures.segmentation.segmented import SegmentedStructure
from radioembolization.structures.terminology import TUMOUR

#: Spacing on which lesions are looked for, and their smoothing [mm].
_SPACING_MM, _SMOOTH_MM = 2.0, 2.0
#: A lesion differs from the liver by so many standard deviations in its middle, and by half of that at its edge.
_DEVIATIONS = 3.0
#: Nearer to the surface of the liver it may be the surface [mm].
_SURFACE_MM = 4.0
#: Least volume [mL], least compactness (vessels are long), largest number of candidates.
_LEAST_ML, _LEAST_COMPACTNESS, _MOST = 0.3, 0.30, 50


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
    sign = -1.0 if LesionKind(kind) is LesionKind.HYPO else 1.0
    masks = [work.on_image(mask) & liver for mask in _regions(work, inside, sign)]
    found = [mask for mask in masks if mask.any()]
    method = f"{kind}dense against the liver by {_DEVIATIONS:g} standard deviations of the smoothed CT"
    return tuple(_candidate(number, mask, ct, method) for number, mask in enumerate(found, start=1))


def _regions(work: WorkingCt, liver: np.ndarray, sign: float) -> list[np.ndarray]:
    """Return compact deviating regions, largest first."""
    values = ndimage.gaussian_filter(work.hu, _SMOOTH_MM / _SPACING_MM)
    inner = shapes.eroded(liver, _SURFACE_MM, _SPACING_MM)
    if not inner.any():
        return []
    middle = float(np.median(values[inner]))
    spread = 1.4826 * float(np.median(np.abs(values[inner] - middle)))
    deviation = sign * (values - middle) / max(spread, 1.0)
    edge = liver & shapes.connected(inner & (deviation > _DEVIATIONS / 2.0), inner & (deviation > _DEVIATIONS))
    labels, sizes = shapes.components(shapes.opened(edge, _SPACING_MM, _SPACING_MM))
    large = [number for number, size in enumerate(sizes, start=1) if size * work.voxel_ml >= _LEAST_ML]
    regions = [labels == number for number in large[:_MOST]]
    return [region for region in regions if shapes.compactness(region) >= _LEAST_COMPACTNESS]


def _candidate(number: int, mask: np.ndarray, ct: Volume, method: str) -> SegmentedStructure:
    name = f"lesion {number}"
    place = ct.grid.to_lps(np.argwhere(mask).mean(axis=0))
    volume_ml = np.count_nonzero(mask) * ct.grid.voxel_ml
    message = (
        f"'{name}' ({volume_ml:.1f} mL) is a candidate by its HU only: keep it as a tumour if it is one, delete it if it "
        "is a cyst, the gallbladder or a vessel."
    )
    finding = Finding("lesion candidate", Severity.NOTICE, message, (name,), tuple(float(v) for v in place))  # type: ignore[arg-type]
    return SegmentedStructure(name, TUMOUR, mask, method, None, (finding,))
