"""Which limit a front is about, where the user does not say or says it in part."""

from __future__ import annotations

from radioembolization.errors import LimitError
from radioembolization.planning import Limit, Plan, Problem


def limit_of_front(problem: Problem, plan: Plan, name: str = "") -> Limit:
    """Return the limit that a name means; without a name, the one that holds a plan back most.

    Prices times bounds share the goal among the limits, so the largest of these products holds it back most; without
    prices, it is the upper limit that is nearest to its bound.

    Parameters
    ----------
    problem : Problem
    plan : Plan
        Its optimal plan.
    name : str
        The limit or its quantity as printed, or a part of that which no other limit has.

    Raises
    ------
    LimitError
        If the name means no limit or several, or there is no limit to move.
    """
    results = {
        k: result for k, (limit, result) in enumerate(zip(problem.limits, plan.limits, strict=True)) if _moves(limit)
    }
    movable = [problem.limits[k] for k in results]
    if name:
        return _named(name, movable)
    price = {k: abs(r.gain_per_unit * r.limit) for k, r in results.items() if r.binding and r.gain_per_unit}
    near = {k: r.value / r.limit for k, r in results.items() if problem.limits[k].upper and r.value is not None}
    ranked = price or near
    if not ranked:
        raise LimitError(f"No limit can be moved for a front; those that can be: {_listed(movable)}.")
    return problem.limits[max(ranked, key=lambda k: ranked[k])]


def _moves(limit: Limit) -> bool:
    return limit.quantity.keyword != "count" and limit.bound > 0.0


def _named(name: str, movable: list[Limit]) -> Limit:
    word = name.casefold()
    exact = [limit for limit in movable if word in (str(limit).casefold(), limit.quantity.name.casefold())]
    found = exact or [limit for limit in movable if word in str(limit).casefold()]
    if len(found) != 1:
        raise LimitError(f"'{name}' means {len(found) or 'none'} of the limits of the plan: {_listed(movable)}.")
    return found[0]


def _listed(limits: list[Limit]) -> str:
    return ", ".join(f"'{limit}'" for limit in limits) or "none"
