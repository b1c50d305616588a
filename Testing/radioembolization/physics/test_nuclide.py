"""Constants are asserted as written in their sources and as derived from energy and half-life."""

import math

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
    Convention,
    emissions,
    nuclide_by_name,
)
from radioembolization.physics.data_table import read_rows
from radioembolization.physics.spectra import Radiation
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


@pytest.mark.parametrize(
    ("nuclide", "half_life_h"),
    [
        (Y90, 64.1),
        (HO166, 26.8),
        (LU177, 6.647 * 24),
        (RE188, 17.004),
        (I131, 8.0207 * 24),
        (P32, 14.263 * 24),
        (TC99M, 6.015),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_half_lives_are_those_of_icrp_107(nuclide, half_life_h):
    # The table states seconds to 0.1 s.
    assert nuclide.half_life_h == pytest.approx(half_life_h, rel=1e-7)


@pytest.mark.parametrize("name", sorted(NUCLIDES))
def test_icrp_constant_equals_energy_times_number_of_decays(name):
    # 1 GBq decays 1e9 * T / ln 2 times.  Energies are tabulated to 1e-5 MeV, which is 6e-5 of the
    # smallest total (0.143 MeV); the constant to 0.001 J.
    nuclide = NUCLIDES[name]
    decays = 1e9 * nuclide.half_life_h * 3600.0 / math.log(2.0)
    assert nuclide.decays_per_gbq == pytest.approx(decays, rel=1e-14)
    derived = nuclide.total_mev * MEV_TO_J * decays
    assert nuclide.energy_j_per_gbq(Convention.ICRP107) == pytest.approx(derived, rel=1e-4, abs=0.001)


@pytest.mark.parametrize("name", sorted(NUCLIDES))
def test_energy_per_decay_of_the_icrp_constant_is_the_sum_of_all_emissions(name):
    # Rounding of the constant to 0.001 J/GBq is 1e-4 MeV for 99mTc, much less for the others.
    nuclide = NUCLIDES[name]
    assert nuclide.energy_mev(Convention.ICRP107) == pytest.approx(nuclide.total_mev, abs=1e-4)


@pytest.mark.parametrize(
    ("nuclide", "convention", "mev"),
    [
        (Y90, Convention.CLINICAL, 0.9327 * 64.0 / 64.1),  # 0.9327 MeV x 64.0 h gives 49.67
        (Y90, Convention.VENDOR, 0.9367 * 50.0 / 49.96),  # package insert: 0.9367 MeV x 64.1 h is 49.96
        (HO166, Convention.CLINICAL, 0.7116),
    ],
)
def test_energy_per_decay_that_a_constant_implies(nuclide, convention, mev):
    # Four digits in the sources.
    assert nuclide.energy_mev(convention) == pytest.approx(mev, rel=1.5e-4)
    whole = nuclide.energy_mev(convention) * MEV_TO_J * nuclide.decays_per_gbq
    assert whole == pytest.approx(nuclide.energy_j_per_gbq(convention), rel=1e-12)


def test_the_clinical_constant_of_166ho_lies_between_electrons_and_all_emissions():
    assert HO166.electron_mev + 0.01 < HO166.energy_mev(Convention.CLINICAL) < HO166.total_mev - 0.01


def test_electron_and_photon_energies_of_the_therapy_nuclides():
    assert (Y90.electron_mev, Y90.photon_mev) == pytest.approx((0.9331, 0.0), abs=5e-5)
    assert (HO166.electron_mev, HO166.photon_mev) == pytest.approx((0.6963, 0.0301), abs=5e-5)
    assert (LU177.electron_mev, LU177.photon_mev) == pytest.approx((0.1479, 0.0351), abs=5e-5)
    # 4.1 % of the 166Ho energy is carried by photons.
    assert HO166.photon_mev / HO166.total_mev == pytest.approx(0.041, abs=5e-4)


def test_unknown_convention_names_those_there_are():
    with pytest.raises(InputError, match=r"Ho-166 .*'vendor'.*clinical.*icrp107"):
        HO166.energy_j_per_gbq(Convention.VENDOR)
    with pytest.raises(InputError, match=r"Y-90 .*'mird'"):
        Y90.energy_j_per_gbq("mird")


@pytest.mark.parametrize("nuclide", [LU177, RE188, I131, P32, TC99M], ids=lambda n: n.name)
def test_nuclides_without_a_clinical_constant_point_to_icrp_107(nuclide):
    for ask in (nuclide.energy_j_per_gbq, nuclide.energy_mev):
        with pytest.raises(InputError, match=rf"{nuclide.name} .*'clinical'.*one of icrp107\."):
            ask(Convention.CLINICAL)


@pytest.mark.parametrize(
    ("names", "nuclide"),
    [(("Y-90", "Y90", "90Y", "y-90", "90y", "90-Y"), Y90), (("Tc-99m", "99mTc", "TC99M", "tc 99m"), TC99M)],
)
def test_a_nuclide_is_found_however_its_name_is_written(names, nuclide):
    assert all(nuclide_by_name(name) is nuclide for name in names)


@pytest.mark.parametrize("name", ["Y-91", "", "Y", "90", "Tc-99"])
def test_unknown_nuclide_names_those_there_are(name):
    with pytest.raises(InputError, match=rf"'{name}'.*Y-90.*Ho-166.*Lu-177.*Tc-99m.*Re-188.*I-131.*P-32"):
        nuclide_by_name(name)


@pytest.mark.parametrize("name", sorted(NUCLIDES))
def test_the_evaluation_used_comes_first_and_is_the_one_of_the_constants(name):
    nuclide = NUCLIDES[name]
    used, second = nuclide.evaluations[:2]
    constants = next(row for row in read_rows("decay_constants.csv") if row["nuclide"] == name)
    assert (used.name, second.name) == ("ICRP-107", "DDEP")
    assert used.half_life_h == pytest.approx(nuclide.half_life_h, rel=1e-7)
    assert (used.beta_mev or 0.0) == float(constants["beta_MeV"])
    # Sum of the lines, printed to 1e-5 MeV.
    gamma = sum(line.energy_mev * line.yield_per_decay for line in emissions(nuclide) if line.radiation == "gamma")
    assert (used.gamma_mev or 0.0) == pytest.approx(gamma, abs=6e-6)
    assert all(evaluation.source for evaluation in nuclide.evaluations)


@pytest.mark.parametrize(
    ("nuclide", "half_life", "electrons", "photons"),
    [
        # Differences of the two evaluations; for 166Ho, 177Lu, 188Re and 32P DDEP's standard uncertainty of
        # the half-life is the larger.
        (Y90, 64.1 / (2.6684 * 24) - 1, (0.93290 - 0.92657) / 0.93311, None),
        (HO166, 0.029 / 26.795, 0.00049 / 0.69634, 0.00005 / 0.03007),
        (LU177, 0.004 / 6.647, 0.00093 / 0.14792, 0.00154 / 0.03510),
        (RE188, 0.004 / 17.005, 0.00184 / 0.77934, 0.00309 / 0.06125),
        (I131, 8.0233 / 8.0207 - 1, 0.00044 / 0.19185, 0.00204 / 0.38276),
        (P32, 0.036 / 14.284, 0.00072 / 0.69478, None),
        (TC99M, 1 - 6.0067 / 6.015, None, 0.00077 / 0.12659),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_uncertainties_are_the_differences_of_evaluations(nuclide, half_life, electrons, photons):
    # None where there is no such radiation, or no second value; a share below 1e-5 is in the rounding.
    assert nuclide.half_life_uncertainty == pytest.approx(half_life, abs=1e-6)
    for found, expected in ((nuclide.electron_uncertainty, electrons), (nuclide.photon_uncertainty, photons)):
        assert found == (None if expected is None else pytest.approx(expected, abs=1e-6))


def test_the_published_constant_of_ddep_follows_from_its_energy_and_half_life():
    # 49.38 is what papers on DDEP data use (0.9267 MeV, the main branch); 0.9266 for both branches.
    ddep = Y90.evaluations[1]
    constant = ddep.beta_mev * MEV_TO_J * 1e9 * ddep.half_life_h * 3600.0 / math.log(2.0)
    assert constant == pytest.approx(49.38, abs=0.01)


def test_main_photon_yields_of_two_evaluations_differ_as_stated():
    # DDEP: 177Lu 208 keV 0.1038(7), 166Ho 80.6 keV 0.0655(8).  ICRP-107 is 6 and 2 % higher.
    main = {
        nuclide: max(
            (line for line in emissions(nuclide) if line.radiation is Radiation.GAMMA),
            key=lambda line: line.yield_per_decay,
        )
        for nuclide in (LU177, HO166)
    }
    assert main[LU177].yield_per_decay / 0.1038 == pytest.approx(1.06, abs=0.01)
    assert main[HO166].yield_per_decay / 0.0655 == pytest.approx(1.024, abs=0.01)
