"""From the points of a skeleton to trees: every circle is broken where it is thinnest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from radioembolization.territories.skeleton.thinning import Skeleton


@dataclass(frozen=True, eq=False)
class Forest:
    """A skeleton without circles.

    Parameters
    ----------
    edges : ndarray (edges, 2) of int
        The edges that stay.
    loops : tuple of (point, length)
        Where circles were broken: the point of the skeleton, and the length of the circle [mm]. Circles that are
        no longer than the girth of the vessel are thinning's own and not listed.
    """

    edges: np.ndarray
    loops: tuple[tuple[int, float], ...]


def without_loops(skeleton: Skeleton) -> Forest:
    """Return the spanning forest of a skeleton along its thickest edges.

    The heaviest edge of every circle is the one that a minimum spanning tree leaves out, and an edge is the
    heavier the nearer it is to the wall.
    """
    count, edges = len(skeleton.places_mm), skeleton.edges
    length = np.linalg.norm(np.diff(skeleton.places_mm[edges], axis=1)[:, 0], axis=1)
    depth = skeleton.depth_mm[edges].min(axis=1)
    thinness = depth.max(initial=0.0) - depth + 0.1 * length + 1e-6
    graph = sparse.csr_array((thinness, edges.T), shape=(count, count))
    kept = csgraph.minimum_spanning_tree(graph).tocoo()
    tree = np.stack([kept.row, kept.col], axis=1)
    names = np.sort(edges, axis=1) @ [count, 1]
    cut = edges[~np.isin(names, np.sort(tree, axis=1) @ [count, 1])]
    return Forest(tree, _long_loops(skeleton, tree, cut))


def longest_path(places_mm: np.ndarray, edges: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Return the points of the longest path of a tree, one end to the other.

    Parameters
    ----------
    places_mm : ndarray (points, 3)
    edges : ndarray (edges, 2) of int
        Without circles.
    within : ndarray of int
        The points of the tree.
    """
    graph = weighted(places_mm, edges)
    away = csgraph.dijkstra(graph, directed=False, indices=int(within[0]))
    end = within[np.argmax(away[within])]
    away, before = csgraph.dijkstra(graph, directed=False, indices=int(end), return_predecessors=True)
    at = int(within[np.argmax(away[within])])
    path = [at]
    while before[at] >= 0:
        at = int(before[at])
        path.append(at)
    return np.array(path)


def weighted(places_mm: np.ndarray, edges: np.ndarray) -> sparse.csr_array:
    """Return the graph of edges with their lengths [mm]."""
    length = np.linalg.norm(np.diff(places_mm[edges], axis=1)[:, 0], axis=1)
    return sparse.csr_array((length, edges.T), shape=(len(places_mm), len(places_mm)))


def _long_loops(skeleton: Skeleton, tree: np.ndarray, cut: np.ndarray) -> tuple[tuple[int, float], ...]:
    """Return the point and length of every circle that a left-out edge would close."""
    before, away = _towards_roots(skeleton.places_mm, tree)
    found: list[tuple[int, float]] = []
    for one, other in cut:
        length = _tree_distance(int(one), int(other), before, away)
        if length <= 2.0 * np.pi * max(skeleton.depth_mm[one], skeleton.step_mm):
            continue
        known = [point for point, _ in found if _apart(skeleton, point, int(one)) < 3.0 * skeleton.step_mm]
        if not known:
            found.append((int(one), length))
    return tuple(found)


def _apart(skeleton: Skeleton, one: int, other: int) -> float:
    return float(np.linalg.norm(skeleton.places_mm[one] - skeleton.places_mm[other]))


def _towards_roots(places_mm: np.ndarray, tree: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the previous point, and the distance from the first point of its tree, of every point."""
    count = len(places_mm)
    _, piece = csgraph.connected_components(weighted(places_mm, tree), directed=False)
    _, first = np.unique(piece, return_index=True)
    # one point more, joined to the first of every tree, so that one search reaches all
    joined = np.concatenate([tree, np.stack([np.full(len(first), count), first], axis=1)])
    graph = weighted(np.concatenate([places_mm, places_mm.mean(axis=0)[None] + 1e-3]), joined)
    away, before = csgraph.dijkstra(graph, directed=False, indices=count, return_predecessors=True)
    return before, away


def _tree_distance(one: int, other: int, before: np.ndarray, away: np.ndarray) -> float:
    start_one, start_other = away[one], away[other]
    while one != other:
        if away[one] >= away[other]:
            one = int(before[one])
        else:
            other = int(before[other])
    return float(start_one + start_other - 2.0 * away[one])
