"""The lungs as a source: closed form of a uniform sphere, mass formula, energy."""

import numpy as np
import pytest

from radioembolization.dose import DoseSettings, Method, lung_shunt_dose
from radioembolization.errors import InputError, StructureError
from radioembolization.images import Grid
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, LUNG, PointKernel
from support import K_Y90, ellipsoid

GRID = Grid((44, 44, 44), (4.0, 4.0, 4.0))
LUNGS = ellipsoid(GRID, (86.0, 86.0, 86.0), 60.0)
DENSITY = 0.30


def absorbed_share_of_sphere(device, radius_mm, density):
    """Return the self-absorbed share of a uniform sphere.

    Two points of the sphere at distance r exist for the share 1 - 3 r / 4 R + r^3 / 16 R^3 of all
    directions and places, so the point kernel is weighted with it.
    """
    kernel = PointKernel.water(device.nuclide)
    r = (kernel.inner_radius_g_cm2 + kernel.outer_radius_g_cm2) * 5.0 / (density * LUNG.depth_factor)
    overlap = np.where(r < 2 * radius_mm, 1 - 0.75 * r / radius_mm + r**3 / (16 * radius_mm**3), 0.0)
    return float(kernel.energy_fraction @ overlap)


@pytest.mark.parametrize("device", [GLASS_Y90, HOLMIUM_HO166], ids=lambda d: d.name)
def test_a_spherical_lung_keeps_what_the_closed_form_says(device):
    # The staircase surface of voxels lets more energy out, in proportion to their side: 0.0045 of it at 4 mm,
    # 0.0015 at 2 mm.
    fine = Grid((88, 88, 88), (2.0, 2.0, 2.0))
    for grid, tolerance in ((GRID, 6e-3), (fine, 2e-3)):
        lungs = ellipsoid(grid, (np.array(grid.shape) - 1) * grid.spacing_mm[0] / 2.0, 60.0)
        dose = lung_shunt_dose(lungs, grid, DENSITY, DoseSettings(device))
        radius = (3.0 * np.count_nonzero(lungs) * grid.voxel_ml * 1e3 / (4.0 * np.pi)) ** (1 / 3)
        kept = absorbed_share_of_sphere(device, radius, DENSITY)
        assert 0.10 < dose.escaped_share < 0.13
        assert 1.0 - dose.escaped_share == pytest.approx(kept, abs=tolerance)


def test_mean_is_the_mass_formula_less_what_escapes():
    settings = DoseSettings(GLASS_Y90)
    dose = lung_shunt_dose(LUNGS, GRID, DENSITY, settings)
    mass_kg = np.count_nonzero(LUNGS) * 0.064 * DENSITY * 1e-3
    assert dose.mean_gy_per_gbq == pytest.approx(K_Y90 / mass_kg * (1.0 - dose.escaped_share), rel=1e-5)
    # In the middle, further from the surface than electrons reach, nothing but photons is missing.
    assert dose.dose_gy_per_gbq.array[22, 22, 22] == pytest.approx(K_Y90 / mass_kg, rel=0.004)
    assert dose.dose_gy_per_gbq.array[22, 22, 22] < K_Y90 / mass_kg


def test_local_deposition_is_the_mass_formula():
    dose = lung_shunt_dose(LUNGS, GRID, DENSITY, DoseSettings(GLASS_Y90, method=Method.LOCAL))
    mass_kg = np.count_nonzero(LUNGS) * 0.064 * DENSITY * 1e-3
    assert dose.mean_gy_per_gbq == pytest.approx(K_Y90 / mass_kg, rel=1e-6)
    assert dose.escaped_share == pytest.approx(0.0, abs=1e-6)


def test_no_dose_is_claimed_outside_the_lungs():
    dose = lung_shunt_dose(LUNGS, GRID, DENSITY, DoseSettings(GLASS_Y90)).dose_gy_per_gbq.array
    assert not dose[~LUNGS].any()
    assert dose[LUNGS].min() > 0.0


@pytest.mark.parametrize(
    ("lungs", "message"),
    [(np.zeros(GRID.shape, dtype=bool), "0 voxels"), (LUNGS[:-1], "shape")],
    ids=["empty", "shape"],
)
def test_lungs_that_are_not_on_the_grid_are_refused(lungs, message):
    with pytest.raises(StructureError, match=message):
        lung_shunt_dose(lungs, GRID, DENSITY, DoseSettings(GLASS_Y90))


def test_a_density_that_no_lung_has_is_refused():
    with pytest.raises(InputError, match="g/cm3"):
        lung_shunt_dose(LUNGS, GRID, 300.0, DoseSettings(GLASS_Y90))
