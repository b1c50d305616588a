"""Moving images and masks onto another grid."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from radioembolization.errors import NoOverlap
from radioembolization.images.coverage import covered_share, keep_volume
from radioembolization.images.grid import Grid
from radioembolization.images.volume import Volume


def resample_counts(counts: Volume, grid: Grid) -> tuple[Volume, float]:
    """Resample an extensive image (counts per voxel) so that the counts are kept.

    The count density is interpolated linearly at the centres of sub-voxels no larger than the source
    voxels and averaged.  What remains of the interpolation error in the total (below a per cent) is
    removed by one factor, so that the target holds exactly the counts that lie inside it.

    Parameters
    ----------
    counts : Volume
        Counts per voxel.
    grid : Grid
        Target.

    Returns
    -------
    volume : Volume
        Counts per voxel on the target grid.
    share : float
        Share of all counts of the source that lie inside the target grid.

    Raises
    ------
    NoOverlap
        If no counts lie inside the target grid.
    """
    total = float(counts.array.sum(dtype=float))
    inside = _counts_inside(counts, grid)
    density = Volume(counts.array.astype(np.float32) / counts.grid.voxel_ml, counts.grid, counts.unit)
    sampled = _averaged(density, grid).astype(float) * grid.voxel_ml
    resampled = float(sampled.sum())
    if not (inside > 0 and resampled > 0):
        raise NoOverlap(
            f"None of the {total:.4g} counts of the scout image lie inside the planning grid "
            f"({_extent(grid)} against {_extent(counts.grid)}): check that scout and structures "
            "belong to the same patient and frame of reference, or register them."
        )
    return Volume((sampled * (inside / resampled)).astype(np.float32), grid, counts.unit), inside / total


def resample_linear(volume: Volume, grid: Grid, outside: float) -> Volume:
    """Resample an intensive image (HU, density, dose) linearly; ``outside`` fills what it does not cover."""
    return Volume(_averaged(volume, grid, outside), grid, volume.unit)


def resample_mask(mask: np.ndarray, source: Grid, grid: Grid) -> np.ndarray:
    """Resample a mask (z, y, x) so that its volume is kept.

    A target voxel belongs to the mask if about half of it is covered; see ``coverage.keep_volume``.

    Returns
    -------
    ndarray (z, y, x) of bool
    """
    box = bounding_box(mask)
    if box is None:
        return np.zeros(grid.shape, dtype=bool)
    low = tuple(max(0, start - 1) for start, _ in box)
    high = tuple(min(n, stop + 1) for (_, stop), n in zip(box, source.shape, strict=True))
    part = mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    part_grid = source.box(low, part.shape)
    window, window_grid = _window(part_grid, grid)
    result = np.zeros(grid.shape, dtype=bool)
    if window_grid is not None:
        covered = covered_share(part, part_grid, window_grid)
        result[window] = keep_volume(covered, around=ndimage.uniform_filter(covered, 3, mode="constant"))
    return result


def _averaged(volume: Volume, grid: Grid, outside: float = 0.0) -> np.ndarray:
    """Interpolate linearly at sub-voxels of the target about as small as the source voxels, and average them."""
    if volume.grid == grid:
        return volume.array.astype(np.float32)
    along = np.abs(volume.grid.direction_matrix.T @ grid.direction_matrix)  # source axis x target axis
    source_spacing = np.array(volume.grid.spacing_mm[::-1])[along.argmax(axis=0)][::-1]
    ratio = np.ceil(np.array(grid.spacing_mm) / source_spacing - 1e-6).astype(int)
    factors = tuple(int(n) for n in np.clip(ratio, 1, 3))
    fine = interpolated(volume, grid.refined(factors), outside)
    z, y, x = grid.shape
    blocks = fine.reshape(z, factors[0], y, factors[1], x, factors[2])
    return blocks.mean(axis=(1, 3, 5), dtype=np.float32)


def interpolated(volume: Volume, grid: Grid, outside: float, through: sitk.Transform | None = None) -> np.ndarray:
    """Return an image at the voxel centres (z, y, x) of a grid, which ITK maps into the image's space if it is told."""
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in grid.shape[::-1]])
    resampler.SetOutputSpacing(grid.spacing_mm[::-1])
    resampler.SetOutputOrigin(grid.origin_mm)
    resampler.SetOutputDirection(grid.direction)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetDefaultPixelValue(float(outside))
    resampler.SetOutputPixelType(sitk.sitkFloat32)
    if through is not None:
        resampler.SetTransform(through)
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.array, dtype=np.float32))
    image.SetSpacing(volume.grid.spacing_mm[::-1])
    image.SetOrigin(volume.grid.origin_mm)
    image.SetDirection(volume.grid.direction)
    return sitk.GetArrayFromImage(resampler.Execute(image))


def _counts_inside(counts: Volume, grid: Grid) -> float:
    """Sum the counts inside the target; source voxels its border cuts count by the share of their sub-voxels."""
    nonzero = np.argwhere(counts.array)
    if not len(nonzero):
        return 0.0
    values = counts.array[tuple(nonzero.T)].astype(float)
    index = grid.to_index(counts.grid.to_lps(nonzero))
    depth = np.minimum(index + 0.5, np.array(grid.shape) - 0.5 - index).min(axis=1)
    reach = np.linalg.norm(counts.grid.spacing_mm) / min(grid.spacing_mm)
    cut = np.abs(depth) < reach
    offsets = (np.array(list(np.ndindex(3, 3, 3))) - 1.0) / 3.0
    points = grid.to_index(counts.grid.to_lps(nonzero[cut][:, None] + offsets))
    inside = np.all((points >= -0.5) & (points < np.array(grid.shape) - 0.5), axis=2).mean(axis=1)
    return float(values[~cut] @ (depth[~cut] > 0) + values[cut] @ inside)


def _window(source: Grid, grid: Grid) -> tuple[tuple[slice, ...], Grid | None]:
    """Return the part of the target grid that can meet the source, as slices and as a grid."""
    corners = np.array(list(np.ndindex(2, 2, 2))) * np.array(source.shape) - 0.5
    index = grid.to_index(source.to_lps(corners))
    low = np.clip(np.floor(index.min(axis=0)).astype(int) - 1, 0, grid.shape)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + 2, 0, grid.shape)
    window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    if np.any(high <= low):
        return window, None
    return window, grid.box(tuple(low), tuple(int(n) for n in high - low))


def bounding_box(mask: np.ndarray) -> list[tuple[int, int]] | None:
    """Return first and last-plus-one filled index along each axis (z, y, x); None if nothing is filled."""
    box = []
    for axis in range(3):
        filled = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        if not len(filled):
            return None
        box.append((int(filled[0]), int(filled[-1]) + 1))
    return box


def _extent(grid: Grid) -> str:
    corners = grid.to_lps(np.array(list(np.ndindex(2, 2, 2))) * (np.array(grid.shape) - 1))
    low, high = corners.min(axis=0), corners.max(axis=0)
    return "LPS " + " x ".join(f"{a:.0f}..{b:.0f}" for a, b in zip(low, high, strict=True)) + " mm"


def corners_of_mask(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the LPS corners (8, 3) [mm] of the box around a mask that is not empty, voxel sides included."""
    box = bounding_box(mask)
    assert box is not None  # callers leave out empty masks
    ends = np.array(box).T - 0.5
    return grid.to_lps(np.array([[ends[c[i], i] for i in range(3)] for c in np.ndindex(2, 2, 2)]))
