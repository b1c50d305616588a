"""Counts are kept, places are kept, and masks keep their volume."""

import numpy as np
import pytest

from radioembolization.errors import NoOverlap
from radioembolization.images import Grid, Unit, Volume, resample_counts, resample_linear, resample_mask
from support import as_direction, box_mask, counts, ellipsoid, positions, rotation

FLIP_Z = as_direction(np.diag([1.0, 1.0, -1.0]))
OBLIQUE = as_direction(rotation((1.0, 2.0, 3.0), 20.0))
#: A SPECT-like source of 24 x 20 x 22 voxels, and targets that hold all of it.
SOURCE = Grid((24, 20, 22), (4.8, 4.8, 4.8))
INSIDE = {
    "finer": Grid((60, 50, 55), (2.4, 2.4, 2.4), (-10.0, -10.0, -12.0)),
    "finer, anisotropic": Grid((46, 40, 70), (3.0, 3.5, 2.0), (-9.0, -11.0, -10.0)),
    "coarser": Grid((18, 18, 20), (8.0, 8.0, 8.0), (-11.0, -13.0, -12.0)),
    "flipped z": Grid((60, 50, 55), (2.4, 2.4, 2.4), (-10.0, -10.0, 125.0), FLIP_Z),
    "oblique": Grid((70, 70, 70), (2.5, 2.5, 2.5), (-40.0, -20.0, -40.0), OBLIQUE),
}


def blobs(grid):
    """Return a smooth count image that vanishes at the border."""
    where = positions(grid)
    middle = grid.to_lps((np.array(grid.shape) - 1) / 2.0)

    def blob(offset, width):
        return np.exp(-(((where - middle - np.array(offset)) / width) ** 2).sum(axis=-1) / 2.0)

    return counts(1000.0 * blob((-12.0, 8.0, 5.0), 7.0) + 400.0 * blob((10.0, -9.0, -12.0), 5.0), grid)


def centroid(volume):
    weights = volume.array.astype(float)
    return (positions(volume.grid) * weights[..., None]).sum(axis=(0, 1, 2)) / weights.sum()


@pytest.mark.parametrize("target", INSIDE.values(), ids=INSIDE)
def test_all_counts_arrive_when_the_target_holds_the_source(target):
    source = blobs(SOURCE)
    result, share = resample_counts(source, target)
    assert share == pytest.approx(1.0, abs=1e-4)  # the tails at the border are below 1e-4
    # Single precision over some 1e5 voxels.
    assert result.array.sum(dtype=float) == pytest.approx(source.array.sum(dtype=float) * share, rel=1e-5)
    assert (result.unit, result.grid) == (Unit.COUNTS, target)
    assert result.array.min() >= 0.0


@pytest.mark.parametrize("target", INSIDE.values(), ids=INSIDE)
def test_counts_stay_where_they_are_in_the_patient(target):
    # Linear interpolation keeps the first moment of a smooth image to 2 % of a source voxel; a flipped
    # or swapped axis moves it by centimetres.
    source = blobs(SOURCE)
    result, _ = resample_counts(source, target)
    np.testing.assert_allclose(centroid(result), centroid(source), atol=0.1)


@pytest.mark.parametrize("target", INSIDE.values(), ids=INSIDE)
def test_a_hot_voxel_stays_at_its_position(target):
    array = np.zeros(SOURCE.shape)
    array[15, 6, 12] = 500.0
    result, share = resample_counts(counts(array, SOURCE), target)
    here = np.array([12 * 4.8, 6 * 4.8, 15 * 4.8])
    assert share == pytest.approx(1.0)
    assert result.array.sum(dtype=float) == pytest.approx(500.0, rel=1e-5)
    # A triangle of +-4.8 mm: nothing outside it (and half a target voxel), its centre in place.
    near = np.abs(positions(target) - here).max(axis=-1) <= np.sqrt(3.0) * (4.8 + max(target.spacing_mm) / 2.0)
    assert result.array[~near].max() == 0.0
    np.testing.assert_allclose(centroid(result), here, atol=0.25 * 4.8)


@pytest.mark.parametrize("times", [2, 3])
def test_a_coarser_aligned_grid_holds_the_sums_of_blocks(times):
    rng = np.random.default_rng(4)
    source_grid = Grid((12, 12, 24), (1.0, 1.5, 2.0), (5.0, 6.0, 7.0))
    source = counts(rng.uniform(0.0, 10.0, source_grid.shape), source_grid)
    spacing = tuple(times * s for s in source_grid.spacing_mm)
    first = source_grid.to_lps(np.full(3, (times - 1) / 2.0))
    shape = tuple(n // times for n in source_grid.shape)
    result, share = resample_counts(source, Grid(shape, spacing, tuple(first)))
    blocks = source.array.reshape(shape[0], times, shape[1], times, shape[2], times).sum(axis=(1, 3, 5))
    assert share == pytest.approx(1.0)
    np.testing.assert_allclose(result.array, blocks, rtol=1e-4)


def test_a_finer_aligned_grid_splits_a_uniform_image_evenly():
    source = counts(np.full((4, 5, 6), 8.0), Grid((4, 5, 6), (2.0, 2.0, 2.0)))
    result, share = resample_counts(source, source.grid.refined((2, 2, 2)))
    assert share == pytest.approx(1.0)
    np.testing.assert_allclose(result.array, 1.0, rtol=1e-5)


def test_the_same_grid_gives_the_same_counts():
    source = blobs(SOURCE)
    result, share = resample_counts(source, SOURCE)
    assert share == pytest.approx(1.0)
    np.testing.assert_allclose(result.array, source.array, rtol=1e-5)


@pytest.mark.parametrize(("kept", "share"), [(12, 0.5), (6, 0.25), (18, 0.75)])
def test_partial_cover_keeps_the_counts_inside_and_states_their_share(kept, share):
    # A uniform source of 24 slices of 100 counts a voxel, a target that holds some of them, twice as fine.
    source = counts(np.full((24, 10, 10), 100.0), Grid((24, 10, 10), (4.0, 4.0, 4.0)))
    target = source.grid.box((0, 0, 0), (kept, 10, 10)).refined((2, 2, 2))
    result, found = resample_counts(source, target)
    assert found == pytest.approx(share, rel=1e-9)
    assert result.array.sum(dtype=float) == pytest.approx(share * source.array.sum(), rel=1e-5)
    np.testing.assert_allclose(result.array, 100.0 / 8.0, rtol=1e-5)


def test_partial_cover_through_the_middle_of_voxels():
    # The target ends a third of a voxel into slice 12: 12 1/3 of 24 slices lie inside.
    source = counts(np.full((24, 10, 10), 100.0), Grid((24, 10, 10), (3.0, 3.0, 3.0)))
    target = Grid((37, 10, 10), (1.0, 3.0, 3.0), (0.0, 0.0, -1.0))
    _, share = resample_counts(source, target)
    assert share == pytest.approx((12.0 + 1.0 / 3.0) / 24.0, rel=1e-9)


@pytest.mark.parametrize("shift", [(500.0, 0.0, 0.0), (0.0, -500.0, 0.0), (0.0, 0.0, 500.0)])
def test_images_apart_are_refused(shift):
    with pytest.raises(NoOverlap, match="same patient"):
        resample_counts(blobs(SOURCE), Grid(SOURCE.shape, SOURCE.spacing_mm, shift))


def test_overlap_without_counts_is_refused():
    array = np.zeros(SOURCE.shape)
    array[:3] = 10.0
    with pytest.raises(NoOverlap):
        resample_counts(counts(array, SOURCE), SOURCE.box((8, 0, 0), (10, 20, 22)))


def test_linear_resampling_reproduces_a_ramp_and_fills_what_it_does_not_cover():
    grid = Grid((10, 12, 14), (3.0, 3.0, 3.0))
    where = positions(grid)
    ramp = Volume(1.0 * where[..., 0] + 2.0 * where[..., 1] - 3.0 * where[..., 2], grid, Unit.HU)
    target = Grid((12, 8, 8), (1.0, 2.0, 1.5), (6.0, 8.0, 17.0), FLIP_Z)
    result = resample_linear(ramp, target, outside=-1000.0)
    at = positions(target)
    np.testing.assert_allclose(result.array, at[..., 0] + 2 * at[..., 1] - 3 * at[..., 2], atol=1e-3)
    apart = resample_linear(ramp, Grid((2, 2, 2), (1.0,) * 3, (500.0, 0.0, 0.0)), outside=-1000.0)
    assert np.all(apart.array == -1000.0)


def test_linear_resampling_to_coarser_voxels_averages():
    grid = Grid((4, 4, 4), (1.0, 1.0, 1.0))
    array = np.arange(64, dtype=float).reshape(grid.shape)
    result = resample_linear(Volume(array, grid, Unit.HU), Grid((2, 2, 2), (2.0,) * 3, (0.5,) * 3), outside=0.0)
    np.testing.assert_allclose(result.array, array.reshape(2, 2, 2, 2, 2, 2).mean(axis=(1, 3, 5)), rtol=1e-6)


#: Source and target spacing of masks (z, y, x) [mm].
RATIOS = {
    "CT slices of 5 mm to 2.5 mm": ((5.0, 0.8, 0.8), (2.5, 2.5, 2.5)),
    "CT slices of 3 mm to 2.5 mm": ((3.0, 0.8, 0.8), (2.5, 2.5, 2.5)),
    "fine CT to 2.5 mm": ((1.0, 0.8, 0.8), (2.5, 2.5, 2.5)),
    "to finer": ((3.0, 3.0, 3.0), (2.0, 2.0, 2.0)),
    "to coarser": ((1.0, 1.0, 1.0), (4.0, 4.0, 3.0)),
    "near equal": ((2.4, 2.4, 2.4), (2.5, 2.5, 2.5)),
}


def volume_changes(semi_axes, fine, coarse, times):
    """Return relative volume changes of one ellipsoid resampled at random positions."""
    rng = np.random.default_rng(11)
    extent = 2.0 * max(semi_axes) + 16.0
    source = Grid(tuple(int(np.ceil(extent / s)) for s in fine), fine)
    target = Grid(tuple(int(np.ceil((extent + 10.0) / s)) for s in coarse), coarse, (-5.0, -5.0, -5.0))
    changes = []
    for _ in range(times):
        mask = ellipsoid(source, extent / 2.0 + rng.uniform(-2.0, 2.0, 3), semi_axes)
        result = resample_mask(mask, source, target)
        changes.append(result.sum() * target.voxel_ml / (mask.sum() * source.voxel_ml) - 1.0)
    return np.array(changes)


@pytest.mark.parametrize(("fine", "coarse"), RATIOS.values(), ids=RATIOS)
def test_large_masks_keep_their_volume(fine, coarse):
    # A sphere of 113 mL.  A layer of one voxel would be 25 % of it; keeping voxels by majority shrinks
    # a convex body by about (h_source^2 + h_target^2) / (4 R^2), below 1 %.
    changes = volume_changes((30.0, 30.0, 30.0), fine, coarse, times=3)
    assert np.abs(changes).max() < 0.02


@pytest.mark.parametrize("semi_axes", [(12.0, 12.0, 12.0), (20.0, 12.0, 8.0)], ids=["sphere", "ellipsoid"])
@pytest.mark.parametrize(("fine", "coarse"), RATIOS.values(), ids=RATIOS)
def test_lesions_keep_their_volume(semi_axes, fine, coarse):
    # 7 and 8 mL, drawn on common images.  5 % is the change the planner warns of; on average over
    # positions there may be no more bias than 2 %, twice the shrinkage by curvature above.
    changes = volume_changes(semi_axes, fine, coarse, times=8)
    assert np.abs(changes).max() < 0.05
    assert abs(changes.mean()) < 0.02


@pytest.mark.parametrize("direction", [FLIP_Z, OBLIQUE], ids=["flipped z", "oblique"])
def test_a_mask_stays_where_it_is_in_the_patient(direction):
    source = Grid((40, 36, 44), (2.0, 2.0, 2.0), (-45.0, -35.0, 40.0 if direction is FLIP_Z else -40.0), direction)
    centre = source.to_lps(np.array([20.0, 17.0, 24.0]))
    mask = ellipsoid(source, centre, (14.0, 9.0, 11.0))
    target = Grid((60, 60, 60), (2.5, 2.5, 2.5), tuple(centre - 70.0))
    result = resample_mask(mask, source, target)
    np.testing.assert_allclose(positions(target)[result].mean(axis=0), centre, atol=0.3)
    # The semi-axes along the patient's axes stay: second moments of an ellipsoid are a^2/5.
    spread = positions(target)[result].std(axis=0) * np.sqrt(5.0)
    np.testing.assert_allclose(spread, (14.0, 9.0, 11.0), rtol=0.05)


@pytest.mark.parametrize(
    ("thickness", "covered"),
    [(0.2, [False, False]), (0.8, [True, False]), (1.2, [True, False]), (1.8, [True, True])],
    ids=lambda value: f"{value} mm" if isinstance(value, float) else "",
)
def test_a_voxel_belongs_if_most_of_it_is_covered(thickness, covered):
    # Slabs of 0.2 mm source slices on 1 mm target slices, by hand.
    source = Grid((15, 4, 4), (0.2, 1.0, 1.0), (0.0, 0.0, -0.4))  # slice 0 starts at z = -0.5
    mask = box_mask(source.shape, (0, round(thickness / 0.2)), (0, 4), (0, 4))
    result = resample_mask(mask, source, Grid((3, 4, 4), (1.0, 1.0, 1.0)))
    assert result.all(axis=(1, 2)).tolist() == [*covered, False]
    assert result.any(axis=(1, 2)).tolist() == [*covered, False]


def test_masks_that_touch_the_border_stay_whole():
    source = Grid((6, 5, 4), (4.0, 4.0, 4.0), (2.0, 2.0, 2.0))
    mask = np.ones(source.shape, dtype=bool)
    same_box = source.refined((2, 2, 2))
    assert resample_mask(mask, source, same_box).all()
    wider = Grid((16, 14, 12), (2.0, 2.0, 2.0), (-1.0, -1.0, -1.0))
    assert resample_mask(mask, source, wider).sum() * wider.voxel_ml == pytest.approx(mask.sum() * source.voxel_ml)


def test_a_mask_at_one_corner_of_the_image_stays_there():
    source = Grid((10, 10, 10), (2.0, 2.0, 2.0))
    mask = box_mask(source.shape, (8, 10), (0, 2), (9, 10))
    result = resample_mask(mask, source, source.refined((2, 2, 2)))
    np.testing.assert_array_equal(result, np.kron(mask, np.ones((2, 2, 2), dtype=bool)))


def test_a_mask_partly_outside_the_target_is_cut():
    source = Grid((10, 10, 10), (2.0, 2.0, 2.0))
    mask = np.ones(source.shape, dtype=bool)
    result = resample_mask(mask, source, source.box((5, 0, 0), (10, 10, 10)))
    assert result[:5].all()
    assert not result[5:].any()


def test_same_grid_empty_mask_and_no_overlap():
    grid = Grid((10, 10, 10), (2.0, 2.0, 2.0))
    mask = ellipsoid(grid, (9.0, 9.0, 9.0), 6.0)
    np.testing.assert_array_equal(resample_mask(mask, grid, grid), mask)
    assert not resample_mask(np.zeros_like(mask), grid, grid).any()
    assert not resample_mask(mask, grid, Grid(grid.shape, grid.spacing_mm, (500.0, 0.0, 0.0))).any()
