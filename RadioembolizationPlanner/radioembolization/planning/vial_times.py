"""Times of calibration and injection: always with a time zone, and apart by hours that really pass."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from radioembolization.errors import VialError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def elapsed_h(earlier: datetime, later: datetime) -> float:
    """Return the hours that pass between two times with time zones; negative if ``later`` is earlier.

    Clock times are not subtracted: from noon to noon over a change to daylight-saving time pass 23 hours.
    """
    return (_utc(later) - _utc(earlier)) / timedelta(hours=1)


def after(moment: datetime, hours: float) -> datetime:
    """Return the time that many hours later, on the clock of the same place."""
    return (_utc(moment) + timedelta(hours=hours)).astimezone(moment.tzinfo)


def zone_named(name: str) -> tzinfo:
    """Return the time zone of a place, as ``America/New_York``, or ``UTC``.

    Raises
    ------
    VialError
    """
    if name.casefold() in ("utc", "z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise VialError(
            f"Unknown time zone '{name}': write a name of the IANA list such as 'America/New_York' or 'Europe/Vienna'. "
            "Where the system has no such list, install it: pip install tzdata."
        ) from None


def aware_time(value: Any, zone: tzinfo | None = None, what: str = "The time") -> datetime:
    """Return a time with its time zone.

    Parameters
    ----------
    value : datetime or str
        Text as ``2026-03-29T12:00``, with an offset such as ``+02:00`` or without.
    zone : tzinfo, optional
        Where the clock stands if the value does not say.
    what : str
        What it is the time of, for messages.

    Raises
    ------
    VialError
        If it is no time, has no zone, or is a clock time that the place skips or has twice on that day.
    """
    moment = _parsed(value, what)
    if moment.tzinfo is not None:
        return moment
    if zone is None:
        raise VialError(
            f"{what} {moment.isoformat(' ')} has no time zone, so its decay is unknown by hours: write an offset as in "
            f"{moment.isoformat()}+02:00, or give time_zone."
        )
    return _on_clock(moment, zone, what)


def weekly(weekday: str, clock: str | time, zone: tzinfo, first: date, last: date) -> tuple[datetime, ...]:
    """Return a clock time on one weekday of every week between two days (both included).

    Raises
    ------
    VialError
    """
    day_number = _weekday(weekday)
    at = _clock(clock)
    day = first + timedelta(days=(day_number - first.weekday()) % 7)
    found = []
    while day <= last:
        found.append(_on_clock(datetime.combine(day, at), zone, "The calibration on"))
        day += timedelta(days=7)
    if not found:
        raise VialError(f"There is no {weekday} between {first} and {last}: give a longer time.")
    return tuple(found)


def _parsed(value: Any, what: str) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise VialError(f"{what} {value!r} is no date with a time: write it as 2026-03-29T12:00+02:00.") from None


def _on_clock(moment: datetime, zone: tzinfo, what: str) -> datetime:
    """Return a clock time at a place; refuse one that does not happen there, or happens twice."""
    first, second = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if _utc(first).astimezone(zone).replace(tzinfo=None) != moment:
        raise VialError(f"{what} {moment.isoformat(' ')} does not exist in {zone}: clocks are put forward that night.")
    if first.utcoffset() != second.utcoffset():
        raise VialError(
            f"{what} {moment.isoformat(' ')} happens twice in {zone}, as clocks are put back: write the offset, "
            f"as in {first.isoformat()}."
        )
    return first


def _weekday(name: str) -> int:
    try:
        return WEEKDAYS.index(name.casefold())
    except (ValueError, AttributeError):
        raise VialError(f"Unknown weekday {name!r}: write one of {', '.join(WEEKDAYS)}.") from None


def _clock(clock: str | time) -> time:
    try:
        at = clock if isinstance(clock, time) else time.fromisoformat(clock)
    except (TypeError, ValueError):
        raise VialError(f"The time of day {clock!r} cannot be read: write it as '12:00'.") from None
    if at.tzinfo is not None:
        raise VialError(f"The time of day {at} has an offset, which changes over the year: give time_zone instead.")
    return at


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise VialError(f"The time {moment.isoformat(' ')} has no time zone: write an offset, as in {moment}+02:00.")
    return moment.astimezone(UTC)
