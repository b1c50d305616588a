"""What is done about negative scout counts."""

import warnings

import numpy as np
import pytest

from radioembolization.errors import ImageError, NegativeCountsSetToZero
from radioembolization.images import Grid, checked_counts
from support import counts

GRID = Grid((2, 3, 4), (1.0, 1.0, 1.0))


def scout(lowest):
    array = np.full(GRID.shape, 10.0)
    array[0, 0, 0], array[1, 2, 3] = 100.0, lowest
    return counts(array, GRID)


@pytest.mark.parametrize("lowest", [-0.5, -1.0])
def test_ripple_down_to_one_per_cent_is_set_to_zero_with_a_named_warning(lowest):
    with pytest.warns(NegativeCountsSetToZero, match="1 scout voxels"):
        checked = checked_counts(scout(lowest))
    assert checked.array[1, 2, 3] == 0.0
    # Nothing else changes.
    assert checked.array.sum() == pytest.approx(100.0 + 22 * 10.0)


@pytest.mark.parametrize("lowest", [-1.02, -50.0])
def test_larger_negative_counts_are_refused_with_their_place(lowest):
    with pytest.raises(ImageError, match=r"negative counts.*\(1, 2, 3\)"):
        checked_counts(scout(lowest))


def test_an_image_without_negative_counts_is_left_alone():
    given = scout(0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checked = checked_counts(given)
    np.testing.assert_array_equal(checked.array, given.array)
    assert (checked.grid, checked.unit) == (given.grid, given.unit)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_an_image_without_counts_is_refused(value):
    with pytest.raises(ImageError, match="no counts"):
        checked_counts(counts(np.full(GRID.shape, value), GRID))
