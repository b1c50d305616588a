"""Constants are asserted as written in their sources and as derived from energy and half-life."""

import math

import pytest

from radioembolization.errors import InputError
from radioembolization.physics import HO166, NUCLIDES, Y90, Convention
from support import MEV_TO_J


@pytest.mark.parametrize(
    ("nuclide", "convention", "j_per_gbq"),
    [
        (Y90, Convention.CLINICAL, 49.67),  # 49,670 per MBq in the partition model
        (Y90, Convention.ICRP107, 49.77),
        (Y90, Convention.VENDOR, 50.0),  # printed for glass
        (HO166, Convention.CLINICAL, 15.87),
        (HO166, Convention.ICRP107, 16.20),
    ],
)
def test_emitted_energy_is_the_published_constant(nuclide, convention, j_per_gbq):
    # The sources print two decimals.
    assert nuclide.energy_j_per_gbq(convention) == pytest.approx(j_per_gbq, abs=0.005)


@pytest.mark.parametrize(("nuclide", "half_life_h"), [(Y90, 64.1), (HO166, 26.8)])
def test_half_lives_are_those_of_icrp_107(nuclide, half_life_h):
    assert nuclide.half_life_h == pytest.approx(half_life_h, rel=1e-12)


@pytest.mark.parametrize("name", sorted(NUCLIDES))
def test_icrp_constant_equals_energy_times_number_of_decays(name):
    # 1 GBq decays 1e9 * T / ln 2 times.  Energies are tabulated to 1e-5 MeV, which is 6e-5 of the
    # smallest total (0.143 MeV); the constant to 0.001 J.
    nuclide = NUCLIDES[name]
    decays = 1e9 * nuclide.half_life_h * 3600.0 / math.log(2.0)
    derived = nuclide.total_mev * MEV_TO_J * decays
    assert nuclide.energy_j_per_gbq(Convention.ICRP107) == pytest.approx(derived, rel=1e-4, abs=0.001)


def test_electron_and_photon_energies_of_the_therapy_nuclides():
    assert (Y90.electron_mev, Y90.photon_mev) == pytest.approx((0.9331, 0.0), abs=5e-5)
    assert (HO166.electron_mev, HO166.photon_mev) == pytest.approx((0.6963, 0.0301), abs=5e-5)
    # 4.1 % of the 166Ho energy is carried by photons.
    assert HO166.photon_mev / HO166.total_mev == pytest.approx(0.041, abs=5e-4)


def test_unknown_convention_names_those_there_are():
    with pytest.raises(InputError, match=r"Ho-166 .*'vendor'.*clinical.*icrp107"):
        HO166.energy_j_per_gbq(Convention.VENDOR)
    with pytest.raises(InputError, match=r"Y-90 .*'mird'"):
        Y90.energy_j_per_gbq("mird")
