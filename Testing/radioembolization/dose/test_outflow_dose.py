"""Dose of microspheres in gallbladder and stomach: energy, rows, scenarios and limits."""

from dataclasses import replace

import numpy as np
import pytest

from radioembolization.dose import DoseSettings, Method, compute_dose_per_gbq, dose_volume
from radioembolization.dose.scenario_basis import scenario_basis
from radioembolization.dose.scenarios import Draws, Scenarios
from radioembolization.dose.uncertainty import Uncertainty
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import GLASS_Y90, RESIN_Y90
from radioembolization.planning import HottestMean, MeanDose, WorstTumourMean, maximize
from radioembolization.structures import Role
from radioembolization.territories import InjectionSite, Pattern, territories_from_sites
from support import K_Y90, box_mask, counts, ellipsoid, quiet, structure_set

GRID = Grid((24, 22, 26), (3.0, 4.0, 4.0), (-50.0, -40.0, -30.0))
MIDDLE = GRID.to_lps(np.array([11.5, 10.5, 12.5]))
LIVER = ellipsoid(GRID, MIDDLE, (34.0, 26.0, 20.0))
TUMOURS = {
    "A": ellipsoid(GRID, MIDDLE + np.array([15.0, 0.0, 0.0]), 9.0),
    "B": ellipsoid(GRID, MIDDLE - np.array([18.0, 4.0, 2.0]), 7.0),
}
ORGANS = {
    "gallbladder": box_mask(GRID.shape, (10, 14), (15, 18), (5, 9)),
    "stomach": box_mask(GRID.shape, (9, 15), (16, 19), (16, 22)),
}
STRUCTURES = structure_set(GRID, LIVER, TUMOURS, ORGANS, lung_kg=0.9, density=1.06)
RIGHT = LIVER & (np.arange(26) < 13)
SCOUT = counts(np.random.default_rng(6).gamma(2.0, 1.0, GRID.shape) * (1.0 + 4.0 * TUMOURS["A"]), GRID)
SUPPLY = (np.clip(np.arange(26) / 4.0 - 2.0, 0.0, 1.0) * np.ones(GRID.shape)).astype(np.float32)
CYSTIC = {"gallbladder": 0.04, "stomach": 0.01}
ACTIVITIES = np.array([0.7, 0.3, 1.1])


def sites(shunts=(0.06, 0.02, 0.10), extrahepatic=(0.06, 0.04, 0.0), pattern=Pattern.SCOUT):
    """Return three sites: all with two outflows, right with one, left with soft borders and none."""
    all_, right, left = extrahepatic
    soft = LIVER & (SUPPLY > 0.05)
    return (
        InjectionSite("all", LIVER, shunts[0], all_, pattern, outflow=_scaled(CYSTIC, all_ / 0.06)),
        InjectionSite("right", RIGHT, shunts[1], right, pattern, outflow=_scaled({"gallbladder": 0.04}, right / 0.04)),
        InjectionSite("left", soft, shunts[2], left, pattern, supply=SUPPLY, upstream="all"),
    )


def _scaled(outflow, factor):
    return {organ: value * factor for organ, value in outflow.items()}


def case(ratios=None, **changes):
    with quiet():
        return territories_from_sites(sites(**changes), STRUCTURES, SCOUT, ratios)


def density():
    """Return air on the left of the liver and fat elsewhere around it."""
    values = np.full(GRID.shape, 0.92, dtype=np.float32)
    values[..., 23:] = 0.3
    return Volume(values, GRID, Unit.G_PER_CM3)


METHODS = [Method.LOCAL, Method.FFT, Method.DENSITY]


@pytest.mark.parametrize("method", METHODS)
def test_energy_on_the_grid_is_that_of_liver_and_organs(method):
    territories, settings = case(), DoseSettings(GLASS_Y90, method=method)
    around = density() if method is Method.DENSITY else None
    with quiet():
        rows = compute_dose_per_gbq(territories, settings, density=around)
    # 1 - shunt - extrahepatic share + outflow: 0.88 + 0.05, 0.94 + 0.04, 0.90.
    np.testing.assert_allclose(rows.emitted_j_per_gbq, K_Y90 * np.array([0.93, 0.98, 0.90]), rtol=1e-9)
    for index in range(3):
        dose = dose_volume(territories, settings, np.eye(3)[index], around).array.astype(float)
        kg = np.full(GRID.shape, STRUCTURES.voxel_kg)
        if method is Method.DENSITY:
            outside = ~np.any([s.mask for s in STRUCTURES.all], axis=0)
            kg[outside] *= around.array[outside] / 1.06
        absorbed = float((dose * kg).sum())
        assert absorbed == pytest.approx(rows.absorbed_j_per_gbq[index], rel=1e-4)
        low, high = (-1e-6, 1e-6) if method is Method.LOCAL else (0.001, 0.02)
        assert low < 1.0 - absorbed / rows.emitted_j_per_gbq[index] < high


@pytest.mark.parametrize("method", METHODS)
def test_rows_of_every_structure_are_those_of_the_dose_volume(method):
    territories, settings = case(), DoseSettings(GLASS_Y90, method=method)
    around = density() if method is Method.DENSITY else None
    with quiet():
        rows = compute_dose_per_gbq(territories, settings, density=around)
    volume = dose_volume(territories, settings, ACTIVITIES, around)
    voxels = rows.dose_gy(ACTIVITIES)
    for structure in STRUCTURES.all:
        by_rows = voxels[rows.structure(structure.name).voxels]
        np.testing.assert_allclose(by_rows, volume.array[structure.mask], atol=2e-5 * volume.array.max())


def test_the_gallbladder_row_by_hand():
    # Local deposition: all that flows out to it over the mass of the drawn organ, whatever its wall.
    # Ratios leave nothing in the part of the gallbladder that lies in the liver as drawn; a scout would.
    by_ratio = case({"A": 4.0, "B": 2.5}, pattern=Pattern.TUMOUR_TO_NORMAL)
    rows = compute_dose_per_gbq(by_ratio, DoseSettings(GLASS_Y90, method=Method.LOCAL))
    kg = np.count_nonzero(ORGANS["gallbladder"]) * 0.048 * 1.06e-3
    np.testing.assert_allclose(rows.structure_row("gallbladder"), K_Y90 * np.array([0.04, 0.04, 0.0]) / kg, rtol=1e-6)
    kg = np.count_nonzero(ORGANS["stomach"]) * 0.048 * 1.06e-3
    np.testing.assert_allclose(rows.structure_row("stomach"), K_Y90 * np.array([0.01, 0.0, 0.0]) / kg, rtol=1e-6)
    beyond = ~LIVER[ORGANS["gallbladder"]]
    assert not rows.perfused[:, rows.structure("gallbladder").voxels[beyond]].any()


def test_sites_that_share_an_organ_share_its_convolution():
    from radioembolization.dose.compute import site_maps

    with quiet():
        without = territories_from_sites(tuple(replace(s, outflow={}) for s in sites()), STRUCTURES, SCOUT)
    settings = DoseSettings(GLASS_Y90)
    assert len(site_maps(case(), settings).near) == len(site_maps(without, settings).near) + 2


# Limits.


@pytest.mark.parametrize("quantity", [MeanDose("gallbladder"), HottestMean("gallbladder", percent=20.0)])
def test_a_site_with_outflow_is_limited_by_the_dose_of_the_organ(quantity):
    rows = compute_dose_per_gbq(case(), DoseSettings(GLASS_Y90))
    loose = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=60.0))
    tight = loose.subject_to(quantity.at_most(gy=20.0))
    free, plan = loose.solve(rows), tight.solve(rows)
    assert quantity.value(rows, free.activities_gbq) > 40.0
    assert quantity.value(rows, plan.activities_gbq) == pytest.approx(20.0, rel=1e-4)
    assert plan.goal.value < free.goal.value
    # The left site has no outflow and takes over: its share of the activity rises.
    share = [p.activities_gbq[2] / p.activities_gbq.sum() for p in (free, plan)]
    assert share[1] > share[0]


# Scenarios.

SPREADS = Uncertainty.default("resin", count=20, seed=5)


def assert_same(scenarios, dose):
    """Check means and single voxels of the first scenario against rows of the engine; as in test_scenarios."""
    weak = 2e-6 * max(row.max() for row in dose.mean_rows.values())
    for structure in dose.structures:
        expected = dose.structure_row(structure.name)
        np.testing.assert_allclose(scenarios.mean_rows(structure.name)[0], expected, rtol=2e-5, atol=weak)
        rows, _ = scenarios.rows(0, structure.name)
        np.testing.assert_allclose(rows, dose.rows[:, structure.voxels], atol=2e-5 * dose.rows.max())


@pytest.mark.parametrize("method", [Method.LOCAL, Method.FFT])
def test_scenarios_as_planned_are_the_rows_of_the_engine(method):
    settings = DoseSettings(RESIN_Y90, method=method)
    basis, dose = scenario_basis(case(), settings, SPREADS), compute_dose_per_gbq(case(), settings)
    planned = Scenarios(basis, Draws.as_planned(basis, 1))
    assert_same(planned, dose)
    assert planned.amounts.shape[2] == len(basis.maps)
    np.testing.assert_allclose(planned.amounts.sum(axis=2)[0] * K_Y90, dose.emitted_j_per_gbq, rtol=1e-6)
    for name in ("gallbladder", "A"):
        np.testing.assert_allclose(planned.planned_mean_row(name), planned.mean_rows(name)[0], rtol=1e-9)


def test_other_shunts_and_ratios_leave_the_outflow_as_it_is():
    ratios, changed = {"A": 4.0, "B": 2.5}, {"A": 6.0, "B": 1.5}
    settings = DoseSettings(RESIN_Y90)
    basis = scenario_basis(case(ratios, pattern=Pattern.TUMOUR_TO_NORMAL), settings, SPREADS)
    shunts = (0.11, 0.0, 0.04)
    draws = replace(Draws.as_planned(basis, 1), ratio_factor=np.array([[1.5, 0.6]]), lung_shunt=np.array([shunts]))
    direct = compute_dose_per_gbq(case(changed, shunts=shunts, pattern=Pattern.TUMOUR_TO_NORMAL), settings)
    assert_same(Scenarios(basis, draws), direct)


def test_another_extrahepatic_share_takes_the_outflow_with_it():
    settings = DoseSettings(RESIN_Y90)
    basis = scenario_basis(case(), settings, SPREADS)
    shares = (0.12, 0.01, 0.0)
    draws = replace(Draws.as_planned(basis, 1), extrahepatic_share=np.array([shares]))
    assert_same(Scenarios(basis, draws), compute_dose_per_gbq(case(extrahepatic=shares), settings))


def test_a_catheter_that_slips_goes_to_the_site_upstream():
    basis = scenario_basis(case(), DoseSettings(RESIN_Y90), SPREADS)
    assert list(basis.next_larger) == [-1, 0, 0]  # 'right' by its territory, 'left' as stated
    none = scenario_basis(_without_upstream(), DoseSettings(RESIN_Y90), SPREADS)
    assert list(none.next_larger) == [-1, 0, -1]  # soft borders spread unlike all others: no territory holds another
    stated = replace(none, upstream=(-1, -1, 1))
    assert list(stated.next_larger) == [-1, 0, 1]


def _without_upstream():
    with quiet():
        return territories_from_sites(tuple(replace(s, upstream="") for s in sites()), STRUCTURES, SCOUT)


def test_organs_are_roles_of_their_own_in_the_rows():
    rows = compute_dose_per_gbq(case(), DoseSettings(GLASS_Y90, method=Method.LOCAL))
    assert [s.name for s in rows.with_role(Role.ORGAN)] == ["gallbladder", "stomach"]
