"""Maps of sites: every way to read them agrees with the others and with the convolution of each site."""

import threading

import numpy as np
import pytest
from scipy import sparse

from radioembolization.dose import convolve, threads
from radioembolization.dose.columns import Columns
from radioembolization.dose.leaves import split_into_leaves
from radioembolization.dose.near_field import NearField
from radioembolization.dose.site_maps import cheapest_leaves, compute_site_maps
from radioembolization.physics import HO166, LIVER, Y90, two_scale_kernel
from radioembolization.physics.voxel_kernel import TAIL_ERROR

SHAPE = (14, 15, 16)
KERNELS = [two_scale_kernel(nuclide, (3.0, 4.0, 4.0), 1.06, LIVER) for nuclide in (Y90, HO166)]
EVERY = pytest.mark.parametrize("kernel", KERNELS, ids=["90Y", "166Ho"])


def fractions_of(masks, pattern=None):
    """Return fractions (sites, voxels) of masks, in proportion to one pattern unless there is one per site."""
    masks = np.array(masks, dtype=float)
    if pattern is None:
        pattern = np.random.default_rng(0).uniform(0.3, 1.0, SHAPE)
    rows = (masks * pattern).reshape(len(masks), -1)
    return sparse.csr_array(rows / rows.sum(axis=1, keepdims=True))


def nested_sites():
    """Return a whole organ, two overlapping parts that touch the edge of the grid, and a single corner voxel."""
    masks = np.zeros((4, *SHAPE), dtype=bool)
    masks[0, :, 2:13, 3:14] = True
    masks[1, :8, 4:13, 3:9] = True
    masks[2, 5:, 2:9, 6:14] = True
    masks[3, -1, -1, -1] = True
    return fractions_of(masks)


def each_convolved(fractions, kernel):
    """Return the maps (sites, z, y, x) of each site convolved by itself."""
    return np.stack([convolve(row.reshape(SHAPE), kernel) for row in fractions.toarray()])


ALL = Columns(np.arange(np.prod(SHAPE)), SHAPE)


@EVERY
@pytest.mark.parametrize("own_patterns", [False, True])
def test_each_site_is_its_convolution(kernel, own_patterns):
    fractions = nested_sites()
    if own_patterns:
        pattern = np.random.default_rng(1).uniform(0.3, 1.0, (4, *SHAPE))
        fractions = fractions_of((fractions.toarray() > 0).reshape(4, *SHAPE), pattern)
    found = compute_site_maps(fractions, SHAPE, kernel).at(ALL).reshape(4, *SHAPE)
    # Single precision, and what is set to zero as rounding: 1e-6 of the largest value, leaf by leaf.
    for one, expected in zip(found, each_convolved(fractions, kernel), strict=True):
        np.testing.assert_allclose(one, expected, atol=5e-6 * expected.max())


@EVERY
def test_chosen_voxels_are_those_of_the_whole_map(kernel):
    maps = compute_site_maps(nested_sites(), SHAPE, kernel)
    whole = maps.at(ALL)
    rng = np.random.default_rng(2)
    for count in (1, 7, 900):
        voxels = np.sort(rng.choice(whole.shape[1], count, replace=False))
        found = maps.at(Columns(voxels, SHAPE))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, whole[:, voxels], atol=1e-6 * whole.max())


@EVERY
def test_combined_is_the_weighted_sum(kernel):
    maps, amounts = compute_site_maps(nested_sites(), SHAPE, kernel), np.array([0.5, 0.0, 2.0, 1e-3])
    expected = (amounts @ maps.at(ALL).astype(float)).reshape(SHAPE)
    np.testing.assert_allclose(maps.combined(amounts), expected, atol=2e-6 * expected.max())
    assert not maps.combined(np.zeros(4)).any()


@EVERY
def test_totals_are_the_sums_of_the_maps(kernel):
    maps = compute_site_maps(nested_sites(), SHAPE, kernel)
    sums = maps.at(ALL).sum(axis=1, dtype=float)
    # Equal but for single precision and the tail of a corner voxel, whose coarse map is clipped at zero.
    np.testing.assert_allclose(maps.totals(), sums, rtol=1e-5, atol=0.2 * TAIL_ERROR)
    assert np.all(maps.totals() < 1.0)
    assert maps.totals()[3] < 0.75  # a corner voxel loses much to outside


@EVERY
def test_reached_is_where_the_compact_part_is(kernel):
    maps = compute_site_maps(nested_sites()[[1]], SHAPE, kernel)
    inside = np.zeros(SHAPE, dtype=bool)
    half = kernel.near.half_width
    inside[: 8 + half[0], max(0, 4 - half[1]) : 13 + half[1], max(0, 3 - half[2]) : 9 + half[2]] = True
    reached = maps.reached()
    assert np.all(np.diff(reached) > 0)
    assert np.all(inside.ravel()[reached])
    # All voxels of the source and those next to it receive more than rounding.
    assert set(np.flatnonzero(nested_sites().toarray()[1])) < set(reached)
    near_only = maps._near_at(ALL)[0]
    np.testing.assert_array_equal(np.flatnonzero(near_only > 0), reached)


def test_reach_of_electrons_ends_in_a_large_grid():
    far_apart = np.zeros((2, *SHAPE), dtype=bool)
    far_apart[0, 0, 0, 0], far_apart[1, -1, -1, -1] = True, True
    maps = compute_site_maps(fractions_of(far_apart), SHAPE, KERNELS[0])
    middle = np.ravel_multi_index((7, 7, 8), SHAPE)
    assert middle not in maps.reached()
    # No electron comes there, but the photons of either side do.
    assert np.all(maps.at(Columns(np.array([middle]), SHAPE)) > 0.0)
    assert np.all(maps._near_at(Columns(np.array([middle]), SHAPE)) == 0.0)


@pytest.mark.parametrize("sites", [1, 9, 17, 20])
def test_more_sites_than_are_spread_together(sites):
    # The single voxels of a row, and a site of all: as many leaves as voxels, more than one block of them.
    masks = np.zeros((sites, *SHAPE), dtype=bool)
    for site in range(sites):
        masks[site, 3 + site // 10, 5, 2 + site % 10] = True
    masks[0] = masks.any(axis=0)
    fractions = fractions_of(masks)
    found = compute_site_maps(fractions, SHAPE, KERNELS[0]).at(ALL).reshape(sites, *SHAPE)
    for one, expected in zip(found, each_convolved(fractions, KERNELS[0]), strict=True):
        np.testing.assert_allclose(one, expected, atol=5e-6 * expected.max())


def test_local_deposition_keeps_the_fractions():
    fractions, calls = nested_sites(), []
    maps = compute_site_maps(fractions, SHAPE, None, lambda done, of: calls.append((done, of)))
    np.testing.assert_allclose(maps.at(ALL), fractions.toarray(), atol=1e-6 * fractions.max())
    np.testing.assert_allclose(maps.totals(), 1.0, rtol=1e-6)
    amounts = np.array([1.0, 2.0, 0.0, 3.0])
    np.testing.assert_allclose(maps.combined(amounts).ravel(), amounts @ fractions.toarray(), rtol=1e-5)
    np.testing.assert_array_equal(maps.reached(), np.flatnonzero(fractions.toarray().any(axis=0)))
    assert calls == [(1, 1)]


def test_fewest_operations_decide_between_leaves_and_sites():
    near = NearField(KERNELS[0].near.energy_share)
    nested = nested_sites()
    leaves, sites = split_into_leaves(nested, SHAPE), split_into_leaves(nested, SHAPE, share=False)
    costs = [sum(near.cost_ns(s.values.shape) for s in parts.sources) for parts in (leaves, sites)]
    chosen = cheapest_leaves(nested, SHAPE, near)
    assert len(chosen.sources) == (len(leaves.sources), len(sites.sources))[int(np.argmin(costs))]
    # Two equal sites are one leaf, cheaper for sure.
    assert len(cheapest_leaves(nested[[0, 0]], SHAPE, near).sources) == 1


def test_an_empty_site_gives_no_dose():
    # Also where the sites themselves are cheaper to convolve than their leaves.
    nested = nested_sites().toarray()
    nested[1] = 0.0
    maps = compute_site_maps(sparse.csr_array(nested), SHAPE, KERNELS[0])
    assert not maps.at(ALL)[1].any()
    assert maps.totals()[1] == 0.0
    nothing = compute_site_maps(sparse.csr_array(nested.shape), SHAPE, KERNELS[0])
    assert not nothing.at(ALL).any()
    assert not nothing.combined(np.ones(4)).any()
    np.testing.assert_array_equal(nothing.totals(), 0.0)
    assert not len(nothing.reached())


def test_progress_counts_every_leaf_once(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 4)
    calls = []
    maps = compute_site_maps(nested_sites(), SHAPE, KERNELS[0], lambda done, of: calls.append((done, of)))
    leaves = len(maps.near)
    assert calls == [(done, leaves) for done in range(1, leaves + 1)]


class Cancelled(Exception):
    """Raised by a progress call, as by a user who presses a button."""


@pytest.mark.parametrize("at", [1, 2])
def test_a_progress_call_can_end_the_computation(at, monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 4)

    def cancel(done, of):
        assert threading.current_thread() is threading.main_thread()
        if done == at:
            raise Cancelled

    with pytest.raises(Cancelled):
        compute_site_maps(nested_sites(), SHAPE, KERNELS[0], cancel)
    assert not [thread for thread in threading.enumerate() if "ThreadPoolExecutor" in thread.name]
    # Nothing half done is kept: the same call afterwards is right.
    found = compute_site_maps(nested_sites(), SHAPE, KERNELS[0]).at(ALL)
    expected = each_convolved(nested_sites(), KERNELS[0]).reshape(4, -1)
    np.testing.assert_allclose(found, expected, atol=5e-6 * expected.max())


def test_an_error_within_a_leaf_is_raised_and_nothing_hangs(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 4)
    monkeypatch.setattr(NearField, "patch", lambda self, source: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        compute_site_maps(nested_sites(), SHAPE, KERNELS[0])


def test_callers_at_the_same_time_do_not_disturb_each_other():
    fractions, results = nested_sites(), []

    def work():
        results.append(compute_site_maps(fractions, SHAPE, KERNELS[1]).at(ALL))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 4
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_memory_is_that_of_patches_and_coarse_maps():
    maps = compute_site_maps(nested_sites(), SHAPE, KERNELS[1])
    assert maps.nbytes == sum(patch.values.nbytes for patch in maps.near) + maps.gathered.nbytes
