"""The radial kernels against energy per decay, published fractions and spheres of known self-absorption."""

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.physics import HO166, NUCLIDES, Y90, PointKernel
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


@pytest.mark.parametrize("nuclide", [Y90, HO166], ids=lambda n: n.name)
def test_total_absorbed_stays_just_below_all_emitted_energy(nuclide):
    # The table ends at 30 g/cm2.  90Y has bremsstrahlung only: less than 0.1 % lies beyond.  Of the
    # 166Ho photons (4.1 % of the energy, mostly 81 keV and 1.4 MeV) a quarter does.
    total = PointKernel.water(nuclide).energy_fraction.sum()
    beyond = {"Y-90": (0.0, 0.001), "Ho-166": (0.005, 0.02)}[nuclide.name]
    assert beyond[0] < 1.0 - total < beyond[1]


@pytest.mark.parametrize("nuclide", [Y90, HO166], ids=lambda n: n.name)
def test_share_within_a_radius_rises_from_zero_to_the_total(nuclide):
    kernel = PointKernel.water(nuclide)
    radii = np.linspace(0.0, 30.0, 301)
    shares = np.array([kernel.fraction_within(r) for r in radii])
    assert shares[0] == 0.0
    assert np.all(np.diff(shares) >= 0.0)
    assert shares[-1] == pytest.approx(kernel.energy_fraction.sum(), rel=1e-12)
    assert np.all(kernel.energy_fraction >= 0.0)


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


def test_there_is_no_kernel_for_other_nuclides():
    with pytest.raises(InputError, match="Lu-177"):
        PointKernel.water(NUCLIDES["Lu-177"])


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
