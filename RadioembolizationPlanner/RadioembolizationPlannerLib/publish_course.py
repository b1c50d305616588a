"""A planned course as nodes of a scene: document, tables, curves over weeks with their limits, page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import slicer

from RadioembolizationPlannerLib import courses
from RadioembolizationPlannerLib.course_result import CourseCurve, CourseResult
from RadioembolizationPlannerLib.course_tables import (
    administration_columns,
    alternative_columns,
    effect_columns,
    ledger_columns,
    limit_columns,
    notice_columns,
)
from RadioembolizationPlannerLib.dose_display import rounded_up
from RadioembolizationPlannerLib.plans import tie
from RadioembolizationPlannerLib.study import file_in_study
from RadioembolizationPlannerLib.tables import publish_table

WEEK = "Week"
_LIMIT_COLOR = (0.70, 0.15, 0.12)
_LINE_PIXELS, _FONT_POINTS = 2, 14


def publish_course(
    scene: slicer.vtkMRMLScene,
    result: CourseResult,
    *,
    made_at: datetime,
    inputs: Mapping[str, str],
    name: str = "",
) -> slicer.vtkMRMLTextNode:
    """Put a planned course into a scene; return its text node, to which all others are tied.

    Parameters
    ----------
    scene : vtkMRMLScene
    result : CourseResult
    made_at : datetime
        With its offset from UTC.
    inputs : mapping of str to str
        Digest of every part of the case and of the course it was made from.
    name : str
        Of the course; without one, the next free number.
    """
    name = name or f"Course {_next_number(scene)}"
    record = courses.CourseRecord(name, made_at.isoformat(timespec="seconds"), dict(inputs), result.replanned)
    course = courses.new_course(scene, result.text, record)
    document = json.loads(result.text)
    tables = {
        courses.ADMINISTRATIONS: ("administrations", administration_columns(document)),
        courses.EFFECTS: ("structures", effect_columns(document)),
        courses.LIMITS: ("limits", limit_columns(document)),
        courses.LEDGER: ("ledger", ledger_columns(result.ledger)),
        courses.ALTERNATIVES: ("alternatives", alternative_columns(document)),
        courses.NOTICES: ("notices", notice_columns(document)),
    }
    for role, (title, columns) in tables.items():
        tie(course, role, publish_table(scene, f"{name}: {title}", columns))
    for curve in result.curves:
        _publish_curve(scene, course, curve)
    if result.page:
        page = scene.AddNewNodeByClass("vtkMRMLTextNode", f"{name}: page")
        page.SetForceCreateStorageNode(True)
        page.SetText(result.page)
        tie(course, courses.PAGE, page)
    file_in_study(scene, course, courses.nodes_of(course))
    return course


def _publish_curve(scene: slicer.vtkMRMLScene, course: slicer.vtkMRMLTextNode, curve: CourseCurve) -> None:
    """Put a total and its limits into a table and a chart of their own: doses of organs differ by magnitudes."""
    total, count = f"{curve.title} (Gy)", len(curve.weeks)
    limits = {f"{name} (Gy)": [limit] * count for name, limit in curve.limits_gy.items()}
    columns = {WEEK: list(curve.weeks), total: list(curve.total_gy), **limits}
    table = publish_table(scene, f"{course.GetName()}: {curve.title}", columns)
    chart = _new_chart(scene, f"{course.GetName()}: {curve.title}", curve)
    tie(course, courses.CURVES, table)
    tie(course, courses.CHARTS, chart)
    rgb = tuple(int(curve.color[start : start + 2], 16) / 255.0 for start in (1, 3, 5))
    for title in (total, *limits):
        node = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", title)
        node.SetAndObserveTableNodeID(table.GetID())
        node.SetXColumnName(WEEK)
        node.SetYColumnName(title)
        node.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        node.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        is_limit = title in limits
        style = "LineStyleDash" if is_limit else "LineStyleSolid"
        node.SetLineStyle(getattr(slicer.vtkMRMLPlotSeriesNode, style))
        node.SetLineWidth(_LINE_PIXELS)
        node.SetColor(*(_LIMIT_COLOR if is_limit else rgb))
        chart.AddAndObservePlotSeriesNodeID(node.GetID())
        tie(course, courses.SERIES, node)


def _new_chart(scene: slicer.vtkMRMLScene, name: str, curve: CourseCurve) -> slicer.vtkMRMLPlotChartNode:
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    chart.SetTitle(name)
    chart.SetXAxisTitle("Weeks from the first administration")
    chart.SetYAxisTitle("Total (Gy)")
    chart.SetTitleFontSize(_FONT_POINTS)
    chart.SetAxisTitleFontSize(_FONT_POINTS)
    chart.SetAxisLabelFontSize(_FONT_POINTS)
    chart.SetLegendFontSize(_FONT_POINTS)
    chart.SetXAxisRangeAuto(False)
    chart.SetYAxisRangeAuto(False)
    chart.SetXAxisRange(curve.weeks[0], curve.weeks[-1])
    highest_gy = max([*curve.total_gy, *curve.limits_gy.values()])
    chart.SetYAxisRange(0.0, rounded_up(1.05 * highest_gy) if highest_gy > 0.0 else 1.0)
    return chart


def _next_number(scene: slicer.vtkMRMLScene) -> int:
    names = {course.GetName() for course in courses.courses_of(scene)}
    return next(number for number in range(1, len(names) + 2) if f"Course {number}" not in names)
