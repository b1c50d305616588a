"""Branches become a rooted tree of named arteries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from radioembolization.errors import TerritoryError
from radioembolization.images import Grid
from radioembolization.territories.arteries import Artery
from radioembolization.territories.skeleton.branches import Branch
from radioembolization.territories.skeleton.centreline import radius_along, smooth_line
from radioembolization.territories.skeleton.thinning import Skeleton

#: A given root must be this near to the tree [mm].
ROOT_REACH_MM = 20.0
#: Ends whose radius differs by less than this share could both be the root.
_CLOSE_CALL = 0.2


@dataclass(frozen=True)
class Root:
    """The end that the blood comes in by.

    Parameters
    ----------
    node : int
        A point of the skeleton.
    in_words : str
    rival : int or None
        Another end that is nearly as thick, if the root is a guess.
    """

    node: int
    in_words: str
    rival: int | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """A branch as a smooth line with radii.

    Parameters
    ----------
    branch : Branch
    line_mm : ndarray (points, 3)
        (z, y, x) along the axes of the mask [mm].
    radius_mm : ndarray (points,)
    """

    branch: Branch
    line_mm: np.ndarray
    radius_mm: np.ndarray

    def from_node(self, node: int) -> Line:
        """Return the line with a node at its beginning."""
        if self.branch.ends[0] == node:
            return self
        return Line(self.branch.from_node(node), self.line_mm[::-1], self.radius_mm[::-1])


def lines_of(branches: Sequence[Branch], places_mm: np.ndarray, skeleton: Skeleton) -> tuple[Line, ...]:
    """Return the branches as smooth lines with radii.

    Parameters
    ----------
    branches : sequence of Branch
    places_mm : ndarray (points, 3)
        Those of the skeleton first, then those of bridges across gaps; the radius runs straight across a gap.
    skeleton : Skeleton
    """
    found = []
    for branch in branches:
        line = smooth_line(places_mm[branch.path], skeleton.step_mm)
        radius = radius_along(line, skeleton)
        in_gap = np.flatnonzero(branch.path >= len(skeleton.places_mm))
        if len(in_gap):
            radius = _across_gaps(line, radius, places_mm[branch.path[in_gap]])
        found.append(Line(branch, line, radius))
    return tuple(found)


def _across_gaps(line_mm: np.ndarray, radius_mm: np.ndarray, gap_mm: np.ndarray) -> np.ndarray:
    """Interpolate radii within one radius of the points of gaps, where the wall is that of two tips."""
    away = cKDTree(gap_mm).query(line_mm)[0]
    sure = away > np.median(radius_mm)
    if not sure.any():
        return np.full(len(radius_mm), np.median(radius_mm))
    number = np.arange(len(radius_mm))
    return np.interp(number, number[sure], radius_mm[sure])


def root_of(lines: Sequence[Line], places_lps_mm: np.ndarray, root_lps_mm: Sequence[float] | None) -> Root:
    """Return the free end nearest to a position, or else the thickest.

    Parameters
    ----------
    lines : sequence of Line
    places_lps_mm : ndarray (points, 3)
        Points of the skeleton (x, y, z) [mm].
    root_lps_mm : sequence of 3 floats or None

    Raises
    ------
    TerritoryError
        If the position is more than 20 mm from every point of the tree.
    """
    nodes = [node for line in lines for node in line.branch.ends]
    ends = sorted(node for node in set(nodes) if nodes.count(node) == 1)
    if root_lps_mm is not None:
        wanted = np.asarray(root_lps_mm, dtype=float)
        points = places_lps_mm[np.concatenate([line.branch.path for line in lines])]
        away = float(np.linalg.norm(points - wanted, axis=1).min())
        if not away <= ROOT_REACH_MM:
            raise TerritoryError(
                f"The root at {_position(wanted)} is {away:.0f} mm from the nearest vessel, more than "
                f"{ROOT_REACH_MM:g} mm: give the position (x, y, z) in LPS of the end where the blood comes in."
            )
        nearest = ends[int(np.argmin(np.linalg.norm(places_lps_mm[ends] - wanted, axis=1)))]
        return Root(nearest, f"root at the end nearest to {_position(wanted)}")
    radius = {end: _end_radius(lines, end) for end in ends}
    first, *others = sorted(ends, key=lambda end: (-radius[end], end))
    rival = others[0] if others and radius[others[0]] > (1.0 - _CLOSE_CALL) * radius[first] else None
    return Root(first, f"root guessed: the thickest end, radius {radius[first]:.1f} mm", rival)


def arteries_of(lines: Sequence[Line], root: Root, grid: Grid) -> tuple[Artery, ...]:
    """Return every branch as an artery of its own, away from the root.

    An artery starts at the end of its parent. The first is "branch 1"; those that leave "branch 1" are
    "branch 1.1", "branch 1.2" and so on, the thicker first, of equally thick ones the longer.
    """
    arteries: list[Artery] = []
    left = list(lines)
    waiting: list[tuple[int, str, str | None]] = [(root.node, "branch 1", None)]
    while waiting:
        node, name, parent = waiting.pop(0)
        leaving = [line.from_node(node) for line in left if node in line.branch.ends]
        left = [line for line in left if node not in line.branch.ends]
        leaving.sort(key=lambda line: (-np.median(line.radius_mm), -len(line.line_mm), tuple(line.line_mm[-1])))
        for number, line in enumerate(leaving, start=1):
            own = name if parent is None else f"{name}.{number}"
            points = grid.to_lps(line.line_mm / np.array(grid.spacing_mm))
            arteries.append(Artery(own, parent, points, line.radius_mm))
            waiting.append((line.branch.ends[1], own, own))
    return tuple(arteries)


def _end_radius(lines: Sequence[Line], end: int) -> float:
    """Return the radius of the vessel that ends somewhere, over its last centimetre at most [mm]."""
    line = next(line for line in lines if end in line.branch.ends).from_node(end)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line.line_mm, axis=0), axis=1))])
    return float(np.median(line.radius_mm[along <= 10.0]))


def _position(lps_mm: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:.1f}" for value in lps_mm) + ") mm"
