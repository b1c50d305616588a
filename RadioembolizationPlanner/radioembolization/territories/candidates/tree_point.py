"""The point of an arterial tree that is nearest to a position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.errors import TerritoryError
from radioembolization.territories.arteries import ArterialTree, Artery

#: A place this near to a point of the centreline is that point [mm].
_ON_POINT_MM = 1e-9


@dataclass(frozen=True)
class UserPoint:
    """A place that the user chose for a catheter.

    Parameters
    ----------
    name : str
    position_lps_mm : tuple of float
        (x, y, z) [mm]; need not lie on an artery exactly.
    """

    name: str
    position_lps_mm: tuple[float, float, float]

    def __post_init__(self) -> None:
        position = np.asarray(self.position_lps_mm, dtype=float)
        if not self.name.strip():
            raise TerritoryError("A site needs a name.")
        if position.shape != (3,) or not np.isfinite(position).all():
            raise TerritoryError(f"Site '{self.name}' needs a position of three numbers, not {self.position_lps_mm}.")


@dataclass(frozen=True)
class TreePoint:
    """A point on the centreline of an artery.

    Parameters
    ----------
    artery : str
    index : int
        Point of the artery there or next beyond.
    position_lps_mm : tuple of float
        (x, y, z) [mm].
    along_mm : float
        From the first point of the artery along the centreline [mm].
    radius_mm : float
        Between those of its neighbours [mm].
    distance_mm : float
        From the position asked for [mm].
    """

    artery: str
    index: int
    position_lps_mm: tuple[float, float, float]
    along_mm: float
    radius_mm: float
    distance_mm: float


def nearest_point(tree: ArterialTree, position_lps_mm: tuple[float, float, float] | np.ndarray) -> TreePoint:
    """Return the point on the centrelines of a tree that is nearest to a position (x, y, z) [mm].

    Of points equally near, as where an artery leaves another, the one upstream counts.
    """
    position = np.asarray(position_lps_mm, dtype=float)
    return min(
        (_on_artery(artery, position) for artery in tree.arteries), key=lambda found: round(found.distance_mm, 6)
    )


def _on_artery(artery: Artery, position: np.ndarray) -> TreePoint:
    along_mm, distance_mm = artery.nearest_along(position)
    return TreePoint(
        artery=artery.name,
        index=int(np.searchsorted(artery.along_mm, along_mm - _ON_POINT_MM)),
        position_lps_mm=artery.point_along(along_mm / artery.length_mm),
        along_mm=along_mm,
        radius_mm=artery.radius_at(along_mm),
        distance_mm=distance_mm,
    )
