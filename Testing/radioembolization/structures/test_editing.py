"""Editing of masks: exact for boxes, within a voxel for balls, never silently empty."""

import numpy as np
import pytest

from radioembolization.errors import StructureError
from radioembolization.images import Grid
from radioembolization.structures import editing
from radioembolization.structures.editing import Region
from support import as_direction, box_mask, ellipsoid, rotation

GRID = Grid((30, 34, 38), (5.0, 2.0, 3.0), (-55.0, -33.0, -72.0))
BOX = Region("box", box_mask(GRID.shape, (10, 20), (10, 20), (10, 20)), GRID)
VOXEL_ML = 0.03  # 5 x 2 x 3 mm


def test_a_region_states_its_volume():
    assert BOX.volume_ml == pytest.approx(1000 * VOXEL_ML)


def test_boolean_operations_on_boxes_are_exact():
    other = Region("other", box_mask(GRID.shape, (15, 25), (10, 20), (10, 20)), GRID)
    assert editing.unite(BOX, other).volume_ml == pytest.approx(1500 * VOXEL_ML)
    assert editing.intersect(BOX, other).volume_ml == pytest.approx(500 * VOXEL_ML)
    rest = editing.subtract(BOX, other)
    np.testing.assert_array_equal(rest.mask, box_mask(GRID.shape, (10, 15), (10, 20), (10, 20)))
    assert BOX.volume_ml == pytest.approx(1000 * VOXEL_ML)  # the input is left alone


def test_tumours_are_subtracted_from_a_liver_on_another_grid_with_a_note():
    fine = Grid((75, 68, 114), (2.0, 1.0, 1.0), (-56.0, -33.5, -73.5))
    tumour = Region("T1", ellipsoid(fine, (0.0, 0.0, 0.0), 9.0), fine)
    liver = Region("liver", ellipsoid(GRID, (0.0, 0.0, 0.0), (50.0, 28.0, 60.0)), GRID)
    normal = editing.subtract(liver, tumour, name="normal liver")
    assert normal.name == "normal liver"
    # Resampling keeps the volume to about a voxel of the liver's grid.
    assert normal.volume_ml == pytest.approx(liver.volume_ml - tumour.volume_ml, abs=2 * VOXEL_ML)
    assert any("'T1' was resampled" in note for note in normal.notes)
    assert not editing.subtract(liver, BOX).notes


@pytest.mark.parametrize(
    ("by_mm", "added_zyx"), [(2.0, (0, 1, 0)), (3.0, (0, 1, 1)), (5.0, (1, 2, 1)), (6.0, (1, 3, 2))]
)
def test_a_margin_is_euclidean_millimetres_on_anisotropic_voxels(by_mm, added_zyx):
    grown = editing.expanded(BOX, by_mm).mask
    middle = grown[:, 15, 15].sum(), grown[15, :, 15].sum(), grown[15, 15, :].sum()
    assert middle == tuple(10 + 2 * n for n in added_zyx)
    # Written out: a voxel belongs to the margin if its centre is within the distance of a voxel centre of the box.
    index = np.indices(GRID.shape)
    outside = [np.maximum(0, np.maximum(10 - i, i - 19)) * s for i, s in zip(index, GRID.spacing_mm, strict=True)]
    np.testing.assert_array_equal(grown, sum(o**2 for o in outside) <= by_mm**2)


@pytest.mark.parametrize("by_mm", [2.0, 3.0, 5.0, 7.0])
def test_shrinking_a_box_takes_whole_layers(by_mm):
    layers = [int(by_mm / s) for s in GRID.spacing_mm]
    expected = box_mask(GRID.shape, *((10 + n, 20 - n) for n in layers))
    np.testing.assert_array_equal(editing.shrunk(BOX, by_mm).mask, expected)


@pytest.mark.parametrize("by_mm", [4.0, 9.0])
def test_balls_grow_and_shrink_by_the_margin_within_a_voxel(by_mm):
    grid = Grid((60, 50, 50), (1.5, 2.0, 2.0), (-49.0, -49.0, -44.25))
    ball = Region("ball", ellipsoid(grid, (0.3, -0.4, 0.2), 25.0), grid)
    for sign, result in ((1.0, editing.expanded(ball, by_mm)), (-1.0, editing.shrunk(ball, by_mm))):
        radius = (3000.0 * result.volume_ml / (4.0 * np.pi)) ** (1.0 / 3.0)
        # Distances between centres: at most one voxel short of (growing) or beyond (shrinking) the surface.
        assert radius == pytest.approx(25.0 + sign * by_mm, abs=2.0)
        assert not (sign > 0 and (result.mask & ~ellipsoid(grid, (0.3, -0.4, 0.2), 25.0 + by_mm)).any())


def test_nothing_wraps_around_the_border_and_it_is_said():
    corner = Region("corner", box_mask(GRID.shape, (0, 2), (0, 3), (0, 3)), GRID)
    grown = editing.expanded(corner, 6.0)
    assert not grown.mask[5:].any() and not grown.mask[:, 8:].any() and not grown.mask[:, :, 8:].any()
    assert "not expanded beyond the border" in grown.notes[0]
    shrunk = editing.shrunk(corner, 2.0)
    assert shrunk.mask[0, 0, 0]  # cut by the border, not ending there
    assert "not shrunk there" in shrunk.notes[0]
    assert not editing.expanded(BOX, 6.0).notes


def test_margins_follow_the_voxels_not_the_axes_of_the_patient():
    turned = Grid(GRID.shape, GRID.spacing_mm, (5.0, 6.0, 7.0), as_direction(rotation((1.0, 2.0, 3.0), 40.0)))
    region = Region("box", BOX.mask, turned)
    np.testing.assert_array_equal(editing.expanded(region, 6.0).mask, editing.expanded(BOX, 6.0).mask)


def test_parts_islands_and_holes():
    mask = BOX.mask.copy()
    mask[13:15, 13:15, 13:15] = False  # a hole of 8 voxels
    mask[2, 2, 2:6] = True  # an island of 4 voxels
    mask[25:27, 25:30, 25:30] = True  # one of 50
    region = Region("liver", mask, GRID)
    assert editing.filled(region).volume_ml == pytest.approx((1000 + 54) * VOXEL_ML)
    assert editing.largest_part(region).volume_ml == pytest.approx(992 * VOXEL_ML)
    assert editing.without_islands(region, 50 * VOXEL_ML).volume_ml == pytest.approx((992 + 50) * VOXEL_ML)
    assert editing.without_islands(region, 50.5 * VOXEL_ML).volume_ml == pytest.approx(992 * VOXEL_ML)


def test_parts_that_share_only_an_edge_are_not_connected():
    mask = box_mask(GRID.shape, (5, 8), (5, 8), (5, 8)) | box_mask(GRID.shape, (8, 10), (8, 10), (5, 8))
    assert editing.largest_part(Region("r", mask, GRID)).mask.sum() == 27


def test_smoothing_keeps_the_volume_and_takes_spikes():
    mask = BOX.mask.copy()
    mask[15, 15, 20:26] = True
    smooth = editing.smoothed(Region("box", mask, GRID), 4.0)
    assert smooth.mask.sum() == mask.sum()
    assert not smooth.mask[15, 15, 23:].any()


def test_empty_results_are_refused_with_the_reason():
    far = Region("far", box_mask(GRID.shape, (25, 28), (25, 28), (25, 28)), GRID)
    with pytest.raises(StructureError, match="'box', 'far' share no voxel"):
        editing.intersect(BOX, far)
    with pytest.raises(StructureError, match="Nothing of 'box' is left without 'box'"):
        editing.subtract(BOX, BOX)
    with pytest.raises(StructureError, match="Nothing of 'box' is deeper than 30 mm, 10 mm at most"):
        editing.shrunk(BOX, 30.0)
    with pytest.raises(StructureError, match="smaller than 31 mL, the largest has 30 mL"):
        editing.without_islands(BOX, 31.0)
    with pytest.raises(StructureError, match=r"'box' .* has no voxels on the other grid"):
        BOX.on(Grid((4, 4, 4), (5.0, 5.0, 5.0), (900.0, 0.0, 0.0)))
    with pytest.raises(StructureError, match="'none' has no voxels"):
        Region("none", np.zeros(GRID.shape, dtype=bool), GRID)
    with pytest.raises(StructureError, match="its grid"):
        Region("wrong", np.ones((2, 2, 2), dtype=bool), GRID)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_lengths_must_be_above_zero(value):
    for operation in (editing.expanded, editing.shrunk, editing.smoothed, editing.without_islands):
        with pytest.raises(StructureError, match="must be above 0"):
            operation(BOX, value)
