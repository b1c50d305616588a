"""The padded Fourier transform against direct summation and against the Hartley transform."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from radioembolization.dose import fourier
from radioembolization.dose.fourier import fourier_plan
from radioembolization.dose.hartley import hartley_plan

SHAPES = [(1, 1, 1), (1, 8, 9), (7, 1, 4), (5, 6, 1), (4, 5, 6), (11, 13, 7), (2, 17, 3), (16, 8, 4)]
OCTANTS = [(1, 1, 1), (2, 3, 4), (4, 3, 2), (1, 5, 2), (6, 1, 1), (9, 8, 7)]


def spread_directly(octant, source):
    """Convolve with the whole kernel by scipy's direct sum in double precision."""
    kernel = octant[np.ix_(*(np.abs(np.arange(1 - n, n)) for n in octant.shape))]
    return signal.convolve(source.astype(float), kernel, mode="full", method="direct")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("octant_shape", OCTANTS)
def test_equal_to_direct_summation(shape, octant_shape):
    rng = np.random.default_rng(4)
    octant, source = rng.random(octant_shape), rng.random(shape).astype(np.float32)
    expected = spread_directly(octant, source)
    found = fourier_plan(octant, shape).spread(source)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    # Single-precision transforms of up to a few thousand points: a few times 1e-7 of the largest value.
    np.testing.assert_allclose(found, expected, atol=2e-6 * expected.max())


@given(st.tuples(*[st.integers(1, 12)] * 3), st.tuples(*[st.integers(1, 7)] * 3), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_both_transforms_agree(shape, octant_shape, seed):
    rng = np.random.default_rng(seed)
    octant, source = rng.random(octant_shape), rng.random(shape).astype(np.float32)
    one, other = hartley_plan(octant, shape).spread(source), fourier_plan(octant, shape).spread(source)
    np.testing.assert_allclose(one, other, atol=1e-6 * other.max())


def test_several_threads_give_what_one_gives(monkeypatch):
    rng = np.random.default_rng(6)
    octant, source = rng.random((3, 4, 5)), rng.random((20, 21, 22)).astype(np.float32)
    alone = fourier_plan(octant, source.shape).spread(source)
    monkeypatch.setattr(fourier, "_THREADED_FROM", 0)
    np.testing.assert_array_equal(fourier_plan(octant, source.shape).spread(source), alone)


def test_padding_holds_source_and_reach_on_both_sides():
    plan = fourier_plan(np.ones((3, 2, 6)), (7, 11, 13))
    assert plan.half_width == (2, 1, 5)
    assert all(p >= n for p, n in zip(plan.padded_shape, (11, 13, 23), strict=True))
    assert plan.nbytes == 4 * plan.padded_shape[0] * plan.padded_shape[1] * (plan.padded_shape[2] // 2 + 1)


def test_the_source_is_not_changed():
    source = np.random.default_rng(7).random((6, 5, 4)).astype(np.float32)
    before = source.copy()
    fourier_plan(np.ones((2, 2, 2)), source.shape).spread(source)
    np.testing.assert_array_equal(source, before)
