"""Limits: a quantity with a bound, its unit as keyword, its denominator in its name.

A quantity knows its value for given activities (numpy) and the constraints it puts on a model
(cvxpy); both faces agree.  A new quantity is one class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import DeviceMismatch, LimitError, LungMassMissing
from radioembolization.physics import Device
from radioembolization.planning.model import Model
from radioembolization.structures import NORMAL_LIVER

#: A site with less activity is not used [GBq].
USED_GBQ = 1e-6
#: Relative slack with which a limit counts as met, and as binding.
MET_TOLERANCE, BINDING_TOLERANCE = 1e-6, 1e-4


@dataclass(frozen=True)
class Provenance:
    """Where a limit comes from.

    Parameters
    ----------
    source : str
        Reference with DOI, or ``"user"``.
    evidence : str
        Level of evidence in words.
    device : str
        Device it was published for; empty for any.
    override_reason : str
        Why it is used for another device; empty refuses that.
    """

    source: str = "user"
    evidence: str = ""
    device: str = ""
    override_reason: str = ""


@dataclass(frozen=True)
class Quantity(ABC):
    """Something a limit can bound.

    ``keyword`` names the unit in ``at_most(...)``, ``unit`` prints it.
    """

    keyword: ClassVar[str] = "gy"
    unit: ClassVar[str] = "Gy"

    @property
    @abstractmethod
    def name(self) -> str:
        """What is bounded, with its denominator."""

    @abstractmethod
    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        """Value for given activities (sites,) [GBq]."""

    @abstractmethod
    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        """cvxpy constraints that keep the quantity within a bound, loosened by a slack in its unit."""

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        """Largest activity (sites,) an upper bound allows each site, alone; infinite if none."""
        return np.full(len(dose.site_names), np.inf)

    def largest_scale(self, dose: DosePerGBq, activities_gbq: np.ndarray, bound: float) -> float:
        """Largest factor on some activities (sites,) that keeps the value at most the bound.

        Here for quantities that grow linearly with all activities.
        """
        offset = self.value(dose, np.zeros_like(activities_gbq))
        slope = self.value(dose, activities_gbq) - offset
        return max(0.0, bound - offset) / slope if slope > 0 else np.inf

    def at_most(self, **bound: float) -> Limit:
        """Return the limit ``quantity <= bound``, the unit as keyword: ``at_most(gy=40)``."""
        return self._limit(bound, upper=True)

    def at_least(self, **bound: float) -> Limit:
        """Return the limit ``quantity >= bound``, the unit as keyword: ``at_least(gy=120)``."""
        return self._limit(bound, upper=False)

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        if set(bound) != {self.keyword}:
            raise LimitError(
                f"{self.name[0].upper()}{self.name[1:]} is limited in {self.keyword}= ({self.unit}), "
                f"not in {', '.join(bound) or 'nothing'}."
            )
        value = float(bound[self.keyword])
        if not np.isfinite(value) or value < 0:
            raise LimitError(f"The limit on {self.name} must be a positive number, not {value:g} {self.unit}.")
        return Limit(self, value, upper)


@dataclass(frozen=True)
class Limit:
    """A quantity with its bound and provenance.

    Parameters
    ----------
    quantity : Quantity
    bound : float
    upper : bool
        True for at most, False for at least.
    provenance : Provenance
    """

    quantity: Quantity
    bound: float
    upper: bool = True
    provenance: Provenance = field(default_factory=Provenance)

    def because(self, provenance: Provenance) -> Limit:
        """Return the limit with its provenance."""
        return replace(self, provenance=provenance)

    def constraints(self, model: Model) -> list[Any]:
        """cvxpy constraints of the limit."""
        return self.quantity.constraints(model, self.upper, self.bound)

    def cap_gbq(self, dose: DosePerGBq) -> np.ndarray:
        """Largest activity (sites,) the limit allows each site."""
        if not self.upper:
            return np.full(len(dose.site_names), np.inf)
        return self.quantity.cap_gbq(dose, self.bound)

    def excess(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        """How much the limit is exceeded by [unit of the quantity]; negative within it."""
        value = self.quantity.value(dose, activities_gbq)
        return value - self.bound if self.upper else self.bound - value

    def is_met(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> bool:
        """Whether the limit is met, re-evaluated in numpy."""
        return self.excess(dose, activities_gbq) <= MET_TOLERANCE * max(1.0, self.bound)

    def check_device(self, device: Device) -> None:
        """Refuse a limit made for another device unless a reason is stated.

        Raises
        ------
        DeviceMismatch
        """
        made_for, reason = self.provenance.device, self.provenance.override_reason
        if made_for and made_for != device.name and not reason:
            raise DeviceMismatch(
                f"The limit '{self}' was published for {made_for} microspheres and does not hold for "
                f"{device.name} ({device.title}): choose a limit of {device.name}, or state override_reason."
            )

    def __str__(self) -> str:
        sign = "<=" if self.upper else ">="
        return f"{self.quantity.name} {sign} {self.bound:g} {self.quantity.unit}"


@dataclass(frozen=True)
class LimitResult:
    """A limit evaluated for a plan; fields as in ``plan.json``.

    ``value`` is None where there is nothing to evaluate, as the activity of each injection without any.
    """

    name: str
    value: float | None
    limit: float
    unit: str
    sense: str
    met: bool
    binding: bool
    evidence: str
    source: str
    override_reason: str
    gain_per_unit: float | None = None

    @staticmethod
    def of(limit: Limit, dose: DosePerGBq, activities_gbq: np.ndarray) -> LimitResult:
        """Evaluate a limit on all voxels in numpy."""
        scale = max(abs(limit.bound), 1e-9)
        excess = limit.excess(dose, activities_gbq)
        value = limit.quantity.value(dose, activities_gbq)
        return LimitResult(
            name=limit.quantity.name,
            value=value if np.isfinite(value) else None,
            limit=limit.bound,
            unit=limit.quantity.unit,
            sense="at most" if limit.upper else "at least",
            met=limit.is_met(dose, activities_gbq),
            binding=excess >= -BINDING_TOLERANCE * scale,
            evidence=limit.provenance.evidence,
            source=limit.provenance.source,
            override_reason=limit.provenance.override_reason,
        )


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
