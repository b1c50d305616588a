"""The mask of the phantom's own arteries gives back the tree that they were painted from."""

from __future__ import annotations

import numpy as np
import pytest

from painted_arteries import STRAIGHT, Painted, errors_of
from vessel_masks import distance_to, turned


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
