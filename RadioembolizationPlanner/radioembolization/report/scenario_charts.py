"""Scenarios as charts: histograms with the band of most scenarios, and how often each limit is met."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from radioembolization.dose import DoseVolumeHistogram
from radioembolization.planning.scenario_evaluation import HistogramBand, ScenarioEvaluation
from radioembolization.report.formats import fixed, in_unit
from radioembolization.report.palette import ACCENT, INK, QUIET, LineStyle, legend, shortened
from radioembolization.structures import NORMAL_LIVER

_WIDTH_INCHES = 7.1
_COLUMNS, _PANEL_INCHES = 3, 1.75
#: More structures than this are not drawn.
MOST_PANELS = 12
#: A dose that fewer than this of the volume receive, in nine of ten scenarios, is beyond the panel [%].
_TAIL_PERCENT = 0.5
_BESIDE = "#9AA5B1"
_ALL_TOGETHER = "All limits together"


def shown_bands(evaluation: ScenarioEvaluation) -> tuple[HistogramBand, ...]:
    """Return the bands that are drawn: normal liver and the tumours, of too many those with the lowest mean at P10."""
    coldest = sorted(evaluation.tumours, key=lambda tumour: tumour.mean_gy.p10)
    kept = {NORMAL_LIVER, *(tumour.name for tumour in coldest[: MOST_PANELS - 1])}
    return tuple(band for band in evaluation.bands if band.name in kept)


def draw_bands(
    figure: Any,
    evaluation: ScenarioEvaluation,
    histograms: Mapping[str, DoseVolumeHistogram],
    styles: Mapping[str, tuple[str, LineStyle]],
) -> None:
    """Draw a panel for every structure: P10 to P90 shaded, the median as a line, the plan as planned dashed.

    Parameters
    ----------
    figure : matplotlib Figure
    evaluation : ScenarioEvaluation
        With bands.
    histograms : mapping of str to DoseVolumeHistogram
        Of the plan as planned.
    styles : mapping of str to (colour, line style)
    """
    bands = shown_bands(evaluation)
    columns = 2 if len(bands) in (2, 4) else min(_COLUMNS, max(1, len(bands)))
    rows = math.ceil(len(bands) / columns)
    height = rows * _PANEL_INCHES + 0.75
    figure.set_size_inches(_WIDTH_INCHES, height)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    figure.subplots_adjust(
        left=0.075, right=0.985, top=1 - 0.5 / height, bottom=0.42 / height, wspace=0.1, hspace=0.62 / _PANEL_INCHES
    )
    for axes, band in zip(grid.flat, bands, strict=False):
        _draw_band(axes, band, histograms.get(band.name), styles.get(band.name, (ACCENT, "-"))[0])
    for axes in grid.flat[len(bands) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("Volume [%]")
    for column in range(columns):
        grid[(len(bands) - 1 - column) // columns, column].set_xlabel("Absorbed dose [Gy]")
    _band_legend(figure, height)


def _draw_band(axes: Any, band: HistogramBand, planned: DoseVolumeHistogram | None, colour: str) -> None:
    axes.fill_between(
        band.dose_gy, band.p10_percent, band.p90_percent, color=colour, alpha=0.22, linewidth=0, label="P10 to P90"
    )
    axes.plot(band.dose_gy, band.p50_percent, color=colour, linewidth=1.4, label="P50")
    if planned is not None:
        shares = 100.0 * planned.volume_share
        axes.plot(planned.dose_gy, shares, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), label="as planned")
    inside = [dose for dose, share in zip(band.dose_gy, band.p90_percent, strict=True) if share > _TAIL_PERCENT]
    axes.set(xlim=(0.0, 1.05 * max(inside, default=0.0) or 1.0), ylim=(0.0, 101.0))
    axes.set_title(shortened(band.name, 34), fontsize=8, loc="left", pad=3, parse_math=False)
    axes.grid(color="#DDE3E8", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _band_legend(figure: Any, height: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(color=QUIET, alpha=0.3, linewidth=0),
        Line2D([], [], color=QUIET, linewidth=1.4),
        Line2D([], [], color=INK, linewidth=0.9, linestyle=(0, (4, 2))),
    ]
    names = ["P10 to P90 of the scenarios", "P50", "as planned"]
    place = {"loc": "upper right", "bbox_to_anchor": (0.99, 1 - 0.02 / height), "ncols": 3, "fontsize": 7.5}
    legend(figure, handles, names, 40, **place)


def draw_chances(
    figure: Any,
    evaluation: ScenarioEvaluation,
    beside: ScenarioEvaluation | None = None,
    promised: float | None = None,
) -> None:
    """Draw how often each limit is met, and all together.

    Parameters
    ----------
    figure : matplotlib Figure
    evaluation : ScenarioEvaluation
        Of the plan.
    beside : ScenarioEvaluation, optional
        Of the nominal plan, where the plan is another one.
    promised : float, optional
        Probability with which limits were to be met.
    """
    rows = _chances(evaluation)
    others = {} if beside is None else dict(_chances(beside))
    height = 0.62 + (0.38 if beside is None else 0.46) * len(rows) + (0.25 if beside is not None else 0.0)
    figure.set_size_inches(_WIDTH_INCHES, height)
    bottom = 0.45 / height
    axes = figure.add_axes((0.44, bottom, 0.49, 1 - bottom - (0.3 if beside is not None else 0.08) / height))
    thick = 0.5 if beside is None else 0.34
    places = [row - (0.0 if beside is None else 0.18) for row in range(len(rows))]
    handles = [axes.barh(places, [100 * share for _, share in rows], height=thick, color=ACCENT)]
    _write(axes, places, [share for _, share in rows])
    if beside is not None:
        below = [(row + 0.18, others[name]) for row, (name, _) in enumerate(rows) if name in others]
        handles.append(
            axes.barh([p for p, _ in below], [100 * share for _, share in below], height=thick, color=_BESIDE)
        )
        _write(axes, [p for p, _ in below], [share for _, share in below])
        names = ["this plan", "nominal plan"]
        legend(axes, handles, names, 30, loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=2, fontsize=7.5)
    if promised is not None:
        axes.axvline(100 * promised, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), zorder=3)
    axes.set(xlim=(0.0, 100.0), ylim=(len(rows) - 0.45, -0.55))
    axes.set_yticks(range(len(rows)), [fill(shortened(name, 84), 42) for name, _ in rows])
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
    axes.set_xlabel(f"Scenarios in which the limit is met [%] ({evaluation.count} scenarios)")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right"]].set_visible(False)


def _chances(evaluation: ScenarioEvaluation) -> list[tuple[str, float]]:
    """Return name and share of the scenarios, last that of all limits together if there are several."""
    known = [
        (
            f"{chance.name} {'≤' if chance.sense == 'at most' else '≥'} {in_unit(chance.limit, chance.unit)} "
            f"{chance.unit}".rstrip(),
            chance.probability,
        )
        for chance in evaluation.limits
    ]
    rows = [(name, share) for name, share in known if share is not None]
    return [*rows, (_ALL_TOGETHER, evaluation.all_limits)] if len(rows) > 1 else rows


def _write(axes: Any, places: Sequence[float], shares: Sequence[float]) -> None:
    """Write shares in a column beside the bars, where no line crosses them."""
    for place, share in zip(places, shares, strict=True):
        beside = {"textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 7}
        axes.annotate(fixed(100 * share, 1), (100.0, place), (27, 0), color=INK, **beside)
