"""What limits bound: doses, activities and numbers of injections.

A new quantity is one class with its name, its value (numpy) and its constraints (cvxpy).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError, LungMassMissing
from radioembolization.planning.limits import USED_GBQ, Limit, Quantity
from radioembolization.planning.model import Model
from radioembolization.structures import NORMAL_LIVER


class Linear(Quantity):
    """A quantity that is a row times the activities."""

    @abstractmethod
    def row(self, dose: DosePerGBq) -> np.ndarray:
        """Contribution of each site per GBq (sites,)."""

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(self.row(dose) @ activities_gbq)

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        total = self.row(model.dose) @ model.activities
        return [total <= bound + slack if at_most else total >= bound - slack]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return _quotient(bound, self.row(dose))


def _quotient(bound: float, row: np.ndarray) -> np.ndarray:
    """Return ``bound / row``, infinite where the row is zero."""
    return np.where(row > 0, bound / np.where(row > 0, row, 1.0), np.inf)


@dataclass(frozen=True)
class MeanDose(Linear):
    """Mean dose of a whole structure; ``MeanDose("normal liver")`` is the whole normal liver."""

    structure: str

    @property
    def name(self) -> str:
        whole = "whole " if self.structure == NORMAL_LIVER else ""
        return f"mean dose, {whole}{self.structure}"

    def row(self, dose: DosePerGBq) -> np.ndarray:
        return dose.structure_row(self.structure)


@dataclass(frozen=True)
class PerfusedNormalLiverDose(Quantity):
    """Energy absorbed by the normal liver over the mass of its perfused part.

    ``sum_j e_j x_j / sum_p m_p min(1, d_p / full_from)`` over parts p of the liver that lie in the same
    territories, with d_p the mean dose of the part by injections into territories it belongs to.  A part
    counts as perfused in full from ``full_from_gy`` on and below in proportion, so that a trace injected
    into a large territory cannot dilute a selective injection.  Where every injected part is above it,
    the value is the mean dose over the union of the territories, with the energy that spills beyond.

    Parameters
    ----------
    full_from_gy : float
        Between 0 (any trace perfuses in full) and the limit (no part may exceed it).
    """

    full_from_gy: float = 10.0

    def __post_init__(self) -> None:
        if not self.full_from_gy > 0:
            raise LimitError(f"full_from_gy must be positive, not {self.full_from_gy:g}.")

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        limit = super()._limit(bound, upper)
        if upper and limit.bound < self.full_from_gy:
            raise LimitError(
                f"A limit of {limit.bound:g} Gy on the {self.name} is below full_from_gy = {self.full_from_gy:g} Gy, "
                "so no injection could meet it: lower full_from_gy, for instance to a quarter of the limit."
            )
        return limit

    @property
    def name(self) -> str:
        return "mean dose, perfused normal liver"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        own_rows, kg = dose.normal_liver_parts
        perfused_kg = float(kg @ np.minimum(1.0, own_rows @ activities_gbq / self.full_from_gy))
        energy_j = float(dose.normal_liver_energy_row @ activities_gbq)
        return energy_j / perfused_kg if perfused_kg > 0 else 0.0

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        _upper_only(self, at_most)
        own_rows, kg = model.dose.normal_liver_parts
        perfused = model.variable(len(kg), 0.0, 1.0)
        return [
            perfused <= own_rows / self.full_from_gy @ model.activities,
            model.dose.normal_liver_energy_row @ model.activities <= bound * (kg @ perfused) + slack * kg.sum(),
        ]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        _, kg = dose.normal_liver_parts
        return _quotient(bound * kg.sum(), dose.normal_liver_energy_row)

    def largest_scale(self, dose: DosePerGBq, activities_gbq: np.ndarray, bound: float) -> float:
        if bound < self.full_from_gy:  # then even a trace exceeds the bound, by its definition
            return 0.0
        own_rows, kg = dose.normal_liver_parts
        energy_j = float(dose.normal_liver_energy_row @ activities_gbq)
        order = np.argsort(-(own_rows @ activities_gbq))
        doses, mass = (own_rows @ activities_gbq)[order], kg[order]
        full_kg = np.cumsum(mass)  # if the first parts count in full and the rest in proportion
        partly_kg = (np.sum(mass * doses) - np.cumsum(mass * doses)) / self.full_from_gy
        with np.errstate(divide="ignore", invalid="ignore"):
            scales = bound * full_kg / (energy_j - bound * partly_kg)
            following = np.append(doses[1:], 0.0)
            fits = (scales > 0) & (scales * doses >= self.full_from_gy) & (scales * following <= self.full_from_gy)
        return float(np.max(scales[fits], initial=0.0))


@dataclass(frozen=True)
class TerritoryNormalLiverDose(Quantity):
    """Mean dose of the perfused normal liver in the territory of each site that is used; the highest counts.

    Every used territory is taken for itself, so a small injection into a large territory cannot dilute
    a selective one.
    """

    @property
    def name(self) -> str:
        return "mean dose, perfused normal liver of each territory"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        used = np.asarray(activities_gbq) > USED_GBQ
        return float(np.max(dose.perfused_normal_rows[used] @ activities_gbq, initial=0.0))

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        _upper_only(self, at_most)
        rows = model.dose.perfused_normal_rows
        slack_if_unused = rows @ model.cap_gbq
        return [rows @ model.activities <= bound + slack + np.diag(slack_if_unused) @ (1 - model.used)]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return _quotient(bound, np.diag(dose.perfused_normal_rows))


def _upper_only(quantity: Quantity, at_most: bool) -> None:
    if not at_most:
        raise LimitError(f"A lower bound on the {quantity.name} is not available.")


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

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return super().value(dose, activities_gbq) + self.earlier_gy

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        return super().constraints(model, at_most, bound - self.earlier_gy, slack)

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return super().cap_gbq(dose, max(0.0, bound - self.earlier_gy))


@dataclass(frozen=True)
class ShuntedActivity(Linear):
    """Activity that reaches the lungs."""

    keyword: ClassVar[str] = "gbq"
    unit: ClassVar[str] = "GBq"

    @property
    def name(self) -> str:
        return "activity shunted to the lungs"

    def row(self, dose: DosePerGBq) -> np.ndarray:
        return dose.lung_shunt


@dataclass(frozen=True)
class TotalActivity(Linear):
    """Sum of all injected activities."""

    keyword: ClassVar[str] = "gbq"
    unit: ClassVar[str] = "GBq"

    @property
    def name(self) -> str:
        return "total injected activity"

    def row(self, dose: DosePerGBq) -> np.ndarray:
        return np.ones(len(dose.site_names))


@dataclass(frozen=True)
class InjectionActivity(Quantity):
    """Activity of each injection, bounded from below: ``InjectionActivity().at_least(gbq=0.1)``.

    Its value is the smallest activity of any site used.
    """

    keyword: ClassVar[str] = "gbq"
    unit: ClassVar[str] = "GBq"

    @property
    def name(self) -> str:
        return "activity of each injection"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        used = np.asarray(activities_gbq)[np.asarray(activities_gbq) > USED_GBQ]
        return float(used.min()) if len(used) else np.inf

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        if at_most:
            raise LimitError(f"An upper bound on the {self.name} is not available; limit the total activity.")
        return [model.activities >= bound * model.used - slack]


@dataclass(frozen=True)
class InjectionSites(Quantity):
    """Number of sites with activity."""

    keyword: ClassVar[str] = "count"
    unit: ClassVar[str] = "sites"

    @property
    def name(self) -> str:
        return "number of injection sites"

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        limit = super()._limit(bound, upper)
        if limit.bound < 1 or limit.bound != int(limit.bound):
            raise LimitError(f"The limit on the {self.name} must be a whole number of 1 or more, not {limit.bound:g}.")
        return limit

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(np.count_nonzero(np.asarray(activities_gbq) > USED_GBQ))

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        if not at_most:
            raise LimitError("A least number of sites is not a limit: require sites one by one instead.")
        return [sum(model.used[i] for i in range(len(model.cap_gbq))) <= bound]
