"""Uniform spheres and a half space: closed forms of the radial kernel, tables, and the convolution in voxels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import figures
import numpy as np
import reference
from page import figure, percent, table

from radioembolization.dose import convolve
from radioembolization.physics import (
    CORTICAL_BONE,
    LU177,
    SOFT_TISSUE,
    WATER,
    Y90,
    Nuclide,
    PointKernel,
    Tissue,
    nuclide_by_name,
    two_scale_kernel,
)
from radioembolization.physics.nuclide import JOULE_PER_MEV
from radioembolization.physics.voxel_kernel import SPACING_RANGE_MM

TITLE = "Spheres and a half space"
INTRO = """
Self dose of uniform spheres in an unbounded medium of the same density. *Exact*: the shells of the point kernel times
the share of a sphere's chords, `1 - 3 r / 4 R + r^3 / 16 R^3`, integrated in closed form. *R/5,
R/10, R/20*: deviation from that of the convolution of the program, in voxels of that part of the radius, partly filled
at the edge, mean dose weighted by the filled part. Voxels dilute dose across it, even where all energy stays in its
voxel; extrapolated (Richardson, order from the three) 0.6 % at most is left. The program refuses voxels below 0.4 mm
(-); bone is shown in closed form only.

"""
COLUMNS = (
    "nuclide, medium",
    "radius mm",
    "table Gy/(Bq s)",
    "exact",
    "deviation",
    "R/5",
    "R/10",
    "R/20",
    "extrapolated",
)
AFTER = """
177Lu in bone: photons do not scale with the depth factor of the electrons of 90Y, up to 2.6 % in the largest spheres.
"""
PLANE = """
### Half space of 90Y

Dose over that in an infinite source at mass depth t outside the edge, unit density, by the program in {size} mm voxels
(z, y, x) against the closed form `1/2 sum_shells (1 - t / r)`, both without what lies beyond the reach of the
electrons, and a table made from another kernel (EGSnrc, to 1.1 g/cm2).

"""
#: Densities of the two tables of 177Lu spheres [g/cm3].
LU177_MEDIA = {"soft": (SOFT_TISSUE, 1.03), "bone": (CORTICAL_BONE, 1.92)}
#: Radii in voxels that spheres are drawn with.
RADIUS_VOXELS = (5.0, 10.0, 20.0)
#: Smallest voxel side of the program [mm].
_FINEST_MM = SPACING_RANGE_MM[0]
#: Fine voxels per voxel side for the filled part of voxels at the edge.
_PARTS = 8
#: Half space: voxels (z, y, x) [mm], and extent across the edge and along it [mm].
PLANE_MM, _DEEP_MM, _WIDE_MM = (1.0, 4.0, 4.0), 13.0, 28.0
#: The part of the kernel that makes the plane profile [g/cm2].
_PLANE_REACH = 1.2


@dataclass(frozen=True)
class Sphere:
    """A sphere of a table.

    Parameters
    ----------
    nuclide : Nuclide
    tissue : Tissue
    density_g_per_cm3, radius_mm, mass_g : float
    gy_per_bq_s : float
        Self dose that the table states.
    """

    nuclide: Nuclide
    tissue: Tissue
    density_g_per_cm3: float
    radius_mm: float
    mass_g: float
    gy_per_bq_s: float

    def self_dose(self, absorbed_share: float) -> float:
        """Return the self dose [Gy/(Bq s)] for a share of the emitted energy."""
        return absorbed_share * self.nuclide.total_mev * JOULE_PER_MEV / (self.mass_g * 1e-3)

    def exact(self) -> float:
        """Return the self dose by the closed form [Gy/(Bq s)]."""
        depth = self.tissue.depth_factor * self.density_g_per_cm3 * self.radius_mm / 10.0
        return self.self_dose(absorbed_share(self.nuclide, depth))

    def in_voxels(self, radius_voxels: float) -> float:
        """Return the self dose by convolution, the radius so many voxels [Gy/(Bq s)]."""
        side = self.radius_mm / radius_voxels
        kernel = two_scale_kernel(self.nuclide, (side, side, side), self.density_g_per_cm3, self.tissue)
        filled = _filled(radius_voxels)
        absorbed = convolve(filled / filled.sum(), kernel)
        return self.self_dose(float(np.sum(absorbed * filled, dtype=float)))


def absorbed_share(nuclide: Nuclide, radius_g_cm2: float) -> float:
    """Return the share of the emitted energy that a uniform sphere in water absorbs itself."""
    kernel = PointKernel.water(nuclide)
    low, high = kernel.inner_radius_g_cm2, kernel.outer_radius_g_cm2
    top = np.minimum(high, 2.0 * radius_g_cm2)

    def integral(r: np.ndarray) -> np.ndarray:
        return r - 3.0 * r**2 / (8.0 * radius_g_cm2) + r**4 / (64.0 * radius_g_cm2**3)

    inside = low < top
    chords = (integral(top) - integral(low))[inside] / (high - low)[inside]
    return float(np.sum(kernel.energy_fraction[inside] * chords))


def plane_profile(nuclide: Nuclide, depth_g_cm2: np.ndarray, reach_g_cm2: float = _PLANE_REACH) -> np.ndarray:
    """Return the dose at depths outside a half space over that in an infinite source, in closed form."""
    kernel = PointKernel.water(nuclide)
    low, high = kernel.inner_radius_g_cm2, kernel.outer_radius_g_cm2
    used = high <= reach_g_cm2 + 1e-9
    low, high, energy = low[used], high[used], kernel.energy_fraction[used]
    depth = np.abs(np.asarray(depth_g_cm2, dtype=float))[:, None]
    start = np.minimum(np.maximum(low, depth), high)
    # A shell reaches across the plane with the share (1 - t / r) / 2; averaged over the shell.
    start = np.where(start > 0.0, start, 1e-12)
    across = (high - start) - depth * np.log(high / start)
    outside = 0.5 * np.sum(energy * across / (high - low), axis=1) / energy.sum()
    return np.where(np.asarray(depth_g_cm2) < 0.0, 1.0 - outside, outside)


@lru_cache(maxsize=1)
def plane_in_voxels() -> tuple[np.ndarray, np.ndarray]:
    """Return mass depths of voxel centres outside the edge, and the dose of the convolution there."""
    z, _, x = PLANE_MM
    deep, wide = round(_DEEP_MM / z), round(_WIDE_MM / x) // 2
    activity = np.zeros((4 * deep, 2 * wide + 1, 2 * wide + 1), dtype=np.float32)
    activity[: 2 * deep] = 1.0
    dose = convolve(activity, two_scale_kernel(Y90, PLANE_MM, 1.0).near)[:, wide, wide].astype(float)
    depth = (np.arange(4 * deep) - 2 * deep + 0.5) * z / 10.0
    shown = np.abs(depth) < 1.0
    return depth[shown], dose[shown] / two_scale_kernel(Y90, PLANE_MM, 1.0).near.energy_share.sum()


def plane_in_slices(depth_g_cm2: np.ndarray) -> np.ndarray:
    """Return the closed form averaged over voxels with these centres."""
    inside = ((np.arange(64) + 0.5) / 64 - 0.5) * PLANE_MM[0] / 10.0
    return np.array([plane_profile(Y90, depth + inside).mean() for depth in depth_g_cm2])


def tabulated() -> list[Sphere]:
    """Return the spheres of the tables."""
    found = []
    for row in reference.rows("sphere_S_Lu-177.csv"):
        tissue, density = LU177_MEDIA[row["medium"]]
        numbers = (float(row[name]) for name in ("radius_mm", "mass_g", "S_Gy_per_Bq_s"))
        found.append(Sphere(LU177, tissue, density, *numbers))
    for row in reference.rows("ref_spheres.csv"):
        if "PENELOPE" in row["kernel"]:
            nuclide, mass = nuclide_by_name(row["kernel"].split()[0]), float(row["mass_g"])
            radius_mm = 10.0 * (3.0 * mass / (4.0 * math.pi)) ** (1.0 / 3.0)
            found.append(Sphere(nuclide, WATER, 1.0, radius_mm, mass, float(row["S_Gy_per_Bq_s"])))
    return found


def write() -> str:
    """Return the tables."""
    errors: dict[str, list[tuple[float, float]]] = {}
    rows = [_row(sphere, errors) for sphere in tabulated()]
    figures.spheres(errors)
    text = INTRO + table(COLUMNS, rows) + AFTER + figure("spheres.png", "Voxelisation error of spheres")
    return text + _plane()


def _row(sphere: Sphere, errors: dict[str, list[tuple[float, float]]]) -> list[str]:
    """Return one row, and note the errors by radius [mm]."""
    exact, cells = sphere.exact(), ["-"] * (len(RADIUS_VOXELS) + 1)
    if sphere.tissue is not CORTICAL_BONE and sphere.radius_mm / RADIUS_VOXELS[-1] > _FINEST_MM:
        found = [sphere.in_voxels(voxels) / exact - 1.0 for voxels in RADIUS_VOXELS]
        found.append(extrapolate(*found))
        cells = [f"{100 * value:+.2f} %" for value in found]
        names = (*(f"R/{voxels:g}" for voxels in RADIUS_VOXELS), "extrapolated")
        for name, value in zip(names, found, strict=True):
            errors.setdefault(f"{sphere.nuclide.name}, {name}", []).append((sphere.radius_mm, value))
    return [
        f"{sphere.nuclide.name}, {sphere.tissue.name} {sphere.density_g_per_cm3:g}",
        f"{sphere.radius_mm:.2f}",
        f"{sphere.gy_per_bq_s:.4g}",
        f"{exact:.4g}",
        percent(exact, sphere.gy_per_bq_s),
        *cells,
    ]


def extrapolate(coarse: float, middle: float, fine: float) -> float:
    """Return what voxels of no side would give, from three whose sides are halved each time."""
    return fine - (middle - fine) ** 2 / ((coarse - middle) - (middle - fine))


@lru_cache(maxsize=8)
def _filled(radius_voxels: float) -> np.ndarray:
    """Return the filled part of every voxel of a box around a sphere centred on a voxel."""
    half = math.ceil(radius_voxels + 0.5)
    count = (2 * half + 1) * _PARTS
    square = ((np.arange(count) + 0.5) / _PARTS - half - 0.5) ** 2
    filled = np.zeros((2 * half + 1,) * 3, dtype=np.float32)
    for plane, (first, last) in enumerate(pairwise(range(0, count + 1, _PARTS))):
        inside = square[first:last, None, None] + square[None, :, None] + square[None, None] <= radius_voxels**2
        filled[plane] = inside.reshape(_PARTS, 2 * half + 1, _PARTS, 2 * half + 1, _PARTS).mean(axis=(0, 2, 4))
    return filled


def _plane() -> str:
    depths = np.linspace(-1.0, 1.0, 401)
    depth, dose = plane_in_voxels()
    entries = reference.rows("ref_planar_interface.csv")
    known = np.array([[float(row["t_g_cm2"]), float(row["D_rel"])] for row in entries])
    voxels = depth, dose, plane_in_slices(depth)
    figures.half_space(depths, plane_profile(Y90, depths), voxels, known)
    engine = np.abs(dose - plane_in_slices(depth)).max()
    text = PLANE.format(size=" x ".join(f"{side:g}" for side in PLANE_MM))
    table_difference = np.abs(plane_profile(Y90, known[:, 0]) - known[:, 1]).max()
    text += f"Largest difference between program and closed form: {engine:.3%} of the dose in an infinite source,\n"
    text += f"the closed form averaged over each voxel; between closed form and table: {table_difference:.2%}.\n"
    return text + figure("half_space.png", "Dose across the edge of a half space of 90Y")
