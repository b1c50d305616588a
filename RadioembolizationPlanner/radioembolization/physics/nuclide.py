"""Radionuclides and the energy-per-decay conventions used with them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

from radioembolization.errors import InputError
from radioembolization.physics.data_table import read_rows
from radioembolization.physics.evaluation import Evaluation, evaluations_of

#: Exact since the redefinition of the SI in 2019.
JOULE_PER_MEV = 1.602176634e-13


class Convention(StrEnum):
    """Where the absorbed energy per GBq comes from; it must be stated with every dose.

    ``clinical``: 49.67 J/GBq for 90Y (49,670 per MBq in the partition model: van Roekel, thesis
    Utrecht, p. 125) and 15.87 J/GBq for 166Ho (Smits et al. 2020, 10.1007/s00259-019-04460-y).
    ``icrp107``: all electrons and photons of ICRP Publication 107; exists for every nuclide.
    ``vendor``: the rounded constant printed by the manufacturer (50 J/GBq for glass 90Y; its package
    insert states 0.9367 MeV and 64.1 h, which is 49.96).

    The constant is the *emitted* energy.  Kernel, local deposition and partition model are all
    normalised to it.  The constants in use for 90Y, 49.38 (DDEP) to 50, differ by 1.3 %.

    166Ho: no sum of ICRP-107 energies gives 15.87 J/GBq.  It corresponds to 0.7116 MeV per decay at
    26.8 h, between electrons alone (0.6963 MeV, 15.53) and all electrons and photons (0.7264 MeV,
    16.20).  It is taken here as the emitted total.  Photons carry 4.1 % of the energy and most of it
    leaves the liver: a partition model deposits them locally, a kernel carries them away.
    """

    CLINICAL = "clinical"
    ICRP107 = "icrp107"
    VENDOR = "vendor"


@dataclass(frozen=True)
class Nuclide:
    """A radionuclide with its decay data.

    Parameters
    ----------
    name : str
        For instance ``"Y-90"``.
    half_life_h : float
        Physical half-life [h] (ICRP Publication 107).
    electron_mev, photon_mev : float
        Mean energy of all electrons (beta, conversion, Auger) and photons per decay [MeV] (ICRP
        Publication 107).
    emitted_j_per_gbq : dict of Convention to float
        Energy emitted by 1 GBq decaying completely [J/GBq], which equals [Gy kg/GBq].
    evaluations : tuple of Evaluation
        What ICRP-107 (first) and other evaluations say, each with its source.
    """

    name: str
    half_life_h: float
    electron_mev: float
    photon_mev: float
    emitted_j_per_gbq: dict[Convention, float] = field(hash=False)
    evaluations: tuple[Evaluation, ...] = ()

    def energy_j_per_gbq(self, convention: Convention) -> float:
        """Return the emitted energy per GBq [J/GBq] under a convention.

        Raises
        ------
        InputError
            If the nuclide has no constant under this convention.
        """
        try:
            return self.emitted_j_per_gbq[Convention(convention)]
        except (KeyError, ValueError):
            known = ", ".join(self.emitted_j_per_gbq)
            raise InputError(
                f"{self.name} has no energy per decay under convention '{convention}': choose one of {known}."
            ) from None

    def energy_mev(self, convention: Convention) -> float:
        """Return the emitted energy per decay [MeV] that a convention's constant implies.

        ``k / (T / ln 2) / 1.602e-13`` with the constant k and the half-life T of this nuclide: what
        kernels must be normalised to so that they agree with a partition model using k.

        Raises
        ------
        InputError
            If the nuclide has no constant under this convention.
        """
        return self.energy_j_per_gbq(convention) / self.decays_per_gbq / JOULE_PER_MEV

    @property
    def decays_per_gbq(self) -> float:
        """Number of decays of 1 GBq until nothing is left, ``1e9 T / ln 2``."""
        return 1e9 * self.half_life_h * 3600.0 / math.log(2.0)

    @property
    def total_mev(self) -> float:
        """Energy of all electrons and photons per decay [MeV]."""
        return self.electron_mev + self.photon_mev

    @property
    def half_life_uncertainty(self) -> float | None:
        """Relative uncertainty of the half-life; None without a second evaluation.

        The largest difference to another evaluation, or the standard uncertainty one states if larger.
        """
        relative = [abs(other.half_life_h / self.half_life_h - 1.0) for other in self.evaluations[1:]]
        relative += [e.half_life_sigma_h / e.half_life_h for e in self.evaluations if e.half_life_sigma_h is not None]
        return max(relative, default=None)

    @property
    def electron_uncertainty(self) -> float | None:
        """Relative uncertainty of the electron energy: beta energy of two evaluations; None without both.

        Conversion and Auger electrons are not compared.
        """
        return self._largest_difference([e.beta_mev for e in self.evaluations], self.electron_mev)

    @property
    def photon_uncertainty(self) -> float | None:
        """Relative uncertainty of the photon energy: gamma energy of two evaluations; None without both.

        X-rays are not compared.
        """
        return self._largest_difference([e.gamma_mev for e in self.evaluations], self.photon_mev)

    @staticmethod
    def _largest_difference(values_mev: list[float | None], whole_mev: float) -> float | None:
        known = [value for value in values_mev if value is not None]
        return (max(known) - min(known)) / whole_mev if len(known) > 1 else None


#: Constants that are not in ICRP-107, by nuclide [J/GBq]; sources in :class:`Convention`.
_OTHER_CONVENTIONS = {
    "Y-90": {Convention.CLINICAL: 49.67, Convention.VENDOR: 50.0},
    "Ho-166": {Convention.CLINICAL: 15.87},
}


def _from_table() -> dict[str, Nuclide]:
    nuclides = {}
    for row in read_rows("decay_constants.csv"):
        name = row["nuclide"]
        nuclides[name] = Nuclide(
            name=name,
            half_life_h=float(row["half_life_s"]) / 3600.0,
            electron_mev=float(row["electrons_MeV"]),
            photon_mev=float(row["photons_MeV"]),
            emitted_j_per_gbq={
                **_OTHER_CONVENTIONS.get(name, {}),
                Convention.ICRP107: float(row["J_per_GBq_total"]),
            },
            evaluations=evaluations_of(name),
        )
    return nuclides


NUCLIDES = _from_table()
Y90 = NUCLIDES["Y-90"]
HO166 = NUCLIDES["Ho-166"]
LU177 = NUCLIDES["Lu-177"]
RE188 = NUCLIDES["Re-188"]
I131 = NUCLIDES["I-131"]
P32 = NUCLIDES["P-32"]
TC99M = NUCLIDES["Tc-99m"]


def nuclide_by_name(name: str) -> Nuclide:
    """Return the nuclide called ``Y-90``, ``Y90`` or ``90Y``, in any case.

    Raises
    ------
    InputError
        If there is no such nuclide.
    """
    wanted = name.replace("-", "").replace(" ", "").casefold()
    for nuclide in NUCLIDES.values():
        symbol, mass = nuclide.name.casefold().split("-")
        if wanted in (symbol + mass, mass + symbol):
            return nuclide
    raise InputError(f"Unknown nuclide '{name}': use one of {', '.join(NUCLIDES)}.")
