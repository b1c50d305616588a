"""Limits on given sites: once it is settled which sites are used, rules about used sites are ordinary limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.limits import Limit, Quantity
from radioembolization.planning.model import Model
from radioembolization.planning.supports import Support


@dataclass(frozen=True)
class OnSites(Quantity):
    """What a rule bounds at each of some used sites: as many planes as sites.

    Parameters
    ----------
    quantity : Quantity
        With rules about used sites.
    sites : tuple of int
    """

    quantity: Quantity
    sites: tuple[int, ...]
    linear: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return self.quantity.name

    @property
    def unit(self) -> str:  # type: ignore[override]
        return self.quantity.unit

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return self.quantity.value(dose, activities_gbq)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        upper = bool(np.isfinite(self.quantity.cap_gbq(dose, 1.0)).any())
        planes = self.excess_supports(dose, activities_gbq, upper, 0.0, exact)
        return planes if upper else [-plane for plane in planes]

    def excess_supports(
        self, dose: DosePerGBq, activities_gbq: np.ndarray, at_most: bool, bound: float, exact: bool = False
    ) -> list[Support]:
        rules = self.quantity.rules(dose, at_most, bound)
        return [] if rules is None else [plane for site, plane in rules.if_used if site in self.sites]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        planes = self.excess_supports(model.dose, np.zeros(0), at_most, bound)
        return [plane.row @ model.activities + plane.constant <= slack for plane in planes]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return self.quantity.cap_gbq(dose, bound)


def limits_on(limits: Sequence[Limit], used: np.ndarray, dose: DosePerGBq) -> list[tuple[int, Limit]]:
    """Return the limits that hold on used sites (sites,) of bool, each with its index among those given.

    A limit on the number of sites is met and left out.
    """
    sites = tuple(int(site) for site in np.flatnonzero(used))
    found = []
    for index, limit in enumerate(limits):
        rules = limit.rules(dose)
        if rules is None:
            found.append((index, limit))
        elif rules.if_used:
            found.append((index, replace(limit, quantity=OnSites(limit.quantity, sites))))
    return found
