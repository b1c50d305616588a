"""What was found out beside a plan as nodes of a scene: tables, front, staircase, histogram bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import slicer

from radioembolization.structures import NORMAL_LIVER
from RadioembolizationPlannerLib import plan_analysis as found
from RadioembolizationPlannerLib import plans
from RadioembolizationPlannerLib.charts import Axes, Line, add_line, new_chart
from RadioembolizationPlannerLib.colors import Color, distinct_colors
from RadioembolizationPlannerLib.dose_display import rounded_up
from RadioembolizationPlannerLib.plan_analysis import Document, part_of
from RadioembolizationPlannerLib.tables import Columns, publish_table

_PLANS, _PLAN, _BOUND = distinct_colors(3)
_INJECTIONS = "Injections"
#: Bands of so many structures, at most, can still be told apart.
_MOST_BANDS = 6
#: Rim around the points of a chart, of what they span.
_RIM = 0.06


def publish_analysis(
    scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, colors: Mapping[str, Color] | None = None
) -> None:
    """Put what the file of a plan says beside the plan into a scene, tied to the plan.

    Parameters
    ----------
    scene : vtkMRMLScene
    plan : vtkMRMLTextNode
    colors : mapping of str to Color, optional
        Of the bands, by structure.
    """
    document = found.document_of(plan)
    front, stairs = part_of(document, "trade_offs", "front"), part_of(document, "trade_offs", "staircase")
    scenarios, vials = part_of(document, "scenarios"), part_of(document, "vials")
    if front:
        _publish_front(scene, plan, front, document)
    if stairs:
        _publish_stairs(scene, plan, stairs, found.site_names(document))
    if scenarios:
        _table(scene, plan, plans.CHANCES, "limits in scenarios", found.chance_columns(scenarios))
        _table(scene, plan, plans.TUMORS, "tumors in scenarios", found.tumor_columns(scenarios))
        if scenarios["plan"].get("bands"):
            _publish_bands(scene, plan, _few_bands(scenarios["plan"]["bands"]), colors or {})
    if vials:
        _table(scene, plan, plans.VIALS, "vials", found.injection_columns(vials))
        _table(scene, plan, plans.ORDERS, "order", found.order_columns(vials))


def _table(
    scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, role: str, title: str, columns: Columns
) -> slicer.vtkMRMLTableNode:
    table = publish_table(scene, f"{plan.GetName()}: {title}", columns)
    plans.tie(plan, role, table)
    return table


def _publish_front(
    scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, front: Document, document: Document
) -> None:
    columns = found.front_columns(front)
    x, y = list(columns)[:2]
    table = _table(scene, plan, plans.FRONT, "front", columns)
    goal = document["goal"]["value"]
    mark = _drawn(scene, plan, {x: [front["limit_bound"]], y: [goal]})
    xs, ys = [*columns[x], front["limit_bound"]], [*columns[y], goal]
    chart = new_chart(scene, found.american(f"{plan.GetName()}: {front['limit']}"), Axes(x, y, _span(xs), _span(ys)))
    plans.tie(plan, plans.FRONT_CHART, chart)
    style = "None" if front["points_only"] else "Solid"  # nothing is known between the points
    points = table if len(columns[x]) > 1 else _drawn(scene, plan, {x: columns[x], y: columns[y]})
    plans.tie(plan, plans.FRONT_SERIES, add_line(chart, points, Line("plans", x, y, _PLANS, style, "Circle")))
    plans.tie(plan, plans.FURTHER_SERIES, add_line(chart, mark, Line(plan.GetName(), x, y, _PLAN, "None", "Diamond")))


def _drawn(scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, columns: Columns) -> slicer.vtkMRMLTableNode:
    """Return a table with one point twice: VTK draws no line of fewer than two points, and says so in the log."""
    table = publish_table(scene, f"{plan.GetName()}: point", {name: [*ones, *ones] for name, ones in columns.items()})
    plans.tie(plan, plans.MARK, table)
    return table


def _publish_stairs(
    scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, stairs: Document, names: Sequence[str]
) -> None:
    columns = found.stairs_columns(stairs, names)
    y, best = list(columns)[1:3]
    table = _table(scene, plan, plans.STAIRS, "number of injections", columns)
    values = [value for value in (*columns[y], *columns[best]) if value == value]
    axes = Axes(_INJECTIONS, y, (0.5, max(columns[_INJECTIONS]) + 0.5), _span([0.0, *values]))
    chart = new_chart(scene, f"{plan.GetName()}: number of injections", axes)
    plans.tie(plan, plans.STAIRS_CHART, chart)
    lines = (
        Line("plans", _INJECTIONS, y, _PLANS, "Dash", "Circle"),
        Line("no plan is better", _INJECTIONS, best, _BOUND, "None", "Cross"),
    )
    points = (
        table if len(columns[y]) > 1 else _drawn(scene, plan, {name: columns[name] for name in (_INJECTIONS, y, best)})
    )
    plans.tie(plan, plans.FURTHER_SERIES, *(add_line(chart, points, line) for line in lines))


def _publish_bands(
    scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, bands: Sequence[Document], colors: Mapping[str, Color]
) -> None:
    levels, columns, highest_gy = (("P50", "Solid"), ("P10", "Dash"), ("P90", "Dash")), {}, 0.0
    rows = max(len(band["dose_gy"]) for band in bands)
    for band in bands:
        highest_gy = max(highest_gy, *band["dose_gy"])
        columns[_dose(band)] = _filled(band["dose_gy"], rows)
        for level, _style in levels:
            columns[_volume(band, level)] = _filled(band[f"{level.lower()}_percent"], rows)
    table = _table(scene, plan, plans.BANDS, "DVH bands", columns)
    axes = Axes("Dose (Gy)", "Volume (%)", (0.0, rounded_up(highest_gy) if highest_gy > 0.0 else 1.0), (0.0, 100.0))
    chart = new_chart(scene, f"{plan.GetName()}: DVH, P10 to P90 of the scenarios", axes)
    plans.tie(plan, plans.BANDS_CHART, chart)
    own = dict(zip((band["name"] for band in bands), distinct_colors(len(bands)), strict=True)) | dict(colors)
    for band in bands:
        for level, style in levels:
            name, pixels = f"{band['name']} {level}", 2 if level == "P50" else 1
            line = Line(name, _dose(band), _volume(band, level), own[band["name"]], style, pixels=pixels)
            plans.tie(plan, plans.FURTHER_SERIES, add_line(chart, table, line))


def _few_bands(bands: Sequence[Document]) -> list[Document]:
    """Return the bands that are shown: all, or where they are many, normal liver and the tumors with least dose."""
    if len(bands) <= _MOST_BANDS:
        return list(bands)
    tumors = sorted((band for band in bands if band["name"] != NORMAL_LIVER), key=_median_gy)
    return [*(band for band in bands if band["name"] == NORMAL_LIVER), *tumors[: _MOST_BANDS - 1]]


def _median_gy(band: Document) -> float:
    pairs = zip(band["dose_gy"], band["p50_percent"], strict=True)
    return next((float(dose_gy) for dose_gy, percent in pairs if percent < 50.0), float(band["dose_gy"][-1]))


def _dose(band: Document) -> str:
    return f"{band['name']}: dose (Gy)"


def _volume(band: Document, level: str) -> str:
    return f"{band['name']}: {level} (%)"


def _filled(values: Sequence[float], rows: int) -> list[float]:
    """Return a column of so many rows; its last value goes on, where no more is drawn."""
    return [*(float(value) for value in values), *[float(values[-1])] * (rows - len(values))]


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    rim = _RIM * (high - low) or 0.1 * abs(high) or 1.0
    return (low - rim if low else 0.0), high + rim
