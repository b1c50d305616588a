"""Arteries that feed another organ and give off one to the liver: a replaced left hepatic, a trunk with a stump."""

import numpy as np
import pytest

from hepatic_tree import artery, hepatic_tree
from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.territories.candidates.candidate_list import candidate_sites
from radioembolization.territories.candidates.fed_organs import fed_organs, with_ends_apart

GRID = Grid((20, 10, 30), (5.0, 5.0, 5.0), (-80.0, -25.0, 40.0))
Z = GRID.to_lps(np.moveaxis(np.indices(GRID.shape), 0, -1))[..., 2]
LIVER = Z >= 60.0
REPLACED = artery("replaced left hepatic", "right gastric", (15, 0, 50), (15, 0, 80), 0.8)


def test_a_replaced_left_hepatic_feeds_the_liver_and_the_rest_the_stomach():
    fed = fed_organs(hepatic_tree(replaced=REPLACED), GRID, LIVER, {})
    end = "right gastric beyond replaced left hepatic"
    assert fed.organs == {"right gastric": "stomach", end: "stomach", "cystic": "gallbladder"}
    assert set(fed.without_liver) == {end, "cystic"}
    assert {child.name for child in fed.tree.children("right gastric")} == {"replaced left hepatic", end}
    sites = {site.name: site for site in candidate_sites(fed.tree, organ_arteries=fed.stated)}
    assert "replaced left hepatic" in sites and "right gastric" not in sites
    assert sites["replaced left hepatic"].upstream == "proper hepatic"
    # The gastric artery of 1.0 mm takes 1 / 16.625 of the flow; beyond the replaced branch of 0.8 mm 1 / 1.512 of that.
    assert sites["proper hepatic"].outflow["stomach"] == pytest.approx(1.0 / 16.625 / 1.512)


def test_dividing_keeps_stretches_and_flow():
    tree = hepatic_tree(replaced=REPLACED)
    divided, ends = with_ends_apart(tree, ["right gastric", "left hepatic"])
    assert ends["left hepatic"] == "left hepatic beyond thin"

    def flows(of):
        return sorted(
            (tuple(of.stretch_points_lps_mm(i)[-1]), round(share, 12)) for i, share in enumerate(of.flow_share())
        )

    assert flows(divided) == flows(tree)
    assert with_ends_apart(tree, ["cystic"]) == (tree, {})


def test_the_stump_of_a_trunk_feeds_other_organs():
    own = hepatic_tree()
    stump = [[0.0, -y, 40.0] for y in range(1, 20)]
    points = np.concatenate([own.artery("celiac trunk").points_lps_mm, stump])
    longer = Artery("celiac trunk", None, points, np.full(len(points), 3.0))
    tree = ArterialTree((longer, *own.arteries[1:]))
    fed = fed_organs(tree, GRID, LIVER, {})
    assert fed.organs["celiac trunk beyond proper hepatic"] == "other organs"
    assert "celiac trunk" not in fed.organs and "celiac trunk beyond proper hepatic" in fed.without_liver
    # A trunk that ends inside the liver is the main artery of a tree without better names.
    inside = Grid(GRID.shape, GRID.spacing_mm, (-80.0, -25.0, 0.0))
    assert "other organs" not in fed_organs(tree, inside, np.ones(GRID.shape, dtype=bool), {}).organs.values()
    assert "other organs" not in fed_organs(tree, GRID, LIVER, {}, {"celiac trunk": ""}).organs.values()


def test_a_trunk_without_any_branch_to_the_liver_is_left_out_whole():
    tree = hepatic_tree(mesenteric=artery("superior mesenteric", "celiac trunk", (0, 0, 10), (0, 50, 10), 3.0))
    fed = fed_organs(tree, GRID, LIVER, {})
    assert fed.organs["superior mesenteric"] == "other organs" and fed.tree is tree
