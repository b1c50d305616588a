"""Voxel kernels against energy balance, symmetry, scaling, random sampling and Monte Carlo voxel S values."""

import csv
from functools import cache

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.physics import (
    HO166,
    I131,
    LU177,
    NUCLIDES,
    Y90,
    PointKernel,
    VoxelKernel,
    two_scale_kernel,
    voxel_kernel,
)
from series import series
from support import MEV_TO_J, SHARED

#: Tables hold many offsets of one kernel.
kernel_of = cache(voxel_kernel)

#: In every run; the others where it is asked for.
USUAL = (Y90, HO166, LU177, I131)
OTHERS = tuple(nuclide for nuclide in NUCLIDES.values() if nuclide not in USUAL)

#: Planning grid with its thinnest side along z, in array order (z, y, x).
ANISOTROPIC = (3.0, 4.0, 4.0)


def at(kernel, z=0, y=0, x=0):
    """Return the share in the voxel at an offset from the source voxel."""
    centre = kernel.half_width
    return kernel.energy_share[centre[0] + z, centre[1] + y, centre[2] + x]


def s_value(kernel, nuclide, offset):
    """Return the voxel S value [mGy/(MBq s)] at an offset (z, y, x): energy per decay over voxel mass."""
    mass_kg = np.prod(kernel.spacing_mm) * 1e-6 * kernel.density_g_per_cm3
    return at(kernel, *offset) * nuclide.total_mev * MEV_TO_J * 1e6 / mass_kg * 1e3


def _nuclides_voxels_and_densities():
    """Some nuclides, every voxel and density once; the rest where it is asked for."""
    for nuclide in NUCLIDES.values():
        for spacing in ((2.5, 2.5, 2.5), ANISOTROPIC):
            for density in (1.0, 1.06):
                default = (nuclide, spacing, density) == (Y90, (2.5, 2.5, 2.5), 1.0)
                default |= nuclide in USUAL and (spacing, density) == (ANISOTROPIC, 1.06)
                marks = () if default else (pytest.mark.exhaustive,)
                yield pytest.param(nuclide, spacing, density, marks=marks, id=f"{nuclide.name}-{spacing}-{density}")


@pytest.mark.parametrize(("nuclide", "spacing", "density"), list(_nuclides_voxels_and_densities()))
def test_energy_of_both_scales_closes_to_the_point_kernel(nuclide, spacing, density):
    # Every radial point of the fine part deposits its whole share, and the tail is scaled to the energy of
    # its shells, less what fades out at its end; 1e-5 are left to the midpoint rule for what is taken from the
    # fine part.
    kernel = two_scale_kernel(nuclide, spacing, density)
    whole = float(PointKernel.water(nuclide).energy_fraction.sum())
    kept = kernel.near.energy_share.sum() + kernel.tail.share
    assert kept + kernel.tail.faded_share == pytest.approx(whole, abs=1e-5)
    assert kernel.share_beyond == pytest.approx(1.0 - kept, abs=1e-9)


@pytest.mark.parametrize("nuclide", series(list(NUCLIDES.values()), 1), ids=lambda n: n.name)
def test_a_large_kernel_holds_the_energy_of_its_shells(nuclide):
    # A box of half-width R holds more than the sphere of radius R and less than that of sqrt(3) R.
    point = PointKernel.water(nuclide)
    share = voxel_kernel(nuclide, (4.0, 4.0, 4.0), 1.0, radius_mm=100.0).energy_share.sum()
    assert point.fraction_within(10.0) < share < point.fraction_within(10.2 * np.sqrt(3.0))


def test_share_beyond_states_what_photons_carry_away():
    # 90Y: bremsstrahlung beyond a box of 15 mm, 0.37 %.  166Ho: 3.0 % beyond a box of 60 mm in liver.
    assert kernel_of(Y90, (2.5,) * 3, 1.06).share_beyond == pytest.approx(0.0037, abs=0.0002)
    assert voxel_kernel(HO166, (2.5,) * 3, 1.06).share_beyond == pytest.approx(0.030, abs=0.0005)


@pytest.mark.parametrize("spacing", series([(2.5, 2.5, 2.5), ANISOTROPIC, (5.0, 2.0, 3.0)], 2))
def test_kernel_is_even_along_each_axis(spacing):
    share = kernel_of(Y90, spacing, 1.06).energy_share
    for axis in range(3):
        np.testing.assert_array_equal(share, np.flip(share, axis))
        assert share.shape[axis] % 2 == 1
    assert share.max() == share[tuple(n // 2 for n in share.shape)]
    assert np.all(share >= 0.0)


def test_cubic_kernel_is_the_same_along_all_axes():
    # The quadrature treats z apart from x and y: 48 x 48 directions leave 1e-3 at most.
    kernel = voxel_kernel(Y90, (3.0, 3.0, 3.0), 1.0)
    for offset in ((1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 1, 2)):
        for order in ((1, 2, 0), (2, 0, 1)):
            moved = tuple(offset[i] for i in order)
            assert at(kernel, *moved) == pytest.approx(at(kernel, *offset), rel=1e-3)


def test_thin_axis_comes_first():
    # 4 x 4 x 3 mm (x, y, z) is (3, 4, 4) in array order: the neighbour along z is nearer, so it gets
    # more; the Monte Carlo ratio of the two S values is 0.2071 / 0.1469 = 1.41.
    kernel = voxel_kernel(Y90, ANISOTROPIC, 1.04)
    assert at(kernel, z=1) / at(kernel, x=1) == pytest.approx(0.2071 / 0.1469, rel=0.01)
    assert at(kernel, y=1) == pytest.approx(at(kernel, x=1), rel=1e-3)
    assert kernel.energy_share.shape == (11, 9, 9)  # at least 14 mm of reach in voxels of 3 and 4 mm


@pytest.mark.parametrize("order", series([(1, 2, 0), (1, 0, 2), (2, 1, 0)], 1))
def test_permuted_spacing_permutes_the_kernel(order):
    base = kernel_of(Y90, (2.0, 3.0, 5.0), 1.0)
    spacing = tuple((2.0, 3.0, 5.0)[i] for i in order)
    permuted = kernel_of(Y90, spacing, 1.0)
    expected = base.energy_share.transpose(order)
    assert permuted.energy_share.shape == expected.shape
    # Quadrature error only, see above; shares below 1e-5 are compared absolutely.
    np.testing.assert_allclose(permuted.energy_share, expected, rtol=2e-3, atol=1e-7)


def test_only_mass_depth_counts():
    # Twice the density and half the lengths is the same problem.
    thin = voxel_kernel(Y90, (3.0, 4.0, 5.0), 1.0, radius_mm=14.0)
    dense = voxel_kernel(Y90, (1.5, 2.0, 2.5), 2.0, radius_mm=7.0)
    np.testing.assert_allclose(dense.energy_share, thin.energy_share, rtol=1e-9, atol=1e-15)


def test_denser_medium_keeps_more_in_the_source_voxel():
    light, dense = voxel_kernel(Y90, (2.5,) * 3, 0.3, radius_mm=2.5), kernel_of(Y90, (2.5,) * 3, 1.06)
    assert at(light) < 0.5 * at(dense)


@pytest.mark.parametrize("spacing", series([ANISOTROPIC, (2.0, 2.0, 2.0)], 1))
def test_kernel_agrees_with_random_sampling(spacing):
    # Independent of the quadrature: source points uniform in the voxel, isotropic directions, radii
    # drawn from the table.
    point, density, samples = PointKernel.water(Y90), 1.06, 400_000
    rng = np.random.default_rng(20)
    shell = rng.choice(len(point.energy_fraction), samples, p=point.energy_fraction / point.energy_fraction.sum())
    low, high = point.inner_radius_g_cm2[shell], point.outer_radius_g_cm2[shell]
    radius_mm = (low + (high - low) * rng.random(samples)) * 10.0 / density
    direction = rng.normal(size=(samples, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    landed = (rng.random((samples, 3)) - 0.5) + radius_mm[:, None] * direction / np.array(spacing)
    voxel = np.rint(landed).astype(int)
    kernel = kernel_of(Y90, spacing, density)
    for offset in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 1, 1), (2, 0, 0)):
        # All eight mirror images together; five standard deviations of the count.
        mirrored = np.all(np.abs(voxel) == np.array(offset), axis=1).sum() / samples
        images = 2 ** np.count_nonzero(offset)
        expected = images * at(kernel, *offset) / point.energy_fraction.sum()
        assert mirrored == pytest.approx(expected, abs=5.0 * np.sqrt(expected / samples))


def test_the_result_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        kernel_of(Y90, (2.5,) * 3, 1.06).energy_share[0, 0, 0] = 1.0


@pytest.mark.parametrize(
    ("spacing", "density", "message"),
    [
        ((0.0, 2.0, 2.0), 1.0, "spacing"),
        ((-2.0, 2.0, 2.0), 1.0, "spacing"),
        ((np.nan, 2.0, 2.0), 1.0, "spacing"),
        ((2.0, 2.0, 2.0), 0.0, "Density"),
        ((2.0, 2.0, 2.0), np.nan, "Density"),
    ],
)
def test_impossible_voxels_and_densities_are_refused(spacing, density, message):
    with pytest.raises(InputError, match=message):
        voxel_kernel(Y90, spacing, density)


def test_a_kernel_that_is_not_even_is_refused():
    # The convolution relies on a kernel that is the same to both sides.
    share = np.zeros((3, 3, 3))
    share[1, 1, 0] = 1.0
    with pytest.raises(InputError, match="both sides"):
        VoxelKernel("test", (1.0, 1.0, 1.0), 1.0, share)
    with pytest.raises(InputError, match="odd number"):
        VoxelKernel("test", (1.0, 1.0, 1.0), 1.0, np.ones((2, 3, 3)))


@pytest.mark.parametrize("radius", [0.0, -1.0, np.nan, 301.0])
def test_a_radius_beyond_the_table_is_refused(radius):
    with pytest.raises(InputError, match="radius"):
        voxel_kernel(Y90, (2.0,) * 3, 1.0, radius_mm=radius)


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("side", [0.39, 30.1, 0.0, -2.5, np.nan, np.inf])
def test_a_side_out_of_range_is_refused_along_every_axis(index, side):
    spacing = [2.5, 2.5, 2.5]
    spacing[index] = side
    with pytest.raises(InputError, match="spacing"):
        two_scale_kernel(Y90, tuple(spacing), 1.06)


@pytest.mark.parametrize("density", [0.0, 9e-4, 3.01, -1.06, np.nan, np.inf, 1060.0])
def test_a_density_out_of_range_is_refused(density):
    # Among them kg/m3, the unit most likely confused.
    with pytest.raises(InputError, match="Density"):
        two_scale_kernel(Y90, (2.5,) * 3, density)


@pytest.mark.parametrize(
    ("spacing", "density"),
    [
        ((12.0, 4.0, 12.0), 0.3),
        pytest.param((30.0, 30.0, 30.0), 1.06, marks=pytest.mark.exhaustive),
        pytest.param((2.0, 2.0, 8.0), 1.06, marks=pytest.mark.exhaustive),
        pytest.param((30.0, 30.0, 30.0), 0.3, marks=pytest.mark.exhaustive),
    ],
)
def test_unusual_voxels_keep_energy_and_sign(spacing, density):
    kernel = two_scale_kernel(Y90, spacing, density)
    whole = float(PointKernel.water(Y90).energy_fraction.sum())
    kept = kernel.near.energy_share.sum() + kernel.tail.share + kernel.tail.faded_share
    assert kept == pytest.approx(whole, abs=3e-5)
    # Kernel minus tail: beyond the electrons noise of either sign, far below any dose.
    assert kernel.near.energy_share.min() > -1e-6
    assert kernel.near.energy_share.max() == kernel.near.energy_share[kernel.near.half_width]


@pytest.mark.parametrize("spacing", [(0.4, 0.4, 0.4), (30.0, 30.0, 30.0)])
def test_air_is_refused_with_a_reason(spacing):
    # At 0.001 g/cm3 electrons fly 12 m: no voxel in range is coarse enough.
    with pytest.raises(InputError, match="too small"):
        two_scale_kernel(Y90, spacing, 0.001)


def test_numbers_of_numpy_are_as_good_as_python_ones():
    kept = two_scale_kernel(Y90, (3.0, 4.0, 4.0), 1.06)
    assert two_scale_kernel(Y90, np.array([3.0, 4.0, 4.0]), np.float64(1.06)) is kept
    assert two_scale_kernel(Y90, (3, 4, 4), 1.06) is kept


@pytest.mark.parametrize("nuclide", series([*USUAL, *OTHERS], len(USUAL)), ids=lambda n: n.name)
def test_coarse_samples_stay_within_the_joint(nuclide):
    kernel = two_scale_kernel(nuclide, (3.0, 4.0, 4.0), 1.06)
    for factor, side in zip(kernel.coarse_factor, kernel.near.spacing_mm, strict=True):
        assert factor >= 1
        assert factor * side <= 1.34 * kernel.tail.joint_mm
    if nuclide.photon_mev > 0.01 * nuclide.total_mev:
        assert max(kernel.coarse_factor) >= 2
        assert kernel.tail.joint_mm >= 20.0


@pytest.mark.parametrize("nuclide", [Y90, HO166], ids=lambda n: n.name)
def test_near_and_tail_add_up_to_the_kernel(nuclide):
    spacing = (3.0, 4.0, 4.0)
    scales, whole = two_scale_kernel(nuclide, spacing, 1.06), voxel_kernel(nuclide, spacing, 1.06, radius_mm=70.0)
    z, y, x = (np.arange(-h, h + 1) * side for h, side in zip(whole.half_width, spacing, strict=True))
    rest = whole.energy_share - scales.tail.between_voxels((z, y, x), spacing)
    half = scales.near.half_width
    inner = tuple(slice(w - h, w + h + 1) for w, h in zip(whole.half_width, half, strict=True))
    np.testing.assert_allclose(rest[inner], scales.near.energy_share, atol=1e-15)
    rest[inner] = 0.0
    np.testing.assert_allclose(rest, 0.0, atol=1e-15)


@pytest.mark.parametrize("radius", [5.0, 10.0, 12.0, 12.5, 60.0])
def test_a_shorter_reach_is_the_cropped_kernel(radius):
    spacing = (3.0, 4.0, 4.0)
    whole = voxel_kernel(Y90, spacing, 1.06, radius_mm=80.0)
    kernel = voxel_kernel(Y90, spacing, 1.06, radius_mm=radius)
    assert kernel.half_width == tuple(int(np.ceil(radius / side)) for side in spacing)
    cut = tuple(slice(w - h, w + h + 1) for w, h in zip(whole.half_width, kernel.half_width, strict=True))
    np.testing.assert_array_equal(kernel.energy_share, whole.energy_share[cut])


def _rows(name):
    table = SHARED / "physics-data" / name
    if not table.is_file():
        pytest.skip("reference data ../shared/physics-data are not present")
    return list(csv.DictReader(line for line in table.read_text().splitlines() if not line.startswith("#")))


def _offset(row):
    return int(row["k"]), int(row["j"]), int(row["i"])  # tables: i, j, k along x, y, z


def _spacing(row):
    return float(row["dz_mm"]), float(row["dy_mm"]), float(row["dx_mm"])


@pytest.mark.parametrize("nuclide", series([Y90, HO166], 0), ids=lambda n: n.name)
def test_s_values_agree_with_the_exact_integral_of_the_same_kernel(nuclide):
    rows = [r for r in _rows("ref_vsv.csv") if r["kernel"] == f"{nuclide.name} (PENELOPE)"]
    assert len(rows) > 50
    for row in rows:
        kernel = kernel_of(nuclide, _spacing(row), 1.0)
        # Two quadratures of one integral: 0.1 %, and the table has five digits.
        expected = float(row["S_mGy_per_MBq_s"])
        assert s_value(kernel, nuclide, _offset(row)) == pytest.approx(expected, rel=1.5e-3), row


@pytest.mark.parametrize("nuclide", series([Y90, HO166], 1), ids=lambda n: n.name)
def test_s_values_agree_with_direct_monte_carlo(nuclide):
    rows = [r for r in _rows("vsv_penelope_mc.csv") if r["nuclide"] == nuclide.name and r["medium"] == "soft"]
    near = 0
    for row in rows:
        density, spacing, offset = float(row["rho"]), _spacing(row), _offset(row)
        kernel = kernel_of(nuclide, spacing, density)
        if max(offset) > 1 or np.linalg.norm(np.array(offset) * spacing) > 4.0:
            continue
        near += 1
        # Source voxel and near neighbours hold most of the energy.  0.5 % for soft tissue instead of
        # water (0.6 % in mass depth), four standard deviations of the Monte Carlo on top.
        expected, sigma = float(row["S_mGy_per_MBq_s"]), float(row["rel_sigma"])
        assert s_value(kernel, nuclide, offset) == pytest.approx(expected, rel=0.005 + 4.0 * sigma), row
    assert near >= 4


@pytest.mark.exhaustive
@pytest.mark.parametrize("nuclide", series([Y90, HO166], 1), ids=lambda n: n.name)
def test_distant_s_values_agree_once_tissue_is_scaled_to_water(nuclide):
    # Mass depth in soft tissue counts 0.994 times that of water (composition); far from the source
    # the fall-off is so steep that this is 5 % and more in dose.  With it, all voxels agree.
    rows = [r for r in _rows("vsv_penelope_mc.csv") if r["nuclide"] == nuclide.name and r["medium"] == "soft"]
    compared = 0
    for row in rows:
        density = float(row["rho"])
        kernel = kernel_of(nuclide, _spacing(row), 0.994 * density)
        offset = _offset(row)
        if any(o > half for o, half in zip(offset, kernel.half_width, strict=True)):
            continue
        compared += 1
        expected, sigma = float(row["S_mGy_per_MBq_s"]), float(row["rel_sigma"])
        found = s_value(kernel, nuclide, offset) * 0.994  # mass at the true density
        assert found == pytest.approx(expected, rel=0.006 + 4.0 * sigma), row
    assert compared == len(rows)
