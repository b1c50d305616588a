"""What the page says about trade-offs: points of a front, and steps of a staircase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.planning import ParetoFront, Plan, Staircase
from radioembolization.planning.front import FrontPoint
from radioembolization.report.formats import in_unit, signed, small_percent

#: The table of a front has so many points; the figure has them all.
_MOST_POINTS = 20
_STATUS = {"optimal": "proved", "infeasible": "no plan"}


@dataclass(frozen=True)
class PricedPoint:
    """A point of a front with the price of the piece that follows on its looser side."""

    point: FrontPoint
    price: str
    status: str


def priced_points(front: ParetoFront) -> list[PricedPoint]:
    """Return points in equal steps over a front, with the ends; few are all."""
    prices = [*front.prices, None] if front.upper else [None, *front.prices]
    words = ["–" if price is None else signed(price, 2) for price in prices]
    rows = [
        PricedPoint(point, word, _STATUS.get(point.status, point.status))
        for point, word in zip(front.points, words, strict=True)
    ]
    count = min(len(rows), _MOST_POINTS)
    chosen = sorted({round(place) for place in np.linspace(0, len(rows) - 1, count)})
    return [rows[place] for place in chosen]


def front_sentence(front: ParetoFront) -> str:
    """Say what is proved about a front, and where it ends."""
    unit = front.limit_unit
    if front.points_only:
        proof = (
            f"Points only: {front.points_only.rstrip('.')}. Between two points only the plan of the tighter one fits"
        )
    else:
        gap = small_percent(front.gap)
        proof = f"Between its points the front is straight; plans reach what is possible to {gap} % everywhere"
    ends = []
    if front.infeasible_beyond is not None:
        ends.append(f"tighter than {in_unit(front.infeasible_beyond, unit)} {unit} there is no plan")
    if front.no_effect_beyond is not None:
        ends.append(f"looser than {in_unit(front.no_effect_beyond, unit)} {unit} changes nothing")
    return f"{'; '.join([proof, *ends])}."


def plan_on_front(front: ParetoFront, plan: Plan) -> tuple[float, float] | None:
    """Return the value of the limited quantity and of the goal of a plan."""
    value = next((limit.value for limit in plan.limits if limit.name == front.limit), None)
    return None if value is None or plan.goal.name != front.goal else (value, plan.goal.value)


def plan_on_staircase(steps: Staircase, plan: Plan) -> tuple[int, float] | None:
    """Return the number of injections and the goal of a plan, if the staircase goes as far."""
    injections = len(plan.used_sites)
    fits = plan.goal.name == steps.goal and 1 <= injections <= len(steps.steps)
    return (injections, plan.goal.value) if fits else None


def step_status(status: str) -> str:
    """Return what is proved about a step, in words."""
    return _STATUS.get(status, status)
