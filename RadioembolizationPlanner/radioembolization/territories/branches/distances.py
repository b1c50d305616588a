"""Distances of all voxels from every branch, computed at nodes that may be farther apart, and interpolated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from radioembolization.images import Grid
from radioembolization.territories.branches.geodesic import (
    Source,
    Space,
    longest_detour,
    step_graph,
    straight_inside,
    with_seeds,
)

#: Distances to compute at most, of all branches together, and nodes at most.  A few branches have a node at every
#: voxel; for 64 in an adult's liver nodes are 4 mm apart, which does as distances change evenly but behind corners.
_MOST_DISTANCES, _MOST_NODES = 2_000_000, 250_000
#: Stands for no way at all [mm].
NO_WAY_MM = 1e6
_ENTRIES = 4


@dataclass(frozen=True, eq=False)
class BranchDistances:
    """Distances from branches.

    Parameters
    ----------
    nodes_mm : ndarray (terminals, nodes), float32
        ``NO_WAY_MM`` where none leads.
    weights : csr_array (voxels, nodes), float32
        Interpolation.
    pieces : ndarray of int (nodes,)
        The connected piece of liver that a node lies in.
    apart : int
        Voxels in pieces that no branch enters; straight distances are given there.
    """

    nodes_mm: np.ndarray
    weights: sparse.csr_array
    pieces: np.ndarray
    apart: int

    def voxels_mm(self, chunk: int) -> Iterator[np.ndarray]:
        """Yield the distances of voxels (terminals, voxels) [mm], some at a time, in order."""
        columns = np.ascontiguousarray(self.nodes_mm.T)
        for first in range(0, self.weights.shape[0], chunk):
            yield np.ascontiguousarray((self.weights[first : first + chunk] @ columns).T)


def branch_distances(space: Space, sources: Sequence[Source], geodesic: bool = True) -> BranchDistances:
    """Return distances that are exact in open space.

    With straight distances S, ways along steps W and the largest detour c of steps in open space, the true way lies
    between W / c and W, and is no shorter than S: max(S, W / c) is S wherever the straight line is free, and too short
    by the factor c at most behind a corner (5 % on cubic voxels).

    Parameters
    ----------
    space : Space
    sources : sequence of Source
    geodesic : bool
        False: straight distances.
    """
    nodes = _node_space(space, min(_MOST_DISTANCES // len(sources), _MOST_NODES))
    at = space.grid.to_index(nodes.grid.to_lps(nodes.index))  # nodes as indices of the voxels
    distance = np.stack([_straight(space, source, at) for source in sources])
    if not geodesic:
        pieces = np.zeros(len(at), dtype=int)
        return BranchDistances(distance.astype(np.float32), _interpolation(space, nodes, pieces), pieces, 0)
    graph = step_graph(nodes)
    pieces = csgraph.connected_components(graph, directed=False)[1]
    beside = cKDTree(at * np.array(space.grid.spacing_mm))
    seeds = sparse.csr_array(np.stack([_entries(space, source, at, beside) for source in sources]))
    starts = len(at) + np.arange(len(sources))
    ways = csgraph.dijkstra(with_seeds(graph, seeds), indices=starts)[:, : len(at)]
    gaps = np.array([source.gap_mm for source in sources])[:, None]
    bound = gaps + ways / longest_detour(nodes.grid.spacing_mm)
    entered = np.isfinite(ways).any(axis=0)
    bound[:, entered] = np.minimum(bound[:, entered], NO_WAY_MM)
    distance[:, entered] = np.maximum(distance[:, entered], bound[:, entered])
    weights = _interpolation(space, nodes, pieces)
    apart = int(np.count_nonzero(weights @ (~entered).astype(np.float32) > 0.5))
    return BranchDistances(distance.astype(np.float32), weights, pieces, apart)


def _node_space(space: Space, most: int) -> Space:
    """Return the space of the nodes: the voxels if they are few enough, otherwise cubes that are."""
    if len(space.voxels) <= most:
        return space
    cube_mm = float(np.cbrt(np.prod(space.grid.spacing_mm) * len(space.voxels) / most))
    low, high = space.grid.to_lps(np.array([[-0.5] * 3, np.array(space.grid.shape) - 0.5]))
    z_mm, y_mm, x_mm = (max(float(s), cube_mm) for s in space.grid.spacing_mm)
    grid = Grid.covering(space.grid, low, high, (z_mm, y_mm, x_mm))
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    index = np.clip(np.rint(space.grid.to_index(points)).astype(int), 0, np.array(space.grid.shape) - 1)
    return Space.around(space.inside[tuple(np.moveaxis(index, -1, 0))], grid)


def _straight(space: Space, source: Source, at: np.ndarray) -> np.ndarray:
    spacing = np.array(space.grid.spacing_mm)
    return cKDTree(source.points * spacing).query(at * spacing)[0] + source.gap_mm


def _entries(space: Space, source: Source, at: np.ndarray, beside: cKDTree) -> np.ndarray:
    """Return the ways from the points of a source to nodes beside them (nodes,) [mm]; zero for none."""
    spacing = np.array(space.grid.spacing_mm)
    away, node = beside.query(source.points * spacing, k=min(_ENTRIES, len(at)))
    away, node = away.reshape(len(source.points), -1), node.reshape(len(source.points), -1)
    points = np.repeat(source.points, node.shape[1], axis=0)
    free = straight_inside(space.inside, points, at[node.ravel()]).reshape(node.shape)
    free[:, 0] |= ~free.any(axis=1)
    row = np.full(len(at), np.inf)
    np.minimum.at(row, node[free], away[free] + 1e-6)
    return np.where(np.isfinite(row), row, 0.0)


def _interpolation(space: Space, nodes: Space, pieces: np.ndarray) -> sparse.csr_array:
    """Return linear weights (voxels, nodes) of the nodes around each voxel that lie in one piece of liver."""
    if nodes is space:
        return sparse.eye_array(len(space.voxels), dtype=np.float32, format="csr")
    number = np.full(np.array(nodes.inside.shape) + 2, -1)  # with a margin for corners outside the box
    number[1:-1, 1:-1, 1:-1][nodes.inside] = np.arange(len(nodes.voxels))
    at = nodes.grid.to_index(space.grid.to_lps(space.index))
    low = np.floor(at).astype(int)
    part = at - low
    corners, weights = [], []
    for corner in product((0, 1), repeat=3):
        corners.append(number[tuple((low + corner + 1).T)])
        weight = np.prod(np.where(corner, part, 1.0 - part), axis=1)
        weights.append(np.where(corners[-1] >= 0, weight + 1e-6, 0.0))
    corner_of, weight_of = np.stack(corners, axis=1), np.stack(weights, axis=1)
    best = np.argmax(weight_of, axis=1)
    nearest = np.take_along_axis(corner_of, best[:, None], axis=1)[:, 0]
    lost = nearest < 0
    nearest[lost] = cKDTree(nodes.index * np.array(nodes.grid.spacing_mm)).query(
        at[lost] * np.array(nodes.grid.spacing_mm)
    )[1]
    weight_of[pieces[corner_of] != pieces[nearest][:, None]] = 0.0
    corner_of[lost, 0], weight_of[lost, 0] = nearest[lost], 1.0
    weight_of /= weight_of.sum(axis=1, keepdims=True)
    used = weight_of > 0
    starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    shape = (len(at), len(nodes.voxels))
    return sparse.csr_array((weight_of[used].astype(np.float32), corner_of[used], starts), shape=shape)
