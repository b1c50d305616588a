"""The convolution against its kernel, direct summation, linearity and translation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from radioembolization.dose import convolve, near_field
from radioembolization.errors import InputError
from radioembolization.images import Grid
from radioembolization.physics import HO166, I131, LU177, Y90, VoxelKernel, two_scale_kernel, voxel_kernel
from series import series
from support import ellipsoid

RNG = np.random.default_rng(9)


def small_kernel(shape=(5, 7, 3)):
    """Return a kernel even along each axis but different along the three, so that swapped axes fail."""
    share = RNG.uniform(0.1, 1.0, shape)
    for axis in range(3):
        share = (share + np.flip(share, axis)) / 2.0
    return VoxelKernel("test", (1.0, 2.0, 3.0), 1.0, share / share.sum())


def directly(activity, kernel):
    """Sum the contribution of every filled voxel in double precision."""
    half = kernel.half_width
    padded = np.zeros(tuple(n + 2 * h for n, h in zip(activity.shape, half, strict=True)))
    for place in np.argwhere(activity):
        window = tuple(slice(p, p + n) for p, n in zip(place, kernel.energy_share.shape, strict=True))
        padded[window] += float(activity[tuple(place)]) * kernel.energy_share
    return padded[tuple(slice(h, h + n) for h, n in zip(half, activity.shape, strict=True))]


@pytest.mark.parametrize("corner", list(np.ndindex(2, 2, 2)))
@pytest.mark.parametrize("kernel", [small_kernel(), voxel_kernel(Y90, (3.0, 4.0, 4.0), 1.06)], ids=["small", "90Y"])
def test_an_impulse_in_a_corner_gives_the_cropped_kernel(corner, kernel):
    shape = (9, 10, 11)
    place = tuple((n - 1) * c for n, c in zip(shape, corner, strict=True))
    activity = np.zeros(shape)
    activity[place] = 1.0
    expected = np.zeros(shape)
    for index in np.ndindex(shape):
        offset = tuple(i - p + h for i, p, h in zip(index, place, kernel.half_width, strict=True))
        if all(0 <= o < n for o, n in zip(offset, kernel.energy_share.shape, strict=True)):
            expected[index] = kernel.energy_share[offset]
    # Single precision of the transform; what would wrap around appears at the opposite corner at full size.
    np.testing.assert_allclose(convolve(activity, kernel), expected, atol=2e-6 * expected.max())
    opposite = tuple(n - 1 - p for n, p in zip(shape, place, strict=True))
    assert expected[opposite] < 1e-3 * expected.max()


def test_an_impulse_inside_gives_the_kernel_as_it_is():
    kernel = small_kernel()
    activity = np.zeros((12, 13, 14))
    activity[6, 5, 8] = 2.0
    absorbed = convolve(activity, kernel)
    np.testing.assert_allclose(absorbed[4:9, 2:9, 7:10], 2.0 * kernel.energy_share, atol=1e-6)
    assert absorbed.sum() == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("kernel", [small_kernel(), voxel_kernel(Y90, (2.5,) * 3, 1.06)], ids=["small", "90Y"])
def test_equal_to_direct_summation(kernel):
    rng = np.random.default_rng(1)
    grid = Grid((20, 18, 22), (2.5,) * 3)
    activity = rng.gamma(1.0, 1.0, grid.shape) * ellipsoid(grid, (26.0, 21.0, 24.0), (24.0, 20.0, 22.0))
    expected = directly(activity, kernel)
    # Stated goal of the engine: 2e-6 of the maximum against double precision.
    np.testing.assert_allclose(convolve(activity, kernel), expected, atol=2e-6 * expected.max())


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0), st.floats(0.1, 10.0))
@settings(max_examples=15, deadline=None)
def test_linear_in_activity(seed, first, second):
    rng = np.random.default_rng(seed)
    kernel = small_kernel()
    one, two = rng.random((8, 9, 7)), rng.random((8, 9, 7))
    together = convolve(first * one + second * two, kernel)
    apart = first * convolve(one, kernel) + second * convolve(two, kernel)
    np.testing.assert_allclose(together, apart, atol=4e-6 * together.max())


@pytest.mark.parametrize("shift", [(1, 0, 0), (0, 2, 0), (0, 0, 3), (2, 1, 1)])
def test_translation_moves_the_dose_along(shift):
    kernel = small_kernel()
    activity = np.zeros((20, 20, 20))
    activity[6:10, 7:11, 6:9] = np.random.default_rng(2).random((4, 4, 3))
    moved = convolve(np.roll(activity, shift, axis=(0, 1, 2)), kernel)
    expected = np.roll(convolve(activity, kernel), shift, axis=(0, 1, 2))
    np.testing.assert_allclose(moved, expected, atol=2e-6 * expected.max())


def test_what_leaves_the_grid_is_lost_and_nothing_else():
    # A plane of activity on the first slice, kernel even along z: half of what leaves its own slice is lost.
    kernel = small_kernel((3, 1, 1))
    activity = np.zeros((6, 4, 4))
    activity[0] = 1.0
    lost = 1.0 - convolve(activity, kernel).sum() / activity.sum()
    assert lost == pytest.approx(kernel.energy_share[0, 0, 0], rel=1e-5)


def test_no_activity_no_dose():
    assert not convolve(np.zeros((4, 5, 6)), small_kernel()).any()


def test_dose_is_never_negative():
    activity = np.zeros((30, 30, 30))
    activity[5, 5, 5], activity[20, 20, 20] = 1.0, 1e-4
    assert convolve(activity, voxel_kernel(Y90, (2.5,) * 3, 1.06)).min() >= 0.0


def test_the_activity_given_is_not_changed():
    activity = np.random.default_rng(0).random((6, 6, 6))
    before = activity.copy()
    convolve(activity, small_kernel())
    np.testing.assert_array_equal(activity, before)


@pytest.mark.parametrize("nuclide", series([Y90, HO166], 1), ids=lambda n: n.name)
def test_a_block_of_voxels_absorbs_what_one_voxel_of_its_size_does(nuclide):
    # Superposition: a uniform block of 5 x 4 x 6 voxels of 3 x 4 x 4 mm is one source voxel of
    # 15 x 16 x 24 mm.  Two quadratures (1e-4) and single precision.
    block = np.zeros((20, 20, 20))
    block[5:10, 6:10, 7:13] = 1.0 / 120.0
    absorbed = convolve(block, voxel_kernel(nuclide, (3.0, 4.0, 4.0), 1.06))
    whole = voxel_kernel(nuclide, (15.0, 16.0, 24.0), 1.06)
    expected = whole.energy_share[whole.half_width]
    assert absorbed[block > 0].sum() == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 8), (7, 1, 1), (2, 3, 2), (13, 11, 1), (17, 4, 9)])
@pytest.mark.parametrize("kernel_shape", [(1, 1, 1), (3, 5, 7), (1, 9, 1), (31, 3, 5), (9, 25, 33)])
def test_any_grid_with_a_kernel_of_any_width(shape, kernel_shape):
    # Also kernels that reach beyond the grid on both sides of every voxel.
    kernel = small_kernel(kernel_shape)
    activity = np.random.default_rng(4).random(shape)
    expected = directly(activity, kernel)
    np.testing.assert_allclose(convolve(activity, kernel), expected, atol=2e-6 * expected.max())


@given(st.tuples(*[st.integers(1, 14)] * 3), st.tuples(*[st.integers(0, 4)] * 3), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_equal_to_direct_summation_for_scattered_activity(shape, half, seed):
    rng = np.random.default_rng(seed)
    kernel = small_kernel(tuple(2 * h + 1 for h in half))
    activity = rng.random(shape) * (rng.random(shape) < 0.2)
    expected = directly(activity, kernel)
    np.testing.assert_allclose(convolve(activity, kernel), expected, atol=2e-6 * expected.max())


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kernel", [small_kernel(), voxel_kernel(Y90, (3.0, 4.0, 4.0), 1.06)], ids=["small", "90Y"])
def test_mirrored_activity_gives_mirrored_dose(kernel, axis):
    activity = np.random.default_rng(5).random((9, 12, 10)) ** 4
    mirrored = np.flip(convolve(np.flip(activity, axis), kernel), axis)
    np.testing.assert_allclose(mirrored, convolve(activity, kernel), atol=2e-6 * mirrored.max())


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (2, 0, 1)])
def test_turned_axes_of_activity_and_kernel_turn_the_dose(order):
    kernel, activity = small_kernel((5, 7, 3)), np.random.default_rng(6).random((6, 9, 8))
    turned = VoxelKernel("test", (1.0, 1.0, 1.0), 1.0, kernel.energy_share.transpose(order))
    found = convolve(activity.transpose(order), turned)
    np.testing.assert_allclose(found, convolve(activity, kernel).transpose(order), atol=2e-6 * found.max())


KERNELS = {"one scale": small_kernel(), "two scales": two_scale_kernel(HO166, (3.0, 4.0, 4.0), 1.06)}


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_type_and_layout_in_memory_do_not_matter(kernel):
    # Small integers are exact in every type.
    activity = np.random.default_rng(7).integers(0, 9, (8, 9, 10)) * (np.arange(10) > 3)
    expected = convolve(activity.astype(float), kernel)
    wide = np.zeros((16, 9, 30))
    wide[::2, :, ::3] = activity
    locked = activity.astype(np.float32)
    locked.flags.writeable = False
    variants = [activity.astype(kind) for kind in (np.float16, np.float32, np.int16, np.uint8, np.int64)]
    variants += [np.asfortranarray(activity.astype(float)), wide[::2, :, ::3], locked]
    variants += [np.ascontiguousarray(activity[::-1, :, ::-1])[::-1, :, ::-1], activity.astype(">f8")]
    for variant in variants:
        before = variant.copy()
        found = convolve(variant, kernel)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(variant, before)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        assert not np.shares_memory(found, variant)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_pieces_of_little_memory_give_the_same_dose(kernel, monkeypatch):
    activity = np.random.default_rng(8).random((40, 34, 30))
    activity[12:20] = 0.0
    expected, calls = convolve(activity, kernel), []
    monkeypatch.setattr(near_field, "WORKING_NBYTES", 200_000)
    found = convolve(activity, kernel, lambda done, of: calls.append((done, of)))
    np.testing.assert_allclose(found, expected, atol=3e-6 * expected.max())
    steps = calls[-1][1]
    assert steps > 4
    assert calls == [(done, steps) for done in range(1, steps + 1)]


def test_a_progress_call_can_end_the_computation():
    def cancel(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convolve(np.ones((4, 4, 4)), KERNELS["two scales"], cancel)


def organ_on(spacing, shape=(30, 26, 24)):
    """Return an ellipsoid of unit activity per voxel within a grid."""
    grid = Grid(shape, spacing)
    centre = [(n - 1) * side / 2.0 for n, side in zip(shape[::-1], spacing[::-1], strict=True)]
    return ellipsoid(grid, centre, [0.8 * c for c in centre]).astype(float)


def at_full_reach(nuclide, spacing, activity):
    """Convolve in double precision with a kernel that spans the whole grid."""
    radius = max((n - 1) * side for n, side in zip(activity.shape, spacing, strict=True))
    kernel = voxel_kernel(nuclide, spacing, 1.06, radius_mm=radius)
    cut = tuple(slice(h - n + 1, h + n) for h, n in zip(kernel.half_width, activity.shape, strict=True))
    full = signal.fftconvolve(activity, kernel.energy_share[cut])
    return full[tuple(slice(n - 1, 2 * n - 1) for n in activity.shape)]


@pytest.mark.parametrize("nuclide", series([Y90, HO166, LU177, I131], 2), ids=lambda n: n.name)
def test_two_scales_are_the_whole_kernel(nuclide):
    spacing = (3.0, 4.0, 4.0)
    organ = organ_on(spacing)
    expected = at_full_reach(nuclide, spacing, organ)
    found = convolve(organ, two_scale_kernel(nuclide, spacing, 1.06))
    inside = organ > 0
    # Stated for a point source: 5e-4 of the emitted energy in absolute sum; within an organ errors of either
    # sign meet, and 2e-4 of the local dose are left.
    np.testing.assert_allclose(found[inside], expected[inside], rtol=2e-4)
    np.testing.assert_allclose(found, expected, atol=2e-4 * expected.max())
    # Energy: what the grid absorbs and what leaves it is what was emitted.
    assert found.sum(dtype=float) == pytest.approx(expected.sum(), rel=1e-4)
    assert found.sum(dtype=float) < (1.0 - two_scale_kernel(nuclide, spacing, 1.06).share_beyond) * organ.sum()


@pytest.mark.parametrize("nuclide", series([Y90, HO166, LU177, I131], 2), ids=lambda n: n.name)
@pytest.mark.parametrize("corner", [(0, 0, 0), (23, 0, 19), (12, 10, 9)])
def test_a_point_source_at_two_scales(nuclide, corner):
    spacing = (3.0, 4.0, 4.0)
    activity = np.zeros((24, 21, 20))
    activity[corner] = 1.0
    expected = at_full_reach(nuclide, spacing, activity)
    found = convolve(activity, two_scale_kernel(nuclide, spacing, 1.06))
    assert np.abs(found - expected).sum() < 5e-4  # as stated
    assert found.sum(dtype=float) == pytest.approx(expected.sum(), abs=2e-4)
    np.testing.assert_allclose(found[corner], expected[corner], rtol=1e-4)


def test_planes_beyond_the_first_slab_have_their_tail():
    # The tail is interpolated 64 planes at a time.
    spacing = (3.0, 4.0, 4.0)
    activity = np.zeros((72, 5, 6))
    activity[[2, 30, 63, 64, 71], 2, 3] = 1.0
    expected = at_full_reach(I131, spacing, activity)
    found = convolve(activity, two_scale_kernel(I131, spacing, 1.06))
    # Fine-grid values below 1e-6 of the largest are set to zero, which is 2 % of the dose 30 mm away.
    np.testing.assert_allclose(found, expected, rtol=0.03)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "finite"), (np.inf, "finite"), (-np.inf, "finite"), (1e39, "finite"), (-1.0, "negative")],
)
def test_values_that_would_spoil_the_dose_are_refused(kernel, value, message):
    # One NaN would make every voxel NaN; negative activity would be lost where the dose is set to zero.
    activity = np.zeros((6, 7, 8))
    activity[1:5, 2:6, 3:7] = 1.0
    activity[2, 4, 5] = value
    with pytest.raises(InputError, match=rf"Activity of 1 voxels.*\(2, 4, 5\).*{message}"):
        convolve(activity, kernel)


def test_only_negative_values_are_refused_too():
    with pytest.raises(InputError, match="negative"):
        convolve(-np.ones((3, 3, 3)), small_kernel())


def test_negative_rounding_is_accepted():
    activity = np.ones((6, 6, 6))
    activity[3, 3, 3] = -1e-9
    assert convolve(activity, small_kernel()).min() >= 0.0


@pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 4, 5, 1)])
def test_anything_but_three_axes_is_refused(shape):
    with pytest.raises(InputError, match="three axes"):
        convolve(np.ones(shape), small_kernel())
