"""Affine transforms against closed forms."""

import numpy as np
import pytest

from radioembolization.errors import ImageError
from radioembolization.images import AffineTransform, Grid, Unit, Volume
from registration_trials import about
from support import as_direction, rotation

QUARTER = about(np.zeros(3), rotation((0.0, 0.0, 1.0), 90.0), np.array([10.0, 0.0, 0.0]))
STRETCH = AffineTransform(np.diag([2.0, 1.0, 0.5, 1.0]))
GRID = Grid((3, 4, 5), (5.0, 2.0, 1.0), (10.0, -20.0, 30.0), as_direction(rotation((1.0, 2.0, 3.0), 25.0)))


def test_a_quarter_turn_and_a_shift_by_hand():
    np.testing.assert_allclose(QUARTER.points([[1.0, 2.0, 3.0]]), [[8.0, 1.0, 3.0]], atol=1e-12)


def test_order_matters_and_is_that_of_the_name():
    first_turn = STRETCH.after(QUARTER).points([1.0, 2.0, 3.0])
    np.testing.assert_allclose(first_turn, [16.0, 1.0, 1.5], atol=1e-12)
    np.testing.assert_allclose(QUARTER.after(STRETCH).points([1.0, 2.0, 3.0]), [8.0, 2.0, 1.5], atol=1e-12)


def test_the_inverse_goes_back():
    both = STRETCH.after(QUARTER)
    np.testing.assert_allclose(both.inverse.after(both).matrix, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(both.inverse.matrix, QUARTER.inverse.after(STRETCH.inverse).matrix, atol=1e-12)


def test_a_moved_image_keeps_its_voxels_and_their_positions_are_moved():
    volume = Volume(np.arange(60.0).reshape(GRID.shape), GRID, Unit.COUNTS)
    moved = QUARTER.moved(volume)
    np.testing.assert_array_equal(moved.array, volume.array)
    index = np.array([[0, 0, 0], [2, 3, 4], [1, 2, 0]])
    np.testing.assert_allclose(moved.grid.to_lps(index), QUARTER.points(GRID.to_lps(index)), atol=1e-9)


def test_only_rigid_transforms_move_a_grid():
    assert QUARTER.is_rigid and not STRETCH.is_rigid
    with pytest.raises(ImageError, match="rigid"):
        STRETCH.grid(GRID)


@pytest.mark.parametrize("matrix", [np.diag([1.0, 1.0, -1.0, 1.0]), np.diag([1.0, 0.0, 1.0, 1.0]), np.eye(3)])
def test_mirrors_flattenings_and_other_shapes_are_refused(matrix):
    with pytest.raises(ImageError):
        AffineTransform(matrix)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(ImageError, match="finite"):
        AffineTransform(np.full((4, 4), np.nan))
