"""How far a liver found in a CT can be believed, from signs that do not depend on how it was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.structures.segmentation import shapes
from radioembolization.structures.segmentation.ct_image import WorkingCt
from radioembolization.structures.segmentation.liver import FoundLiver
from radioembolization.structures.segmentation.lungs import cut_by_image

#: Muscles are in this range, with and without contrast [HU].
_MUSCLE_HU = (10.0, 110.0)


@dataclass(frozen=True)
class LiverSigns:
    """What speaks for or against a liver.

    Parameters
    ----------
    volume_ml : float
        [mL].
    agreement : float
        Dice coefficient with the second variant of the walker.
    doubtful : float
        Share of its volume of which the walker is less than 65 % but more than 35 % sure.
    edge : float
        Share of its surface beyond which the HU leave those of the liver.
    homogeneous : float
        Share of its voxels within three standard deviations of the mode.
    exclusive : float
        Share of the tissue of its HU in the abdominal cavity that it has.
    separation : float
        Difference of its HU from those of the muscles around the cavity, in standard deviations.
    compactness : float
        36 pi V**2 / A**3: 1 for a ball.
    right : float
        Share on the patient's right.
    dome_gap_mm : float
        Distance from the base of the right lung [mm]; infinite without a right lung.
    noise_hu : float
        Standard deviation of the CT about the smoothed CT in it, on the working grid [HU].
    voxel_mm : float
        Longest side of a voxel of the image [mm].
    cut_ml : float
        Volume in the layer of voxels where the image ends [mL].
    cut_at : tuple of float, optional
        Where that is (LPS) [mm].
    """

    volume_ml: float
    agreement: float
    doubtful: float
    edge: float
    homogeneous: float
    exclusive: float
    separation: float
    compactness: float
    right: float
    dome_gap_mm: float
    noise_hu: float
    voxel_mm: float
    cut_ml: float
    cut_at: tuple[float, float, float] | None


def liver_signs(work: WorkingCt, liver: FoundLiver, right_lung: np.ndarray) -> LiverSigns:
    """Return the signs of a liver on the working grid."""
    mask, spacing, smoothed = liver.mask, work.grid.spacing_mm[0], liver.cavity.smoothed
    voxels = int(np.count_nonzero(mask))
    near = np.abs(smoothed[mask] - liver.hu.mode) < 3.0 * liver.hu.sd
    shell = shapes.grown(mask, 2.0 * spacing, spacing) & ~shapes.grown(mask, spacing, spacing)
    leaves = np.abs(smoothed[shell] - liver.hu.mode) > 3.0 * liver.hu.sd
    likely, sure = (int(np.count_nonzero(liver.probability > level)) for level in (0.35, 0.65))
    cut_ml, cut_at = cut_by_image(work, mask)
    return LiverSigns(
        volume_ml=voxels * work.voxel_ml,
        agreement=2.0 * np.count_nonzero(mask & liver.variant) / (voxels + np.count_nonzero(liver.variant)),
        doubtful=(likely - sure) / voxels,
        edge=float(leaves.mean()),
        homogeneous=float(near.mean()),
        exclusive=_exclusive(liver),
        separation=_separation(liver, spacing),
        compactness=shapes.compactness(mask),
        right=np.count_nonzero(mask & liver.cavity.right) / voxels,
        dome_gap_mm=_gap(mask, right_lung, spacing),
        noise_hu=float((work.hu - smoothed)[mask].std()),
        voxel_mm=max(work.image.grid.spacing_mm),
        cut_ml=cut_ml,
        cut_at=cut_at,
    )


def _exclusive(liver: FoundLiver) -> float:
    alike = liver.cavity.mask & (np.abs(liver.cavity.smoothed - liver.hu.mode) < 2.0 * liver.hu.sd)
    return float(np.count_nonzero(alike & liver.mask) / max(1, int(np.count_nonzero(alike))))


def _separation(liver: FoundLiver, spacing: float) -> float:
    """Return infinite where no muscle is seen."""
    values = liver.cavity.smoothed
    muscle = liver.cavity.wall & (values > _MUSCLE_HU[0]) & (values < _MUSCLE_HU[1])
    muscle = shapes.eroded(muscle, spacing, spacing)
    if not muscle.any():
        return np.inf
    return float(abs(liver.hu.mode - np.median(values[muscle])) / liver.hu.sd)


def _gap(mask: np.ndarray, lung: np.ndarray, spacing: float) -> float:
    if not lung.any():
        return np.inf
    return float(ndimage.distance_transform_edt(~lung, sampling=spacing)[mask].min())
