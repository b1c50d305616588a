"""Charts of tables: axes, and lines or points of two columns."""

from __future__ import annotations

from dataclasses import dataclass

import slicer

from RadioembolizationPlannerLib.colors import Color

_FONT_POINTS = 14


@dataclass(frozen=True)
class Axes:
    """Titles and ranges of the axes of a chart."""

    x_title: str
    y_title: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]


@dataclass(frozen=True)
class Line:
    """How two columns of a table are drawn.

    Parameters
    ----------
    name : str
        In the legend.
    x, y : str
        Columns.
    color : Color
    style, marker : str
        Names as of the series node, such as ``Solid``, ``Dot`` or ``None``; ``Circle`` or ``None``.
    pixels : int
    """

    name: str
    x: str
    y: str
    color: Color
    style: str = "Solid"
    marker: str = "None"
    pixels: int = 2


def new_chart(scene: slicer.vtkMRMLScene, name: str, axes: Axes) -> slicer.vtkMRMLPlotChartNode:
    """Put an empty chart into a scene."""
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    chart.SetTitle(name)
    chart.SetXAxisTitle(axes.x_title)
    chart.SetYAxisTitle(axes.y_title)
    chart.SetTitleFontSize(_FONT_POINTS)
    chart.SetAxisTitleFontSize(_FONT_POINTS)
    chart.SetAxisLabelFontSize(_FONT_POINTS)
    chart.SetLegendFontSize(_FONT_POINTS)
    chart.SetXAxisRangeAuto(False)
    chart.SetYAxisRangeAuto(False)
    chart.SetXAxisRange(*axes.x_range)
    chart.SetYAxisRange(*axes.y_range)
    return chart


def add_line(
    chart: slicer.vtkMRMLPlotChartNode, table: slicer.vtkMRMLTableNode, line: Line
) -> slicer.vtkMRMLPlotSeriesNode:
    """Add a line to a chart; a line without style is points alone."""
    kind = slicer.vtkMRMLPlotSeriesNode
    node = chart.GetScene().AddNewNodeByClass("vtkMRMLPlotSeriesNode", line.name)
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetXColumnName(line.x)
    node.SetYColumnName(line.y)
    node.SetPlotType(kind.PlotTypeScatter)
    node.SetMarkerStyle(getattr(kind, f"MarkerStyle{line.marker}"))
    node.SetLineStyle(getattr(kind, f"LineStyle{line.style}"))
    node.SetLineWidth(line.pixels)
    node.SetColor(*line.color)
    chart.AddAndObservePlotSeriesNodeID(node.GetID())
    return node
