"""The mask of the phantom's own arteries gives back the tree that they were painted from."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from radioembolization.errors import VesselLoopsBroken
from radioembolization.phantom import synthetic_patient
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.skeleton import tree_from_mask
from vessel_masks import Line, distance_to, grid_around, painted, turned

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


@pytest.mark.parametrize(
    ("seed", "spacing", "direction"),
    [
        pytest.param(1, (0.5, 0.5, 0.5), STRAIGHT, marks=pytest.mark.exhaustive),
        (1, (1.0, 0.7, 0.7), turned(2)),
        pytest.param(2, (0.5, 0.5, 0.5), turned(1), marks=pytest.mark.exhaustive),
        pytest.param(5, (0.6, 0.6, 0.6), STRAIGHT, marks=pytest.mark.exhaustive),
        pytest.param(3, (1.0, 0.7, 0.7), STRAIGHT, marks=pytest.mark.exhaustive),
    ],
)
def test_the_generating_tree_is_recovered(seed: int, spacing: tuple, direction: tuple) -> None:
    case = Painted(seed, spacing, direction)
    branches, ends = case.branches()
    assert branches > 3
    assert (len(case.tree.arteries), len(case.tree.terminal_stretches)) == (branches, ends)
    away, radius_error = errors_of(case.tree, case)
    assert away.mean() < 0.5 and np.quantile(away, 0.95) < 1.0
    # near a branching the nearest true line may be the mother's, so the very largest errors say nothing
    assert radius_error.mean() < 0.05 and np.quantile(radius_error, 0.95) < 0.2
    for artery in case.tree.arteries:
        _, true_radius = distance_to(list(case.lines.values()), artery.points_lps_mm)
        assert np.median(artery.radius_mm) == pytest.approx(np.median(true_radius), rel=0.2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("spacing", [0.5, 0.6, 0.7, 0.8])
@pytest.mark.parametrize("seed", range(1, 13))
def test_every_patient_keeps_its_ends(seed: int, spacing: float) -> None:
    case = Painted(seed, (spacing,) * 3, STRAIGHT)
    branches, ends = case.branches()
    # where two of three daughters share their lumen at first, that lumen is one more branch; a stub at the limit
    # of 3 mm may count or not, and one end more divides another branch in two
    assert abs(len(case.tree.terminal_stretches) - ends) <= 1
    assert branches - 2 <= len(case.tree.arteries) <= branches + 3
    away, radius_error = errors_of(case.tree, case)
    assert away.mean() < 0.5 and np.quantile(away, 0.95) < 1.0
    assert radius_error.mean() < 0.05 and np.quantile(radius_error, 0.95) < 0.2
