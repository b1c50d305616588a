"""Candidate sites of a tree whose every rule can be followed by hand (``support.hepatic_tree``)."""

from dataclasses import replace

import numpy as np
import pytest

from hepatic_tree import artery, hepatic_tree
from radioembolization.errors import CandidatesLeftOut, NarrowArtery, TerritoryError
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.candidate_list import candidate_sites
from radioembolization.territories.candidates.tree_point import UserPoint, nearest_point

# Murray's flow with the exponent 3 at the branchings of the tree.
_GASTRIC = 1.0 / (1.0 + 2.5**3)
_RIGHT = 2.0**3 / (2.0**3 + 1.6**3)
_CYSTIC = 0.8**3 / (0.8**3 + 2.0**3)


def _by_name(tree=None, **options):
    return {site.name: site for site in candidate_sites(tree or hepatic_tree(), **options)}


def test_every_stretch_that_feeds_liver_and_holds_a_catheter_is_offered_from_the_root_outwards():
    names = [site.name for site in candidate_sites(hepatic_tree())]
    # Not celiac trunk (trunk), right gastric and cystic (other organs), thin (0.3 mm).
    assert names == [
        "proper hepatic",
        "proper hepatic beyond right gastric",
        "right hepatic",
        "right hepatic beyond cystic",
        "right hepatic beyond segment 7",
        "left hepatic",
        "left hepatic beyond thin",
        "segment 7",
    ]


def test_the_catheter_lies_just_distal_to_the_bifurcation():
    sites = _by_name()
    # One radius of the artery it comes from and 2 mm, at most half the stretch (10 mm for the first one).
    assert sites["proper hepatic"].position_lps_mm == pytest.approx((0, 0, 40 + 5.0))
    assert sites["right hepatic"].position_lps_mm == pytest.approx((-4.5, 0, 70))
    assert sites["right hepatic beyond cystic"].position_lps_mm == pytest.approx((-20 - 4.0, 0, 70))
    assert sites["segment 7"].position_lps_mm == pytest.approx((-40, 0, 70 + 4.0))
    tree = hepatic_tree()
    for site in sites.values():
        assert tree.stretch_at(site.artery, site.index) == site.stretch == site.stretches[0]
        assert site.radius_mm == tree.artery(site.artery).radius_mm[0]
        assert not site.placed_by_user
        away = np.linalg.norm(tree.artery(site.artery).points_lps_mm[site.index] - site.position_lps_mm)
        assert away < 1.0  # the next point, one each millimetre


def test_outflow_by_hand():
    sites = _by_name()
    right_cystic = _RIGHT * _CYSTIC
    assert sites["proper hepatic"].outflow == pytest.approx(
        {"gallbladder": (1 - _GASTRIC) * right_cystic, "stomach": _GASTRIC}
    )
    assert sites["proper hepatic beyond right gastric"].outflow == pytest.approx({"gallbladder": right_cystic})
    assert sites["right hepatic"].outflow == pytest.approx({"gallbladder": _CYSTIC})
    assert all(not sites[name].outflow for name in ("right hepatic beyond cystic", "left hepatic", "segment 7"))
    even = _by_name(exponent=2.0)["right hepatic"].outflow["gallbladder"]
    assert even == pytest.approx(0.64 / 4.64)


def test_nested_relation():
    assert {site.name: site.upstream for site in candidate_sites(hepatic_tree())} == {
        "proper hepatic": "",
        "proper hepatic beyond right gastric": "proper hepatic",
        "right hepatic": "proper hepatic beyond right gastric",
        "right hepatic beyond cystic": "right hepatic",
        "right hepatic beyond segment 7": "right hepatic beyond cystic",
        "segment 7": "right hepatic beyond cystic",
        "left hepatic": "proper hepatic beyond right gastric",
        "left hepatic beyond thin": "left hepatic",
    }


def test_thin_arteries_are_reached_from_upstream():
    sites = _by_name(smallest_radius_mm=1.5)
    assert "segment 7" not in sites
    tree = hepatic_tree()
    segment_7 = next(i for i, s in enumerate(tree.stretches) if s.artery == "segment 7")
    assert segment_7 in sites["right hepatic beyond cystic"].stretches
    assert "thin" in _by_name(smallest_radius_mm=0.3)


def test_no_catheter_passes_a_stretch_that_is_too_thin():
    tree = hepatic_tree(wide=artery("wide", "thin", (20, 0, 90), (30, 0, 90), 0.6))
    with pytest.warns(NarrowArtery, match=r"wide lie beyond.*thin"):
        assert "wide" not in _by_name(tree)


def test_a_centreline_drawn_too_thin_at_its_end_is_no_narrow_artery():
    drawn = artery("drawn", "left hepatic", (10, 0, 70), (10, 20, 70), 0.9)
    radius = drawn.radius_mm.copy()
    radius[:8] = 0.3
    tree = hepatic_tree(drawn=replace(drawn, radius_mm=radius))
    assert _by_name(tree)["drawn"].radius_mm == pytest.approx(0.9)


def test_which_trunks_are_offered_is_a_choice():
    with_trunk = _by_name(not_offered=())
    # The proper hepatic reaches what the celiac trunk reaches: the trunk stands for both.
    assert with_trunk["celiac trunk"].merged == ("proper hepatic",)
    assert "proper hepatic" not in with_trunk
    assert "left hepatic" not in _by_name(not_offered=("celiac trunk", "left hepatic"))
    with pytest.raises(TerritoryError, match="no artery 'aorta'"):
        _by_name(not_offered=("aorta",))


def test_branchings_close_together_count_as_one():
    tree = hepatic_tree(second=artery("second", "right hepatic", (-22, 0, 70), (-22, 20, 70), 0.5))
    sites = _by_name(tree)
    assert "right hepatic beyond cystic" not in sites  # a stretch of 2 mm
    assert sites["right hepatic"].merged == ("right hepatic beyond cystic",)
    assert "right hepatic beyond second" in sites
    assert "right hepatic beyond cystic" in _by_name(tree, merge_mm=1.0)


def test_arteries_that_leave_at_one_point_share_a_name():
    tree = hepatic_tree(second=artery("second", "right hepatic", (-20, 0, 70), (-20, 20, 70), 0.5))
    assert "right hepatic beyond cystic and second" in _by_name(tree)


def test_points_of_the_user_replace_the_candidate_of_the_same_reach():
    sites = _by_name(points=[UserPoint("mine", (-10.3, 4.0, 70.0))])
    mine = sites["mine"]
    assert mine.placed_by_user and mine.merged == ("right hepatic",) and "right hepatic" not in sites
    assert mine.position_lps_mm == pytest.approx((-10.3, 0, 70)) and mine.index == 11
    assert mine.along_mm == pytest.approx(10.3)
    assert mine.outflow == pytest.approx({"gallbladder": _CYSTIC})
    assert sites["right hepatic beyond cystic"].upstream == "mine"


def test_only_points_of_the_user():
    points = [UserPoint("distal", (-50.0, 0.0, 72.0)), UserPoint("proximal", (0.0, 1.0, 60.0))]
    sites = candidate_sites(hepatic_tree(), points=points, generated=False)
    assert [(site.name, site.upstream) for site in sites] == [("proximal", ""), ("distal", "proximal")]


def test_two_points_of_the_user_with_the_same_reach():
    points = [UserPoint("second", (-10.0, 0.0, 70.0)), UserPoint("first", (-6.0, 0.0, 70.0))]
    with pytest.warns(CandidatesLeftOut, match="'first' and 'second'"):
        sites = candidate_sites(hepatic_tree(), points=points, generated=False)
    assert [(site.name, site.merged) for site in sites] == [("first", ("second",))]


@pytest.mark.parametrize("name", ["cystic", "right gastric"])
def test_a_point_in_an_artery_of_another_organ_is_refused(name):
    tip = tuple(hepatic_tree().artery(name).tip_lps_mm)
    with pytest.raises(TerritoryError, match=f"'{name}', which feeds no liver"):
        candidate_sites(hepatic_tree(), points=[UserPoint("mine", tip)])


def test_a_point_off_the_tree_names_the_nearest_artery():
    far = UserPoint("lost", (-30.0, 20.0, 70.0))
    with pytest.raises(TerritoryError, match=r"'lost' lies off the tree: 20.0 mm .* 'right hepatic', with 15 mm"):
        candidate_sites(hepatic_tree(), points=[far])
    assert "lost" in _by_name(points=[far], off_tree_mm=25.0)


def test_a_point_in_a_thin_artery_is_warned_of():
    with pytest.warns(NarrowArtery, match="0.30 mm"):
        assert "mine" in _by_name(points=[UserPoint("mine", (20.0, 0.0, 85.0))])


def test_no_candidate_at_all():
    with pytest.raises(TerritoryError, match=r"'proper hepatic', has 2.50 mm"):
        candidate_sites(hepatic_tree(), smallest_radius_mm=4.0)
    with pytest.raises(TerritoryError, match="trunks or feed other organs"):
        candidate_sites(ArterialTree((artery("aorta", None, (0, 0, 0), (0, 0, 9), 9.0),)))


@pytest.mark.parametrize("option", ["smallest_radius_mm", "merge_mm", "off_tree_mm"])
@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_negative_lengths_are_refused(option, value):
    with pytest.raises(TerritoryError, match="zero or a positive length"):
        candidate_sites(hepatic_tree(), **{option: value})


def test_names_stay_unique():
    point = UserPoint("right hepatic", (30.0, 0.0, 70.0))  # in the left hepatic
    with pytest.raises(TerritoryError, match="right hepatic"):
        candidate_sites(hepatic_tree(), points=[point])
    with pytest.raises(TerritoryError, match="three numbers"):
        UserPoint("mine", (1.0, 2.0))
    with pytest.raises(TerritoryError, match="needs a name"):
        UserPoint(" ", (1.0, 2.0, 3.0))


def test_nearest_point_prefers_the_artery_upstream_at_a_branching():
    found = nearest_point(hepatic_tree(), (-20.0, 3.0, 70.0))
    assert (found.artery, found.index, found.distance_mm) == ("right hepatic", 20, pytest.approx(3.0))
    beyond = nearest_point(hepatic_tree(), (0.0, 0.0, -7.0))
    assert (beyond.artery, beyond.index, beyond.along_mm, beyond.distance_mm) == ("celiac trunk", 0, 0.0, 7.0)
