"""Shapes in space and masks of them on a grid."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.images import Grid

#: A level at LPS positions (x, y, z) [mm], which broadcast: below 1 inside, 1 on the surface.
Level = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid, or with a higher power a rounded box, or with an infinite semi-axis a cylinder.

    Parameters
    ----------
    centre_mm : tuple of float
        LPS (x, y, z) [mm].
    semi_axes_mm : tuple of float
        Along (x, y, z) [mm].
    power : float
        Exponent of the distances; 2 for an ellipsoid.
    """

    centre_mm: tuple[float, float, float]
    semi_axes_mm: tuple[float, float, float]
    power: float = 2.0

    def __call__(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        scaled = ((p - c) / a for p, c, a in zip((x, y, z), self.centre_mm, self.semi_axes_mm, strict=True))
        terms = [u * u if self.power == 2.0 else np.abs(u) ** self.power for u in scaled]
        return (terms[0] + terms[1] + terms[2]) ** (1.0 / self.power)

    def inflated(self, by_mm: float) -> Ellipsoid:
        """Return the shape with longer semi-axes."""
        x, y, z = (a + by_mm for a in self.semi_axes_mm)
        return Ellipsoid(self.centre_mm, (x, y, z), self.power)


@dataclass(frozen=True)
class HalfSpace:
    """The side of a plane that its normal points away from; ``softness_mm`` rounds where it meets others."""

    point_mm: tuple[float, float, float]
    normal: tuple[float, float, float]
    softness_mm: float = 60.0

    def __call__(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        length = float(np.linalg.norm(self.normal)) * self.softness_mm
        along = ((p - c) * (n / length) for p, c, n in zip((x, y, z), self.point_mm, self.normal, strict=True))
        return np.asarray(1.0 + sum(along))


def common_part(levels: tuple[np.ndarray, ...], sharpness: float = 14.0) -> np.ndarray:
    """Return the level of the intersection of shapes, with rounded edges."""
    total = sum(np.maximum(level, 0.0) ** sharpness for level in levels)
    return np.asarray(total) ** (1.0 / sharpness)


def positions(grid: Grid, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return LPS x, y, z [mm] divided by a scale, shaped to broadcast to (z, y, x).

    The axes of the grid must be those of LPS.
    """
    z, y, x = (
        (origin + spacing * np.arange(n, dtype=np.float32)).astype(np.float32) / np.float32(scale)
        for origin, spacing, n in zip(grid.origin_mm[::-1], grid.spacing_mm, grid.shape, strict=True)
    )
    return x[None, None, :], y[None, :, None], z[:, None, None]


def filled(level: Level, grid: Grid, scale: float = 1.0) -> np.ndarray:
    """Return the mask (z, y, x) of a shape, enlarged by a scale, computed slab by slab to spare memory."""
    x, y, z = positions(grid, scale)
    mask = np.empty(grid.shape, dtype=bool)
    step = max(1, 2_000_000 // (grid.shape[1] * grid.shape[2]))
    for start in range(0, grid.shape[0], step):
        slab = slice(start, start + step)
        mask[slab] = level(x, y, z[slab]) <= 1.0
    return mask


def bounding_box(mask: np.ndarray, margin: int = 0) -> tuple[slice, slice, slice]:
    """Return the box (z, y, x) around a mask that is not empty."""
    box = ndimage.find_objects(mask.view(np.int8))[0]
    z, y, x = (slice(max(0, s.start - margin), min(n, s.stop + margin)) for s, n in zip(box, mask.shape, strict=True))
    return z, y, x


def grid_of_box(grid: Grid, box: tuple[slice, slice, slice]) -> Grid:
    """Return the grid of a box of voxels."""
    return grid.box(tuple(s.start for s in box), tuple(s.stop - s.start for s in box))


def linear_onto(field: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    """Interpolate a field (z, y, x) linearly at the voxels of another grid with the same axes.

    Outside the source its nearest value is taken.
    """
    steps = np.array(target.spacing_mm) / np.array(source.spacing_mm)
    offset = source.to_index(np.array(target.origin_mm))
    with warnings.catch_warnings():  # scipy 1.13 warns that one step for each axis is the fast form
        warnings.simplefilter("ignore", UserWarning)
        result = ndimage.affine_transform(
            field.astype(np.float32, copy=False), steps, offset, output_shape=target.shape, order=1, mode="nearest"
        )
    return np.asarray(result)


def smooth_noise(grid: Grid, length_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth random field of mean 0 and standard deviation 1 (z, y, x).

    Parameters
    ----------
    grid : Grid
    length_mm : float
        Full width at half maximum of its correlation, about [mm].
    rng : numpy.random.Generator
    """
    corners = grid.to_lps(np.array([[-0.5] * 3, np.array(grid.shape) - 0.5]))
    node_mm = length_mm / 2.0
    low = np.floor(corners[0] / node_mm).astype(int)
    count = np.ceil(corners[1] / node_mm).astype(int) - low + 1
    nodes = Grid(tuple(int(n) for n in count[::-1]), (node_mm,) * 3, tuple(low * node_mm))  # type: ignore[arg-type]
    field = ndimage.gaussian_filter(rng.standard_normal(nodes.shape, dtype=np.float32), 1.0)
    return linear_onto((field - field.mean()) / field.std(), nodes, grid)
