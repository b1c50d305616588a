"""Trade-offs as charts: the goal over the bound of a limit, and over the number of injections."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from radioembolization.planning.front import FrontPoint, ParetoFront
from radioembolization.planning.staircase import Staircase, Step
from radioembolization.report.formats import in_unit, significant
from radioembolization.report.palette import ACCENT, INK, QUIET

_WIDTH_INCHES, _HEIGHT_INCHES = 7.1, 3.6
_PLAN = "#D55E00"
#: The chart reaches to so many times the prescribed bound, unless asked for more.
_REACH = 2.5
#: Prices are written beside so many of the longest pieces.
_MOST_PRICES = 6
_PRICE_WIDTH = 0.08


def draw_front(
    figure: Any,
    front: ParetoFront,
    plan: tuple[float, float] | None = None,
    between: tuple[float, float] | None = None,
) -> None:
    """Draw a front with its breakpoints and prices, and where the plan is.

    Parameters
    ----------
    figure : matplotlib Figure
    front : ParetoFront
    plan : (float, float), optional
        Value of the limited quantity, and of the goal, of the plan.
    between : (float, float), optional
        Bounds to show; default up to two and a half times the one prescribed.
    """
    axes = _axes(figure, f"{_first_upper(front.goal)} [{front.goal_unit or '1'}]")
    low, high = between or _shown(front)
    points = [point for point in front.points if low <= point.limit_bound <= high]
    x, y = [p.limit_bound for p in front.points], [p.value for p in front.points]
    if front.points_only:
        _draw_points(axes, front)
    else:
        axes.plot(x, y, color=ACCENT, linewidth=1.6, zorder=2)
        size = 4.0 if len(front.points) <= 30 else 2.0
        axes.plot(x, y, linestyle="none", marker="o", markersize=size, color=ACCENT, zorder=3)
    _draw_ends(axes, front, low, high)
    axes.axvline(front.limit_bound, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
    ends = [front.value_at(min(max(bound, x[0]), x[-1])) for bound in (low, high)]
    top = _height(axes, [*(p.value for p in points), *ends, *([plan[1]] if plan else [])])
    if not front.points_only:
        _write_prices(axes, front, low, high, top)
    if plan is not None:
        axes.plot([plan[0]], [plan[1]], marker="D", markersize=6, color=_PLAN, linestyle="none", zorder=4)
        axes.annotate("plan", plan, (8, -3), textcoords="offset points", color=_PLAN, va="top", fontsize=8)
    sign = "at most" if front.upper else "at least"
    axes.set(xlim=(low, high))
    axes.set_xlabel(f"{_first_upper(front.limit)}: {sign} [{front.limit_unit}]", parse_math=False)


def draw_staircase(figure: Any, staircase: Staircase, plan: tuple[int, float] | None = None) -> None:
    """Draw the best goal for every number of injections; ``plan`` is the number and the goal of the plan."""
    axes = _axes(figure, f"{_first_upper(staircase.goal)} [{staircase.goal_unit or '1'}]")
    found = [(step, step.value) for step in staircase.steps if step.value is not None]
    axes.bar([s.most_injections for s, _ in found], [v for _, v in found], width=0.62, color=ACCENT, zorder=2)
    values = [value for _, value in found]
    axes.axhline(staircase.all_sites, color=QUIET, linewidth=0.9, linestyle=(0, (5, 2)), zorder=1)
    _height(axes, [*values, staircase.all_sites])
    for step, value in found:
        text = in_unit(value, staircase.goal_unit) + ("" if step.status == "optimal" else "*")
        where = {"textcoords": "offset points", "ha": "center", "va": "top", "fontsize": 7.5}
        axes.annotate(text, (step.most_injections, value), (0, -5), color="white", **where)
    _write_none(axes, staircase.steps)
    if plan is not None:
        axes.plot([plan[0]], [plan[1]], marker="D", markersize=6, color=_PLAN, linestyle="none", zorder=4)
    last = staircase.steps[-1].most_injections
    axes.annotate(
        f"no plan is better: {in_unit(staircase.all_sites, staircase.goal_unit)} {staircase.goal_unit}",
        (0.45, staircase.all_sites),
        (0, 3),
        textcoords="offset points",
        color=QUIET,
        fontsize=7.5,
    )
    axes.set(xlim=(0.4, last + 0.6))
    names = [f"{n}\n(plan)" if plan is not None and n == plan[0] else str(n) for n in range(1, last + 1)]
    axes.set_xticks(range(1, last + 1), names)
    axes.set_xlabel("Injections, at most" + ("" if all(s.status != "gap" for s in staircase.steps) else " (* gap)"))


def _axes(figure: Any, ylabel: str) -> Any:
    figure.set_size_inches(_WIDTH_INCHES, _HEIGHT_INCHES)
    axes = figure.add_axes((0.095, 0.16, 0.88, 0.80))
    axes.grid(color="#DDE3E8", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylabel(ylabel, parse_math=False)
    return axes


def _shown(front: ParetoFront) -> tuple[float, float]:
    """Return the bounds to show: from the first point, a little beyond the last, but not far beyond the limit."""
    first, last = front.points[0].limit_bound, front.points[-1].limit_bound
    beyond = 0.04 * (last - first)
    high = min(last + beyond, max(_REACH * front.limit_bound, first + 0.2 * (last - first)))
    return max(0.0, first - 0.04 * (high - first)), high


def _height(axes: Any, values: Sequence[float]) -> float:
    """Set the vertical range from zero, or around negative values; return its top."""
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.12 * (high - low or 1.0)
    axes.set_ylim(low - (room if low < 0 else 0.0), high + room)
    return float(high + room)


def _draw_points(axes: Any, front: ParetoFront) -> None:
    """Draw proved points: nothing is known between them but that the plan of the tighter one fits."""
    x, y = [p.limit_bound for p in front.points], [p.value for p in front.points]
    axes.plot(x, y, color=ACCENT, linewidth=1.0, drawstyle="steps-post" if front.upper else "steps-pre", zorder=2)
    proved = [point for point in front.points if point.status == "optimal"]
    rest = [point for point in front.points if point.status != "optimal"]
    for points, face in ((proved, ACCENT), (rest, "white")):
        where = ([p.limit_bound for p in points], [p.value for p in points])
        axes.plot(*where, linestyle="none", marker="o", markersize=4.5, color=ACCENT, markerfacecolor=face, zorder=3)
    _draw_gaps(axes, rest)


def _draw_gaps(axes: Any, points: Sequence[FrontPoint]) -> None:
    for point in points:
        axes.plot([point.limit_bound] * 2, [point.value, point.best_possible], color=ACCENT, linewidth=0.8, zorder=2)


def _draw_ends(axes: Any, front: ParetoFront, low: float, high: float) -> None:
    """Shade bounds without a plan, and continue the front level where the limit has no effect."""
    infeasible, flat = front.infeasible_beyond, front.no_effect_beyond
    if infeasible is not None and low < infeasible < high:
        sides = (low, infeasible) if front.upper else (infeasible, high)
        axes.axvspan(*sides, color="#E9EDF1", zorder=0)
    if infeasible is not None and low < infeasible < high and sides[1] - sides[0] > _PRICE_WIDTH * (high - low):
        axes.annotate("no plan", (0.5 * sum(sides), 0.02), xycoords=("data", "axes fraction"), ha="center", color=QUIET)
    if flat is not None and low < flat < high:
        value = front.points[-1].value if front.upper else front.points[0].value
        axes.plot((flat, high) if front.upper else (low, flat), (value, value), color=QUIET, linewidth=1.0, zorder=1)


def _write_prices(axes: Any, front: ParetoFront, low: float, high: float, top: float) -> None:
    """Write what one more unit buys beside the longest pieces."""
    pieces = []
    for (a, b), price in zip(pairwise(front.points), front.prices, strict=True):
        left, right = max(a.limit_bound, low), min(b.limit_bound, high)
        if right - left > _PRICE_WIDTH * (high - low):
            pieces.append((right - left, 0.5 * (left + right), price))
    unit = f"{front.goal_unit} per {front.limit_unit}" + ("" if front.upper else " less")
    for _, middle, price in sorted(pieces, reverse=True)[:_MOST_PRICES]:
        text = f"{'+' if price > 0 else ''}{significant(price, 2)} {unit}".strip()
        value = front.value_at(middle)
        right = value > 0.25 * top or not front.upper
        above = not (right and front.upper)
        axes.annotate(
            text,
            (middle, value),
            (6 if right else -6, 8 if above else -8),
            textcoords="offset points",
            ha="left" if right else "right",
            va="bottom" if above else "top",
            color=INK,
            fontsize=7.5,
        )


def _write_none(axes: Any, steps: Sequence[Step]) -> None:
    for step in steps:
        if step.value is None:
            place = (step.most_injections, 0.02)
            axes.annotate("no plan", place, xycoords=("data", "axes fraction"), ha="center", color=QUIET, fontsize=7.5)


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
