"""Builders shared by the tests: grids, shapes, structure sets and dose rows small enough to check by hand."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

from radioembolization.dose import DosePerGBq, DoseSettings, StructureRows
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import RESIN_Y90, Device
from radioembolization.structures import LungMass, Role, Structure, StructureSet

REPOSITORY = Path(__file__).resolve().parents[2]
CORE = REPOSITORY / "RadioembolizationPlanner" / "radioembolization"
#: Reference data that are not part of the repository; tests that need them are skipped without them.
SHARED = REPOSITORY.parent / "shared"

#: Emitted energy of 90Y under the clinical convention [J/GBq], written out so that a changed constant fails.
K_Y90 = 49.67
MEV_TO_J = 1.602176634e-13


@contextmanager
def quiet() -> Iterator[None]:
    """Hide warnings that a test is not about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def rotation(axis: Sequence[float], degrees: float) -> np.ndarray:
    """Return the 3 x 3 matrix of a rotation about an axis (Rodrigues)."""
    x, y, z = np.array(axis, dtype=float) / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.deg2rad(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def as_direction(matrix: np.ndarray) -> tuple[float, ...]:
    """Return a 3 x 3 matrix as the row-major tuple a grid takes."""
    return tuple(float(value) for value in np.asarray(matrix).ravel())


@lru_cache(maxsize=16)
def positions(grid: Grid) -> np.ndarray:
    """Return the LPS centres of all voxels (z, y, x, 3) [mm], written out without the grid's own methods."""
    z, y, x = np.indices(grid.shape, dtype=float)
    scaled = np.stack([x * grid.spacing_mm[2], y * grid.spacing_mm[1], z * grid.spacing_mm[0]], axis=-1)
    matrix = np.array(grid.direction).reshape(3, 3)
    found = np.einsum("ij,zyxj->zyxi", matrix, scaled) + np.array(grid.origin_mm)
    found.flags.writeable = False  # shared by all who ask for the same grid
    return found


def ellipsoid(grid: Grid, centre_lps_mm: Sequence[float], semi_axes_mm: Sequence[float] | float) -> np.ndarray:
    """Return the voxels (z, y, x) whose centre lies in an ellipsoid with its axes along LPS."""
    semi = np.broadcast_to(np.asarray(semi_axes_mm, dtype=float), 3)
    return (((positions(grid) - np.array(centre_lps_mm)) / semi) ** 2).sum(axis=-1) <= 1.0


def box_mask(shape: tuple[int, int, int], *ranges: tuple[int, int]) -> np.ndarray:
    """Return a mask (z, y, x) that is true inside half-open index ranges."""
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(a, b) for a, b in ranges)] = True
    return mask


def counts(array: np.ndarray, grid: Grid) -> Volume:
    """Return counts per voxel as an image."""
    return Volume(np.asarray(array, dtype=np.float32), grid, Unit.COUNTS)


def structure_set(
    grid: Grid,
    liver: np.ndarray,
    tumours: dict[str, np.ndarray],
    organs: dict[str, np.ndarray] | None = None,
    lung_kg: float | None = 1.0,
    density: float = 1.0,
) -> StructureSet:
    """Return a structure set; the warnings of small structures are hidden."""
    given = [Structure("liver", Role.LIVER, liver)]
    given += [Structure(name, Role.TUMOUR, mask) for name, mask in tumours.items()]
    given += [Structure(name, Role.ORGAN, mask) for name, mask in (organs or {}).items()]
    with quiet():
        return StructureSet(grid, tuple(given), density, None if lung_kg is None else LungMass(lung_kg, "entered"))


def dose_rows(
    rows: Sequence[Sequence[float]] | np.ndarray,
    kg: Sequence[float] | np.ndarray,
    tumours: dict[str, Sequence[int]],
    normal: Sequence[int],
    perfused: np.ndarray | None = None,
    lung_shunt: Sequence[float] | None = None,
    lung_kg: float | None = 1.0,
    device: Device = RESIN_Y90,
    energy_j_per_gbq: float = K_Y90,
) -> DosePerGBq:
    """Return dose rows whose 'voxels' are whole compartments, so that plans can be made by hand.

    Parameters
    ----------
    rows : (sites, voxels)
        Dose per GBq [Gy/GBq].
    kg : (voxels,)
    tumours : dict of str to voxels
    normal : voxels of normal liver
    perfused : (sites, voxels) of bool, optional
        Default: where a site gives dose.
    """
    rows, kg = np.array(rows, dtype=float), np.array(kg, dtype=float)
    sites = len(rows)
    shunt = np.zeros(sites) if lung_shunt is None else np.array(lung_shunt, dtype=float)

    def structure(name: str, role: Role, voxels: Sequence[int]) -> StructureRows:
        mass = float(kg[list(voxels)].sum())
        return StructureRows(name, role, np.array(voxels), mass * 1000.0, mass)

    everything = sorted({*normal, *(v for voxels in tumours.values() for v in voxels)})
    retained = energy_j_per_gbq * (1.0 - shunt)
    return DosePerGBq(
        settings=DoseSettings(device),
        site_names=tuple(str(number) for number in range(1, sites + 1)),
        lung_shunt=shunt,
        rows=rows,
        voxel_kg=kg,
        perfused=rows > 0 if perfused is None else np.array(perfused, dtype=bool),
        structures=(
            *(structure(name, Role.TUMOUR, voxels) for name, voxels in tumours.items()),
            structure("normal liver", Role.NORMAL_LIVER, normal),
            structure("whole liver", Role.LIVER, everything),
        ),
        lung_gy_per_gbq=None if lung_kg is None else energy_j_per_gbq * shunt / lung_kg,
        emitted_j_per_gbq=retained,
        absorbed_j_per_gbq=retained,
        lung_mass_kg=lung_kg,
        lung_mass_method="" if lung_kg is None else "entered",
    )


def resin_two_sites() -> DosePerGBq:
    """Return the worked resin example: two tumours, the whole liver as site 1, a 0.15 kg territory as site 2.

    Compartments: normal liver outside territory 2 (0.75 kg), normal liver inside it (0.15 kg), T1 (0.2 kg,
    ratio 4), T2 (0.05 kg, ratio 2, in territory 2); lung shunt 6 %, lung 1 kg.  Site 1 spreads over
    0.9 + 4 x 0.2 + 2 x 0.05 = 1.8 effective kg, site 2 over 0.15 + 2 x 0.05 = 0.25.
    """
    site_1 = K_Y90 * 0.94 / 1.8 * np.array([1.0, 1.0, 4.0, 2.0])
    site_2 = K_Y90 * 0.94 / 0.25 * np.array([0.0, 1.0, 0.0, 2.0])
    return dose_rows(
        [site_1, site_2],
        kg=[0.75, 0.15, 0.2, 0.05],
        tumours={"T1": [2], "T2": [3]},
        normal=[0, 1],
        perfused=np.array([[1, 1, 1, 1], [0, 1, 0, 1]]),
        lung_shunt=[0.06, 0.06],
    )


def random_rows(
    rng: np.random.Generator, sites: int, tumours: int, own_territories: bool = False, spill: float = 0.0
) -> DosePerGBq:
    """Return random compartments spread by the partition model, every territory with normal liver of its own.

    With ``own_territories`` each tumour and each normal compartment belongs to one site only.  ``spill``
    adds doses of up to that share of the largest everywhere, also beyond the territories.
    """
    voxels = tumours + 2 * sites
    kg = rng.uniform(0.05, 0.4, voxels)
    perfused = np.zeros((sites, voxels), dtype=bool)
    for site in range(sites):
        perfused[site, tumours + 2 * site] = True
        if not own_territories:
            perfused[site] |= rng.random(voxels) < 0.4
    for tumour in range(tumours):
        if own_territories or not perfused[:, tumour].any():
            perfused[rng.integers(sites), tumour] = True
    ratio = np.ones(voxels)
    ratio[:tumours] = rng.uniform(1.5, 6.0, tumours)
    shunt = rng.uniform(0.0, 0.15, sites)
    weight = perfused * kg * ratio
    rows = K_Y90 * (1.0 - shunt)[:, None] * weight / weight.sum(axis=1, keepdims=True) / kg
    rows = rows + spill * rows.max() * rng.random(rows.shape)
    return dose_rows(
        rows,
        kg,
        {f"T{i}": [i] for i in range(tumours)},
        normal=range(tumours, voxels),
        perfused=perfused,
        lung_shunt=shunt,
    )
