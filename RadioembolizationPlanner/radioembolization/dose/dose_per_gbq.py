"""Dose per GBq of every site: the rows from which plans are made."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from radioembolization.dose.convolution import convolve
from radioembolization.dose.local_deposition import deposit_locally
from radioembolization.errors import EnergyLeavesGrid, StructureError, TerritoryError
from radioembolization.images import Unit, Volume
from radioembolization.physics import Convention, Device, VoxelKernel, voxel_kernel
from radioembolization.structures import Role, Structure, StructureSet
from radioembolization.territories import Territories

_ESCAPE_WARNED = 0.005
#: A part of a tumour with a smaller share of its mass is not counted.
_SMALLEST_PART = 0.05


class Method(StrEnum):
    """How dose is computed from activity."""

    LOCAL = "local"
    FFT = "fft"


@dataclass(frozen=True)
class DoseSettings:
    """Device, energy convention and method: what turns activity into dose."""

    device: Device
    convention: Convention = Convention.CLINICAL
    method: Method = Method.FFT

    @property
    def energy_j_per_gbq(self) -> float:
        """Emitted energy per GBq [J/GBq]."""
        return self.device.energy_j_per_gbq(self.convention)


@dataclass(frozen=True, eq=False)
class StructureRows:
    """A structure as the planner sees it.

    Parameters
    ----------
    name : str
    role : Role
    voxels : ndarray of int
        Positions of its voxels in the columns of ``DosePerGBq.rows``.
    volume_ml, mass_kg : float
    """

    name: str
    role: Role
    voxels: np.ndarray
    volume_ml: float
    mass_kg: float


@dataclass(frozen=True, eq=False)
class DosePerGBq:
    """Dose rows of all candidate sites.

    Parameters
    ----------
    settings : DoseSettings
    site_names : tuple of str
    lung_shunt : ndarray (sites,)
    rows : ndarray (sites, voxels)
        Absorbed dose [Gy/GBq] in every voxel of any structure.
    voxel_kg : ndarray (voxels,)
        Mass of each voxel.
    perfused : ndarray (sites, voxels) of bool
        Whether a voxel lies in the perfused part of the site's territory.
    structures : tuple of StructureRows
    lung_gy_per_gbq : ndarray (sites,) or None
        Mean lung dose by shunted activity; None without a lung mass.
    emitted_j_per_gbq, absorbed_j_per_gbq : ndarray (sites,)
        Energy emitted in the liver, and its part absorbed on the grid.
    lung_mass_kg : float or None
    lung_mass_method : str
    """

    settings: DoseSettings
    site_names: tuple[str, ...]
    lung_shunt: np.ndarray
    rows: np.ndarray
    voxel_kg: np.ndarray
    perfused: np.ndarray
    structures: tuple[StructureRows, ...]
    lung_gy_per_gbq: np.ndarray | None
    emitted_j_per_gbq: np.ndarray
    absorbed_j_per_gbq: np.ndarray
    lung_mass_kg: float | None = None
    lung_mass_method: str = ""

    def structure(self, name: str) -> StructureRows:
        """Return the structure with a name.

        Raises
        ------
        StructureError
            If there is none; the message lists those there are.
        """
        for structure in self.structures:
            if structure.name == name:
                return structure
        known = ", ".join(f"'{s.name}'" for s in self.structures)
        raise StructureError(f"There is no structure '{name}': use one of {known}.")

    def with_role(self, role: Role) -> tuple[StructureRows, ...]:
        """Return the structures of a role."""
        return tuple(s for s in self.structures if s.role is role)

    def mean_row(self, voxels: np.ndarray) -> np.ndarray:
        """Return the mass-weighted mean dose per GBq (sites,) over some voxels [Gy/GBq]."""
        weights = self.voxel_kg[voxels]
        return self.rows[:, voxels].astype(float) @ weights / weights.sum()

    @cached_property
    def mean_rows(self) -> dict[str, np.ndarray]:
        """Mean dose per GBq (sites,) of each structure by name [Gy/GBq]."""
        return {s.name: self.mean_row(s.voxels) for s in self.structures}

    def structure_row(self, name: str) -> np.ndarray:
        """Return the mean dose per GBq (sites,) of a structure [Gy/GBq]; ``StructureError`` if there is none."""
        return self.mean_rows[self.structure(name).name]

    @cached_property
    def perfused_normal_rows(self) -> np.ndarray:
        """Mean dose per GBq of each site (columns) in the perfused normal liver of each territory (rows).

        Raises
        ------
        TerritoryError
            If a territory holds no normal liver.
        """
        rows = []
        normal = self._normal_liver.voxels
        for name, perfused in zip(self.site_names, self.perfused, strict=True):
            inside = normal[perfused[normal]]
            if not len(inside):
                raise TerritoryError(
                    f"The territory of site '{name}' holds no normal liver, so its mean dose cannot be limited: use a "
                    "limit on the whole normal liver, or enlarge the territory."
                )
            rows.append(self.mean_row(inside))
        return np.stack(rows)

    @cached_property
    def normal_liver_energy_row(self) -> np.ndarray:
        """Energy absorbed by the whole normal liver per GBq of each site (sites,) [J/GBq]."""
        voxels = self._normal_liver.voxels
        return self.rows[:, voxels].astype(float) @ self.voxel_kg[voxels]

    @cached_property
    def normal_liver_parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Parts of the perfusable normal liver that lie in the same territories.

        Returns
        -------
        own_gy_per_gbq : ndarray (parts, sites)
            Mean dose of each part by sites whose territory it belongs to; 0 for the others, whose energy
            only spills into it [Gy/GBq].
        mass_kg : ndarray (parts,)
        """
        parts = [(member, voxels) for member, voxels in self._parts(self._normal_liver.voxels) if member.any()]
        rows = np.array([self.mean_row(voxels) * member for member, voxels in parts])
        return rows, np.array([self.voxel_kg[voxels].sum() for _, voxels in parts])

    @cached_property
    def tumour_part_rows(self) -> np.ndarray:
        """Mean dose per GBq (parts, sites) of the parts of tumours that lie in the same territories [Gy/GBq].

        Parts that no territory reaches, or below 5 % of their tumour, are left out.
        """
        rows = []
        for tumour in self.with_role(Role.TUMOUR):
            whole_kg = self.voxel_kg[tumour.voxels].sum()
            for member, voxels in self._parts(tumour.voxels):
                if member.any() and self.voxel_kg[voxels].sum() >= _SMALLEST_PART * whole_kg:
                    rows.append(self.mean_row(voxels))
        return np.array(rows)

    def _parts(self, voxels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Split voxels by the territories they lie in; return membership (sites,) and voxels of each part."""
        members, part = np.unique(self.perfused[:, voxels].T, axis=0, return_inverse=True)
        return [(member, voxels[part.ravel() == index]) for index, member in enumerate(members)]

    @property
    def _normal_liver(self) -> StructureRows:
        return next(s for s in self.structures if s.role is Role.NORMAL_LIVER)

    def dose_gy(self, activities_gbq: np.ndarray) -> np.ndarray:
        """Return the dose in every voxel (voxels,) [Gy]."""
        return np.asarray(activities_gbq, dtype=float) @ self.rows

    @cached_property
    def escaped_share(self) -> np.ndarray:
        """Share of the energy emitted in the liver that is absorbed outside the grid, per site."""
        return 1.0 - self.absorbed_j_per_gbq / self.emitted_j_per_gbq


def compute_dose_per_gbq(
    territories: Territories,
    settings: DoseSettings,
    progress: Callable[[int, int], None] | None = None,
) -> DosePerGBq:
    """Compute the dose rows of every site.

    The medium is homogeneous at the density of the structure set; density-aware transport is not
    part of this method and errors of tens of per cent remain near the lung.  Lung dose is that of the
    shunted activity spread evenly over the lung mass.

    Parameters
    ----------
    territories : Territories
    settings : DoseSettings
    progress : callable, optional
        Called with (sites done, sites).
    """
    structures = territories.structures
    kernel = _kernel(structures, settings)
    columns, rows_of = _columns(structures)
    rows = np.empty((len(territories.sites), len(columns)), dtype=np.float32)
    absorbed = np.empty(len(territories.sites))
    gy_per_share = settings.energy_j_per_gbq / structures.voxel_kg
    for index in range(len(territories.sites)):
        share = _absorbed_share(territories.fraction_map(index), kernel)
        absorbed[index] = float(share.sum(dtype=float)) * settings.energy_j_per_gbq
        rows[index] = share.ravel()[columns] * gy_per_share
        if progress:
            progress(index + 1, len(territories.sites))
    sites = territories.sites
    shunt = np.array([site.lung_shunt for site in sites])
    result = DosePerGBq(
        settings=settings,
        site_names=tuple(site.name for site in sites),
        lung_shunt=shunt,
        rows=rows,
        voxel_kg=np.full(len(columns), structures.voxel_kg),
        perfused=np.stack([territories.perfused(i).ravel()[columns] for i in range(len(sites))]),
        structures=rows_of,
        lung_gy_per_gbq=(settings.energy_j_per_gbq * shunt / structures.lungs.mass_kg if structures.lungs else None),
        emitted_j_per_gbq=settings.energy_j_per_gbq * np.array([site.retained_share for site in sites]),
        absorbed_j_per_gbq=absorbed,
        lung_mass_kg=structures.lungs.mass_kg if structures.lungs else None,
        lung_mass_method=structures.lungs.method if structures.lungs else "",
    )
    _warn_of_escape(result)
    return result


def dose_volume(territories: Territories, settings: DoseSettings, activities_gbq: np.ndarray) -> Volume:
    """Return the dose [Gy] of a plan on the whole planning grid, computed in one pass.

    Microspheres in the lungs are not part of the map.
    """
    structures = territories.structures
    share = _absorbed_share(territories.combined(activities_gbq), _kernel(structures, settings))
    return Volume(share * (settings.energy_j_per_gbq / structures.voxel_kg), structures.grid, Unit.GY)


def _kernel(structures: StructureSet, settings: DoseSettings) -> VoxelKernel | None:
    if settings.method is Method.LOCAL:
        return None
    return voxel_kernel(settings.device.nuclide, structures.grid.spacing_mm, structures.density_g_per_cm3)


def _absorbed_share(activity: np.ndarray, kernel: VoxelKernel | None) -> np.ndarray:
    return deposit_locally(activity) if kernel is None else convolve(activity, kernel)


def _columns(structures: StructureSet) -> tuple[np.ndarray, tuple[StructureRows, ...]]:
    """Return the flat voxels of any structure, and each structure in terms of them."""
    columns = np.flatnonzero(np.any([s.mask for s in structures.all], axis=0))
    position = np.full(structures.grid.voxels, -1)
    position[columns] = np.arange(len(columns))

    def rows_of(structure: Structure) -> StructureRows:
        voxels = position[np.flatnonzero(structure.mask)]
        return StructureRows(
            structure.name,
            structure.role,
            voxels,
            structures.volume_ml(structure),
            structures.mass_kg(structure),
        )

    return columns, tuple(rows_of(s) for s in structures.all)


def _warn_of_escape(dose: DosePerGBq) -> None:
    worst = int(np.argmax(dose.escaped_share))
    share = float(dose.escaped_share[worst])
    if share > _ESCAPE_WARNED:
        warnings.warn(
            f"{share:.1%} of the energy emitted in the liver after injection at '{dose.site_names[worst]}' is "
            f"absorbed outside the planning grid or beyond the kernel ({dose.settings.device.nuclide.name}; "
            "photons travel far): it is missing from the dose map.",
            EnergyLeavesGrid,
            stacklevel=3,
        )
