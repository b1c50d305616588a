"""Images and masks brought into the space of another, resampled once at most."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from radioembolization.images.coverage import covered_share, keep_volume
from radioembolization.images.grid import Grid
from radioembolization.images.resample import bounding_box, interpolated, resample_linear, resample_mask
from radioembolization.images.transform import AffineTransform
from radioembolization.images.volume import Volume

#: Sub-voxels along each axis by which an affine transform of a mask is sampled.
_SUBVOXELS = 5


def transform_volume(volume: Volume, transform: AffineTransform, grid: Grid, outside: float) -> Volume:
    """Return an intensive image (HU, density, dose) on a grid of the fixed space, interpolated linearly once.

    A rigid transform moves the grid of the image, which is then resampled; ``transform.moved`` alone needs no
    resampling at all.  Chains are made one by ``transform.after`` first.  For counts per voxel, move a scout rigidly
    and use ``resample_counts``.

    Parameters
    ----------
    volume : Volume
    transform : AffineTransform
        From the image to the fixed space.
    grid : Grid
        In the fixed space.
    outside : float
        Value where the image does not reach.
    """
    if transform.is_rigid:
        return resample_linear(transform.moved(volume), grid, outside)
    parts = 2 if max(grid.spacing_mm) > 1.5 * min(volume.grid.spacing_mm) else 1
    fine = interpolated(volume, grid.refined((parts, parts, parts)), outside, to_itk(transform))
    z, y, x = grid.shape
    values = fine.reshape(z, parts, y, parts, x, parts).mean(axis=(1, 3, 5), dtype=np.float32)
    return Volume(values, grid, volume.unit)


def to_itk(transform: AffineTransform) -> sitk.AffineTransform:
    """Return a map from moving to fixed as ITK keeps it: from fixed to moving."""
    back = transform.inverse.matrix
    return sitk.AffineTransform(back[:3, :3].ravel().tolist(), back[:3, 3].tolist())


def from_itk(transform: sitk.Transform) -> AffineTransform:
    """Return a linear ITK transform (fixed to moving) as a map from moving to fixed."""
    ends = np.array([transform.TransformPoint(point) for point in (*np.eye(3).tolist(), (0.0, 0.0, 0.0))])
    matrix = np.eye(4)
    matrix[:3, :3] = (ends[:3] - ends[3]).T
    matrix[:3, 3] = ends[3]
    return AffineTransform(matrix).inverse


def transform_mask(mask: np.ndarray, source: Grid, transform: AffineTransform, grid: Grid) -> np.ndarray:
    """Return a mask (z, y, x) of bool on a grid of the fixed space; its volume is kept up to the determinant.

    Parameters
    ----------
    mask : ndarray (z, y, x) of bool
    source : Grid
        Grid of the mask, in the moving space.
    transform : AffineTransform
        From the moving to the fixed space.
    grid : Grid
        In the fixed space.
    """
    if transform.is_rigid:
        return resample_mask(mask, transform.grid(source), grid)
    share = transform_share(mask, source, transform, grid)
    if not share.any():
        return np.zeros(grid.shape, dtype=bool)
    return keep_volume(share, around=ndimage.uniform_filter(share, 3, mode="constant"))


def transform_share(mask: np.ndarray, source: Grid, transform: AffineTransform, grid: Grid) -> np.ndarray:
    """Return the share (z, y, x) of each voxel of a grid of the fixed space that a moved mask covers."""
    if transform.is_rigid:
        moved = transform.grid(source)
        if moved == grid:
            return np.asarray(mask, dtype=np.float32)
        window, part = _reached(mask, source, transform, grid)
        share = np.zeros(grid.shape, dtype=np.float32)
        if part is not None:
            share[window] = covered_share(mask, moved, part)
        return share
    window, part = _reached(mask, source, transform, grid)
    share = np.zeros(grid.shape, dtype=np.float32)
    if part is None:
        return share
    padded, last = np.pad(mask, 1), np.array(mask.shape) + 1
    for points, weight in _subvoxels(part, _SUBVOXELS):
        index = np.rint(source.to_index(transform.inverse.points(points))).astype(int) + 1
        share[window] += weight * padded[tuple(np.moveaxis(np.clip(index, 0, last), -1, 0))]
    return share


def _reached(
    mask: np.ndarray, source: Grid, transform: AffineTransform, grid: Grid
) -> tuple[tuple[slice, ...], Grid | None]:
    """Return the part of a grid that a moved mask can reach, as slices and as a grid."""
    box = bounding_box(mask)
    if box is None:
        return (), None
    ends = np.array(box).T - 0.5
    corners = np.array([[ends[c[i], i] for i in range(3)] for c in np.ndindex(2, 2, 2)])
    index = grid.to_index(transform.points(source.to_lps(corners)))
    low = np.clip(np.floor(index.min(axis=0)).astype(int) - 1, 0, grid.shape)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + 2, 0, grid.shape)
    window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    if np.any(high <= low):
        return window, None
    return window, grid.box(tuple(low), tuple(int(n) for n in high - low))


def _subvoxels(grid: Grid, count: int) -> Iterator[tuple[np.ndarray, float]]:
    """Yield the positions (z, y, x, 3) of each sub-voxel centre of all voxels, with its weight."""
    offsets = (np.arange(count) + 0.5) / count - 0.5
    centres = np.stack(np.meshgrid(*(np.arange(n, dtype=float) for n in grid.shape), indexing="ij"), axis=-1)
    for offset in np.stack(np.meshgrid(offsets, offsets, offsets, indexing="ij"), axis=-1).reshape(-1, 3):
        yield grid.to_lps(centres + offset), 1.0 / count**3
