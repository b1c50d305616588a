"""Territories of branches against planes, a fissure worked out by hand, and volumes set by flow."""

import numpy as np
import pytest

from radioembolization.errors import (
    BranchOutOfReach,
    BranchWithoutTerritory,
    FlowNotMet,
    LiverPieceWithoutArtery,
    TerritoryError,
)
from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.territories.branches import distances as branch_distances
from radioembolization.territories.branches.branch_territories import FlowWeighted, NearestBranch
from star_tree import star_tree, straight
from support import as_direction, ellipsoid, quiet, rotation

OBLIQUE = as_direction(rotation((1.0, 2.0, 0.5), 25.0))
GRIDS = {
    "isotropic": Grid((20, 22, 24), (2.0, 2.0, 2.0), (-23.0, -21.0, -19.0)),
    "anisotropic": Grid((10, 44, 30), (4.0, 1.0, 1.6), (-23.2, -21.5, -18.0)),
    "oblique": Grid((20, 22, 24), (2.0, 2.0, 2.0), (-20.0, -30.0, -10.0), OBLIQUE),
}


def tree_of(*branches, trunk_end=(0.0, 0.0, -25.0)):
    """Return a tree with branches from one short trunk below the liver."""
    trunk = straight("trunk", None, np.array(trunk_end) - [0, 0, 20], trunk_end, 2.0)
    return ArterialTree((trunk, *branches))


def terminal(tree, name):
    return max(i for i in tree.terminal_stretches if tree.stretches[i].artery == name)


def two_parallel(grid, apart_mm=10.0, radii=(1.0, 1.0)):
    """Return a tree of two vessels parallel to the grid's z axis, symmetric about its middle, and the middle."""
    middle = grid.to_lps((np.array(grid.shape) - 1) / 2.0)
    x, _, z = grid.direction_matrix.T
    ends = [middle + sign * apart_mm * x for sign in (-1, 1)]
    half = z * grid.spacing_mm[0] * grid.shape[0]
    names = ("low", "high")
    branches = [straight(n, "trunk", e - half, e + half, r, 120) for n, e, r in zip(names, ends, radii, strict=True)]
    return tree_of(*branches, trunk_end=middle - 2.0 * half), middle, x


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("geodesic", [True, False])
def test_between_parallel_vessels_the_border_is_the_plane(name, geodesic):
    grid = GRIDS[name]
    tree, middle, x = two_parallel(grid)
    found = NearestBranch(geodesic).territories(tree, np.ones(grid.shape, dtype=bool), grid)
    positions = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    beyond = (positions - middle) @ x
    reached = found.reached([terminal(tree, "high")])
    clear = np.abs(beyond) > 0.01  # the plane itself is a tie
    assert np.array_equal((reached > 0.5)[clear], (beyond > 0)[clear])
    assert found.flow.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", GRIDS)
def test_watershed_is_the_logistic_of_its_width(name):
    grid = GRIDS[name]
    tree, middle, x = two_parallel(grid)
    found = FlowWeighted(watershed_mm=6.0).territories(tree, np.ones(grid.shape, dtype=bool), grid)
    positions = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    beyond, aside = (positions - middle) @ x, (positions - middle) @ grid.direction_matrix[:, 1]
    flat = (np.abs(aside) < 0.6 * grid.spacing_mm[1]) & (np.abs(beyond) < 9.0)
    near, far = (np.hypot(beyond[flat] - side, aside[flat]) for side in (10.0, -10.0))
    expected = 1.0 / (1.0 + np.exp(-2.0 * (far - near) / 6.0))
    assert flat.sum() > 40
    # 0.02: points of a centreline lie up to 0.8 mm along from a voxel, head starts are met to 0.1 % of volume
    np.testing.assert_allclose(found.reached([terminal(tree, "high")])[flat], expected, atol=0.02)


def test_tangent_of_a_watershed_falls_over_its_width():
    grid = Grid((1, 1, 401), (4.0, 4.0, 0.1))
    tree = tree_of(
        straight("a", "trunk", (-1.0, 0, 0), (0.05, 0, 0), points=2),
        straight("b", "trunk", (41.0, 0, 0), (39.95, 0, 0), points=2),
    )
    share = (
        FlowWeighted(watershed_mm=5.0)
        .territories(tree, np.ones(grid.shape, dtype=bool), grid)
        .reached([terminal(tree, "a")])[0, 0]
    )
    assert (share[205] - share[195]) / 1.0 == pytest.approx(-1.0 / 5.0, rel=0.02)  # per mm


def u_shaped():
    """Return a liver of two arms, x 0 to 20 and 40 to 60 mm, that meet below y = 20 mm; the fissure is open above."""
    grid = Grid((3, 61, 61), (1.0, 1.0, 1.0), (0.0, 0.0, -1.0))
    liver = np.ones(grid.shape, dtype=bool)
    liver[:, 20:, 21:40] = False
    left = straight("left", "trunk", (20.0, 50.0, 0.0), (18.0, 50.0, 0.0), points=2)
    right = straight("right", "trunk", (58.0, 2.0, 0.0), (60.0, 2.0, 0.0), points=2)
    return grid, liver, tree_of(left, right)


def test_fissure_divides_as_worked_out_by_hand():
    grid, liver, tree = u_shaped()
    inside, across = (NearestBranch(geodesic).territories(tree, liver, grid) for geodesic in (True, False))
    right = [terminal(tree, "right")]
    tip = (1, 58, 42)  # the right arm's tip: 23.4 mm across the fissure from `left`, 58.2 mm from `right`
    assert across.reached(right)[tip] == 0.0
    assert inside.reached(right)[tip] == 1.0  # from `left` 30 mm down, 20 over, 39 up = 89 mm, from `right` 58 mm
    # The whole right arm above y = 22 lies nearer to `right` inside the liver: from `left` it is at least
    # |(20, 50) - (20, 20)| + |(20, 20) - (40, 20)| = 50 mm to the arm's corner, from `right` 25 mm.
    arm = np.zeros(grid.shape, dtype=bool)
    arm[:, 22:, 40:] = True
    assert (inside.reached(right)[arm] == 1.0).all()
    # Straight, the arm goes to `left` where (x - 20)^2 + (y - 50)^2 < (x - 58)^2 + (y - 2)^2.
    _, y, x = np.indices(grid.shape)
    nearer = (x - 20.0) ** 2 + (y - 50.0) ** 2 < (x - 58.0) ** 2 + (y - 2.0) ** 2
    beyond = arm & (x < 58) & (np.abs((x - 20.0) ** 2 + (y - 50.0) ** 2 - (x - 58.0) ** 2 - (y - 2.0) ** 2) > 1.0)
    assert np.array_equal(across.reached(right)[beyond] == 0.0, nearer[beyond])
    assert np.count_nonzero(nearer & arm) > 400


def test_flow_weighted_distances_keep_the_fissure():
    grid, liver, tree = u_shaped()
    found = FlowWeighted(watershed_mm=2.0).territories(tree, liver, grid)
    assert found.volume_ml[0] == pytest.approx(found.volume_ml[1], rel=0.01)  # equal radii
    assert found.reached([terminal(tree, "right")])[1, 58, 42] > 0.99


@pytest.mark.parametrize("watershed_mm", [0.0, 5.0])
@pytest.mark.parametrize("spacing_mm", [4.0, 2.0])
def test_volumes_follow_murray(watershed_mm, spacing_mm, monkeypatch):
    monkeypatch.setattr(branch_distances, "_MOST_NODES", 7_000)  # nodes farther apart than voxels on the finer grid
    size = tuple(int(n / spacing_mm) for n in (72, 84, 96))
    grid = Grid(size, (spacing_mm,) * 3, tuple(-(n - 1) * spacing_mm / 2.0 for n in size[::-1]))
    liver = ellipsoid(grid, (0, 0, 0), (45, 40, 34))
    flow = np.array([1.0, 2.0, 5.0])
    ends = [(-25.0, 5.0, 0.0), (20.0, 12.0, 3.0), (5.0, -20.0, 8.0)]
    starts = [tuple(0.3 * c for c in end) for end in ends]
    branches = [
        straight(f"branch {i}", "trunk", s, e, r)
        for i, (s, e, r) in enumerate(zip(starts, ends, flow ** (1 / 3), strict=True))
    ]
    tree = tree_of(*branches, trunk_end=(0.0, 0.0, 0.0))
    found = FlowWeighted(watershed_mm=watershed_mm).territories(tree, liver, grid)
    np.testing.assert_allclose(found.flow, flow / 8.0, rtol=1e-12)
    np.testing.assert_allclose(found.volume_ml / found.volume_ml.sum(), flow / 8.0, rtol=0.01)
    sums = np.asarray(found.shares.sum(axis=0)).reshape(grid.shape)
    np.testing.assert_allclose(sums, liver, atol=1e-6)


def nested():
    """Return a liver, and a tree whose trunk divides into `one` and `both`, `both` into `two` and `three`."""
    grid = Grid((14, 16, 20), (4.0, 4.0, 4.0), (-38.0, -30.0, -26.0))
    both = straight("both", "trunk", (0, 0, 0), (12, 0, 0), 1.6)
    two = straight("two", "both", (13, 4, 0), (25, 15, 5), 1.2)
    three = straight("three", "both", (13, -4, 0), (25, -15, 0), 1.0)
    one = straight("one", "trunk", (-3, 0, 0), (-25, 0, 0), 1.2)
    return ellipsoid(grid, (0, 0, 0), (38, 30, 26)), grid, tree_of(one, both, two, three, trunk_end=(0.0, 0.0, 0.0))


@pytest.mark.parametrize("model", [NearestBranch(), FlowWeighted()])
def test_a_parent_supplies_what_its_children_do(model):
    liver, grid, tree = nested()
    found = model.territories(tree, liver, grid)
    both, two, three, one = (
        tree.downstream_stretches(tree.stretch_at(name, 10)) for name in ("both", "two", "three", "one")
    )
    np.testing.assert_allclose(found.supply(both), found.supply(two) + found.supply(three), atol=1e-5)
    np.testing.assert_allclose(found.reached(both), found.reached(two) + found.reached(three), atol=1e-6)
    everything = found.supply(range(len(tree.stretches)))
    assert everything[liver].mean() == pytest.approx(1.0, abs=1e-6)
    assert not everything[~liver].any()
    share = found.supply(both).sum() / liver.sum()
    assert share == pytest.approx(sum(found.flow[found.terminals.index(t)] for t in both if t in found.terminals))
    assert found.supply(one)[liver].mean() == pytest.approx(1.0 - share, abs=1e-6)


def test_arteries_of_other_organs_take_no_liver_and_no_flow():
    liver, grid, tree = nested()
    found = FlowWeighted().territories(tree, liver, grid, without=("both",))
    assert found.terminals == (terminal(tree, "one"),)
    assert found.flow == pytest.approx([1.0])
    assert (found.reached(found.terminals)[liver] == 1.0).all()
    with pytest.raises(TerritoryError, match="Every branch"):
        NearestBranch().territories(tree, liver, grid, without=("one", "both"))
    with pytest.raises(TerritoryError, match="no artery 'cystic'"):
        NearestBranch().territories(tree, liver, grid, without=("cystic",))


@pytest.mark.parametrize("model", [NearestBranch(), FlowWeighted(), NearestBranch(geodesic=False)])
def test_a_branch_outside_enters_where_it_is_nearest(model):
    grid = Grid((10, 10, 40), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    liver = np.ones(grid.shape, dtype=bool)
    ends = [
        straight(n, "trunk", (x, -30, 10), (x, y, 10)) for n, x, y in [("a", 10, -8), ("b", 70, -4), ("c", 40, -20)]
    ]
    with pytest.warns(BranchOutOfReach, match=r"c \(20 mm\)"):
        found = model.territories(tree_of(*ends), liver, grid)
    assert len(found.terminals) == 2
    if isinstance(model, NearestBranch):
        # along the edge y = 0, z = 10: 8 + (x - 10) = 4 + (70 - x) at x = 38
        row = found.reached([found.terminals[0]])[5, 0]
        assert np.array_equal(row[np.arange(40) != 19], (np.arange(40) < 19)[np.arange(40) != 19])


def test_bad_input_is_named():
    liver, grid, tree = nested()
    far = tree_of(straight("far", "trunk", (200, 0, 0), (220, 0, 0)))
    with pytest.raises(TerritoryError, match=r"within 15 mm .* far \(1[56]\d mm\)"):
        NearestBranch().territories(far, liver, grid)
    with pytest.raises(TerritoryError, match="no voxel"):
        FlowWeighted().territories(tree, np.zeros(grid.shape, dtype=bool), grid)
    with pytest.raises(TerritoryError, match="shape"):
        NearestBranch().territories(tree, liver[1:], grid)
    with pytest.raises(TerritoryError, match="watersheds must not be negative, but is -1"):
        FlowWeighted(watershed_mm=-1.0)
    with pytest.raises(TerritoryError, match="reach_mm"):
        NearestBranch(reach_mm=float("nan"))
    with pytest.raises(TerritoryError, match="exponent"):
        FlowWeighted(exponent=0.0).territories(tree, liver, grid)


@pytest.mark.parametrize("model", [NearestBranch(), FlowWeighted()])
def test_a_liver_of_labels_is_a_mask(model):
    liver, grid, tree = nested()
    found, expected = (model.territories(tree, mask, grid) for mask in (liver * np.uint8(7), liver))
    assert found.liver.dtype == bool
    np.testing.assert_array_equal(found.shares.toarray(), expected.shares.toarray())


def test_a_branch_that_others_hide_is_named():
    liver, grid, tree = nested()
    line = tree.artery("one").points_lps_mm
    twin = Artery("twin", "trunk", line, np.ones(len(line)))
    with pytest.warns(BranchWithoutTerritory, match="twin"):
        found = NearestBranch().territories(ArterialTree((*tree.arteries, twin)), liver, grid)
    assert found.supply([terminal(found.tree, "twin")]).sum() == 0.0


def in_two_pieces():
    grid = Grid((6, 6, 41), (2.0, 2.0, 2.0))
    liver = np.ones(grid.shape, dtype=bool)
    liver[:, :, 30] = False  # 30 and 10 slices
    return liver, grid


@pytest.mark.parametrize("model", [NearestBranch(), FlowWeighted()])
def test_a_piece_without_artery_goes_to_the_nearest(model):
    liver, grid = in_two_pieces()
    tree = tree_of(straight("a", "trunk", (4, 4, 4), (6, 4, 4)), straight("b", "trunk", (50, 4, 4), (54, 4, 4)))
    with pytest.warns(LiverPieceWithoutArtery, match=r"2\.9 mL"):
        found = model.territories(tree, liver, grid)
    assert (found.reached([terminal(tree, "b")])[:, :, 31:] > 0.95).all()


def test_pieces_with_arteries_of_their_own_bound_what_flow_can_do():
    liver, grid = in_two_pieces()
    tree = tree_of(straight("a", "trunk", (4, 4, 4), (30, 4, 4)), straight("b", "trunk", (70, 4, 4), (74, 4, 4)))
    with pytest.warns(FlowNotMet, match=r"b carry 50% .* 25%|a carry 50% .* 75%"):
        found = FlowWeighted().territories(tree, liver, grid)
    np.testing.assert_allclose(found.volume_ml / found.volume_ml.sum(), [0.75, 0.25], rtol=1e-6)
    # half of the flow for a quarter of the liver
    assert found.supply([terminal(tree, "b")])[0, 0, 35] == pytest.approx(2.0, rel=1e-5)


def test_many_branches_keep_their_shares():
    grid = Grid((24, 28, 34), (5.0, 5.0, 5.0))
    liver = ellipsoid(grid, (86, 70, 58), (80, 65, 50))
    with quiet():
        found = FlowWeighted().territories(star_tree(liver, grid, 12), liver, grid)
    assert np.abs(found.volume_ml / found.volume_ml.sum() - found.flow).max() < 0.001
