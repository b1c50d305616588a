"""The random walker on chains and boxes whose probabilities are known."""

import numpy as np
import pytest

from radioembolization.structures.segmentation.random_walk import walker_probability


def chain(values, trust=0.0, prior=None):
    """Return probabilities on a chain whose first voxel is inside and whose last is not free."""
    values = np.array(values, dtype=np.float32).reshape(1, 1, -1)
    inside, free = np.zeros(values.shape, dtype=bool), np.ones(values.shape, dtype=bool)
    inside[..., 0], free[..., -1] = True, False
    prior = np.zeros(values.shape) if prior is None else np.array(prior, dtype=float).reshape(1, 1, -1)
    return walker_probability(values, free, inside, prior, 10.0, trust).ravel()


def test_on_an_even_chain_the_probability_falls_linearly():
    np.testing.assert_allclose(chain([50.0] * 6), np.linspace(1.0, 0.0, 6), atol=2e-3)


def test_an_edge_takes_the_fall():
    probability = chain([50.0, 50.0, 50.0, 90.0, 90.0, 90.0])
    edge = np.exp(-(4.0**2) / 4.0) + 1e-4
    resistance = np.cumsum([0.0, 1.0, 1.0, 1.0 / edge, 1.0, 1.0])
    np.testing.assert_allclose(probability, 1.0 - resistance / resistance[-1], atol=0.02)


def test_the_prior_decides_where_the_walker_is_undecided():
    prior = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    probability = chain([50.0] * 6, trust=100.0, prior=prior)
    np.testing.assert_allclose(probability[1:-1], prior[1:-1], atol=0.02)


def test_nothing_free_leaves_the_inside():
    inside = np.ones((2, 2, 2), dtype=bool)
    result = walker_probability(np.zeros((2, 2, 2)), inside, inside, np.zeros((2, 2, 2)), 10.0, 0.1)
    assert result.min() == 1.0


def test_a_narrow_bridge_of_equal_tissue_holds_the_walker_back():
    values = np.zeros((1, 20, 21), dtype=np.float32)
    free = np.ones(values.shape, dtype=bool)
    free[:, :, 10] = False
    values[:, :, 10] = 100.0
    free[:, 9, 10] = True
    values[:, 9, 10] = 0.0
    inside = np.zeros(values.shape, dtype=bool)
    inside[:, :, :5] = True
    probability = walker_probability(values, free, inside, np.full(values.shape, 0.3), 10.0, 0.02)
    assert probability[0, :, 5:9].min() > 0.5 > probability[0, :, 12:].max()
    assert probability[0, 9, 10] == pytest.approx(0.7, abs=0.3)
