"""Vials over time: what each holds from its calibration to the end of its use, and when it is injected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from radioembolization.planning import OrderLine, VialPlan
from radioembolization.planning.vial_times import after, elapsed_h
from radioembolization.planning.vials import Vial
from radioembolization.report.formats import gbq
from radioembolization.report.palette import ACCENT, INK, QUIET, shortened

_WIDTH_INCHES, _HEIGHT_INCHES = 7.1, 3.2
_INJECTED = "#D55E00"
#: The chart reaches so many hours beyond calibrations and injections, at most.
_MARGIN_H = 12.0
_POINTS = 121
#: Room for a line of text, of the height of the chart.
_LABEL_HEIGHT = 0.06


def draw_vials(figure: Any, vials: VialPlan) -> None:
    """Draw the content of every ordered vial over time, its hour of injection and the hours it can be used."""
    figure.set_size_inches(_WIDTH_INCHES, _HEIGHT_INCHES)
    axes = figure.add_axes((0.085, 0.15, 0.86, 0.82))
    axes.grid(color="#DDE3E8", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylabel("Activity of one vial [GBq]")
    if not vials.orders:
        axes.annotate("no vials", (0.5, 0.5), xycoords="axes fraction", ha="center", color=QUIET)
        return
    groups = _groups(vials.orders)
    start = min(min(g.line.calibrated_at, g.line.injected_at, key=_instant) for g in groups)
    first, last = _range(vials, start)
    highest = max(_draw_vial(axes, g, _vial(vials, g.line), start, (first, last)) for g in groups)
    axes.set(xlim=(first, last), ylim=(0.0, 1.15 * highest))
    _write_labels(axes, groups, start, 0.5 * (first + last), 1.15 * highest)
    _name_hours(axes, start, first, last)


@dataclass(frozen=True)
class _Group:
    """Equal vials of one hour, whatever their sites."""

    line: OrderLine
    count: int
    sites: tuple[str, ...]

    @property
    def held_gbq(self) -> float:
        """Content of one at the injection."""
        return self.line.bq_per_sphere * self.line.microspheres * 1e-9


def _groups(orders: Sequence[OrderLine]) -> list[_Group]:
    found: dict[tuple[datetime, float, datetime], list[OrderLine]] = {}
    for line in orders:
        found.setdefault((line.calibrated_at, line.calibrated_gbq, line.injected_at), []).append(line)
    return [
        _Group(lines[0], sum(line.count for line in lines), tuple(site for line in lines for site in line.sites))
        for lines in found.values()
    ]


def _instant(moment: datetime) -> float:
    return moment.timestamp()


def _range(vials: VialPlan, start: datetime) -> tuple[float, float]:
    """Return the hours to show, counted from the first event."""
    hours = [elapsed_h(start, at) for line in vials.orders for at in (line.calibrated_at, line.injected_at)]
    window = [elapsed_h(start, at) for line in vials.orders for at in (line.earliest, line.latest)]
    low, high = min(hours), max(hours)
    room = min(_MARGIN_H, 0.15 * (high - low) + 2.0)
    return max(low - room, min([low - room, *window])), min(high + _MARGIN_H, max([high + room, *window]))


def _vial(vials: VialPlan, line: OrderLine) -> Vial:
    return next(
        vial
        for injection in vials.chosen.injections
        for vial in injection.vials
        if (vial.calibrated_at, vial.calibrated_gbq) == (line.calibrated_at, line.calibrated_gbq)
    )


def _draw_vial(axes: Any, group: _Group, vial: Vial, start: datetime, shown: tuple[float, float]) -> float:
    """Draw one kind of vial; return its highest activity."""
    line, half_life_h = group.line, vial.device.nuclide.half_life_h
    hours = np.linspace(*shown, _POINTS)
    zero = elapsed_h(start, line.calibrated_at)
    activity = line.calibrated_gbq * 2.0 ** (-(hours - zero) / half_life_h)
    axes.plot(hours, activity, color=ACCENT, linewidth=0.9, alpha=0.45, zorder=2)
    usable = (hours >= elapsed_h(start, line.earliest)) & (hours <= elapsed_h(start, line.latest))
    axes.plot(hours[usable], activity[usable], color=ACCENT, linewidth=2.6, solid_capstyle="butt", zorder=3)
    axes.plot([zero], [line.calibrated_gbq], marker="|", markersize=9, color=INK, markeredgewidth=1.4, zorder=4)
    at = elapsed_h(start, line.injected_at)
    axes.plot([at], [group.held_gbq], marker="o", markersize=5, color=_INJECTED, zorder=5)
    return float(activity.max())


def _write_labels(axes: Any, groups: Sequence[_Group], start: datetime, middle: float, top: float) -> None:
    """Write what is injected beside each point: above the falling curve on its right, or below it on its left."""
    below = {"left": -np.inf, "right": -np.inf}
    for group in sorted(groups, key=lambda g: g.held_gbq):
        at = elapsed_h(start, group.line.injected_at)
        side = "left" if at < middle else "right"
        height = max(group.held_gbq + (0.035 if side == "left" else -0.055) * top, below[side] + _LABEL_HEIGHT * top)
        below[side] = height
        text = f"{group.count} × {gbq(group.held_gbq)} GBq: {', '.join(group.sites)}"
        where = {"textcoords": "offset points", "ha": side, "va": "center", "fontsize": 7.5, "parse_math": False}
        axes.annotate(shortened(text, 58), (at, height), (7 if side == "left" else -7, 0), color=INK, **where)


def _name_hours(axes: Any, start: datetime, first: float, last: float) -> None:
    """Write clock times, in the zone of the first event, at round hours."""
    span = last - first
    step = next((s for s in (1, 2, 3, 6, 12, 24, 48) if span / s <= 9), 96)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    ticks = []
    hour = -step * np.ceil((elapsed_h(midnight, start) - first + step) / step)
    while True:
        moment = after(midnight, float(hour))
        place = elapsed_h(start, moment)
        if place > last:
            break
        if place >= first:
            ticks.append((place, moment))
        hour += step
    names = [f"{moment:%H:%M}\n{moment:%Y-%m-%d}" for _, moment in ticks]
    axes.set_xticks([place for place, _ in ticks], names)
    axes.tick_params(axis="x", labelsize=7)
