"""Dose per GBq of every site: the rows from which plans are made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from radioembolization.dose.voxel_rows import VoxelRows
from radioembolization.errors import InputError, StructureError, TerritoryError
from radioembolization.physics import Convention, Device
from radioembolization.structures import Role

#: A part of a tumour with a smaller share of its mass is not counted.
_SMALLEST_PART = 0.05
#: Voxels taken at a time where sums are carried in float64.
_BLOCK = 1 << 15
#: Convolution leaves negative doses of this size, relative to the largest.
_ROUNDING = 1e-4


class Method(StrEnum):
    """How dose is computed from activity.

    ``local``: every voxel keeps the energy emitted in it.  ``fft``: convolution with the kernel of a
    homogeneous medium.  ``density``: the same, corrected for the density of every voxel (``Medium``).
    """

    LOCAL = "local"
    FFT = "fft"
    DENSITY = "density"


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
        Energy emitted in the liver and in drawn organs, and its part absorbed on the grid.
    lung_mass_kg : float or None
    lung_mass_method : str
    extrahepatic_share : ndarray (sites,), optional
        Share of the activity that reaches neither liver nor lungs; none without it.
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
    extrahepatic_share: np.ndarray | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: all but second copies of the rows, which are made again when needed."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_voxel_rows", "_orders")}

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
        """Return the mass-weighted mean dose per GBq (sites,) over some voxels [Gy/GBq].

        Raises
        ------
        StructureError
            If there are no voxels.
        """
        if not len(voxels):
            raise StructureError("The mean dose of no voxels was asked for: draw the structure, or leave it out.")
        weights, total = self.voxel_kg[voxels], np.zeros(len(self.rows))
        for start in range(0, len(voxels), _BLOCK):
            block = slice(start, start + _BLOCK)
            total += self.rows[:, voxels[block]].astype(float) @ weights[block]
        return total / weights.sum()

    @cached_property
    def mean_rows(self) -> dict[str, np.ndarray]:
        """Mean dose per GBq (sites,) of each structure by name [Gy/GBq]."""
        return {s.name: self.mean_row(s.voxels) for s in self.structures if len(s.voxels)}

    def structure_row(self, name: str) -> np.ndarray:
        """Return the mean dose per GBq (sites,) of a structure [Gy/GBq]; ``StructureError`` if it has no voxels."""
        return self.mean_rows[self._drawn(name).name]

    def _drawn(self, name: str) -> StructureRows:
        structure = self.structure(name)
        if not len(structure.voxels):
            raise StructureError(f"Structure '{name}' has no voxels: draw it, or leave out what asks for it.")
        return structure

    @cached_property
    def usable(self) -> bool:
        """True; found out once.

        Raises
        ------
        InputError
            If the rows hold something else than numbers of zero or more, or no site gives any dose.
        """
        lowest, highest = self.rows.min(axis=1), self.rows.max(axis=1)
        for name, low, high in zip(self.site_names, lowest, highest, strict=True):
            if not (np.isfinite(low) and np.isfinite(high)) or low < -_ROUNDING * max(float(highest.max()), 0.0):
                raise InputError(
                    f"The dose rows of site '{name}' reach from {low:g} to {high:g} Gy/GBq: every dose must be a "
                    "number of zero or more; check the scout image and the dose method."
                )
        if not highest.max() > 0:
            raise InputError("No site gives any dose to any structure: check territories, lung shunts and scout image.")
        return True

    @cached_property
    def _voxel_rows(self) -> dict[str, VoxelRows]:
        return {}

    def voxel_rows(self, name: str) -> VoxelRows:
        """Return the rows of one structure side by side, made once; ``StructureError`` if there is none."""
        if name not in self._voxel_rows:
            voxels = self._drawn(name).voxels
            self._voxel_rows[name] = VoxelRows(self.rows[:, voxels], self.voxel_kg[voxels])
        return self._voxel_rows[name]

    @cached_property
    def _orders(self) -> dict[str, tuple[np.ndarray, tuple[int, ...]]]:
        return {}

    def parts_of(self, name: str) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return the voxels of ``voxel_rows`` in order of the territories they lie in, and where each part starts."""
        if name not in self._orders:
            self._orders[name] = _in_parts(self.perfused[:, self.structure(name).voxels])
        return self._orders[name]

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
        """Mean dose per GBq (parts, sites) of the parts of all tumours, as of ``part_rows`` [Gy/GBq]."""
        rows = [self.part_rows(tumour.name) for tumour in self.with_role(Role.TUMOUR)]
        return np.vstack(rows) if rows else np.array([])

    @cached_property
    def _part_rows(self) -> dict[str, np.ndarray]:
        return {}

    def part_rows(self, name: str) -> np.ndarray:
        """Return the mean dose per GBq (parts, sites) of the parts of a structure that lie in the same territories.

        Parts that no territory reaches, or below 5 % of the structure, are left out.  Made once.
        """
        if name not in self._part_rows:
            voxels = self._drawn(name).voxels
            whole_kg = self.voxel_kg[voxels].sum()
            parts = [(member, part) for member, part in self._parts(voxels) if member.any()]
            kept = [part for _, part in parts if self.voxel_kg[part].sum() >= _SMALLEST_PART * whole_kg]
            rows = [self.mean_row(part) for part in kept]
            self._part_rows[name] = np.array(rows).reshape(len(kept), len(self.site_names))
        return self._part_rows[name]

    def _parts(self, voxels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Split voxels by the territories they lie in; return membership (sites,) and voxels of each part."""
        order, starts = _in_parts(self.perfused[:, voxels])
        return [(self.perfused[:, voxels[part[0]]], voxels[part]) for part in np.split(order, starts[1:])]

    @cached_property
    def fingerprint(self) -> str:
        """SHA256 over everything a plan depends on: rows, masses, territories, structures, shunts, lungs, device."""
        digest = hashlib.sha256()
        lungs = np.array([]) if self.lung_gy_per_gbq is None else self.lung_gy_per_gbq
        share = np.array([]) if self.extrahepatic_share is None else self.extrahepatic_share
        named = {"rows": self.rows, "voxel_kg": self.voxel_kg, "perfused": np.packbits(self.perfused)}
        named |= {"lung_shunt": self.lung_shunt, "lung_gy_per_gbq": lungs, "extrahepatic_share": share}
        named |= {f"{s.role}/{s.name}": s.voxels.astype(np.int64) for s in self.structures}
        digest.update(repr((self.site_names, self.settings.device.name, self.settings.energy_j_per_gbq)).encode())
        digest.update(repr([(float(s.volume_ml), float(s.mass_kg)) for s in self.structures]).encode())
        for name, array in named.items():
            whole = np.ascontiguousarray(array)
            digest.update(f"{name} {whole.dtype} {whole.shape}".encode())
            digest.update(whole.data)
        return digest.hexdigest()

    @property
    def _normal_liver(self) -> StructureRows:
        return next(s for s in self.structures if s.role is Role.NORMAL_LIVER)

    def dose_gy(self, activities_gbq: np.ndarray) -> np.ndarray:
        """Return the dose in every voxel (voxels,) [Gy]."""
        return np.asarray(activities_gbq, dtype=float) @ self.rows

    @cached_property
    def escaped_share(self) -> np.ndarray:
        """Share of the energy emitted in liver and drawn organs that is absorbed outside the grid, per site."""
        return 1.0 - self.absorbed_j_per_gbq / self.emitted_j_per_gbq


def _in_parts(perfused: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the order of voxels (sites, voxels) by the territories they lie in, and where each part starts."""
    number = np.zeros(perfused.shape[1], dtype=np.int64)
    for byte in np.packbits(perfused, axis=0).astype(np.int64):
        _, number = np.unique(number * 256 + byte, return_inverse=True)
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    return order, tuple(int(start) for start in starts)
