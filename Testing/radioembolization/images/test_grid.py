"""The geometry of an image against hand-written positions and against ITK."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.errors import ImageError
from radioembolization.images import Grid
from support import as_direction, positions, rotation

IDENTITY = np.eye(3)
FLIP_Z = np.diag([1.0, 1.0, -1.0])
FLIP_XY = np.diag([-1.0, -1.0, 1.0])
OBLIQUE = rotation((1.0, 2.0, 3.0), 25.0)
SWAPPED = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # sagittal-like order
DIRECTIONS = {
    "identity": IDENTITY,
    "flipped z": FLIP_Z,
    "flipped x and y": FLIP_XY,
    "oblique": OBLIQUE,
    "oblique flipped": OBLIQUE @ FLIP_Z,
    "swapped": SWAPPED,
}


def make(direction=IDENTITY, shape=(4, 5, 6), spacing=(3.0, 2.0, 1.0), origin=(10.0, -20.0, 30.0)):
    return Grid(shape, spacing, origin, as_direction(direction))


directions = st.sampled_from(sorted(DIRECTIONS)).map(DIRECTIONS.get)
finite = st.floats(-200.0, 200.0)
sides = st.floats(0.3, 9.0)
grids = st.builds(
    make,
    directions,
    st.tuples(*[st.integers(1, 6)] * 3),
    st.tuples(sides, sides, sides),
    st.tuples(finite, finite, finite),
)


def test_index_is_z_y_x_and_position_is_x_y_z():
    grid = make()
    # One step along each index axis by hand: z steps 3 mm in S, y 2 mm in P, x 1 mm in L.
    np.testing.assert_allclose(grid.to_lps(np.array([0, 0, 0])), [10.0, -20.0, 30.0])
    np.testing.assert_allclose(grid.to_lps(np.array([1, 0, 0])), [10.0, -20.0, 33.0])
    np.testing.assert_allclose(grid.to_lps(np.array([0, 1, 0])), [10.0, -18.0, 30.0])
    np.testing.assert_allclose(grid.to_lps(np.array([0, 0, 1])), [11.0, -20.0, 30.0])


def test_flipped_slices_run_towards_the_feet():
    grid = make(FLIP_Z)
    np.testing.assert_allclose(grid.to_lps(np.array([2, 0, 0])), [10.0, -20.0, 24.0])


@given(grid=grids, index=st.tuples(finite, finite, finite))
@settings(max_examples=100, deadline=None)
def test_positions_are_those_of_itk_and_lead_back(grid, index):
    image = sitk.Image([int(n) for n in grid.shape[::-1]], sitk.sitkUInt8)
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    lps = grid.to_lps(np.array(index))
    np.testing.assert_allclose(lps, image.TransformContinuousIndexToPhysicalPoint(index[::-1]), atol=1e-6)
    np.testing.assert_allclose(grid.to_index(lps), index, atol=1e-6)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_whole_arrays_of_indices_are_transformed(direction):
    grid = make(direction)
    index = np.stack(np.indices(grid.shape), axis=-1)
    np.testing.assert_allclose(grid.to_lps(index), positions(grid), atol=1e-9)
    np.testing.assert_allclose(grid.to_index(positions(grid)), index, atol=1e-9)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("low", [(0, 0, 0), (1, 2, 3), (-2, 0, 5)])
def test_a_box_keeps_the_positions_of_its_voxels(direction, low):
    grid = make(direction)
    box = grid.box(low, (2, 2, 2))
    assert (box.spacing_mm, box.direction, box.shape) == (grid.spacing_mm, grid.direction, (2, 2, 2))
    for index in itertools.product((0, 1), repeat=3):
        np.testing.assert_allclose(box.to_lps(np.array(index)), grid.to_lps(np.array(index) + low), atol=1e-9)


@given(grid=grids, factors=st.tuples(*[st.integers(1, 4)] * 3))
@settings(max_examples=50, deadline=None)
def test_parts_of_a_refined_voxel_average_to_its_centre(grid, factors):
    fine = grid.refined(factors)
    assert fine.shape == tuple(n * f for n, f in zip(grid.shape, factors, strict=True))
    assert fine.voxel_ml * np.prod(factors) == pytest.approx(grid.voxel_ml, rel=1e-9)
    blocks = positions(fine).reshape(grid.shape[0], factors[0], grid.shape[1], factors[1], grid.shape[2], factors[2], 3)
    np.testing.assert_allclose(blocks.mean(axis=(1, 3, 5)), positions(grid), atol=1e-6)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_covering_grid_holds_the_box_tightly(direction):
    template = make(direction)
    # A box of 31 x 17 x 20.5 mm along the template's own axes (x, y, z).
    along = np.array([31.0, 17.0, 20.5])
    low = np.array([5.0, 6.0, 7.0])
    high = low + direction @ along
    grid = Grid.covering(template, low, high, (2.5, 3.0, 4.0))
    assert grid.direction == template.direction
    assert grid.spacing_mm == (2.5, 3.0, 4.0)
    assert grid.shape == (9, 6, 8)  # 20.5/2.5 = 8.2, 17/3 = 5.7, 31/4 = 7.75, rounded up
    for corner in itertools.product((0.0, 1.0), repeat=3):
        index = grid.to_index(low + direction @ (along * corner))
        assert np.all(index >= -0.5 - 1e-9)
        assert np.all(index <= np.array(grid.shape) - 0.5 + 1e-9)
    middle = grid.to_lps((np.array(grid.shape) - 1) / 2.0)
    np.testing.assert_allclose(middle, (low + high) / 2.0, atol=1e-9)


def test_covering_takes_the_corners_in_any_order():
    template = make(FLIP_Z)
    low, high = np.array([0.0, 0.0, 0.0]), np.array([10.0, 20.0, 30.0])
    assert Grid.covering(template, low, high, (2.0,) * 3) == Grid.covering(template, high, low, (2.0,) * 3)


def test_a_box_of_whole_voxels_needs_no_extra_voxel():
    grid = Grid.covering(make(), np.zeros(3), np.array([7.5, 5.0, 2.5]), (2.5,) * 3)
    assert grid.shape == (1, 2, 3)
    np.testing.assert_allclose(grid.origin_mm, [1.25, 1.25, 1.25])


def test_sizes():
    grid = make()
    assert grid.voxels == 120
    assert grid.voxel_ml == pytest.approx(0.006)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": (4, 5)}, "three dimensions"),
        ({"shape": (4, 0, 6)}, "three dimensions"),
        ({"spacing_mm": (1.0, 0.0, 1.0)}, "spacing"),
        ({"spacing_mm": (1.0, -1.0, 1.0)}, "spacing"),
        ({"spacing_mm": (1.0, np.inf, 1.0)}, "spacing"),
        ({"spacing_mm": (1.0, 1.0)}, "spacing"),
        ({"origin_mm": (0.0, np.nan, 0.0)}, "finite"),
        ({"direction": (1.0, 0.1, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)}, "perpendicular"),
        ({"direction": (2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)}, "perpendicular"),
        ({"direction": (np.nan,) * 9}, "perpendicular"),
    ],
)
def test_impossible_geometry_is_refused(change, message):
    with pytest.raises(ImageError, match=message):
        Grid(**{"shape": (4, 5, 6), "spacing_mm": (1.0, 1.0, 1.0), **change})
