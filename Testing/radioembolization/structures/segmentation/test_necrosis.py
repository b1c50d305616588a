"""Necrotic cores: known ones in CT and emission images, none where there is none."""

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.errors import ImageError, StructureError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.structures.editing import Region
from radioembolization.structures.segmentation import cold_core, necrotic_core
from radioembolization.structures.terminology import NECROSIS
from support import ellipsoid

GRID = Grid((36, 50, 50), (2.5, 1.6, 1.6), (-39.2, -39.2, -43.75))
TUMOUR = Region("T1", ellipsoid(GRID, (2.0, 0.0, 0.0), 28.0), GRID)
CORE = ellipsoid(GRID, (5.0, 0.0, 0.0), 14.0)


def ct(core=CORE, core_hu=12.0, vital_hu=95.0, noise_hu=15.0):
    hu = np.full(GRID.shape, 110.0)
    hu[TUMOUR.mask] = vital_hu
    hu[core] = core_hu
    return Volume(hu + np.random.default_rng(6).normal(0.0, noise_hu, GRID.shape), GRID, Unit.HU)


def uptake(core=CORE, fwhm_mm=6.0):
    counts = np.where(TUMOUR.mask, 60.0, 10.0)
    counts[core] = 5.0
    return Volume(ndimage.gaussian_filter(counts, fwhm_mm / 2.3548 / np.array(GRID.spacing_mm)), GRID, Unit.COUNTS)


def checks(found):
    return {finding.check for finding in found.all_findings}


def test_a_hypodense_core_is_found_with_its_volume():
    found = necrotic_core(ct(), TUMOUR)
    core = found["necrosis of T1"]
    assert core.terminology is NECROSIS
    # The threshold lies nearer to the core than to the vital part; smoothing is 1.5 mm, a voxel 1.6 mm.
    radius = (3000.0 * found.volume_ml(core.name) / (4.0 * np.pi)) ** (1.0 / 3.0)
    assert 14.0 - 1.6 < radius < 14.5
    assert not (core.mask & ~CORE).sum() > 0.02 * CORE.sum()
    assert not checks(found)


def test_a_tumour_without_core_has_no_necrosis():
    found = necrotic_core(ct(np.zeros(GRID.shape, dtype=bool)), TUMOUR)
    assert not found.structures
    assert checks(found) == {"no necrosis"}


def test_the_rim_is_left_out():
    at_edge = TUMOUR.mask & ~ellipsoid(GRID, (2.0, 0.0, 0.0), 25.0)
    assert not necrotic_core(ct(at_edge), TUMOUR, rim_mm=5.0).structures
    assert necrotic_core(ct(at_edge, noise_hu=0.0), TUMOUR, rim_mm=0.0, below_hu=50.0).structures


def test_fat_is_no_necrosis():
    assert not necrotic_core(ct(core_hu=-90.0, noise_hu=0.0), TUMOUR, below_hu=20.0, minimum_ml=9.0).structures


def test_an_image_without_contrast_is_warned_about():
    assert "little enhancement" in checks(necrotic_core(ct(vital_hu=40.0), TUMOUR))
    assert "little enhancement" in checks(necrotic_core(ct(core_hu=25.0, vital_hu=25.0), TUMOUR))


def test_a_cold_core_is_found():
    found = cold_core(uptake(), TUMOUR, resolution_mm=6.0)
    # Half way: within half the resolution of the true surface.
    radius = (3000.0 * found.volume_ml("necrosis of T1") / (4.0 * np.pi)) ** (1.0 / 3.0)
    assert radius == pytest.approx(14.0, abs=2.0)
    assert not checks(found)


def test_a_core_below_the_resolution_is_warned_about():
    assert "small against resolution" in checks(cold_core(uptake(), TUMOUR, resolution_mm=20.0, share=0.6))


def test_a_tumour_with_uptake_all_over_has_no_cold_core():
    found = cold_core(uptake(np.zeros(GRID.shape, dtype=bool)), TUMOUR, resolution_mm=6.0, rim_mm=4.0)
    assert not found.structures


def test_bad_input_is_refused():
    with pytest.raises(ImageError, match="not in an image in counts"):
        necrotic_core(uptake(), TUMOUR)
    with pytest.raises(ImageError, match="not in HU"):
        cold_core(ct(), TUMOUR)
    for below in (0.0, 61.0, -5.0):
        with pytest.raises(StructureError, match="between 0 and 60 HU"):
            necrotic_core(ct(), TUMOUR, below_hu=below)
    with pytest.raises(StructureError, match="rim must not be negative"):
        necrotic_core(ct(), TUMOUR, rim_mm=-1.0)
    with pytest.raises(StructureError, match="deeper than 40 mm"):
        necrotic_core(ct(), TUMOUR, rim_mm=40.0)
    with pytest.raises(StructureError, match="minimum volume"):
        necrotic_core(ct(), TUMOUR, minimum_ml=0.0)
    with pytest.raises(StructureError, match="share of the vital uptake"):
        cold_core(uptake(), TUMOUR, share=1.0)
    far = Grid((4, 4, 4), (3.0, 3.0, 3.0), (900.0, 0.0, 0.0))
    with pytest.raises(StructureError, match="no voxels on the other grid"):
        necrotic_core(ct(), Region("far", np.ones((4, 4, 4), dtype=bool), far))
