"""Doses over draws of whole microspheres against the closed forms of local deposition."""

from dataclasses import replace

import numpy as np
import pytest

from radioembolization.dose import DoseSettings, Method, dose_volume
from radioembolization.dose.sphere_scenarios import sphere_scenarios
from radioembolization.errors import UncertaintyError
from radioembolization.images import Grid
from radioembolization.physics import GLASS_Y90
from radioembolization.territories import InjectionSite, Pattern, territories_from_sites
from radioembolization.territories.microsphere_statistics import expected_spheres
from support import box_mask, quiet, structure_set

GRID = Grid((12, 14, 14), (2.5, 2.5, 2.5))
LIVER = box_mask(GRID.shape, (1, 11), (1, 13), (1, 13))
TUMOUR = box_mask(GRID.shape, (4, 8), (4, 8), (4, 8))
STRUCTURES = structure_set(GRID, LIVER, {"T": TUMOUR}, density=1.06)
with quiet():
    TERRITORIES = territories_from_sites(
        (InjectionSite("all", LIVER, 0.05, pattern=Pattern.TUMOUR_TO_NORMAL),), STRUCTURES, tumour_to_normal={"T": 3.0}
    )
ACTIVITIES = np.array([0.05])


def found(method, draws, seed=2):
    return sphere_scenarios(
        TERRITORIES, DoseSettings(GLASS_Y90, method=method), ACTIVITIES, draws, np.random.default_rng(seed)
    )


def test_means_vary_as_the_root_of_the_spheres_in_the_structure():
    draws = 300
    result = found(Method.LOCAL, draws)
    assert (result.structures, result.bq_per_sphere) == (("T", "normal liver"), {"all": 2500.0})
    spheres = expected_spheres(TERRITORIES, ACTIVITIES, 2500.0)
    counts = np.array([spheres[TUMOUR].sum(), spheres[LIVER & ~TUMOUR].sum()])
    variation = result.mean_gy.std(axis=0) / result.mean_gy.mean(axis=0)
    # A standard deviation of N draws is known to 1 / sqrt(2 N) = 4 %.
    np.testing.assert_allclose(variation, counts**-0.5, rtol=0.15)
    error = 4.0 / np.sqrt(draws * counts.min())
    np.testing.assert_allclose(result.mean_gy.mean(axis=0), result.even_mean_gy, rtol=error)


def test_without_range_of_electrons_d70_is_that_of_poisson_numbers():
    # About 24 spheres in each voxel of the tumour: D70 is near the 30th percentile of Poisson's law.
    from scipy import stats

    result = found(Method.LOCAL, 40)
    spheres = expected_spheres(TERRITORIES, ACTIVITIES, 2500.0)[4, 4, 4]
    share = stats.poisson.ppf(0.30, spheres) / spheres
    np.testing.assert_allclose(np.median(result.d70_gy[:, 0]) / result.even_d70_gy[0], share, atol=1.0 / spheres)
    assert result.even_d70_gy[0] == pytest.approx(result.even_mean_gy[0])


def test_electrons_even_the_numbers_out():
    local, carried = found(Method.LOCAL, 12), found(Method.FFT, 12)
    lost = [1.0 - np.median(r.d70_gy[:, 1]) / r.even_d70_gy[1] for r in (local, carried)]
    assert 0.0 < lost[1] < 0.5 * lost[0]
    even = dose_volume(TERRITORIES, DoseSettings(GLASS_Y90), ACTIVITIES).array
    assert carried.even_mean_gy[0] == pytest.approx(even[TUMOUR].mean(), rel=1e-6)


def test_percentiles_are_in_order_and_by_structure():
    calls = []
    result = sphere_scenarios(
        TERRITORIES,
        DoseSettings(GLASS_Y90, method=Method.LOCAL),
        ACTIVITIES,
        20,
        np.random.default_rng(0),
        bq_per_sphere=50.0,
        progress=lambda done, of: calls.append((done, of)),
    )
    assert calls == [(i, 20) for i in range(1, 21)]
    stated = result.percentiles((10.0, 90.0))
    assert list(stated) == ["T", "normal liver"]
    low, high = stated["T"]["mean"]
    assert low == pytest.approx(np.percentile(result.mean_gy[:, 0], 10.0)) and low < high
    assert stated["normal liver"]["D70"][1] == pytest.approx(np.percentile(result.d70_gy[:, 1], 90.0))


def test_spheres_per_voxel_are_those_by_hand():
    # 0.05 GBq, 5 % of it to the lungs, 64 voxels of tumour with three times the concentration of the normal liver.
    tumour, normal = np.count_nonzero(TUMOUR), np.count_nonzero(LIVER & ~TUMOUR)
    in_normal = 0.05 * 0.95 / (3.0 * tumour + normal)
    by_hand = np.array([3.0 * in_normal, in_normal]) * 1e9 / 2500.0
    result = found(Method.LOCAL, 1)
    np.testing.assert_allclose(result.spheres_per_voxel, by_hand, rtol=1e-5)
    np.testing.assert_allclose(result.variation, by_hand**-0.5, rtol=1e-5)
    first = result.of_structures()[0]
    assert (first.name, first.mean_gy.even) == ("T", result.even_mean_gy[0])
    assert first.d95_gy.p50 == result.d95_gy[0, 0] <= first.d70_gy.p50 == result.d70_gy[0, 0]


def test_sites_have_spheres_of_their_own():
    front = LIVER & (np.arange(GRID.shape[0]) < 6)[:, None, None]
    sites = (InjectionSite("front", front, 0.0), InjectionSite("back", LIVER & ~front, 0.0))
    sites += (InjectionSite("none", LIVER, 0.0),)
    with quiet():
        halves = territories_from_sites(
            tuple(replace(site, pattern=Pattern.TUMOUR_TO_NORMAL) for site in sites),
            STRUCTURES,
            tumour_to_normal={"T": 1.0},
        )
    activities, each_bq = np.array([0.02, 0.03, 0.0]), np.array([500.0, 2000.0, -1.0])
    draws = 200
    result = sphere_scenarios(
        halves, DoseSettings(GLASS_Y90, method=Method.LOCAL), activities, draws, np.random.default_rng(3), each_bq
    )
    assert result.bq_per_sphere == {"front": 500.0, "back": 2000.0}
    # The tumour is half in front: its activity is that of both kinds, and so is its variance.
    share = [np.count_nonzero(TUMOUR & part) / np.count_nonzero(part) for part in (front, LIVER & ~front)]
    numbers = np.array(share) * activities[:2] * 1e9 / each_bq[:2]
    tumour = np.count_nonzero(TUMOUR)
    assert result.spheres_per_voxel[0] == pytest.approx(numbers.sum() / tumour, rel=1e-5)
    total = np.sqrt(numbers @ each_bq[:2] ** 2) / (numbers @ each_bq[:2])
    assert result.variation[0] == pytest.approx(total * np.sqrt(tumour), rel=1e-5)
    assert result.mean_gy[:, 0].std() / result.mean_gy[:, 0].mean() == pytest.approx(
        total, rel=4.0 / np.sqrt(2 * draws)
    )


def test_more_spheres_make_the_doses_narrower():
    few, many = (
        sphere_scenarios(
            TERRITORIES,
            DoseSettings(GLASS_Y90, method=Method.LOCAL),
            ACTIVITIES,
            60,
            np.random.default_rng(5),
            bq_per_sphere=bq,
        )
        for bq in (2500.0, 25.0)
    )
    np.testing.assert_allclose(many.variation, 0.1 * few.variation)
    # A hundred times the spheres: a tenth of the width; two deviations of 60 draws, each known to 9 %.
    np.testing.assert_allclose(many.mean_gy.std(axis=0), 0.1 * few.mean_gy.std(axis=0), rtol=0.4)
    lost = [1.0 - np.median(r.d70_gy, axis=0) / r.even_d70_gy for r in (few, many)]
    assert np.all(lost[1] < 0.3 * lost[0]) and np.all(lost[0] > 0.05)


def test_where_no_sphere_is_expected_nothing_varies():
    result = sphere_scenarios(
        TERRITORIES, DoseSettings(GLASS_Y90, method=Method.LOCAL), np.zeros(1), 2, np.random.default_rng(0)
    )
    assert result.bq_per_sphere == {}
    for one in result.of_structures():
        assert (one.spheres_per_voxel, one.variation, one.mean_gy.p90) == (0.0, None, 0.0)


def test_no_draw_is_refused():
    with pytest.raises(UncertaintyError, match="0 draws"):
        found(Method.LOCAL, 0)
