"""Sums of the basis over structures that are displaced and drawn anew, for many scenarios at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radioembolization.dose.scenario_basis import ScenarioBasis
from radioembolization.dose.scenario_regions import Region
from radioembolization.structures import Role

#: Values (readings x voxels) of one block.
_BLOCK_VALUES = 1 << 21


@dataclass(frozen=True, eq=False)
class Sums:
    """Dose summed over the voxels of a structure, by reading and perfused part.

    Parameters
    ----------
    gy : ndarray (readings, parts, sources)
        Sum of the dose per GBq in each source [Gy/GBq].
    voxels : ndarray (readings, parts)
        Number of voxels.
    """

    gy: np.ndarray
    voxels: np.ndarray

    @property
    def means(self) -> np.ndarray:
        """Mean dose (readings, sources) [Gy/GBq]; 0 where a structure has left the grid."""
        return np.asarray(self.gy.sum(axis=1) / np.maximum(self.voxels.sum(axis=1), 1)[:, None])


@dataclass(frozen=True, eq=False)
class Readings:
    """Where structures lie and how large they are drawn, in every reading.

    Parameters
    ----------
    basis : ScenarioBasis
    offsets : ndarray (readings, 3) of int
        Displacement of the anatomy against the activity, in voxels (z, y, x).
    tumour_voxels : ndarray (readings, tumours) of int
    liver_voxels : ndarray (readings,) of int
    """

    basis: ScenarioBasis
    offsets: np.ndarray
    tumour_voxels: np.ndarray
    liver_voxels: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets)

    @cached_property
    def _sums(self) -> dict[str, Sums]:
        return {}

    def sums(self, name: str) -> Sums:
        """Return the sums over a structure, made once."""
        if name not in self._sums:
            self._sums[name] = self._summed(self.basis.region(name))
        return self._sums[name]

    @cached_property
    def _columns_of(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {}

    def columns_of(self, region: Region) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns some reading may hold, without those every one does, and those every one does."""
        if region.name not in self._columns_of:
            basis = self.basis
            possible = self._possible(region)
            certain = region.certain(basis.reach, int(self._size(region).min())).ravel()[basis.columns]
            for other in self._taken_out_of(region):
                certain &= ~self._possible(other)
            self._columns_of[region.name] = np.flatnonzero(possible & ~certain), np.flatnonzero(certain)
        return self._columns_of[region.name]

    def holds(self, region: Region, columns: np.ndarray, chosen: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Return which columns each of some readings holds (readings, columns) of bool."""
        offsets = self.offsets[chosen] @ self._strides
        places = self.basis.padded[columns].astype(np.int32) - offsets.astype(np.int32)[:, None]
        held = region.rank.ravel()[places] < self._size(region)[chosen, None]
        for other in self._taken_out_of(region):
            near = np.flatnonzero(self._possible(other)[columns])
            if len(near):
                held[:, near] &= other.rank.ravel()[places[:, near]] >= self._size(other)[chosen, None]
        return np.asarray(held)

    @cached_property
    def _possible_columns(self) -> dict[str, np.ndarray]:
        return {}

    def _possible(self, region: Region) -> np.ndarray:
        """Return the columns (columns,) of bool that a region can reach."""
        if region.name not in self._possible_columns:
            reached = region.candidates(self.basis.reach).ravel()[self.basis.columns]
            self._possible_columns[region.name] = reached
        return self._possible_columns[region.name]

    @property
    def _strides(self) -> np.ndarray:
        _, y, x = (n + 2 * r for n, r in zip(self.basis.shape, self.basis.reach, strict=True))
        return np.array([y * x, x, 1])

    def _taken_out_of(self, region: Region) -> tuple[Region, ...]:
        """Return what normal liver is without: tumours and organs."""
        if region.role is not Role.NORMAL_LIVER:
            return ()
        return tuple(r for r in self.basis.regions if r.role in (Role.TUMOUR, Role.ORGAN))

    def _size(self, region: Region) -> np.ndarray:
        if region.role is Role.TUMOUR:
            return np.asarray(self.tumour_voxels[:, self.basis.tumour_names.index(region.name)])
        if region.role in (Role.LIVER, Role.NORMAL_LIVER):
            return self.liver_voxels
        return np.full(len(self), region.count)

    def _summed(self, region: Region) -> Sums:
        basis = self.basis
        parts, sources = len(basis.members), len(basis.maps)
        gy, voxels = np.zeros((len(self), parts, sources)), np.zeros((len(self), parts), dtype=np.int64)
        uncertain, certain = self.columns_of(region)
        for part in range(parts):
            always = certain[basis.group[certain] == part]
            gy[:, part] += basis.maps[:, always].sum(axis=1, dtype=float) if len(always) else 0.0
            voxels[:, part] += len(always)
            here = uncertain[basis.group[uncertain] == part]
            size = max(1, _BLOCK_VALUES // len(self))
            for start in range(0, len(here), size):
                block = here[start : start + size]
                held = self.holds(region, block)
                gy[:, part] += held.astype(np.float32) @ np.ascontiguousarray(basis.maps[:, block].T)
                voxels[:, part] += np.count_nonzero(held, axis=1)
        return Sums(gy, voxels)
