"""Plans in the views of the application: one of them, or two side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import slicer
import vtk.util.numpy_support

from radioembolization.errors import InputError
from radioembolization.structures import NORMAL_LIVER, WHOLE_LIVER, Role
from RadioembolizationPlannerLib import plans
from RadioembolizationPlannerLib.colors import Color, distinct_colors
from RadioembolizationPlannerLib.dvh import DOSE_COLUMN, DvhCurves, compare
from RadioembolizationPlannerLib.errors import PlanChanged
from RadioembolizationPlannerLib.geometry import Position, flipped, matrix_to_world
from RadioembolizationPlannerLib.layouts import show_plan
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.publish import STRUCTURE_COLORS
from RadioembolizationPlannerLib.tables import Columns, publish_table

COMPARISON = "Comparison of plans"
_FIGURE = "Figure"
#: Up to so many structures the curves of all are compared, else those of so many.
_FEW, _MOST_COMPARED = 8, 6
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
        for node in plans.nodes_of(other, plans.ISODOSES, plans.INJECTIONS):
            _set_visible(node, other is plan)
        if other is not plan:
            for node in plans.nodes_of(other, plans.TERRITORIES):
                _set_visible(node, False)
    if parameters.site_points is not None and plans.nodes_of(plan, plans.INJECTIONS):
        _set_visible(parameters.site_points, False)  # the injections of the plan lie in the same places
    show_plan(
        scene,
        background=parameters.ct or parameters.scout,
        dose=dose,
        chart=plan.GetNodeReference(plans.CHART),
        focus_lps_mm=hottest_lps_mm(dose),
    )


def _set_visible(node: slicer.vtkMRMLDisplayableNode, visible: bool) -> None:
    display = node.GetDisplayNode()
    if display is not None:
        display.SetVisibility(visible)


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
    shown = _compared(chosen[0])
    curves = [(title, curves_of(plan).of(shown)) for title, plan in zip(_titles(chosen), chosen, strict=True)]
    nodes_there = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    plans.remove_nodes(scene, *(node for node in nodes_there if node.GetAttribute(_OF_COMPARISON)))
    table = publish_table(scene, COMPARISON, columns)
    nodes = compare(scene, COMPARISON, curves, colors)
    lines = [node for of_plan in nodes for node in (of_plan.table, *of_plan.series)]
    for node in (table, nodes[0].chart, *lines):
        node.SetAttribute(_OF_COMPARISON, "1")
    return table, nodes[0].chart


def _compared(plan: slicer.vtkMRMLTextNode) -> list[str]:
    """Return the structures whose curves are compared: all, or where they are many, normal liver and the tumors that
    the plan doses least."""
    structures = plans.stated_plan(plan).plan.structures
    if len(structures) <= _FEW:
        return [structure.name for structure in structures]
    tumours = sorted((s for s in structures if s.role == Role.TUMOUR), key=lambda s: s.mean_gy)
    return [NORMAL_LIVER, *(tumour.name for tumour in tumours[: _MOST_COMPARED - 1])]


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
    """Return the color of every structure's curve by its name: that of its segment, unless another one has it."""
    if parameters.segmentation is None:
        return {}
    segments = parameters.segmentation.GetSegmentation()
    found = [(segments.GetSegment(segment_id), role) for segment_id, role in parameters.roles.items()]
    colors: dict[str, Color] = {NORMAL_LIVER: STRUCTURE_COLORS[Role.NORMAL_LIVER]}
    spare = iter(distinct_colors(2 * len(found)))
    for segment, role in found:
        if segment is not None:
            color = segment.GetColor()
            while color in colors.values():
                color = next(spare)
            colors[WHOLE_LIVER if role is Role.LIVER else segment.GetName()] = color
    return colors


def curves_of(plan: slicer.vtkMRMLTextNode) -> DvhCurves:
    """Return the histograms of a plan from its table; ``PlanChanged`` if that was deleted or changed."""
    table = plans.node_of(plan, plans.CURVES).GetTable()
    columns = [table.GetColumn(index) for index in range(table.GetNumberOfColumns())]
    if not columns or columns[0].GetName() != DOSE_COLUMN or not all(c.IsA("vtkDataArray") for c in columns):
        raise PlanChanged(f"The table of histograms of plan '{plan.GetName()}' was changed: plan again.")
    values = {column.GetName(): vtk.util.numpy_support.vtk_to_numpy(column).astype(float) for column in columns}
    doses = values.pop(DOSE_COLUMN)
    return DvhCurves(doses, {name: percent / 100.0 for name, percent in values.items()})
