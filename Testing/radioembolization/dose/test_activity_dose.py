"""Dose of an activity map against closed forms and its energy balance."""

import warnings

import numpy as np
import pytest

from radioembolization.dose import Method
from radioembolization.dose.activity_dose import dose_of_activity
from radioembolization.errors import ActivityInAir, EnergyLeavesGrid, ImageError, InputError, UniformTransport
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import HO166, LU177, NUCLIDES, SOFT_TISSUE, Y90, voxel_kernel
from support import box_mask

K = 49.77  # emitted energy, J/GBq
#: 4 x 4 x 3 mm (x, y, z), 40 x 36 x 32 voxels.
GRID = Grid((40, 36, 32), (3.0, 4.0, 4.0))
CUBE = box_mask(GRID.shape, (8, 32), (8, 28), (6, 26))


def bq_per_ml(array, grid=GRID):
    return Volume(np.asarray(array, dtype=np.float32), grid, Unit.BQ_PER_ML)


def density(array, grid=GRID):
    return Volume(np.asarray(array, dtype=np.float32), grid, Unit.G_PER_CM3)


def quietly(*arguments, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dose_of_activity(*arguments, **more)


@pytest.fixture(scope="module")
def uniform():
    return bq_per_ml(CUBE * 1e6)


def test_local_deposition_is_k_times_concentration_over_density(uniform):
    # 1e6 Bq/mL at 1.06 g/mL: 1e-3 GBq in 1.06 g, so 49.77 / 1060 Gy ... times 1e3 mL/L: 46.953 Gy.
    result = quietly(uniform, Y90, K, 1.06, method=Method.LOCAL)
    np.testing.assert_allclose(result.dose.array[CUBE], K / 1.06, rtol=1e-6)
    assert not result.dose.array[~CUBE].any()
    assert result.activity_gbq == pytest.approx(CUBE.sum() * 0.048 * 1e6 * 1e-9, rel=1e-6)
    assert result.escaped_share == pytest.approx(0.0, abs=1e-6)
    assert (result.method, result.kernel_radius_mm, result.beyond_kernel_share) == (Method.LOCAL, None, 0.0)


@pytest.mark.parametrize("rho", [1.0, 1.06])
def test_the_interior_of_a_uniform_cube_gets_k_a_over_m_less_what_lies_beyond(uniform, rho):
    # Voxels whose whole kernel (14 mm: 5, 4, 4 voxels) lies inside the cube: single precision, 2e-6.
    result = quietly(uniform, Y90, K, rho, method=Method.FFT, radius_mm=14.0)
    inside = box_mask(GRID.shape, (13, 27), (12, 24), (10, 22))
    beyond = voxel_kernel(Y90, GRID.spacing_mm, rho, 14.0).share_beyond
    np.testing.assert_allclose(result.dose.array[inside], K / rho * (1.0 - beyond), rtol=1e-5)
    assert result.beyond_kernel_share == pytest.approx(beyond, abs=1e-9)
    assert result.kernel_radius_mm == 14.0


def test_the_whole_kernel_adds_the_bremsstrahlung_from_further_away(uniform):
    # 90Y emits 0.4 % as bremsstrahlung beyond 14 mm; of it the rest of an 8 cm cube gives back a part.
    result = quietly(uniform, Y90, K, 1.06)
    centre = result.dose.array[20, 18, 16] / (K / 1.06)
    assert 0.996 < centre < 1.0
    assert result.method is Method.FFT


@pytest.mark.parametrize("nuclide", [Y90, HO166, LU177], ids=lambda n: n.name)
def test_energy_closes_over_grid_kernel_and_outside(nuclide):
    # Independent of the convolution: each source voxel keeps on the grid the sum of its kernel there.
    grid = Grid((14, 13, 12), (3.0, 4.0, 4.0))
    rng = np.random.default_rng(4)
    array = np.zeros(grid.shape)
    array[tuple(rng.integers(0, n, 25) for n in grid.shape)] = rng.uniform(1e5, 1e7, 25)
    energy = nuclide.energy_j_per_gbq("icrp107")
    result = quietly(bq_per_ml(array, grid), nuclide, energy, 1.06, radius_mm=25.0, method=Method.FFT)
    kernel = voxel_kernel(nuclide, grid.spacing_mm, 1.06, 25.0)
    kept = 0.0
    for place in np.argwhere(array):
        window = tuple(
            slice(max(0, h - p), min(2 * h + 1, h - p + n))
            for h, p, n in zip(kernel.half_width, place, grid.shape, strict=True)
        )
        kept += array[tuple(place)] * kernel.energy_share[window].sum()
    outside = 1.0 - kernel.share_beyond - kept / array.sum()
    mass_times_dose = float(result.dose.array.sum(dtype=float)) * 0.048 * 1.06e-3
    assert result.emitted_j == pytest.approx(array.sum() * 0.048e-9 * energy, rel=1e-6)
    assert mass_times_dose == pytest.approx(result.absorbed_j, rel=1e-6)
    assert result.absorbed_j / result.emitted_j + kernel.share_beyond + outside == pytest.approx(1.0, abs=1e-4)
    assert result.escaped_share == pytest.approx(kernel.share_beyond + outside, abs=1e-4)


def test_dose_is_linear_in_activity(uniform):
    once = quietly(uniform, Y90, K, 1.06)
    twice = quietly(bq_per_ml(uniform.array * 2.0), Y90, K, 1.06)
    np.testing.assert_allclose(twice.dose.array, 2.0 * once.dose.array, rtol=1e-5, atol=1e-6 * once.dose.array.max())


def test_an_impulse_spreads_less_along_the_long_side():
    # z neighbour at 3 mm, x neighbour at 4 mm: Monte Carlo ratio 0.2071 / 0.1469 at 1.04 g/cm3.
    array = np.zeros(GRID.shape)
    array[20, 18, 16] = 1e8
    dose = quietly(bq_per_ml(array), Y90, K, 1.04).dose.array
    assert dose[21, 18, 16] / dose[20, 18, 17] == pytest.approx(0.2071 / 0.1469, rel=0.02)
    assert dose[20, 19, 16] == pytest.approx(dose[20, 18, 17], rel=1e-3)


def test_a_uniform_density_volume_is_the_number(uniform):
    number = quietly(uniform, Y90, K, 1.06)
    volume = quietly(uniform, Y90, K, density(np.full(GRID.shape, 1.06)))
    np.testing.assert_allclose(volume.dose.array, number.dose.array, rtol=1e-5, atol=1e-4)
    assert volume.density_g_per_cm3 == pytest.approx(1.06, rel=1e-6)


@pytest.mark.parametrize("method", [Method.LOCAL, Method.FFT])
def test_each_voxel_is_divided_by_its_own_mass(uniform, method):
    rho = np.where(np.indices(GRID.shape)[2] < 16, 1.0, 0.5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = dose_of_activity(uniform, Y90, K, density(rho), method=method)
    assert any(w.category is UniformTransport for w in caught) is (method is Method.FFT)
    assert result.density_g_per_cm3 == pytest.approx(0.75, rel=1e-5)  # half of the cube in each
    one = quietly(uniform, Y90, K, 0.75, method=method)
    np.testing.assert_allclose(result.dose.array, one.dose.array * 0.75 / rho, rtol=1e-5, atol=1e-4)
    mass_times_dose = float((result.dose.array * rho).sum(dtype=float)) * 0.048e-3
    assert mass_times_dose == pytest.approx(result.absorbed_j, rel=1e-5)


@pytest.mark.parametrize(
    ("nuclide", "side_mm", "method"),
    [
        # 90 % of the energy within 5.5 mm of water for 90Y, 4.4 for 166Ho; photons of 177Lu go on.
        (Y90, 5.0, Method.FFT),
        (Y90, 6.0, Method.LOCAL),
        pytest.param(HO166, 4.0, Method.FFT, marks=pytest.mark.exhaustive),
        (HO166, 5.0, Method.LOCAL),
        (LU177, 9.0, Method.FFT),
        pytest.param(NUCLIDES["I-131"], 9.0, Method.FFT, marks=pytest.mark.exhaustive),
    ],
)
def test_left_to_itself_deposition_is_local_in_voxels_wider_than_the_range(nuclide, side_mm, method):
    grid = Grid((5, 5, 5), (10.0, side_mm, 10.0))
    result = quietly(bq_per_ml(np.ones(grid.shape) * 1e6, grid), nuclide, K, 1.0)
    assert result.method is method
    assert nuclide.name in result.reason
    assert f"smallest voxel side is {side_mm:g} mm" in result.reason


def test_the_range_shrinks_with_density():
    grid = Grid((5, 5, 5), (4.0, 4.0, 4.0))
    activity = bq_per_ml(np.ones(grid.shape) * 1e6, grid)
    assert quietly(activity, Y90, K, 1.9).method is Method.LOCAL
    assert quietly(activity, Y90, K, 1.0).method is Method.FFT


def test_tissue_goes_into_the_kernel(uniform):
    soft = quietly(uniform, Y90, K, 1.04, tissue=SOFT_TISSUE).dose.array
    water = quietly(uniform, Y90, K, 1.04).dose.array
    assert soft[20, 18, 28] > water[20, 18, 28]  # 3 voxels outside: longer range in soft tissue
    assert soft[20, 18, 16] == pytest.approx(water[20, 18, 16], rel=1e-3)


def test_a_kernel_beyond_the_grid_is_a_notice_with_the_share():
    grid = Grid((5, 5, 5), (4.0, 4.0, 4.0))
    with pytest.warns(EnergyLeavesGrid, match=r"% of the emitted energy is missing.*outside the grid"):
        result = dose_of_activity(bq_per_ml(np.ones(grid.shape) * 1e6, grid), Y90, K, 1.06)
    assert result.escaped_share > 0.1


def test_activity_in_air_is_a_notice(uniform):
    rho = np.where(np.indices(GRID.shape)[2] < 8, 0.002, 1.0)  # a tenth of the cube
    with pytest.warns(ActivityInAir, match=r"10\.0% of the activity"):
        dose_of_activity(uniform, Y90, K, density(rho), method=Method.LOCAL)


def test_progress_ends_complete(uniform):
    calls = []
    quietly(uniform, Y90, K, 1.06, progress=lambda done, steps: calls.append((done, steps)))
    assert calls
    assert calls[-1][0] == calls[-1][1]


def test_the_result_and_the_input_stay_as_they_are(uniform):
    before = uniform.array.copy()
    result = quietly(uniform, Y90, K, 1.06)
    np.testing.assert_array_equal(uniform.array, before)
    with pytest.raises(AttributeError):
        result.activity_gbq = 1.0


@pytest.mark.parametrize(
    ("rho", "error", "message"),
    [
        (0.0, InputError, r"Density 0 g/cm3 is outside 0\.001 to 3"),
        (1060.0, InputError, r"Density 1060"),
        (np.nan, InputError, "Density nan"),
        (density(np.full(GRID.shape, 40.0)), ImageError, r"46080 of 46080 voxels.*0\.001 to 3"),
        (density(np.ones((40, 36, 31)), Grid((40, 36, 31), GRID.spacing_mm)), ImageError, "density volume has"),
        (Volume(np.ones(GRID.shape), GRID, Unit.HU), ImageError, "g/cm3.*HU"),
    ],
)
def test_impossible_densities_are_refused(uniform, rho, error, message):
    with pytest.raises(error, match=message):
        quietly(uniform, Y90, K, rho)


def test_another_unit_and_another_method_are_refused(uniform):
    with pytest.raises(ImageError, match=r"Bq/mL.*counts"):
        quietly(Volume(uniform.array, GRID, Unit.COUNTS), Y90, K, 1.06)
    with pytest.raises(InputError, match="'monte carlo' is none of local, fft"):
        quietly(uniform, Y90, K, 1.06, method="monte carlo")
    with pytest.raises(InputError, match="too small for an accurate kernel"):
        quietly(uniform, Y90, K, 0.001, method=Method.FFT)
