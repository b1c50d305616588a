"""Lesions placed by the program: inside, apart, of the right size, and always the same."""

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.errors import StructureError
from radioembolization.images import Grid
from radioembolization.structures import place_lesions
from support import as_direction, ellipsoid, rotation

GRID = Grid((50, 60, 60), (3.0, 2.0, 2.0), (-60.0, -60.0, -75.0))
LIVER = ellipsoid(GRID, (-1.0, -1.0, -1.5), (52.0, 48.0, 60.0))
VOLUMES = (5.0, 20.0, 1.5, 10.0)


def placed(seed=3, **options):
    return place_lesions(LIVER, GRID, VOLUMES, np.random.default_rng(seed), **options)


@pytest.mark.parametrize("seed", range(5))
def test_lesions_are_inside_the_liver_and_apart(seed):
    lesions = placed(seed)
    assert [lesion.volume_ml for lesion in lesions] == list(VOLUMES)
    for one in lesions:
        assert not (one.mask & ~LIVER).any()
    for number, one in enumerate(lesions):
        distance = ndimage.distance_transform_edt(~one.mask, sampling=GRID.spacing_mm)
        for other in lesions[number + 1 :]:
            assert distance[other.mask].min() > 4.0  # the default gap [mm]


def test_a_wider_gap_is_kept():
    one, other = place_lesions(LIVER, GRID, (15.0, 15.0), np.random.default_rng(1), gap_mm=15.0)
    distance = ndimage.distance_transform_edt(~one.mask, sampling=GRID.spacing_mm)
    assert distance[other.mask].min() > 15.0


@pytest.mark.parametrize("seed", range(5))
def test_volumes_are_those_asked_for(seed):
    # At most 3 % are clipped; a 1.5 mL ellipsoid has 125 voxels, whose number scatters by some per cent.
    for lesion in placed(seed):
        voxels_ml = lesion.mask.sum() * GRID.voxel_ml
        assert voxels_ml == pytest.approx(lesion.volume_ml, rel=0.03 + 0.1 / np.sqrt(lesion.volume_ml))


def test_the_stated_centre_is_in_patient_space():
    flipped = as_direction(rotation((0.0, 0.0, 1.0), 30.0) @ np.diag([1.0, 1.0, -1.0]))
    grid = Grid(GRID.shape, GRID.spacing_mm, (10.0, 20.0, 30.0), flipped)
    for lesion in place_lesions(LIVER, grid, (15.0, 8.0), np.random.default_rng(2)):
        middle = np.argwhere(lesion.mask).mean(axis=0)
        np.testing.assert_allclose(lesion.centre_lps_mm, grid.to_lps(middle), atol=1.5)


def test_the_same_seed_places_the_same_lesions():
    for one, again in zip(placed(7), placed(7), strict=True):
        np.testing.assert_array_equal(one.mask, again.mask)
    assert any((one.mask != other.mask).any() for one, other in zip(placed(7), placed(8), strict=True))


def test_lesions_go_into_their_regions_in_turn():
    left = LIVER & (np.arange(60) >= 30)
    right = LIVER & (np.arange(60) < 30)
    lesions = placed(4, regions=(left, right))
    sides = [grid_x < 30 for grid_x in (np.argwhere(lesion.mask).mean(axis=0)[2] for lesion in lesions)]
    assert sides == [False, True, False, True]


def test_a_lesion_that_does_not_fit_is_refused():
    with pytest.raises(StructureError, match="900 mL does not fit"):
        place_lesions(LIVER, GRID, (900.0,), np.random.default_rng(0))
    with pytest.raises(StructureError, match="does not fit"):
        place_lesions(LIVER, GRID, (60.0,) * 12, np.random.default_rng(0))


def test_the_liver_given_is_not_changed():
    before = LIVER.copy()
    placed(1)
    np.testing.assert_array_equal(LIVER, before)
