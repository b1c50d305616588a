"""From the voxels of vessels to the thin lines in their middle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial import cKDTree

from radioembolization.errors import MissingPackage, TerritoryError
from radioembolization.images import Grid

#: Most voxels that are thinned (a few hundred megabytes, half a minute).
MOST_VOXELS = 64_000_000
#: Voxels whose sides differ by less are thinned as they are.
_NEARLY_CUBIC = 1.1


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Voxels in the middle of vessels, in millimetres along the axes of the mask.

    Parameters
    ----------
    places_mm : ndarray (points, 3)
        (z, y, x), from the centre of the first voxel of the mask [mm].
    edges : ndarray (edges, 2) of int
        Points that touch each other, by a side, an edge or a corner.
    piece : ndarray (points,) of int
        Number of the separate piece of the mask that a point lies in.
    piece_ml : ndarray (pieces,)
        Volume of every piece [mL].
    wall_mm : ndarray (faces, 3)
        Middle of every face between a voxel inside and one outside (z, y, x) [mm].
    wall_piece : ndarray (faces,) of int
        The piece that a face belongs to.
    step_mm : float
        Side of the voxels that were thinned [mm].
    """

    places_mm: np.ndarray
    edges: np.ndarray
    piece: np.ndarray
    piece_ml: np.ndarray
    wall_mm: np.ndarray
    wall_piece: np.ndarray
    step_mm: float

    @cached_property
    def wall(self) -> cKDTree:
        """The faces of the wall, to be searched."""
        return cKDTree(self.wall_mm)

    @cached_property
    def depth_mm(self) -> np.ndarray:
        """Distance of every point from the wall (points,) [mm]."""
        return np.asarray(self.wall.query(self.places_mm)[0])


def thinned(mask: np.ndarray, grid: Grid, *, most_voxels: int = MOST_VOXELS) -> Skeleton:
    """Return the skeleton of a mask.

    The mask is cut to its box, cavities and pits of the wall are filled, and it is thinned on cubic voxels as
    large as the shortest side of its own; every voxel takes the value of the nearest one, which keeps connections.
    If these would be more than ``most_voxels``, larger cubes are taken that count as vessel if they touch one:
    vessels closer together than such a cube run together. The wall is always that of the mask as given.

    Parameters
    ----------
    mask : ndarray (z, y, x) of bool
    grid : Grid
    most_voxels : int

    Raises
    ------
    TerritoryError
        If the mask has another shape than the grid or no voxel.
    MissingPackage
        Without scikit-image.

    References
    ----------
    Lee, Kashyap and Chu 1994, 10.1006/cgip.1994.1042.
    """
    vessels, low = _cropped(mask, grid)
    spacing = np.array(grid.spacing_mm)
    cubes, step_mm = _cubes(vessels, spacing, most_voxels)
    labels, count = ndimage.label(cubes, np.ones((3, 3, 3), dtype=bool))
    index = np.argwhere(_thin(cubes))
    walls, inside = _faces(vessels)
    numbers = _numbers_at(labels, inside * spacing / step_mm)
    voxels = _numbers_at(labels, np.argwhere(vessels) * spacing / step_mm)
    volume = np.bincount(voxels, minlength=count + 1)[1:] * grid.voxel_ml
    origin = low * spacing
    return Skeleton(
        index * step_mm + origin,
        _touching(index),
        labels[tuple(index.T)] - 1,
        volume,
        walls * spacing + origin,
        numbers - 1,
        step_mm,
    )


def _cropped(mask: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the box of the vessels with one voxel around, cavities filled, and the index of its corner."""
    mask = np.asarray(mask)
    if mask.shape != grid.shape:
        raise TerritoryError(
            f"The vessel mask has the shape {mask.shape}, its grid {grid.shape}: give the mask's grid."
        )
    mask = mask.astype(bool, copy=False)
    if not mask.any():
        raise TerritoryError("The vessel mask has no voxel: draw the arteries, or choose another segment.")
    profiles = (mask.any(axis=(1, 2)), mask.any(axis=(0, 2)), mask.any(axis=(0, 1)))
    ends = [np.flatnonzero(profile)[[0, -1]] for profile in profiles]
    box = np.pad(mask[tuple(slice(first, last + 1) for first, last in ends)], 1)
    return _without_pits(box), np.array([first - 1 for first, _ in ends])


def _without_pits(box: np.ndarray) -> np.ndarray:
    """Fill cavities, and pits of a rough wall: voxels with most of their 27 neighbours inside; remove nothing."""
    image = sitk.GetImageFromArray(box.view(np.uint8))
    inside = sitk.GetArrayFromImage(sitk.BinaryFillhole(image, False, 1))
    around = inside
    for axis in range(3):
        around = ndimage.correlate1d(around, [1, 1, 1], axis=axis, mode="constant")
    return np.asarray(inside.view(bool) | (around >= 14))


def _cubes(vessels: np.ndarray, spacing_mm: np.ndarray, most_voxels: int) -> tuple[np.ndarray, float]:
    """Return the vessels on cubic voxels, and their side [mm]; the first voxels have the same centre."""
    step = float(spacing_mm.min())
    least = float((vessels.size * np.prod(spacing_mm) / most_voxels) ** (1.0 / 3.0))
    if step >= least and spacing_mm.max() <= _NEARLY_CUBIC * step:
        return vessels, step
    step = max(step, least)
    for axis, side in enumerate(spacing_mm):
        reach = int(np.ceil(step / side - 1e-6))
        if reach > 1:
            vessels = ndimage.maximum_filter1d(vessels, reach, axis=axis, mode="constant")
        count = int((vessels.shape[axis] - 1) * side / step) + 1
        nearest = np.rint(np.arange(count + 1) * step / side).astype(int)
        vessels = np.take(vessels, np.minimum(nearest, vessels.shape[axis] - 1), axis=axis)
    return vessels, step


def _thin(cubes: np.ndarray) -> np.ndarray:
    try:
        from skimage.morphology import skeletonize
    except ImportError as error:
        raise MissingPackage(
            "The centrelines of a vessel mask need the package scikit-image: pip install scikit-image."
        ) from error
    return np.asarray(skeletonize(cubes, method="lee")).astype(bool)


def _faces(vessels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles of the faces between inside and outside, and the voxels inside (faces, 3) as indices."""
    middles, inside = [], []
    for axis in range(3):
        ahead = np.moveaxis(vessels, axis, 0)
        at = np.argwhere(ahead[1:] != ahead[:-1])
        within = np.where(ahead[:-1][tuple(at.T)], 0, 1)
        voxel = at.copy()
        voxel[:, 0] += within
        middle = at.astype(float)
        middle[:, 0] += 0.5
        order = np.argsort([axis, *(other for other in range(3) if other != axis)])
        middles.append(middle[:, order])
        inside.append(voxel[:, order])
    return np.concatenate(middles), np.concatenate(inside)


def _numbers_at(labels: np.ndarray, index: np.ndarray) -> np.ndarray:
    nearest = np.clip(np.rint(index).astype(int), 0, np.array(labels.shape) - 1)
    return np.asarray(labels[tuple(nearest.T)])


def _touching(index: np.ndarray) -> np.ndarray:
    """Return the pairs of voxels that touch (pairs, 2)."""
    return np.asarray(cKDTree(index).query_pairs(1.8, output_type="ndarray")).reshape(-1, 2)
