"""Dose-volume histograms as a table, plot series and a chart; updated in place while activities change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
import vtk.util.numpy_support

from radioembolization.dose import DoseVolumeHistogram, LiveResult
from radioembolization.errors import InputError
from RadioembolizationPlannerLib.colors import Color, distinct_colors
from RadioembolizationPlannerLib.dose_display import rounded_up

DOSE_COLUMN = "Dose (Gy)"
VOLUME_TITLE = "Volume (%)"
#: Points of a shown curve: finer than the pixels of a plot, few enough to be redrawn while a slider moves.
_POINTS = 201
#: One style for each compared plan.
_LINE_STYLES = ("LineStyleSolid", "LineStyleDash", "LineStyleDot", "LineStyleDashDot", "LineStyleDashDotDot")
_LINE_PIXELS = 2
_FONT_POINTS = 14


@dataclass(frozen=True, eq=False)
class DvhCurves:
    """Cumulative dose-volume histograms at common doses.

    Parameters
    ----------
    edges_gy : ndarray (points,)
        Rising doses [Gy] from 0.
    shares : mapping of str to ndarray (points,)
        Share of the volume that receives at least that dose, by structure.
    """

    edges_gy: np.ndarray
    shares: Mapping[str, np.ndarray]

    def of(self, structures: Sequence[str]) -> DvhCurves:
        """Return the curves of some structures; those that are not there are left out."""
        return DvhCurves(self.edges_gy, {name: self.shares[name] for name in structures if name in self.shares})


@dataclass(frozen=True)
class DvhNodes:
    """The nodes of the curves of one plan; compared plans share their chart."""

    table: slicer.vtkMRMLTableNode
    series: tuple[slicer.vtkMRMLPlotSeriesNode, ...]
    chart: slicer.vtkMRMLPlotChartNode


def curves_of_histograms(histograms: Mapping[str, DoseVolumeHistogram]) -> DvhCurves:
    """Return the histograms of a plan, each at doses of its own, at common doses up to the highest of all."""
    highest_gy = max((float(h.dose_gy[-1]) for h in histograms.values()), default=0.0)
    edges = np.linspace(0.0, highest_gy, _POINTS)
    shares = {name: np.interp(edges, h.dose_gy, h.volume_share, right=0.0) for name, h in histograms.items()}
    return DvhCurves(edges, shares)


def curves_of_live_result(result: LiveResult) -> DvhCurves:
    """Return the histograms of one change of activities."""
    return DvhCurves(result.edges_gy, dict(zip(result.names, result.volume_share, strict=True)))


def publish_dvh(
    scene: slicer.vtkMRMLScene, name: str, curves: DvhCurves, colors: Mapping[str, Color] | None = None
) -> DvhNodes:
    """Put the histograms of a plan into a scene: a table in per cent, a line for each structure, a chart.

    Parameters
    ----------
    scene : vtkMRMLScene
    name : str
        Of the table and the chart.
    curves : DvhCurves
    colors : mapping of str to Color, optional
        By structure; others get a color of their own.
    """
    chart = _new_chart(scene, name)
    nodes = _add_curves(scene, chart, name, curves, _all_colors(curves, colors), _LINE_STYLES[0])
    _fit_axis(chart)
    return nodes


def update_dvh(nodes: DvhNodes, curves: DvhCurves) -> None:
    """Write new histograms of the same structures into the table; series and chart follow.

    Raises
    ------
    InputError
        If a structure of the table is missing.
    """
    table = nodes.table.GetTable()
    names = [table.GetColumnName(column) for column in range(1, table.GetNumberOfColumns())]
    missing = [name for name in names if name not in curves.shares]
    if missing:
        raise InputError(f"The histograms lack {missing}, which '{nodes.table.GetName()}' shows: publish them anew.")
    with slicer.util.NodeModify(nodes.chart), slicer.util.NodeModify(nodes.table):
        for index, values in enumerate(_columns(curves, names).values()):
            column = table.GetColumn(index)
            vtk.util.numpy_support.vtk_to_numpy(column)[:] = values
            column.Modified()
        table.Modified()
        nodes.table.Modified()
        _fit_axis(nodes.chart)


def compare(
    scene: slicer.vtkMRMLScene,
    name: str,
    plans: Sequence[tuple[str, DvhCurves]],
    colors: Mapping[str, Color] | None = None,
) -> tuple[DvhNodes, ...]:
    """Put two to five plans into one chart: a color for each structure, a line style for each plan.

    Parameters
    ----------
    scene : vtkMRMLScene
    name : str
        Of the chart.
    plans : sequence of (str, DvhCurves)
        Name and histograms of each plan.
    colors : mapping of str to Color, optional
        By structure.

    Raises
    ------
    InputError
        If there are more plans than line styles.
    """
    if len(plans) > len(_LINE_STYLES):
        raise InputError(
            f"{len(plans)} plans in one chart: choose at most {len(_LINE_STYLES)}, one for each line style."
        )
    structures = dict.fromkeys(structure for _, curves in plans for structure in curves.shares)
    everywhere = _all_colors(DvhCurves(np.zeros(0), structures), colors)
    chart = _new_chart(scene, name)
    nodes = tuple(
        _add_curves(scene, chart, f"{name}: {plan}", curves, everywhere, style, f" ({plan})")
        for (plan, curves), style in zip(plans, _LINE_STYLES, strict=False)
    )
    _fit_axis(chart)
    return nodes


def _columns(curves: DvhCurves, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the columns of the table: doses [Gy] at even steps, then volumes [%]."""
    doses = np.linspace(0.0, float(curves.edges_gy[-1]), _POINTS)
    volumes = {name: 100.0 * np.interp(doses, curves.edges_gy, curves.shares[name]) for name in names}
    return {DOSE_COLUMN: doses, **volumes}


def _add_curves(
    scene: slicer.vtkMRMLScene,
    chart: slicer.vtkMRMLPlotChartNode,
    name: str,
    curves: DvhCurves,
    colors: Mapping[str, Color],
    style: str,
    suffix: str = "",
) -> DvhNodes:
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} (DVH)")
    for title, values in _columns(curves, tuple(curves.shares)).items():
        column = vtk.vtkDoubleArray()
        column.SetName(title)
        column.SetNumberOfValues(_POINTS)
        vtk.util.numpy_support.vtk_to_numpy(column)[:] = values
        table.AddColumn(column)
    table.SetUseColumnTitleAsColumnHeader(True)
    table.SetLocked(True)
    series = []
    for structure in curves.shares:
        node = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", f"{structure}{suffix}")
        node.SetAndObserveTableNodeID(table.GetID())
        node.SetXColumnName(DOSE_COLUMN)
        node.SetYColumnName(structure)
        node.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        node.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        node.SetLineStyle(getattr(slicer.vtkMRMLPlotSeriesNode, style))
        node.SetLineWidth(_LINE_PIXELS)
        node.SetColor(*colors[structure])
        chart.AddAndObservePlotSeriesNodeID(node.GetID())
        series.append(node)
    return DvhNodes(table, tuple(series), chart)


def _new_chart(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLPlotChartNode:
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    chart.SetTitle(name)
    chart.SetXAxisTitle(DOSE_COLUMN)
    chart.SetYAxisTitle(VOLUME_TITLE)
    chart.SetTitleFontSize(_FONT_POINTS)
    chart.SetAxisTitleFontSize(_FONT_POINTS)
    chart.SetAxisLabelFontSize(_FONT_POINTS)
    chart.SetLegendFontSize(_FONT_POINTS)
    chart.SetXAxisRangeAuto(False)
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 100.0)
    return chart


def _fit_axis(chart: slicer.vtkMRMLPlotChartNode) -> None:
    """Let the axis of dose end at a round dose, which seldom changes while activities do."""
    series = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    tables = {node.GetTableNodeID(): node.GetTableNode().GetTable() for node in series}
    last = [table.GetValue(_POINTS - 1, 0).ToDouble() for table in tables.values()]
    highest_gy = max(last, default=0.0)
    chart.SetXAxisRange(0.0, rounded_up(highest_gy) if highest_gy > 0.0 else 1.0)


def _all_colors(curves: DvhCurves, colors: Mapping[str, Color] | None) -> dict[str, Color]:
    own = dict(zip(curves.shares, distinct_colors(len(curves.shares)), strict=True))
    return own | dict(colors or {})
