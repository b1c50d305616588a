"""Chosen voxels, and which of them lie in a box."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radioembolization.dose.columns import Columns
from radioembolization.errors import InputError

SHAPE = (4, 5, 6)


@given(
    st.sets(st.integers(0, 119), min_size=1),
    st.tuples(*[st.integers(-4, 8)] * 3),
    st.tuples(*[st.integers(1, 9)] * 3),
)
def test_a_box_holds_the_columns_and_places_that_a_search_finds(voxels, start, size):
    voxels = np.array(sorted(voxels))
    columns = Columns(voxels, SHAPE)
    found = {}
    for column, voxel in enumerate(voxels):
        inside = np.array(np.unravel_index(voxel, SHAPE)) - start
        if np.all(inside >= 0) and np.all(inside < size):
            found[column] = int(np.ravel_multi_index(inside, size))
    which, places = columns.in_box(start, size)
    assert dict(zip(which.tolist(), places.tolist(), strict=True)) == found
    assert len(which) == len(found)
    again = columns.in_box(start, size)
    np.testing.assert_array_equal(again[0], which)


@given(st.sets(st.integers(0, 119), min_size=1))
def test_the_box_of_all_columns_is_tight_and_places_point_into_it(voxels):
    voxels = np.array(sorted(voxels))
    columns = Columns(voxels, SHAPE)
    index = np.stack(np.unravel_index(voxels, SHAPE))
    assert [part.start for part in columns.box] == index.min(axis=1).tolist()
    assert [part.stop - 1 for part in columns.box] == index.max(axis=1).tolist()
    flat = np.arange(120).reshape(SHAPE)
    np.testing.assert_array_equal(flat[columns.box].reshape(-1)[columns.places], voxels)
    assert len(columns) == len(voxels)


def test_boxes_of_equal_start_or_size_are_not_confused():
    columns = Columns(np.arange(120), SHAPE)
    sizes = [len(columns.in_box(*box)[0]) for box in (((0, 0, 0), (1, 1, 1)), ((0, 0, 0), (2, 1, 1)))]
    assert sizes == [1, 2]
    assert columns.in_box((1, 1, 1), (1, 1, 1))[0] == [37]
    assert columns.in_box((1, 1, 2), (1, 1, 1))[0] == [38]


@pytest.mark.parametrize("voxels", [[], [-1, 3], [0, 120], [3, 3], [5, 4]])
def test_voxels_that_are_no_rising_indices_are_refused(voxels):
    with pytest.raises(InputError, match="rising flat indices"):
        Columns(np.array(voxels, dtype=int), SHAPE)
