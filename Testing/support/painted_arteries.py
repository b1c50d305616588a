"""Arteries of synthetic patients painted into a mask, the tree that is found in it, and how far it is off."""

from __future__ import annotations

import warnings

import numpy as np

from radioembolization.errors import VesselLoopsBroken
from radioembolization.phantom import synthetic_patient
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.skeleton import tree_from_mask
from vessel_masks import Line, distance_to, grid_around, painted

STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
#: Shorter branches are taken for noise, the default of ``tree_from_mask`` [mm].
SMALLEST_MM = 3.0


class Painted:
    """The arteries of a patient as far as they are at least 1.5 voxels thick, painted, and the tree found."""

    def __init__(self, seed: int, spacing: tuple[float, float, float], direction: tuple[float, ...]) -> None:
        self.voxel_mm = max(spacing)
        self.parents: dict[str, str | None] = {}
        self.lines: dict[str, Line] = {}
        for artery in synthetic_patient(seed, spacing_mm=8.0).arteries:
            thick = int(np.cumprod(artery.radius_mm >= 1.5 * self.voxel_mm).sum())
            if thick > 1 and (artery.parent is None or artery.parent in self.lines):
                self.parents[artery.name] = artery.parent
                self.lines[artery.name] = artery.points_lps_mm[:thick], artery.radius_mm[:thick]
        vessels = list(self.lines.values())
        grid = grid_around(vessels, spacing, direction)
        root = next(name for name, parent in self.parents.items() if parent is None)
        with warnings.catch_warnings():
            warnings.simplefilter("error", VesselLoopsBroken)
            self.tree = tree_from_mask(painted(vessels, grid), grid, root_lps_mm=self.lines[root][0][0])

    def branches(self) -> tuple[int, int]:
        """Return how many branches there are between branchings, and how many of them end freely."""
        alive = dict(self.parents)
        stubs = [name for name in reversed(list(alive)) if self._is_stub(name)]
        for name in stubs:
            if name not in alive.values():
                del alive[name]
        feeding = list(alive.values())
        passed_through = sum(feeding.count(name) == 1 for name in alive)
        return len(alive) - passed_through, sum(name not in feeding for name in alive)

    def _is_stub(self, name: str) -> bool:
        parent = self.parents[name]
        points, _ = self.lines[name]
        length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
        return parent is not None and bool(length - self.lines[parent][1][-1] < SMALLEST_MM)


def errors_of(tree: ArterialTree, case: Painted) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of the centrelines from the true ones [voxels], and the relative error of the radii."""
    away, true_radius = distance_to(
        list(case.lines.values()), np.concatenate([artery.points_lps_mm for artery in tree.arteries])
    )
    radius = np.concatenate([artery.radius_mm for artery in tree.arteries])
    return away / case.voxel_mm, np.abs(radius / true_radius - 1.0)
