"""A planned treatment as nodes of a scene: its file, dose, isodoses, curves, tables and sites, in one study."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import slicer

from radioembolization.files.plan_file import plan_document, plan_text
from radioembolization.report.slices import isodose_levels_gy
from radioembolization.treatment import Treatment
from radioembolization.treatment.fingerprint import input_digests
from RadioembolizationPlannerLib import plans
from RadioembolizationPlannerLib.colors import Color
from RadioembolizationPlannerLib.dose_display import color_legend, round_highest_gy, show_dose
from RadioembolizationPlannerLib.dvh import curves_of_histograms, publish_dvh
from RadioembolizationPlannerLib.isodoses import default_levels_gy, publish_isodoses
from RadioembolizationPlannerLib.live import SHOWN_FROM
from RadioembolizationPlannerLib.plan_record import PlanRecord
from RadioembolizationPlannerLib.points import add_point, new_points
from RadioembolizationPlannerLib.publish import publish_dose
from RadioembolizationPlannerLib.publish_analysis import publish_analysis
from RadioembolizationPlannerLib.study import file_in_study
from RadioembolizationPlannerLib.tables import (
    RESEARCH_USE,
    limit_columns,
    notice_columns,
    publish_table,
    site_columns,
    structure_columns,
)
from RadioembolizationPlannerLib.territories import publish_territories


def publish_plan(
    scene: slicer.vtkMRMLScene,
    treatment: Treatment,
    *,
    made_at: datetime,
    name: str = "",
    isodoses_gy: tuple[float, ...] = (),
    colors: Mapping[str, Color] | None = None,
    report: str = "",
) -> slicer.vtkMRMLTextNode:
    """Put a planned treatment into a scene; return the text node of the plan, to which all others are tied.

    Parameters
    ----------
    scene : vtkMRMLScene
    treatment : Treatment
    made_at : datetime
        With its offset from UTC.
    name : str
        Of the plan; without one, the next free number.
    isodoses_gy : tuple of float
        Levels; empty for the default ones.
    colors : mapping of str to Color, optional
        Of the curves, by structure.
    report : str
        Page for people; without one, the plan has none.
    """
    name = name or f"Plan {_next_number(scene)}"
    record = PlanRecord(name, made_at.isoformat(timespec="seconds"), input_digests(treatment.case.inputs))
    plan = plans.new_plan(scene, plan_text(plan_document(treatment)), record)
    _publish_dose(scene, plan, treatment, isodoses_gy)
    _publish_curves(scene, plan, treatment, colors)
    _publish_tables(scene, plan, treatment)
    plans.tie(plan, plans.INJECTIONS, _publish_injections(scene, treatment, name))
    if treatment.plan.used_sites:
        territories = publish_territories(scene, treatment)
        territories.SetName(f"{name}: territories")
        territories.GetDisplayNode().SetVisibility(False)  # they overlap and would hide the dose
        plans.tie(plan, plans.TERRITORIES, territories)
    publish_analysis(scene, plan, colors)
    file_in_study(scene, plan, plans.nodes_of(plan))
    if report:
        publish_report(scene, plan, report)
    return plan


def publish_report(scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, page: str) -> None:
    """Put the report of a plan into a scene."""
    node = scene.AddNewNodeByClass("vtkMRMLTextNode", f"{plan.GetName()}: report")
    node.SetForceCreateStorageNode(True)
    node.SetText(page)
    plans.tie(plan, plans.REPORT, node)
    file_in_study(scene, plan, plans.nodes_of(plan))


def replace_isodoses(scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, levels_gy: tuple[float, ...]) -> None:
    """Replace the isodoses of a plan by others, or without levels by the default ones.

    Raises
    ------
    InputError
        If a level is not a positive dose.
    """
    old, dose = plans.nodes_of(plan, plans.ISODOSES), plans.node_of(plan, plans.DOSE)
    levels = levels_gy or isodose_levels_gy(float(slicer.util.arrayFromVolume(dose).max()))
    isodoses = publish_isodoses(scene, dose, levels, f"{plan.GetName()}: isodose")
    plan.RemoveNodeReferenceIDs(plans.ISODOSES)
    plans.remove_nodes(scene, *old)
    plans.tie(plan, plans.ISODOSES, *isodoses.models)
    file_in_study(scene, plan, plans.nodes_of(plan))


def _publish_dose(
    scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, treatment: Treatment, levels_gy: tuple[float, ...]
) -> None:
    dose = publish_dose(scene, treatment.dose, f"{plan.GetName()}: dose")
    highest_gy = round_highest_gy(treatment.dose.array)
    show_dose(dose, highest_gy=highest_gy, from_gy=SHOWN_FROM * highest_gy)
    plans.tie(plan, plans.DOSE, dose)
    plans.tie(plan, plans.LEGEND, color_legend(scene, dose))
    if treatment.plan.used_sites:
        levels = levels_gy or default_levels_gy(treatment)
        isodoses = publish_isodoses(scene, dose, levels, f"{plan.GetName()}: isodose")
        plans.tie(plan, plans.ISODOSES, *isodoses.models)


def _publish_curves(
    scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, treatment: Treatment, colors: Mapping[str, Color] | None
) -> None:
    nodes = publish_dvh(scene, f"{plan.GetName()}: DVH", curves_of_histograms(treatment.histograms), colors)
    plans.tie(plan, plans.CURVES, nodes.table)
    plans.tie(plan, plans.SERIES, *nodes.series)
    plans.tie(plan, plans.CHART, nodes.chart)


def _publish_tables(scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode, treatment: Treatment) -> None:
    tables = {
        plans.SITES: ("injections", site_columns(treatment.plan)),
        plans.LIMITS: ("limits", limit_columns(treatment.plan)),
        plans.STRUCTURES: ("doses", structure_columns(treatment.plan)),
        plans.NOTICES: ("notices", notice_columns(treatment.notices)),
    }
    for role, (title, columns) in tables.items():
        plans.tie(plan, role, publish_table(scene, f"{plan.GetName()}: {title}", columns))


def _publish_injections(
    scene: slicer.vtkMRMLScene, treatment: Treatment, name: str
) -> slicer.vtkMRMLMarkupsFiducialNode:
    """Put the sites whose position is known into a scene; those without activity are not selected."""
    points = new_points(scene, f"{name}: injections")
    for site, planned in zip(treatment.case.sites, treatment.plan.sites, strict=True):
        if site.position_lps_mm is not None:
            used = planned in treatment.plan.used_sites
            text = f"{planned.activity_gbq:.3g} GBq" if used else "not used"
            index = add_point(points, site.position_lps_mm, site.name, text)
            points.SetNthControlPointSelected(index, used)
    points.SetDescription(RESEARCH_USE)
    return points


def _next_number(scene: slicer.vtkMRMLScene) -> int:
    names = {plan.GetName() for plan in plans.plans_of(scene)}
    return next(number for number in range(1, len(names) + 2) if f"Plan {number}" not in names)
