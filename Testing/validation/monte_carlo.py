"""Live Monte Carlo of voxel S values and of a point kernel in liver, against the kernels of the program."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import figures
import numpy as np
from page import figure, percent, table
from penred import SEED_PAIR, THREADS, Tally, radial_tallies, voxel_tally

from radioembolization.physics import (
    HO166,
    LIVER,
    LU177,
    SOFT_TISSUE,
    Y90,
    Nuclide,
    PointKernel,
    SValues,
    voxel_s_values,
)
from radioembolization.physics.nuclide import JOULE_PER_MEV

Offset = tuple[int, int, int]
TITLE = "Live Monte Carlo"
INTRO = f"""
PENELOPE 2018 by pyPenred, run anew with every `make validation`: sources emit the spectra of `physics.spectra`, in ICRU
soft tissue (1.04 g/cm3) or liver (1.06 g/cm3) of 30 g/cm2 radius; seed pair {SEED_PAIR}, {THREADS} threads, so that
the numbers repeat. The kernels of the program are those of *water*, scaled by density and depth factor: composition is
tested too. Images of one offset are averaged. sigma: one standard deviation of the Monte Carlo. chi: deviation over
sigma. One depth factor represents composition to about 0.5 % near the source.

### Voxel S values [mGy/(MBq s)]

Offsets (z, y, x).

"""
RADIAL = """
### Point kernel of 90Y in liver

Energy absorbed within a radius, of {emitted:.4f} MeV per decay; {histories} decays, tallied shell by shell.

"""


@dataclass(frozen=True)
class VoxelCase:
    """A source voxel to simulate.

    Parameters
    ----------
    nuclide : Nuclide
    spacing_mm : tuple of float
        (z, y, x).
    electrons, photons : int
        Histories.
    offsets : tuple of Offset
        To compare; one stands for all its images.
    """

    nuclide: Nuclide
    spacing_mm: tuple[float, float, float]
    electrons: int
    photons: int
    offsets: tuple[Offset, ...]


_CUBIC: tuple[Offset, ...] = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1), (0, 0, 2))
CASES = (
    VoxelCase(Y90, (2.0, 2.0, 2.0), 300_000, 0, _CUBIC),
    VoxelCase(Y90, (3.0, 4.0, 4.0), 300_000, 0, ((0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1))),
    VoxelCase(HO166, (2.21, 2.21, 2.21), 600_000, 100_000, _CUBIC),
    VoxelCase(LU177, (2.21, 2.21, 2.21), 300_000, 300_000, _CUBIC[:3]),
    VoxelCase(LU177, (4.8, 4.8, 4.8), 200_000, 300_000, _CUBIC[:3]),
)
RADIAL_HISTORIES = 200_000
RADII_CM = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.1)
_SHELLS_CM = np.linspace(0.0, 1.2, 241)


def write(histories: float = 1.0) -> str:
    """Simulate all cases with a factor on their histories."""
    rows = [row for case in CASES for row in _voxel_rows(case, histories)]
    columns = ("source", "offset", "Monte Carlo", "sigma", "kernel", "deviation", "chi")
    text = INTRO + table(columns, rows)
    count = max(1000, int(RADIAL_HISTORIES * histories))
    shells, spheres = radial_tallies(Y90, LIVER, _SHELLS_CM, RADII_CM, {"electron": count})
    figures.point_kernel(_SHELLS_CM, shells)
    text += RADIAL.format(emitted=Y90.total_mev, histories=count)
    text += table(("radius mm", "Monte Carlo MeV", "sigma", "kernel MeV", "deviation", "chi"), _radial_rows(spheres))
    return text + figure("point_kernel_liver.png", "90Y point kernel in liver, Monte Carlo and program")


def _voxel_rows(case: VoxelCase, histories: float) -> list[list[str]]:
    reach = max(max(offset) for offset in case.offsets)
    counts = {"electron": int(case.electrons * histories), "gamma": int(case.photons * histories)}
    tally = voxel_tally(case.nuclide, SOFT_TISSUE, case.spacing_mm, reach, counts)
    density = SOFT_TISSUE.density_g_per_cm3
    values = voxel_s_values(case.nuclide, case.spacing_mm, density, (reach + 0.5) * max(case.spacing_mm), SOFT_TISSUE)
    sides = " x ".join(f"{side:g}" for side in case.spacing_mm)
    return [_voxel_row(f"{case.nuclide.name}, {sides} mm", tally, values, case, offset) for offset in case.offsets]


def _voxel_row(source: str, tally: Tally, values: SValues, case: VoxelCase, offset: Offset) -> list[str]:
    centre = np.array(tally.gy_per_decay.shape) // 2
    index = tuple(centre + image for image in _images(offset, case.spacing_mm))
    found = np.array([tally.gy_per_decay[tuple(i)] for i in index]).mean() * 1e9
    sigma = np.sqrt(np.sum([tally.sigma[tuple(i)] ** 2 for i in index])) / len(index) * 1e9
    ours = values.s_mgy_per_mbq_s[tuple(np.array(values.kernel.half_width) + offset)]
    return [
        source,
        str(offset),
        f"{found:.4g}",
        f"{100 * sigma / found:.2f} %",
        f"{ours:.4g}",
        percent(ours, found),
        f"{(ours - found) / sigma:+.1f}",
    ]


def _images(offset: Offset, spacing_mm: tuple[float, float, float]) -> list[np.ndarray]:
    """Return all offsets that equal one by symmetry: signs, and permutations of axes of the same side."""
    images = {
        tuple(sign * offset[axis] for sign, axis in zip(signs, order, strict=True))
        for order in permutations(range(3))
        if all(spacing_mm[axis] == spacing_mm[place] for place, axis in enumerate(order))
        for signs in np.ndindex(2, 2, 2)
        for signs in [tuple(1 - 2 * s for s in signs)]
    }
    return [np.array(image) for image in sorted(images)]


def _radial_rows(spheres: list[Tally]) -> list[list[str]]:
    rows = []
    for radius, tally in zip(RADII_CM, spheres, strict=True):
        to_mev = 4.0 / 3.0 * np.pi * radius**3 * LIVER.density_g_per_cm3 * 1e-3 / JOULE_PER_MEV
        found, sigma = tally.gy_per_decay.item() * to_mev, tally.sigma.item() * to_mev
        ours = PointKernel.water(Y90).fraction_within(LIVER.water_depth_g_cm2(10.0 * radius)) * Y90.total_mev
        energies = (f"{found:.4f}", f"{sigma:.4f}", f"{ours:.4f}")
        rows.append([f"{10 * radius:g}", *energies, percent(ours, found), f"{(ours - found) / sigma:+.1f}"])
    return rows
