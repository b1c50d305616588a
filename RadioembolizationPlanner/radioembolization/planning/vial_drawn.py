"""Vials where any activity can be injected: drawn from shared vials, or made for the patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.planning.effort import Watch
from radioembolization.planning.limits import USED_GBQ, Limit
from radioembolization.planning.problem import Problem
from radioembolization.planning.quantities.activity import InGBq
from radioembolization.planning.quantities.linear import Linear
from radioembolization.planning.solve import Solution, optimize
from radioembolization.planning.vial_calendar import VialCalendar
from radioembolization.planning.vial_order import vials_holding
from radioembolization.planning.vial_supply import SharedVials
from radioembolization.planning.vial_times import elapsed_h
from radioembolization.planning.vial_whole import Found
from radioembolization.planning.vials import Injection, Vial


@dataclass(frozen=True)
class SessionActivity(InGBq, Linear):
    """Activity of the injections of one session, which share their vials: ``SessionActivity((0, 1)).at_most(gbq=3)``.

    Parameters
    ----------
    sites : tuple of int
    """

    sites: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"activity delivered from the vials of {len(self.sites)} sites"

    def row(self, dose: DosePerGBq) -> np.ndarray:
        if not self.sites or max(self.sites) >= len(dose.site_names):
            raise LimitError(f"The {self.name} needs sites among 0 to {len(dose.site_names) - 1}.")
        row = np.zeros(len(dose.site_names))
        row[list(self.sites)] = 1.0
        return row


def drawn_activities(
    problem: Problem, dose: DosePerGBq, calendar: VialCalendar, times: Sequence[datetime | None], watch: Watch
) -> tuple[Found, tuple[Injection, ...]]:
    """Return the best activities, and the vials they come from.

    Where the vials allowed do not hold them, the activities of that session are limited to their content.
    """
    may_use = np.array([at is not None for at in times])
    sessions = {at: tuple(int(j) for j, t in enumerate(times) if t == at) for at in times if at is not None}
    usable = {at: calendar.vials_for(at) for at in sessions}
    solution = optimize(problem.goal, problem.limits, dose, may_use, watch.effort)
    best = solution
    extra = _limits_of_content(best.activities_gbq, calendar, sessions, usable)
    if extra:
        best = optimize(problem.goal, (*problem.limits, *extra), dose, may_use, watch.effort)
    sign = 1.0 if problem.goal.maximized else -1.0
    injections = _injections(best.activities_gbq, dose, calendar, sessions, usable)
    return Found(
        plans=(best.activities_gbq,),
        levels=[],
        bound=sign * best.bound,
        free_score=sign * solution.optimum,
        free_bound=sign * solution.bound,
        status=best.status,
        nodes=_nodes(best),
    ), injections


def _nodes(solution: Solution) -> int:
    return 0 if solution.choice is None else solution.choice.nodes


def _limits_of_content(
    activities_gbq: np.ndarray,
    calendar: VialCalendar,
    sessions: Mapping[datetime, tuple[int, ...]],
    usable: Mapping[datetime, Sequence[Vial]],
) -> list[Limit]:
    """Return limits on the sessions that need more than the vials allowed hold; empty if none does."""
    most = calendar.supply.most_vials if isinstance(calendar.supply, SharedVials) else None
    if most is None:
        return []
    content = {at: most * max(vial.activity_gbq(at) for vial in usable[at]) for at in sessions}
    deliverable = {at: (1.0 - calendar.residual) * content[at] for at in sessions}
    if all(activities_gbq[list(sites)].sum() <= deliverable[at] * (1.0 + 1e-9) for at, sites in sessions.items()):
        return []
    return [SessionActivity(sites).at_most(gbq=deliverable[at]) for at, sites in sessions.items()]


def _injections(
    activities_gbq: np.ndarray,
    dose: DosePerGBq,
    calendar: VialCalendar,
    sessions: Mapping[datetime, tuple[int, ...]],
    usable: Mapping[datetime, Sequence[Vial]],
) -> tuple[Injection, ...]:
    found: list[Injection] = []
    for at, sites in sessions.items():
        used = [site for site in sites if activities_gbq[site] > USED_GBQ]
        prepared = activities_gbq / (1.0 - calendar.residual)
        vials: tuple[Vial, ...] = ()
        if used and isinstance(calendar.supply, SharedVials):
            vials = vials_holding(usable[at], at, float(prepared[used].sum()), calendar.supply.most_vials)
        for site in used:
            own = vials or (_made(usable[at], at, float(prepared[site])),)
            share = float(prepared[site]) / sum(vial.activity_gbq(at) for vial in own)
            found.append(Injection.of(dose.site_names[site], own, at, calendar.residual, min(1.0, share)))
    return tuple(found)


def _made(usable: Sequence[Vial], at: datetime, activity_gbq: float) -> Vial:
    """Return the vial that holds an activity at some time, calibrated as near to it as can be."""
    nearest = min(usable, key=lambda vial: abs(elapsed_h(vial.calibrated_at, at)))
    return replace(nearest, calibrated_gbq=activity_gbq / nearest.decay_to(at))
