"""A tree while it grows: points, the point each comes from, and the flow between them."""

from __future__ import annotations

import numpy as np

from radioembolization.territories.growth.bifurcation import fermat_points
from radioembolization.territories.growth.room import Room


class Branches:
    """Straight pieces of vessel; piece ``n`` runs from point ``parent[n]`` to point ``n``, piece 0 has no length.

    Attributes
    ----------
    points_mm : ndarray (pieces, 3)
        Ends of the pieces (x, y, z) in LPS [mm].
    parent : ndarray (pieces,)
    flow : ndarray (pieces,)
    owner : ndarray (pieces,)
        The room of the piece, a number given by the caller.
    """

    def __init__(self, root_lps_mm: np.ndarray, owner: int = 0, capacity: int = 256) -> None:
        self._size = 1
        self._points = np.zeros((capacity, 3))
        self._parent = np.zeros(capacity, dtype=int)
        self._flow = np.zeros(capacity)
        self._owner = np.zeros(capacity, dtype=int)
        self._points[0], self._owner[0] = root_lps_mm, owner

    def __len__(self) -> int:
        return self._size

    @property
    def points_mm(self) -> np.ndarray:
        return self._points[: self._size]

    @property
    def parent(self) -> np.ndarray:
        return self._parent[: self._size]

    @property
    def flow(self) -> np.ndarray:
        return self._flow[: self._size]

    @property
    def owner(self) -> np.ndarray:
        return self._owner[: self._size]

    @property
    def length_mm(self) -> np.ndarray:
        """Length of every piece (pieces,) [mm]."""
        return np.asarray(np.linalg.norm(self.points_mm - self.points_mm[self.parent], axis=1))

    def children(self) -> list[list[int]]:
        """Return the pieces that follow each piece."""
        found: list[list[int]] = [[] for _ in range(len(self))]
        for piece in range(1, len(self)):
            found[self.parent[piece]].append(piece)
        return found

    def volume(self, power: float) -> float:
        """Return the sum of flow^power times length [mm]; times pi and the square of the unit radius, a volume."""
        return float((self.flow**power * self.length_mm).sum())

    def widening(self, power: float, flow: float = 1.0) -> np.ndarray:
        """Return by how much the volume upstream of each piece grows when it carries more flow (pieces,)."""
        own = self.length_mm * ((self.flow + flow) ** power - self.flow**power)
        own[0] = 0.0
        total, above = own[self.parent], self.parent.copy()
        total[0] = 0.0
        while above.any():  # each round doubles how far up the sum reaches
            total, above = total + total[above], above[above]
        return np.asarray(total)

    def add(self, way_mm: np.ndarray, parent: int, owner: int, flow: float = 1.0) -> int:
        """Add pieces along a way (points, 3) that starts at point ``parent``; return the last one."""
        for point in way_mm[1:]:
            parent = self._append(point, parent, owner, 0.0)
        self.carry(parent, flow)
        return parent

    def split(self, piece: int, point_mm: np.ndarray) -> int:
        """Put a point into a piece; return it. What follows hangs on it."""
        middle = self._append(point_mm, int(self.parent[piece]), int(self.owner[piece]), float(self.flow[piece]))
        self._parent[piece] = middle
        return middle

    def carry(self, piece: int, flow: float) -> None:
        """Let a piece and all upstream carry more flow."""
        while piece:
            self._flow[piece] += flow
            piece = int(self._parent[piece])

    def set_flows(self, ends: dict[int, float]) -> None:
        """Set all flows from those of the ends."""
        self._flow[: self._size] = 0.0
        for piece, flow in ends.items():
            self.carry(piece, flow)

    def relax(self, room: Room, owner: int, power: float, least_mm: float, sweeps: int = 2) -> None:
        """Move the bifurcations of a room to where they cost the least vessel volume, while pieces stay inside."""
        follow = self.children()
        forks = [n for n in range(1, len(self)) if len(follow[n]) == 2 and self.owner[n] == owner]
        for fork in forks * sweeps:
            corners = self.points_mm[[self.parent[fork], *follow[fork]]]
            weights = self.flow[[fork, *follow[fork]]] ** power
            point = fermat_points(corners[None], weights[None], steps=20)[0]
            away = np.linalg.norm(corners - point, axis=1)
            before = np.linalg.norm(corners - self.points_mm[fork], axis=1)
            better = away.min() >= least_mm and weights @ away < weights @ before
            if better and room.sees(np.broadcast_to(point, (3, 3)), corners).all():
                self._points[fork] = point

    def _append(self, point_mm: np.ndarray, parent: int, owner: int, flow: float) -> int:
        if self._size == len(self._points):
            for name in ("_points", "_parent", "_flow", "_owner"):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros_like(array)]))
        at = self._size
        self._points[at], self._parent[at], self._flow[at], self._owner[at] = point_mm, parent, flow, owner
        self._size += 1
        return at
