"""Quantities that are a row times the activities, and mean doses, which are."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError, LungMassMissing
from radioembolization.planning.limits import Quantity
from radioembolization.planning.model import Model
from radioembolization.planning.supports import Support
from radioembolization.structures import NORMAL_LIVER


class Linear(Quantity):
    """A quantity that is a row times the activities."""

    linear: ClassVar[bool] = True

    @abstractmethod
    def row(self, dose: DosePerGBq) -> np.ndarray:
        """Contribution of each site per GBq (sites,)."""

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        return [Support(self.row(dose))]

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(self.row(dose) @ activities_gbq)

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        total = self.row(model.dose) @ model.activities
        return [total <= bound + slack if at_most else total >= bound - slack]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return quotient(bound, self.row(dose))


def printed(structure: str) -> str:
    """Return the name of a structure with its denominator: all of the normal liver is the whole one."""
    return f"whole {structure}" if structure == NORMAL_LIVER else structure


def upper_only(quantity: Quantity, at_most: bool) -> None:
    """Refuse a lower bound on a quantity (``LimitError``)."""
    if not at_most:
        raise LimitError(f"A lower bound on the {quantity.name} is not available.")


def lower_only(quantity: Quantity, at_most: bool) -> None:
    """Refuse an upper bound on a quantity (``LimitError``)."""
    if at_most:
        raise LimitError(f"An upper bound on the {quantity.name} is not available.")


def quotient(bound: float, row: np.ndarray) -> np.ndarray:
    """Return ``bound / row``, infinite where the row is zero."""
    return np.where(row > 0, bound / np.where(row > 0, row, 1.0), np.inf)


@dataclass(frozen=True)
class MeanDose(Linear):
    """Mean dose of a whole structure; ``MeanDose("normal liver")`` is the whole normal liver."""

    structure: str

    @property
    def name(self) -> str:
        return f"mean dose, {printed(self.structure)}"

    def row(self, dose: DosePerGBq) -> np.ndarray:
        return dose.structure_row(self.structure)


@dataclass(frozen=True)
class LungDose(Linear):
    """Mean lung dose by shunted activity; ``earlier_gy`` of previous treatments counts in."""

    earlier_gy: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.earlier_gy) and self.earlier_gy >= 0):
            raise LimitError(f"The earlier lung dose must be zero or positive, not {self.earlier_gy:g} Gy.")

    @property
    def name(self) -> str:
        return "mean dose, lungs" + (f" (with {self.earlier_gy:g} Gy before)" if self.earlier_gy else "")

    def row(self, dose: DosePerGBq) -> np.ndarray:
        if dose.lung_gy_per_gbq is None:
            raise LungMassMissing(
                "A lung limit needs a lung mass: give a lung structure with a CT, or [lungs] mass_kg."
            )
        return dose.lung_gy_per_gbq

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        return [Support(self.row(dose), self.earlier_gy)]

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return super().value(dose, activities_gbq) + self.earlier_gy

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        return super().constraints(model, at_most, bound - self.earlier_gy, slack)

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return super().cap_gbq(dose, max(0.0, bound - self.earlier_gy))


@dataclass(frozen=True)
class GastrointestinalDose(Linear):
    """Dose of a gastrointestinal deposit that takes up all activity beyond liver and lungs.

    ``k sum_j e_j x_j / mass`` with the extrahepatic share e_j of each site and the emitted energy k [J/GBq]; all of it
    is absorbed there.

    Parameters
    ----------
    mass_kg : float
        Mass of the deposit [kg], for instance of the wall where scout activity is seen.
    """

    mass_kg: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mass_kg) and self.mass_kg > 0):
            raise LimitError(f"The mass of a gastrointestinal deposit must be positive, not {self.mass_kg:g} kg.")

    @property
    def name(self) -> str:
        return f"dose, gastrointestinal deposit of {self.mass_kg:g} kg"

    def row(self, dose: DosePerGBq) -> np.ndarray:
        shares = dose.extrahepatic_share
        if shares is None or not np.any(shares > 0):
            raise LimitError(
                f"A limit on the {self.name} limits nothing, because no site has an extrahepatic share: state "
                "extrahepatic_share of the sites, or remove the limit."
            )
        return dose.settings.energy_j_per_gbq * shares / self.mass_kg
