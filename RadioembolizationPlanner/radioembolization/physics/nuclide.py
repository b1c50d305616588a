"""Radionuclides and the energy-per-decay conventions used with them."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources

from radioembolization.errors import InputError


class Convention(StrEnum):
    """Where the absorbed energy per GBq comes from; it must be stated with every dose.

    ``clinical``: 49.67 J/GBq for 90Y (49,670 per MBq in the partition model: van Roekel, thesis
    Utrecht, p. 125) and 15.87 J/GBq for 166Ho (Smits et al. 2020, 10.1007/s00259-019-04460-y).
    ``icrp107``: all electrons and photons of ICRP Publication 107 (49.77 and 16.20 J/GBq).
    ``vendor``: the rounded constant printed by the manufacturer (50 J/GBq for glass 90Y).

    The constant is the *emitted* energy.  Kernel, local deposition and partition model are all
    normalised to it.  For 166Ho, 4.1 % of the ICRP-107 energy is carried by photons, most of which
    leave the liver: a partition model deposits them locally, a kernel carries them away.
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
        Mean energy of all electrons (beta, conversion, Auger) and photons per decay [MeV].
    emitted_j_per_gbq : dict of Convention to float
        Energy emitted by 1 GBq decaying completely [J/GBq], which equals [Gy kg/GBq].
    """

    name: str
    half_life_h: float
    electron_mev: float
    photon_mev: float
    emitted_j_per_gbq: dict[Convention, float] = field(hash=False)

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

    @property
    def total_mev(self) -> float:
        """Energy of all electrons and photons per decay [MeV]."""
        return self.electron_mev + self.photon_mev


#: Constants that are not in ICRP-107, by nuclide [J/GBq]; sources in :class:`Convention`.
_OTHER_CONVENTIONS = {
    "Y-90": {Convention.CLINICAL: 49.67, Convention.VENDOR: 50.0},
    "Ho-166": {Convention.CLINICAL: 15.87},
}


def _from_table() -> dict[str, Nuclide]:
    text = resources.files(__package__).joinpath("data/decay_constants.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    nuclides = {}
    for row in rows:
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
        )
    return nuclides


NUCLIDES = _from_table()
Y90 = NUCLIDES["Y-90"]
HO166 = NUCLIDES["Ho-166"]
