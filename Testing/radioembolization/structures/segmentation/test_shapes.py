"""Shape operations against balls and boxes whose result is known."""

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.images import Grid
from radioembolization.structures.segmentation import shapes
from support import box_mask, ellipsoid

GRID = Grid((40, 40, 40), (3.0, 3.0, 3.0))
MIDDLE = (58.5, 58.5, 58.5)


def ball(radius_mm):
    return ellipsoid(GRID, MIDDLE, radius_mm)


def test_distances_are_those_of_the_exact_transform():
    mask = np.random.default_rng(3).random((12, 15, 18)) > 0.98
    exact = ndimage.distance_transform_edt(~mask, sampling=3.0)
    np.testing.assert_allclose(shapes.distance_to(mask, 3.0), exact, atol=1e-4)


def test_nothing_and_everything_have_no_surface():
    nothing = np.zeros((4, 4, 4), dtype=bool)
    for change in (shapes.eroded, shapes.grown, shapes.opened, shapes.closed):
        assert not change(nothing, 3.0, 3.0).any()
        assert change(~nothing, 3.0, 3.0).all()


def test_growing_and_eroding_a_ball_changes_its_radius():
    for changed, radius in ((shapes.grown(ball(30.0), 9.0, 3.0), 39.0), (shapes.eroded(ball(30.0), 9.0, 3.0), 21.0)):
        assert np.cbrt(np.count_nonzero(changed) * 27.0 * 3 / 4 / np.pi) == pytest.approx(radius, abs=1.5)


def test_opening_takes_a_rod_off_a_ball_and_closing_fills_a_hole():
    rod = box_mask(GRID.shape, (0, 40), (19, 21), (19, 21))
    opened = shapes.opened(ball(30.0) | rod, 6.0, 3.0)
    assert not opened[:8].any() and opened[20, 20, 20]
    holed = ball(30.0) & ~ball(5.0)
    assert shapes.closed(holed, 6.0, 3.0)[20, 20, 20]


def test_closing_does_not_fill_towards_the_edge_of_the_image():
    wall = box_mask(GRID.shape, (0, 40), (0, 40), (3, 6))
    np.testing.assert_array_equal(shapes.closed(wall, 12.0, 3.0), wall)


def test_parts_come_largest_first():
    mask = box_mask((5, 5, 20), (0, 2), (0, 2), (0, 2)) | box_mask((5, 5, 20), (0, 3), (0, 3), (10, 15))
    labels, sizes = shapes.components(mask)
    assert sizes.tolist() == [45, 8]
    assert np.count_nonzero(labels == 1) == 45
    assert np.count_nonzero(shapes.largest(mask)) == 45
    assert np.count_nonzero(shapes.connected(mask, to=labels == 2)) == 8


def test_a_ball_is_compact_and_a_rod_is_not():
    assert shapes.compactness(ball(45.0)) == pytest.approx(1.0, abs=0.1)
    assert shapes.compactness(box_mask(GRID.shape, (0, 40), (10, 13), (10, 13))) < 0.45
