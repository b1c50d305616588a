"""Charts of a treatment: dose-volume histograms with limits, activities."""

from __future__ import annotations

from typing import Any

from radioembolization.planning import LimitResult
from radioembolization.report.formats import gbq, gy
from radioembolization.report.palette import ACCENT, INK, legend, line_styles, shortened
from radioembolization.treatment import Treatment

_WIDTH_INCHES = 7.1
_MET, _NOT_MET = "#1B7F3B", "#B3261E"


def draw_dvh(figure: Any, treatment: Treatment) -> None:
    """Draw the dose-volume histograms, and above them every dose limit with the value reached."""
    limits = [(limit, limit.value) for limit in treatment.plan.limits if limit.unit == "Gy" and limit.value is not None]
    rows = 0.24 * len(limits) + 0.12 if limits else 0.0
    curves = max(3.1, 0.19 * len(treatment.histograms) + 0.6)
    height = curves + rows + 0.6
    figure.set_size_inches(_WIDTH_INCHES, height)
    axes = figure.add_axes((0.075, 0.45 / height, 0.63, curves / height))
    highest = _draw_curves(axes, treatment)
    highest = max([highest, *(1.1 * max(limit.limit, value) for limit, value in limits)]) or 1.0
    axes.set(xlim=(0.0, 1.02 * highest), ylim=(0.0, 101.0))
    axes.set(xlabel="Absorbed dose [Gy]", ylabel="Volume [%]")
    axes.grid(color="#DDE3E8", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    if limits:
        bottom = (0.45 + curves + 0.08) / height
        _draw_limits(figure.add_axes((0.075, bottom, 0.63, rows / height), sharex=axes), limits, 1.02 * highest)


def _draw_curves(axes: Any, treatment: Treatment) -> float:
    """Draw every histogram; return the highest dose."""
    styles = line_styles(treatment.case.structures)
    handles, names = [], []
    for name, histogram in treatment.histograms.items():
        colour, style = styles[name]
        width = 1.6 if style == "-" else 1.3
        shares = 100.0 * histogram.volume_share
        handles += axes.plot(histogram.dose_gy, shares, color=colour, linestyle=style, linewidth=width)
        names.append(name)
    legend(axes, handles, names, 27, loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=7.5, handlelength=2.6)
    return float(max(h.dose_gy[-1] for h in treatment.histograms.values()))


def _draw_limits(axes: Any, limits: list[tuple[LimitResult, float]], highest: float) -> None:
    """Draw one row per limit: the limit as a bar across, the value reached as a dot."""
    for row, (limit, value) in enumerate(limits):
        colour = _MET if limit.met else _NOT_MET
        allowed = (0.0, limit.limit) if limit.sense == "at most" else (limit.limit, highest)
        axes.plot(allowed, (row, row), color="#C7D0D8", linewidth=3.0, solid_capstyle="butt", zorder=1)
        axes.plot([limit.limit], [row], marker="|", markersize=9, markeredgewidth=1.6, color=INK, zorder=2)
        axes.plot([value], [row], marker="o", markersize=4.5, color=colour, zorder=3, clip_on=False)
        sign = "≤" if limit.sense == "at most" else "≥"
        text = f"{limit.name}: {gy(value)} ({sign} {gy(limit.limit)} Gy)"
        right = limit.limit < 0.45 * highest
        axes.annotate(
            text,
            (max(limit.limit, value) if right else min(limit.limit, value), row),
            xytext=(7 if right else -7, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=7,
            color=INK,
            parse_math=False,
        )
    axes.set(ylim=(len(limits) - 0.5, -0.5))
    axes.yaxis.set_visible(False)
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)


def draw_sites(figure: Any, treatment: Treatment) -> None:
    """Draw the activity of every used site as a bar."""
    sites = treatment.plan.used_sites
    height = 0.75 + 0.28 * max(1, len(sites))
    figure.set_size_inches(_WIDTH_INCHES, height)
    axes = figure.add_axes((0.28, 0.48 / height, 0.64, 1.0 - 0.55 / height))
    activities = [site.activity_gbq for site in sites]
    axes.barh(range(len(sites)), activities, height=0.62, color=ACCENT)
    beside = {"textcoords": "offset points", "va": "center", "fontsize": 7.5, "parse_math": False}
    for row, site in enumerate(sites):
        axes.annotate(shortened(site.name, 34), (0.0, row), (-5, 0), ha="right", **beside)
        axes.annotate(f"{gbq(site.activity_gbq)} GBq", (site.activity_gbq, row), (4, 0), **beside)
    axes.set(xlim=(0.0, 1.18 * max(activities, default=1.0)), ylim=(max(1, len(sites)) - 0.4, -0.6))
    axes.set_xlabel("Activity [GBq]")
    axes.set_yticks([])
    axes.spines[["top", "right"]].set_visible(False)
