"""Dose rows against energy balance, the dose volume, uniform media and the partition model."""

import warnings

import numpy as np
import pytest

from radioembolization.dose import (
    DoseSettings,
    Method,
    compute_dose_per_gbq,
    dose_volume,
    partition_doses,
)
from radioembolization.errors import EnergyLeavesGrid, InputError, StructureError, TerritoryError
from radioembolization.images import Grid, Unit
from radioembolization.physics import GLASS_Y90, HO166, HOLMIUM_HO166, RESIN_Y90, Y90, Convention, PointKernel
from radioembolization.structures import Role
from radioembolization.territories import InjectionSite, Pattern, territories_from_sites
from support import K_Y90, box_mask, counts, dose_rows, ellipsoid, quiet, structure_set

GRID = Grid((24, 22, 26), (3.0, 4.0, 4.0), (-50.0, -40.0, -30.0))
MIDDLE = GRID.to_lps(np.array([11.5, 10.5, 12.5]))
LIVER = ellipsoid(GRID, MIDDLE, (34.0, 26.0, 20.0))
TUMOURS = {
    "A": ellipsoid(GRID, MIDDLE + np.array([15.0, 0.0, 0.0]), 8.0),
    "B": ellipsoid(GRID, MIDDLE - np.array([18.0, 4.0, 2.0]), 6.0),
}
ORGAN = {"stomach": box_mask(GRID.shape, (10, 14), (18, 20), (10, 15))}
STRUCTURES = structure_set(GRID, LIVER, TUMOURS, ORGAN, lung_kg=0.9, density=1.06)
LEFT = LIVER & (np.arange(26) >= 13)
SITES = (
    InjectionSite("all", LIVER, 0.06),
    InjectionSite("left", LEFT, 0.02, extrahepatic_share=0.03),
    InjectionSite("overlap", LIVER & (np.arange(26) < 16), 0.10),
)
SCOUT = counts(np.random.default_rng(6).gamma(2.0, 1.0, GRID.shape) * (1.0 + 4.0 * TUMOURS["A"]), GRID)
ACTIVITIES = np.array([0.7, 0.3, 1.1])


def made(device=GLASS_Y90, method=Method.FFT, convention=Convention.CLINICAL, structures=STRUCTURES):
    settings = DoseSettings(device, convention, method)
    with quiet():
        territories = territories_from_sites(SITES, structures, SCOUT)
        return territories, settings, compute_dose_per_gbq(territories, settings)


@pytest.mark.parametrize("method", [Method.LOCAL, Method.FFT])
def test_energy_absorbed_on_the_grid_is_the_energy_emitted(method):
    territories, settings, rows = made(method=method)
    # k (1 - shunt - extrahepatic) is emitted in the liver per GBq.
    np.testing.assert_allclose(rows.emitted_j_per_gbq, K_Y90 * np.array([0.94, 0.95, 0.90]), rtol=1e-9)
    for index in range(len(SITES)):
        dose = dose_volume(territories, settings, np.eye(len(SITES))[index])
        absorbed = dose.array.sum(dtype=float) * STRUCTURES.voxel_kg
        assert absorbed == pytest.approx(rows.absorbed_j_per_gbq[index], rel=1e-5)
        # Stated escape: bremsstrahlung beyond 14 mm is 0.38 % of the energy, and some of it is absorbed on
        # the grid, which reaches further than that on all sides.
        low, high = (-1e-6, 1e-6) if method is Method.LOCAL else (0.001, 0.0038)
        assert low < rows.escaped_share[index] < high
        assert absorbed == pytest.approx(rows.emitted_j_per_gbq[index], rel=0.005)


@pytest.mark.parametrize("method", [Method.LOCAL, Method.FFT])
def test_rows_times_activities_are_the_dose_volume(method):
    territories, settings, rows = made(method=method)
    volume = dose_volume(territories, settings, ACTIVITIES)
    assert (volume.unit, volume.grid) == (Unit.GY, GRID)
    voxels = rows.dose_gy(ACTIVITIES)
    for structure in STRUCTURES.all:
        # Single precision, three sites added up; the order of voxels is that of the mask.
        by_rows = voxels[rows.structure(structure.name).voxels]
        np.testing.assert_allclose(by_rows, volume.array[structure.mask], atol=5e-6 * volume.array.max())


def test_structures_carry_their_name_role_and_mass():
    _, _, rows = made()
    for structure in STRUCTURES.all:
        seen = rows.structure(structure.name)
        assert (seen.role, len(seen.voxels)) == (structure.role, structure.mask.sum())
        assert seen.mass_kg == pytest.approx(structure.mask.sum() * 0.048 * 1.06e-3)
        assert seen.volume_ml == pytest.approx(structure.mask.sum() * 0.048)
        assert rows.voxel_kg[seen.voxels].sum() == pytest.approx(seen.mass_kg)
    assert [t.name for t in rows.with_role(Role.TUMOUR)] == ["A", "B"]
    with pytest.raises(StructureError, match=r"'C'.*'A'.*'normal liver'"):
        rows.structure("C")


def test_territories_and_shunts_travel_with_the_rows():
    territories, _, rows = made()
    assert rows.site_names == ("all", "left", "overlap")
    np.testing.assert_allclose(rows.lung_shunt, [0.06, 0.02, 0.10])
    for structure in STRUCTURES.all:
        voxels = rows.structure(structure.name).voxels
        for index in range(len(SITES)):
            expected = territories.perfused(index)[structure.mask]
            np.testing.assert_array_equal(rows.perfused[index, voxels], expected)


@pytest.mark.parametrize(("device", "k"), [(GLASS_Y90, 49.67), (RESIN_Y90, 49.67), (HOLMIUM_HO166, 15.87)])
def test_lung_dose_per_gbq_is_that_of_the_shunted_activity(device, k):
    _, _, rows = made(device, Method.LOCAL)
    np.testing.assert_allclose(rows.lung_gy_per_gbq, k * np.array([0.06, 0.02, 0.10]) / 0.9, rtol=1e-9)
    assert (rows.lung_mass_kg, rows.lung_mass_method) == (0.9, "entered")


def test_without_a_lung_mass_there_is_no_lung_row():
    without = structure_set(GRID, LIVER, TUMOURS, ORGAN, lung_kg=None)
    assert made(structures=without)[2].lung_gy_per_gbq is None


@pytest.mark.parametrize("method", [Method.LOCAL, Method.FFT])
def test_dose_is_proportional_to_the_stated_constant(method):
    clinical, vendor = made(method=method)[2], made(method=method, convention=Convention.VENDOR)[2]
    np.testing.assert_allclose(vendor.rows, clinical.rows * 50.0 / 49.67, rtol=1e-5, atol=1e-6)
    icrp = made(method=method, convention=Convention.ICRP107)[2]
    np.testing.assert_allclose(icrp.rows, clinical.rows * 49.771 / 49.67, rtol=1e-5, atol=1e-6)


def test_the_vendor_constant_is_refused_for_resin():
    with pytest.raises(InputError, match="resin"):
        made(RESIN_Y90, convention=Convention.VENDOR)


def test_a_heavier_medium_has_a_lower_dose():
    # Local deposition: the same energy in twice the mass.
    heavy = structure_set(GRID, LIVER, TUMOURS, ORGAN, density=2.0)
    light = structure_set(GRID, LIVER, TUMOURS, ORGAN, density=1.0)
    one, two = made(method=Method.LOCAL, structures=light)[2], made(method=Method.LOCAL, structures=heavy)[2]
    np.testing.assert_allclose(one.rows, 2.0 * two.rows, rtol=1e-6)


def test_local_dose_by_hand():
    # Each voxel: k (1 - shunts) x its share of the counts / its mass.
    _, _, rows = made(method=Method.LOCAL)
    share = SCOUT.array * LEFT / SCOUT.array[LEFT].sum(dtype=float)
    expected = K_Y90 * 0.95 * share[TUMOURS["A"]] / (0.048 * 1.06e-3)
    assert expected.any()
    np.testing.assert_allclose(rows.rows[1, rows.structure("A").voxels], expected, rtol=1e-5)


@pytest.mark.parametrize("method", [Method.LOCAL, Method.FFT])
def test_progress_rises_to_its_end(method):
    seen = []
    territories, settings, _ = made(method=method)
    compute_dose_per_gbq(territories, settings, lambda done, of: seen.append((done, of)))
    of = seen[-1][1]
    assert seen == [(done, of) for done in range(1, of + 1)]
    assert of >= (1 if method is Method.LOCAL else len(SITES))


def test_an_exception_from_progress_ends_the_computation():
    territories, settings, _ = made(method=Method.FFT)

    def cancel(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_dose_per_gbq(territories, settings, cancel)


def test_mean_is_weighted_by_mass():
    rows = dose_rows([[10.0, 40.0, 7.0]], kg=[0.3, 0.1, 0.5], tumours={"T": [0, 1]}, normal=[2])
    assert rows.mean_row(np.array([0, 1])) == pytest.approx([(3.0 + 4.0) / 0.4])


def three_parts():
    """Return rows of two overlapping territories: normal voxels 0 (site 1), 1 (both), 2 (site 2), 3 (none)."""
    return dose_rows(
        [[10.0, 20.0, 1.0, 0.5, 50.0], [2.0, 30.0, 40.0, 0.5, 60.0]],
        kg=[0.1, 0.2, 0.3, 0.4, 0.05],
        tumours={"T": [4]},
        normal=[0, 1, 2, 3],
        perfused=[[1, 1, 0, 0, 1], [0, 1, 1, 0, 1]],
    )


def test_mean_dose_of_the_normal_liver_of_each_territory():
    # Territory 1 holds 0.1 and 0.2 kg, territory 2 0.2 and 0.3 kg of normal liver.
    expected = [
        [(0.1 * 10 + 0.2 * 20) / 0.3, (0.1 * 2 + 0.2 * 30) / 0.3],
        [(0.2 * 20 + 0.3 * 1) / 0.5, (0.2 * 30 + 0.3 * 40) / 0.5],
    ]
    np.testing.assert_allclose(three_parts().perfused_normal_rows, expected)


def test_energy_in_normal_liver_counts_everywhere():
    expected = [1.0 + 4.0 + 0.3 + 0.2, 0.2 + 6.0 + 12.0 + 0.2]
    np.testing.assert_allclose(three_parts().normal_liver_energy_row, expected)


def test_parts_of_normal_liver_by_the_territories_that_hold_them():
    members, kg = three_parts().normal_liver_parts
    found = {tuple(bool(m) for m in row): mass for row, mass in zip(members, kg, strict=True)}
    # Voxel 3 lies in no territory and is no part.
    assert found == pytest.approx({(True, False): 0.1, (True, True): 0.2, (False, True): 0.3})


def test_a_territory_without_normal_liver_has_no_mean_dose_in_it():
    rows = dose_rows([[9.0, 0.0], [1.0, 1.0]], [0.1, 0.2], {"T": [0]}, [1], perfused=[[1, 0], [1, 1]])
    with pytest.raises(TerritoryError, match="'1' holds no normal liver"):
        _ = rows.perfused_normal_rows


def cube(device, method=Method.FFT, margin=8, side=40):
    """Return the dose of 1 GBq spread evenly over a cube of liver of ``side`` voxels of 3 mm."""
    n = side + 2 * margin
    grid = Grid((n, n, n), (3.0, 3.0, 3.0))
    liver = box_mask(grid.shape, *[(margin, margin + side)] * 3)
    tumour = box_mask(grid.shape, *[(n // 2 - 2, n // 2 + 2)] * 3)
    structures = structure_set(grid, liver, {"T": tumour}, density=1.06)
    site = InjectionSite("all", liver, 0.0, pattern=Pattern.TUMOUR_TO_NORMAL)
    territories = territories_from_sites((site,), structures, tumour_to_normal={"T": 1.0})
    settings = DoseSettings(device, method=method)
    return liver, dose_volume(territories, settings, np.ones(1)).array


def test_uniform_liver_has_k_a_over_m_inside_and_loses_at_its_surface():
    liver, dose = cube(GLASS_Y90)
    uniform = K_Y90 / (40**3 * 0.027 * 1.06e-3)  # k A / m, A = 1 GBq
    n = dose.shape[0] // 2
    # By reciprocity the centre absorbs what a source there leaves in the cube: more than in the sphere inside
    # it (59 mm, as n is half a voxel off the middle), less than in the sphere around it.
    kernel = PointKernel.water(Y90)
    inside, around = (kernel.fraction_within(r * 0.1 * 1.06 * 0.994) for r in (58.5, 61.5 * 3**0.5))
    assert uniform * inside < dose[n, n, n] < uniform * around
    assert around - inside < 1e-3
    # The mean lacks what leaves through the surface: S <r> / (4 V) of the energy (Cauchy), <r> the mean
    # distance of absorption; for a cube of side a 6 / (4 a) <r>.  Edges and corners, where rays leave
    # twice, give back some 0.1 %.
    r_mm = (kernel.inner_radius_g_cm2 + kernel.outer_radius_g_cm2) / 2.0 * 10.0 / 1.06
    within = r_mm <= 14.0
    mean_r = float(kernel.energy_fraction[within] @ r_mm[within])
    expected = uniform * (1.0 - 0.00382 - 1.5 * mean_r / 120.0)
    assert 0.02 < 1.5 * mean_r / 120.0 < 0.06
    assert dose[liver].mean() == pytest.approx(expected, rel=0.0025)
    # Half of a half-space's dose at its surface: between the voxels on both sides of a face.
    at_face = (dose[8, n, n] + dose[7, n, n]) / 2.0
    assert at_face == pytest.approx(uniform / 2.0, rel=0.02)


def test_166ho_in_a_uniform_liver_lacks_the_photons():
    # 4.1 % of the energy is carried by photons, of which the cube around its centre absorbs a part: bounds by
    # reciprocity as above.
    _, dose = cube(HOLMIUM_HO166, margin=6, side=40)
    n = dose.shape[0] // 2
    uniform = 15.87 / (40**3 * 0.027 * 1.06e-3)
    kernel = PointKernel.water(HO166)
    inside, around = (kernel.fraction_within(r * 0.1 * 1.06 * 0.994) for r in (58.5, 61.5 * 3**0.5))
    assert 0.959 < inside < dose[n, n, n] / uniform < around < 0.98


def test_local_deposition_in_a_uniform_liver_is_exactly_k_a_over_m():
    liver, dose = cube(GLASS_Y90, Method.LOCAL)
    np.testing.assert_allclose(dose[liver], K_Y90 / (40**3 * 0.027 * 1.06e-3), rtol=1e-6)
    assert not dose[~liver].any()


def test_voxels_with_local_deposition_are_the_partition_model():
    # Every compartment uniform: the two must agree exactly (single precision).
    site = InjectionSite("all", LIVER, 0.06, pattern=Pattern.TUMOUR_TO_NORMAL)
    ratios = {"A": 4.0, "B": 2.0}
    plain = structure_set(GRID, LIVER, TUMOURS, density=1.06)
    territories = territories_from_sites((site,), plain, tumour_to_normal=ratios)
    rows = compute_dose_per_gbq(territories, DoseSettings(RESIN_Y90, method=Method.LOCAL))
    normal_gy, tumour_gy = partition_doses(
        1.3,
        K_Y90,
        0.06,
        plain.mass_kg(plain.normal_liver),
        [plain.mass_kg(t) for t in plain.tumours],
        [ratios[t.name] for t in plain.tumours],
    )
    voxels = rows.dose_gy(np.array([1.3]))
    for name, expected in (("normal liver", normal_gy), ("A", tumour_gy[0]), ("B", tumour_gy[1])):
        np.testing.assert_allclose(voxels[rows.structure(name).voxels], expected, rtol=2e-6)


def test_energy_that_leaves_the_grid_is_warned_of_by_site():
    grid = Grid((12, 12, 12), (3.0, 3.0, 3.0))
    liver = np.ones(grid.shape, dtype=bool)
    structures = structure_set(grid, liver, {"T": box_mask(grid.shape, (4, 8), (4, 8), (4, 8))})
    inner = InjectionSite("inner", box_mask(grid.shape, (5, 7), (5, 7), (5, 7)), 0.0)
    with quiet():
        territories = territories_from_sites(
            (inner, InjectionSite("all", liver, 0.0)), structures, counts(np.ones(grid.shape), grid)
        )
    with pytest.warns(EnergyLeavesGrid, match=r"'all'.*outside the planning grid"):
        rows = compute_dose_per_gbq(territories, DoseSettings(GLASS_Y90))
    assert rows.escaped_share[1] > rows.escaped_share[0] > 0.0
    assert rows.escaped_share[1] > 0.05


@pytest.mark.parametrize(("device", "warned"), [(GLASS_Y90, False), (HOLMIUM_HO166, True)])
def test_photons_beyond_the_kernel_are_warned_of(device, warned):
    with quiet():
        territories = territories_from_sites(SITES, STRUCTURES, SCOUT)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compute_dose_per_gbq(territories, DoseSettings(device))
    assert [w.category for w in caught] == ([EnergyLeavesGrid] if warned else [])
