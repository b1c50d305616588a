"""A dome of liver bulging into lung, in voxels, and its Monte Carlo dose (``validation/data/dome_monte_carlo.csv``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radioembolization.dose import convolve
from radioembolization.dose.medium import Medium
from radioembolization.physics import LIVER, Y90, two_scale_kernel

FILE = Path(__file__).resolve().parents[1] / "validation" / "data" / "dome_monte_carlo.csv"
SPACING = (3.0, 3.0, 3.0)
#: Voxels (z, y, x); the axis of the dome is along z through the middle.
SHAPE = (24, 36, 36)
LIVER_G_CM3, LUNG_G_CM3 = 1.06, 0.3
#: Radius of the dome, height of its centre over the lower end of the grid, height of the flat liver around it [mm].
RADIUS_MM, CENTRE_MM, FLAT_MM = 60.0, -24.0, 6.0
#: Liver holds activity within this depth below the surface and this distance from the axis [mm].
ACTIVE_DEPTH_MM, ACTIVE_RADIUS_MM = 18.0, 39.0


@dataclass(frozen=True, eq=False)
class Dome:
    """The phantom.

    Parameters
    ----------
    density : ndarray (z, y, x)
        [g/cm3].
    activity : ndarray (z, y, x)
        One in voxels with activity.
    outside_mm, across_mm : ndarray (z, y, x)
        Distance of voxel centres from the sphere, negative inside, and from the axis.
    """

    density: np.ndarray
    activity: np.ndarray
    outside_mm: np.ndarray
    across_mm: np.ndarray

    @property
    def lung(self) -> np.ndarray:
        """Voxels of lung (z, y, x)."""
        return self.density < 0.5 * LIVER_G_CM3


def dome() -> Dome:
    """Return the phantom: every voxel is liver or lung by where its centre is."""
    up = (np.arange(SHAPE[0]) + 0.5) * SPACING[0]
    across = [(np.arange(n) + 0.5 - n / 2) * side for n, side in zip(SHAPE[1:], SPACING[1:], strict=True)]
    z, y, x = np.meshgrid(up, *across, indexing="ij")
    outside = np.sqrt((z - CENTRE_MM) ** 2 + y**2 + x**2) - RADIUS_MM
    liver = (outside < 0) | (z < FLAT_MM)
    across_mm = np.hypot(y, x)
    active = (outside < 0) & (outside > -ACTIVE_DEPTH_MM) & (across_mm < ACTIVE_RADIUS_MM)
    density = np.where(liver, LIVER_G_CM3, LUNG_G_CM3).astype(np.float32)
    return Dome(density, active.astype(np.float32), outside, across_mm)


def doses(phantom: Dome) -> dict[str, np.ndarray]:
    """Return the dose over the equilibrium dose in liver by method (z, y, x)."""
    plain = convolve(phantom.activity, two_scale_kernel(Y90, SPACING, LIVER_G_CM3, LIVER))
    medium = Medium(phantom.density, LIVER_G_CM3, SPACING)
    return {
        "convolution": plain,
        "convolution / density": plain / medium.relative,
        "program": medium.corrected(plain, phantom.activity, Y90),
    }


def dose_of_halved_voxels(phantom: Dome) -> np.ndarray:
    """Return the dose of the program computed in voxels of half the side, averaged over the phantom's (z, y, x)."""
    density, activity = (np.kron(a, np.ones((2, 2, 2), np.float32)) for a in (phantom.density, phantom.activity))
    z, y, x = (side / 2.0 for side in SPACING)
    plain = convolve(activity, two_scale_kernel(Y90, (z, y, x), LIVER_G_CM3, LIVER))
    dose = Medium(density, LIVER_G_CM3, (z, y, x)).corrected(plain, activity, Y90)
    planes, rows, columns = SHAPE
    return dose.reshape(planes, 2, rows, 2, columns, 2).mean(axis=(1, 3, 5))


def fold(values: np.ndarray) -> np.ndarray:
    """Return the mean over the eight images of each voxel around the axis (z, i, j), from the axis outwards."""
    half = [n // 2 for n in values.shape[1:]]
    four = sum(np.flip(values, axes)[:, half[0] :, half[1] :] for axes in ((), (1,), (2,), (1, 2))) / 4.0
    return (four + four.transpose(0, 2, 1)) / 2.0


def images() -> np.ndarray:
    """Return how many different voxels each folded one stands for (i, j)."""
    size = SHAPE[1] // 2
    return np.where(np.eye(size, dtype=bool), 4, 8)


def read_monte_carlo(path: Path = FILE) -> tuple[np.ndarray, np.ndarray, int]:
    """Return folded Monte Carlo dose over equilibrium dose, its standard deviation (NaN if absent), and histories."""
    first = path.read_text(encoding="ascii").split("\n", 1)[0]
    rows = np.loadtxt(path, delimiter=",", skiprows=2)
    found = np.full((2, SHAPE[0], SHAPE[1] // 2, SHAPE[2] // 2), np.nan)
    z, i, j = rows[:, :3].astype(int).T
    found[:, z, i, j] = found[:, z, j, i] = rows[:, 3:].T
    return found[0], found[1], int(first.split()[-2])


def write_monte_carlo(dose: np.ndarray, sigma: np.ndarray, histories: int, path: Path = FILE) -> None:
    """Write folded dose and standard deviation of the voxels that get 1 % of the equilibrium dose or more."""
    head = f"# 90Y dose over equilibrium dose in liver by PENELOPE 2018 (pyPenred), {histories} histories"
    lines = [head, "z,i,j,dose,sigma"]
    for z, i, j in np.argwhere(dose >= 0.01):
        if i >= j:
            lines.append(f"{z},{i},{j},{dose[z, i, j]:.4f},{sigma[z, i, j]:.4f}")
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")
