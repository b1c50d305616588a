"""The branches of a skeleton: paths between branchings and ends, without spurs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, eq=False)
class Branch:
    """A path of points from one branching or end to another.

    Parameters
    ----------
    ends : tuple of int
        The two nodes, as points of the skeleton; for branchings that were merged, the thickest of them.
    path : ndarray (points,) of int
        From the first to the second.
    """

    ends: tuple[int, int]
    path: np.ndarray

    def from_node(self, node: int) -> Branch:
        """Return the branch with a node as its first."""
        return self if self.ends[0] == node else Branch(self.ends[::-1], self.path[::-1])


def branches_of(
    edges: np.ndarray, places_mm: np.ndarray, depth_mm: np.ndarray, smallest_mm: float
) -> tuple[Branch, ...]:
    """Return the branches of one tree.

    A branch that ends freely stays if it stands out of its mother by ``smallest_mm`` and by its own radius;
    the others are thinning's spurs towards bumps of the wall. They go from the shortest on, one at a branching
    in each round, so that of a forked tip one half stays and continues the branch.

    Parameters
    ----------
    edges : ndarray (edges, 2) of int
        Of one tree, without circles.
    places_mm : ndarray (points, 3)
    depth_mm : ndarray (points,)
        Distance from the wall [mm].
    smallest_mm : float

    Returns
    -------
    tuple of Branch
        Branchings that lie within each other's vessel are merged.
    """
    neighbours: dict[int, set[int]] = {}
    for one, other in edges.tolist():
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    while spurs := _spurs(_paths(neighbours), places_mm, depth_mm, smallest_mm):
        for path in spurs:
            for one, other in pairwise(path):
                neighbours[one].discard(other)
                neighbours[other].discard(one)
            for point in path[1:]:
                del neighbours[point]
    return _merged(_paths(neighbours), places_mm, depth_mm)


def _paths(neighbours: dict[int, set[int]]) -> list[list[int]]:
    """Return the paths between points that have one, or three and more neighbours."""
    nodes = [point for point, around in neighbours.items() if len(around) != 2]
    paths = []
    for node in sorted(nodes):
        for following in sorted(neighbours[node]):
            path = [node, following]
            while len(neighbours[path[-1]]) == 2:
                path.append(next(point for point in neighbours[path[-1]] if point != path[-2]))
            if path[0] < path[-1]:
                paths.append(path)
    return paths


def _spurs(paths: list[list[int]], places_mm: np.ndarray, depth_mm: np.ndarray, smallest_mm: float) -> list[list[int]]:
    """Return, for every branching, its shortest free branch that does not stand out enough; from the branching on."""
    met = Counter(end for path in paths for end in (path[0], path[-1]))
    worst: dict[int, tuple[float, list[int]]] = {}
    for path in paths:
        free = [met[end] == 1 for end in (path[0], path[-1])]
        if all(free) or not any(free):
            continue
        outward = path[::-1] if free[0] else path
        spare = _stands_out(outward, places_mm, depth_mm) - smallest_mm
        if spare < 0 and (outward[0] not in worst or spare < worst[outward[0]][0]):
            worst[outward[0]] = (spare, outward)
    return [path for _, path in worst.values()]


def _stands_out(outward: list[int], places_mm: np.ndarray, depth_mm: np.ndarray) -> float:
    """Return how far a free branch stands out of its mother, 0 if it is not longer than thick [mm]."""
    places = places_mm[outward]
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    mother = depth_mm[outward[0]]
    outside = along[-1] - mother
    own = float(np.median(depth_mm[outward][along > mother])) if outside > 0 else mother
    return float(outside) if outside >= own else min(float(outside), 0.0)


def _merged(paths: list[list[int]], places_mm: np.ndarray, depth_mm: np.ndarray) -> tuple[Branch, ...]:
    """Merge branchings that are closer together than the vessel there is thick."""
    met = Counter(end for path in paths for end in (path[0], path[-1]))
    same: dict[int, int] = {}

    def thickest(node: int) -> int:
        while node in same:
            node = same[node]
        return node

    def length(path: list[int]) -> float:
        return float(np.linalg.norm(np.diff(places_mm[path], axis=0), axis=1).sum())

    kept = []
    for path in sorted(paths, key=length):
        inner = met[path[0]] > 1 and met[path[-1]] > 1
        if inner and length(path) < depth_mm[path[0]] + depth_mm[path[-1]]:
            one, other = sorted((thickest(path[0]), thickest(path[-1])), key=lambda node: (depth_mm[node], node))
            same[one] = other
        else:
            kept.append(path)
    result = []
    for path in kept:
        first, last = thickest(path[0]), thickest(path[-1])
        whole = ([first] if first != path[0] else []) + path + ([last] if last != path[-1] else [])
        result.append(Branch((first, last), np.array(whole)))
    return tuple(result)
