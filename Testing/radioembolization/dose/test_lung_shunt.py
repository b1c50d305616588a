"""The lungs by voxels: closed form of a uniform sphere, the mass formula, energy, spill from the liver."""

import numpy as np
import pytest

from layers import dose_across_interface
from radioembolization.dose import lung_voxel_dose
from radioembolization.errors import InputError, StructureError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import HO166, LUNG, Y90, PointKernel
from support import K_Y90, box_mask, ellipsoid

GRID = Grid((44, 44, 44), (4.0, 4.0, 4.0))
LUNGS = ellipsoid(GRID, (86.0, 86.0, 86.0), 60.0)


def uniform(density, grid=GRID):
    return Volume(np.full(grid.shape, density, np.float32), grid, Unit.G_PER_CM3)


def absorbed_share_of_sphere(nuclide, radius_mm, density):
    """Return the self-absorbed share of a uniform sphere.

    Two points of the sphere at distance r exist for the share 1 - 3 r / 4 R + r^3 / 16 R^3 of all
    directions and places, so the point kernel is weighted with it.
    """
    kernel = PointKernel.water(nuclide)
    r = (kernel.inner_radius_g_cm2 + kernel.outer_radius_g_cm2) * 5.0 / (density * LUNG.depth_factor)
    overlap = np.where(r < 2 * radius_mm, 1 - 0.75 * r / radius_mm + r**3 / (16 * radius_mm**3), 0.0)
    return float(kernel.energy_fraction @ overlap)


FINE = Grid((88, 88, 88), (2.0, 2.0, 2.0))


@pytest.mark.parametrize(
    ("nuclide", "grid", "tolerance"),
    [
        (Y90, GRID, 6e-3),
        (HO166, GRID, 6e-3),
        pytest.param(Y90, FINE, 2e-3, marks=pytest.mark.exhaustive),
        pytest.param(HO166, FINE, 2e-3, marks=pytest.mark.exhaustive),
    ],
    ids=["Y-90", "Ho-166", "Y-90, fine", "Ho-166, fine"],
)
def test_a_spherical_lung_keeps_what_the_closed_form_says(nuclide, grid, tolerance):
    # The staircase surface of voxels lets more energy out, in proportion to their side: 0.0045 of it at 4 mm,
    # 0.0015 at 2 mm.
    lungs = ellipsoid(grid, (np.array(grid.shape) - 1) * grid.spacing_mm[0] / 2.0, 60.0)
    dose = lung_voxel_dose(lungs, uniform(0.3, grid), nuclide, 50.0, 1.0)
    radius = (3.0 * np.count_nonzero(lungs) * grid.voxel_ml * 1e3 / (4.0 * np.pi)) ** (1 / 3)
    assert 0.10 < dose.escaped_share < 0.13
    assert 1.0 - dose.escaped_share == pytest.approx(absorbed_share_of_sphere(nuclide, radius, 0.3), abs=tolerance)


def test_mean_is_the_mass_formula_less_what_escapes():
    dose = lung_voxel_dose(LUNGS, uniform(0.3), Y90, K_Y90, 0.4)
    mass_kg = np.count_nonzero(LUNGS) * 0.064 * 0.3 * 1e-3
    assert dose.mass_kg == pytest.approx(mass_kg, rel=1e-6)
    assert dose.from_shunt_gy == pytest.approx(0.4 * K_Y90 / mass_kg * (1.0 - dose.escaped_share), rel=1e-5)
    assert dose.from_liver_gy == 0.0
    # In the middle, further from the surface than electrons reach, nothing but photons is missing.
    middle = dose.dose.array[22, 22, 22]
    assert 0.996 * 0.4 * K_Y90 / mass_kg < middle < 0.4 * K_Y90 / mass_kg
    assert not dose.dose.array[~LUNGS].any()


def test_lungs_of_two_densities_share_the_energy_by_range_not_by_mass():
    # Even activity per volume: by mass the denser half would get a dose as much lower as it is denser.  Far from
    # where they meet that holds, to 2 %.
    grid = Grid((34, 34, 34), (4.0, 4.0, 4.0))
    lungs = ellipsoid(grid, (66.0, 66.0, 66.0), 60.0)
    values = np.full(grid.shape, 0.2, np.float32)
    values[17:] = 0.5
    dose = lung_voxel_dose(lungs, Volume(values, grid, Unit.G_PER_CM3), Y90, K_Y90, 1.0)
    per_voxel = K_Y90 / np.count_nonzero(lungs) / (0.064 * 1e-3)
    assert dose.dose.array[27, 17, 17] == pytest.approx(per_voxel / 0.5, rel=0.02)
    near_border = dose.dose.array[18, 17, 17] * 0.5 / per_voxel
    assert near_border > 1.08  # electrons from the light half end in the dense one


def test_spill_from_the_liver_dome_is_that_of_plane_layers():
    # A slab of liver under a slab of lung, activity in the liver alone.
    grid = Grid((30, 24, 24), (4.0, 4.0, 4.0))
    liver, lungs = box_mask(grid.shape, (0, 12), (0, 24), (0, 24)), box_mask(grid.shape, (12, 30), (0, 24), (0, 24))
    values = np.where(liver, 1.06, 0.3).astype(np.float32)
    gbq = liver / np.count_nonzero(liver)
    dose = lung_voxel_dose(lungs, Volume(values, grid, Unit.G_PER_CM3), Y90, K_Y90, 0.0, gbq)
    equilibrium = K_Y90 / np.count_nonzero(liver) / (0.064 * 1.06e-3)
    depth = (np.arange(18 * 8) + 0.5) / 8 * 0.4 * 0.3 * LUNG.depth_factor
    exact = dose_across_interface(Y90, depth).reshape(18, 8).mean(axis=1)
    found = dose.dose.array[12:, 12, 12] / equilibrium
    np.testing.assert_allclose(found[:6], exact[:6], atol=0.02)
    assert dose.from_shunt_gy == 0.0
    assert dose.mean_gy == dose.from_liver_gy > 0.0


@pytest.mark.parametrize(
    ("lungs", "message"),
    [(np.zeros(GRID.shape, dtype=bool), "0 voxels"), (LUNGS[:-1], "shape")],
    ids=["empty", "shape"],
)
def test_lungs_that_are_not_on_the_grid_are_refused(lungs, message):
    with pytest.raises(StructureError, match=message):
        lung_voxel_dose(lungs, uniform(0.3), Y90, K_Y90, 1.0)


def test_densities_and_activities_that_are_none_are_refused():
    with pytest.raises(InputError, match="g/cm3"):
        lung_voxel_dose(LUNGS, uniform(300.0), Y90, K_Y90, 1.0)
    for activity in (-0.1, np.nan):
        with pytest.raises(InputError, match="GBq"):
            lung_voxel_dose(LUNGS, uniform(0.3), Y90, K_Y90, activity)
