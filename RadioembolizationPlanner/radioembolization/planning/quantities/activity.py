"""Amounts of activity that are a row times the activities: injected altogether, at one site, shunted to the lungs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.planning.limits import Limit, Quantity
from radioembolization.planning.quantities.linear import Linear

#: No treatment comes near; a larger limit was meant in another unit [GBq].
_MOST_GBQ = 1000.0


class InGBq(Quantity):
    """A quantity that is limited in GBq."""

    keyword: ClassVar[str] = "gbq"
    unit: ClassVar[str] = "GBq"

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        limit = super()._limit(bound, upper)
        if limit.bound > _MOST_GBQ:
            raise LimitError(
                f"A limit of {limit.bound:g} GBq on the {self.name} is far beyond any treatment, units confused? "
                "Enter GBq: 3 GBq are 3000 MBq or 3e9 Bq."
            )
        return limit


@dataclass(frozen=True)
class ShuntedActivity(InGBq, Linear):
    """Activity that reaches the lungs."""

    @property
    def name(self) -> str:
        return "activity shunted to the lungs"

    def row(self, dose: DosePerGBq) -> np.ndarray:
        return dose.lung_shunt


@dataclass(frozen=True)
class TotalActivity(InGBq, Linear):
    """Sum of all injected activities."""

    @property
    def name(self) -> str:
        return "total injected activity"

    def row(self, dose: DosePerGBq) -> np.ndarray:
        return np.ones(len(dose.site_names))


@dataclass(frozen=True)
class SiteActivity(InGBq, Linear):
    """Activity injected at one site; ``at_most(gbq=0)`` forbids it, ``at_least(gbq=0.1)`` requires it."""

    site: str

    @property
    def name(self) -> str:
        return f"activity at {self.site}"

    def row(self, dose: DosePerGBq) -> np.ndarray:
        if self.site not in dose.site_names:
            known = ", ".join(f"'{name}'" for name in dose.site_names)
            raise LimitError(f"There is no injection site '{self.site}': use one of {known}.")
        return np.array([float(name == self.site) for name in dose.site_names])
