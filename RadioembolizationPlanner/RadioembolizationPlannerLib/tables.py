"""The tables of a plan as MRML table nodes; column names end in their unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import slicer
import vtk

from radioembolization.planning import LimitResult, Plan
from radioembolization.treatment import Notice

RESEARCH_USE = "Research use only; not a medical device."

Columns = Mapping[str, Sequence[str] | Sequence[float]]


def publish_table(scene: slicer.vtkMRMLScene, name: str, columns: Columns) -> slicer.vtkMRMLTableNode:
    """Put columns of text or numbers into a scene as a locked table."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    for title, values in columns.items():
        column = vtk.vtkStringArray() if all(isinstance(value, str) for value in values) else vtk.vtkDoubleArray()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(value)
        node.AddColumn(column)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.SetDescription(RESEARCH_USE)
    return node


def site_columns(plan: Plan) -> Columns:
    """Return what is injected at every candidate site."""
    return {
        "Injection site": [site.name for site in plan.sites],
        "Activity (GBq)": [site.activity_gbq for site in plan.sites],
        "Lung shunt (%)": [100.0 * site.lung_shunt for site in plan.sites],
        "Microspheres (million)": [site.microspheres / 1e6 for site in plan.sites],
        "Normal liver of its territory (Gy)": [_number(site.territory_normal_liver_gy) for site in plan.sites],
    }


def limit_columns(plan: Plan) -> Columns:
    """Return every limit with its value, bound and status."""
    return {
        "Limit": [limit.name for limit in plan.limits],
        "Value": [_number(limit.value) for limit in plan.limits],
        "Sense": [limit.sense for limit in plan.limits],
        "Bound": [limit.limit for limit in plan.limits],
        "Unit": [limit.unit for limit in plan.limits],
        "Status": [_status(limit) for limit in plan.limits],
        "Source": [limit.source for limit in plan.limits],
    }


def structure_columns(plan: Plan) -> Columns:
    """Return the dose figures of every structure, to a hundredth; the plan file has them in full."""
    return {
        "Structure": [structure.name for structure in plan.structures],
        "Volume (mL)": [round(structure.volume_ml, 2) for structure in plan.structures],
        "Mean dose (Gy)": [round(structure.mean_gy, 2) for structure in plan.structures],
        "D95 (Gy)": [round(structure.d95_gy, 2) for structure in plan.structures],
        "D70 (Gy)": [round(structure.d70_gy, 2) for structure in plan.structures],
        "D50 (Gy)": [round(structure.d50_gy, 2) for structure in plan.structures],
        "Minimum (Gy)": [round(structure.min_gy, 2) for structure in plan.structures],
        "Maximum (Gy)": [round(structure.max_gy, 2) for structure in plan.structures],
    }


def notice_columns(notices: Sequence[Notice]) -> Columns:
    """Return the notices that travel with a plan."""
    return {"Notice": [notice.name for notice in notices], "Message": [notice.message for notice in notices]}


def _number(value: float | None) -> float:
    """Return a number for a table of numbers, NaN where there is none."""
    return float("nan") if value is None else value


def _status(limit: LimitResult) -> str:
    if not limit.met:
        return "exceeded"
    return "met, binding" if limit.binding else "met"
