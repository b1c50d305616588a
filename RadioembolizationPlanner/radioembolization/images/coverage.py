"""How much of each voxel of a grid a mask on another grid covers."""

from __future__ import annotations

import numpy as np

from radioembolization.images.grid import Grid

#: Axes whose direction cosines differ from 0 and 1 by less are parallel.
_PARALLEL = 1e-4
#: Sub-voxels along each axis where the grids are oblique to each other.
_SUBVOXELS = 5
#: A voxel covered by a smaller share never belongs to a resampled mask, nor is one with the rest left out.
_LEAST_COVERED = 0.35
#: Weight of the share covered around a voxel, which ranks voxels that are covered equally.
_RANK = 1e-3


def covered_share(mask: np.ndarray, source: Grid, grid: Grid) -> np.ndarray:
    """Return the share of each voxel (z, y, x) of a grid that a mask on another grid covers.

    Exact for grids with parallel axes in any order and sense; otherwise by 5 x 5 x 5 sub-voxels.
    """
    origin = source.to_index(grid.to_lps(np.zeros(3)))
    steps = np.stack([source.to_index(grid.to_lps(np.eye(3)[axis])) - origin for axis in range(3)])  # target x source
    cosines = np.abs(steps) * np.array(source.spacing_mm) / np.array(grid.spacing_mm)[:, None]
    if np.all(np.minimum(cosines, np.abs(1.0 - cosines)) < _PARALLEL):
        return _exact(mask, grid.shape, origin, steps)
    return _sampled(mask, source, grid)


def keep_volume(covered: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Return the voxels (z, y, x) of bool that make a mask of the covered volume.

    Voxels covered by half or more, except that the share is moved between 35 and 65 % to where the volume
    is kept best: a fixed half would shrink small convex lesions by per cents.

    Parameters
    ----------
    covered : ndarray (z, y, x)
        Covered share of each voxel.
    around : ndarray (z, y, x)
        Covered share in a neighbourhood; ranks voxels that are covered equally.
    """
    volume = float(covered.sum(dtype=float))
    ranked = covered + _RANK * (around - 0.5)
    possible = np.sort(ranked[ranked > _LEAST_COVERED])
    shares = np.append(np.unique(possible[possible < 1.0 - _LEAST_COVERED]), 1.0 - _LEAST_COVERED)
    error = np.abs(len(possible) - np.searchsorted(possible, shares) - volume)
    best = shares[error == error.min()]
    return ranked >= best[np.abs(best - 0.5).argmin()]


def _exact(mask: np.ndarray, shape: tuple[int, int, int], origin: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Multiply the mask by one matrix of overlaps along each axis."""
    of_axis = np.abs(steps).argmax(axis=1)  # source axis of each target axis
    share = np.transpose(mask, of_axis).astype(np.float32)
    for axis in range(3):
        step, first = steps[axis, of_axis[axis]], origin[of_axis[axis]]
        centres = first + step * np.arange(shape[axis])
        overlaps = _overlaps(centres, abs(step), mask.shape[of_axis[axis]])
        share = np.moveaxis(np.tensordot(overlaps, share, axes=(1, axis)), 0, axis)
    return share


def _overlaps(centres: np.ndarray, width: float, voxels: int) -> np.ndarray:
    """Return the share of each interval (targets, voxels) that lies in each unit voxel."""
    low, high = (centres - width / 2)[:, None], (centres + width / 2)[:, None]
    edges = np.arange(voxels)[None] - 0.5
    overlap = np.minimum(high, edges + 1.0) - np.maximum(low, edges)
    return (np.maximum(overlap, 0.0) / width).astype(np.float32)


def _sampled(mask: np.ndarray, source: Grid, grid: Grid) -> np.ndarray:
    share = np.zeros(grid.shape, dtype=np.float32)
    offsets = (np.arange(_SUBVOXELS) + 0.5) / _SUBVOXELS - 0.5
    centres = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1)
    padded = np.pad(mask, 1)
    for offset in np.stack(np.meshgrid(offsets, offsets, offsets, indexing="ij"), axis=-1).reshape(-1, 3):
        index = np.rint(source.to_index(grid.to_lps(centres + offset))).astype(int) + 1
        index = np.clip(index, 0, np.array(padded.shape) - 1)
        share += padded[tuple(np.moveaxis(index, -1, 0))]
    return share / _SUBVOXELS**3
