"""One artery: a named centreline with radii in the direction of flow, and where others leave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radioembolization.errors import ArterialTreeError


@dataclass(frozen=True, eq=False)
class Artery:
    """One named artery.

    Parameters
    ----------
    name : str
    parent : str or None
        The artery that it leaves, at the place nearest to its own first point; None for the root.
    points_lps_mm : ndarray (points, 3)
        Centreline in the direction of flow, (x, y, z) in LPS [mm].
    radius_mm : ndarray (points,)

    Raises
    ------
    ArterialTreeError
        If points and radii do not fit, are no numbers, a radius is not positive, or the length is zero.
    """

    name: str
    parent: str | None
    points_lps_mm: np.ndarray
    radius_mm: np.ndarray

    def __post_init__(self) -> None:
        points, radius = checked_centreline(f"Artery '{self.name}'", self.points_lps_mm, self.radius_mm)
        for name, array in (("points_lps_mm", points), ("radius_mm", radius)):
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @cached_property
    def along_mm(self) -> np.ndarray:
        """Distance of every point from the first one along the centreline (points,) [mm]."""
        return distances_along_mm(self.points_lps_mm)

    @property
    def length_mm(self) -> float:
        """Length of the centreline [mm]."""
        return float(self.along_mm[-1])

    @property
    def tip_lps_mm(self) -> np.ndarray:
        """End of the centreline (x, y, z) [mm]."""
        return self.points_lps_mm[-1]

    def point_along(self, share: float) -> tuple[float, float, float]:
        """Return the position at a share of the length, between 0 and 1 [mm]."""
        x, y, z = (float(np.interp(share * self.length_mm, self.along_mm, axis)) for axis in self.points_lps_mm.T)
        return x, y, z

    def radius_at(self, along_mm: float) -> float:
        """Return the radius at a distance from the first point, linear between its neighbours [mm]."""
        return float(np.interp(along_mm, self.along_mm, self.radius_mm))

    def nearest_index(self, position_lps_mm: Sequence[float] | np.ndarray) -> tuple[int, float]:
        """Return the point nearest to a position, and its distance [mm]."""
        away = np.linalg.norm(self.points_lps_mm - np.asarray(position_lps_mm, dtype=float), axis=1)
        index = int(np.argmin(away))
        return index, float(away[index])

    def nearest_along(self, position_lps_mm: Sequence[float] | np.ndarray) -> tuple[float, float]:
        """Return where the centreline comes nearest to a position, between its points too.

        Returns
        -------
        along_mm : float
            From the first point of the artery along the centreline [mm].
        distance_mm : float
            From the position [mm].
        """
        position, points = np.asarray(position_lps_mm, dtype=float), self.points_lps_mm
        step = np.diff(points, axis=0)
        square = np.maximum((step**2).sum(axis=1), np.finfo(float).tiny)
        share = np.clip(((position - points[:-1]) * step).sum(axis=1) / square, 0.0, 1.0)
        away = np.linalg.norm(points[:-1] + share[:, None] * step - position, axis=1)
        first = int(np.argmin(away))
        return float(self.along_mm[first] + share[first] * np.sqrt(square[first])), float(away[first])

    def with_point(self, along_mm: float) -> Artery:
        """Return the artery with one point more on its centreline, at a distance from the first point [mm]."""
        at, place = int(np.searchsorted(self.along_mm, along_mm)), self.point_along(along_mm / self.length_mm)
        points = np.insert(self.points_lps_mm, at, place, axis=0)
        return Artery(self.name, self.parent, points, np.insert(self.radius_mm, at, self.radius_at(along_mm)))


def distances_along_mm(points_lps_mm: np.ndarray) -> np.ndarray:
    """Return the distance of every point (points, 3) from the first one along the line (points,) [mm]."""
    steps = np.linalg.norm(np.diff(points_lps_mm, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def checked_centreline(
    what: str, points_lps_mm: np.ndarray | Sequence[Sequence[float]], radius_mm: np.ndarray | Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (points, 3) and radii (points,) of a centreline as numbers [mm].

    Raises
    ------
    ArterialTreeError
        If points and radii do not fit, are no numbers, a radius is not positive, or the length is zero.
    """
    points, radius = np.asarray(points_lps_mm, dtype=float), np.asarray(radius_mm, dtype=float)
    if points.ndim != 2 or points.shape[1] != 3 or radius.shape != points.shape[:1]:
        raise ArterialTreeError(
            f"{what} has points of shape {points.shape} and radii of shape {radius.shape}: give points (x, y, z) and "
            "one radius for each."
        )
    if not np.isfinite(points).all():
        bad = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise ArterialTreeError(f"{what}: point {bad} is no number: repair its centreline.")
    if not (np.isfinite(radius).all() and (radius > 0).all()):
        bad = int(np.flatnonzero(~(np.isfinite(radius) & (radius > 0)))[0])
        raise ArterialTreeError(f"{what}: the radius at point {bad} is {radius[bad]:g} mm: give positive radii.")
    if len(points) < 2 or not np.ptp(points, axis=0).any():
        raise ArterialTreeError(
            f"{what} has no length ({len(points)} points at one place): remove it, or give its centreline at least two "
            "different points."
        )
    return points, radius


def with_branch_points(artery: Artery, leaving: Sequence[Artery]) -> Artery:
    """Return an artery with a point wherever another leaves it, unless it has one within a radius.

    Others leave one radius beyond its origin or farther.

    Parameters
    ----------
    artery : Artery
    leaving : sequence of Artery

    Raises
    ------
    ArterialTreeError
        If one that leaves ends at this artery and does not begin there: its points run against the flow.
    """
    for child in leaving:
        along_mm, away_mm = artery.nearest_along(child.points_lps_mm[0])
        radius_mm = artery.radius_at(along_mm)
        _check_beginning(child, artery, away_mm, radius_mm)
        along_mm = max(along_mm, min(radius_mm, 0.5 * artery.length_mm))
        if np.abs(artery.along_mm[1:] - along_mm).min() > radius_mm:
            artery = artery.with_point(along_mm)
    return artery


def _check_beginning(child: Artery, parent: Artery, away_mm: float, radius_mm: float) -> None:
    tip_along_mm, tip_mm = parent.nearest_along(child.tip_lps_mm)
    touches = tip_mm <= parent.radius_at(tip_along_mm) + float(child.radius_mm[-1])
    if touches and away_mm > radius_mm + float(child.radius_mm[0]):
        raise ArterialTreeError(
            f"Artery '{child.name}' begins {away_mm:.1f} mm from '{parent.name}', which it leaves, and ends "
            f"{tip_mm:.1f} mm from it: its points run against the flow; reverse them."
        )
