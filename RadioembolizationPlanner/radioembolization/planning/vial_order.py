"""What to order for which site, and when it can still be used."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations_with_replacement

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import VialError
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import Limit
from radioembolization.planning.vial_times import after, elapsed_h
from radioembolization.planning.vials import Injection, Vial

#: More vials for one session than this are taken for a mistake.
_MOST_VIALS = 12
#: So many kinds of vials, the fullest, are compared where one or two are needed; ten where more are.
_COMPARED = {1: 10_000, 2: 100}
#: Ends of a window are found to this [h].
_WINDOW_STEP_H = 1.0 / 60.0


@dataclass(frozen=True)
class UsableWindow:
    """By how many hours all injections together can be moved.

    Every limit is met throughout, and the goal is at most a stated share worse than planned.

    Parameters
    ----------
    earlier_h, later_h : float
        Hours before and after the planned times, zero or more.
    ends_early_by, ends_late_by : str
        What ends it.
    """

    earlier_h: float
    later_h: float
    ends_early_by: str
    ends_late_by: str


@dataclass(frozen=True)
class OrderLine:
    """Equal vials to order.

    Parameters
    ----------
    calibrated_gbq : float
    calibrated_at : datetime
    count : int
    sites : tuple of str
        Where they are injected.
    injected_at : datetime
    earliest, latest : datetime
        Window of use; see ``UsableWindow``.
    microspheres, mass_mg : float
        In one vial.
    bq_per_sphere : float
        At the planned injection [Bq].
    """

    calibrated_gbq: float
    calibrated_at: datetime
    count: int
    sites: tuple[str, ...]
    injected_at: datetime
    earliest: datetime
    latest: datetime
    microspheres: float
    mass_mg: float
    bq_per_sphere: float

    def __str__(self) -> str:
        return (
            f"{self.count} x {self.calibrated_gbq:.4g} GBq at {self.calibrated_at.isoformat(' ', 'minutes')} for "
            f"{', '.join(self.sites)}, injected {self.injected_at.isoformat(' ', 'minutes')} (usable from "
            f"{self.earliest.isoformat(' ', 'minutes')} to {self.latest.isoformat(' ', 'minutes')})"
        )


def order_lines(injections: Sequence[Injection], window: UsableWindow, shared: bool) -> tuple[OrderLine, ...]:
    """Return what to order: one line for equal vials of one site; where vials are shared, of one session."""
    sites: dict[tuple[datetime, Vial, str], list[str]] = {}
    counts: dict[tuple[datetime, Vial, str], int] = {}
    for injection in injections:
        for vial in dict.fromkeys(injection.vials):
            key = (injection.at, vial, "" if shared else injection.site)
            sites.setdefault(key, []).append(injection.site)
            counts[key] = injection.vials.count(vial)
    return tuple(
        OrderLine(
            calibrated_gbq=vial.calibrated_gbq,
            calibrated_at=vial.calibrated_at,
            count=counts[key],
            sites=tuple(sites[key]),
            injected_at=at,
            earliest=after(at, -window.earlier_h),
            latest=after(at, window.later_h),
            microspheres=vial.microspheres,
            mass_mg=vial.mass_mg,
            bq_per_sphere=vial.bq_per_sphere_at(at),
        )
        for key in sites
        for at, vial, _ in [key]
    )


def vials_holding(vials: Sequence[Vial], at: datetime, needed_gbq: float, most: int | None) -> tuple[Vial, ...]:
    """Return the fewest vials that hold an activity at some time; of as many, those with least left over.

    Of equal ones those calibrated nearest to the time are taken.  Where ``most`` vials do not hold it, the fullest are
    returned.
    """
    nearest = sorted(vials, key=lambda vial: (abs(elapsed_h(vial.calibrated_at, at)), vial.calibrated_gbq))
    content = [vial.activity_gbq(at) for vial in nearest]
    fullest = int(np.argmax(content))
    number = max(1, math.ceil(needed_gbq / content[fullest] - 1e-9))
    if number > (most or _MOST_VIALS):
        if most is None:
            raise VialError(
                f"{needed_gbq:.3g} GBq would take {number} vials: choose larger vials or a nearer calibration."
            )
        return (nearest[fullest],) * most
    few = sorted(range(len(nearest)), key=lambda i: -content[i])[: _COMPARED.get(number, 10)]
    enough = [
        c for c in combinations_with_replacement(sorted(few), number) if _sum(content, c) >= needed_gbq * (1 - 1e-9)
    ]
    best = min(enough, key=lambda c: (round(_sum(content, c), 9), c))
    return tuple(nearest[i] for i in best)


def _sum(content: Sequence[float], chosen: Sequence[int]) -> float:
    return sum(content[i] for i in chosen)


def sense_window(injections: Sequence[Injection]) -> UsableWindow:
    """Return by how much all injections can be moved within decay sense."""
    early, late = math.inf, math.inf
    for injection in injections:
        for vial in injection.vials:
            hours, half_life = elapsed_h(vial.calibrated_at, injection.at), vial.device.nuclide.half_life_h
            early = min(early, hours + vial.sense.before_half_lives * half_life)
            late = min(late, vial.sense.after_half_lives * half_life - hours)
    return UsableWindow(max(0.0, early), max(0.0, late), "decay sense", "decay sense")


def whole_window(
    goal: Goal,
    limits: Sequence[Limit],
    dose: DosePerGBq,
    activities_gbq: np.ndarray,
    injections: Sequence[Injection],
    loss: float,
) -> UsableWindow:
    """Return the window of vials that are injected whole: all activities fall with time by one factor.

    Parameters
    ----------
    goal : Goal
    limits : sequence of Limit
    dose : DosePerGBq
    activities_gbq : ndarray (sites,)
        Delivered, as planned [GBq].
    injections : sequence of Injection
    loss : float
        Share of the goal that may be lost.
    """
    half_life_h = dose.settings.device.nuclide.half_life_h
    planned = goal.score(dose, activities_gbq)
    enough = planned - loss * abs(planned)

    def ends(hours: float) -> str:
        x = activities_gbq * 2.0 ** (-hours / half_life_h)
        broken = [str(limit) for limit in limits if not limit.is_met(dose, x)]
        if broken:
            return broken[0]
        return "" if goal.score(dose, x) >= enough - 1e-9 * abs(planned) else f"{goal.name}: {100 * loss:g} % lost"

    sense = sense_window(injections)
    earlier_h, early = _end(lambda hours: ends(-hours), sense.earlier_h)
    later_h, late = _end(ends, sense.later_h)
    return UsableWindow(earlier_h, later_h, early or sense.ends_early_by, late or sense.ends_late_by)


def _end(ends: Callable[[float], str], most_h: float) -> tuple[float, str]:
    """Return the hours until something ends the window, and what; limits are met, and goals reached, in an interval."""
    why = ends(most_h)
    if not why:
        return most_h, ""
    inside, outside = 0.0, most_h
    while outside - inside > _WINDOW_STEP_H:
        middle = 0.5 * (inside + outside)
        found = ends(middle)
        inside, outside, why = (inside, middle, found) if found else (middle, outside, why)
    return inside, why


def drawn_window(injections: Sequence[Injection]) -> UsableWindow:
    """Return the window of vials that are drawn from: the activities stay as planned while the vials hold them."""
    sense, later_h = sense_window(injections), math.inf
    for at in {injection.at for injection in injections}:
        session = [injection for injection in injections if injection.at == at]
        content = sum(vial.activity_gbq(at) for vial in session[0].vials)
        drawn = sum(injection.activity_gbq for injection in session)
        half_life_h = session[0].vials[0].device.nuclide.half_life_h
        later_h = min(later_h, half_life_h * math.log2(max(1.0, content / drawn)))
    late = "content of the vials" if later_h < sense.later_h else sense.ends_late_by
    return UsableWindow(sense.earlier_h, min(later_h, sense.later_h), sense.ends_early_by, late)
