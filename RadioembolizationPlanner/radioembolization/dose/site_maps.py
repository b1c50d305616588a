"""Absorbed energy of every site on the grid, kept as leaf boxes and coarse tails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from radioembolization.dose.columns import Columns
from radioembolization.dose.convolution import ROUNDING
from radioembolization.dose.far_field import FarField, far_field
from radioembolization.dose.leaves import Leaves, split_into_leaves
from radioembolization.dose.medium import Medium
from radioembolization.dose.near_field import NearField, Patch
from radioembolization.dose.threads import map_on_threads
from radioembolization.physics import Nuclide, TwoScaleKernel, nuclide_by_name

#: Values (leaves x voxels) that are spread over the chosen voxels together, and the fewest voxels of one block.
_VALUES_TOGETHER, _FEWEST_TOGETHER = 1 << 22, 4096
#: Estimated work of one leaf from which threads are worth while [ns]; shorter pieces wait for each other.
_THREADED_FROM_NS = 4e5


@dataclass(frozen=True, eq=False)
class SiteMaps:
    """Share of the emitted energy that each site leaves in each voxel, as sums of leaves.

    A site is ``weights @ near + tail``: the near part lies in boxes that widen each leaf by the range of
    the electrons, zero outside; the tail is spread from the coarse grid to where it is asked for.

    Parameters
    ----------
    shape : tuple of int
        Grid (z, y, x).
    near : tuple of Patch
        Of each leaf.
    weights : ndarray (sites, leaves), float32
    far : FarField or None
    gathered : ndarray (sites, z, y, x) or None
        Activity of each site on the coarse grid, from which its tail is spread.
    relative_density : ndarray (z, y, x) or None
        Density over that of the reference medium, where it varies.  Values are then doses in units of one
        emitted energy in a voxel of the reference density; times it they are the shares absorbed.
    """

    shape: tuple[int, int, int]
    near: tuple[Patch, ...]
    weights: np.ndarray
    far: FarField | None = None
    gathered: np.ndarray | None = None
    relative_density: np.ndarray | None = None

    def at(self, columns: Columns) -> np.ndarray:
        """Return the shares (sites, columns), float32, in chosen voxels."""
        rows = self._near_at(columns)
        if self.far is None or self.gathered is None:
            return rows
        far, gathered = self.far, self.gathered

        def add_tail(site: int) -> None:
            tail = next(far.spread(gathered[site : site + 1], columns.box))
            rows[site] += tail.reshape(-1)[columns.places]

        for _ in map_on_threads(add_tail, range(len(rows))):
            pass
        return rows

    def mixed(self, shares: np.ndarray) -> SiteMaps:
        """Return the maps of sums of the sites: ``shares`` (sums, sites) of each."""
        shares = np.asarray(shares, dtype=np.float32)
        gathered = None if self.gathered is None else np.tensordot(shares, self.gathered, axes=1)
        return replace(self, weights=shares @ self.weights, gathered=gathered)

    def combined(self, amounts: np.ndarray) -> np.ndarray:
        """Return the map (z, y, x), float32, of all sites times amounts (sites,)."""
        total = np.zeros(self.shape, dtype=np.float32)
        leaf_amounts = np.asarray(amounts, dtype=float) @ self.weights
        for amount, patch in zip(leaf_amounts, self.near, strict=True):
            if amount:
                box, inside = patch.clipped(self.shape)
                total[box] += np.float32(amount) * inside
        if self.far is not None and self.gathered is not None:
            gathered = np.tensordot(np.asarray(amounts, dtype=np.float32), self.gathered, axes=1)
            total += next(self.far.spread(gathered[None], tuple(slice(0, n) for n in self.shape)))
        return total

    def totals(self) -> np.ndarray:
        """Return the share of the emitted energy that each site leaves on the whole grid (sites,)."""
        leaves = [self._absorbed(patch) for patch in self.near]
        total = self.weights.astype(float) @ np.array(leaves)
        if self.far is not None and self.gathered is not None:
            total += self.far.totals(self.gathered, self.relative_density)
        return np.asarray(total)

    def reached(self) -> np.ndarray:
        """Return the flat indices of all voxels in range of the electrons of some leaf, in rising order."""
        inside = np.zeros(self.shape, dtype=bool)
        for patch in self.near:
            box, values = patch.clipped(self.shape)
            inside[box] |= values > 0
        return np.flatnonzero(inside)

    @property
    def nbytes(self) -> int:
        """Memory held [bytes]."""
        return sum(p.values.nbytes for p in self.near) + (0 if self.gathered is None else self.gathered.nbytes)

    def _absorbed(self, patch: Patch) -> float:
        box, values = patch.clipped(self.shape)
        if self.relative_density is not None:
            values = values * self.relative_density[box]
        return float(values.sum(dtype=float))

    def _near_at(self, columns: Columns) -> np.ndarray:
        rows = np.zeros((len(self.weights), len(columns)), dtype=np.float32)
        found = [columns.in_box(patch.start, patch.values.shape) for patch in self.near]
        together = max(_FEWEST_TOGETHER, _VALUES_TOGETHER // max(len(found), 1))

        def fill(first: int) -> None:
            block = rows[:, first : first + together]
            values = np.zeros((len(found), block.shape[1]), dtype=np.float32)
            for row, patch, (which, places) in zip(values, self.near, found, strict=True):
                part = slice(*np.searchsorted(which, (first, first + together)))
                row[which[part] - first] = patch.values.reshape(-1)[places[part]]
            np.matmul(self.weights, values, out=block)

        for _ in map_on_threads(fill, range(0, len(columns) if found else 0, together)):
            pass
        return rows


def compute_site_maps(
    fractions: sparse.csr_array,
    shape: tuple[int, int, int],
    kernel: TwoScaleKernel | None,
    progress: Callable[[int, int], None] | None = None,
    medium: Medium | None = None,
) -> SiteMaps:
    """Compute the maps of all sites.

    Parameters
    ----------
    fractions : csr_array (sites, voxels)
        Fraction of the injected activity in each voxel, voxels in C order of ``shape``.
    shape : tuple of int
        Grid (z, y, x).
    kernel : TwoScaleKernel or None
        None for local deposition.
    progress : callable, optional
        Called with (leaves done, leaves); an exception it raises ends the computation.
    medium : Medium, optional
        Densities to correct for; the kernel must be that of its reference density.
    """
    near = None if kernel is None else NearField(kernel.near.energy_share)
    leaves = cheapest_leaves(fractions, shape, near)
    if near is None or kernel is None:
        if progress:
            progress(1, 1)
        return SiteMaps(shape, leaves.sources, leaves.weights)
    patches = []
    for done, patch in enumerate(spread_leaves(leaves, near), start=1):
        source = leaves.sources[done - 1]
        if medium is not None:
            patch = _with_density(patch, source, medium, nuclide_by_name(kernel.near.nuclide_name))
        patches.append(patch)
        if progress:
            progress(done, len(leaves.sources))
    far = far_field(kernel, shape)
    gathered = np.zeros((len(leaves.sources), *far.coarse_shape), dtype=np.float32)
    for amounts, of_leaf in zip(gathered, map_on_threads(far.gather, leaves.sources), strict=True):
        amounts[:] = of_leaf
    gathered = np.tensordot(leaves.weights, gathered, axes=1)
    relative = None if medium is None else medium.relative
    return SiteMaps(shape, tuple(patches), leaves.weights, far, gathered, relative)


def _with_density(near: Patch, source: Patch, medium: Medium, nuclide: Nuclide) -> Patch:
    """Return the near part of a leaf with its correction for density, on the grid."""
    change = medium.correction(source, nuclide)
    if change is None:
        return near
    ends = [
        (min(a, b), max(a + m, b + n))
        for a, b, m, n in zip(near.start, change.start, near.values.shape, change.values.shape, strict=True)
    ]
    total = np.zeros([high - low for low, high in ends], dtype=np.float32)
    for patch in (near, change):
        z, y, x = (first - low for first, (low, _) in zip(patch.start, ends, strict=True))
        box, values = Patch((z, y, x), patch.values).clipped(total.shape)
        total[box] += values
    return Patch((ends[0][0], ends[1][0], ends[2][0]), np.maximum(total, 0.0, out=total))


def spread_leaves(leaves: Leaves, near: NearField) -> Iterator[Patch]:
    """Yield the near part of each leaf, without what is below rounding."""

    def spread(source: Patch) -> Patch:
        patch = near.patch(source)
        values = patch.values
        values *= values >= ROUNDING * values.max()  # also removes the tiny negatives of rounding
        return patch

    work_ns = sum(near.cost_ns(source.values.shape) for source in leaves.sources)
    return map_on_threads(spread, leaves.sources, spread=work_ns > _THREADED_FROM_NS * len(leaves.sources))


def cheapest_leaves(fractions: sparse.csr_array, shape: tuple[int, int, int], near: NearField | None) -> Leaves:
    """Return disjoint leaves, or the sites themselves where these are cheaper to convolve."""
    leaves = split_into_leaves(fractions, shape)
    if near is None or len(leaves.sources) <= fractions.shape[0]:
        return leaves
    sites = split_into_leaves(fractions, shape, share=False)

    def cost(parts: Leaves) -> float:
        return sum(near.cost_ns(source.values.shape) for source in parts.sources)

    return leaves if cost(leaves) <= cost(sites) else sites
