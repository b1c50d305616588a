"""The Hartley transform by matrix products against direct summation in double precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.dose.hartley import even_spectrum, hartley_flops, hartley_plan

#: Odd, even and prime lengths, one voxel along some or all axes, and kernels wider than the source.
SHAPES = [(1, 1, 1), (1, 8, 9), (7, 1, 4), (5, 6, 1), (4, 5, 6), (11, 13, 7), (2, 17, 3), (16, 8, 4)]
OCTANTS = [(1, 1, 1), (2, 3, 4), (4, 3, 2), (1, 5, 2), (6, 1, 1), (9, 8, 7)]


def spread_directly(octant, source):
    """Sum the even kernel around every voxel, over the widened box, in double precision."""
    half = [n - 1 for n in octant.shape]
    wide = np.zeros([n + 2 * h for n, h in zip(source.shape, half, strict=True)])
    kernel = octant[np.ix_(*(np.abs(np.arange(-h, h + 1)) for h in half))]
    for place in np.ndindex(source.shape):
        wide[tuple(slice(p, p + n) for p, n in zip(place, kernel.shape, strict=True))] += source[place] * kernel
    return wide


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("octant_shape", OCTANTS)
def test_equal_to_direct_summation(shape, octant_shape):
    rng = np.random.default_rng(3)
    octant, source = rng.random(octant_shape), rng.random(shape).astype(np.float32)
    expected = spread_directly(octant, source.astype(float))
    found = hartley_plan(octant, shape).spread(source)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    # Three forward and three backward products of single precision, each with rounding 6e-8.
    np.testing.assert_allclose(found, expected, atol=2e-6 * expected.max())


@given(st.tuples(*[st.integers(1, 9)] * 3), st.tuples(*[st.integers(1, 6)] * 3), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_equal_to_direct_summation_for_any_shape_and_sign(shape, octant_shape, seed):
    rng = np.random.default_rng(seed)
    octant, source = rng.normal(size=octant_shape), rng.normal(size=shape).astype(np.float32)
    expected = spread_directly(octant, source.astype(float))
    # With both signs the result cancels, the rounding does not: its scale is the sum of magnitudes.
    scale = np.sqrt((source.astype(float) ** 2).sum()) * np.sqrt((octant**2).sum() * 8.0)
    np.testing.assert_allclose(hartley_plan(octant, shape).spread(source), expected, atol=2e-6 * scale)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("length", [9, 10, 11, 16])
def test_spectrum_is_the_fourier_transform_of_the_wrapped_kernel(axis, length):
    octant = np.random.default_rng(5).random((5, 4, 3))
    wrapped = np.zeros([length if i == axis else n for i, n in enumerate(octant.shape)])
    moved, half = np.moveaxis(wrapped, axis, 0), np.moveaxis(octant, axis, 0)
    for offset in range(len(half)):
        moved[offset] = half[offset]
        moved[-offset % length] = half[offset]
    expected = np.fft.fft(wrapped, axis=axis)
    assert np.abs(expected.imag).max() < 1e-12
    found = even_spectrum(octant, axis, length, length)
    np.testing.assert_allclose(found, expected.real, atol=1e-12)
    few = even_spectrum(octant, axis, length, length // 2 + 1)
    np.testing.assert_allclose(few, np.take(expected.real, range(length // 2 + 1), axis), atol=1e-12)


def test_operations_are_those_of_the_six_products():
    # Source (2, 3, 4), half width (1, 0, 2): widened (4, 3, 8), counted one product after the other.
    forward = 2 * 3 * 4 * 8 + 2 * 3 * 3 * 8 + 2 * 4 * 3 * 8
    backward = 4 * 3 * 8 * (4 + 3 + 8)
    assert hartley_flops((2, 3, 4), (1, 0, 2)) == 2 * (forward + backward)


def test_memory_is_that_of_all_arrays():
    plan = hartley_plan(np.ones((2, 3, 1)), (4, 5, 6))
    wide = (6, 9, 6)
    expected = sum(w * n + w * w for w, n in zip(wide, (4, 5, 6), strict=True)) + 6 * 9 * 6
    assert plan.nbytes == 4 * expected
