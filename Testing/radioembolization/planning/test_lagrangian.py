"""Bounds from multipliers hold for every plan, whatever the multipliers; cuts name sites that are needed."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from radioembolization.planning.lagrangian import NONE, Argument, Rows
from series import series

SITES = 5


def random_program(rng, terms=1, lower=False):
    """Return rows of goals (3 for each term) and limits (3, of which one may be a lower one), and caps."""
    goals = rng.uniform(0.0, 2.0, (3 * terms, SITES)) * (rng.random((3 * terms, SITES)) < 0.7)
    limits = rng.uniform(0.1, 1.0, (3, SITES))
    right = rng.uniform(1.0, 2.0, 3)
    if lower:
        limits[2], right[2] = -rng.uniform(0.5, 1.0, SITES), -0.1
    term = np.concatenate([np.repeat(np.arange(terms), 3), np.full(3, NONE)])
    weights = rng.uniform(0.5, 2.0, terms)
    matrix = np.vstack([-goals, limits])
    return Rows(matrix, np.concatenate([rng.uniform(0.0, 0.3, 3 * terms), right]), term, weights), np.full(SITES, 5.0)


def optimum(rows, cap):
    """Return the value of the linear program, by scipy."""
    levels = (rows.term[:, None] == np.arange(len(rows.weights))).astype(float)
    found = linprog(
        np.concatenate([np.zeros(SITES), -rows.weights]),
        A_ub=np.hstack([rows.matrix, levels]),
        b_ub=rows.right,
        bounds=[(0.0, c) for c in cap] + [(None, None)] * len(rows.weights),
    )
    return -found.fun if found.success else -np.inf, -found.ineqlin.marginals if found.success else None


@pytest.mark.parametrize("seed", range(20))
def test_any_multipliers_bound_and_those_of_the_optimum_are_tight(seed):
    rng = np.random.default_rng(seed)
    rows, cap = random_program(rng, terms=1 + seed % 3, lower=seed % 2 == 1)
    value, duals = optimum(rows, cap)
    zero = np.zeros(SITES)
    assert Argument.of(rows, duals).bound(zero, cap) == pytest.approx(value, rel=1e-9)
    for _ in range(20):
        y = rng.exponential(1.0, len(rows.right)) * (rng.random(len(rows.right)) < 0.8)
        assert Argument.of(rows, y).bound(zero, cap) >= value - 1e-9 * max(1.0, abs(value))


def test_rounded_multipliers_lose_next_to_nothing():
    # Without the factor on the limits, an error of 1e-4 in their multipliers would be multiplied by the caps.
    rng = np.random.default_rng(5)
    rows, cap = random_program(rng)
    value, duals = optimum(rows, cap)
    bound = Argument.of(rows, duals * (1.0 + 1e-4 * rng.standard_normal(len(duals)))).bound(np.zeros(SITES), 1e4 * cap)
    assert value <= bound <= value * (1.0 + 1e-3)


def test_a_term_without_multipliers_proves_nothing():
    rows, cap = random_program(np.random.default_rng(1), terms=2)
    y = np.ones(len(rows.right))
    y[rows.term == 1] = 0.0
    argument = Argument.of(rows, y)
    assert argument.bound(np.zeros(SITES), cap) == np.inf
    assert argument.needed(1e9, cap) is None


@pytest.mark.parametrize("seed", series(range(10), 4))
def test_plans_above_a_threshold_use_a_needed_site(seed):
    rng = np.random.default_rng(seed)
    rows, cap = random_program(rng, lower=seed % 2 == 1)
    for size in (1, 2, 3):
        for used in combinations(range(SITES), size):
            inside = np.isin(np.arange(SITES), used)
            value, duals = optimum(rows, np.where(inside, cap, 0.0))
            if duals is None:
                continue
            threshold = value + 1e-6 * abs(value)
            needed = Argument.of(rows, duals).needed(threshold, cap)
            if needed is None:
                continue
            without, _ = optimum(rows, np.where(needed, 0.0, cap))
            assert without <= threshold + 1e-6 * max(1.0, abs(threshold))


def test_no_threshold_below_the_fixed_part_is_served():
    rows, cap = random_program(np.random.default_rng(3))
    _, duals = optimum(rows, cap)
    argument = Argument.of(rows, duals)
    assert argument.needed(argument.fixed - 1.0, cap) is None
