"""Quadrature that turns a radial energy distribution into energy shares of voxels."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import InputError

#: Radial step as a share of the smallest voxel side, and arc between directions likewise.
_RADIAL_STEP, _ARC = 0.05, 0.2
#: Directions in an octant along each angle: at least, and at most before voxels count as too small.
_FEWEST, _MOST = 48, 400
#: Radial points taken together.
_TOGETHER = 16


def radial_points(
    edges_mm: np.ndarray, shares: np.ndarray, reach_mm: float, smallest_mm: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split shells into steps that are fine against the voxel, up to a reach.

    Parameters
    ----------
    edges_mm : ndarray (shells + 1,)
        Radii between the shells [mm], from 0.
    shares : ndarray (shells,)
        Energy share of each shell.
    reach_mm, smallest_mm : float
        Outermost radius, and smallest voxel side [mm].

    Returns
    -------
    radii_mm, widths_mm, shares : ndarray (points,)
        Middles and widths of the steps, and their energy shares.
    """
    radii, widths, parts = [], [], []
    for low, high, share in zip(edges_mm[:-1], edges_mm[1:], shares, strict=True):
        if low >= reach_mm:
            break
        top = min(high, reach_mm)
        steps = max(2, int(np.ceil((top - low) / (_RADIAL_STEP * smallest_mm))))
        width = (top - low) / steps
        radii.append(low + width * (np.arange(steps) + 0.5))
        widths.append(np.full(steps, width))
        parts.append(np.full(steps, share * width / (high - low)))
    return np.concatenate(radii), np.concatenate(widths), np.concatenate(parts)


def deposit_in_octant(radii_mm: np.ndarray, shares: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Deposit spheres of energy around a uniformly filled source voxel.

    The energy in a voxel at offset o is the radial distribution times the autocorrelation of the voxel,
    a product of triangles centred at o.  The triangles of all offsets add up to one everywhere, so
    sharing each point linearly between its eight neighbours is that integral and keeps the energy.
    Directions: Gauss (polar) times midpoint (azimuth) over one octant, the more the larger the sphere.

    Parameters
    ----------
    radii_mm, shares : ndarray (points,)
        Radii in rising order, and energy shares.
    spacing_mm : tuple of float
        Voxel sides (z, y, x) [mm].

    Returns
    -------
    ndarray (a+1, b+1, c+1)
        Energy shares at offsets (0..a, 0..b, 0..c); a share off a symmetry plane stands for both sides.

    Raises
    ------
    InputError
        If the voxels are so small against the radii that too many directions would be needed.
    """
    spacing = np.array(spacing_mm)
    needed = np.ceil(np.pi / 2.0 * radii_mm / (_ARC * spacing.min())).astype(int)
    if needed.max() > _MOST:
        least = np.pi / 2.0 * radii_mm.max() / (_ARC * _MOST)
        raise InputError(
            f"Voxel side {spacing.min():g} mm is too small for an accurate kernel that reaches {radii_mm.max():.1f} mm,"
            f" as it does in this medium with a longest side of {spacing.max():g} mm: use sides of at least {least:.2g}"
            " mm, voxels nearer to cubes, the density of tissue, or local deposition."
        )
    shape = np.ceil(radii_mm.max() / spacing).astype(int) + 2
    octant = np.zeros(int(np.prod(shape)))
    for start in range(0, len(radii_mm), _TOGETHER):
        block = slice(start, start + _TOGETHER)
        directions, weights = _octant_directions(max(_FEWEST, int(needed[block].max())))
        points = radii_mm[block, None, None] * directions[None] / spacing
        share = (shares[block, None] * weights[None]).ravel()
        _deposit(octant, tuple(shape), points.reshape(-1, 3), share)
    filled = octant.reshape(shape)
    last = [int(np.flatnonzero(np.any(filled, axis=tuple({0, 1, 2} - {axis})))[-1]) + 1 for axis in range(3)]
    return filled[: last[0], : last[1], : last[2]]


def unfold(octant: np.ndarray) -> np.ndarray:
    """Mirror one octant, whose deposits stand for all eight, into the whole kernel.

    Voxels on a symmetry plane receive the mirrored deposits of both sides, which the octant already
    holds; voxels off it hold twice (per such axis) what belongs to one side.
    """
    for axis in range(3):
        planes = np.moveaxis(octant, axis, 0)
        half = planes[1:] / 2.0
        octant = np.moveaxis(np.concatenate([half[::-1], planes[:1], half]), 0, axis)
    return np.ascontiguousarray(octant)


def _octant_directions(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors (count^2, 3) of one octant and weights that add up to one."""
    nodes, node_weights = np.polynomial.legendre.leggauss(count)
    cosine, cosine_weight = (nodes + 1.0) / 2.0, node_weights / 2.0
    azimuth = (np.arange(count) + 0.5) / count * np.pi / 2.0
    sine = np.sqrt(1.0 - cosine**2)
    vectors = np.stack(
        [
            np.repeat(cosine[:, None], count, axis=1),
            sine[:, None] * np.sin(azimuth)[None],
            sine[:, None] * np.cos(azimuth)[None],
        ],
        axis=-1,
    ).reshape(-1, 3)
    return vectors, np.repeat(cosine_weight / count, count)


def _deposit(octant: np.ndarray, shape: tuple[int, ...], points: np.ndarray, share: np.ndarray) -> None:
    """Add energy shares at fractional voxel positions (points, 3) with linear weights."""
    low = np.floor(points).astype(np.intp)
    upper_weight = points - low
    for corner in np.ndindex(2, 2, 2):
        weight = share * np.prod(np.where(corner, upper_weight, 1.0 - upper_weight), axis=1)
        index = np.ravel_multi_index(tuple((low + corner).T), shape)
        octant += np.bincount(index, weights=weight, minlength=octant.size)
