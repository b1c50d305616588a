"""How far a liver found in a CT can be believed, from signs that do not depend on how it was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.structures.segmentation import shapes
from radioembolization.structures.segmentation.ct_image import WorkingCt
from radioembolization.structures.segmentation.liver import FoundLiver


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
    compactness : float
        Volume of the ball with the same surface over that of the liver, inverted: 1 for a ball.
    right : float
        Share on the patient's right.
    dome_gap_mm : float
        Distance from the base of the right lung [mm]; infinite without a right lung.
    noise_hu : float
        Standard deviation of the CT about the smoothed CT in it, on the working grid [HU].
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
    compactness: float
    right: float
    dome_gap_mm: float
    noise_hu: float
    cut_ml: float
    cut_at: tuple[float, float, float] | None


def liver_signs(work: WorkingCt, liver: FoundLiver, right_lung: np.ndarray) -> LiverSigns:
    """Return the signs of a liver on the working grid."""
    from radioembolization.structures.segmentation.lungs import cut_by_image

    mask, spacing, smoothed = liver.mask, work.grid.spacing_mm[0], liver.cavity.smoothed
    voxels = np.count_nonzero(mask)
    near = np.abs(smoothed[mask] - liver.hu.mode) < 3.0 * liver.hu.sd
    shell = shapes.grown(mask, 2.0 * spacing, spacing) & ~shapes.grown(mask, spacing, spacing)
    leaves = np.abs(smoothed[shell] - liver.hu.mode) > 3.0 * liver.hu.sd
    likely, sure = (np.count_nonzero(liver.probability > level) for level in (0.35, 0.65))
    cut_ml, cut_at = cut_by_image(work, mask)
    return LiverSigns(
        volume_ml=voxels * work.voxel_ml,
        agreement=2.0 * np.count_nonzero(mask & liver.variant) / (voxels + np.count_nonzero(liver.variant)),
        doubtful=(likely - sure) / voxels,
        edge=float(leaves.mean()),
        homogeneous=float(near.mean()),
        compactness=_compactness(mask),
        right=np.count_nonzero(mask & liver.cavity.right) / voxels,
        dome_gap_mm=_gap(mask, right_lung, spacing),
        noise_hu=float((work.hu - smoothed)[mask].std()),
        cut_ml=cut_ml,
        cut_at=cut_at,
    )


def _compactness(mask: np.ndarray) -> float:
    """Return 36 pi V**2 / A**3 of a mask, its surface counted in sides of voxels and corrected for their steps."""
    padded = np.pad(mask, 1)
    sides = sum(int(np.count_nonzero(np.diff(padded, axis=axis))) for axis in range(3))
    area = sides / 1.5
    return float(36.0 * np.pi * np.count_nonzero(mask) ** 2 / area**3)


def _gap(mask: np.ndarray, lung: np.ndarray, spacing: float) -> float:
    if not lung.any():
        return np.inf
    return float(ndimage.distance_transform_edt(~lung, sampling=spacing)[mask].min())
