"""Which limits contradict each other: an irreducible set, found by leaving out one limit after the other.

Chinneck and Dravnieks 1991, 10.1287/ijoc.3.2.157 (deletion filter).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.limits import MET_TOLERANCE, USED_GBQ, activity_caps_gbq
from radioembolization.planning.model import cvxpy
from radioembolization.planning.reduced import OPTIONS

_MOST_ROUNDS = 50
#: Activities are tried up to this, where the limits left in allow them [GBq].
_MOST_GBQ = 1000.0
#: A set of limits contradicts itself if each must be exceeded by so much in total, relative.
_EXCEEDED = 1e-7


@dataclass(frozen=True)
class Conflict:
    """Limits that no plan meets together, though it meets all but any one of them.

    Parameters
    ----------
    limits : tuple of str
        As printed in the prescription.
    without_gbq : tuple of tuple of float
        (limits, sites): for each limit, activities [GBq] that meet all others of the set.
    """

    limits: tuple[str, ...]
    without_gbq: tuple[tuple[float, ...], ...]


def conflict(planes: CuttingPlanes, allowed: np.ndarray) -> Conflict | None:
    """Return an irreducible set of the limits of a model that contradict each other; None if none is found.

    Every limit is named, those on the number of sites and on used sites too.  Dose-volume limits, which have no
    planes, are not looked at.

    Parameters
    ----------
    planes : CuttingPlanes
        A model without a plan.
    allowed : ndarray (sites,) of bool
        Sites that may have activity.
    """
    kept = [i for i, limit in enumerate(planes.limits) if limit.volume_bound is None]
    work = _Tests(planes, allowed)
    if work.plan_within(kept) is not None:
        return None
    witnesses: dict[int, np.ndarray] = {}
    for index in list(kept):
        rest = [i for i in kept if i != index]
        plan = work.plan_within(rest)
        if plan is None:
            kept = rest
        else:
            witnesses[index] = plan
    names = tuple(str(planes.limits[i]) for i in kept)
    return Conflict(names, tuple(tuple(float(a) for a in witnesses[i]) for i in kept))


class _Tests:
    """Looks for plans within some limits of a model."""

    def __init__(self, planes: CuttingPlanes, allowed: np.ndarray) -> None:
        self._planes = planes
        forbidden = activity_caps_gbq(planes.limits, planes.dose) <= 0.0  # by limits, which may be left out
        self._cap_gbq = np.where(allowed | forbidden, self._reach_gbq(), 0.0)
        planes.require(None)

    def _reach_gbq(self) -> np.ndarray:
        """Return activities (sites,) beyond which no lower limit asks for more."""
        planes, unit = self._planes, np.eye(len(self._planes.cap_gbq))
        reach = np.maximum(planes.cap_gbq, 1.0)
        for limit in planes.limits:
            if limit.upper or limit.volume_bound is not None:
                continue
            if limit.rules(planes.dose) is not None:
                reach = reach + limit.bound
                continue
            alone = np.array([limit.quantity.value(planes.dose, row) for row in unit])
            reach = reach + np.where(alone > 0, limit.bound / np.maximum(alone, 1e-12), 0.0)
        return np.minimum(reach, _MOST_GBQ)

    def plan_within(self, kept: list[int]) -> np.ndarray | None:
        """Return a plan (sites,) that meets some limits, None if there is none."""
        others = {i: np.inf for i in range(len(self._planes.limits)) if i not in kept}
        plan = None
        for _ in range(_MOST_ROUNDS):
            plan, exceeded = self._least_exceeding(kept)
            if plan is None or exceeded > _EXCEEDED:
                return None
            if not self._planes.separate_relaxed(plan, others):
                break
        return plan if plan is not None and all(self._is_met(i, plan) for i in kept) else None

    def _is_met(self, index: int, plan: np.ndarray) -> bool:
        limit = self._planes.limits[index]
        return limit.excess(self._planes.dose, plan) <= 2.0 * MET_TOLERANCE * max(1.0, limit.bound)

    def _least_exceeding(self, kept: list[int]) -> tuple[np.ndarray | None, float]:
        """Return the activities (sites,) that exceed some limits least, relative to their bounds, and by how much."""
        cp = cvxpy()
        model = _Model(self._planes, set(kept), self._cap_gbq)
        weights = {i: 1.0 / max(self._planes.limits[i].bound, 1.0) for i in model.excess}
        total = cp.sum([weights[i] * excess for i, excess in model.excess.items()]) if weights else cp.Constant(0.0)
        problem = cp.Problem(cp.Minimize(total), model.constraints)
        problem.solve(solver=cp.HIGHS, **OPTIONS)
        if problem.status not in ("optimal", "optimal_inaccurate"):
            return None, np.inf
        plan = np.asarray(model.activities.value, dtype=float)
        return np.where(plan > USED_GBQ, plan, 0.0), float(total.value)


class _Model:
    """Activities within the planes of some limits, each of which may be exceeded but for the number of sites."""

    def __init__(self, planes: CuttingPlanes, kept: set[int], cap_gbq: np.ndarray) -> None:
        self._planes, self._kept, self._cap_gbq = planes, kept, cap_gbq
        self.activities = cvxpy().Variable(len(cap_gbq), bounds=[np.zeros(len(cap_gbq)), cap_gbq])
        self.excess: dict[int, Any] = {}
        self.constraints = [*self._rows(), *self._rules()]

    def _excess_of(self, limit: int) -> Any:
        return self.excess.setdefault(limit, cvxpy().Variable(nonneg=True))

    def _rows(self) -> list[Any]:
        rows, found = self._planes.master.rows(), []
        for number, origin in enumerate(self._planes.origins):
            if origin.kind == "limit" and origin.index in self._kept and self._planes.master.is_active(number):
                left = rows.matrix[number] @ self.activities - self._excess_of(origin.index)
                found.append(left <= rows.right[number])
        return found

    def _rules(self) -> list[Any]:
        planes, cap = self._planes, self._cap_gbq
        of_sites = [(i, limit.rules(planes.dose)) for i, limit in enumerate(planes.limits) if i in self._kept]
        numbers = [rules.most_sites for _, rules in of_sites if rules is not None and rules.most_sites is not None]
        if_used = [(i, *pair) for i, rules in of_sites if rules is not None for pair in rules.if_used]
        if not numbers and not if_used:
            return []
        used = cvxpy().Variable(len(cap), boolean=True)
        found = [self.activities <= cvxpy().multiply(cap, used)]
        found += [cvxpy().sum(used) <= number for number in numbers]
        for owner, site, plane in if_used:
            largest = float(np.maximum(plane.row, 0.0) @ cap) + max(plane.constant, 0.0)
            height = plane.row @ self.activities + plane.constant
            found.append(height <= largest * (1 - used[site]) + self._excess_of(owner))
        return found
