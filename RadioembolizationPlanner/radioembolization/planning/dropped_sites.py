"""Why sites are not used: what 1 GBq there would give and take, beside what the limits are worth at the sites used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.errors import SolverFailure
from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.limits import USED_GBQ, activity_caps_gbq
from radioembolization.planning.near_optimal import has_planes
from radioembolization.planning.problem import Problem
from radioembolization.planning.quantities import InjectionActivity
from radioembolization.structures import Role

#: Gains and prices closer than this, relative, are equal.
_SAME = 1e-6
#: Parts of a combination smaller than this are left out [GBq for each GBq].
_PART = 1e-3


class Reason(StrEnum):
    """Why a site is not used."""

    FORBIDDEN = "forbidden"
    NO_TUMOUR = "its territory holds no tumour"
    DEARER = "dearer than the sites used"
    AS_GOOD = "as good as the sites used"
    NUMBER = "number of sites"
    LEAST_ACTIVITY = "least activity"
    FEWER = "fewer injections are preferred"
    OWN_LIMITS = "limits that hold only where it is used"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class LimitCost:
    """What 1 GBq at a site takes of a limit that binds: in its unit, and in the unit of the goal."""

    limit: str
    unit: str
    per_gbq: float
    goal_per_gbq: float


@dataclass(frozen=True)
class DroppedSite:
    """A site without activity.

    Parameters
    ----------
    site : str
    reason : Reason
    gain_per_gbq : float or None
        By how much 1 GBq would improve the goal, at the prices of the plan; None if that is not known.
    price_per_gbq : float or None
        What it takes of the limits, in the unit of the goal: at the sites used, gain and price are equal.
    costs : tuple of LimitCost
        The price by limit, the dearest first.
    instead_gbq : tuple of (str, float)
        What gives every tumour as much as 1 GBq here and takes no more of any limit, if there is such a combination.
    goal_with_it : float or None
        Best goal if the site is added to those of the plan, where that would be better.
    """

    site: str
    reason: Reason
    gain_per_gbq: float | None = None
    price_per_gbq: float | None = None
    costs: tuple[LimitCost, ...] = ()
    instead_gbq: tuple[tuple[str, float], ...] = ()
    goal_with_it: float | None = None


def dropped_sites(problem: Problem, dose: DosePerGBq, activities_gbq: np.ndarray) -> tuple[DroppedSite, ...]:
    """Return why each site without activity is not used.

    Gain and price are those of the linear program that stands for all voxels at the optimum on the sites used.  With
    dose-volume limits or goals, which have no prices, only the plain reasons are known.

    Parameters
    ----------
    problem : Problem
    dose : DosePerGBq
    activities_gbq : ndarray (sites,)
        Of the plan.
    """
    x = np.asarray(activities_gbq, dtype=float)
    unused = [int(site) for site in np.flatnonzero(x <= USED_GBQ)]
    caps = activity_caps_gbq(problem.limits, dose)
    tumour = np.zeros(dose.rows.shape[1], dtype=bool)
    for structure in dose.with_role(Role.TUMOUR):
        tumour[structure.voxels] = True
    plain = {}
    for site in unused:
        if caps[site] <= 0.0:
            plain[site] = DroppedSite(dose.site_names[site], Reason.FORBIDDEN)
    with single_threaded_products():
        prices = _Prices.of(problem, dose, x, caps) if len(unused) > len(plain) else None
        found = [plain.get(site) or _judged(site, prices, dose) for site in unused]
    holds = np.asarray(np.any(dose.perfused[:, tumour], axis=1))
    return tuple(
        DroppedSite(d.site, Reason.NO_TUMOUR, d.gain_per_gbq, d.price_per_gbq, d.costs)
        if d.reason in (Reason.DEARER, Reason.UNKNOWN) and not holds[site]
        else d
        for site, d in zip(unused, found, strict=True)
    )


def _judged(site: int, prices: _Prices | None, dose: DosePerGBq) -> DroppedSite:
    return DroppedSite(dose.site_names[site], Reason.UNKNOWN) if prices is None else prices.judged(site)


@dataclass(frozen=True, eq=False)
class _Prices:
    """Multipliers of the optimum on the sites of a plan."""

    problem: Problem
    planes: CuttingPlanes
    used: np.ndarray
    optimum: Optimum
    multipliers: np.ndarray

    @staticmethod
    def of(problem: Problem, dose: DosePerGBq, x: np.ndarray, caps: np.ndarray) -> _Prices | None:
        """Solve on the sites of a plan; None where there are no prices."""
        goal, used = problem.goal, x > USED_GBQ
        if not has_planes(goal, problem.limits, dose) or not used.any():
            return None
        goal = goal.margin(dose, goal.value(dose, x)) or goal
        planes = CuttingPlanes(goal, problem.limits, dose, caps)
        try:
            optimum = planes.solve(used, used if planes.rules.if_used else None)
        except SolverFailure:
            return None
        count = len(optimum.relaxation.multipliers)
        y = planes.master.rows().only(np.arange(count)).admissible(optimum.relaxation.multipliers)
        return _Prices(problem, planes, used, optimum, y) if np.all(np.isfinite(y)) else None

    def judged(self, site: int) -> DroppedSite:
        """Return what 1 GBq at a site gives and takes, and what follows from that."""
        gain, costs = self._gain(site), self._costs(site)
        price = float(sum(cost.goal_per_gbq for cost in costs))
        name, size = self.planes.dose.site_names[site], _SAME * max(abs(gain), abs(price), 1e-9)
        if gain < price - size:
            return DroppedSite(name, Reason.DEARER, gain, price, costs, self._instead(site))
        if gain <= price + size:
            return DroppedSite(name, Reason.AS_GOOD, gain, price, costs, self._instead(site))
        return self._better(site, gain, price, costs)

    def _better(self, site: int, gain: float, price: float, costs: tuple[LimitCost, ...]) -> DroppedSite:
        """Say why a site is not used that would improve the goal as a further one."""
        planes, more = self.planes, self.used.copy()
        more[site] = True
        found = planes.solve(more, more if planes.rules.if_used else None)
        value = found.score if planes.goal.maximized else -found.score
        known = np.isfinite(value) and self.problem.goal.margin(planes.dose, 1.0) is None
        pays = found.score > self.optimum.score + _SAME * max(1e-3, abs(self.optimum.score))
        least = [limit.bound for limit in planes.limits if isinstance(limit.quantity, InjectionActivity)]
        if least and found.activities_gbq[site] < max(least):
            reason = Reason.LEAST_ACTIVITY
        elif planes.rules.most_sites is not None and np.count_nonzero(self.used) >= planes.rules.most_sites:
            reason = Reason.NUMBER
        elif planes.rules.if_used and not pays:
            reason, known = Reason.OWN_LIMITS, False
        else:
            reason = Reason.FEWER
        name = planes.dose.site_names[site]
        return DroppedSite(name, reason, gain, price, costs, (), float(value) if known else None)

    def _gain(self, site: int) -> float:
        rows = self.planes.master.rows()
        of_goal = np.flatnonzero((self.multipliers > 0) & (rows.term[: len(self.multipliers)] >= 0))
        return float(-(self.multipliers[of_goal] @ rows.matrix[of_goal, site])) + 0.0

    def _costs(self, site: int) -> tuple[LimitCost, ...]:
        found: dict[int, list[float]] = {}
        matrix = self.planes.master.rows().matrix
        for number in self._limit_rows():
            owner, y = self._owner(number), self.multipliers[number]
            entry = found.setdefault(owner, [0.0, 0.0])
            entry[0] += y * matrix[number, site]
            entry[1] += y
        limits = self.planes.limits
        costs = [
            LimitCost(limits[i].quantity.name, limits[i].quantity.unit, float(total / weight), float(total))
            for i, (total, weight) in found.items()
        ]
        return tuple(sorted((c for c in costs if c.goal_per_gbq), key=lambda cost: -cost.goal_per_gbq))

    def _limit_rows(self) -> list[int]:
        return [int(n) for n in np.flatnonzero(self.multipliers > 0) if self.planes.origins[n].kind != "goal"]

    def _owner(self, number: int) -> int:
        origin = self.planes.origins[number]
        return origin.index if origin.kind == "limit" else self.planes.rule_owners[origin.index]

    def _instead(self, site: int) -> tuple[tuple[str, float], ...]:
        """Return activities at the sites used that give every tumour as much and take no more of any limit."""
        from scipy.optimize import linprog

        dose, matrix = self.planes.dose, self.planes.master.rows().matrix
        tight = np.flatnonzero(self.multipliers > 0)
        means = [-dose.structure_row(t.name) for t in dose.with_role(Role.TUMOUR)]
        linear = [
            plane.row
            for limit in self.planes.limits
            if limit.quantity.linear and limit.upper and limit.rules(dose) is None
            for plane in limit.supports(dose, self.optimum.activities_gbq)
        ]
        rows = np.vstack([matrix[tight], *means, *linear])
        rows = rows / np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-12)
        own = np.flatnonzero(self.used)
        slack = _SAME * 10.0 * np.abs(rows[:, site])
        found = linprog(np.ones(len(own)), A_ub=rows[:, own], b_ub=rows[:, site] + slack, method="highs")
        if found.status != 0:
            return ()
        return tuple((dose.site_names[j], float(a)) for j, a in zip(own, found.x, strict=True) if a > _PART)
