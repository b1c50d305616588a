"""A bifurcation lies where three vessels have the least volume."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from radioembolization.territories.growth.bifurcation import best_joins, fermat_points


def test_equal_weights_of_an_equilateral_triangle_meet_in_its_middle() -> None:
    corners = np.array([[[0.0, 0.0, 5.0], [6.0, 0.0, 5.0], [3.0, 3.0 * np.sqrt(3.0), 5.0]]])
    assert fermat_points(corners, np.ones((1, 3)))[0] == pytest.approx([3.0, np.sqrt(3.0), 5.0], abs=1e-6)


def test_a_corner_that_outpulls_the_others_holds_the_point() -> None:
    corners = np.array([[[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [0.0, 10.0, 0.0]]])
    # The two unit pulls at right angles add up to sqrt 2, less than 1.5.
    assert fermat_points(corners, np.array([[1.5, 1.0, 1.0]]))[0] == pytest.approx(np.zeros(3), abs=1e-12)
    assert np.linalg.norm(fermat_points(corners, np.array([[1.3, 1.0, 1.0]]))[0]) > 0.3


def test_points_are_those_of_a_general_minimizer() -> None:
    rng = np.random.default_rng(3)
    corners, weights = rng.uniform(-30.0, 30.0, (20, 3, 3)), rng.uniform(0.5, 2.0, (20, 3))
    for corner, weight, point in zip(corners, weights, fermat_points(corners, weights), strict=True):

        def volume(at: np.ndarray, corner: np.ndarray = corner, weight: np.ndarray = weight) -> float:
            return float(weight @ np.linalg.norm(corner - at, axis=1))

        best = minimize(volume, corner.mean(axis=0), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9})
        # Forty steps of a linearly converging fixed point: within a hundredth of a per cent of the least volume.
        assert volume(point) <= best.fun * (1.0 + 1e-4)


def test_the_cost_of_a_join_is_the_volume_gained() -> None:
    """A straight branch of flow 2 along x, a new end at its side; the fork found by trying all places."""
    joins = best_joins(
        np.zeros((1, 3)), np.array([[40.0, 0.0, 0.0]]), np.array([2.0]), np.array([30.0, 20.0, 0.0]), 2.0 / 3.0, 1.0
    )
    x, y = np.meshgrid(np.linspace(0.0, 40.0, 401), np.linspace(0.0, 20.0, 201))
    tried = 3.0 ** (2 / 3) * np.hypot(x, y) + 2.0 ** (2 / 3) * np.hypot(x - 40, y) + np.hypot(x - 30, y - 20)
    assert joins.cost[0] == pytest.approx(tried.min() - 2.0 ** (2 / 3) * 40.0, rel=1e-4)
    assert np.min(np.linalg.norm(joins.points_lps_mm[0] - np.array([[0, 0, 0], [40, 0, 0], [30, 20, 0]]), axis=1)) >= 1


def test_forks_keep_off_the_ends() -> None:
    ends = np.array([[40.0, 0.0, 0.0], [10.0, 0.0, 0.0]])
    new = np.array([60.0, 0.5, 0.0])
    joins = best_joins(np.zeros((2, 3)), ends, np.ones(2), new, 2.0 / 3.0, 2.0)
    # The new end lies straight beyond both branches: their ends would be best, and are held off by 2 mm.
    assert np.linalg.norm(joins.points_lps_mm - ends, axis=1) == pytest.approx([2.0, 2.0])
    assert joins.cost[0] < joins.cost[1] < np.inf
    too_near = best_joins(np.zeros((1, 3)), ends[:1], np.ones(1), np.array([20.0, 0.5, 0.0]), 2.0 / 3.0, 2.0)
    assert np.linalg.norm(too_near.points_lps_mm[0] - [20.0, 0.5, 0.0]) >= 1.98 or np.isinf(too_near.cost[0])
