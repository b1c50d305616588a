"""Mass density from CT numbers, and the density of every voxel of another grid."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import ImageError, NoOverlap
from radioembolization.images.grid import Grid
from radioembolization.images.resample import resample_linear
from radioembolization.images.volume import Unit, Volume
from radioembolization.physics.voxel_kernel import DENSITY_RANGE_G_PER_CM3

#: CT number [HU] and mass density [g/cm3], linear in between: Schneider, Bortfeld and Schlegel 2000,
#: 10.1088/0031-9155/45/2/314 (120 kV; the step at 100 HU, from connective tissue to bone, is theirs).
#: Below the table air, above it the density stays at the last value.
CT_DENSITY_CURVE = (
    (-1000.0, 0.00121),
    (-98.0, 0.930486),
    (14.0, 1.030),
    (23.0, 1.030),
    (100.0, 1.1199),
    (101.0, 1.0762),
    (1600.0, 1.9642),
    (3000.0, 2.793),
    (3349.0, 3.0),
)


def density_from_ct(ct: Volume) -> Volume:
    """Return the mass density [g/cm3] of a CT in HU, by ``CT_DENSITY_CURVE``.

    Metal, contrast medium and another tube voltage are not told apart from bone: with a curve of the
    scanner, make the density volume outside and give it instead.

    Raises
    ------
    ImageError
        If the image is not in HU, or its values cannot be CT numbers.
    """
    if ct.unit is not Unit.HU:
        raise ImageError(f"Density needs a CT in HU, this image is in {ct.unit}.")
    lowest, highest = float(ct.array.min()), float(ct.array.max())
    if (lowest >= 0.0 and highest >= 900.0) or highest < -200.0:
        raise ImageError(
            f"CT numbers from {lowest:g} to {highest:g} cannot be in HU: apply the rescale intercept (air is -1000 HU, "
            "water 0), or give a density volume in g/cm3."
        )
    return Volume(density_of_hu(ct.array), ct.grid, Unit.G_PER_CM3)


def density_of_hu(hu: np.ndarray) -> np.ndarray:
    """Return the mass density [g/cm3] of CT numbers [HU] of any shape, by ``CT_DENSITY_CURVE``."""
    numbers, density = np.array(CT_DENSITY_CURVE).T
    return np.interp(hu, numbers, density).astype(np.float32)


def checked_density(density: Volume) -> Volume:
    """Return a density volume whose every value is a density.

    Raises
    ------
    ImageError
        If it is not in g/cm3, or has values outside 0.001 to 3 g/cm3.
    """
    if density.unit is not Unit.G_PER_CM3:
        raise ImageError(f"Density is needed in g/cm3, this image is in {density.unit}.")
    low, high = DENSITY_RANGE_G_PER_CM3
    outside = (density.array < low * (1.0 - 1e-6)) | (density.array > high * (1.0 + 1e-6))
    if outside.any():
        raise ImageError(
            f"{np.count_nonzero(outside)} of {outside.size} voxels of the density volume are outside {low:g} to "
            f"{high:g} g/cm3 (it reaches from {density.array.min():g} to {density.array.max():g}): convert it to "
            "g/cm3, set air to 0.001, or give a CT in HU as CT."
        )
    return density


def density_on(grid: Grid, density: Volume) -> Volume:
    """Resample a density volume linearly to a grid that it must cover.

    A voxel is covered if the density volume reaches its centre; where a voxel is cut by the border, the
    part inside counts.

    Raises
    ------
    NoOverlap
        If voxels are not covered; the message tells how many.
    """
    checked_density(density)
    if density.grid == grid:
        return density
    inside = _centres_inside(grid, density.grid)
    if not inside.all():
        missing = int(np.count_nonzero(~inside))
        raise NoOverlap(
            f"The density volume does not cover {missing} of {inside.size} voxels of the activity map "
            f"({missing / inside.size:.1%}): crop the map to the density volume or extend the latter; if they should "
            "match, check that both have the same frame of reference."
        )
    part = resample_linear(Volume(np.ones(density.grid.shape, np.float32), density.grid, density.unit), grid, 0.0)
    values = resample_linear(density, grid, 0.0).array / np.maximum(part.array, 1e-6)
    low, high = DENSITY_RANGE_G_PER_CM3
    return Volume(np.clip(values, low, high).astype(np.float32), grid, density.unit)


def _centres_inside(grid: Grid, cover: Grid) -> np.ndarray:
    """Return the voxels (z, y, x) of a grid whose centre lies in a voxel of another, a hair's breadth allowed."""
    inside = np.ones(grid.shape, dtype=bool)
    plane = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape[1:]), indexing="ij"), axis=-1)
    edge = np.array(cover.shape) - 0.5 + 1e-3
    for z in range(grid.shape[0]):
        index = np.concatenate([np.full((*plane.shape[:2], 1), z), plane], axis=-1)
        found = cover.to_index(grid.to_lps(index))
        inside[z] = np.all((found >= -0.501) & (found <= edge), axis=-1)
    return inside


def lung_mass_kg_from_ct(ct: Volume, lungs: np.ndarray) -> float:
    """Return the mass of the lungs from CT numbers.

    ``m = sum (HU + 1000) / 1000 * voxel volume``, with CT numbers taken between -1000 and 100 HU; a
    linear density is adequate for lung (air to soft tissue).

    Parameters
    ----------
    ct : Volume
        In HU.
    lungs : ndarray (z, y, x) of bool
        On the grid of the CT.

    Returns
    -------
    float
        Mass [kg].

    Raises
    ------
    ImageError
        If the CT is not in HU, or the values inside the lungs cannot be those of lung.
    """
    if ct.unit is not Unit.HU:
        raise ImageError(f"Lung mass needs a CT in HU, this image is in {ct.unit}.")
    values = np.clip(ct.array[lungs].astype(float), -1000.0, 100.0)
    mean_hu = float(values.mean()) if values.size else float("nan")
    if not -980.0 < mean_hu < -300.0:
        raise ImageError(
            f"The lungs have a mean CT number of {mean_hu:.0f} HU over {values.size} voxels, outside "
            "-980 to -300: check the lung structure and that the CT is in HU, or enter the lung mass."
        )
    return float(np.sum((values + 1000.0) / 1000.0)) * _voxel_kg(ct.grid)


def _voxel_kg(grid: Grid) -> float:
    return grid.voxel_ml / 1000.0
