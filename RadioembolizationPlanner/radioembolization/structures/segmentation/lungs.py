"""Left and right lung in a CT, and whether the image cuts them."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from radioembolization.images import Volume
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation import shapes
from radioembolization.structures.segmentation.ct_image import WorkingCt, working_ct
from radioembolization.structures.segmentation.segmented import SegmentedStructure
from radioembolization.structures.terminology import LEFT_LUNG, RIGHT_LUNG

#: Lung is below this; gas of bowel, stomach and trachea is below the second [HU].
_LUNG_HU, _GAS_HU = -400.0, -945.0
#: Partial volume hides gas in most voxels of a bowel: this percentile of the inner voxels is compared.
_GAS_PERCENTILE = 20.0
#: Parts smaller than this are bowel gas or noise, and so are smaller ones than the second below the upper edge [mL].
_LEAST_ML, _LEAST_CLOSED_ML = 25.0, 300.0
#: A lung from its apex to its base is no smaller than this unless it is cut or collapsed [mL].
_WHOLE_ML = 700.0
#: Vessels and airways up to twice this wide are filled [mm].
_VESSEL_MM = 6.0
#: Cut if the image ends on more than this area of lung [mL per voxel layer], as a share of the lung's volume.
_CUT_ML = 1.5


def segment_lungs(ct: Volume, body: np.ndarray) -> tuple[SegmentedStructure, ...]:
    """Find the lungs in a CT.

    Parameters
    ----------
    ct : Volume
        [HU].
    body : ndarray (z, y, x) of bool
        On the grid of the CT.

    Returns
    -------
    tuple of SegmentedStructure
        ``"right lung"`` and ``"left lung"``, those that were found.
    """
    work = working_ct(ct)
    right, left = find_lungs(work, work.on_working_grid(body))
    return lung_structures(work, right, left)


def find_lungs(work: WorkingCt, body: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the right and the left lung as masks (z, y, x) on the working grid; empty where there is none."""
    spacing = work.grid.spacing_mm[0]
    air = body & (work.hu < _LUNG_HU) & work.covered
    labels, sizes = shapes.components(air)
    parts = [number for number, size in enumerate(sizes, start=1) if size * work.voxel_ml >= _LEAST_ML]
    lungs = np.isin(labels, [number for number in parts if _is_lung(work, labels == number)])
    right, left = _sides(lungs, _midline(body), spacing)
    return tuple(_filled(side, body, spacing) for side in (right, left))  # type: ignore[return-value]


def _is_lung(work: WorkingCt, part: np.ndarray) -> bool:
    """Whether a part is denser than gas inside, and large or cut by the upper edge of the image."""
    inner = shapes.eroded(part, work.grid.spacing_mm[0], work.grid.spacing_mm[0])
    if not inner.any() or np.percentile(work.hu[inner], _GAS_PERCENTILE) < _GAS_HU:
        return False
    upper = np.flatnonzero(work.covered.any(axis=(1, 2)))[-1]
    reaches_up = part[upper - 2 :].any()
    return bool(reaches_up or np.count_nonzero(part) * work.voxel_ml >= _LEAST_CLOSED_ML)


def _midline(body: np.ndarray) -> float:
    """Return the index along x of the middle between the body's sides."""
    columns = np.flatnonzero(body.any(axis=(0, 1)))
    return float(columns[0] + columns[-1]) / 2.0


def _sides(lungs: np.ndarray, middle: float, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Return right and left, cut where they join in front of or behind the heart at their thinnest."""
    x = np.broadcast_to(np.arange(lungs.shape[2]), lungs.shape)
    inner = shapes.depth(lungs, spacing)
    away = 20.0 / spacing
    markers = np.zeros(lungs.shape, dtype=np.uint8)
    markers[lungs & (inner > 2.0 * spacing) & (x < middle - away)] = 1
    markers[lungs & (inner > 2.0 * spacing) & (x > middle + away)] = 2
    if not lungs.any() or len(np.unique(markers)) < 3:
        return lungs & (x < middle), lungs & (x >= middle)
    basins = sitk.MorphologicalWatershedFromMarkers(
        sitk.GetImageFromArray(np.where(lungs, -inner, 1.0).astype(np.float32)),
        sitk.GetImageFromArray(markers),
        markWatershedLine=False,
    )
    side = sitk.GetArrayFromImage(basins)
    return lungs & (side == 1), lungs & (side == 2)


def _filled(lung: np.ndarray, body: np.ndarray, spacing: float) -> np.ndarray:
    """Fill vessels and small airways."""
    if not lung.any():
        return lung
    return shapes.filled_slices(shapes.closed(lung, _VESSEL_MM / 2.0, spacing)) & body


def lung_structures(work: WorkingCt, right: np.ndarray, left: np.ndarray) -> tuple[SegmentedStructure, ...]:
    """Return the lungs that were found on the grid of the image, with what is uncertain about them."""
    sides = (("right lung", RIGHT_LUNG, right), ("left lung", LEFT_LUNG, left))
    method = f"aerated parts of the body between {_GAS_HU:g} and {_LUNG_HU:g} HU, vessels filled"
    found = []
    for name, terminology, lung in sides:
        mask = work.on_image(lung)
        if mask.any():
            findings = _cut(work, name, lung)
            found.append(SegmentedStructure(name, terminology, mask, method, 0.5 if findings else 1.0, findings))
    return tuple(found)


def _cut(work: WorkingCt, name: str, lung: np.ndarray) -> tuple[Finding, ...]:
    area_ml, position = cut_by_image(work, lung)
    volume_ml = np.count_nonzero(lung) * work.voxel_ml
    if area_ml > _CUT_ML:
        message = (
            f"The {name} is cut by the edge of the image ({volume_ml:.0f} mL are inside): its mass and dose are "
            "incomplete. Use a CT of the whole chest, or enter the lung mass."
        )
        return (Finding("lung cut by the image", Severity.WARNING, message, (name,), position),)
    if volume_ml < _WHOLE_ML:
        message = (
            f"The {name} has only {volume_ml:.0f} mL (a whole one has {_WHOLE_ML:g} or more): parts may be collapsed, "
            "filled with fluid, or missed. Check its outline."
        )
        return (Finding("small lung", Severity.WARNING, message, (name,), position),)
    return ()


def cut_by_image(work: WorkingCt, mask: np.ndarray) -> tuple[float, tuple[float, float, float] | None]:
    """Return how much of a mask (z, y, x) lies in the voxel layer at the image's edge [mL], and where (LPS) [mm]."""
    covered = np.pad(work.covered, 1)
    inner = shapes.eroded(covered, 1.5 * work.grid.spacing_mm[0], work.grid.spacing_mm[0])[1:-1, 1:-1, 1:-1]
    at_edge = mask & ~inner
    if not at_edge.any():
        return 0.0, None
    centre = work.grid.to_lps(np.argwhere(at_edge).mean(axis=0))
    return np.count_nonzero(at_edge) * work.voxel_ml, tuple(float(value) for value in centre)  # type: ignore[return-value]
