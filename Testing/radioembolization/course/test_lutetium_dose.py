"""Decays of regions are kept, organs lose their lesions, and dose follows from energy over mass."""

import math
import warnings

import numpy as np
import pytest

from radioembolization.course.lutetium_dose import (
    MeasuredRegion,
    activity_in,
    check_against_injected,
    disjoint_regions,
    dose_of_region,
    map_of_decays,
    patient_uptake,
    region_kind,
    region_shares,
)
from radioembolization.course.time_activity import TimeIntegratedActivity, single_time_point
from radioembolization.dose.activity_dose import dose_of_activity
from radioembolization.errors import InputError, PartialVolumeLoss, StructureError, UnlikelyActivity, UnusualUptake
from radioembolization.images import Grid, Unit, Volume, total_gbq
from radioembolization.physics import LU177, SOFT_TISSUE, Convention
from support import box_mask, quiet

GRID = Grid((24, 24, 24), (4.0, 5.0, 5.0), (0.0, 0.0, 0.0))
LIVER = box_mask(GRID.shape, (2, 22), (2, 22), (2, 22))
LESION = box_mask(GRID.shape, (8, 14), (8, 14), (8, 14))
K = LU177.energy_j_per_gbq(Convention.ICRP107)


def regions(**masks):
    return [MeasuredRegion(name, mask, GRID) for name, mask in masks.items()]


def bq_per_ml(array):
    return Volume(np.asarray(array, dtype=float), GRID, Unit.BQ_PER_ML)


def tia(gbq_h):
    return TimeIntegratedActivity(gbq_h, 0.1 * gbq_h, 60.0, "stated")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Left Kidney", "kidney"),
        ("kidneys", "kidney"),
        ("liver", "liver"),
        ("liver tumor 2", "lesion"),
        ("T1", "lesion"),
        ("bone marrow", "marrow"),
        ("rest of body", "rest of body"),
    ],
)
def test_kind_by_name(name, kind):
    assert region_kind(name) == kind


def test_organs_lose_the_lesions_in_them_whatever_the_order():
    for given in (regions(liver=LIVER, T1=LESION), regions(T1=LESION, liver=LIVER)):
        apart = disjoint_regions(given)
        assert [region.name for region in apart] == [region.name for region in given]
        found = {region.name: region.mask for region in apart}
        np.testing.assert_array_equal(found["liver"], LIVER & ~LESION)
        np.testing.assert_array_equal(found["T1"], LESION)


def test_a_region_without_a_voxel_of_its_own_is_refused():
    with pytest.raises(StructureError, match="Nothing of 'T2'"):
        disjoint_regions(regions(T1=LESION, T2=LESION))
    with pytest.raises(StructureError, match="share a name"):
        disjoint_regions([*regions(T1=LESION), *regions(T1=LIVER)])


def test_decays_of_every_region_are_kept_where_they_share_voxels():
    # Drawn on a grid shifted by a third of a voxel, so that borders are shared.
    shifted = Grid(GRID.shape, GRID.spacing_mm, (1.7, 1.7, 1.3))
    drawn = [MeasuredRegion("liver", LIVER & ~LESION, shifted), MeasuredRegion("T1", LESION, shifted)]
    activity = bq_per_ml(np.random.default_rng(3).uniform(1e4, 2e5, GRID.shape))
    with quiet():
        shares = region_shares(drawn, GRID)
    integrals = {"liver": tia(8.0), "T1": tia(3.0)}
    equal = map_of_decays(activity, shares, integrals, tia(5.0))
    # Decays of the equal map: A T / ln 2.
    assert total_gbq(equal) * LU177.half_life_h / math.log(2.0) == pytest.approx(16.0, rel=1e-6)
    without = map_of_decays(activity, shares, integrals)
    assert total_gbq(without) * LU177.half_life_h / math.log(2.0) == pytest.approx(11.0, rel=1e-6)
    assert np.all(without.array[0, 0] == 0.0)


def test_physical_half_life_leaves_the_map_as_it_was_at_the_administration():
    activity = bq_per_ml(LIVER * 1e5)
    share = {"liver": LIVER.astype(float)}
    whole = {"liver": single_time_point(48.0, activity_in(activity, share["liver"]), LU177.half_life_h)}
    equal = map_of_decays(activity, share, whole)
    np.testing.assert_allclose(equal.array, activity.array * 2.0 ** (48.0 / LU177.half_life_h), rtol=1e-9)


def test_a_region_without_activity_is_refused():
    activity = bq_per_ml(LIVER & ~LESION)
    with pytest.raises(InputError, match="'T1' has no activity"):
        map_of_decays(activity, {"T1": LESION.astype(float)}, {"T1": tia(1.0)})


@pytest.fixture(scope="module")
def liver_and_lesion():
    """Return the doses of a liver (1 GBq h per kg) and a lesion in it of ten times the concentration."""
    array = LIVER * 1e5 + LESION * 9e5
    activity = bq_per_ml(array)
    apart = disjoint_regions(regions(liver=LIVER, T1=LESION))
    with quiet():
        shares = region_shares(apart, GRID)
        integrals = {name: single_time_point(24.0, activity_in(activity, s), 67.0) for name, s in shares.items()}
        equal = map_of_decays(activity, shares, integrals)
        result = dose_of_activity(equal, LU177, K, 1.04, SOFT_TISSUE)
        doses = [dose_of_region(result, region, shares[region.name], integrals[region.name])[0] for region in apart]
    return {dose.name: dose for dose in doses}


def test_voxel_dose_is_near_that_of_spheres(liver_and_lesion):
    liver, lesion = liver_and_lesion["liver"], liver_and_lesion["T1"]
    # Lesion of 21.6 mL: cross-fire of the photons of the liver adds, spill of electrons at the border (24 mm cube)
    # takes away: 5 %.  Liver: a cube with a hole, and photons from the lesion (27 % of the activity): 10 %.
    assert lesion.mean_gy == pytest.approx(lesion.sphere_gy, rel=0.05)
    assert liver.sphere_gy < liver.mean_gy < 1.10 * liver.sphere_gy
    assert lesion.mass_kg == pytest.approx(0.0216 * 1.04, rel=1e-6)
    # Energy over mass with all electrons and no photons, and with all photons: bounds of either.
    for dose in (liver, lesion):
        all_energy = dose.integral.gbq_h * K * math.log(2.0) / LU177.half_life_h / dose.mass_kg
        assert 0.75 * all_energy < dose.mean_gy < all_energy * 1.02


def test_uptake_of_the_patient(liver_and_lesion):
    liver = liver_and_lesion["liver"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        uptake = patient_uptake(liver, liver.mean_gy / 0.3)
    assert uptake.gy_per_gbq.value == pytest.approx(0.3)
    assert (str(uptake.origin), uptake.sd_gy_per_gbq) == ("patient", None)
    with pytest.warns(UnusualUptake, match="'liver' has 3 Gy/GBq"):
        patient_uptake(liver, liver.mean_gy / 3.0)


def test_small_structures_get_a_notice_of_partial_volume():
    with pytest.warns(PartialVolumeLoss, match=r"'T1' has 21\.6 mL"):
        region_shares(regions(T1=LESION), GRID)
    far = MeasuredRegion("T1", LESION, Grid(GRID.shape, GRID.spacing_mm, (1000.0, 0.0, 0.0)))
    with pytest.raises(StructureError, match="lies outside the activity map"):
        region_shares([far], GRID)


def test_activity_against_the_injected():
    one = bq_per_ml(LIVER * (1e9 / (LIVER.sum() * GRID.voxel_ml)))  # 1 GBq
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_against_injected(one, 24.0, 1.2)
    with pytest.warns(UnlikelyActivity, match=r"decay alone leaves 0\.721 of 0\.8 GBq"):
        check_against_injected(one, 24.0, 0.8)
    kilo = Volume(one.array * 1e-3, GRID, Unit.BQ_PER_ML)
    with pytest.warns(UnlikelyActivity, match="check units"):
        check_against_injected(kilo, 24.0, 7.4)
    with pytest.raises(InputError, match="check the unit of the map"):
        check_against_injected(one, 24.0, 0.0074)
    with pytest.raises(InputError, match=r"7400 MBq are 7\.4 GBq"):
        check_against_injected(one, 24.0, 7400.0)
