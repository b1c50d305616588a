"""Sites as sums of disjoint leaves, so that every piece of liver is convolved once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from radioembolization.dose.near_field import Patch

#: Patterns of two sites count as one where they agree to this share of their largest value.
_SAME_PATTERN = 1e-5


@dataclass(frozen=True, eq=False)
class Leaves:
    """Disjoint sources of which every site is a weighted sum.

    Parameters
    ----------
    sources : tuple of Patch
        Activity per voxel of each leaf, sum 1.
    weights : ndarray (sites, leaves), float32
        Fraction of the injected activity of each site in each leaf.
    """

    sources: tuple[Patch, ...]
    weights: np.ndarray


def split_into_leaves(fractions: sparse.csr_array, shape: tuple[int, int, int], share: bool = True) -> Leaves:
    """Split the fractions of all sites into leaves.

    Voxels that belong to the same sites form a leaf, provided these sites spread their activity there
    in the same pattern; where they do not, a site becomes a leaf of its own, so the sum is always exact.

    Parameters
    ----------
    fractions : csr_array (sites, voxels)
        Fraction of the injected activity, voxels in C order of ``shape``.
    shape : tuple of int
        Grid (z, y, x).
    share : bool
        False makes every site a leaf of its own.
    """
    sites = fractions.shape[0]
    voxels, values = _filled(fractions)
    alone: set[int] = set() if share else set(range(sites))
    while True:
        shared = [site for site in range(sites) if site not in alone]
        groups = _groups(values, shared)
        odd = _differing(values, shared, groups)
        if not odd:
            break
        alone |= odd
    sources, weights = [], []
    for members, group in groups:
        weight = np.zeros(sites)
        weight[members] = values[members][:, group].sum(axis=1, dtype=float)
        sources.append(_patch(voxels[group], values[members[0], group] / weight[members[0]], shape))
        weights.append(weight)
    for site in sorted(alone):
        group = np.flatnonzero(values[site])
        if not len(group):
            continue
        weight = np.zeros(sites)
        weight[site] = values[site].sum(dtype=float)
        sources.append(_patch(voxels[group], values[site, group] / weight[site], shape))
        weights.append(weight)
    return Leaves(tuple(sources), np.array(weights, dtype=np.float32).reshape(-1, sites).T)


def _filled(fractions: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return the voxels with activity of any site, and the fractions (sites, these voxels), float32."""
    if not fractions.has_canonical_format:
        fractions = fractions.copy()
        fractions.sum_duplicates()
    indices = fractions.indices[fractions.data != 0]
    first, last = (int(indices.min()), int(indices.max())) if len(indices) else (0, 0)
    filled = np.zeros(last - first + 1, dtype=bool)
    filled[indices - first] = len(indices) > 0
    column = np.cumsum(filled, dtype=np.int32) - np.int32(1)
    values = np.zeros((fractions.shape[0], int(column[-1]) + 1), dtype=np.float32)
    for row, start, stop in zip(values, fractions.indptr[:-1], fractions.indptr[1:], strict=True):
        used = fractions.data[start:stop] != 0
        row[column[fractions.indices[start:stop][used] - first]] = fractions.data[start:stop][used]
    return np.flatnonzero(filled) + first, values


def _groups(values: np.ndarray, sites: list[int]) -> list[tuple[list[int], np.ndarray]]:
    """Return groups of columns that belong to the same sites: (sites, columns)."""
    if not sites or not values.shape[1]:
        return []
    member = values[sites] != 0
    packed = np.packbits(member, axis=0)
    codes = np.zeros(packed.shape[1], dtype=np.int64)
    for byte in packed:  # number the distinct columns, eight sites at a time
        codes = _renumbered(codes * 256 + byte)
    if len(codes) and codes.max() < 2**16:
        codes = codes.astype(np.uint16)  # is sorted faster
    order = np.argsort(codes, kind="stable")
    bounds = np.flatnonzero(np.diff(codes[order])) + 1
    groups = []
    for columns in np.split(order, bounds):
        members = [sites[index] for index in np.flatnonzero(member[:, columns[0]])]
        if members:
            groups.append((members, columns))
    return groups


def _renumbered(codes: np.ndarray) -> np.ndarray:
    """Return codes numbered from 0 on in rising order, without gaps."""
    used = np.zeros(int(codes.max(initial=0)) + 1, dtype=bool)
    used[codes] = True
    return (np.cumsum(used) - 1)[codes]


def _differing(values: np.ndarray, sites: list[int], groups: list[tuple[list[int], np.ndarray]]) -> set[int]:
    """Return sites whose pattern differs from that of the first site in some group."""
    differing = set()
    for members, columns in groups:
        here = values[members][:, columns]
        amounts = here.sum(axis=1, dtype=float)
        scaled = here[0] * (amounts / amounts[0]).astype(np.float32)[:, None]
        off = np.abs(here - scaled).max(axis=1) > _SAME_PATTERN * here.max(axis=1)
        differing |= {site for site, differs in zip(members, off, strict=True) if differs}
    return differing & set(sites)


def _patch(voxels: np.ndarray, values: np.ndarray, shape: tuple[int, int, int]) -> Patch:
    index = np.stack(np.unravel_index(voxels, shape))
    start = index.min(axis=1)
    box = np.zeros(index.max(axis=1) - start + 1, dtype=np.float32)
    box[tuple(index - start[:, None])] = values
    return Patch((int(start[0]), int(start[1]), int(start[2])), box)
