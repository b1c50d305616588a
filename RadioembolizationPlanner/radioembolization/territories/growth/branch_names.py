"""From grown pieces to named arteries with centrelines and radii."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radioembolization.territories.arteries import Artery
from radioembolization.territories.growth.growing_branches import Branches

#: Points of a centreline: at least so many for a straight piece, and at most so far apart [mm].
_POINTS, _STEP_MM = 8, 2.0
#: Radius [mm] of flows (pieces,).
RadiusOfFlow = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Namer:
    """Names the pieces of a tree and gives them radii.

    Parameters
    ----------
    branches : Branches
    radius_mm : callable
        Radius of flows [mm].
    """

    branches: Branches
    radius_mm: RadiusOfFlow

    def trunk(self, name: str, parent: str | None, origin: int, end: int) -> Artery:
        """Return the artery from one point to another."""
        return self._artery(name, parent, self.path(origin, end))

    def subtree(self, name: str, parent: str | None, pieces: list[int]) -> list[Artery]:
        """Return the artery that starts with some pieces and goes on with the larger flow, and all that leave it.

        Side branches are numbered from the origin on: ``name 1``, and theirs ``name 1.1``.
        """
        pieces, leaving, follow = list(pieces), [], self.branches.children()
        while follow[pieces[-1]]:
            onward = sorted(follow[pieces[-1]], key=lambda piece: -self.branches.flow[piece])
            leaving += onward[1:]
            pieces.append(onward[0])
        found = [self._artery(name, parent, pieces)]
        stem = f"{name}." if name[-1].isdigit() else f"{name} "
        for number, piece in enumerate(leaving, start=1):
            found += self.subtree(f"{stem}{number}", name, [piece])
        return found

    def path(self, origin: int, end: int) -> list[int]:
        """Return the pieces from one point to another."""
        pieces = []
        while end != origin:
            pieces.append(end)
            end = int(self.branches.parent[end])
        return pieces[::-1]

    def _artery(self, name: str, parent: str | None, pieces: list[int]) -> Artery:
        """Return an artery; a point where others leave has the radius before it."""
        points = [self.branches.points_mm[self.branches.parent[pieces[0]]][None]]
        radii = [self.radius_mm(self.branches.flow[pieces[:1]])]
        for piece, radius in zip(pieces, self.radius_mm(self.branches.flow[pieces]), strict=True):
            start, end = points[-1][-1], self.branches.points_mm[piece]
            count = max(_POINTS, int(np.ceil(np.linalg.norm(end - start) / _STEP_MM)))
            share = np.linspace(0.0, 1.0, count + 1)[1:, None]
            points.append(start + share * (end - start))
            points[-1][-1] = end
            radii.append(np.full(count, radius))
        return Artery(name, parent, np.concatenate(points), np.concatenate(radii))
