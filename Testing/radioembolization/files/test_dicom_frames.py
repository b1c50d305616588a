"""Volumes become right-handed, axial stacks whose voxels keep their places."""

from itertools import permutations, product

import numpy as np
import pytest

from radioembolization.errors import ImageError
from radioembolization.files.dicom_file import number, uid_of
from radioembolization.files.dicom_frames import as_frames
from radioembolization.images import Grid
from support import as_direction, positions, rotation

SHAPE = (3, 4, 5)


def swapped_axes():
    """Return the 48 matrices that swap and reverse axes."""
    return [
        np.eye(3)[:, list(order)] * signs
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
    ]


def by_place(array, grid):
    """Return LPS positions and values sorted by value, which tells the voxels apart."""
    order = np.argsort(array.ravel())
    return positions(grid).reshape(-1, 3)[order], array.ravel()[order]


@pytest.mark.parametrize("degrees", [0.0, 27.0])
def test_every_voxel_keeps_its_place_and_frames_go_along_rows_times_columns(degrees):
    values = np.random.default_rng(1).permutation(np.prod(SHAPE)).reshape(SHAPE)
    assert len(swapped_axes()) == 48
    for matrix in swapped_axes():
        grid = Grid(SHAPE, (3.0, 2.0, 1.5), (10.0, -20.0, 30.0), as_direction(rotation((1, 2, 3), degrees) @ matrix))
        array, frames = as_frames(values, grid)
        places, sorted_values = by_place(array, frames)
        expected, _ = by_place(values, grid)
        np.testing.assert_allclose(places, expected, atol=1e-9)
        np.testing.assert_array_equal(sorted_values, np.arange(values.size))
        row, column, normal = frames.direction_matrix.T
        np.testing.assert_allclose(np.cross(row, column), normal, atol=1e-12)


def test_axes_of_the_patient_become_an_axial_stack_in_any_order():
    for matrix in swapped_axes():
        _, frames = as_frames(np.zeros(SHAPE), Grid(SHAPE, (3.0, 2.0, 1.5), direction=as_direction(matrix)))
        assert frames.direction == pytest.approx(tuple(np.eye(3).ravel()))


def test_small_errors_of_the_axes_are_repaired_and_large_ones_refused():
    skew = np.eye(3)
    skew[0, 2] = 1e-5  # over 900 mm: 4.5 um each for the two axes that share the error
    _, frames = as_frames(np.zeros((301, 2, 2)), Grid((301, 2, 2), (3.0, 1.0, 1.0), direction=as_direction(skew)))
    np.testing.assert_allclose(frames.direction_matrix @ frames.direction_matrix.T, np.eye(3), atol=1e-12)
    skew[0, 2] = 5e-4
    with pytest.raises(ImageError, match=r"far corner would move by 0\.2.* mm"):
        as_frames(np.zeros((301, 2, 2)), Grid((301, 2, 2), (3.0, 1.0, 1.0), direction=as_direction(skew)))


def test_numbers_fit_into_sixteen_characters():
    for value in (-1 / 3, -np.sqrt(0.5), 1e-17, -123.456789012345678, 250.0, -0.0, 1234567.891):
        text = number(value)
        assert len(text) <= 16
        assert float(text) == pytest.approx(value, rel=1e-11, abs=1e-12)
    assert number(-1e-17) == "0.0"


def test_uids_are_legal_and_depend_on_every_part():
    uids = {uid_of("a", "b"), uid_of("ab"), uid_of("b", "a"), uid_of("a", "b", "")}
    assert len(uids) == 4
    assert uid_of("a", "b") in uids
    assert all(uid.startswith("2.25.") and len(uid) <= 64 and uid[5:].isdigit() and uid[5] != "0" for uid in uids)
