"""A room filled with branches: volumes against plain ways of joining, flows and places of the ends."""

from __future__ import annotations

import numpy as np
import pytest

from radioembolization.errors import TerritoryError
from radioembolization.images import Grid
from radioembolization.territories.growth.bifurcation import Joins
from radioembolization.territories.growth.filling import cheapest_first, distances_to_pieces, fill_room
from radioembolization.territories.growth.growing_branches import Branches
from radioembolization.territories.growth.room import Room
from support import ellipsoid

GRID = Grid((30, 30, 30), (3.0, 3.0, 3.0), (-43.5, -43.5, -43.5))
BALL = Room(ellipsoid(GRID, (0, 0, 0), 42.0), GRID)
TIP = np.array([0.0, 0.0, -40.5])
ENDS = 40


def filled(seed: int, forks: int = 1) -> tuple[Branches, list[int]]:
    branches = Branches(TIP)
    return branches, fill_room(branches, 0, BALL, 1, ENDS, np.random.default_rng(seed), forks_at_tip=forks)


def plain(ends: np.ndarray, rng: np.random.Generator | None) -> float:
    """Volume of the tree of the same ends, each joined at the nearest point of what has grown, or at random."""
    branches = Branches(TIP)
    branches.add(np.stack([TIP, ends[0]]), 0, 1)
    for end in ends[1:]:
        pieces = np.arange(1, len(branches))
        starts, stops = branches.points_mm[branches.parent[pieces]], branches.points_mm[pieces]
        away, share = distances_to_pieces(end[None], starts, stops)
        at = int(np.argmin(away)) if rng is None else int(rng.integers(len(pieces)))
        along = float(np.clip(share[0, at], 0.05, 0.95)) if rng is None else float(rng.uniform(0.05, 0.95))
        fork = branches.split(int(pieces[at]), starts[at] + along * (stops[at] - starts[at]))
        branches.add(np.stack([branches.points_mm[fork], end]), fork, 1)
    return branches.volume(2.0 / 3.0)


def test_less_volume_than_random_and_plain_greedy_joins() -> None:
    """Ratios over three seeds: greedy and random joins of the same ends in the same order."""
    ratios = []
    for seed in range(3):
        branches, grown = filled(seed)
        ends = branches.points_mm[grown]
        own = branches.volume(2.0 / 3.0)
        ratios.append((own / plain(ends, None), own / plain(ends, np.random.default_rng(seed))))
    greedy, at_random = np.mean(ratios, axis=0)
    assert max(ratio[0] for ratio in ratios) < 1.0
    assert greedy < 0.88 and at_random < 0.65, (greedy, at_random)


def test_the_cost_of_a_join_is_the_growth_of_the_whole_tree() -> None:
    """What the tree really gained is what the cheapest join said it would, upstream widening included."""
    branches = Branches(TIP)
    volumes, least, first_was_taken = [], [], 0

    def watched(joins: Joins) -> np.ndarray:
        volumes.append(branches.volume(2.0 / 3.0))
        least.append(joins.cost)
        return cheapest_first(joins)

    fill_room(branches, 0, BALL, 1, ENDS, np.random.default_rng(1), order=watched)
    for gained, cost in zip(np.diff(volumes), least, strict=False):
        assert np.min(np.abs(cost - gained)) < 1e-9 * volumes[-1]
        first_was_taken += gained < cost.min() + 1e-9 * volumes[-1]
    assert first_was_taken >= ENDS - 4  # in a ball nearly every line stays inside
    assert branches.volume(2.0 / 3.0) < volumes[-1] + least[-1].min() + 1e-9  # relaxing only lessens it


def test_flow_adds_up_and_every_end_carries_one() -> None:
    branches, grown = filled(2)
    follow = branches.children()
    assert len(grown) == ENDS == sum(not pieces for pieces in follow)
    assert branches.flow[grown] == pytest.approx(1.0)
    for piece in range(1, len(branches)):
        if follow[piece]:
            assert branches.flow[piece] == pytest.approx(branches.flow[follow[piece]].sum())
            assert len(follow[piece]) in (1, 2)
    assert len(follow[0]) == 1 and branches.flow[follow[0][0]] == pytest.approx(ENDS)


def test_ends_keep_apart_and_lines_inside() -> None:
    branches, grown = filled(3)
    ends = branches.points_mm[grown]
    away = np.linalg.norm(ends[:, None] - ends, axis=2) + 1e9 * np.eye(ENDS)
    size_mm = np.cbrt(1000.0 * BALL.volume_ml / ENDS)  # 20 mm
    assert away.min() > 0.2 * size_mm
    # They fill the ball: mean distance of tissue from the nearest end as of a good packing, not of a clump.
    reach = np.linalg.norm(BALL.places_lps_mm[:, None] - ends, axis=2).min(axis=1)
    assert reach.mean() < 0.75 * size_mm
    assert BALL.sees(branches.points_mm[branches.parent[1:]], branches.points_mm[1:]).all()


def test_as_many_branches_leave_the_tip_as_asked() -> None:
    branches, _ = filled(4, forks=3)
    assert len(branches.children()[0]) == 3


def test_more_branches_than_the_first_memory() -> None:
    branches = Branches(TIP, capacity=4)
    fill_room(branches, 0, BALL, 1, 12, np.random.default_rng(0))
    again = Branches(TIP)
    fill_room(again, 0, BALL, 1, 12, np.random.default_rng(0))
    assert len(branches) > 4 and np.array_equal(branches.points_mm, again.points_mm)


def test_a_room_without_space_is_an_error() -> None:
    speck = Room.around(ellipsoid(GRID, (0, 0, 0), 4.5), GRID)
    with pytest.raises(TerritoryError, match="fewer terminals"):
        fill_room(Branches(speck.places_lps_mm[0]), 0, speck, 1, 200, np.random.default_rng(0))
