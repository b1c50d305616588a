"""Partition model of several injection sites: compartments of the liver that lie in one or more territories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.dose.lung_dose import lung_dose_gy
from radioembolization.errors import InputError
from radioembolization.physics.checked_numbers import not_negative, positive, share_below_one


@dataclass(frozen=True)
class PartitionTerritory:
    """What one injection perfuses.

    Parameters
    ----------
    name : str
    lung_shunt : float
        Fraction of the injected activity that reaches the lungs, in [0, 1).
    concentration : mapping of str to float
        Relative concentration in each compartment the injection reaches: 1 in normal liver, the
        tumour-to-normal ratio in a tumour.
    """

    name: str
    lung_shunt: float
    concentration: Mapping[str, float]

    def __post_init__(self) -> None:
        """Refuse a shunt or ratio that cannot be, and a territory without compartments."""
        share_below_one(f"Territory '{self.name}': lung shunt", self.lung_shunt)
        if not self.concentration:
            raise InputError(f"Territory '{self.name}' has no compartments: name what the injection perfuses.")
        for compartment, ratio in self.concentration.items():
            positive(f"Territory '{self.name}': concentration in '{compartment}'", ratio, "")


@dataclass(frozen=True)
class PartitionModel:
    """Masses of the compartments and the territories that share them.

    ``D_c = sum_j k x_j (1 - L_j) r_jc / sum_c' r_jc' m_c'`` over the territories j of compartment c, linear in the
    activities x.  Cut a compartment where a territory ends, so that each is perfused evenly.  Energy is kept:
    ``sum m_c D_c = k sum x_j (1 - L_j)``.

    Parameters
    ----------
    masses_kg : mapping of str to float
        Mass of each compartment [kg].
    territories : sequence of PartitionTerritory
    energy_j_per_gbq : float
        Emitted energy k [J/GBq].
    """

    masses_kg: Mapping[str, float]
    territories: Sequence[PartitionTerritory]
    energy_j_per_gbq: float

    def __post_init__(self) -> None:
        """Refuse masses that are not positive and territories with unknown compartments."""
        positive("Energy per activity", self.energy_j_per_gbq, "J/GBq")
        for name, mass in self.masses_kg.items():
            positive(f"Mass of '{name}'", mass, "kg")
        for territory in self.territories:
            unknown = set(territory.concentration) - set(self.masses_kg)
            if unknown:
                raise InputError(
                    f"Territory '{territory.name}' perfuses {', '.join(sorted(unknown))}, which has no mass: "
                    f"use one of {', '.join(self.masses_kg)}."
                )

    @property
    def gy_per_gbq(self) -> np.ndarray:
        """Dose of each compartment per activity of each territory (territories, compartments) [Gy/GBq]."""
        rows = np.zeros((len(self.territories), len(self.masses_kg)))
        for row, territory in zip(rows, self.territories, strict=True):
            effective = sum(ratio * self.masses_kg[name] for name, ratio in territory.concentration.items())
            per_ratio = self.energy_j_per_gbq * (1.0 - territory.lung_shunt) / effective
            row[:] = [territory.concentration.get(name, 0.0) * per_ratio for name in self.masses_kg]
        return rows

    def doses_gy(self, activities_gbq: Sequence[float]) -> dict[str, float]:
        """Return the dose of each compartment [Gy] for the activity of each territory [GBq]."""
        doses = np.array(self._checked(activities_gbq)) @ self.gy_per_gbq
        return dict(zip(self.masses_kg, map(float, doses), strict=True))

    def mean_gy(self, compartments: Sequence[str], activities_gbq: Sequence[float]) -> float:
        """Return the mean dose of several compartments together, by mass [Gy]."""
        unknown = [name for name in compartments if name not in self.masses_kg]
        if unknown or not compartments:
            raise InputError(f"Compartments {', '.join(unknown) or '(none)'}: use {', '.join(self.masses_kg)}.")
        doses = self.doses_gy(activities_gbq)
        total_kg = sum(self.masses_kg[name] for name in compartments)
        return sum(self.masses_kg[name] * doses[name] for name in compartments) / total_kg

    def lung_gy(self, activities_gbq: Sequence[float], lung_kg: float) -> float:
        """Return the mean lung dose of all injections [Gy]."""
        pairs = zip(self._checked(activities_gbq), self.territories, strict=True)
        return sum(lung_dose_gy(x, self.energy_j_per_gbq, t.lung_shunt, lung_kg) for x, t in pairs)

    def _checked(self, activities_gbq: Sequence[float]) -> list[float]:
        if len(activities_gbq) != len(self.territories):
            raise InputError(
                f"{len(activities_gbq)} activities for {len(self.territories)} territories: give one for each."
            )
        pairs = zip(activities_gbq, self.territories, strict=True)
        return [not_negative(f"Activity of '{t.name}'", float(x), "GBq") for x, t in pairs]
