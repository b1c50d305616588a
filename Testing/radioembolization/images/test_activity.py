"""Activity maps: scaling, ripple, and totals that cannot be meant."""

import warnings

import numpy as np
import pytest

from radioembolization.errors import ImageError, InputError, NegativeCountsSetToZero, UnlikelyActivity
from radioembolization.images import Grid, Unit, Volume, activity_map, total_gbq

GRID = Grid((4, 5, 6), (5.0, 4.0, 2.0))  # 120 voxels of 0.04 mL


def image(array, unit=Unit.BQ_PER_ML):
    return Volume(np.broadcast_to(np.asarray(array, dtype=float), GRID.shape).copy(), GRID, unit)


def test_counts_are_scaled_to_the_activity_of_the_whole_map():
    array = np.zeros(GRID.shape)
    array[1, 2, 3], array[2, 2, 2] = 30.0, 10.0
    scaled = activity_map(image(array, Unit.COUNTS), 2.0)
    assert scaled.unit is Unit.BQ_PER_ML
    assert total_gbq(scaled) == pytest.approx(2.0, rel=1e-12)
    assert scaled.array[1, 2, 3] * 0.04e-9 == pytest.approx(1.5, rel=1e-12)


def test_a_map_in_bq_per_ml_is_taken_as_it_is():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = activity_map(image(1e6))
    np.testing.assert_array_equal(same.array, 1e6)
    assert total_gbq(same) == pytest.approx(120 * 0.04 * 1e-3, rel=1e-12)


def test_a_map_in_bq_per_ml_can_be_scaled_too():
    assert total_gbq(activity_map(image(7.0), 3.0)) == pytest.approx(3.0, rel=1e-12)


def test_ripple_is_set_to_zero_with_a_notice():
    array = np.full(GRID.shape, 1e6)
    array[0, 0, :3] = -5e3
    with pytest.warns(NegativeCountsSetToZero, match=r"3 voxels of the activity map.*0\.50%"):
        repaired = activity_map(image(array))
    assert repaired.array.min() == 0.0


def test_more_than_ripple_is_refused():
    array = np.full(GRID.shape, 1e6)
    array[3, 1, 2] = -2e4
    with pytest.raises(ImageError, match=r"-20000 \(2\.0% of its maximum\) at index .* = \(3, 1, 2\)"):
        activity_map(image(array))


@pytest.mark.parametrize("array", [0.0, -1.0])
def test_an_empty_map_is_refused(array):
    with pytest.raises(ImageError, match="activity map is empty"):
        activity_map(image(array))


@pytest.mark.parametrize("activity", [0.0, -1.0, np.nan, np.inf])
def test_an_impossible_activity_is_refused(activity):
    with pytest.raises(InputError, match="not a positive number"):
        activity_map(image(1.0), activity)


def test_counts_without_an_activity_and_other_units_are_refused():
    with pytest.raises(InputError, match="needs the activity"):
        activity_map(image(1.0, Unit.COUNTS))
    with pytest.raises(ImageError, match="in HU"):
        activity_map(image(1.0, Unit.HU))


@pytest.mark.parametrize("concentration", [1e-3, 1e12])
def test_an_unlikely_total_tells_how_to_fix_it(concentration):
    with pytest.warns(UnlikelyActivity, match=r"GBq, outside .*Bq per voxel.*kBq/mL.*--activity-gbq"):
        activity_map(image(concentration))


def test_an_unlikely_stated_activity_is_noticed():
    with pytest.warns(UnlikelyActivity, match="holds 2e\\+03 GBq.*stated in GBq"):
        activity_map(image(1.0, Unit.COUNTS), 2000.0)
