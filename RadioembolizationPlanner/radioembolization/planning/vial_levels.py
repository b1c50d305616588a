"""Activities that whole vials deliver to each site at the hour of its injection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import VialError
from radioembolization.planning.vial_calendar import VialCalendar
from radioembolization.planning.vial_times import aware_time
from radioembolization.planning.vials import Vial

#: Activities closer than this, relative, are one.
_SAME = 1e-9


@dataclass(frozen=True)
class VialLevel:
    """Vials that one injection may consist of, and what they deliver at its hour [GBq]."""

    delivered_gbq: float
    vials: tuple[Vial, ...]


def session_times(at: datetime | Mapping[str, datetime], dose: DosePerGBq) -> tuple[datetime | None, ...]:
    """Return the hour of the injection at every site (sites,); None where no session treats it.

    Raises
    ------
    VialError
        If a time has no zone, or a site is unknown.
    """
    if isinstance(at, datetime):
        return (aware_time(at, None, "The injection"),) * len(dose.site_names)
    unknown = sorted(set(at) - set(dose.site_names))
    if unknown or not at:
        raise VialError(f"No site is called '{unknown[0] if unknown else ''}': sites are {', '.join(dose.site_names)}.")
    times = {site: aware_time(moment, None, f"The injection at site '{site}'") for site, moment in at.items()}
    return tuple(times.get(site) for site in dose.site_names)


def levels_at(calendar: VialCalendar, at: datetime) -> tuple[VialLevel, ...]:
    """Return what can be delivered at some time, ascending; of equal activities, that of the fewest vials."""
    vials = calendar.vials_for(at)
    content = np.array([vial.activity_gbq(at) for vial in vials])
    kept = 1.0 - calendar.residual
    levels = [
        VialLevel(kept * float(content[list(chosen)].sum()), tuple(vials[i] for i in chosen))
        for chosen in calendar.supply.combinations(len(vials))
    ]
    levels.sort(key=lambda level: level.delivered_gbq)
    found: list[VialLevel] = []
    for level in levels:
        if found and level.delivered_gbq <= found[-1].delivered_gbq * (1.0 + _SAME):
            found[-1] = min(found[-1], level, key=lambda one: len(one.vials))
        else:
            found.append(level)
    return tuple(found)


def levels_of_sites(
    calendar: VialCalendar, times: tuple[datetime | None, ...], cap_gbq: np.ndarray
) -> list[tuple[VialLevel, ...]]:
    """Return what can be delivered to every site up to its largest activity (sites,)."""
    by_time = {at: levels_at(calendar, at) for at in dict.fromkeys(times) if at is not None}
    return [
        () if at is None else tuple(level for level in by_time[at] if level.delivered_gbq <= cap)
        for at, cap in zip(times, cap_gbq, strict=True)
    ]
