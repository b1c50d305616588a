"""The compact part: patches, pieces that share no voxel, the choice of transform, and kept plans."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from radioembolization.dose import near_field
from radioembolization.dose.hartley import hartley_plan
from radioembolization.dose.near_field import NearField, Patch, forget_plans, trim


def even_kernel(half=(1, 2, 3), seed=0):
    """Return a kernel even along each axis, of different width along the three."""
    octant = np.random.default_rng(seed).random([h + 1 for h in half])
    return octant[np.ix_(*(np.abs(np.arange(-h, h + 1)) for h in half))]


def pasted(patches, shape):
    """Return the sum of the parts of patches that lie in a grid, and how often each voxel was covered."""
    total, times = np.zeros(shape), np.zeros(shape, dtype=int)
    for patch in patches:
        box, values = patch.clipped(shape)
        total[box] += values
        times[box] += 1
    return total, times


@pytest.mark.parametrize("hartley", [True, False])
@pytest.mark.parametrize("shape", [(6, 7, 8), (1, 9, 2), (13, 1, 1)])
def test_equal_to_direct_summation_by_either_transform(shape, hartley, monkeypatch):
    monkeypatch.setattr(NearField, "prefers_hartley", lambda self, shape: hartley)
    kernel, source = even_kernel(), np.random.default_rng(1).random(shape)
    expected = signal.convolve(source, kernel, method="direct")
    # Single precision.
    np.testing.assert_allclose(NearField(kernel).spread(source), expected, atol=2e-6 * expected.max())


def test_a_patch_is_widened_by_the_half_width():
    found = NearField(even_kernel()).patch(Patch((4, 0, -2), np.ones((2, 3, 4), np.float32)))
    assert found.start == (3, -2, -5)
    assert found.values.shape == (4, 7, 10)


@pytest.mark.parametrize(
    ("start", "size", "target", "first"),
    [
        ((1, 1, 1), (2, 2, 2), (slice(1, 3),) * 3, (0, 0, 0)),
        ((-1, 0, 3), (3, 4, 4), (slice(0, 2), slice(0, 4), slice(3, 6)), (1, 0, 0)),
        ((-2, -2, -2), (9, 9, 9), (slice(0, 4), slice(0, 5), slice(0, 6)), (2, 2, 2)),
    ],
)
def test_clipped_keeps_what_is_inside(start, size, target, first):
    values = np.arange(np.prod(size), dtype=np.float32).reshape(size)
    box, inside = Patch(start, values).clipped((4, 5, 6))
    assert box == target
    lengths = [part.stop - part.start for part in target]
    np.testing.assert_array_equal(inside, values[tuple(slice(f, f + n) for f, n in zip(first, lengths, strict=True))])


@pytest.mark.parametrize("start", [(-3, 0, 0), (0, 5, 0), (0, 0, 9), (-9, -9, -9), (20, 20, 20)])
def test_clipped_of_a_patch_outside_is_empty(start):
    box, inside = Patch(start, np.ones((2, 2, 2), np.float32)).clipped((4, 5, 6))
    grid = np.zeros((4, 5, 6))
    assert grid[box].shape == inside.shape
    assert inside.size == 0


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6), st.integers(0, 3)), max_size=4),
    st.tuples(*[st.integers(-3, 3)] * 3),
)
def test_trim_keeps_everything_and_no_empty_plane(places, start):
    values = np.zeros((6, 7, 4))
    for place in places:
        values[place] += 1.5
    found = trim(Patch(start, values))
    if not places:
        assert found is None
        return
    index = np.argwhere(values)
    assert found.start == tuple(index.min(axis=0) + start)
    assert found.values.shape == tuple(np.ptp(index, axis=0) + 1)
    assert found.values.sum() == values.sum()


@pytest.mark.parametrize("limit", [1, 20_000, 60_000, 1 << 30])
def test_pieces_are_apart_and_add_up(limit, monkeypatch):
    rng = np.random.default_rng(2)
    source = rng.random((9, 24, 31)) * (rng.random((9, 24, 31)) < 0.05)
    source[:, 10:14] = 0.0  # an empty slab, which no piece holds at its ends
    near = NearField(even_kernel())
    whole = Patch((2, 3, 4), source)
    monkeypatch.setattr(near_field, "WORKING_NBYTES", limit)
    pieces = list(near.in_pieces(whole))
    assert (len(pieces) > 3) == (limit < 1 << 30)
    together, times = pasted(pieces, (14, 30, 40))
    expected, _ = pasted([whole], (14, 30, 40))
    np.testing.assert_array_equal(together, expected)
    assert times.max() == 1
    spread, _ = pasted([near.patch(piece) for piece in pieces], (14, 30, 40))
    reference, _ = pasted([near.patch(whole)], (14, 30, 40))
    # Single precision of the two transforms.
    np.testing.assert_allclose(spread, reference, atol=2e-6 * reference.max())


def test_pieces_fit_into_the_memory_unless_no_wider_than_the_kernel(monkeypatch):
    near, limit = NearField(even_kernel((1, 1, 1))), 16 * 12**3
    monkeypatch.setattr(near_field, "WORKING_NBYTES", limit)
    pieces = list(near.in_pieces(Patch((0, 0, 0), np.ones((30, 7, 26)))))
    for piece in pieces:
        padded = np.prod([n + 2 for n in piece.values.shape])
        assert 16 * padded <= limit or max(piece.values.shape) <= 2
    assert sum(piece.values.size for piece in pieces) == 30 * 7 * 26


def test_nothing_has_no_pieces():
    assert list(NearField(even_kernel()).in_pieces(Patch((0, 0, 0), np.zeros((3, 3, 3))))) == []


def test_the_faster_transform_is_the_one_preferred():
    near = NearField(even_kernel((5, 5, 5)))
    assert near.prefers_hartley((8, 8, 8))
    assert not near.prefers_hartley((250, 250, 250))
    for shape in ((8, 8, 8), (250, 250, 250)):
        assert near.cost_ns(shape) == min(near.cost_ns(shape, True), near.cost_ns(shape, False))


def plan_of(plans, octant, shape):
    """Return a plan by Hartley transform, with the key that belongs to the kernel."""
    return plans.get(octant, octant.tobytes(), shape, True)


def test_a_plan_is_kept_per_kernel_and_shape():
    plans = near_field._Plans(1 << 20)
    one, other = np.ones((2, 2, 2)), np.full((2, 2, 2), 2.0)
    first = plan_of(plans, one, (3, 4, 5))
    assert plan_of(plans, one, (3, 4, 5)) is first
    assert plan_of(plans, one, (5, 4, 3)) is not first
    assert plan_of(plans, other, (3, 4, 5)) is not first
    np.testing.assert_allclose(plan_of(plans, other, (3, 4, 5)).spectrum, 2.0 * first.spectrum)


def test_two_kernels_of_equal_bytes_and_other_shape_have_their_own_plans():
    forget_plans()
    source = np.ones((4, 4, 4))
    for half in ((0, 2, 1), (2, 0, 1), (1, 2, 0)):
        kernel = np.ones([2 * h + 1 for h in half])
        expected = signal.convolve(source, kernel, method="direct")
        np.testing.assert_allclose(NearField(kernel).spread(source), expected, rtol=1e-5)


def test_the_least_recently_used_plan_goes_first_and_the_limit_holds():
    octant = np.ones((2, 2, 2))
    size = hartley_plan(octant, (4, 4, 4)).nbytes
    plans = near_field._Plans(int(2.5 * size))
    first = plan_of(plans, octant, (4, 4, 4))
    second = plan_of(plans, octant + 1.0, (4, 4, 4))
    assert plan_of(plans, octant, (4, 4, 4)) is first  # used again: the second is now the oldest
    plan_of(plans, octant + 2.0, (4, 4, 4))
    assert plans._held == sum(plan.nbytes for plan in plans._plans.values()) <= 2.5 * size
    assert plan_of(plans, octant, (4, 4, 4)) is first
    assert plan_of(plans, octant + 1.0, (4, 4, 4)) is not second


def test_a_plan_above_the_limit_is_kept_alone():
    plans = near_field._Plans(10)
    first = plan_of(plans, np.ones((2, 2, 2)), (3, 3, 3))
    assert plan_of(plans, np.ones((2, 2, 2)), (3, 3, 3)) is first
    plan_of(plans, np.ones((2, 2, 2)), (4, 3, 3))
    assert len(plans._plans) == 1
    plans.clear()
    assert not plans._plans
    assert plans._held == 0


def test_many_threads_share_the_plans_without_losing_count():
    # Few plans fit, so that threads evict each other's all the time.
    size = hartley_plan(np.ones((2, 2, 2)), (4, 4, 4)).nbytes
    plans, wrong = near_field._Plans(3 * size), []
    start = threading.Barrier(8)

    def work(seed):
        rng = np.random.default_rng(seed)
        start.wait()
        for _ in range(150):
            value = float(rng.integers(1, 7))
            plan = plan_of(plans, np.full((2, 2, 2), value), (4, 4, 4))
            # The wave of zero frequency holds the sum of the kernel: 27 times its value.
            if abs(plan.spectrum[0, 0, 0] - 27.0 * value) > 1e-3:
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert plans._held == sum(plan.nbytes for plan in plans._plans.values()) <= 3 * size
