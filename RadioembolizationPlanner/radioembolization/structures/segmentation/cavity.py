"""The upper abdomen: what lies inside the rib cage and abdominal wall, below the diaphragm, and is no bone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from radioembolization.structures.segmentation import shapes
from radioembolization.structures.segmentation.ct_image import WorkingCt

#: Bone is above this at 3 mm; ribs are thinner than twice the second and no deeper under the skin than the third.
_BONE_HU, _RIB_MM, _RIB_DEPTH_MM = 150.0, 7.0, 65.0
#: Bone within this of the middle is spine or sternum; the least rib [mL], and what its brightest voxel exceeds [HU],
#: as vessels with contrast do not.
_MIDDLE_MM, _LEAST_RIB_ML, _RIB_PEAK_HU = 40.0, 0.3, 230.0
#: Balls of this radius do not fit between skin and ribs, nor between ribs [mm].
_WALL_MM = 35.0
#: Bones are closed by this, so that the discs and marrow of the spine belong to it [mm].
_SPINE_MM = 9.0
#: Steps of the smooth continuation of the diaphragm under the heart, and how far it may be wrong [mm].
_CONTINUATION_STEPS, _DIAPHRAGM_MM = 400, 6.0
#: Range kept by the smoothing [HU], its step and number of steps.
_RANGE_HU, _FLOW_STEP, _FLOW_STEPS = (-150.0, 350.0), 0.0625, 8


@dataclass(frozen=True, eq=False)
class Cavity:
    """Where abdominal organs may be.

    Parameters
    ----------
    smoothed : ndarray (z, y, x)
        The CT with its edges kept and its noise removed [HU].
    mask : ndarray (z, y, x) of bool
        Inside wall and ribs, below the diaphragm, without spine and lungs.
    right : ndarray (z, y, x) of bool
        The patient's right half.
    dome_index : float or None
        Index along z of the top of the right diaphragm; None without a right lung.
    wall : ndarray (z, y, x) of bool
        Ribs, muscles and fat around, and bones.
    """

    smoothed: np.ndarray
    mask: np.ndarray
    right: np.ndarray
    dome_index: float | None
    wall: np.ndarray


def find_cavity(work: WorkingCt, body: np.ndarray, lungs: tuple[np.ndarray, np.ndarray]) -> Cavity:
    """Return where abdominal organs may be, from body and (right, left) lungs on the working grid."""
    both = lungs[0] | lungs[1]
    columns = np.flatnonzero(body.any(axis=(0, 1)))
    middle = (columns[0] + columns[-1]) / 2.0
    x = np.arange(body.shape[2])
    wall = _wall(work, body, np.abs(x - middle) * work.grid.spacing_mm[0] > _MIDDLE_MM)
    below = np.ones(body.shape, dtype=bool)
    dome = None
    if both.any():
        height = diaphragm_height(both)
        margin = _DIAPHRAGM_MM / work.grid.spacing_mm[0]
        below = np.arange(body.shape[0])[:, None, None] <= height + margin
        dome = float(height[lungs[0].any(axis=0)].max()) if lungs[0].any() else None
    mask = body & work.covered & ~wall & ~both & below
    return Cavity(_smoothed(work), mask, np.broadcast_to(x < middle, body.shape), dome, wall)


def diaphragm_height(lungs: np.ndarray) -> np.ndarray:
    """Return the index along z (y, x) of the lowest lung, continued harmonically where no lung is.

    The heart rests on the diaphragm between the lungs: the smooth surface through the bases of both lungs
    separates it from the liver where the two look alike.
    """
    known = lungs.any(axis=0)
    low = np.where(known, lungs.argmax(axis=0), 0).astype(float)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    height = low[tuple(nearest)]
    for _ in range(_CONTINUATION_STEPS):
        padded = np.pad(height, 1, mode="edge")
        mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4.0
        height = np.where(known, low, mean)
    return height


def _smoothed(work: WorkingCt) -> np.ndarray:
    image = sitk.GetImageFromArray(np.clip(work.hu, *_RANGE_HU))
    return sitk.GetArrayFromImage(sitk.CurvatureFlow(image, _FLOW_STEP, _FLOW_STEPS))


def _wall(work: WorkingCt, body: np.ndarray, lateral: np.ndarray) -> np.ndarray:
    """Return what no ball can reach from inside, as it fits neither between ribs nor between ribs and skin."""
    spacing = work.grid.spacing_mm[0]
    bone = body & (ndimage.gaussian_filter(work.hu, 0.5) > _BONE_HU)
    ribs = _ribs(work, bone, body, lateral)
    margin = int(np.ceil(_WALL_MM / spacing)) + 1
    outside = np.pad((~body & work.covered) | ribs, margin, mode="edge")
    reach = shapes.grown(~shapes.grown(outside, _WALL_MM, spacing), _WALL_MM, spacing) & ~outside
    inner = tuple(slice(margin, -margin) for _ in range(3))
    return ~reach[inner] | _spine(bone, lateral, spacing)


def _ribs(work: WorkingCt, bone: np.ndarray, body: np.ndarray, lateral: np.ndarray) -> np.ndarray:
    """Return thin bones near the skin, away from the middle."""
    spacing = work.grid.spacing_mm[0]
    skin = np.stack([ndimage.distance_transform_edt(np.pad(one, 1), sampling=spacing)[1:-1, 1:-1] for one in body])
    thick = shapes.grown(shapes.eroded(bone, _RIB_MM, spacing), _RIB_MM + spacing, spacing)
    labels, sizes = shapes.components(bone & ~thick & (skin < _RIB_DEPTH_MM) & lateral)
    numbers = np.arange(1, len(sizes) + 1)
    peaks = ndimage.maximum(work.hu, labels, numbers) if len(sizes) else np.zeros(0)
    return np.isin(labels, numbers[(sizes * work.voxel_ml >= _LEAST_RIB_ML) & (peaks > _RIB_PEAK_HU)])


def _spine(bone: np.ndarray, lateral: np.ndarray, spacing: float) -> np.ndarray:
    """Return the largest bone in the back of the middle, discs and marrow filled."""
    middle = bone & ~lateral
    middle[:, : middle.shape[1] // 2] = False
    return shapes.filled_slices(shapes.closed(shapes.largest(middle), _SPINE_MM, spacing))
