"""Which sites are used, and how much is injected at each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.planning.choice import SiteRules
from radioembolization.planning.limits import USED_GBQ, Limit, Quantity
from radioembolization.planning.model import Model
from radioembolization.planning.quantities.activity import InGBq
from radioembolization.planning.quantities.linear import lower_only, upper_only
from radioembolization.planning.supports import Support


def _units(dose: DosePerGBq) -> np.ndarray:
    return np.eye(len(dose.site_names))


@dataclass(frozen=True)
class InjectionActivity(InGBq):
    """Activity of each injection, bounded from below: ``InjectionActivity().at_least(gbq=0.1)``.

    Its value is the smallest activity of any site used.  Bounded from above it is ``LargestInjectionActivity``.
    """

    @property
    def name(self) -> str:
        return "activity of each injection"

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        return LargestInjectionActivity()._limit(bound, upper) if upper else super()._limit(bound, upper)

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        used = np.asarray(activities_gbq)[np.asarray(activities_gbq) > USED_GBQ]
        return float(used.min()) if len(used) else np.inf

    def rules(self, dose: DosePerGBq, at_most: bool, bound: float) -> SiteRules:
        lower_only(self, at_most)
        return SiteRules(if_used=tuple((site, Support(-unit, bound)) for site, unit in enumerate(_units(dose))))

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        lower_only(self, at_most)
        return [model.activities >= bound * model.used - slack]


@dataclass(frozen=True)
class LargestInjectionActivity(InGBq):
    """Largest activity of any injection, bounded from above: ``LargestInjectionActivity().at_most(gbq=3)``."""

    @property
    def name(self) -> str:
        return "largest activity of any injection"

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        return super()._limit(bound, upper) if upper else InjectionActivity()._limit(bound, upper)

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(np.max(activities_gbq))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        return [Support(unit) for unit in _units(dose)]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        upper_only(self, at_most)
        return [model.activities <= bound + slack]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return np.full(len(dose.site_names), bound)


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

    def rules(self, dose: DosePerGBq, at_most: bool, bound: float) -> SiteRules:
        if not at_most:
            raise LimitError("A least number of sites is not a limit: require sites one by one instead.")
        return SiteRules(most_sites=int(bound))

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        if not at_most:
            raise LimitError("A least number of sites is not a limit: require sites one by one instead.")
        return [sum(model.used[i] for i in range(len(model.cap_gbq))) <= bound]
