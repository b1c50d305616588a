"""Plans in the views of the application: one of them, or two side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import slicer
import vtk.util.numpy_support

from radioembolization.errors import InputError
from radioembolization.structures import WHOLE_LIVER, Role
from RadioembolizationPlannerLib import plans
from RadioembolizationPlannerLib.colors import Color
from RadioembolizationPlannerLib.dvh import DOSE_COLUMN, DvhCurves, compare
from RadioembolizationPlannerLib.errors import PlanChanged
from RadioembolizationPlannerLib.geometry import Position, flipped, matrix_to_world
from RadioembolizationPlannerLib.layouts import show_plan
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.tables import Columns, publish_table

COMPARISON = "Comparison of plans"
_FIGURE = "Figure"
#: Attribute of the nodes of a comparison, which the next one replaces.
_OF_COMPARISON = "RadioembolizationPlanner.Comparison"


def show_in_views(scene: slicer.vtkMRMLScene, parameters: PlannerParameters, plan: slicer.vtkMRMLTextNode) -> None:
    """Arrange the views for a plan, its dose over CT or scout; isodoses and sites of other plans are hidden.

    Raises
    ------
    PlanChanged
        If its dose was deleted.
    """
    dose = plans.node_of(plan, plans.DOSE)
    for other in plans.plans_of(scene):
        for node in plans.nodes_of(other, plans.ISODOSES, plans.INJECTIONS, plans.TERRITORIES):
            display = node.GetDisplayNode()
            if display is not None:
                display.SetVisibility(other is plan)
    show_plan(
        scene,
        background=parameters.ct or parameters.scout,
        dose=dose,
        chart=plan.GetNodeReference(plans.CHART),
        focus_lps_mm=hottest_lps_mm(dose),
    )


def hottest_lps_mm(dose: slicer.vtkMRMLScalarVolumeNode) -> Position:
    """Return the middle of all voxels with at least half of the highest dose; of all voxels if there is no dose.

    Raises
    ------
    ImageError
        If the dose is under a non-linear transform.
    """
    array = slicer.util.arrayFromVolume(dose)
    hot = np.argwhere(array >= 0.5 * array.max(initial=0.0))
    index = hot.mean(axis=0) if len(hot) else (np.array(array.shape) - 1) / 2.0
    matrix = vtk.vtkMatrix4x4()
    dose.GetIJKToRASMatrix(matrix)
    to_world = matrix_to_world(dose) @ slicer.util.arrayFromVTKMatrix(matrix)
    return flipped(tuple((to_world @ (*index[::-1], 1.0))[:3]))


def compare_plans(
    scene: slicer.vtkMRMLScene,
    chosen: Sequence[slicer.vtkMRMLTextNode],
    colors: Mapping[str, Color] | None = None,
) -> tuple[slicer.vtkMRMLTableNode, slicer.vtkMRMLPlotChartNode]:
    """Put the figures and the histograms of plans side by side; an earlier comparison is replaced.

    Raises
    ------
    InputError
        If fewer than two plans are given.
    """
    if len({plan.GetID() for plan in chosen}) < 2:
        raise InputError("Choose two different plans to compare.")
    columns = comparison_columns(chosen)
    curves = [(title, curves_of(plan)) for title, plan in zip(_titles(chosen), chosen, strict=True)]
    nodes_there = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    plans.remove_nodes(scene, *(node for node in nodes_there if node.GetAttribute(_OF_COMPARISON)))
    table = publish_table(scene, COMPARISON, columns)
    nodes = compare(scene, COMPARISON, curves, colors)
    lines = [node for of_plan in nodes for node in (of_plan.table, *of_plan.series)]
    for node in (table, nodes[0].chart, *lines):
        node.SetAttribute(_OF_COMPARISON, "1")
    return table, nodes[0].chart


def comparison_columns(chosen: Sequence[slicer.vtkMRMLTextNode]) -> Columns:
    """Return goal, activities, doses and limits of plans as columns, one for each plan."""
    stated = [plans.stated_plan(plan).plan for plan in chosen]
    figures: list[dict[str, str]] = []
    for plan in stated:
        rows = {f"goal: {plan.goal.name} ({plan.goal.unit or '1'})": f"{plan.goal.value:.4g}"}
        rows["total activity (GBq)"] = f"{float(plan.activities_gbq.sum()):.3g}"
        rows["injections"] = str(len(plan.used_sites))
        rows |= {f"activity, {site.name} (GBq)": f"{site.activity_gbq:.3g}" for site in plan.sites}
        for structure in plan.structures:
            rows[f"mean dose, {structure.name} (Gy)"] = f"{structure.mean_gy:.1f}"
            if structure.role == Role.TUMOUR:
                rows[f"D70, {structure.name} (Gy)"] = f"{structure.d70_gy:.1f}"
        for limit in plan.limits:
            value = "–" if limit.value is None else f"{limit.value:.4g}"
            met = "" if limit.met else " EXCEEDED"
            rows[f"limit: {limit.name}, {limit.sense} {limit.limit:g} {limit.unit}"] = value + met
        figures.append(rows)
    titles = list(dict.fromkeys(title for rows in figures for title in rows))
    columns = {_FIGURE: titles}
    for title, rows in zip(_titles(chosen), figures, strict=True):
        columns[title] = [rows.get(figure, "–") for figure in titles]
    return columns


def _titles(chosen: Sequence[slicer.vtkMRMLTextNode]) -> list[str]:
    """Return the names of plans; one that is taken gets a number."""
    titles: list[str] = []
    for plan in chosen:
        name, taken = plan.GetName(), {_FIGURE, *titles}
        numbered = (f"{name} ({number})" for number in range(2, len(taken) + 3))
        titles.append(name if name not in taken else next(title for title in numbered if title not in taken))
    return titles


def curve_colors(parameters: PlannerParameters) -> dict[str, Color]:
    """Return the color of every structure's curve by its name: that of its segment."""
    if parameters.segmentation is None:
        return {}
    segments = parameters.segmentation.GetSegmentation()
    found = [(segments.GetSegment(segment_id), role) for segment_id, role in parameters.roles.items()]
    colors = {segment.GetName(): segment.GetColor() for segment, _role in found if segment is not None}
    livers = [segment.GetColor() for segment, role in found if segment is not None and role is Role.LIVER]
    return colors | ({WHOLE_LIVER: livers[0]} if livers else {})


def curves_of(plan: slicer.vtkMRMLTextNode) -> DvhCurves:
    """Return the histograms of a plan from its table; ``PlanChanged`` if that was deleted or changed."""
    table = plans.node_of(plan, plans.CURVES).GetTable()
    columns = [table.GetColumn(index) for index in range(table.GetNumberOfColumns())]
    if not columns or columns[0].GetName() != DOSE_COLUMN or not all(c.IsA("vtkDataArray") for c in columns):
        raise PlanChanged(f"The table of histograms of plan '{plan.GetName()}' was changed: plan again.")
    values = {column.GetName(): vtk.util.numpy_support.vtk_to_numpy(column).astype(float) for column in columns}
    doses = values.pop(DOSE_COLUMN)
    return DvhCurves(doses, {name: percent / 100.0 for name, percent in values.items()})
