"""A course over weeks: cycles and sessions, and what organs and the worst lesion have received after each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from radioembolization.course.exposure import Exposure, Modality
from radioembolization.report.formats import gbq, significant
from radioembolization.report.palette import ACCENT, INK, QUIET, shortened
from radioembolization.structures import NORMAL_LIVER
from radioembolization.treatment.course_contrasts import liver_limit_beds_gy
from radioembolization.treatment.planned_course import PlannedCourse

_WIDTH_INCHES, _STRIP_INCHES, _PANEL_INCHES = 7.1, 1.05, 0.64
_LEFT, _WIDTH = 0.09, 0.66
_DAYS_PER_WEEK = 7.0
#: Weeks shown before the first and after the last administration; earlier history is told, not drawn.
_BEFORE, _AFTER = 2.0, 3.0
_LIMIT = "#B3261E"
_MARKS = {Modality.LUTETIUM: ("o", ACCENT), Modality.RADIOEMBOLIZATION: ("s", "#D55E00")}
_BEAMS = ("^", QUIET)


@dataclass(frozen=True)
class Panel:
    """One curve over time.

    Parameters
    ----------
    title : str
        With what is counted, without unit; [Gy] throughout.
    steps : tuple of (float, float)
        Week, and the total from then on [Gy].
    limits : tuple of (str, float)
        Name and value [Gy].
    colour : str
    """

    title: str
    steps: tuple[tuple[float, float], ...]
    limits: tuple[tuple[str, float], ...]
    colour: str


def panels(planned: PlannedCourse) -> tuple[Panel, ...]:
    """Return the curves: every organ with a budget, the normal liver, the lesion with the lowest BED."""
    ledger, found = planned.course.ledger, []
    limits: dict[tuple[str, bool], list[tuple[str, float]]] = {}
    for budget in planned.problem.budgets:
        if not budget.is_single:
            limits.setdefault((budget.structure, budget.is_bed), []).append((budget.name, budget.limit_gy))
    for (structure, is_bed), bounds in limits.items():
        steps = tuple((d / _DAYS_PER_WEEK, bed if is_bed else dose) for d, dose, bed in ledger.cumulative(structure))
        title = f"{structure.capitalize()}, {'BED' if is_bed else 'dose'}"
        found.append(Panel(title, steps, tuple(bounds), "#5E35B1" if is_bed else "#8D6E00"))
    steps = tuple((day / _DAYS_PER_WEEK, bed) for day, _, bed in ledger.cumulative(NORMAL_LIVER))
    device = planned.inputs.case.settings.device.name
    beds = liver_limit_beds_gy(planned.problem).values()
    liver_limits = tuple((f"BED of {dose:g} Gy {device}", bed) for dose, bed in beds)
    found.append(Panel("Normal liver, BED", steps, liver_limits, "#1B5E20"))
    found.append(_worst_lesion(planned))
    return tuple(found)


def _worst_lesion(planned: PlannedCourse) -> Panel:
    ledger, problem = planned.course.ledger, planned.problem
    curves = [ledger.cumulative(lesion) for lesion in problem.lesions]
    steps = tuple(
        (points[0][0] / _DAYS_PER_WEEK, min(bed for _, _, bed in points)) for points in zip(*curves, strict=True)
    )
    aim = () if problem.aim_bed_gy is None else (("aim", problem.aim_bed_gy),)
    return Panel("Lowest mean BED of a lesion", steps, aim, "#B0478B")


def draw_timeline(figure: Any, planned: PlannedCourse) -> None:
    """Draw administrations above, and one panel for each curve below, on one axis of weeks."""
    shown = panels(planned)
    height = _STRIP_INCHES + _PANEL_INCHES * len(shown) + 0.5
    figure.set_size_inches(_WIDTH_INCHES, height)
    exposures = planned.course.ledger.exposures
    begin, end = _span(exposures)
    strip = figure.add_axes((_LEFT, (height - _STRIP_INCHES) / height, _WIDTH, (_STRIP_INCHES - 0.1) / height))
    _draw_strip(strip, planned, begin, end)
    for row, panel in enumerate(shown):
        bottom = 0.45 + _PANEL_INCHES * (len(shown) - 1 - row)
        axes = figure.add_axes((_LEFT, bottom / height, _WIDTH, (_PANEL_INCHES - 0.24) / height))
        _draw_panel(axes, panel, exposures, begin, end)
        last = row == len(shown) - 1
        axes.tick_params(axis="x", labelbottom=last, bottom=last)
        if last:
            axes.set_xlabel("Weeks from the first administration of the course" + _earlier(exposures, begin))


def _span(exposures: tuple[Exposure, ...]) -> tuple[float, float]:
    weeks = [exposure.day / _DAYS_PER_WEEK for exposure in exposures]
    return min([0.0, *(w for w in weeks if w >= 0.0)]) - _BEFORE, max([0.0, *weeks]) + _AFTER


def _earlier(exposures: tuple[Exposure, ...], begin: float) -> str:
    """Return how many treatments lie before the axis, whose totals the curves begin with."""
    number = sum(exposure.day / _DAYS_PER_WEEK < begin for exposure in exposures)
    return f"; {number} earlier treatment{'s' if number > 1 else ''} counted" if number else ""


def _draw_strip(axes: Any, planned: PlannedCourse, begin: float, end: float) -> None:
    """Draw every administration with its activity, and the weeks between which it could lie as well."""
    _draw_tied_weeks(axes, planned, end)
    cycle = 0
    turned = {"rotation": 35, "ha": "left", "va": "bottom", "rotation_mode": "anchor", "fontsize": 7}
    for exposure in planned.course.ledger.exposures:
        cycle += exposure.modality is Modality.LUTETIUM
        week = exposure.day / _DAYS_PER_WEEK
        if week < begin:
            continue
        mark, colour = _MARKS.get(exposure.modality, _BEAMS)
        face = "white" if exposure in planned.planned else colour
        axes.plot(
            [week], [0.0], mark, color=colour, markerfacecolor=face, markeredgewidth=1.5, markersize=6.5, zorder=3
        )
        text = f"177Lu {cycle}" if exposure.modality is Modality.LUTETIUM else _session_name(exposure)
        if exposure.activity_gbq is not None:
            text += f", {gbq(exposure.activity_gbq)} GBq"
        axes.annotate(text, (week, 0.0), (-2, 7), textcoords="offset points", color=INK, parse_math=False, **turned)
    axes.set(xlim=(begin, end), ylim=(-0.42, 1.5))
    axes.axis("off")


def _draw_tied_weeks(axes: Any, planned: PlannedCourse, end: float) -> None:
    """Draw the weeks of schedules that count as equal, one bar below each administration to be given."""
    weeks = planned.course.ties.weeks
    if len(weeks) != len(planned.planned):
        return
    for number, (_, first, last) in enumerate(weeks):
        height = -0.22 - 0.12 * (number % 2)
        if last > first:
            ends = (first, min(last, end))
            axes.plot(ends, (height, height), color="#A9B6C1", linewidth=2.5, solid_capstyle="butt", zorder=1)
        if last > end:
            axes.annotate(f"to week {last}", (end, height), (3, 0), textcoords="offset points", fontsize=6, va="center")


def _session_name(exposure: Exposure) -> str:
    return shortened(exposure.label.removeprefix("radioembolization, "), 14)


def _draw_panel(axes: Any, panel: Panel, exposures: tuple[Exposure, ...], begin: float, end: float) -> None:
    weeks, totals = [begin], [0.0]
    for week, total in panel.steps:
        weeks.append(max(week, begin))
        totals.append(total)
    axes.step([*weeks, end], [*totals, totals[-1]], where="post", color=panel.colour, linewidth=1.6)
    for week in (exposure.day / _DAYS_PER_WEEK for exposure in exposures):
        if week >= begin:
            axes.axvline(week, color="#DDE3E8", linewidth=0.6, zorder=0)
    top = 1.14 * max([totals[-1], *(limit for _, limit in panel.limits)], default=1.0) or 1.0
    axes.set(xlim=(begin, end), ylim=(0.0, top))
    beside = {"xycoords": ("axes fraction", "data"), "fontsize": 7, "va": "center", "parse_math": False}
    for _, limit in panel.limits:
        axes.axhline(limit, color=_LIMIT, linewidth=1.0, linestyle=(0, (5, 2)))
    texts = [(f"{shortened(name, 26)}: {significant(limit)} Gy", limit, _LIMIT) for name, limit in panel.limits]
    texts += [(f"{significant(totals[-1])} Gy", totals[-1], panel.colour)]
    for text, value, colour in _spread(texts, top):
        axes.annotate(text, (1.015, value), color=colour, **beside)
    axes.annotate(f"{panel.title} [Gy]", (0.0, 1.04), xycoords="axes fraction", fontsize=7.5, color=INK, va="bottom")
    axes.locator_params(axis="y", nbins=3)
    axes.spines[["top", "right"]].set_visible(False)


def _spread(texts: list[tuple[str, float, str]], top: float) -> list[tuple[str, float, str]]:
    """Return texts with their heights moved apart, downwards from the highest, so that none covers another."""
    step, placed = 0.3 * top, list[tuple[str, float, str]]()
    for text, value, colour in sorted(texts, key=lambda one: -one[1]):
        highest = placed[-1][1] - step if placed else value
        placed.append((text, min(value, highest), colour))
    return placed
