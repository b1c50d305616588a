"""Rows of the part of vials: calibrations, and hours of sites."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from slicer.i18n import tr as _

from RadioembolizationPlannerLib.asked import OF_SITES, with_entry
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.editable_table import Column, Rows

_CALIBRATIONS = "calibrations"
_SITE, _HOUR = range(2)


def calibration_rows() -> Rows:
    """Return the rows of the times for which vials are calibrated."""

    def shown(p: PlannerParameters) -> Sequence[Sequence[str]]:
        return [[text] for text in p.vials.get(_CALIBRATIONS) or ()]

    def edited(p: PlannerParameters, row: int, _column: int, text: str) -> dict[str, Any]:
        times = list(p.vials[_CALIBRATIONS])
        times[row] = text
        return with_entry(p.vials, _CALIBRATIONS, [time for time in times if time])

    tip = _("As 2026-03-15T12:00, on the clock of the time zone, or with an offset such as +02:00.")
    return Rows((Column(_("Calibrated for"), tip),), shown, edited, parameter="vials")


def hour_rows() -> Rows:
    """Return the rows of the hours at which sites are injected."""

    def shown(p: PlannerParameters) -> Sequence[Sequence[str]]:
        hours = p.vials.get(OF_SITES) or {}
        return [[site.name, hours.get(site.name, "")] for site in p.sites]

    def edited(p: PlannerParameters, row: int, column: int, text: str) -> dict[str, Any]:
        hours = with_entry(p.vials.get(OF_SITES) or {}, p.sites[row].name, text)
        return with_entry(p.vials, OF_SITES, hours)

    tip = _("As 2026-03-17T09:00; empty for the time above. A site without any is not used.")
    return Rows((Column(_("Site"), editable=False), Column(_("Injected at"), tip)), shown, edited, parameter="vials")


def with_calibration(p: PlannerParameters, now: datetime) -> dict[str, Any]:
    """Return the calendar with one calibration more: a week after the last, or noon of next Sunday."""
    times = list(p.vials.get(_CALIBRATIONS) or ())
    try:
        following = datetime.fromisoformat(times[-1]) + timedelta(days=7)
    except (IndexError, ValueError):
        sunday = now.date() + timedelta(days=6 - now.weekday() or 7)
        following = datetime(sunday.year, sunday.month, sunday.day, 12)
    return with_entry(p.vials, _CALIBRATIONS, [*times, following.isoformat(timespec="minutes")])
