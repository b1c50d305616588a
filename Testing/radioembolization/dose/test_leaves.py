"""Leaves against the sites they are split from: exact sums, disjoint where shared, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from radioembolization.dose.leaves import split_into_leaves

SHAPE = (3, 4, 5)
VOXELS = 60


def rebuilt(leaves, shape=SHAPE):
    """Return the fractions (sites, voxels) that leaves add up to, and each leaf on the grid (leaves, voxels)."""
    maps = np.zeros((len(leaves.sources), *shape))
    for leaf, patch in zip(maps, leaves.sources, strict=True):
        box, values = patch.clipped(shape)
        assert values.shape == patch.values.shape  # nothing sticks out
        leaf[box] = values
    flat = maps.reshape(len(maps), int(np.prod(shape)))
    return leaves.weights.astype(float) @ flat, flat


def uniform(*members, pattern=None):
    """Return fractions of sites over their voxels, in proportion to one pattern."""
    pattern = np.random.default_rng(0).uniform(0.2, 1.0, VOXELS) if pattern is None else pattern
    rows = np.zeros((len(members), VOXELS))
    for row, voxels in zip(rows, members, strict=True):
        row[list(voxels)] = pattern[list(voxels)]
    total = rows.sum(axis=1, keepdims=True)
    return rows / np.where(total, total, 1.0)


def assert_exact(rows, leaves):
    """Check the sum to the single precision of sources and weights, and that each leaf has unit activity."""
    found, flat = rebuilt(leaves)
    np.testing.assert_allclose(found, rows, atol=1e-6 * rows.max())
    np.testing.assert_allclose(flat.sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("members", "count"),
    [
        ((range(40), range(10, 30), range(15, 20)), 3),  # nested
        ((range(25), range(20, 50)), 3),  # overlapping
        ((range(5, 30), range(5, 30), range(5, 30)), 1),  # identical
        ((range(20), range(20, 40), range(40, 60)), 3),  # disjoint
        (([7], [7], [9]), 2),  # one voxel
        ((range(60), [0], [59]), 3),  # corners
    ],
    ids=["nested", "overlapping", "identical", "disjoint", "one voxel", "corners"],
)
def test_sites_of_one_pattern_share_disjoint_leaves(members, count):
    rows = uniform(*members)
    leaves = split_into_leaves(sparse.csr_array(rows), SHAPE)
    assert_exact(rows, leaves)
    assert len(leaves.sources) == count
    assert np.all(np.count_nonzero(rebuilt(leaves)[1], axis=0) <= 1)


@given(st.integers(1, 20), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_membership_is_exact(sites, seed, shared):
    rng = np.random.default_rng(seed)
    member = rng.random((sites, VOXELS)) < rng.choice([0.02, 0.3, 0.9])
    pattern = rng.uniform(0.01, 1.0, VOXELS) if shared else rng.uniform(0.01, 1.0, (sites, VOXELS))
    rows = member * pattern
    rows[:, 0] += ~member.any(axis=1)  # no site is empty
    if shared and not member[:, 0].any():
        rows[:, 0] = np.where(rows[:, 0] > 0, pattern[0], 0.0)
    rows /= rows.sum(axis=1, keepdims=True)
    assert_exact(rows, split_into_leaves(sparse.csr_array(rows), SHAPE))


@pytest.mark.parametrize("sites", [7, 8, 9, 15, 16, 17, 20])
def test_each_of_many_sites_counts_in_telling_leaves_apart(sites):
    # Every voxel belongs to all sites but one: as many leaves as sites, told apart by one bit each.
    rows = uniform(*[[v for v in range(VOXELS) if v % sites != site] for site in range(sites)])
    leaves = split_into_leaves(sparse.csr_array(rows), SHAPE)
    assert_exact(rows, leaves)
    assert len(leaves.sources) == sites
    assert np.all(np.count_nonzero(leaves.weights, axis=0) == sites - 1)


def test_a_site_of_another_pattern_stands_alone_and_the_sum_stays_exact():
    rows = uniform(range(30), range(10, 40), range(20, 50))
    rows[1, 12] *= 1.01  # in a voxel shared with the first site
    leaves = split_into_leaves(sparse.csr_array(rows), SHAPE)
    assert_exact(rows, leaves)
    alone = np.flatnonzero(np.count_nonzero(leaves.weights, axis=0) == 1)
    assert any(leaves.weights[1, leaf] > 0.99 for leaf in alone)


def test_patterns_that_differ_by_rounding_still_share():
    rows = uniform(range(30), range(10, 40)).astype(np.float32)
    leaves = split_into_leaves(sparse.csr_array(rows), SHAPE)
    assert_exact(rows.astype(float), leaves)
    assert len(leaves.sources) == 3


def test_the_first_site_may_be_the_odd_one():
    rows = uniform(range(30), range(20, 50), range(20, 50), range(25, 60))
    rows[0, :30] *= np.linspace(1.0, 3.0, 30)
    assert_exact(rows, split_into_leaves(sparse.csr_array(rows), SHAPE))


def test_unshared_leaves_are_the_sites():
    rows = uniform(range(40), range(25, 30))
    leaves = split_into_leaves(sparse.csr_array(rows), SHAPE, share=False)
    assert_exact(rows, leaves)
    np.testing.assert_allclose(leaves.weights, np.eye(2), rtol=1e-6)
    assert leaves.sources[1].start == (1, 1, 0)


def test_explicit_zeros_belong_to_no_site():
    rows = uniform(range(10), range(5, 15))
    stored = sparse.csr_array((rows.ravel(), np.tile(np.arange(VOXELS), 2), [0, VOXELS, 2 * VOXELS]), rows.shape)
    assert stored.nnz > np.count_nonzero(rows)
    leaves = split_into_leaves(stored, SHAPE)
    assert_exact(rows, leaves)
    assert len(leaves.sources) == 3


def test_fractions_are_left_as_they_were():
    fractions = sparse.csr_array(uniform(range(20), range(10, 30)))
    before = fractions.toarray()
    split_into_leaves(fractions, SHAPE)
    np.testing.assert_array_equal(fractions.toarray(), before)


@pytest.mark.parametrize("share", [True, False])
def test_an_empty_site_has_no_leaf(share):
    rows = uniform(range(20), [], range(10, 30))
    leaves = split_into_leaves(sparse.csr_array(rows), SHAPE, share)
    assert_exact(rows, leaves)
    assert not leaves.weights[1].any()


@pytest.mark.parametrize("share", [True, False])
def test_no_activity_has_no_leaves(share):
    leaves = split_into_leaves(sparse.csr_array((2, VOXELS)), SHAPE, share)
    assert leaves.sources == ()
    assert leaves.weights.shape == (2, 0)


def test_amounts_of_any_scale_are_split_alike():
    rows = uniform(range(30), range(10, 40)) * np.array([[1e-9], [3e7]])
    leaves = split_into_leaves(sparse.csr_array(rows), SHAPE)
    found, _ = rebuilt(leaves)
    np.testing.assert_allclose(found, rows, rtol=2e-6)
    assert len(leaves.sources) == 3
