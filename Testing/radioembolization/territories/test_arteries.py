"""The arterial tree: what leaves what, the pieces between branchings, and Murray's flow in them."""

from __future__ import annotations

import numpy as np
import pytest

from radioembolization.errors import TerritoryError
from radioembolization.territories.arteries import ArterialTree, Artery


def line(name, parent, start, end, radius=1.0, points=11):
    places = np.linspace(np.array(start, dtype=float), np.array(end, dtype=float), points)
    return Artery(name, parent, places, np.broadcast_to(float(radius), points).copy())


@pytest.fixture
def tree():
    """A trunk along x from 0 to 100; ``side`` leaves it at 40, ``left`` and ``right`` at its end."""
    return ArterialTree(
        (
            line("left", "trunk", (100, 0, 0), (150, 0, 30), 2.0),
            line("trunk", None, (0, 0, 0), (100, 0, 0), 4.0),
            line("side", "trunk", (40, 0, 0), (40, 50, 0), 1.0),
            line("right", "trunk", (98, 0, 0), (150, 0, -30), 3.0),
        )
    )


def test_the_root_comes_first_and_parents_before_children(tree):
    assert tree.root.name == "trunk"
    assert tree.names == ("trunk", "left", "side", "right")
    assert tree.downstream("trunk") == tree.names
    assert tree.downstream("left") == ("left",)
    assert [artery.name for artery in tree.children("trunk")] == ["left", "side", "right"]


def test_an_artery_leaves_its_parent_at_the_nearest_point_or_at_its_end(tree):
    assert tree.leaves_at("side") == 4
    assert tree.leaves_at("left") == 10
    assert tree.leaves_at("right") == 10, "2 mm before the end is within the radius of 4 mm"
    with pytest.raises(TerritoryError, match="is the root"):
        tree.leaves_at("trunk")


def test_stretches_are_the_pieces_between_branchings(tree):
    found = [(s.artery, s.first, s.last, s.parent) for s in tree.stretches]
    assert found == [
        ("trunk", 0, 4, -1),
        ("trunk", 4, 10, 0),
        ("left", 0, 10, 1),
        ("side", 0, 10, 0),
        ("right", 0, 10, 1),
    ]
    assert tree.terminal_stretches == (2, 3, 4)
    assert tree.downstream_stretches(0) == (0, 1, 2, 3, 4)
    assert tree.downstream_stretches(1) == (1, 2, 4)
    assert [tree.stretch_at("trunk", i) for i in (0, 4, 5, 10)] == [0, 0, 1, 1]
    np.testing.assert_allclose(tree.stretch_points_lps_mm(1)[[0, -1]], [[40, 0, 0], [100, 0, 0]])


@pytest.mark.parametrize("exponent", [2.0, 3.0])
def test_flow_divides_as_powers_of_the_radii_and_is_kept_at_every_branching(tree, exponent):
    flow = tree.flow_share(exponent)
    trunk, side, left, right = 4.0**exponent, 1.0, 2.0**exponent, 3.0**exponent
    beyond = trunk / (trunk + side)
    expected = [1.0, beyond, beyond * left / (left + right), side / (trunk + side), beyond * right / (left + right)]
    np.testing.assert_allclose(flow, expected, rtol=1e-12)
    assert flow[list(tree.terminal_stretches)].sum() == pytest.approx(1.0, abs=1e-12)


def test_length_and_positions_along_an_artery():
    artery = Artery("bent", None, np.array([[0, 0, 0], [3, 0, 0], [3, 4, 0]]), np.ones(3))
    assert artery.length_mm == 7.0
    assert artery.point_along(5.0 / 7.0) == pytest.approx((3.0, 2.0, 0.0))
    assert artery.nearest_index((3.0, 5.0, 0.0)) == (2, 1.0)


@pytest.mark.parametrize(
    ("arteries", "message"),
    [
        ((), "no artery"),
        ((line("a", None, (0, 0, 0), (1, 0, 0)), line("b", None, (9, 0, 0), (8, 0, 0))), "2 roots .a, b."),
        ((line("a", None, (0, 0, 0), (1, 0, 0)), line("a", "a", (1, 0, 0), (2, 0, 0))), "names of their own"),
        ((line("a", None, (0, 0, 0), (1, 0, 0)), line("b", "c", (1, 0, 0), (2, 0, 0))), "leaves 'c'"),
        ((line("a", "b", (0, 0, 0), (1, 0, 0)), line("b", "a", (1, 0, 0), (2, 0, 0))), "in a circle"),
    ],
)
def test_what_is_no_tree_is_refused(arteries, message):
    with pytest.raises(TerritoryError, match=message):
        ArterialTree(arteries)


@pytest.mark.parametrize(
    ("points", "radius", "message"),
    [
        (np.zeros((4, 3)), np.ones(4), "no length"),
        (np.zeros((1, 3)), np.ones(1), "no length"),
        (np.eye(3), np.array([1.0, 0.0, 1.0]), "radius at point 1 is 0 mm: give positive"),
        (np.eye(3), np.array([1.0, np.nan, 1.0]), "radius at point 1 is nan"),
        (np.eye(3), np.ones(2), "one radius for each"),
        (np.eye(3), 1.0, "one radius for each"),
        (np.full((3, 3), np.nan), np.ones(3), "point 0 is no number"),
    ],
)
def test_what_is_no_artery_is_refused(points, radius, message):
    with pytest.raises(TerritoryError, match=message):
        Artery("a", None, points, radius)


def test_unknown_names_and_points_are_refused(tree):
    with pytest.raises(TerritoryError, match="no artery 'splenic'"):
        tree.artery("splenic")
    with pytest.raises(TerritoryError, match="no point 11"):
        tree.stretch_at("left", 11)
    with pytest.raises(TerritoryError, match="exponent"):
        tree.flow_share(0.0)


def test_flow_does_not_depend_on_ends_that_are_drawn_too_thin(tree):
    thin = [0.5, 0.5, *[2.0] * 9]
    drawn = tuple(
        Artery(a.name, a.parent, a.points_lps_mm, np.array(thin) if a.name == "left" else a.radius_mm)
        for a in tree.arteries
    )
    np.testing.assert_allclose(ArterialTree(drawn).flow_share(), tree.flow_share(), rtol=1e-12)


def test_a_parent_with_few_points_gets_one_where_others_leave_it():
    # Two points 40 mm apart; the twig leaves half way, so the trunk goes on beyond it and supplies tissue.
    trunk = line("trunk", None, (0, 0, 0), (40, 0, 0), 2.0, points=2)
    found = ArterialTree((trunk, line("twig", "trunk", (20, 1, 0), (20, 30, 0), 1.0)))
    assert [(s.artery, s.first, s.last, s.parent) for s in found.stretches] == [
        ("trunk", 0, 1, -1),
        ("trunk", 1, 2, 0),
        ("twig", 0, 10, 0),
    ]
    np.testing.assert_allclose(found.root.points_lps_mm[1], (20, 0, 0))
    np.testing.assert_allclose(found.flow_share(), [1.0, 8.0 / 9.0, 1.0 / 9.0])
    assert found.terminal_stretches == (1, 2)
    again = ArterialTree(found.arteries)
    assert again.stretches == found.stretches, "a point that is there is not added again"
    at_origin = ArterialTree((trunk, line("twig", "trunk", (0, 0, 0), (0, 30, 0), 1.0)))
    assert at_origin.root.points_lps_mm[1, 0] == 2.0, "one radius beyond the origin"


def test_an_artery_whose_points_run_to_its_parent_is_refused():
    trunk = line("trunk", None, (0, 0, 0), (40, 0, 0), 2.0)
    with pytest.raises(TerritoryError, match=r"'twig' begins 30\.0 mm from 'trunk'.*ends 1\.0 mm.*reverse them"):
        ArterialTree((trunk, line("twig", "trunk", (20, 30, 0), (20, 1, 0), 1.0)))
