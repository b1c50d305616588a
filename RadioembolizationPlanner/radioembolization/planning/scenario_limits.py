"""Limits over scenarios: met in all of them, or with a stated probability.

"With a probability of 95 %" is asked for by the mean over the worst 5 % of scenarios: it is at most the bound only if
at most 5 % of the scenarios exceed it.  That is convex and stricter; how many exceed the bound is counted afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.dose.scenarios import Scenarios
from radioembolization.errors import LimitError, LungMassMissing
from radioembolization.planning.choice import SiteRules
from radioembolization.planning.limits import USED_GBQ, Limit, Quantity
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.quantities import (
    GastrointestinalDose,
    InjectionActivity,
    InjectionSites,
    LargestInjectionActivity,
    LowestTerritoryNormalLiverDose,
    LungDose,
    MeanDose,
    PerfusedNormalLiverDose,
    ShuntedActivity,
    SiteActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
)
from radioembolization.planning.quantities.linear import quotient, upper_only
from radioembolization.planning.scenario_goal import tail_weights
from radioembolization.planning.scenario_normal_liver import PerfusedInScenarios, territory_rows
from radioembolization.planning.supports import Support

#: What is planned, not what happens: the same in all scenarios.
AS_PLANNED = (InjectionActivity, InjectionSites, LargestInjectionActivity, SiteActivity, TotalActivity)
#: For the worst scenario, so many of the worst get a plane in each round.
_PLANES = 4


def linear_rows(quantity: Quantity, scenarios: Scenarios) -> tuple[np.ndarray, float] | None:
    """Return rows (scenarios, sites) and a constant whose sum with the activities is the quantity; None if it has none.

    Raises
    ------
    LungMassMissing, LimitError
        As for the quantity itself.
    """
    if isinstance(quantity, MeanDose):
        known = [region.name for region in scenarios.basis.regions]
        if quantity.structure not in known:
            raise LimitError(f"There is no structure '{quantity.structure}' in the scenarios: use one of {known}.")
        return scenarios.mean_rows(quantity.structure), 0.0
    if isinstance(quantity, LungDose):
        if scenarios.lung_gy_per_gbq is None:
            raise LungMassMissing(
                "A lung limit needs a lung mass: give a lung structure with a CT, or [lungs] mass_kg."
            )
        return scenarios.lung_gy_per_gbq, quantity.earlier_gy
    if isinstance(quantity, ShuntedActivity):
        return scenarios.shunted_per_gbq, 0.0
    if isinstance(quantity, GastrointestinalDose):
        energy = scenarios.basis.settings.energy_j_per_gbq
        return energy * scenarios.extrahepatic_per_gbq / quantity.mass_kg, 0.0
    return None


def values_in(quantity: Quantity, scenarios: Scenarios, activities_gbq: np.ndarray) -> np.ndarray | None:
    """Return a quantity in every scenario (scenarios,) for some activities (sites,); None if it is not known there.

    None also for what is planned rather than happens, as activities.
    """
    x = np.asarray(activities_gbq, dtype=float)
    linear = linear_rows(quantity, scenarios)
    if linear is not None:
        return np.asarray(linear[0] @ x + linear[1])
    if isinstance(quantity, PerfusedNormalLiverDose):
        return PerfusedInScenarios.of(quantity, scenarios).values(x)
    if isinstance(quantity, TerritoryNormalLiverDose | LowestTerritoryNormalLiverDose):
        used = x > USED_GBQ
        doses = territory_rows(scenarios)[:, used] @ x
        if isinstance(quantity, TerritoryNormalLiverDose):
            return np.asarray(doses.max(axis=1, initial=0.0))
        return np.asarray(doses.min(axis=1, initial=np.inf))
    return None


@dataclass(frozen=True, eq=False)
class LinearInScenarios(Quantity):
    """A quantity that is a row times the activities in every scenario: the mean over the worst share of them.

    Parameters
    ----------
    planned : Quantity
    rows : ndarray (scenarios, sites)
    constant : float
    worst_share : float
        0 for the worst scenario alone.
    highest : bool
        Whether high values are the bad ones.
    """

    planned: Quantity
    rows: np.ndarray
    constant: float
    worst_share: float
    highest: bool
    homogeneous: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return f"{self.planned.name}, {_which(self.worst_share)}"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        values = self.rows @ activities_gbq
        return float(tail_weights(values, self.worst_share, highest=self.highest) @ values) + self.constant

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        values = self.rows @ activities_gbq
        if self.worst_share * len(values) <= 1.0:
            order = np.argsort(-values if self.highest else values, kind="stable")[:_PLANES]
            return [Support(self.rows[scenario], self.constant) for scenario in order]
        weights = tail_weights(values, self.worst_share, highest=self.highest)
        return [Support(weights @ self.rows, self.constant)]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        cp, sign = cvxpy(), 1.0 if self.highest else -1.0
        values, level = sign * (self.rows @ model.activities + self.constant), cp.Variable()
        share = max(self.worst_share, 1.0 / len(self.rows))
        worst = level + cp.sum(cp.pos(values - level)) / (share * len(self.rows))
        return [worst <= sign * bound + slack]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        alone = [tail_weights(row, self.worst_share, highest=True) @ row for row in self.rows.T]
        return quotient(max(0.0, bound - self.constant), np.array(alone))


@dataclass(frozen=True, eq=False)
class TerritoryInScenarios(Quantity):
    """Mean dose of the perfused normal liver of each injected territory, bounded site by site over the scenarios.

    The contribution of every site is its mean over the worst share of scenarios of its own, which is at least as
    strict as the mean over the worst share of the sum.

    Parameters
    ----------
    planned : Quantity
    territory_rows : ndarray (sites, sites)
        Row of each territory.
    worst_share : float
    highest : bool
        Whether the highest counts, bounded from above; else the lowest, from below.
    """

    planned: Quantity
    territory_rows: np.ndarray
    worst_share: float
    highest: bool

    @property
    def name(self) -> str:
        return f"{self.planned.name}, {_which(self.worst_share)} for each site"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        doses = self.territory_rows[np.asarray(activities_gbq) > USED_GBQ] @ activities_gbq
        return float(np.max(doses, initial=0.0) if self.highest else np.min(doses, initial=np.inf))

    def rules(self, dose: DosePerGBq, at_most: bool, bound: float) -> SiteRules:
        sign = 1.0 if at_most else -1.0
        return SiteRules(
            if_used=tuple((j, Support(sign * r, -sign * bound)) for j, r in enumerate(self.territory_rows))
        )

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        doses = self.territory_rows @ model.activities
        if not at_most:
            return [doses >= bound * model.used - slack]
        room = np.diag(self.territory_rows @ model.cap_gbq)
        return [doses <= bound + slack + room @ (1 - model.used)]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return quotient(bound, np.diag(self.territory_rows))


def limits_in_scenarios(
    limits: Sequence[Limit], scenarios: Scenarios, worst_share: float
) -> tuple[tuple[Limit, ...], tuple[str, ...]]:
    """Return the limits over scenarios, and the names of those that can only be kept as planned.

    Parameters
    ----------
    limits : sequence of Limit
    scenarios : Scenarios
    worst_share : float
        Share of the scenarios that may exceed a limit; 0 for none.
    """
    found = [_in_scenarios(limit, scenarios, worst_share) for limit in limits]
    unknown = [str(a) for a, b in zip(limits, found, strict=True) if a is b and not isinstance(a.quantity, AS_PLANNED)]
    return tuple(found), tuple(unknown)


def _in_scenarios(limit: Limit, scenarios: Scenarios, worst_share: float) -> Limit:
    quantity = limit.quantity
    linear = linear_rows(quantity, scenarios)
    if linear is not None:
        return replace(limit, quantity=LinearInScenarios(quantity, *linear, worst_share, limit.upper))
    if isinstance(quantity, PerfusedNormalLiverDose):
        upper_only(quantity, limit.upper)
        return replace(limit, quantity=replace(PerfusedInScenarios.of(quantity, scenarios), worst_share=worst_share))
    if isinstance(quantity, TerritoryNormalLiverDose | LowestTerritoryNormalLiverDose):
        rows = _each(territory_rows(scenarios), lambda v: tail_weights(v, worst_share, highest=limit.upper) @ v)
        return replace(limit, quantity=TerritoryInScenarios(quantity, rows, worst_share, limit.upper))
    return limit


def _each(rows: np.ndarray, tail_mean: Callable[[np.ndarray], float]) -> np.ndarray:
    """Return the tail mean over scenarios of every entry (scenarios, sites, sites)."""
    return np.asarray(np.apply_along_axis(tail_mean, 0, rows))


def _which(worst_share: float) -> str:
    return f"worst {100 * worst_share:.3g} % of scenarios" if worst_share > 0 else "in all scenarios"
