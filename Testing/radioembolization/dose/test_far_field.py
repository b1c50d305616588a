"""The coarse tail against the tail summed voxel by voxel in double precision, and what gathering keeps."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from radioembolization.dose.far_field import _MARGIN, far_field
from radioembolization.dose.near_field import Patch
from radioembolization.physics import HO166, I131, LIVER, LU177, Y90, two_scale_kernel
from radioembolization.physics.voxel_kernel import TAIL_ERROR

#: 166Ho on 3 x 4 x 4 mm: the coarse samples differ along the axes, 4 x 3 x 3 voxels.
KERNEL = two_scale_kernel(HO166, (3.0, 4.0, 4.0), 1.06, LIVER)


def with_factor(factor, kernel=KERNEL):
    """Return a kernel that is sampled at another distance."""
    return dataclasses.replace(kernel, coarse_factor=factor)


@cache
def tail_between_all(kernel, shape):
    """Return the tail at all offsets between voxels of a grid (2n - 1 along each axis)."""
    z, y, x = (np.arange(n) * side for n, side in zip(shape, kernel.near.spacing_mm, strict=True))
    octant = kernel.tail.between_voxels((z, y, x), kernel.near.spacing_mm)
    return octant[np.ix_(*(np.abs(np.arange(1 - n, n)) for n in shape))]


def tail_directly(kernel, source):
    """Convolve a map with the tail between all pairs of fine voxels, in double precision."""
    full = signal.fftconvolve(source, tail_between_all(kernel, source.shape))
    return full[tuple(slice(n - 1, 2 * n - 1) for n in source.shape)]


def tail_of(kernel, source, box=None):
    """Return the coarse tail of a map given as one patch on its own grid."""
    far = far_field(kernel, source.shape)
    box = box or tuple(slice(0, n) for n in source.shape)
    return next(far.spread(far.gather(Patch((0, 0, 0), source))[None], box))


def impulse(shape, place):
    """Return a map with unit activity in one voxel."""
    source = np.zeros(shape)
    source[place] = 1.0
    return source


@given(
    st.tuples(st.integers(1, 23), st.integers(1, 17), st.integers(1, 11)),
    st.tuples(*[st.integers(1, 6)] * 3),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=30, deadline=None)
def test_gathering_keeps_amount_and_five_moments(shape, factor, seed):
    rng = np.random.default_rng(seed)
    start = tuple(int(rng.integers(n)) for n in shape)
    values = rng.random([int(rng.integers(1, n - s + 1)) for n, s in zip(shape, start, strict=True)])
    gathered = far_field(with_factor(factor), shape).gather(Patch(start, values)).astype(float)
    for axis in range(3):
        fine = np.arange(values.shape[axis]) + start[axis]
        coarse = np.arange(gathered.shape[axis], dtype=float)
        if factor[axis] > 1:  # the first sample on the grid lies in the middle of its voxels
            coarse = (coarse - _MARGIN) * factor[axis] + (factor[axis] - 1) / 2.0
        others = tuple({0, 1, 2} - {axis})
        centre, scale = fine.mean(), max(shape[axis], 6.0 * factor[axis])
        for moment in range(6):
            expected = (values.sum(axis=others) * ((fine - centre) / scale) ** moment).sum()
            found = (gathered.sum(axis=others) * ((coarse - centre) / scale) ** moment).sum()
            # Single precision; weights of either sign, below 1.3 per axis.
            assert found == pytest.approx(expected, abs=3e-6 * values.sum())


def test_weights_of_an_impulse_are_local():
    # A source spreads over the six nearest samples along each axis and no further.
    gathered = far_field(with_factor((4, 4, 4)), (60, 60, 60)).gather(Patch((30, 30, 30), np.ones((1, 1, 1))))
    filled = np.argwhere(gathered)
    assert np.ptp(filled, axis=0).max() <= 5
    position = (30 - 1.5) / 4 + _MARGIN
    assert np.abs(filled - position).max() < 3.0


#: Further nuclides with what their tail may be off, for a point and an organ.
MORE = [
    [pytest.param(nuclide, worst, marks=pytest.mark.exhaustive) for nuclide in (LU177, I131)] for worst in (0.01, 1e-3)
]


@pytest.mark.parametrize(("nuclide", "worst"), [(Y90, 0.6), (HO166, 0.12), *MORE[0]])
@pytest.mark.parametrize("spacing", [(3.0, 4.0, 4.0), pytest.param((2.5, 2.5, 2.5), marks=pytest.mark.exhaustive)])
def test_a_point_misplaces_no_more_than_stated(nuclide, worst, spacing):
    kernel = two_scale_kernel(nuclide, spacing, 1.06, LIVER)
    for place in ((0, 0, 0), (14, 13, 12), (27, 0, 21), (5, 23, 1)):
        source = impulse((28, 24, 22), place)
        expected, found = tail_directly(kernel, source), tail_of(kernel, source)
        # The stated bound, counted as the sum of absolute errors per unit of emitted energy.
        assert np.abs(found - expected).sum() < TAIL_ERROR
        # The bound is no bound on the shape where photons carry next to nothing: around a point source of
        # 90Y the coarse tail, 0.35 % of the energy, is up to half of its largest value off.
        np.testing.assert_allclose(found, expected, atol=worst * expected.max())


@pytest.mark.parametrize(("nuclide", "worst"), [(Y90, 0.05), (HO166, 5e-3), *MORE[1]])
def test_the_tail_of_an_organ_is_right_everywhere(nuclide, worst):
    # A smooth source has little at the wavelength of the samples.  In dose: 0.35 % of 5 % for 90Y, 4 % of
    # 0.5 % for 166Ho, at most 60 % of 0.1 % for 131I.
    kernel = two_scale_kernel(nuclide, (3.0, 4.0, 4.0), 1.06, LIVER)
    z, y, x = np.indices((30, 26, 24)) - np.array([13.0, 15.0, 11.0])[:, None, None, None]
    source = np.exp(-0.5 * ((z / 6.0) ** 2 + (y / 5.0) ** 2 + (x / 4.0) ** 2))
    expected = tail_directly(kernel, source)
    np.testing.assert_allclose(tail_of(kernel, source), expected, atol=worst * expected.max())


def test_factor_one_is_exact():
    source = np.random.default_rng(1).random((9, 11, 8))
    expected = tail_directly(KERNEL, source)
    # Single precision only.
    np.testing.assert_allclose(tail_of(with_factor((1, 1, 1)), source), expected, atol=2e-6 * expected.max())


@pytest.mark.parametrize("factor", [(2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 2, 2)])
def test_closer_samples_come_close_to_exact(factor):
    # 166Ho has a joint of 20 mm; with samples every 8 mm at most, the sixth power of 8 / 20 is 4e-3.
    source = np.random.default_rng(2).random((14, 13, 12)) ** 3
    expected = tail_directly(KERNEL, source)
    np.testing.assert_allclose(tail_of(with_factor(factor), source), expected, rtol=4e-3)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 20, 18), (20, 1, 18), (20, 18, 1), (2, 3, 2), (5, 1, 1), (3, 9, 7)])
def test_thin_and_tiny_grids(shape):
    source = np.random.default_rng(3).random(shape)
    expected = tail_directly(KERNEL, source)
    found = tail_of(KERNEL, source)
    # Samples every 12 mm against a joint of 20 mm: (12 / 20)^6 = 5 % of the tail, twice (there and back).
    np.testing.assert_allclose(found, expected, rtol=0.1)
    assert np.abs(found - expected).max() < TAIL_ERROR * source.max()


@pytest.mark.parametrize("factor", [(4, 3, 3), (1, 1, 1), (5, 1, 2)])
def test_a_box_is_the_slice_of_the_whole(factor):
    kernel, rng = with_factor(factor), np.random.default_rng(4)
    source = rng.random((21, 19, 17)) * (rng.random((21, 19, 17)) < 0.02)
    whole = tail_of(kernel, source)
    for box in (
        (slice(3, 9), slice(0, 19), slice(16, 17)),
        (slice(20, 21), slice(18, 19), slice(0, 1)),
        (slice(0, 1), slice(5, 6), slice(2, 15)),
    ):
        np.testing.assert_allclose(tail_of(kernel, source, box), whole[box], atol=2e-6 * whole.max())


def test_several_sources_keep_their_order_and_amount():
    far = far_field(KERNEL, (18, 17, 16))
    patches = [Patch((1, 2, 3), np.ones((2, 2, 2))), Patch((10, 9, 8), np.full((3, 1, 4), 0.5))]
    gathered = np.stack([far.gather(patch) for patch in patches])
    box = (slice(2, 15), slice(0, 17), slice(4, 16))
    both = list(far.spread(gathered, box))
    for patch, found in zip(patches, both, strict=True):
        source = np.zeros((18, 17, 16))
        source[patch.clipped(source.shape)[0]] = patch.values
        alone = tail_of(KERNEL, source)[box]
        np.testing.assert_allclose(found, alone, atol=2e-6 * alone.max())


@pytest.mark.parametrize("shape", [(18, 17, 16), (1, 20, 9), (3, 2, 1)])
@pytest.mark.parametrize("nuclide", [Y90, I131], ids=lambda n: n.name)
def test_totals_are_the_sums_over_the_whole_grid(shape, nuclide):
    kernel = two_scale_kernel(nuclide, (3.0, 4.0, 4.0), 1.06, LIVER)
    far, rng = far_field(kernel, shape), np.random.default_rng(5)
    gathered = np.stack([far.gather(Patch((0, 0, 0), rng.random(shape) ** 4)) for _ in range(3)])
    sums = [found.sum(dtype=float) for found in far.spread(gathered, tuple(slice(0, n) for n in shape))]
    np.testing.assert_allclose(far.totals(gathered), sums, rtol=1e-5)  # single precision


def test_no_amount_no_tail():
    far = far_field(KERNEL, (7, 8, 9))
    nothing = np.zeros((2, *far.coarse_shape), dtype=np.float32)
    assert not any(found.any() for found in far.spread(nothing, (slice(0, 7), slice(0, 8), slice(0, 9))))
    np.testing.assert_array_equal(far.totals(nothing), 0.0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_mirrored_sources_have_mirrored_tails(axis):
    # Eleven voxels are no multiple of 3 or 4: the coarse samples themselves are not mirrored, so what
    # remains is their error.
    source = np.random.default_rng(6).random((11, 11, 11))
    mirrored = np.flip(tail_of(KERNEL, np.flip(source, axis)), axis)
    np.testing.assert_allclose(mirrored, tail_of(KERNEL, source), rtol=0.01)
