"""Image arrays: shape, finiteness, and who may write."""

import numpy as np
import pytest

from radioembolization.errors import ImageError
from radioembolization.images import Grid, Unit, Volume

GRID = Grid((2, 3, 4), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused_with_their_place(bad):
    array = np.zeros(GRID.shape)
    array[1, 2, 3] = bad
    with pytest.raises(ImageError, match=r"1 NaN or infinite voxels.*\(1, 2, 3\)"):
        Volume(array, GRID, Unit.HU)


def test_array_and_grid_must_have_one_shape():
    with pytest.raises(ImageError, match=r"\(4, 3, 2\).*\(2, 3, 4\)"):
        Volume(np.zeros((4, 3, 2)), GRID, Unit.HU)


def test_the_image_is_read_only_but_the_callers_array_is_not():
    mine = np.zeros(GRID.shape)
    image = Volume(mine, GRID, Unit.GY)
    with pytest.raises(ValueError, match="read-only"):
        image.array[0, 0, 0] = 1.0
    mine[0, 0, 0] = 1.0
    assert mine[0, 0, 0] == 1.0


def test_whole_numbers_are_images_too():
    assert Volume(np.ones(GRID.shape, dtype=np.int16), GRID, Unit.HU).array.sum() == 24
