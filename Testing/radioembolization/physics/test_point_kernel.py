"""The radial kernels against energy per decay, published fractions and spheres of known self-absorption."""

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.physics import (
    CORTICAL_BONE,
    HO166,
    LIVER,
    LU177,
    LUNG,
    NUCLIDES,
    P32,
    SOFT_TISSUE,
    TC99M,
    WATER,
    Y90,
    PointKernel,
)
from support import SHARED


def sphere_fraction(kernel: PointKernel, radius_cm: float) -> float:
    """Return the energy share a uniform unit-density sphere absorbs of its own emission.

    The share of pairs of points in a sphere of radius R at distance r apart, closed form: a point
    uniform in the sphere has probability 1 - 3r/(4R) + r^3/(16R^3) that a step r in a random
    direction stays inside (r <= 2R).
    """
    middle = (kernel.inner_radius_g_cm2 + kernel.outer_radius_g_cm2) / 2.0
    x = np.minimum(middle / radius_cm, 2.0)
    return float(kernel.energy_fraction @ (1.0 - 0.75 * x + x**3 / 16.0))


PHOTON_EMITTERS = sorted(name for name, nuclide in NUCLIDES.items() if nuclide.photon_mev > 0.0)


@pytest.mark.parametrize("nuclide", [Y90, P32], ids=lambda n: n.name)
def test_all_energy_of_pure_beta_emitters_is_absorbed(nuclide):
    # Bremsstrahlung beyond 30 g/cm2 is less than 0.1 %; so is the noise of the simulated energy, 0.02 %
    # (5 million decays of 90Y) and 0.07 % (half a million of 32P).
    assert PointKernel.water(nuclide).energy_fraction.sum() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", PHOTON_EMITTERS)
def test_some_photon_energy_leaves_the_kernel(name):
    # The tables end at 30 g/cm2.  Attenuation lengths of 80 keV to 1.4 MeV are 5 to 17 g/cm2, energy
    # absorption lengths 30 to 38: between exp(-30 / 5) and exp(-30 / 38) of the photon energy leaves, 12 to
    # 25 % in these tables.  Electrons counted twice would show (99mTc: 0.7 %).
    nuclide = NUCLIDES[name]
    left = (1.0 - PointKernel.water(nuclide).energy_fraction.sum()) * nuclide.total_mev / nuclide.photon_mev
    assert 0.12 < left < 0.25


@pytest.mark.parametrize("name", sorted(NUCLIDES))
def test_the_range_of_electrons_holds_their_energy(name):
    # 1.2 g/cm2 is beyond the range of the fastest electrons (2.28 MeV).  0.6 % may leave as bremsstrahlung,
    # and photons bring at most 1.2 g/cm2 times 0.03 cm2/g of theirs, plus X-rays that hardly leave.
    nuclide = NUCLIDES[name]
    x_rays_mev = 0.006
    absorbed_mev = PointKernel.water(nuclide).fraction_within(1.2) * nuclide.total_mev
    assert 0.994 * nuclide.electron_mev < absorbed_mev
    assert absorbed_mev < 1.001 * nuclide.electron_mev + 1.2 * 0.034 * nuclide.photon_mev + x_rays_mev


@pytest.mark.parametrize("name", PHOTON_EMITTERS)
def test_photons_deposit_smoothly_beyond_the_range_of_electrons(name):
    # Energy per depth of neighbouring shells differs by their noise, and 3 % per cm: a shell that holds
    # another one's energy as well stands out.
    kernel = PointKernel.water(NUCLIDES[name])
    width = kernel.outer_radius_g_cm2 - kernel.inner_radius_g_cm2
    beyond = kernel.inner_radius_g_cm2 > (0.04 if name == "Tc-99m" else 1.2)
    per_depth, sigma = (kernel.energy_fraction / width)[beyond], (kernel.sigma_fraction / width)[beyond]
    step = np.abs(np.diff(per_depth))
    assert np.all(step < 0.12 * per_depth[:-1] + 5.0 * np.hypot(sigma[1:], sigma[:-1]))


def test_electrons_of_99mtc_are_counted_once():
    # Conversion electrons of 120 to 140 keV end at 0.03 g/cm2.
    within_mev = PointKernel.water(TC99M).fraction_within(0.1) * TC99M.total_mev
    assert within_mev == pytest.approx(TC99M.electron_mev, rel=0.03)


@pytest.mark.parametrize("name", sorted(NUCLIDES))
def test_share_within_a_radius_rises_from_zero_to_the_total(name):
    kernel = PointKernel.water(NUCLIDES[name])
    radii = np.linspace(0.0, 30.0, 301)
    shares = np.array([kernel.fraction_within(r) for r in radii])
    assert shares[0] == 0.0
    assert np.all(np.diff(shares) >= 0.0)
    assert shares[-1] == pytest.approx(kernel.energy_fraction.sum(), rel=1e-12)
    assert np.all(kernel.energy_fraction >= 0.0)


@pytest.mark.parametrize("name", sorted(NUCLIDES))
def test_noise_is_stated_for_every_shell_and_small_where_the_energy_is(name):
    kernel = PointKernel.water(NUCLIDES[name])
    assert kernel.sigma_fraction.shape == kernel.energy_fraction.shape
    assert np.all(kernel.sigma_fraction > 0.0)
    relative = kernel.sigma_fraction / kernel.energy_fraction
    # Mean over the energy; 99mTc has the fewest decays (half a million photons, 0.6 %).
    assert np.average(relative, weights=kernel.energy_fraction) < 0.008


@pytest.mark.parametrize(
    ("tissue", "density"), [(LIVER, 1.06), (LUNG, 0.296), (CORTICAL_BONE, 1.92)], ids=lambda v: getattr(v, "name", None)
)
def test_90y_kernels_of_tissues_hold_all_energy_in_shells_of_their_own_density(tissue, density):
    kernel = PointKernel.simulated_in(Y90, tissue)
    # The lung table ends at 8 g/cm2, where 0.3 % of bremsstrahlung is still to come; noise 0.08 %, and
    # bone has more bremsstrahlung but also a larger table.
    assert kernel.energy_fraction.sum() == pytest.approx(1.0, abs=0.0035 if tissue is LUNG else 0.0015)
    # Shells are a tenth of a millimetre in liver, 0.08 in bone and 0.4 in lung.
    thickness_mm = kernel.outer_radius_g_cm2[0] / density * 10.0
    assert thickness_mm == pytest.approx({"liver": 0.1, "lung": 0.4, "cortical bone": 0.08}[tissue.name], rel=1e-3)


def test_water_is_a_tissue_too():
    assert PointKernel.simulated_in(Y90, WATER) is PointKernel.water(Y90)


def test_share_within_a_shell_edge_is_the_sum_of_the_shells():
    kernel = PointKernel.water(Y90)
    for shell in (0, 5, 40):
        edge = kernel.outer_radius_g_cm2[shell]
        assert kernel.fraction_within(edge) == pytest.approx(kernel.energy_fraction[: shell + 1].sum(), rel=1e-12)


def test_published_90y_share_within_11_mm():
    # EGSnrc (Graves 2019): 0.92988 of 0.93311 MeV.  The two codes differ by 0.05 % in total.
    assert PointKernel.water(Y90).fraction_within(1.1) == pytest.approx(0.9966, abs=0.001)


def test_90y_electrons_end_at_their_range():
    # End point 2.28 MeV, CSDA range 1.11 g/cm2 in water: what lies further is bremsstrahlung, which
    # is 0.4 % of the energy in all and far below 0.1 % between 1.2 and 2 g/cm2.
    kernel = PointKernel.water(Y90)
    assert 0.0 < kernel.fraction_within(2.0) - kernel.fraction_within(1.2) < 0.001
    assert kernel.fraction_within(1.2) > 0.995


def test_share_of_166ho_beyond_one_centimetre():
    # 4 % of the absorbed energy lies beyond 1 cm: the photons.
    assert 1.0 - PointKernel.water(HO166).fraction_within(1.0) == pytest.approx(0.041, abs=0.002)


@pytest.mark.parametrize(
    ("nuclide", "radius_cm", "fraction"),
    [
        (Y90, 0.4924, 0.6179),
        (Y90, 1.3365, 0.8480),
        (Y90, 6.2035, 0.9646),
        (HO166, 0.4924, 0.7025),
        (HO166, 1.3365, 0.8615),
    ],
)
def test_self_absorption_of_spheres(nuclide, radius_cm, fraction):
    # Spheres of 0.5, 10 and 1000 g; absorbed fractions of all emitted energy from the independent
    # integration of the same Monte Carlo (90Y within 1 % of EGSnrc).  Midpoints of 0.1 mm shells
    # against smooth weights: error below 1e-3.
    assert sphere_fraction(PointKernel.water(nuclide), radius_cm) == pytest.approx(fraction, abs=1e-3)


def test_a_tissue_that_was_not_simulated_is_refused():
    with pytest.raises(InputError, match=r"Y-90 in soft tissue \(only in water, liver, lung, cortical bone\).*depth"):
        PointKernel.simulated_in(Y90, SOFT_TISSUE)
    with pytest.raises(InputError, match=r"Lu-177 in liver \(only in water\)"):
        PointKernel.simulated_in(LU177, LIVER)


def test_kernels_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        PointKernel.water(Y90).energy_fraction[0] = 1.0


def test_90y_kernel_agrees_with_an_independent_code():
    table = SHARED / "physics-data" / "dpk_Y-90_water_graves2019.csv"
    if not table.is_file():
        pytest.skip("reference data ../shared/physics-data are not present")
    values = np.loadtxt(
        [line for line in table.read_text().splitlines() if not line.startswith(("#", "r_"))], delimiter=","
    )
    kernel = PointKernel.water(Y90)
    for radius, cumulative_mev in zip(values[:, 0], np.cumsum(values[:, 1]), strict=True):
        if radius >= 0.05:
            # EGSnrc against PENELOPE: 0.8 % in cumulative energy from 0.5 mm on.
            assert kernel.fraction_within(radius) * Y90.total_mev == pytest.approx(cumulative_mev, rel=0.008)
