"""Beta spectra and lines against the energies per decay, end points and yields of ICRP-107."""

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.physics import (
    HO166,
    I131,
    LU177,
    NUCLIDES,
    P32,
    RE188,
    TC99M,
    Y90,
    Y90_POSITRONS_PER_DECAY,
    Radiation,
    beta_spectrum,
    emissions,
)
from radioembolization.physics.data_table import read_rows

BETA_EMITTERS = [Y90, HO166, LU177, RE188, I131, P32]


@pytest.mark.parametrize("nuclide", BETA_EMITTERS, ids=lambda n: n.name)
def test_one_beta_particle_per_decay_with_the_stated_mean_energy(nuclide):
    stated = next(float(row["beta_MeV"]) for row in read_rows("decay_constants.csv") if row["nuclide"] == nuclide.name)
    spectrum = beta_spectrum(nuclide)
    assert spectrum.yield_per_decay == pytest.approx(1.0, abs=1e-12)
    # 0.05 %: interpolation of a coarse table leaves 0.04 % at most; straight lines 0.1 to 0.4 %.
    assert spectrum.mean_energy_mev * spectrum.yield_per_decay == pytest.approx(stated, rel=5e-4)


@pytest.mark.parametrize("nuclide", BETA_EMITTERS, ids=lambda n: n.name)
def test_the_spectrum_passes_through_the_table_and_is_never_negative(nuclide):
    spectrum = beta_spectrum(nuclide)
    rows = read_rows(f"beta_spectrum_{nuclide.name}.csv")
    energy, density = (np.array([float(row[c]) for row in rows]) for c in ("E_MeV", "N_per_MeV_per_decay"))
    found = np.interp(energy, spectrum.energy_mev, spectrum.per_mev_per_decay)
    # Normalising moves it by 5e-4 at most; straight lines between 4001 points by less.
    np.testing.assert_allclose(found, density, rtol=1e-3, atol=1e-4 * density.max())
    assert np.all(spectrum.per_mev_per_decay >= 0.0)
    assert spectrum.per_mev_per_decay[-1] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("nuclide", "end_point_mev"),
    [(Y90, 2.2787), (HO166, 1.8545), (LU177, 0.4983), (RE188, 2.1204), (I131, 0.8069), (P32, 1.71066)],
    ids=lambda value: getattr(value, "name", None),
)
def test_end_points_are_those_of_an_independent_evaluation(nuclide, end_point_mev):
    # DDEP; the two use decay energies that differ by 0.1 % at most.
    assert beta_spectrum(nuclide).energy_mev[-1] == pytest.approx(end_point_mev, rel=1.2e-3)


def test_the_mean_energy_of_a_uniform_distribution_is_its_middle():
    flat = type(beta_spectrum(Y90))("flat", np.linspace(0.0, 2.0, 101), np.full(101, 0.25))
    assert (flat.yield_per_decay, flat.mean_energy_mev) == pytest.approx((0.5, 1.0), rel=1e-12)


def test_spectra_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        beta_spectrum(Y90).per_mev_per_decay[0] = 1.0


def test_a_nuclide_without_beta_particles_has_no_spectrum():
    with pytest.raises(InputError, match="Tc-99m emits no beta"):
        beta_spectrum(TC99M)


@pytest.mark.parametrize(
    ("nuclide", "energy_mev", "per_decay"),
    [
        (HO166, 0.0806, 0.067),
        (HO166, 1.379, 0.0093),
        (LU177, 0.2084, 0.110),
        (LU177, 0.1130, 0.064),
        (RE188, 0.1550, 0.156),
        (I131, 0.3645, 0.817),
        (TC99M, 0.1405, 0.891),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_main_photon_lines(nuclide, energy_mev, per_decay):
    lines = [
        line
        for line in emissions(nuclide)
        if line.radiation.is_photon and line.energy_mev == pytest.approx(energy_mev, abs=5e-4)
    ]
    # The yields are printed to two or three digits.
    assert [line.yield_per_decay for line in lines] == [pytest.approx(per_decay, rel=8e-3)]


@pytest.mark.parametrize("name", sorted(NUCLIDES))
def test_lines_hold_the_photon_and_electron_energy(name):
    nuclide = NUCLIDES[name]
    energy = dict.fromkeys(Radiation, 0.0)
    for line in emissions(nuclide):
        energy[line.radiation] += line.energy_mev * line.yield_per_decay
    photons = energy[Radiation.GAMMA] + energy[Radiation.X_RAY]
    # Lines below 1e-3 per decay may be missing: 0.4 % of the photons, 0.0013 MeV of the electrons.
    assert photons == pytest.approx(nuclide.photon_mev, rel=4e-3, abs=5e-6)
    electrons = energy[Radiation.CONVERSION_ELECTRON] + energy[Radiation.AUGER_ELECTRON] + energy[Radiation.BETA_BRANCH]
    assert electrons == pytest.approx(nuclide.electron_mev, abs=1.7e-3)


def test_branches_listed_add_up_to_one_beta_particle():
    for nuclide in BETA_EMITTERS:
        listed = sum(line.yield_per_decay for line in emissions(nuclide) if line.radiation is Radiation.BETA_BRANCH)
        # Branches below 1e-3 are left out: 188Re has many.
        assert 0.996 < listed < 1.0 + 1e-9


def test_positrons_of_90y_are_no_line_of_the_table():
    # 32 in a million decays (EANM guideline 2022), 31.86 in the measurement.
    assert pytest.approx(32e-6, rel=0.01) == Y90_POSITRONS_PER_DECAY
    assert not any(line.energy_mev == pytest.approx(0.511, abs=1e-4) for line in emissions(Y90))
