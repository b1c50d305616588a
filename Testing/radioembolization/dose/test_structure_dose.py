"""Dose of a structure whose border cuts voxels of the map."""

import warnings

import numpy as np
import pytest

from radioembolization.dose import Method
from radioembolization.dose.activity_dose import dose_of_activity
from radioembolization.dose.structure_dose import dose_in_structure
from radioembolization.errors import StructureError, StructurePartlyOutside
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import Y90
from support import box_mask

#: Ten voxels of 10 mm along each axis; 1 mL each.
GRID = Grid((10, 10, 10), (10.0, 10.0, 10.0))
K = 50.0


def dosed(array, rho=1.0):
    """Return local dose: 50 Gy in a voxel of 1e6 Bq/mL at 1 g/cm3."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dose_of_activity(Volume(array, GRID, Unit.BQ_PER_ML), Y90, K, rho, method=Method.LOCAL)


@pytest.fixture
def slabs():
    """Return a map whose slab at x index i has i x 10 Gy."""
    return dosed(np.indices(GRID.shape)[2] * 2e5)


def test_border_voxels_count_by_their_covered_share(slabs):
    # 5 mm voxels, from the middle of slab 3 (x = 30 mm) to its end and over slab 4: a third of 30, two of 40 Gy.
    fine = Grid((20, 20, 20), (5.0, 5.0, 5.0), (-2.5, -2.5, -2.5))
    mask = box_mask(fine.shape, (4, 8), (4, 8), (7, 10))
    figures, curve = dose_in_structure(slabs, "T", mask, fine)
    assert figures.volume_ml == pytest.approx(48 * 0.125, rel=1e-6)
    assert figures.mean_gy == pytest.approx(110.0 / 3.0, rel=1e-5)
    assert (figures.min_gy, figures.max_gy) == pytest.approx((30.0, 40.0), rel=1e-6)
    assert figures.d98_gy == pytest.approx(30.0, rel=1e-6)
    assert figures.d2_gy == pytest.approx(40.0, rel=1e-6)
    assert np.interp(35.0, curve.dose_gy, curve.volume_share) == pytest.approx(2.0 / 3.0, abs=0.01)


def test_figures_fall_with_the_volume_they_cover(slabs):
    figures, _ = dose_in_structure(slabs, "all", np.ones(GRID.shape, bool), GRID)
    doses = (figures.d98_gy, figures.d95_gy, figures.d90_gy, figures.d70_gy, figures.d50_gy, figures.d2_gy)
    assert list(doses) == sorted(doses)
    assert figures.v50_percent == pytest.approx(50.0)  # slabs 5 to 9 of 10
    assert figures.v100_percent == 0.0
    assert figures.mean_gy == pytest.approx(45.0, rel=1e-6)


def test_the_mean_is_energy_over_mass():
    # Two voxels of equal dose energy: 1 mL at 1 g/cm3 gets 50 Gy, 1 mL at 0.25 g/cm3 gets 200 Gy.
    rho = np.ones(GRID.shape)
    rho[0, 0, 1] = 0.25
    result = dosed(np.full(GRID.shape, 1e6), Volume(rho, GRID, Unit.G_PER_CM3))
    figures, _ = dose_in_structure(result, "pair", box_mask(GRID.shape, (0, 1), (0, 1), (0, 2)), GRID)
    assert figures.max_gy == pytest.approx(200.0, rel=1e-6)
    assert figures.mean_gy == pytest.approx(100e-3 / 1.25e-3, rel=1e-6)


def test_a_structure_partly_outside_is_a_notice(slabs):
    shifted = Grid(GRID.shape, GRID.spacing_mm, (0.0, 0.0, 40.0))
    mask = box_mask(GRID.shape, (4, 8), (2, 4), (2, 4))  # z from 80 mm; the map ends at 95 mm
    with pytest.warns(StructurePartlyOutside, match=r"50\.0% of 'T' \(16\.0 mL as drawn\)"):
        figures, _ = dose_in_structure(slabs, "T", mask, shifted)
    assert figures.volume_ml == pytest.approx(8.0, rel=1e-6)


def test_empty_and_distant_structures_are_refused(slabs):
    with pytest.raises(StructureError, match=r"'T' is empty \(0 of 1000 voxels\)"):
        dose_in_structure(slabs, "T", np.zeros(GRID.shape, bool), GRID)
    away = Grid(GRID.shape, GRID.spacing_mm, (500.0, 0.0, 0.0))
    with pytest.raises(StructureError, match=r"'T' \(1000\.0 mL\) lies outside the activity map"):
        dose_in_structure(slabs, "T", np.ones(GRID.shape, bool), away)
