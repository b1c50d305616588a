"""Covered shares against counting by hand and volume; which voxels make a mask of that volume."""

import numpy as np
import pytest

from radioembolization.images import Grid
from radioembolization.images.coverage import covered_share, keep_volume
from series import series
from support import as_direction, box_mask, ellipsoid, rotation

SOURCE = Grid((9, 10, 11), (2.0, 1.5, 1.0), (4.0, -3.0, 7.0))
MASK = ellipsoid(SOURCE, SOURCE.to_lps(np.array([4.2, 4.6, 5.1])), (4.3, 5.2, 6.6))
FLIPPED = as_direction(np.diag([1.0, -1.0, -1.0]))
#: Index axes x, y, z of the target along z, x and y of the patient.
SWAPPED = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
OBLIQUE = as_direction(rotation((1.0, 2.0, 3.0), 20.0))


def covering(direction, spacing):
    """Return a grid along a direction that holds all of the source with room to spare."""
    grid = Grid((1, 1, 1), spacing, (0.0, 0.0, 0.0), direction)
    corners = SOURCE.to_lps(np.array(list(np.ndindex(2, 2, 2))) * np.array(SOURCE.shape) - 0.5)
    along = corners @ grid.direction_matrix
    low, high = grid.direction_matrix @ (along.min(axis=0) - 1.3), grid.direction_matrix @ (along.max(axis=0) + 1.1)
    return Grid.covering(grid, low, high, spacing)


def by_counting(grid, parts):
    """Return the share of ``parts`` cubed points of each voxel that lie in the mask."""
    points = (np.arange(parts) + 0.5) / parts - 0.5
    share = np.zeros(grid.shape)
    centres = np.stack(np.indices(grid.shape), axis=-1)
    for offset in np.stack(np.meshgrid(points, points, points, indexing="ij"), axis=-1).reshape(-1, 3):
        index = np.floor(SOURCE.to_index(grid.to_lps(centres + offset)) + 0.5).astype(int)
        inside = np.all((index >= 0) & (index < np.array(SOURCE.shape)), axis=-1)
        share[inside] += MASK[tuple(index[inside].T)]
    return share / parts**3


PLACES = {
    "same axes, coarser": (as_direction(np.eye(3)), (3.1, 2.7, 2.3)),
    "flipped": (FLIPPED, (2.5, 2.5, 2.5)),
    "swapped": (SWAPPED, (2.5, 1.9, 3.3)),
    "oblique": (OBLIQUE, (2.5, 2.0, 3.0)),
    "same axes, finer": (as_direction(np.eye(3)), (0.9, 1.1, 0.7)),
}


@pytest.mark.parametrize("place", series(list(PLACES), 4))
def test_share_agrees_with_counting_points(place):
    direction, spacing = PLACES[place]
    grid = covering(direction, spacing)
    # A face that cuts a voxel is found by 11 points to 1 / 22 along its normal; three faces may cut one.
    difference = covered_share(MASK, SOURCE, grid) - by_counting(grid, 11)
    assert np.abs(difference).max() < 0.14
    assert abs(difference.mean()) < 0.005


@pytest.mark.parametrize("name", [name for name in PLACES if name != "oblique"])
def test_parallel_grids_keep_the_volume_exactly(name):
    grid = covering(*PLACES[name])
    covered_ml = covered_share(MASK, SOURCE, grid).sum(dtype=float) * grid.voxel_ml
    assert covered_ml == pytest.approx(MASK.sum() * SOURCE.voxel_ml, rel=1e-5)  # single precision


def test_oblique_grids_keep_the_volume_closely():
    # 125 points a voxel: the volume is sampled on 0.5 mm, against 1 to 2 mm of the source.
    grid = covering(*PLACES["oblique"])
    covered_ml = covered_share(MASK, SOURCE, grid).sum(dtype=float) * grid.voxel_ml
    assert covered_ml == pytest.approx(MASK.sum() * SOURCE.voxel_ml, rel=0.01)


def test_share_of_a_shifted_cube_by_hand():
    # A source voxel of 2 mm, target voxels of 2 mm shifted by 0.5, 1 and 0 mm along z, y and x.
    source = Grid((3, 3, 3), (2.0, 2.0, 2.0))
    mask = box_mask(source.shape, (1, 2), (1, 2), (1, 2))
    share = covered_share(mask, source, Grid((3, 3, 3), (2.0, 2.0, 2.0), (0.0, 1.0, 0.5)))
    expected = np.zeros((3, 3, 3))
    for z, along_z in ((0, 0.25), (1, 0.75)):
        for y, along_y in ((0, 0.5), (1, 0.5)):
            expected[z, y, 1] = along_z * along_y
    np.testing.assert_allclose(share, expected, atol=1e-6)


def test_nothing_beyond_the_source_is_covered():
    share = covered_share(np.ones(SOURCE.shape, dtype=bool), SOURCE, covering(*PLACES["flipped"]))
    assert share.max() == pytest.approx(1.0, abs=1e-6)
    assert share[0, 0, 0] < 1.0
    apart = Grid((2, 2, 2), (1.0, 1.0, 1.0), (500.0, 0.0, 0.0))
    assert not covered_share(MASK, SOURCE, apart).any()


@pytest.mark.parametrize(
    ("covered", "kept"),
    [
        ([1.0, 1.0, 0.6, 0.4], [1, 1, 1, 0]),  # 3.0 voxels
        ([1.0, 0.45, 0.45, 0.45, 0.0], [1, 0, 0, 0, 0]),  # 2.35: one or four, as equal ones are not told apart
        ([1.0, 1.0, 0.45, 0.40, 0.40, 0.40], [1, 1, 1, 0, 0, 0]),  # 3.65: two, three or six
        ([0.34, 0.34, 0.34], [0, 0, 0]),  # never below 35 %
        ([0.66, 0.66, 0.66, 0.66], [1, 1, 1, 1]),  # always above 65 %
        ([1.0, 0.55, 0.55, 0.0], [1, 1, 1, 0]),  # 2.1: one or three, three as both are covered by half
        ([0.0, 0.0], [0, 0]),
    ],
)
def test_voxels_that_keep_the_volume(covered, kept):
    array = np.array(covered, dtype=np.float32).reshape(1, 1, -1)
    assert keep_volume(array, np.zeros_like(array)).ravel().astype(int).tolist() == kept


def test_equally_covered_voxels_are_ranked_by_what_is_around_them():
    covered = np.array([1.0, 0.5, 0.5, 0.0], dtype=np.float32).reshape(1, 1, -1)  # 2 voxels
    around = np.array([0.9, 0.2, 0.6, 0.1], dtype=np.float32).reshape(1, 1, -1)
    assert keep_volume(covered, around).ravel().tolist() == [True, False, True, False]
