"""How good a registration is: overlap of structures, error at landmarks, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.errors import ImageError
from radioembolization.images.coverage import covered_share
from radioembolization.images.grid import Grid
from radioembolization.images.transform import AffineTransform
from radioembolization.images.transformed import transform_share


@dataclass(frozen=True)
class LandmarkError:
    """Distances left between landmarks of two images after a transform.

    Parameters
    ----------
    mean_mm, max_mm : float
    count : int
    """

    mean_mm: float
    max_mm: float
    count: int


@dataclass(frozen=True)
class RegistrationQuality:
    """Figures of a registration that need no further input.

    Parameters
    ----------
    mutual_information_before, mutual_information_after : float
        Normalized, from 1 (independent) to 2, at the same points; 1 where the images do not meet.
    correlation_before, correlation_after : float
        Pearson's, of values as they were compared; says little for images of different kinds.
    overlap_share : float
        Share of one foreground inside the other image, the larger of the two.
    distinctness : float
        Information above independence times overlap, over the most that any shift of 20 mm has: near 1 or
        below, the place is arbitrary.
    inverse_consistency_mm : float, optional
        Mean distance by which the way there and the way back, registered by itself, miss each other [mm]; None if
        not asked for.
    rotation_degrees, shift_mm : float
        Of the moving image's foreground, from where it was.
    scales : tuple of float
        Principal stretches, smallest first; all 1 for a rigid transform.
    """

    mutual_information_before: float
    mutual_information_after: float
    correlation_before: float
    correlation_after: float
    overlap_share: float
    distinctness: float
    inverse_consistency_mm: float | None
    rotation_degrees: float
    shift_mm: float
    scales: tuple[float, float, float]


def rotation_degrees(transform: AffineTransform) -> float:
    """Return the angle of the rotation that is nearest to a transform [degrees]."""
    u, _, v = np.linalg.svd(transform.matrix[:3, :3])
    return float(np.rad2deg(np.arccos(np.clip((np.trace(u @ v) - 1.0) / 2.0, -1.0, 1.0))))


def scales(transform: AffineTransform) -> tuple[float, float, float]:
    """Return the principal stretches of a transform, smallest first."""
    found = np.linalg.svd(transform.matrix[:3, :3], compute_uv=False)
    return float(found[2]), float(found[1]), float(found[0])


def inverse_consistency_mm(there: AffineTransform, back: AffineTransform, points_lps_mm: np.ndarray) -> float:
    """Return the mean distance of points (n, 3) of the moving image from themselves, there and back [mm]."""
    gone = back.after(there).points(points_lps_mm)
    return float(np.linalg.norm(gone - points_lps_mm, axis=-1).mean())


def landmark_error(
    fixed_lps_mm: np.ndarray, moving_lps_mm: np.ndarray, transform: AffineTransform | None = None
) -> LandmarkError:
    """Return the target registration error at pairs of landmarks.

    Parameters
    ----------
    fixed_lps_mm, moving_lps_mm : ndarray (n, 3)
        The same anatomical points in each image [mm].
    transform : AffineTransform, optional
        Default: the error before any.

    Raises
    ------
    ImageError
        If there are no pairs, or not as many in both images.
    """
    fixed, moving = np.asarray(fixed_lps_mm, dtype=float), np.asarray(moving_lps_mm, dtype=float)
    if fixed.shape != moving.shape or fixed.ndim != 2 or fixed.shape[-1] != 3 or not len(fixed):
        raise ImageError(
            f"Landmarks are pairs of positions x, y, z in both images; given are arrays of shape {fixed.shape} "
            f"and {moving.shape}."
        )
    moved = (transform or AffineTransform.identity()).points(moving)
    distance = np.linalg.norm(moved - fixed, axis=1)
    return LandmarkError(float(distance.mean()), float(distance.max()), len(fixed))


def dice_after(
    fixed_mask: np.ndarray,
    fixed_grid: Grid,
    moving_mask: np.ndarray,
    moving_grid: Grid,
    transform: AffineTransform,
) -> float:
    """Return the Dice overlap of a structure drawn in both images, such as the liver, after a transform.

    Masks are compared by the shares of voxels they cover, so that no rounding to voxels enters: twice the covered
    minimum over the sum, with the whole moved volume in the sum even where it leaves the fixed grid.

    Parameters
    ----------
    fixed_mask, moving_mask : ndarray (z, y, x) of bool
    fixed_grid, moving_grid : Grid

    Raises
    ------
    ImageError
        If a mask is empty or not on its grid.
    """
    for name, mask, grid in (("fixed", fixed_mask, fixed_grid), ("moving", moving_mask, moving_grid)):
        if mask.shape != grid.shape:
            raise ImageError(f"The {name} mask has shape {mask.shape}, its image {grid.shape}.")
        if not mask.any():
            raise ImageError(f"The {name} mask is empty: there is no overlap to measure.")
    share = transform_share(moving_mask, moving_grid, transform, fixed_grid)
    common = np.minimum(share, covered_share(fixed_mask, fixed_grid, fixed_grid)).sum(dtype=float)
    moved_ml = np.count_nonzero(moving_mask) * moving_grid.voxel_ml * np.linalg.det(transform.matrix[:3, :3])
    fixed_ml = np.count_nonzero(fixed_mask) * fixed_grid.voxel_ml
    return float(2.0 * common * fixed_grid.voxel_ml / (moved_ml + fixed_ml))
