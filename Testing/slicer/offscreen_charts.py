"""Charts without a screen, drawn with VTK from their nodes: slicer-core has no plot view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from offscreen_window import DARK, DARK_ABOVE, LIGHT, new_window, picture_of, save_picture

_GRID = (0.28, 0.30, 0.34)


def plot_picture(chart: Any, path: Path | None = None, size: tuple[int, int] = (900, 640)) -> np.ndarray:
    """Draw the chart of plot nodes, and return the picture (rows, columns, 3), top row first."""
    import vtk

    plot = vtk.vtkChartXY()
    plot.SetTitle(chart.GetTitle())
    plot.GetTitleProperties().SetColor(*LIGHT)
    plot.GetTitleProperties().SetFontSize(chart.GetTitleFontSize() + 4)
    _set_axis(plot.GetAxis(vtk.vtkAxis.BOTTOM), chart, chart.GetXAxisTitle(), chart.GetXAxisRange())
    _set_axis(plot.GetAxis(vtk.vtkAxis.LEFT), chart, chart.GetYAxisTitle(), chart.GetYAxisRange())
    for index in range(chart.GetNumberOfPlotSeriesNodes()):
        _add_line(plot, chart.GetNthPlotSeriesNode(index))
    plot.SetShowLegend(bool(chart.GetLegendVisibility()))
    legend = plot.GetLegend()
    legend.GetBrush().SetColorF(*DARK_ABOVE)
    legend.GetPen().SetColorF(*_GRID)
    legend.GetLabelProperties().SetColor(*LIGHT)
    legend.SetLabelSize(chart.GetLegendFontSize())
    actor, renderer, window = vtk.vtkContextActor(), vtk.vtkRenderer(), new_window(size)
    actor.GetScene().AddItem(plot)
    renderer.SetBackground(*DARK)
    renderer.AddActor(actor)
    actor.GetScene().SetRenderer(renderer)
    window.SetMultiSamples(8)
    window.AddRenderer(renderer)
    if path is not None:
        save_picture(window, path)
    return picture_of(window)


def _set_axis(axis: Any, chart: Any, title: str, bounds: tuple[float, float]) -> None:
    import vtk

    axis.SetTitle(title)
    axis.GetTitleProperties().SetColor(*LIGHT)
    axis.GetTitleProperties().SetFontSize(chart.GetAxisTitleFontSize())
    axis.GetLabelProperties().SetColor(*LIGHT)
    axis.GetLabelProperties().SetFontSize(chart.GetAxisLabelFontSize())
    axis.GetPen().SetColorF(*LIGHT)
    axis.GetGridPen().SetColorF(*_GRID)
    axis.SetBehavior(vtk.vtkAxis.FIXED)
    axis.SetRange(*bounds)


def _add_line(plot: Any, series: Any) -> None:
    import vtk

    line = plot.AddPlot(vtk.vtkChart.LINE)
    line.SetInputData(series.GetTableNode().GetTable(), series.GetXColumnName(), series.GetYColumnName())
    line.SetLabel(series.GetName())
    line.GetPen().SetColorF(*series.GetColor())
    line.GetPen().SetWidth(series.GetLineWidth())
    line.GetPen().SetLineType(series.GetLineStyle())  # the numbers of both enumerations agree, here and for markers
    line.SetMarkerStyle(series.GetMarkerStyle())
    line.SetMarkerSize(series.GetMarkerSize())
