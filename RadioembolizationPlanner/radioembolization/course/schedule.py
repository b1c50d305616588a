"""Schedules of a course: how many cycles, which sessions, in what order, and every choice of weeks between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, product

import numpy as np

from radioembolization.course.constraints import Constraints
from radioembolization.course.exposure import Modality
from radioembolization.course.sessions import Session
from radioembolization.errors import InputError

#: Schedules of one kind beyond which the grid of weeks is too fine to be enumerated.
_MOST_SCHEDULES = 200_000
_DAYS_PER_WEEK = 7.0
#: Weeks beyond the least interval that are tried where the constraints name no largest one [days].
_OPEN_DAYS = 28.0


class Event(StrEnum):
    """What is given."""

    CYCLE = "177Lu cycle"
    SESSION = "radioembolization"


@dataclass(frozen=True)
class Kind:
    """What is given, in what order, but not when.

    Parameters
    ----------
    cycles : int
        Cycles of 177Lu.
    activity_gbq : float
        Of each cycle [GBq].
    sessions : tuple of Session
        Sessions of radioembolization, in their order; none for 177Lu alone.
    cycles_before : int
        Cycles before the first session; the others follow the last.
    """

    cycles: int
    activity_gbq: float
    sessions: tuple[Session, ...]
    cycles_before: int

    def __post_init__(self) -> None:
        if not 0 <= self.cycles_before <= self.cycles or (not self.sessions and self.cycles_before != self.cycles):
            raise InputError(f"{self.cycles_before} of {self.cycles} cycles before the first session is no order.")

    @property
    def events(self) -> tuple[Event, ...]:
        """What is given, in order."""
        after = self.cycles - self.cycles_before
        return (Event.CYCLE,) * self.cycles_before + (Event.SESSION,) * len(self.sessions) + (Event.CYCLE,) * after

    @property
    def embolized_first(self) -> bool:
        """Whether a cycle follows a session."""
        return bool(self.sessions) and self.cycles_before < self.cycles

    def __str__(self) -> str:
        if not self.events:
            return "no treatment"
        before, after = self.cycles_before, self.cycles - self.cycles_before
        parts = [f"{before} x 177Lu"] if before else []
        parts += [f"radioembolization ({', '.join(s.name for s in self.sessions)})"] if self.sessions else []
        parts += [f"{after} x 177Lu"] if after else []
        return ", then ".join(parts)


@dataclass(frozen=True)
class WeekGrid:
    """Weeks allowed between one administration and the next, by what they are.

    Parameters
    ----------
    cycle_to_cycle, cycle_to_session, session_to_session, session_to_cycle : tuple of int
        Rising numbers of weeks.
    """

    cycle_to_cycle: tuple[int, ...] = (7, 8, 9)
    cycle_to_session: tuple[int, ...] = tuple(range(4, 21))
    session_to_session: tuple[int, ...] = (4, 5, 6, 7, 8)
    session_to_cycle: tuple[int, ...] = (8, 9, 10, 11, 12)

    def __post_init__(self) -> None:
        for name in ("cycle_to_cycle", "cycle_to_session", "session_to_session", "session_to_cycle"):
            weeks = getattr(self, name)
            if not weeks or list(weeks) != sorted(set(weeks)) or weeks[0] < 1:
                raise InputError(f"{name} must be rising whole weeks from 1 on, not {weeks}.")

    def between(self, first: Event, second: Event) -> tuple[int, ...]:
        """Return the weeks allowed between two administrations."""
        cycle = Event.CYCLE
        if first is cycle:
            return self.cycle_to_cycle if second is cycle else self.cycle_to_session
        return self.session_to_cycle if second is cycle else self.session_to_session


def weeks_within(constraints: Constraints) -> WeekGrid:
    """Return the whole weeks that the intervals of constraints allow; up to a month more where they have no end."""
    found = {}
    for rule in constraints.intervals:
        first = int(np.ceil(rule.at_least_days / _DAYS_PER_WEEK - 1e-9))
        most = rule.usually_at_most_days or rule.at_most_days or rule.at_least_days + _OPEN_DAYS
        found[rule.earlier, rule.later] = tuple(range(max(1, first), int(most / _DAYS_PER_WEEK + 1e-9) + 1))
    lutetium, microspheres = Modality.LUTETIUM, Modality.RADIOEMBOLIZATION
    return WeekGrid(
        cycle_to_cycle=found[lutetium, lutetium],
        cycle_to_session=found[lutetium, microspheres],
        session_to_session=found[microspheres, microspheres],
        session_to_cycle=found[microspheres, lutetium],
    )


def weeks_of(kind: Kind, grid: WeekGrid, given: Mapping[Event, int] | None = None) -> np.ndarray:
    """Return the weeks of all events of every schedule of a kind (schedules, events).

    Parameters
    ----------
    kind : Kind
    grid : WeekGrid
    given : mapping of Event to int, optional
        The week in which each was given last; negative before the course.  The first event keeps its distance from
        them.  Of a course that has begun, it is also no later than the grid says.

    Raises
    ------
    InputError
        If there are too many schedules.
    """
    events = kind.events
    steps = [grid.between(first, second) for first, second in pairwise(events)]
    starts = _starts(given, events[0], grid) if given and events else (0,)
    number = int(np.prod([len(step) for step in steps], dtype=float)) * len(starts)
    if number > _MOST_SCHEDULES:
        raise InputError(
            f"{kind} can be given in {number} ways: allow fewer different weeks between administrations, or fewer "
            "cycles."
        )
    gaps = np.array(list(product(starts, *steps)), dtype=int).reshape(number, -1)
    return np.cumsum(gaps, axis=1)[:, : len(events)]


def _starts(given: Mapping[Event, int], first: Event, grid: WeekGrid) -> tuple[int, ...]:
    least = max(0, *(week + grid.between(event, first)[0] for event, week in given.items()))
    last = max(given, key=lambda event: given[event])
    if given[last] < 0:
        return (least,)
    weeks = (given[last] + step for step in grid.between(last, first))
    return tuple(week for week in weeks if week >= least) or (least,)


def kinds(
    most_cycles: int,
    activities_gbq: tuple[float, ...],
    session_plans: tuple[tuple[Session, ...], ...],
    embolize_first_allowed: bool,
    least_cycles: int = 0,
) -> Iterator[Kind]:
    """Return every kind of course: numbers of cycles, activities, sessions and orders.

    Parameters
    ----------
    most_cycles, least_cycles : int
    activities_gbq : tuple of float
        Activities a cycle may have [GBq].
    session_plans : tuple of tuple of Session
        Sessions that may be given together; ``()`` for none.
    embolize_first_allowed : bool
        Whether cycles may follow sessions.
    """
    for cycles in range(least_cycles, most_cycles + 1):
        for activity in activities_gbq if cycles else activities_gbq[:1]:
            for sessions in session_plans:
                orders = range(cycles + 1) if sessions and embolize_first_allowed else (cycles,)
                for before in orders:
                    yield Kind(cycles, activity, sessions, before)
