"""Shortest ways: exact straight ones, closed fissures, and ways round corners against hand-computed lengths."""

import numpy as np
import pytest
from scipy.sparse import csgraph

from radioembolization.images import Grid
from radioembolization.territories.branches.geodesic import (
    Source,
    Space,
    longest_detour,
    nearest_source,
    step_graph,
    straight_inside,
)
from support import as_direction, rotation


def space_of(mask, spacing_mm=(1.0, 1.0, 1.0)):
    return Space.around(mask, Grid(mask.shape, spacing_mm))


def source_at(*index):
    """Return a source at an index of the mask, which lies two voxels from the corner of its box."""
    return Source(np.array([index], dtype=float) + 2.0)


def boxed(space, values):
    box = np.full(space.inside.shape, np.nan)
    box[space.inside] = values
    return box[2:-2, 2:-2, 2:-2]


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (3.0, 1.2, 0.8)])
def test_in_a_box_ways_are_straight_and_exact(spacing_mm):
    space = space_of(np.ones((9, 14, 17), dtype=bool), spacing_mm)
    found, _ = nearest_source(space, [source_at(2.3, 5.4, 1.2)])
    index = np.moveaxis(np.indices((9, 14, 17)), 0, -1)
    expected = np.linalg.norm((index - [2.3, 5.4, 1.2]) * spacing_mm, axis=-1)
    np.testing.assert_allclose(boxed(space, found), expected, rtol=1e-12)


def test_way_round_a_wall_against_the_taut_string():
    mask = np.ones((1, 41, 41), dtype=bool)
    mask[0, :30, 20] = False  # wall with its free end at (29, 20)
    space = space_of(mask)
    found = boxed(space, nearest_source(space, [source_at(0, 10, 10)])[0])
    taut = np.hypot(20, 9) + 2 + np.hypot(20, 9)  # round the end of the wall, whose voxels are one wide
    assert taut - 1.5 <= found[0, 10, 30] <= 1.05 * taut
    assert found[0, 40, 12] == pytest.approx(np.hypot(30, 2), rel=1e-12)  # not hidden


def test_a_wall_of_voxels_that_touch_at_edges_only_is_tight():
    mask = np.ones((1, 30, 30), dtype=bool)
    mask[0, np.arange(30), np.arange(30)] = False
    space = space_of(mask)
    found, source = nearest_source(space, [source_at(0, 2, 20)])
    above = boxed(space, np.isfinite(found))[0]
    assert np.array_equal(above == 1, np.triu(np.ones((30, 30), dtype=bool), 1))
    assert set(np.unique(source)) == {-1, 0}


def test_the_gap_before_the_liver_counts():
    space = space_of(np.ones((1, 1, 21), dtype=bool))
    far, near = Source(np.array([[2.0, 2.0, 2.0]]), 6.0), Source(np.array([[2.0, 2.0, 22.0]]))
    distance, source = nearest_source(space, [far, near])
    np.testing.assert_array_equal(source, [0] * 7 + [source[7]] + [1] * 13)  # 6 + x = 20 - x at x = 7
    assert distance[0] == pytest.approx(6.0) and distance[20] == pytest.approx(0.0)


def test_straight_inside_against_brute_force():
    random = np.random.default_rng(3)
    mask = random.random((12, 12, 12)) < 0.97
    cells = np.argwhere(mask)
    start, end = (cells[random.integers(len(cells), size=400)] + random.uniform(-0.4, 0.4, (400, 3)) for _ in range(2))
    found = straight_inside(mask, start, end)
    along = np.linspace(0.0, 1.0, 400)[:, None]
    truth = np.array(
        [mask[tuple(np.rint(a + along * (b - a)).astype(int).T)].all() for a, b in zip(start, end, strict=True)]
    )
    assert not np.any(found & ~truth)  # never through a voxel outside
    assert np.count_nonzero(found) > 0.8 * np.count_nonzero(truth)  # and seldom refused for grazing


def test_steps_are_symmetric_and_their_worst_detour_is_as_bounded():
    space = space_of(np.ones((25, 25, 25), dtype=bool))
    graph = step_graph(space)
    assert abs(graph - graph.T).max() == 0
    middle = (12 * 25 + 12) * 25 + 12
    ways = csgraph.dijkstra(graph, indices=middle)
    straight = np.linalg.norm(space.index - space.index[middle], axis=1)
    ratio = np.divide(ways, straight, out=np.ones_like(ways), where=straight > 0)
    bound = longest_detour((1.0, 1.0, 1.0))
    assert ratio.min() == pytest.approx(1.0)
    assert 0.97 * bound < ratio.max() <= bound + 1e-9
    assert bound < 1.05


def test_space_keeps_positions_of_an_oblique_grid():
    grid = Grid((6, 7, 8), (2.0, 1.0, 1.5), (5.0, -3.0, 8.0), as_direction(rotation((1, 2, 3), 35)))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[2:5, 3:6, 1:4] = True
    space = Space.around(mask, grid)
    np.testing.assert_allclose(space.grid.to_lps(space.index), grid.to_lps(np.argwhere(mask)), atol=1e-9)
