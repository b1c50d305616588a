"""Vial calendars from tables of case files, and the table of vials against times.

[vials]
sizes_gbq = [3, 5, 7, 10, 15, 20]     # or first_gbq, last_gbq, step_gbq; default: confirmed sizes of the device
time_zone = "America/New_York"        # of every time without an offset
calibrations = ["2026-03-29T12:00"]   # or weekday, time_of_day, first_day, last_day
vials_per_site = 1                    # whole vials; most_vials = 2 where vials are shared
residual = 0.006
bq_per_sphere = 2500                  # at calibration
before_half_lives = 1.5               # decay sense
after_half_lives = 5
source = "order form of the manufacturer, 2026"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any

from radioembolization.errors import VialError
from radioembolization.physics import Device
from radioembolization.planning.vial_calendar import VialCalendar, sizes_in_steps_gbq
from radioembolization.planning.vial_supply import SharedVials, Supply, WholeVials, usual_supply
from radioembolization.planning.vial_times import after, aware_time, elapsed_h, weekly, zone_named
from radioembolization.planning.vials import DecaySense, Vial

_STEPS = ("first_gbq", "last_gbq", "step_gbq")
_WEEKLY = ("weekday", "time_of_day", "first_day", "last_day")
_NUMBERS = ("residual", "bq_per_sphere", "before_half_lives", "after_half_lives")
_KNOWN = {*_STEPS, *_WEEKLY, *_NUMBERS, "sizes_gbq", "time_zone", "calibrations", "vials_per_site", "most_vials"}
_KNOWN |= {"source"}


@dataclass(frozen=True)
class TableEntry:
    """One vial at one time.

    Parameters
    ----------
    calibrated_gbq : float
        Its size [GBq].
    calibrated_at, injected_at : datetime
    elapsed_h : float
        Time since calibration [h]; negative for an early delivery.
    activity_gbq, delivered_gbq : float
        In the vial at the injection, and what of it reaches the patient [GBq].
    bq_per_sphere : float
        Activity of one microsphere at the injection [Bq].
    microspheres : float
        In the vial.
    """

    calibrated_gbq: float
    calibrated_at: datetime
    injected_at: datetime
    elapsed_h: float
    activity_gbq: float
    delivered_gbq: float
    bq_per_sphere: float
    microspheres: float


def vial_time_table(calendar: VialCalendar, times: Sequence[datetime]) -> tuple[TableEntry, ...]:
    """Return every vial that makes sense at every time, by time, calibration and size.

    Raises
    ------
    VialError
        If no vial makes sense at one of the times.
    """
    return tuple(_entry(vial, at, calendar.residual) for at in times for vial in calendar.vials_for(at))


def _entry(vial: Vial, at: datetime, residual: float) -> TableEntry:
    activity = vial.activity_gbq(at)
    return TableEntry(
        calibrated_gbq=vial.calibrated_gbq,
        calibrated_at=vial.calibrated_at,
        injected_at=at,
        elapsed_h=elapsed_h(vial.calibrated_at, at),
        activity_gbq=activity,
        delivered_gbq=activity * (1.0 - residual),
        bq_per_sphere=vial.bq_per_sphere_at(at),
        microspheres=vial.microspheres,
    )


def calendar_from_table(table: Mapping[str, Any], device: Device) -> VialCalendar:
    """Return the calendar that a table states (see the head of this file).

    Raises
    ------
    VialError
        If an entry is unknown, missing or impossible.
    """
    unknown = sorted(set(table) - _KNOWN)
    if unknown:
        raise VialError(f"Unknown entry '{unknown[0]}' of the vials: known are {', '.join(sorted(_KNOWN))}.")
    zone = zone_named(_text(table, "time_zone")) if "time_zone" in table else None
    sense = DecaySense()
    for name in ("before_half_lives", "after_half_lives"):
        if name in table:
            sense = replace(sense, **{name: _number(table, name)})
    return VialCalendar.of(
        device,
        _calibrations(table, zone),
        _sizes(table),
        _number(table, "bq_per_sphere") if "bq_per_sphere" in table else None,
        _number(table, "residual") if "residual" in table else None,
        _supply(table, device),
        sense,
        _text(table, "source") if "source" in table else None,
    )


def _calibrations(table: Mapping[str, Any], zone: tzinfo | None) -> list[datetime]:
    listed, by_week = table.get("calibrations"), [name for name in _WEEKLY if name in table]
    if (listed is None) == (not by_week):
        raise VialError(f"Vials need either calibrations or all of {', '.join(_WEEKLY)}.")
    if listed is not None:
        entries = listed if isinstance(listed, list) else [listed]
        return [aware_time(entry, zone, "The calibration") for entry in entries]
    missing = [name for name in _WEEKLY if name not in table]
    if missing:
        raise VialError(f"Weekly calibrations lack {missing[0]}.")
    if zone is None:
        raise VialError("Weekly calibrations need time_zone, as 'America/New_York'.")
    first, last = (_day(table, name) for name in ("first_day", "last_day"))
    return list(weekly(table["weekday"], table["time_of_day"], zone, first, last))


def _sizes(table: Mapping[str, Any]) -> tuple[float, ...] | None:
    given = [name for name in _STEPS if name in table]
    if "sizes_gbq" in table:
        if given:
            raise VialError(f"Vials have sizes_gbq and {given[0]}: state one or the other.")
        sizes = table["sizes_gbq"]
        if not isinstance(sizes, list):
            raise VialError(f"sizes_gbq is a list of numbers, not {sizes!r}.")
        return tuple(_checked_number("sizes_gbq", size) for size in sizes)
    if not given:
        return None
    if len(given) < len(_STEPS):
        raise VialError(f"Vial sizes in steps need all of {', '.join(_STEPS)}.")
    return sizes_in_steps_gbq(*(_number(table, name) for name in _STEPS))


def _supply(table: Mapping[str, Any], device: Device) -> Supply:
    usual = usual_supply(device)
    for name, kind in (("vials_per_site", WholeVials), ("most_vials", SharedVials)):
        if name in table:
            number = table[name]
            if not isinstance(number, int) or isinstance(number, bool):
                raise VialError(f"{name} is a whole number, not {number!r}.")
            if not isinstance(usual, kind):
                raise VialError(f"{name} has no meaning for {device.title}.")
            return kind(number)
    return usual


def _day(table: Mapping[str, Any], name: str) -> date:
    value = table[name]
    try:
        day = value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise VialError(f"{name} {value!r} is no day: write it as 2026-03-29.") from None
    return day.date() if isinstance(day, datetime) else day


def _number(table: Mapping[str, Any], name: str) -> float:
    return _checked_number(name, table[name])


def _checked_number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise VialError(f"{name} of the vials is a number, not {value!r}.")
    return float(value)


def _text(table: Mapping[str, Any], name: str) -> str:
    value = table[name]
    if not isinstance(value, str):
        raise VialError(f"{name} of the vials is a text, not {value!r}.")
    return value


def hourly(first: datetime, hours: int, step_h: float = 1.0) -> tuple[datetime, ...]:
    """Return times in steps of hours that really pass, on the clock of the first (``VialError`` without zone)."""
    start = aware_time(first)
    return tuple(after(start, k * step_h) for k in range(int(hours / step_h + 1e-9) + 1))
