"""Limits: a quantity with a bound, its unit as keyword, its denominator in its name.

A quantity knows its value for given activities (numpy) and the constraints it puts on a model
(cvxpy); both faces agree.  The quantities themselves are in ``quantities``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import DeviceMismatch, LimitError, UnboundedActivity
from radioembolization.physics import Device
from radioembolization.planning.choice import SiteRules
from radioembolization.planning.model import Model
from radioembolization.planning.supports import Support
from radioembolization.planning.volume_bound import VolumeBound

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
    #: Whether one plane touches the value everywhere.
    linear: ClassVar[bool] = False
    #: Whether the value grows in proportion to all activities.
    homogeneous: ClassVar[bool] = True
    #: Whether a value takes a pass over the voxels of a structure.
    voxelwise: ClassVar[bool] = False
    #: Whether ``excess_supports`` move with the bound, without turning.
    shifts: ClassVar[bool] = True

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

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        """Planes that touch the value at some activities (sites,): it is convex or concave in them.

        With ``exact`` every sum over voxels is carried in float64.
        """
        raise NotImplementedError(f"{type(self).__name__} is no function that planes can touch.")

    def excess_supports(
        self, dose: DosePerGBq, activities_gbq: np.ndarray, at_most: bool, bound: float, exact: bool = False
    ) -> list[Support]:
        """Planes nowhere above a function that is positive exactly where the bound is exceeded."""
        supports = self.supports(dose, activities_gbq, exact)
        return [s.plus(-bound) if at_most else (-s).plus(bound) for s in supports]

    def rules(self, dose: DosePerGBq, at_most: bool, bound: float) -> SiteRules | None:
        """What a bound says about which sites are used; None for a bound on doses or activities alone."""
        return None

    def volume_bound(self, at_most: bool, bound: float) -> VolumeBound | None:
        """The dose-volume limit, not convex, that a bound is; None if it is none."""
        return None

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

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        """Planes that must not be above zero, those that touch at some activities (sites,)."""
        return self.quantity.excess_supports(dose, activities_gbq, self.upper, self.bound, exact)

    def rules(self, dose: DosePerGBq) -> SiteRules | None:
        """What the limit says about which sites are used; None if nothing."""
        return self.quantity.rules(dose, self.upper, self.bound)

    @property
    def volume_bound(self) -> VolumeBound | None:
        """The dose-volume limit this is, or None."""
        return self.quantity.volume_bound(self.upper, self.bound)

    @property
    def holds_down(self) -> bool:
        """Whether less activity keeps the limit; a hepatic reserve is a lower limit that does."""
        volume = self.volume_bound
        return self.upper if volume is None else volume.above

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


def activity_caps_gbq(limits: Sequence[Limit], dose: DosePerGBq, only: np.ndarray | None = None) -> np.ndarray:
    """Return the largest activity (sites,) [GBq] any feasible plan can give each site.

    Parameters
    ----------
    limits : sequence of Limit
    dose : DosePerGBq
    only : ndarray (sites,) of bool, optional
        Sites that may be used; default all.

    Raises
    ------
    UnboundedActivity
        If no limit bounds a site.
    """
    caps = np.full(len(dose.site_names), np.inf)
    for limit in sorted(limits, key=lambda limit: not limit.quantity.linear):
        if limit.quantity.linear or not np.all(np.isfinite(caps)):
            caps = np.minimum(caps, limit.cap_gbq(dose))
    if only is not None:
        caps = np.where(only, caps, 0.0)
    for name, cap in zip(dose.site_names, caps, strict=True):
        if not np.isfinite(cap):
            raise UnboundedActivity(
                f"No limit bounds the activity of site '{name}', so no optimal plan exists: add a limit on "
                "normal liver, lungs or total activity."
            )
    return caps
