"""Numbers of microspheres: whole, with the mean and the variance of Poisson's law."""

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.images import Grid
from radioembolization.territories import InjectionSite, Pattern, territories_from_sites
from radioembolization.territories.microsphere_statistics import drawn, expected_spheres, expected_variation
from support import box_mask, quiet, structure_set

GRID = Grid((10, 12, 14), (2.5, 2.5, 2.5))
LIVER = box_mask(GRID.shape, (1, 9), (1, 8), (1, 13))
ORGAN = box_mask(GRID.shape, (2, 6), (9, 12), (2, 8))
STRUCTURES = structure_set(GRID, LIVER, {"T": box_mask(GRID.shape, (3, 6), (3, 6), (4, 7))}, {"stomach": ORGAN})
with quiet():
    TERRITORIES = territories_from_sites(
        (
            InjectionSite("all", LIVER, 0.05, 0.02, Pattern.TUMOUR_TO_NORMAL, outflow={"stomach": 0.02}),
            InjectionSite("part", LIVER & (np.arange(14) < 7), 0.1, 0.0, Pattern.TUMOUR_TO_NORMAL),
        ),
        STRUCTURES,
        tumour_to_normal={"T": 4.0},
    )
ACTIVITIES = np.array([0.01, 0.004])  # 10 MBq and 4 MBq: few spheres per voxel


def test_the_expected_number_is_the_activity_over_that_of_a_sphere():
    # 95 % of 4000 spheres in liver and stomach, 90 % of 1600 in the liver.
    spheres = expected_spheres(TERRITORIES, ACTIVITIES, 2500.0)
    assert spheres.sum() == pytest.approx(0.95 * 4000 + 0.9 * 1600)
    assert spheres[ORGAN].sum() == pytest.approx(0.02 * 4000)
    normal, tumour = spheres[1, 1, 12], spheres[3, 3, 7 - 1]
    assert spheres[4, 4, 4] / spheres[1, 1, 1] == pytest.approx(4.0)
    assert tumour > normal


def test_whole_spheres_with_the_mean_and_variance_of_poisson():
    count, rng = 2000, np.random.default_rng(8)
    spheres = expected_spheres(TERRITORIES, ACTIVITIES, 2500.0)
    numbers = np.stack([drawn(TERRITORIES, ACTIVITIES, 2500.0, rng) for _ in range(count)]) / 2.5e-6
    np.testing.assert_allclose(numbers, np.rint(numbers), atol=1e-9)
    inside = spheres > 0
    assert not numbers[:, ~inside].any()
    mean, variance = numbers.mean(axis=0)[inside], numbers.var(axis=0)[inside]
    # Standard error of a mean sqrt(n / N), of a variance about n sqrt((2 + 1/n) / N); over 700 voxels 4.5 of them.
    n = spheres[inside]
    assert np.all(np.abs(mean - n) < 4.5 * np.sqrt(n / count))
    assert np.all(np.abs(variance - n) < 5.5 * n * np.sqrt((2.0 + 1.0 / n) / count))
    # All voxels together pin the variance to a per cent.
    assert (variance / n).mean() == pytest.approx(1.0, abs=0.01)
    # Neighbours are independent.
    first, second = numbers[:, 4, 4, 4], numbers[:, 4, 4, 5]
    assert abs(np.corrcoef(first, second)[0, 1]) < 4.0 / np.sqrt(count)


def test_the_coefficient_of_variation_is_one_over_the_root():
    variation = expected_variation(TERRITORIES, ACTIVITIES, 2500.0)
    spheres = expected_spheres(TERRITORIES, ACTIVITIES, 2500.0)
    np.testing.assert_allclose(variation[LIVER], spheres[LIVER] ** -0.5)
    assert np.all(np.isinf(variation[spheres == 0]))
    # Fifty times as many resin spheres of the same activity vary a seventh as much.
    resin = expected_variation(TERRITORIES, ACTIVITIES, 50.0)
    np.testing.assert_allclose(resin[LIVER] * np.sqrt(50.0), variation[LIVER])


def test_the_same_seed_draws_the_same():
    one, two = (drawn(TERRITORIES, ACTIVITIES, 2500.0, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("activities", "bq", "message"),
    [
        ([0.1], 2500.0, "one activity of zero or more for each of 2 sites"),
        ([0.1, -0.1], 2500.0, "zero or more"),
        ([0.1, np.nan], 2500.0, "zero or more"),
        ([0.1, 0.1], 0.0, "microsphere of 0 Bq"),
        ([0.1, 0.1], np.inf, "microsphere of inf Bq"),
    ],
)
def test_impossible_spheres_are_refused(activities, bq, message):
    with pytest.raises(InputError, match=message):
        drawn(TERRITORIES, np.array(activities), bq, np.random.default_rng(0))
