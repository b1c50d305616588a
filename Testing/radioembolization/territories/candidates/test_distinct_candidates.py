"""Candidates that reach the same liver and organs become one; volumes by hand on a grid of 1 mL voxels."""

import numpy as np
import pytest
from scipy import sparse

from hepatic_tree import hepatic_tree
from radioembolization.errors import CandidatesLeftOut, TerritoryError
from radioembolization.images import Grid
from radioembolization.territories.branches.branch_territories import BranchTerritories
from radioembolization.territories.candidates.candidate_list import candidate_sites
from radioembolization.territories.candidates.distinct_candidates import distinct_candidates
from radioembolization.territories.candidates.tree_point import UserPoint

TREE = hepatic_tree()


def territories(**volume_ml):
    """Return territories whose terminals, by the name of the artery, have given volumes."""
    names = [TREE.stretches[i].artery for i in TREE.terminal_stretches]
    terminals = [i for i, name in zip(TREE.terminal_stretches, names, strict=True) if volume_ml.get(name)]
    counts = [volume_ml[TREE.stretches[i].artery] for i in terminals]
    owner = np.repeat(np.arange(len(terminals)), counts)
    grid = Grid((1, 1, len(owner)), (10.0, 10.0, 10.0))
    shares = sparse.csr_array((np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(len(terminals), len(owner)))
    liver = np.ones(grid.shape, dtype=bool)
    return BranchTerritories(TREE, grid, liver, tuple(terminals), shares, np.array(counts) / len(owner), "by hand")


def names(volumes, **options):
    return [c.name for c in distinct_candidates(candidate_sites(TREE, **options), volumes)]


def full(**changes):
    return territories(**({"right hepatic": 800, "segment 7": 300, "left hepatic": 400, "thin": 50} | changes))


def test_all_stay_where_all_differ():
    assert names(full()) == [c.name for c in candidate_sites(TREE)]


def test_less_than_one_per_cent_of_volume_is_no_difference():
    kept = distinct_candidates(candidate_sites(TREE), full(thin=3))  # 3 of 403 mL
    by_name = {c.name: c for c in kept}
    assert by_name["left hepatic"].merged == ("left hepatic beyond thin",)
    assert "left hepatic beyond thin" not in by_name
    assert "left hepatic beyond thin" in names(full(thin=5))  # 5 of 405 mL


def test_the_site_beyond_an_artery_to_another_organ_stays():
    # Before and beyond the cystic the same liver is reached, but not the gallbladder.
    assert {"right hepatic", "right hepatic beyond cystic"} <= set(names(full()))


def test_the_site_upstream_stands_for_a_branch_that_takes_it_all():
    with pytest.warns(CandidatesLeftOut, match="segment 7"):
        kept = names(full(**{"segment 7": 0}))
    assert "right hepatic beyond cystic" in kept and "right hepatic beyond segment 7" not in kept


def test_sites_beside_each_other_stay_however_small():
    assert {"segment 7", "right hepatic beyond segment 7"} <= set(names(full(**{"segment 7": 1, "right hepatic": 1})))


def test_a_point_of_the_user_stays_and_takes_the_name_of_the_generated_one():
    point = UserPoint("mine", (35.0, 0.0, 70.0))  # beyond "thin"
    kept = {c.name: c for c in distinct_candidates(candidate_sites(TREE, points=[point]), full(thin=3))}
    assert kept["mine"].merged == ("left hepatic beyond thin", "left hepatic")
    assert "left hepatic" not in kept


def test_candidates_without_liver():
    with pytest.warns(CandidatesLeftOut, match="left hepatic"):
        kept = names(full(**{"left hepatic": 0, "thin": 0}))
    assert "left hepatic" not in kept and "right hepatic" in kept
    left = UserPoint("mine", (35.0, 0.0, 70.0))
    only = candidate_sites(TREE, points=[left], generated=False)
    with pytest.raises(TerritoryError, match=r"None of the candidate sites \(mine\)"):
        distinct_candidates(only, full(**{"left hepatic": 0}))
