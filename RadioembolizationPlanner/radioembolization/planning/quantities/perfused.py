"""Mean doses of the normal liver that is perfused: of the union of the injected territories, and of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.planning.choice import SiteRules
from radioembolization.planning.limits import USED_GBQ, Limit, Quantity
from radioembolization.planning.model import Model
from radioembolization.planning.quantities.linear import lower_only, quotient, upper_only
from radioembolization.planning.supports import Support


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
    homogeneous: ClassVar[bool] = False
    shifts: ClassVar[bool] = False

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

    def excess_supports(
        self, dose: DosePerGBq, activities_gbq: np.ndarray, at_most: bool, bound: float, exact: bool = False
    ) -> list[Support]:
        """Planes that touch ``energy - bound * perfused mass``, over the whole mass [Gy]."""
        upper_only(self, at_most)
        own_rows, kg = dose.normal_liver_parts
        partly = own_rows @ activities_gbq < self.full_from_gy
        row = dose.normal_liver_energy_row - bound / self.full_from_gy * (kg[partly] @ own_rows[partly])
        return [Support(row / kg.sum(), -bound * kg[~partly].sum() / kg.sum())]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        upper_only(self, at_most)
        own_rows, kg = model.dose.normal_liver_parts
        perfused = model.variable(len(kg), 0.0, 1.0)
        return [
            perfused <= own_rows / self.full_from_gy @ model.activities,
            model.dose.normal_liver_energy_row @ model.activities <= bound * (kg @ perfused) + slack * kg.sum(),
        ]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        _, kg = dose.normal_liver_parts
        return quotient(bound * kg.sum(), dose.normal_liver_energy_row)

    def largest_scale(self, dose: DosePerGBq, activities_gbq: np.ndarray, bound: float) -> float:
        if bound < self.full_from_gy:  # then even a trace exceeds the bound, by its definition
            return 0.0
        own_rows, kg = dose.normal_liver_parts
        energy_j = float(dose.normal_liver_energy_row @ activities_gbq)
        own_gy = own_rows @ activities_gbq
        order = np.argsort(-own_gy)
        doses, mass = own_gy[order], kg[order]
        full_kg = np.cumsum(mass)  # if the first parts count in full and the rest in proportion
        energies = mass * doses
        partly_kg = (np.sum(energies) - np.cumsum(energies)) / self.full_from_gy
        with np.errstate(divide="ignore", invalid="ignore"):
            scales = bound * full_kg / (energy_j - bound * partly_kg)
            following = np.append(doses[1:], 0.0)
            fits = (scales > 0) & (scales * doses >= self.full_from_gy) & (scales * following <= self.full_from_gy)
        return float(np.max(scales[fits], initial=0.0))


@dataclass(frozen=True)
class TerritoryNormalLiverDose(Quantity):
    """Mean dose of the perfused normal liver in the territory of each site that is used; the highest counts.

    Every used territory is taken for itself, so a small injection into a large territory cannot dilute
    a selective one.  Bounded from below it is ``LowestTerritoryNormalLiverDose``.
    """

    @property
    def name(self) -> str:
        return "mean dose, perfused normal liver of each territory"

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        return super()._limit(bound, upper) if upper else LowestTerritoryNormalLiverDose()._limit(bound, upper)

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        used = np.asarray(activities_gbq) > USED_GBQ
        return float(np.max(dose.perfused_normal_rows[used] @ activities_gbq, initial=0.0))

    def rules(self, dose: DosePerGBq, at_most: bool, bound: float) -> SiteRules:
        upper_only(self, at_most)
        rows = dose.perfused_normal_rows
        return SiteRules(if_used=tuple((site, Support(row, -bound)) for site, row in enumerate(rows)))

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        upper_only(self, at_most)
        rows = model.dose.perfused_normal_rows
        slack_if_unused = rows @ model.cap_gbq
        return [rows @ model.activities <= bound + slack + np.diag(slack_if_unused) @ (1 - model.used)]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return quotient(bound, np.diag(dose.perfused_normal_rows))


@dataclass(frozen=True)
class LowestTerritoryNormalLiverDose(Quantity):
    """Mean dose of the perfused normal liver in the territory of each site that is used; the lowest counts.

    A lower limit on it is the intent of a lobectomy: the treated liver shrinks and the rest grows.  Without any
    injection there is none and the value is infinite.
    """

    @property
    def name(self) -> str:
        return "lowest mean dose, perfused normal liver of each territory"

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        return TerritoryNormalLiverDose()._limit(bound, upper) if upper else super()._limit(bound, upper)

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        used = np.asarray(activities_gbq) > USED_GBQ
        return float(np.min(dose.perfused_normal_rows[used] @ activities_gbq, initial=np.inf))

    def rules(self, dose: DosePerGBq, at_most: bool, bound: float) -> SiteRules:
        lower_only(self, at_most)
        rows = dose.perfused_normal_rows
        return SiteRules(if_used=tuple((site, Support(-row, bound)) for site, row in enumerate(rows)))

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        lower_only(self, at_most)
        return [model.dose.perfused_normal_rows @ model.activities >= bound * model.used - slack]
