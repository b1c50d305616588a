"""Histograms of many structures at once, from one count over all voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.dose.dvh import checked_shares
from radioembolization.errors import InputError

#: Memberships are the bits of one integer.
_MOST_STRUCTURES = 64
_MOST_BINS = 2**14
#: Atoms times bins: what stays in the cache of a processor.  Voxels of rarer atoms are counted one by one.
_MOST_CELLS = 2**20
#: Voxels binned at a time, so that what is between two steps stays in the cache too.
_CHUNK = 2**18


@dataclass(frozen=True, eq=False)
class LiveStructure:
    """A structure in terms of the voxels that receive dose.

    Parameters
    ----------
    name : str
    voxels : ndarray of int
        Positions of its voxels in the columns of the dose rows, each once.
    covered_share : ndarray, optional
        Share of each of them, from 0 to 1, that belongs to the structure; without it all are whole.
    undosed_voxels : float
        Its volume out of reach of any source [voxels], which counts with 0 Gy.
    """

    name: str
    voxels: np.ndarray
    covered_share: np.ndarray | None = None
    undosed_voxels: float = 0.0

    def __post_init__(self) -> None:
        voxels = np.asarray(self.voxels)
        if voxels.ndim != 1 or not (np.issubdtype(voxels.dtype, np.integer) or not len(voxels)):
            raise InputError(f"The voxels of '{self.name}' must be a list of column positions, not a mask.")
        if not np.isfinite(self.undosed_voxels) or self.undosed_voxels < 0.0:
            raise InputError(
                f"The volume of '{self.name}' without dose is {self.undosed_voxels:g} voxels: give 0 or more."
            )
        if not len(voxels) and self.undosed_voxels == 0.0:
            raise InputError(
                f"There is no voxel in '{self.name}': leave it out, or check that it lies on the dose grid."
            )
        object.__setattr__(self, "voxels", voxels.astype(np.intp, copy=False))
        if self.covered_share is not None and len(voxels):
            object.__setattr__(self, "covered_share", checked_shares(self.covered_share, len(voxels), f"'{self.name}'"))

    @property
    def shares(self) -> np.ndarray:
        """Covered share of each voxel."""
        return np.ones(len(self.voxels)) if self.covered_share is None else self.covered_share

    @property
    def volume_voxels(self) -> float:
        """Its volume [voxels]."""
        return float(self.shares.sum()) + self.undosed_voxels


class LiveHistograms:
    """Counts the volume of every structure in bins of dose, again and again.

    Whole voxels are grouped by the set of structures they belong to, their atom: one count over (atom, bin)
    and a product (structures, atoms) x (atoms, bins) give all histograms.  Partly covered voxels, and those
    of rare atoms, are counted with their share in each structure.

    Parameters
    ----------
    structures : sequence of LiveStructure
        Up to 64; they may overlap.
    columns : int
        Number of voxels that receive dose.
    bins : int
    """

    def __init__(self, structures: Sequence[LiveStructure], columns: int, bins: int) -> None:
        _check(structures, columns, bins)
        self.bins = bins
        memberships, borders = _memberships(structures, columns)
        patterns, pattern_of, voxels = np.unique(memberships, return_inverse=True, return_counts=True)
        common = np.argsort(-voxels, kind="stable")
        common = common[patterns[common] > 0][: _MOST_CELLS // bins - 1]
        atoms = np.zeros(len(patterns), dtype=np.int32)  # atom 0 is counted for no structure
        atoms[common] = 1 + np.arange(len(common))
        atom_of = atoms[pattern_of.ravel()]
        rare = np.flatnonzero((atom_of == 0) & (memberships > 0))
        bits = np.arange(len(structures), dtype=np.uint64)
        self._has_atom = np.zeros((len(structures), 1 + len(common)))
        self._has_atom[:, 1:] = (patterns[common] >> bits[:, None]) & np.uint64(1)
        self._first_cell = atom_of * np.int32(bins)
        for number, bit in enumerate(bits):
            inside = rare[(memberships[rare] >> bit) & np.uint64(1) > 0]
            borders.append((number, inside, np.ones(len(inside))))
        self._border_voxels = np.concatenate([voxels for _, voxels, _ in borders])
        self._border_shares = np.concatenate([shares for _, _, shares in borders])
        self._border_cells = np.concatenate([np.full(len(v), number * bins, dtype=np.intp) for number, v, _ in borders])
        self._undosed = np.array([s.undosed_voxels for s in structures])
        self._chunk = max(_CHUNK, self._has_atom.shape[1] * bins)
        self._scaled = np.empty(min(self._chunk, columns), dtype=np.float32)
        self._cells = np.empty(min(self._chunk, columns), dtype=np.intp)

    @property
    def atoms(self) -> int:
        """Number of sets of structures that are counted together."""
        return self._has_atom.shape[1] - 1

    @property
    def nbytes(self) -> int:
        """Memory kept [bytes]."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))

    def count(self, dose_gy: np.ndarray, bin_gy: float) -> np.ndarray:
        """Return the volume (structures, bins) [voxels] in bins from 0 Gy.

        Parameters
        ----------
        dose_gy : ndarray (columns,) of float32
            Not negative, below ``bins * bin_gy``.
        bin_gy : float
            Width of a bin [Gy].
        """
        per_gy = np.float32(1.0 / bin_gy)
        cells = np.zeros(self._has_atom.shape[1] * self.bins, dtype=np.intp)
        for start in range(0, len(dose_gy), self._chunk):
            part = dose_gy[start : start + self._chunk]
            scaled, cell = self._scaled[: len(part)], self._cells[: len(part)]
            np.multiply(part, per_gy, out=scaled)
            cell[...] = scaled  # drops what is behind the point
            cell += self._first_cell[start : start + self._chunk]
            counted = np.bincount(cell)
            cells[: len(counted)] += counted
        voxels = self._has_atom @ cells.reshape(-1, self.bins)
        if len(self._border_voxels):
            cell = (dose_gy[self._border_voxels] * per_gy).astype(np.intp)
            cell += self._border_cells
            voxels += np.bincount(cell, self._border_shares, minlength=voxels.size).reshape(voxels.shape)
        voxels[:, 0] += self._undosed
        return voxels


def _memberships(
    structures: Sequence[LiveStructure], columns: int
) -> tuple[np.ndarray, list[tuple[int, np.ndarray, np.ndarray]]]:
    """Return the structures each voxel wholly belongs to as bits, and number, voxels and shares of the rest."""
    memberships = np.zeros(columns, dtype=np.uint64)
    borders = []
    for number, structure in enumerate(structures):
        shares = structure.shares
        memberships[structure.voxels[shares == 1.0]] |= np.uint64(1 << number)
        partly = (shares > 0.0) & (shares < 1.0)
        borders.append((number, structure.voxels[partly], shares[partly]))
    return memberships, borders


def _check(structures: Sequence[LiveStructure], columns: int, bins: int) -> None:
    if not 1 <= len(structures) <= _MOST_STRUCTURES:
        raise InputError(f"{len(structures)} structures: choose from 1 to {_MOST_STRUCTURES} for live histograms.")
    if not 2 <= bins <= _MOST_BINS:
        raise InputError(f"{bins} bins: choose from 2 to {_MOST_BINS} (4096 is usual).")
    names = [s.name for s in structures]
    if len(set(names)) < len(names):
        raise InputError(f"Two structures have the same name among {', '.join(names)}: give each its own.")
    for structure in structures:
        voxels = structure.voxels
        if not len(voxels):
            continue
        if voxels.min() < 0 or voxels.max() >= columns:
            raise InputError(
                f"The voxels of '{structure.name}' reach from {voxels.min()} to {voxels.max()}, but the dose rows have "
                f"{columns} columns: give positions in the columns, and the volume out of reach as undosed_voxels."
            )
        seen = np.zeros(columns, dtype=bool)
        seen[voxels] = True
        if np.count_nonzero(seen) < len(voxels):
            raise InputError(f"'{structure.name}' holds a voxel twice: give each once.")
