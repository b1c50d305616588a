"""Perfused volumes: known territories in contrast CBCT and scout, and what is warned about."""

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.errors import ImageError, StructureError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.structures.editing import Region
from radioembolization.structures.segmentation import (
    ShareOfLiverMaximum,
    ShareOfLiverMean,
    perfused_from_cbct,
    perfused_from_scout,
)
from radioembolization.structures.terminology import PERFUSED_VOLUME
from support import ellipsoid, positions

GRID = Grid((40, 60, 60), (3.0, 2.5, 2.5), (-73.75, -73.75, -58.5))
LIVER = Region("liver", ellipsoid(GRID, (0.0, 0.0, 0.0), (62.0, 55.0, 48.0)), GRID)
X = positions(GRID)[..., 0]


def territory(beyond_mm):
    return LIVER.mask & (beyond_mm < X)


def cbct(perfused, noise_hu=35.0, enhanced=170.0, extra=None):
    rng = np.random.default_rng(8)
    hu = np.where(LIVER.mask, 90.0, -60.0)
    hu[perfused] = enhanced
    if extra is not None:
        hu[extra] = enhanced
    return Volume((hu + rng.normal(0.0, noise_hu, GRID.shape)).astype(np.float32), GRID, Unit.HU)


def scout(perfused, tumour=None, level=40.0):
    array = np.where(perfused, level, 1.0)
    if tumour is not None:
        array[tumour] = 8.0 * level
    return Volume(ndimage.gaussian_filter(array, 14.0 / 2.3548 / np.array(GRID.spacing_mm)), GRID, Unit.COUNTS)


def dice(a, b):
    return 2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def checks(found):
    return {finding.check for finding in found.all_findings}


@pytest.mark.parametrize("beyond_mm", [-30.0, 0.0, 40.0])
def test_the_enhanced_part_of_the_liver_is_found_in_noise(beyond_mm):
    found = perfused_from_cbct(cbct(territory(beyond_mm)), LIVER)
    structure = found["perfused volume"]
    assert dice(structure.mask, territory(beyond_mm)) > 0.95
    assert not (structure.mask & ~LIVER.mask).any()
    assert structure.terminology is PERFUSED_VOLUME
    assert not checks(found)


def test_vessels_are_no_territory():
    vessel = LIVER.mask & (positions(GRID)[..., 1] ** 2 + positions(GRID)[..., 2] ** 2 < 2.5**2) & (X < 0)
    found = perfused_from_cbct(cbct(territory(10.0) | vessel), LIVER)
    assert dice(found["perfused volume"].mask, territory(10.0)) > 0.95
    assert not found["perfused volume"].mask[X < -10.0].any()


def test_an_unenhanced_liver_is_warned_about():
    for whole in (LIVER.mask, np.zeros(GRID.shape, dtype=bool)):
        assert "no clear enhancement" in checks(perfused_from_cbct(cbct(whole), LIVER))


def test_vessels_alone_are_warned_about():
    lines = LIVER.mask & (positions(GRID)[..., 1] % 30.0 < 2.5) & (positions(GRID)[..., 2] % 30.0 < 3.0)
    assert "no clear enhancement" in checks(perfused_from_cbct(cbct(lines, enhanced=400.0), LIVER))


def test_supply_of_other_organs_is_warned_about():
    stomach = ellipsoid(GRID, (66.0, 0.0, 0.0), (14.0, 30.0, 30.0)) & ~LIVER.mask
    assert "perfused outside the liver" in checks(perfused_from_cbct(cbct(territory(0.0), extra=stomach), LIVER))


def test_a_liver_partly_outside_the_image_is_said():
    half = GRID.box((0, 0, 0), (24, 60, 60))
    image = cbct(territory(0.0))
    found = perfused_from_cbct(Volume(image.array[:24], half, Unit.HU), LIVER)
    assert "liver partly outside the image" in checks(found)


@pytest.mark.parametrize("beyond_mm", [-200.0, -30.0, 0.0])
def test_the_perfused_part_of_a_scout(beyond_mm):
    # Half the mean is below half the level of the territory, so it is up to a third of the resolution too wide.
    found = perfused_from_scout(scout(territory(beyond_mm)), LIVER, resolution_mm=14.0)
    truth = territory(beyond_mm)
    assert dice(found["perfused volume"].mask, truth) > 0.9
    assert found.volume_ml("perfused volume") >= 0.98 * np.count_nonzero(truth) * GRID.voxel_ml


def test_tumours_move_the_maximum_more_than_the_mean():
    tumour = ellipsoid(GRID, (25.0, 0.0, 0.0), 14.0)
    volumes = {}
    for rule in (ShareOfLiverMean(0.5), ShareOfLiverMaximum(0.25)):
        plain, hot = (
            perfused_from_scout(scout(territory(0.0), t), LIVER, rule).volume_ml("perfused volume")
            for t in (None, tumour)
        )
        volumes[type(rule)] = hot / plain
    assert volumes[ShareOfLiverMean] == pytest.approx(1.0, abs=0.1)
    assert volumes[ShareOfLiverMaximum] < 0.7


def test_shares_beyond_reason_are_warned_about():
    assert "perfused share" in checks(perfused_from_scout(scout(LIVER.mask), LIVER, ShareOfLiverMaximum(0.02)))
    assert "perfused share" in checks(perfused_from_scout(scout(territory(48.0)), LIVER, ShareOfLiverMaximum(0.9)))


def test_a_misplaced_scout_is_warned_about():
    gut = ellipsoid(GRID, (70.0, 0.0, 0.0), (25.0, 45.0, 40.0))
    found = perfused_from_scout(scout(territory(0.0) | gut), LIVER, resolution_mm=8.0)
    assert "perfused outside the liver" in checks(found)


def test_bad_input_is_refused():
    with pytest.raises(ImageError, match="not in an image in counts"):
        perfused_from_cbct(scout(LIVER.mask), LIVER)
    with pytest.raises(ImageError, match="same everywhere in 'liver'"):
        perfused_from_cbct(Volume(np.full(GRID.shape, 50.0), GRID, Unit.HU), LIVER)
    with pytest.raises(ImageError, match="no counts"):
        perfused_from_scout(Volume(np.zeros(GRID.shape), GRID, Unit.COUNTS), LIVER)
    with pytest.raises(StructureError, match="lower the share"):
        perfused_from_scout(scout(LIVER.mask), LIVER, ShareOfLiverMean(9.0))
    with pytest.raises(StructureError, match="must lie between"):
        ShareOfLiverMaximum(10.0)
