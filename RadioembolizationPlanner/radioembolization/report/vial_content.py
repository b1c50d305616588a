"""What the page says about vials: injections, the ordering list, every vial at the hour of injection."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from radioembolization.planning import VialCalendar, VialPlan
from radioembolization.planning.vial_choice import VialSet
from radioembolization.planning.vial_table import vial_time_table
from radioembolization.planning.vials import Injection, Vial
from radioembolization.report.formats import fixed, gbq

#: Calibrations that are columns of a table, the nearest to the injection.
_MOST_CALIBRATIONS = 6


@dataclass(frozen=True)
class HourTable:
    """What every vial delivers at one hour: sizes as rows, calibrations as columns.

    Parameters
    ----------
    at : datetime
    sites : tuple of str
        Injected at that hour.
    calibrations : tuple of datetime
    rows : tuple of (float, tuple of (float or None, bool))
        Size at calibration [GBq]; delivered activity of each [GBq], and whether it is chosen.
    """

    at: datetime
    sites: tuple[str, ...]
    calibrations: tuple[datetime, ...]
    rows: tuple[tuple[float, tuple[tuple[float | None, bool], ...]], ...]


def clock(moment: datetime) -> str:
    """Return day, time and zone."""
    return moment.isoformat(" ", "minutes")


def vials_in_words(vials: tuple[Vial, ...]) -> str:
    """Return the vials of an injection, equal ones counted.

    ``1 × 3 GBq calibrated 2026-12-01 08:00+01:00``
    """
    counts = Counter((vial.calibrated_gbq, vial.calibrated_at) for vial in vials)
    return ", ".join(f"{n} × {size:.4g} GBq calibrated {clock(when)}" for (size, when), n in counts.items())


def vials_by_site(vials: VialPlan) -> dict[str, str]:
    """Return the vials of every site in words, with the hour of injection."""
    return {
        one.site: f"{_share(one)}vial {vials_in_words(one.vials)}, injected {clock(one.at)}"
        for one in vials.chosen.injections
    }


def _share(injection: Injection) -> str:
    """Say how much is drawn where a vial is not injected whole."""
    content = sum(vial.activity_gbq(injection.at) for vial in injection.vials)
    whole = abs(injection.activity_gbq - content) <= 1e-9 * content
    return "" if whole else f"{gbq(injection.activity_gbq)} GBq of "


def hour_tables(vials: VialPlan, calendar: VialCalendar) -> list[HourTable]:
    """Return what every vial delivers at every hour of injection; none where vials are made for the patient."""
    if not calendar.sizes_gbq:
        return []
    times = dict.fromkeys(one.at for one in vials.chosen.injections)
    return [_hour_table(vials, calendar, at) for at in times]


def _hour_table(vials: VialPlan, calendar: VialCalendar, at: datetime) -> HourTable:
    entries = vial_time_table(calendar, [at])
    now = [one for one in vials.chosen.injections if one.at == at]
    chosen = {(vial.calibrated_gbq, vial.calibrated_at) for one in now for vial in one.vials}
    nearest = {entry.calibrated_at: abs(entry.elapsed_h) for entry in entries}
    kept = sorted(nearest, key=lambda calibration: nearest[calibration])[:_MOST_CALIBRATIONS]
    kept = sorted({*kept, *(calibration for _, calibration in chosen)})
    delivered = {(entry.calibrated_gbq, entry.calibrated_at): entry.delivered_gbq for entry in entries}
    sizes = sorted({entry.calibrated_gbq for entry in entries})
    return HourTable(
        at,
        tuple(one.site for one in now),
        tuple(kept),
        tuple((size, tuple((delivered.get((size, c)), (size, c) in chosen) for c in kept)) for size in sizes),
    )


def set_in_words(vials: VialSet) -> str:
    """Return the vials of a set, site by site."""
    return "; ".join(f"{one.site}: {vials_in_words(one.vials)}" for one in vials.injections) or "nothing"


def window_sentence(vials: VialPlan) -> str:
    """Say by how much all injections can be moved."""
    window = vials.window
    ends = [end or "nothing that was looked at" for end in (window.ends_early_by, window.ends_late_by)]
    return (
        f"All injections together can be up to {fixed(window.earlier_h, 1)} h earlier (ended by: {ends[0]}) or "
        f"{fixed(window.later_h, 1)} h later (ended by: {ends[1]})."
    )
