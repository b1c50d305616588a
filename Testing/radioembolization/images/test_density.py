"""Density and mass from CT numbers, by hand."""

import numpy as np
import pytest

from radioembolization.errors import ImageError, NoOverlap
from radioembolization.images import (
    Grid,
    Unit,
    Volume,
    checked_density,
    density_from_ct,
    density_on,
    lung_mass_kg_from_ct,
)

GRID = Grid((10, 10, 10), (5.0, 2.0, 2.0))  # 0.02 mL per voxel


def ct(hu):
    return Volume(np.broadcast_to(np.asarray(hu, dtype=np.float32), GRID.shape).copy(), GRID, Unit.HU)


def test_uniform_lung():
    # 1000 voxels of 0.02 mL at -700 HU: 0.3 g/cm3 x 20 mL = 6 g.
    assert lung_mass_kg_from_ct(ct(-700.0), np.ones(GRID.shape, bool)) == pytest.approx(0.006, rel=1e-6)


def test_mass_is_the_sum_over_the_structure_only():
    image = np.full(GRID.shape, -800.0)
    image[:5] = -600.0
    mask = np.zeros(GRID.shape, bool)
    mask[4:6] = True  # 100 voxels at 0.4 and 100 at 0.2 g/cm3
    assert lung_mass_kg_from_ct(ct(image), mask) == pytest.approx((40.0 + 20.0) * 0.02e-3, rel=1e-6)


def test_ct_numbers_are_cut_between_air_and_soft_tissue():
    image = np.full(GRID.shape, -700.0)
    image[0, 0, 0], image[0, 0, 1] = 3000.0, -3024.0  # metal and padding
    expected = (998 * 0.3 + 1.1 + 0.0) * 0.02e-3
    assert lung_mass_kg_from_ct(ct(image), np.ones(GRID.shape, bool)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("hu", [-1000.0, -250.0, 40.0, 300.0])
def test_tissue_that_is_no_lung_is_refused(hu):
    # The last one is an image in density numbers or with a wrong offset.
    with pytest.raises(ImageError, match="HU"):
        lung_mass_kg_from_ct(ct(hu), np.ones(GRID.shape, bool))


def test_an_empty_structure_is_refused():
    with pytest.raises(ImageError, match="0 voxels"):
        lung_mass_kg_from_ct(ct(-700.0), np.zeros(GRID.shape, bool))


def test_another_unit_is_refused():
    image = Volume(np.full(GRID.shape, -700.0), GRID, Unit.COUNTS)
    with pytest.raises(ImageError, match=r"HU.*counts"):
        lung_mass_kg_from_ct(image, np.ones(GRID.shape, bool))


@pytest.mark.parametrize(
    ("hu", "expected"),
    [
        (-3024.0, 0.00121),  # padding is air
        (-1000.0, 0.00121),
        (-98.0, 1.018 - 0.893e-3 * 98.0),  # the segments of Schneider 2000 as printed, each at one point
        (-50.0, 1.018 - 0.893e-3 * 50.0),
        (18.0, 1.03),
        (60.0, 1.003 + 1.169e-3 * 60.0),
        (700.0, 1.017 + 0.592e-3 * 700.0),
        (1600.0, 1.017 + 0.592e-3 * 1600.0),
        (9000.0, 3.0),
    ],
)
def test_the_ct_curve_is_the_published_one(hu, expected):
    # Published coefficients have three digits.
    image = np.full(GRID.shape, -1000.0)
    image[5, 5, 5] = hu
    image[0, 0, 0] = 0.0
    assert density_from_ct(ct(image)).array[5, 5, 5] == pytest.approx(expected, rel=1e-3)


def test_lung_halfway_to_air_is_interpolated():
    image = np.full(GRID.shape, 0.0)
    image[5] = -700.0
    expected = 0.00121 + (0.930486 - 0.00121) * 300.0 / 902.0
    assert density_from_ct(ct(image)).array[5, 0, 0] == pytest.approx(expected, rel=1e-5)


def test_densities_of_a_ct_are_densities():
    density = density_from_ct(ct(np.linspace(-3024.0, 30000.0, 1000).reshape(GRID.shape)))
    assert checked_density(density) is density


@pytest.mark.parametrize(("low", "high"), [(0.0, 2500.0), (-1024.0, -300.0)])
def test_values_that_are_no_ct_numbers_are_refused(low, high):
    # Stored values without the rescale intercept; and an image of air.
    image = np.full(GRID.shape, low)
    image[:5] = high
    with pytest.raises(ImageError, match="rescale intercept"):
        density_from_ct(ct(image))


def density(array, grid):
    return Volume(np.asarray(array, dtype=np.float32), grid, Unit.G_PER_CM3)


def test_density_is_resampled_to_a_grid_it_covers():
    # Linear along x on a coarse grid: exact at any point between.
    coarse = Grid((6, 6, 11), (10.0, 10.0, 10.0), (-20.0, -20.0, -20.0))
    rising = density(np.broadcast_to(0.5 + 0.1 * np.arange(11), coarse.shape), coarse)
    fine = Grid((4, 4, 5), (3.0, 3.0, 7.0))
    expected = 0.5 + 0.1 * (20.0 + 7.0 * np.arange(5)) / 10.0
    np.testing.assert_allclose(density_on(fine, rising).array[2, 1], expected, rtol=1e-5)
    assert density_on(coarse, rising) is rising


def test_a_border_within_a_voxel_is_covered():
    # Half a voxel of the source beyond its outermost centres belongs to it, at its full density.
    source = Grid((4, 4, 4), (10.0, 10.0, 10.0))
    fine = Grid((16, 16, 16), (2.5, 2.5, 2.5), (-3.75, -3.75, -3.75))
    np.testing.assert_allclose(density_on(fine, density(np.ones((4, 4, 4)), source)).array, 1.0, rtol=1e-5)


def test_a_map_that_is_not_covered_names_how_many_voxels():
    source = Grid((4, 4, 4), (10.0, 10.0, 10.0))
    larger = Grid((4, 4, 6), (10.0, 10.0, 10.0))
    with pytest.raises(NoOverlap, match=r"does not cover 32 of 96 voxels of the activity map \(33\.3%\)"):
        density_on(larger, density(np.ones((4, 4, 4)), source))


@pytest.mark.parametrize("wrong", [0.0, -1.0, 40.0, 1060.0])
def test_values_that_are_no_densities_are_refused(wrong):
    array = np.ones(GRID.shape)
    array[3] = wrong
    with pytest.raises(ImageError, match=r"100 of 1000 voxels of the density volume are outside 0\.001 to 3"):
        checked_density(density(array, GRID))
