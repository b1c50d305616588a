"""What each branch of the arterial tree supplies: the nearest part of the liver, or a part as large as its flow."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from radioembolization.errors import BranchWithoutTerritory, TerritoryError
from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.branches.flow_weighted import flow_weighted_shares
from radioembolization.territories.branches.geodesic import Source, Space, nearest_source
from radioembolization.territories.branches.sources import branch_sources, supplying_stretches, warn_of_pieces

_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class BranchTerritories:
    """The share of every liver voxel's blood that comes through each branch.

    Parameters
    ----------
    tree : ArterialTree
    grid : Grid
    liver : ndarray of bool (z, y, x)
    terminals : tuple of int
        The stretches of the tree that supply the liver.
    shares : csr_array (terminals, voxels)
        Share of a voxel's blood that comes through a terminal, voxels in C order of (z, y, x); adds up to one in
        every voxel of the liver, and is zero outside.
    flow : ndarray (terminals,)
        Share of the liver's arterial flow; adds up to one.
    model : str
        In words, for outputs.

    Raises
    ------
    TerritoryError
        If shares or flows do not add up to one.
    """

    tree: ArterialTree
    grid: Grid
    liver: np.ndarray
    terminals: tuple[int, ...]
    shares: sparse.csr_array
    flow: np.ndarray
    model: str

    def __post_init__(self) -> None:
        sums = np.asarray(self.shares.sum(axis=0)).ravel()
        worst = np.max(np.abs(sums - self.liver.ravel()))
        if worst > _SUM_TOLERANCE:
            raise TerritoryError(f"The shares of the branches are off one by {worst:.1e} in a voxel of the liver.")
        if abs(self.flow.sum() - 1.0) > _SUM_TOLERANCE:
            raise TerritoryError(f"The flows of the branches add up to {self.flow.sum():.8f}, not 1.")

    @property
    def volume_ml(self) -> np.ndarray:
        """Volume that each terminal supplies (terminals,) [mL]."""
        return np.asarray(self.shares.sum(axis=1)).ravel() * self.grid.voxel_ml

    def reached(self, stretches: Iterable[int]) -> np.ndarray:
        """Return the share of each voxel's blood that comes through stretches, float32 (z, y, x)."""
        return self._summed(stretches, np.ones(len(self.terminals)))

    def supply(self, stretches: Iterable[int]) -> np.ndarray:
        """Return the blood flow per voxel through stretches, relative to the liver's mean, float32 (z, y, x).

        ``sum_l flow_l share_l(v) / sum_u share_l(u) x number of liver voxels``: the flow of a terminal spreads evenly
        over what it supplies.  Stretches with their downstream together have the sum of their parts.
        """
        voxels = np.asarray(self.shares.sum(axis=1)).ravel()
        weight = np.divide(
            self.flow * np.count_nonzero(self.liver), voxels, out=np.zeros_like(voxels), where=voxels > 0
        )
        return self._summed(stretches, weight)

    def _summed(self, stretches: Iterable[int], weight: np.ndarray) -> np.ndarray:
        chosen = np.isin(self.terminals, list(stretches))
        return (self.shares.T @ np.where(chosen, weight, 0.0)).reshape(self.grid.shape).astype(np.float32)


@dataclass(frozen=True)
class NearestBranch:
    """Every voxel is supplied by the branch that it lies nearest to; blood flow per millilitre is the same everywhere.

    Parameters
    ----------
    geodesic : bool
        Distances inside the liver, round fissures; otherwise straight.
    reach_mm : float
        A branch farther from the liver supplies nothing [mm].
    """

    geodesic: bool = True
    reach_mm: float = 15.0

    def __post_init__(self) -> None:
        _check_reach(self.reach_mm)

    def territories(
        self, tree: ArterialTree, liver: np.ndarray, grid: Grid, without: Collection[str] = ()
    ) -> BranchTerritories:
        """Divide the liver.

        Parameters
        ----------
        tree : ArterialTree
        liver : ndarray of bool (z, y, x)
        grid : Grid
        without : collection of str
            Arteries of other organs: they and what they feed supply no liver.

        Raises
        ------
        TerritoryError
            If the liver is empty or not on the grid, or no branch is left or within reach.
        """
        liver = np.asarray(liver, dtype=bool)
        space, terminals, sources = _start(tree, liver, grid, without, self.reach_mm)
        _, nearest = nearest_source(space, sources, self.geodesic)
        if (nearest < 0).any():
            nearest = _with_pieces(space, sources, nearest)
        voxels = np.flatnonzero(liver)
        shares = sparse.csr_array((np.ones(len(voxels)), (nearest, voxels)), shape=(len(terminals), grid.voxels))
        counts = np.bincount(nearest, minlength=len(terminals))
        _warn_of_empty(tree, terminals, counts)
        model = f"nearest branch, {'inside the liver' if self.geodesic else 'by straight line'}"
        return BranchTerritories(tree, grid, liver, terminals, shares, counts / counts.sum(), model)


@dataclass(frozen=True)
class FlowWeighted:
    """Every branch supplies a volume in proportion to its flow by Murray's law, with smooth watersheds.

    Parameters
    ----------
    exponent : float
        Flow divides as this power of the radii at every branching.
    watershed_mm : float
        Width of the border between two territories: the tangent at its middle falls from one to zero over this
        width, where both branches lie straight across it [mm]; 0 for sharp borders.
    geodesic : bool
        Distances inside the liver, round fissures; otherwise straight.
    reach_mm : float
        A branch farther from the liver supplies nothing [mm].
    """

    exponent: float = 3.0
    watershed_mm: float = 5.0
    geodesic: bool = True
    reach_mm: float = 15.0

    def __post_init__(self) -> None:
        _check_reach(self.reach_mm)
        if not (np.isfinite(self.watershed_mm) and self.watershed_mm >= 0):
            raise TerritoryError(
                f"The width of watersheds must not be negative, but is {self.watershed_mm:g} mm: use 0 for sharp ones."
            )

    def territories(
        self, tree: ArterialTree, liver: np.ndarray, grid: Grid, without: Collection[str] = ()
    ) -> BranchTerritories:
        """Divide the liver; parameters and errors as ``NearestBranch.territories``."""
        every_flow = tree.flow_share(self.exponent)
        liver = np.asarray(liver, dtype=bool)
        space, terminals, sources = _start(tree, liver, grid, without, self.reach_mm)
        flow = every_flow[list(terminals)]
        flow = flow / flow.sum()
        names = tuple(stretch_name(tree, terminal) for terminal in terminals)
        local = flow_weighted_shares(space, sources, flow, self.watershed_mm, self.geodesic, names)
        voxels = np.flatnonzero(liver)
        shares = sparse.csr_array((local.data, voxels[local.indices], local.indptr), (len(terminals), grid.voxels))
        _warn_of_empty(tree, terminals, np.asarray(shares.sum(axis=1)).ravel())
        model = (
            f"volume by flow (Murray exponent {self.exponent:g}), watersheds of {self.watershed_mm:g} mm, "
            f"{'inside the liver' if self.geodesic else 'by straight line'}"
        )
        return BranchTerritories(tree, grid, liver, terminals, shares, flow, model)


def stretch_name(tree: ArterialTree, stretch: int) -> str:
    """Return the name of a stretch's artery, with its points where the artery has several stretches."""
    part = tree.stretches[stretch]
    alone = sum(other.artery == part.artery for other in tree.stretches) == 1
    return part.artery if alone else f"{part.artery} (points {part.first} to {part.last})"


def _check_reach(reach_mm: float) -> None:
    if not (np.isfinite(reach_mm) and reach_mm >= 0):
        raise TerritoryError(f"reach_mm must not be negative, but is {reach_mm:g} mm: use 15.")


def _start(
    tree: ArterialTree, liver: np.ndarray, grid: Grid, without: Collection[str], reach_mm: float
) -> tuple[Space, tuple[int, ...], tuple[Source, ...]]:
    if liver.shape != grid.shape:
        raise TerritoryError(
            f"The liver has the shape {liver.shape}, its grid {grid.shape}: give the grid of the mask."
        )
    if not liver.any():
        raise TerritoryError("The liver has no voxel, so there is nothing to divide: check its segment.")
    space = Space.around(liver, grid)
    terminals, sources = branch_sources(tree, space, supplying_stretches(tree, without), reach_mm)
    return space, terminals, sources


def _with_pieces(space: Space, sources: tuple[Source, ...], nearest: np.ndarray) -> np.ndarray:
    """Return the sources of all voxels, those of pieces without a source by straight line."""
    apart = nearest < 0
    warn_of_pieces(int(np.count_nonzero(apart)), len(nearest), space.grid.voxel_ml)
    return np.where(apart, nearest_source(space, sources, geodesic=False)[1], nearest)


def _warn_of_empty(tree: ArterialTree, terminals: tuple[int, ...], voxels: np.ndarray) -> None:
    empty = [stretch_name(tree, terminal) for terminal, count in zip(terminals, voxels, strict=True) if not count > 0]
    if empty:
        warnings.warn(
            f"No voxel of the liver belongs to {', '.join(empty)}: other branches are nearer everywhere.",
            BranchWithoutTerritory,
            stacklevel=3,
        )
