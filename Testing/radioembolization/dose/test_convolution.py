"""The convolution against its kernel, direct summation, linearity and translation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.dose import convolve
from radioembolization.images import Grid
from radioembolization.physics import HO166, Y90, VoxelKernel, voxel_kernel
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


@pytest.mark.parametrize("nuclide", [Y90, HO166], ids=lambda n: n.name)
def test_a_block_of_voxels_absorbs_what_one_voxel_of_its_size_does(nuclide):
    # Superposition: a uniform block of 5 x 4 x 6 voxels of 3 x 4 x 4 mm is one source voxel of
    # 15 x 16 x 24 mm.  Two quadratures (1e-4) and single precision.
    block = np.zeros((20, 20, 20))
    block[5:10, 6:10, 7:13] = 1.0 / 120.0
    absorbed = convolve(block, voxel_kernel(nuclide, (3.0, 4.0, 4.0), 1.06))
    whole = voxel_kernel(nuclide, (15.0, 16.0, 24.0), 1.06)
    expected = whole.energy_share[whole.half_width]
    assert absorbed[block > 0].sum() == pytest.approx(expected, rel=5e-4)
