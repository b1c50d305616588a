"""Fills a room with branches, one end after another: constrained constructive optimization."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from radioembolization.errors import TerritoryError
from radioembolization.territories.growth.bifurcation import Joins, best_joins
from radioembolization.territories.growth.growing_branches import Branches
from radioembolization.territories.growth.room import Room

#: New ends keep this share of the size of the room per end from what has grown, less by a tenth whenever
#: none of a number of drawn places does, down to the least share.
_APART, _LESS, _DRAWN, _LEAST_APART = 0.7, 0.9, 40, 0.1
#: Bifurcations keep this share of the size per end from other points.
_FORK_APART = 0.1
_ATTEMPTS, _TRIED_AT_ONCE, _TRIED, _DETOURS = 30, 12, 48, 3

#: Returns the order in which joins are tried, the best first.
Order = Callable[[Joins], np.ndarray]


def cheapest_first(joins: Joins) -> np.ndarray:
    """Return joins in the order of the vessel volume that they add."""
    return np.argsort(joins.cost, kind="stable")


def fill_room(
    branches: Branches,
    tip: int,
    room: Room,
    owner: int,
    ends: int,
    rng: np.random.Generator,
    power: float = 2.0 / 3.0,
    forks_at_tip: int = 1,
    order: Order = cheapest_first,
) -> list[int]:
    """Grow branches with a number of ends from a tip inside a room; return the pieces that end there.

    Ends are drawn inside the room away from what has grown (Schreiner and Buxbaum 1993,
    10.1109/10.243413).  Each is tried on every branch of the room at the bifurcation that adds the least
    vessel volume (Karch et al. 1999, 10.1016/S0010-4825(98)00045-6), and joins where the whole tree gains
    least and all lines stay inside.  Where no straight line does, the branch takes a way around.

    Parameters
    ----------
    branches : Branches
        Is changed.
    tip : int
        The point to start from, inside the room.
    room : Room
    owner : int
        The number that the new pieces get.
    ends : int
    rng : numpy.random.Generator
    power : float
        Of flow in the cross-section: 2 over Murray's exponent.
    forks_at_tip : int
        How many branches leave the tip itself.
    order : callable
        Which joins are tried first.

    Raises
    ------
    TerritoryError
        If an end finds no place or no way.
    """
    size_mm = float(np.cbrt(1000.0 * room.volume_ml / ends))
    grown: list[int] = []
    for number in range(ends):
        for _ in range(_ATTEMPTS):
            end = _drawn_end(branches, tip, room, owner, size_mm * np.cbrt(ends / (number + 1)), size_mm, rng)
            piece = None
            if end is not None and number < forks_at_tip:
                piece = _along(branches, tip, room.way(branches.points_mm[tip], end), owner)
            elif end is not None:
                piece = _joined(branches, end, room, owner, power, _FORK_APART * size_mm, order)
            if piece is not None:
                grown.append(piece)
                break
        else:
            raise TerritoryError(
                f"Only {number} of {ends} ends found a place in {room.volume_ml:.1f} mL of liver: ask for fewer "
                "terminals."
            )
    relax_room(branches, room, owner, ends, power)
    return grown


def relax_room(branches: Branches, room: Room, owner: int, ends: int, power: float) -> None:
    """Move all bifurcations of a room with some ends to where they cost the least vessel volume."""
    branches.relax(room, owner, power, _FORK_APART * float(np.cbrt(1000.0 * room.volume_ml / ends)))


def _drawn_end(
    branches: Branches, tip: int, room: Room, owner: int, apart_mm: float, size_mm: float, rng: np.random.Generator
) -> np.ndarray | None:
    """Return a voxel of the room that keeps a distance from all that has grown there; None if none does."""
    own = np.flatnonzero(branches.owner == owner)
    starts = branches.points_mm[np.append(branches.parent[own], tip)]
    stops = branches.points_mm[np.append(own, tip)]
    least_mm = _APART * apart_mm
    while least_mm > _LEAST_APART * size_mm:
        drawn = room.places_lps_mm[rng.integers(0, len(room.places_lps_mm), _DRAWN)]
        away, _ = distances_to_pieces(drawn, starts, stops)
        free = np.flatnonzero(away.min(axis=1) >= least_mm)
        if len(free):
            return np.asarray(drawn[free[0]])
        least_mm *= _LESS
    return None


def distances_to_pieces(
    points_mm: np.ndarray, starts_mm: np.ndarray, ends_mm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of points from straight pieces (points, pieces) [mm], and how far along, 0 to 1."""
    along = ends_mm - starts_mm
    square = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(np.einsum("npx,px->np", points_mm[:, None] - starts_mm, along) / square, 0.0, 1.0)
    foot = starts_mm + share[..., None] * along
    return np.linalg.norm(points_mm[:, None] - foot, axis=2), share


def _joined(
    branches: Branches, end: np.ndarray, room: Room, owner: int, power: float, least_mm: float, order: Order
) -> int | None:
    """Join an end to the branches of the room and return its piece; None if there is no way."""
    own = np.flatnonzero(branches.owner == owner)
    starts, stops = branches.points_mm[branches.parent[own]], branches.points_mm[own]
    joins = best_joins(starts, stops, branches.flow[own], end, power, least_mm)
    joins = Joins(joins.points_lps_mm, joins.cost + branches.widening(power)[own])
    ranked = order(joins)
    ranked = ranked[np.isfinite(joins.cost[ranked])][:_TRIED]
    for first in range(0, len(ranked), _TRIED_AT_ONCE):
        tried = ranked[first : first + _TRIED_AT_ONCE]
        point = joins.points_lps_mm[tried]
        corners = np.concatenate([starts[tried], stops[tried], np.broadcast_to(end, point.shape)])
        inside = room.sees(np.tile(point, (3, 1)), corners).reshape(3, -1).all(axis=0)
        if inside.any():
            best = int(np.argmax(inside))
            fork = branches.split(int(own[tried[best]]), point[best])
            return branches.add(np.stack([point[best], end]), fork, owner)
    return _around(branches, end, room, owner, own, least_mm)


def _around(
    branches: Branches, end: np.ndarray, room: Room, owner: int, own: np.ndarray, least_mm: float
) -> int | None:
    """Join an end by a way around to one of the nearest branches; None if there is no way."""
    starts, stops = branches.points_mm[branches.parent[own]], branches.points_mm[own]
    away, share = distances_to_pieces(end[None], starts, stops)
    length = np.linalg.norm(stops - starts, axis=1)
    long = length > 2.0 * least_mm
    for at in np.argsort(np.where(long, away[0], np.inf))[: min(_DETOURS, int(long.sum()))]:
        kept = float(np.clip(share[0, at], least_mm / length[at], 1.0 - least_mm / length[at]))
        point = starts[at] + kept * (stops[at] - starts[at])
        way = room.way(point, end)
        if way is not None and np.linalg.norm(np.diff(way, axis=0), axis=1).sum() > least_mm:
            return _along(branches, branches.split(int(own[at]), point), way, owner)
    return None


def _along(branches: Branches, parent: int, way_mm: np.ndarray | None, owner: int) -> int | None:
    return None if way_mm is None else branches.add(way_mm, parent, owner)
