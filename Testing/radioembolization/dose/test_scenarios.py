"""Scenarios against what the dose engine computes anew for the changed case, and against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.dose import DoseSettings, Method, compute_dose_per_gbq, dose_volume
from radioembolization.dose.sampling import draw, fresh, sample_scenarios
from radioembolization.dose.scenario_basis import scenario_basis
from radioembolization.dose.scenario_voxels import ScenarioVoxels
from radioembolization.dose.scenarios import Draws, Scenarios
from radioembolization.dose.spreads import spread
from radioembolization.dose.uncertainty import Uncertainty, only
from radioembolization.errors import TumoursMovedOut, UncertaintyError
from radioembolization.images import Grid
from radioembolization.physics import RESIN_Y90
from radioembolization.territories import InjectionSite, Pattern, territories_from_sites
from support import K_Y90, box_mask, counts, ellipsoid, quiet, structure_set

GRID = Grid((24, 22, 26), (3.0, 4.0, 4.0), (-50.0, -40.0, -30.0))
MIDDLE = GRID.to_lps(np.array([11.5, 10.5, 12.5]))
LIVER = ellipsoid(GRID, MIDDLE, (34.0, 26.0, 20.0))
TUMOURS = {
    "A": ellipsoid(GRID, MIDDLE + np.array([15.0, 0.0, 0.0]), 9.0),
    "B": ellipsoid(GRID, MIDDLE - np.array([2.0, 4.0, 2.0]), 8.0),
}
ORGAN = {"stomach": box_mask(GRID.shape, (10, 14), (18, 20), (10, 15))}
STRUCTURES = structure_set(GRID, LIVER, TUMOURS, ORGAN, lung_kg=0.9, density=1.06)
LEFT = LIVER & (np.arange(26) >= 13)
SCOUT = counts(np.random.default_rng(6).gamma(2.0, 1.0, GRID.shape) * (1.0 + 4.0 * TUMOURS["A"]), GRID)
ALL = Uncertainty.default("resin", count=60, seed=5)
SAME = 1e-5


def sites(pattern=Pattern.SCOUT, shunts=(0.06, 0.02, 0.10)):
    return (
        InjectionSite("all", LIVER, shunts[0], pattern=pattern),
        InjectionSite("left", LEFT, shunts[1], extrahepatic_share=0.03, pattern=pattern),
        InjectionSite("overlap", LIVER & (np.arange(26) < 16), shunts[2], pattern=pattern),
    )


def case(pattern=Pattern.SCOUT, scout=SCOUT, ratios=None, shunts=(0.06, 0.02, 0.10)):
    with quiet():
        return territories_from_sites(sites(pattern, shunts), STRUCTURES, scout, ratios)


def settings(method=Method.FFT):
    return DoseSettings(RESIN_Y90, method=method)


@pytest.fixture(scope="module")
def basis():
    return scenario_basis(case(), settings(), ALL)


@pytest.fixture(scope="module")
def engine():
    return compute_dose_per_gbq(case(), settings())


def as_planned(basis, **changes):
    return Scenarios(basis, replace(Draws.as_planned(basis, 1), **changes))


def assert_rows_are(scenarios, dose, names=None):
    """Check means and single voxels of the first scenario against dose rows of the engine.

    The engine leaves out what is below its rounding of the largest dose of each source, so that weak doses far from
    the liver depend on how the sources are cut: by up to 2e-6 of the largest mean dose.
    """
    weak = 2e-6 * max(row.max() for row in dose.mean_rows.values())
    for structure in dose.structures:
        if names and structure.name not in names:
            continue
        expected = dose.structure_row(structure.name)
        np.testing.assert_allclose(scenarios.mean_rows(structure.name)[0], expected, rtol=SAME, atol=weak)
        rows, _ = scenarios.rows(0, structure.name)
        np.testing.assert_allclose(rows, dose.rows[:, structure.voxels], atol=SAME * dose.rows.max())


@pytest.mark.parametrize("method", [Method.FFT, Method.LOCAL])
def test_as_planned_the_rows_are_those_of_the_engine(method):
    dose = compute_dose_per_gbq(case(), settings(method))
    scenarios = as_planned(scenario_basis(case(), settings(method), ALL))
    assert_rows_are(scenarios, dose)
    np.testing.assert_allclose(scenarios.lung_gy_per_gbq[0], dose.lung_gy_per_gbq)
    np.testing.assert_allclose(scenarios.extrahepatic_per_gbq[0], dose.extrahepatic_share)
    parts = {tuple(np.round(row, 6)) for name in ("A", "B") for row in dose.part_rows(name)}
    found = {tuple(np.round(row, 6)) for name in ("A", "B") for row in scenarios.tumour_part_rows(name)[0]}
    assert len(parts) > 2 and all(any(np.allclose(p, f, rtol=1e-4) for f in found) for p in parts)


def test_other_ratios_and_shunts_are_those_of_a_new_computation():
    ratios, changed = {"A": 4.0, "B": 2.5}, {"A": 6.0, "B": 1.5}
    basis = scenario_basis(case(Pattern.TUMOUR_TO_NORMAL, None, ratios), settings(), ALL)
    shunts = (0.11, 0.0, 0.04)
    scenarios = as_planned(basis, ratio_factor=np.array([[1.5, 0.6]]), lung_shunt=np.array([shunts]))
    dose = compute_dose_per_gbq(case(Pattern.TUMOUR_TO_NORMAL, None, changed, shunts), settings())
    assert_rows_are(scenarios, dose)
    np.testing.assert_allclose(scenarios.lung_gy_per_gbq[0], dose.lung_gy_per_gbq, atol=1e-12)


def test_other_flow_is_that_of_a_scout_changed_alike(basis):
    territory = basis.territory[0]
    factor = np.ones((1, basis.territory.max() + 1))
    factor[0, territory] = 1.7
    feeds = basis.weights[:, basis.territory == territory].any(axis=1)
    inside = np.all([site.perfused == feeds[j] for j, site in enumerate(sites())], axis=0) & LIVER
    scout = counts(np.where(inside, 1.7 * SCOUT.array, SCOUT.array), GRID)
    dose = compute_dose_per_gbq(case(scout=scout), settings())
    assert_rows_are(as_planned(basis, flow_factor=factor), dose)


def test_a_displacement_reads_the_dose_map_elsewhere(basis):
    # anatomy moved by +2, -1, +1 voxels against the activity
    shift = np.array([[2, -1, 1]])
    scenarios = as_planned(basis, shift_mm=shift * np.array(GRID.spacing_mm))
    for site in range(3):
        dose = dose_volume(case(), settings(), np.eye(3)[site]).array.astype(float)
        for structure in STRUCTURES.all:
            moved = ndimage.shift(structure.mask.astype(np.uint8), shift[0], order=0) > 0
            expected = dose[moved].mean()
            found = scenarios.mean_rows(structure.name)[0, site]
            assert found == pytest.approx(expected, abs=SAME * dose.max())
        _, voxels = scenarios.rows(0, "A")
        moved = ndimage.shift(TUMOURS["A"].astype(np.uint8), shift[0], order=0) > 0
        np.testing.assert_array_equal(voxels, np.flatnonzero(moved))


def test_a_margin_takes_the_voxels_nearest_to_the_surface(basis):
    for factor in (0.6, 1.4):
        scenarios = as_planned(basis, tumour_factor=np.array([[factor, 1.0]]))
        _, voxels = scenarios.rows(0, "A")
        assert len(voxels) == round(factor * np.count_nonzero(TUMOURS["A"]))
        chosen = np.zeros(GRID.voxels, dtype=bool)
        chosen[voxels] = True
        inside = ndimage.distance_transform_edt(TUMOURS["A"], sampling=GRID.spacing_mm)
        depth = (inside - ndimage.distance_transform_edt(~TUMOURS["A"], sampling=GRID.spacing_mm)).ravel()
        assert depth[chosen].min() >= depth[~chosen].max()
        _, normal = scenarios.rows(0, "normal liver")  # what the tumour gains, normal liver loses
        assert not np.any(chosen[normal])
        mean, rows = scenarios.mean_rows("A")[0], scenarios.rows(0, "A")[0]
        np.testing.assert_allclose(mean, rows.mean(axis=1), rtol=1e-5)


def test_a_catheter_further_back_spreads_as_the_next_larger_territory(basis, engine):
    assert list(basis.next_larger) == [-1, 0, 0]
    scenarios = as_planned(basis, catheter_share=np.array([[0.3, 0.4, 0.0]]))
    row = engine.structure_row("A")
    left = 0.6 * row[1] + 0.4 * row[0] * 0.95 / 0.94  # its own shunts stay
    np.testing.assert_allclose(scenarios.mean_rows("A")[0], [row[0], left, row[2]], rtol=1e-4)


def test_voxels_in_all_scenarios_are_the_rows_of_each(basis):
    scenarios = draw(basis, ALL)
    x = np.array([0.7, 0.3, 1.1])
    voxels = ScenarioVoxels(scenarios, "B")
    for part, doses, held in voxels.blocks(x, exact=True):
        for scenario in range(part.start, part.stop, 17):
            rows, _ = scenarios.rows(scenario, "B")
            inside = doses[scenario - part.start][held[scenario - part.start]]
            np.testing.assert_allclose(np.sort(inside), np.sort(x @ rows), rtol=1e-6)
            weights = np.where(voxels.held(scenario), 1.0 / held[scenario - part.start].sum(), 0.0)
            mean = scenarios.mean_rows("B")[scenario]
            np.testing.assert_allclose(voxels.row(scenario, np.arange(len(voxels)), weights), mean, rtol=1e-5)


def test_lung_dose_has_the_moments_of_the_shunt(basis):
    many = sample_scenarios(basis, only("lung_shunt_spect").spreads, 20_000, np.random.default_rng(1))
    for site, shunt in enumerate((0.06, 0.02, 0.10)):
        spect = spread("lung_shunt_spect")
        cut = replace(spect.distribution, lowest=-100.0 * shunt, highest=np.inf)
        mean, sd = cut.moments
        lung = many.lung_gy_per_gbq[:, site]
        assert lung.mean() == pytest.approx(K_Y90 * (shunt + mean / 100) / 0.9, rel=4 * sd / (100 * shunt + mean) / 141)
        assert lung.std() == pytest.approx(K_Y90 * sd / 100 / 0.9, rel=0.03)
    # what does not reach the lungs stays: mean doses follow the shunt exactly
    retained = 1.0 - many.draws.lung_shunt[:, 0]
    np.testing.assert_allclose(many.mean_rows("A")[:, 0], many.planned_mean_row("A")[0] * retained / 0.94)


def test_mean_doses_have_the_moments_of_the_calibration(basis):
    chosen = only("calibration", "vial")
    many = sample_scenarios(basis, chosen.spreads, 20_000, np.random.default_rng(2), vial_of_site=(0, 0, 1))
    common, own = (s.distribution.moments[1] for s in chosen.spreads)
    planned, rows = many.planned_mean_row("normal liver"), many.mean_rows("normal liver")
    sd = np.sqrt(common**2 + own**2 + (common * own) ** 2)  # of a product of independent factors of mean 1
    np.testing.assert_allclose(rows.mean(axis=0), planned, rtol=4 * sd / 141)
    np.testing.assert_allclose(rows.std(axis=0) / rows.mean(axis=0), sd, rtol=0.03)
    between = np.corrcoef(many.draws.scale.T)
    assert between[0, 1] == pytest.approx(1.0)  # one vial
    assert between[0, 2] == pytest.approx(common**2 / sd**2, abs=0.03)  # the calibrator is common


def test_volumes_are_correlated_per_observer(basis):
    many = sample_scenarios(basis, only("tumour_margin").spreads, 20_000, np.random.default_rng(3))
    assert np.corrcoef(np.log(many.draws.tumour_factor.T))[0, 1] == pytest.approx(0.5, abs=0.03)
    mean, sd = spread("tumour_margin").distribution.moments
    np.testing.assert_allclose(many.draws.tumour_factor.mean(axis=0), mean, rtol=0.01)
    np.testing.assert_allclose(many.draws.tumour_factor.std(axis=0), sd, rtol=0.03)


def test_residuals_are_relative_to_the_median(basis):
    many = sample_scenarios(basis, only("residual_resin_stasis").spreads, 20_000, np.random.default_rng(4))
    mean, _ = spread("residual_resin_stasis").distribution.moments
    np.testing.assert_allclose(many.draws.scale.mean(axis=0), (1.0 - mean) / 0.97, rtol=0.005)
    assert np.mean(many.draws.scale[:, 0] <= 0.8 / 0.97) == pytest.approx(0.11, abs=0.01)


def test_the_same_seed_draws_the_same_and_one_spread_less_changes_nothing_else(basis):
    first, again, other = draw(basis, ALL), draw(basis, ALL), fresh(basis, ALL, 60)
    for name in ("ratio_factor", "shift_mm", "scale", "lung_shunt", "tumour_factor"):
        np.testing.assert_array_equal(getattr(first.draws, name), getattr(again.draws, name))
        assert not np.array_equal(getattr(first.draws, name), getattr(other.draws, name))
    without = replace(ALL, spreads=tuple(s for s in ALL.spreads if s.name != "flow_split"))
    np.testing.assert_array_equal(draw(basis, without).draws.ratio_factor, first.draws.ratio_factor)
    assert (first.seed, other.seed) == (5, 1_000_008)


def test_scenarios_that_lose_every_tumour_are_counted(basis):
    wide = Uncertainty.from_table({"spreads": {"registration_shift": {"sd": 15.0}}}, "resin")
    far = scenario_basis(case(), settings(), wide)
    shift = np.zeros((4, 3))
    shift[1] = (42.0, 44.0, 44.0)
    with pytest.warns(TumoursMovedOut, match="1 of 4 scenarios"):
        Scenarios(far, replace(Draws.as_planned(far, 4), shift_mm=shift))
    with pytest.raises(UncertaintyError, match="All 1 scenarios move every tumour out"):
        Scenarios(far, replace(Draws.as_planned(far, 1), shift_mm=shift[1:2]))


def test_impossible_scenarios_are_refused(basis):
    with pytest.raises(UncertaintyError, match="at least one"):
        sample_scenarios(basis, ALL.spreads, 0, np.random.default_rng(0))
    with pytest.raises(UncertaintyError, match="zero scenarios"):
        Scenarios(basis, Draws.as_planned(basis, 0))
    with pytest.raises(UncertaintyError, match="lung shunt is not physical in 1 of 1"):
        as_planned(basis, lung_shunt=np.array([[0.5, 0.99, 0.1]]))
    with pytest.raises(UncertaintyError, match="normal factor is not physical"):
        as_planned(basis, ratio_factor=np.array([[np.nan, 1.0]]))
    with pytest.raises(UncertaintyError, match="basis was computed for"):
        as_planned(basis, shift_mm=np.array([[0.0, 0.0, 50.0]]))
    with pytest.raises(UncertaintyError, match="Vials are one number"):
        sample_scenarios(basis, ALL.spreads, 5, np.random.default_rng(0), vial_of_site=(0, 1))
    with pytest.raises(UncertaintyError, match="published for glass"):
        sample_scenarios(basis, only("residual_glass").spreads, 5, np.random.default_rng(0))
