"""Shape operations on masks of cubic voxels that segmentation is made of; lengths in millimetres."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

#: Neighbours of a voxel: the 6 that share a side.
_SIX = ndimage.generate_binary_structure(3, 1)


def eroded(mask: np.ndarray, by_mm: float, spacing_mm: float) -> np.ndarray:
    """Return a mask (z, y, x) less what lies within a distance of its surface; the image's edge is no surface."""
    return depth(mask, spacing_mm) > by_mm


def grown(mask: np.ndarray, by_mm: float, spacing_mm: float) -> np.ndarray:
    """Return a mask (z, y, x) and everything within a distance of it."""
    if not mask.any():
        return mask.copy()
    return distance_to(mask, spacing_mm) <= by_mm


def opened(mask: np.ndarray, by_mm: float, spacing_mm: float) -> np.ndarray:
    """Return a mask (z, y, x) without what is narrower than twice a length."""
    return grown(eroded(mask, by_mm, spacing_mm), by_mm, spacing_mm) & mask


def closed(mask: np.ndarray, by_mm: float, spacing_mm: float) -> np.ndarray:
    """Return a mask (z, y, x) with gaps narrower than twice a length filled; the image's edge fills nothing."""
    margin = int(np.ceil(by_mm / spacing_mm)) + 1
    padded = np.pad(mask, margin)
    inner = eroded(grown(padded, by_mm, spacing_mm), by_mm, spacing_mm) | padded
    return inner[tuple(slice(margin, -margin) for _ in range(3))]


def depth(mask: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Return the distance of each voxel (z, y, x) of a mask to what is not in it [mm]; 0 outside."""
    if mask.all():
        return np.full(mask.shape, np.inf)
    return distance_to(~mask, spacing_mm)


def distance_to(mask: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Return the distance of each voxel (z, y, x) to the nearest one of a mask that is not empty [mm]."""
    if mask.all():
        return np.zeros(mask.shape)
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    squared = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=True, useImageSpacing=False)
    return np.sqrt(np.maximum(sitk.GetArrayFromImage(squared), 0.0)) * spacing_mm


def components(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels (z, y, x) of connected parts from 1 up, largest first, and their numbers of voxels."""
    labels, count = ndimage.label(mask, _SIX)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    rank = np.zeros(count + 1, dtype=np.int32)
    rank[1 + order] = np.arange(1, count + 1)
    return rank[labels], sizes[order]


def largest(mask: np.ndarray) -> np.ndarray:
    """Return the largest connected part of a mask (z, y, x)."""
    return components(mask)[0] == 1


def connected(mask: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Return the parts of a mask (z, y, x) that share a voxel with another."""
    labels, _ = ndimage.label(mask, _SIX)
    touched = np.unique(labels[to & mask])
    return np.isin(labels, touched[touched > 0])


def filled_slices(mask: np.ndarray) -> np.ndarray:
    """Return a mask (z, y, x) with the holes of every axial slice filled."""
    return np.stack([ndimage.binary_fill_holes(one) for one in mask])


def compactness(mask: np.ndarray) -> float:
    """Return 36 pi V**2 / A**3 of a mask, its surface counted in sides of voxels and corrected for their steps."""
    padded = np.pad(mask, 1)
    sides = sum(int(np.count_nonzero(np.diff(padded, axis=axis))) for axis in range(3))
    area = sides / 1.5
    return float(36.0 * np.pi * np.count_nonzero(mask) ** 2 / area**3)
