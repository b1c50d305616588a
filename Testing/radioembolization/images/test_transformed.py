"""Images and masks under transforms: positions by closed forms, volumes by the determinant."""

import numpy as np
import pytest

from radioembolization.images import AffineTransform, Grid, Unit, Volume, dice_after, transform_mask, transform_volume
from registration_trials import about
from support import ellipsoid, positions, rotation

GRID = Grid((24, 30, 32), (4.0, 3.0, 3.0), (-46.0, -44.0, -46.0))
FINE = Grid((60, 60, 60), (2.0, 2.0, 2.0), (-59.0, -59.0, -59.0))
TURN = about(np.zeros(3), rotation((1.0, 1.0, 0.0), 20.0), np.array([5.0, -3.0, 8.0]))
AFFINE = TURN.after(AffineTransform(np.array([[1.1, 0.05, 0, 0], [0, 0.9, 0, 0], [0, 0, 1.05, 0], [0, 0, 0, 1]])))
BALL = ellipsoid(GRID, (0.0, 0.0, 0.0), 25.0)


@pytest.mark.parametrize("transform", [TURN, AFFINE], ids=["rigid", "affine"])
def test_a_linear_image_is_moved_exactly(transform):
    """Linear interpolation is exact for an image linear in space: at p it must be that of the inverse of p."""
    slope = np.array([2.0, -1.0, 0.5])
    volume = Volume(positions(FINE) @ slope, FINE, Unit.HU)
    inner = Grid((8, 8, 8), (3.0, 3.0, 3.0), (-10.0, -10.0, -10.0))
    moved = transform_volume(volume, transform, inner, outside=-1000.0)
    back = np.linalg.inv(transform.matrix)
    expected = (positions(inner) @ back[:3, :3].T + back[:3, 3]) @ slope
    np.testing.assert_allclose(moved.array, expected, atol=1e-3)


@pytest.mark.parametrize("transform", [TURN, AFFINE], ids=["rigid", "affine"])
def test_outside_of_the_image_is_filled(transform):
    far = Grid((4, 4, 4), (3.0, 3.0, 3.0), (300.0, 0.0, 0.0))
    moved = transform_volume(Volume(np.zeros(GRID.shape), GRID, Unit.HU), transform, far, outside=-1000.0)
    assert np.all(moved.array == -1000.0)


@pytest.mark.parametrize("transform", [TURN, AFFINE], ids=["rigid", "affine"])
def test_a_mask_keeps_its_volume_up_to_the_determinant_and_its_centre_is_moved(transform):
    moved = transform_mask(BALL, GRID, transform, FINE)
    expected = BALL.sum() * GRID.voxel_ml * np.linalg.det(transform.matrix[:3, :3])
    assert moved.sum() * FINE.voxel_ml == pytest.approx(expected, rel=0.003)
    np.testing.assert_allclose(FINE.to_lps(np.argwhere(moved)).mean(axis=0), transform.points(np.zeros(3)), atol=0.3)


def test_a_mask_that_leaves_the_grid_is_empty():
    away = about(np.zeros(3), np.diag([1.1, 1.0, 1.0]), np.array([500.0, 0.0, 0.0]))
    assert not transform_mask(BALL, GRID, away, FINE).any()
    assert not transform_mask(np.zeros(GRID.shape, bool), GRID, AFFINE, FINE).any()


def test_dice_of_a_ball_and_the_same_ball_shifted():
    """Two balls of radius r at distance d share (1 - d/2r)^2 (1 + d/4r) of their volume."""
    shift = about(np.zeros(3), np.eye(3), np.array([10.0, 0.0, 0.0]))
    expected = (1.0 - 10.0 / 50.0) ** 2 * (1.0 + 10.0 / 100.0)
    assert dice_after(BALL, GRID, BALL, GRID, AffineTransform.identity()) == pytest.approx(1.0, abs=1e-6)
    assert dice_after(BALL, GRID, BALL, GRID, shift) == pytest.approx(expected, abs=0.015)


def test_dice_counts_what_leaves_the_fixed_grid():
    """Only the half of the moved ball that stays in the grid can be shared."""
    half = Grid(GRID.shape, GRID.spacing_mm, (0.0, *GRID.origin_mm[1:]))
    fixed = ellipsoid(half, (0.0, 0.0, 0.0), 25.0)
    common = 0.5 * BALL.sum() * GRID.voxel_ml
    expected = 2 * common / (BALL.sum() * GRID.voxel_ml + fixed.sum() * half.voxel_ml)
    assert dice_after(fixed, half, BALL, GRID, AffineTransform.identity()) == pytest.approx(expected, abs=0.06)
