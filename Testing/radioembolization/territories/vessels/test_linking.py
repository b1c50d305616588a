"""Separate vessels become one tree: parents, directions, roots, gaps, splits, second touches, bad input."""

import warnings
from itertools import pairwise

import numpy as np
import pytest

from radioembolization.errors import (
    ArterialRootAssumed,
    ArterialTreeError,
    ArteriesJoined,
    ArteriesTouchTwice,
    InputError,
    TerritoryError,
)
from radioembolization.territories.vessels.linking import link_vessels
from radioembolization.territories.vessels.vessel import Vessel, is_vein
from support import quiet


def vessel(name, *corners, radius=1.0, step=1.0):
    """Return a vessel along straight lines between corners, with a point about every step [mm]."""
    points = [np.array(corners[:1], dtype=float)]
    for a, b in pairwise(corners):
        a, b = np.array(a, dtype=float), np.array(b, dtype=float)
        parts = max(round(np.linalg.norm(b - a) / step), 1)
        points.append(a + (b - a) * np.arange(1, parts + 1)[:, None] / parts)
    joined = np.concatenate(points)
    return Vessel(name, joined, np.full(len(joined), float(radius)))


def reversed_(one):
    return Vessel(one.name, one.points_lps_mm[::-1].copy(), one.radius_mm[::-1].copy())


TRUNK = vessel("celiac trunk", (0, 0, 0), (0, 0, 40), radius=3)
LEFT = vessel("left", (2, 0, 40), (30, 0, 60), radius=2)
RIGHT = vessel("right", (-2, 0, 40), (-40, 0, 60), radius=2.5)
CYSTIC = vessel("cystic", (-20, 1.5, 49.5), (-20, 30, 49), radius=0.8)


def parents(tree):
    return {artery.name: artery.parent for artery in tree.arteries}


@pytest.mark.parametrize("turned", range(16))
def test_parents_and_directions_do_not_depend_on_the_direction_of_the_pieces(turned):
    pieces = [TRUNK, LEFT, RIGHT, CYSTIC]
    pieces = [reversed_(one) if turned >> i & 1 else one for i, one in enumerate(pieces)]
    with quiet():
        tree = link_vessels(pieces[::-1] if turned % 2 else pieces)
    assert parents(tree) == {"celiac trunk": None, "left": "celiac trunk", "right": "celiac trunk", "cystic": "right"}
    np.testing.assert_allclose(tree.root.points_lps_mm[0], (0, 0, 0))
    for name, tip in (("left", (30, 0, 60)), ("right", (-40, 0, 60)), ("cystic", (-20, 30, 49))):
        np.testing.assert_allclose(tree.artery(name).tip_lps_mm, tip)
    np.testing.assert_allclose(tree.artery("left").points_lps_mm[0], (0, 0, 40))  # joined to the trunk
    assert tree.artery("left").radius_mm[0] == 2.0  # with its own radius
    assert {tree.stretches[i].artery for i in tree.terminal_stretches} == {"left", "right", "cystic"}


def test_a_vessel_leaves_another_in_its_middle_between_its_points():
    sparse = Vessel("main", np.array([[0.0, 0, 0], [0, 0, 50]]), np.array([2.0, 2.0]))
    tree = link_vessels([sparse, vessel("side", (1, 0, 30), (30, 0, 30))], root="main")
    main = tree.artery("main")
    np.testing.assert_allclose(main.points_lps_mm, [[0, 0, 0], [0, 0, 30], [0, 0, 50]], atol=1e-9)
    assert tree.leaves_at("side") == 1
    assert len(tree.stretches) == 3


def test_a_vessel_met_in_its_middle_by_its_parent_is_split():
    stem = vessel("stem", (0, 0, -40), (0, 0, 0), radius=2)
    across = vessel("arcade", (-30, 0, 1), (50, 0, 1), radius=2)
    outer = vessel("outer", (49, 0, 2), (49, 0, 40), radius=1)
    inner = vessel("inner", (-29, 0, 2), (-29, 0, 40), radius=1)
    tree = link_vessels([across, outer, stem, inner], root="stem")
    assert parents(tree) == {
        "stem": None,
        "arcade": "stem",
        "arcade (2)": "stem",
        "outer": "arcade",
        "inner": "arcade (2)",
    }
    assert tree.artery("arcade").tip_lps_mm[0] == 50 and tree.artery("arcade (2)").tip_lps_mm[0] == -30
    # both begin at the end of the stem; together they are as long as before and the two bridges of 1 mm
    length = tree.artery("arcade").length_mm + tree.artery("arcade (2)").length_mm
    assert length == pytest.approx(80 + 2)
    assert tree.leaves_at("arcade") == len(tree.artery("stem").radius_mm) - 1


def test_the_second_name_of_a_split_vessel_is_not_taken_from_another():
    stem = vessel("stem", (0, 0, -40), (0, 0, 0))
    across = vessel("arcade", (-30, 0, 0), (50, 0, 0))
    other = vessel("arcade (2)", (50, 0, 0), (50, 0, 30))
    assert "arcade (3)" in link_vessels([stem, across, other], root="stem").names


def test_vessels_that_begin_at_one_place_are_daughters_of_the_same_parent():
    """The two daughters lie nearer to each other than to the end of the stem."""
    stem = vessel("stem", (0, 0, -40), (0, 0, -3), radius=1)
    one, other = vessel("one", (0.2, 0, 0), (30, 0, 30)), vessel("other", (-0.2, 0, 0), (-30, 0, 30))
    with quiet():
        tree = link_vessels([one, stem, other], root="stem")
    assert parents(tree) == {"stem": None, "one": "stem", "other": "stem"}


def test_a_short_vessel_between_two_branchings_keeps_what_follows_it():
    stem = vessel("stem", (0, 0, -40), (0, 0, 0), radius=3)
    short = vessel("short", (0, 0, 0), (0, 0, 2), radius=3, step=0.5)
    side = vessel("side", (0, 0, 0), (30, 0, 0), radius=2)
    far = [vessel(name, (0, 0, 2), (x, 0, 40), radius=2) for name, x in (("a", 20), ("b", -20))]
    tree = link_vessels([stem, short, side, *far], root="stem")
    assert parents(tree) == {"stem": None, "short": "stem", "side": "stem", "a": "short", "b": "short"}


def test_the_gap_is_between_the_walls_and_is_told():
    """6 mm between the centrelines less the radii 2 and 1."""
    pieces = [vessel("main", (0, 0, 0), (0, 0, 50), radius=2), vessel("side", (6, 0, 25), (30, 0, 25))]
    with pytest.warns(ArteriesJoined, match=r"side to main 3\.0 mm"):
        link_vessels(pieces, root="main", gap_mm=3.0)
    with pytest.raises(ArterialTreeError, match=r"'side' ends 3\.0 mm .* 'main'.*2 separate trees.*gap_mm"):
        link_vessels(pieces, root="main", gap_mm=2.9)


def test_vessels_whose_walls_meet_are_joined_without_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        link_vessels([TRUNK, LEFT, RIGHT, CYSTIC])


def test_two_trees_far_apart_are_refused_with_both_names():
    with pytest.raises(ArterialTreeError, match=r"'(splenic|left)'.*'(splenic|left|celiac trunk)'.*2 separate trees"):
        link_vessels([TRUNK, LEFT, vessel("splenic", (80, 0, 60), (120, 0, 60))])


@pytest.mark.parametrize(
    "root, begins",
    [
        ("celiac trunk", (0, 0, 0)),
        ("Celiac_Trunk", (0, 0, 0)),
        ("left", (30, 0, 60)),
        ((31, 0, 62), (30, 0, 60)),
        (np.array([0, 0, -5.0]), (0, 0, 0)),
    ],
)
def test_a_stated_root_is_taken(root, begins):
    with quiet():
        tree = link_vessels([RIGHT, LEFT, TRUNK, CYSTIC], root=root)
    np.testing.assert_allclose(tree.root.points_lps_mm[0], begins)
    assert len(tree.arteries) >= 4


@pytest.mark.parametrize(
    "bad, match", [("hepatic", "no vessel"), ((300, 0, 0), "from the nearest end"), ((0, 1), "name or a")]
)
def test_a_root_that_is_not_there_is_refused(bad, match):
    with quiet(), pytest.raises(ArterialTreeError, match=match):
        link_vessels([TRUNK, LEFT], root=bad)


@pytest.mark.parametrize(
    "names, root",
    [
        (("proper_hepatic_artery", "common_hepatic_artery"), "common_hepatic_artery"),
        (("Left hepatic artery", "hepatic artery"), "hepatic artery"),
        (("A. hepatica propria", "Truncus coeliacus"), "Truncus coeliacus"),
        (("coeliac trunk", "aorta"), "aorta"),
    ],
)
def test_the_name_tells_the_root_even_of_a_thinner_vessel(names, root):
    thick = vessel(names[0], (0, 0, 40), (0, 0, 80), radius=4)
    thin = vessel(names[1], (0, 0, 0), (0, 0, 40), radius=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = link_vessels([thick, thin])
    assert tree.root.name == root
    np.testing.assert_allclose(tree.root.points_lps_mm[0], (0, 0, 0))


def test_without_a_name_the_thickest_free_end_is_taken_with_a_warning():
    pieces = [vessel("a", (0, 0, 0), (0, 0, 40), radius=2), vessel("b", (0, 0, 40), (0, 0, 80), radius=3)]
    with pytest.warns(ArterialRootAssumed, match="'b'.*3.0 mm"):
        tree = link_vessels(pieces)
    np.testing.assert_allclose(tree.root.points_lps_mm[0], (0, 0, 80))
    assert parents(tree) == {"b": None, "a": "b"}


def test_a_vessel_that_meets_the_tree_again_is_told():
    main = vessel("main", (0, 0, 0), (0, 0, 60), radius=2)
    loop = vessel("loop", (0, 0, 10), (25, 0, 10), (25, 0, 50), (2, 0, 50))
    with pytest.warns(ArteriesTouchTwice, match="loop meets main"):
        tree = link_vessels([main, loop], root="main")
    assert parents(tree) == {"main": None, "loop": "main"}


def test_the_root_begins_where_nothing_leaves_or_else_where_it_is_thicker():
    line = np.array([[0.0, 0, z] for z in range(0, 51, 5)])
    tapered = Vessel("main", line, np.linspace(1.5, 3.0, 11))
    ends = {
        "nothing leaves": ([vessel("main", (0, 0, 0), (0, 0, 50)), vessel("side", (0, 0, 49), (20, 0, 70))], 0),
        "thicker": ([tapered, vessel("side", (0, 0, 35), (20, 0, 35))], 50),
        "farther": ([vessel("main", (0, 0, 0), (0, 0, 50)), vessel("side", (0, 0, 20), (20, 0, 20))], 50),
    }
    for why, (pieces, z) in ends.items():
        assert link_vessels(pieces, root="main").root.points_lps_mm[0][2] == z, why


def test_a_single_vessel_is_a_tree_that_begins_at_its_thicker_end():
    one = Vessel("a", np.array([[0.0, 0, 0], [0, 0, 10], [0, 0, 20]]), np.array([1.0, 1.5, 2.0]))
    tree = link_vessels([one], source="by hand")
    np.testing.assert_allclose(tree.root.points_lps_mm[0], (0, 0, 20))
    assert tree.source == "by hand" and not tree.synthetic


def test_bad_vessels_are_refused_by_name():
    good, ones = np.array([[0.0, 0, 0], [0, 0, 10]]), np.ones(2)
    bad = {
        "no length": (np.zeros((3, 3)), np.ones(3)),
        "point 1 is no number": (np.array([[0.0, 0, 0], [0, np.nan, 1]]), ones),
        "radius at point 1": (good, np.array([1.0, 0.0])),
        "radius at point 0": (good, np.array([np.nan, 1.0])),
        "one radius for each": (good, np.ones(3)),
    }
    for match, (points, radius) in bad.items():
        with pytest.raises(ArterialTreeError, match=f"'gastric'.*{match}"):
            Vessel("gastric", points, radius)
    assert issubclass(ArterialTreeError, TerritoryError) and issubclass(ArterialTreeError, InputError)


def test_lists_that_make_no_tree_are_refused():
    with pytest.raises(ArterialTreeError, match="no artery"):
        link_vessels([])
    with pytest.raises(ArterialTreeError, match="rename left"):
        link_vessels([TRUNK, LEFT, LEFT])
    with pytest.raises(ArterialTreeError, match="length of zero or more"):
        link_vessels([TRUNK, LEFT], gap_mm=float("nan"))


@pytest.mark.parametrize("factor, unit", [(1e-3, "metres"), (1e3, "micrometres")])
def test_coordinates_in_another_unit_are_refused(factor, unit):
    pieces = [Vessel(v.name, v.points_lps_mm * factor, v.radius_mm * factor) for v in (TRUNK, LEFT, RIGHT)]
    with pytest.raises(ArterialTreeError, match=f"{unit}.*millimetres"):
        link_vessels(pieces)


def test_veins_are_known_by_their_names():
    assert all(map(is_vein, ("hepatic_portal_vein", "Vena portae", "left branch of portal vein", "V. cava (vein)")))
    assert not any(map(is_vein, ("celiac_trunk", "ravenous artery", "right hepatic", "A. hepatica")))


def test_many_branches_of_one_artery():
    """A comb of 59 side branches on one main artery."""
    main = vessel("main", (0, 0, 0), (0, 0, 300), radius=2)
    combs = [vessel(f"side {i}", (1, 0, 5 * i + 3), (60, 0, 5 * i + 3), radius=0.5) for i in range(59)]
    tree = link_vessels([main, *combs], root="main")
    assert set(parents(tree).values()) == {None, "main"}
    assert len(tree.stretches) == 59 * 2 + 1
