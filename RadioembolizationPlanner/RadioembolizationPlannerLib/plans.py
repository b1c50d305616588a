"""The plans of a scene: each a text node that holds its file, tied to the nodes that show it."""

from __future__ import annotations

import slicer

from radioembolization.files.plan_reader import PlanFile, plan_from_text
from RadioembolizationPlannerLib.errors import PlanChanged
from RadioembolizationPlannerLib.plan_record import PLANS

#: References from the text node of a plan to the nodes that show it.
DOSE, ISODOSES, CHART, TERRITORIES = "planDose", "planIsodoses", "planChart", "planTerritories"
INJECTIONS, SITES, LIMITS = "planInjections", "planSites", "planLimits"
STRUCTURES, NOTICES, CURVES, SERIES = "planStructures", "planNotices", "planCurves", "planSeries"
REPORT, LEGEND = "planReport", "planLegend"
#: What was found out beside the plan; a plan has only what was asked for.
FRONT, STAIRS, CHANCES, TUMORS = "planFront", "planStaircase", "planChances", "planTumorChances"
VIALS, ORDERS, BANDS, MARK = "planVials", "planOrders", "planBands", "planFrontMark"
FRONT_CHART, STAIRS_CHART, BANDS_CHART = "planFrontChart", "planStaircaseChart", "planBandsChart"
FRONT_SERIES, FURTHER_SERIES = "planFrontSeries", "planFurtherSeries"
TABLES = (SITES, LIMITS, STRUCTURES, NOTICES, CURVES)
FURTHER_TABLES = (FRONT, STAIRS, CHANCES, TUMORS, VIALS, ORDERS, BANDS)
FURTHER = (*FURTHER_TABLES, MARK, FRONT_CHART, STAIRS_CHART, BANDS_CHART, FRONT_SERIES, FURTHER_SERIES)
ROLES = (LEGEND, DOSE, ISODOSES, CHART, SERIES, TERRITORIES, INJECTIONS, REPORT, *TABLES, *FURTHER)

#: The text nodes of all plans of a scene, and a new one for a plan file and its record.
plans_of, new_plan = PLANS.all_in, PLANS.new


def tie(plan: slicer.vtkMRMLTextNode, role: str, *nodes: slicer.vtkMRMLNode) -> None:
    """Let a plan refer to nodes that show it."""
    for node in nodes:
        plan.AddNodeReferenceID(role, node.GetID())


def nodes_of(plan: slicer.vtkMRMLTextNode, *roles: str) -> list[slicer.vtkMRMLNode]:
    """Return the nodes that show a plan, of all roles if none is named; those that were deleted are left out."""
    found = []
    for role in roles or ROLES:
        for index in range(plan.GetNumberOfNodeReferences(role)):
            node = plan.GetNthNodeReference(role, index)
            if node is not None:
                found.append(node)
    return found


def node_of(plan: slicer.vtkMRMLTextNode, role: str) -> slicer.vtkMRMLNode:
    """Return the node that shows a plan in a role.

    Raises
    ------
    PlanChanged
        If it was deleted.
    """
    node = plan.GetNodeReference(role)
    if node is None:
        raise PlanChanged(f"A node of plan '{plan.GetName()}' was deleted ({role}): plan again.")
    return node


def stated_plan(plan: slicer.vtkMRMLTextNode) -> PlanFile:
    """Return what the file of a plan states; errors as of ``read_plan``."""
    return plan_from_text(plan.GetText() or "", plan.GetName())


def remove_plan(scene: slicer.vtkMRMLScene, plan: slicer.vtkMRMLTextNode) -> None:
    """Delete a plan, every node that shows it, and its folder."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(plan)
    folder = hierarchy.GetItemParent(item) if item else 0
    own = bool(folder) and folder != hierarchy.GetSceneItemID() and hierarchy.GetItemName(folder) == plan.GetName()
    remove_nodes(scene, *nodes_of(plan), plan)
    if own and not hierarchy.GetNumberOfItemChildren(folder):
        hierarchy.RemoveItem(folder)


def remove_nodes(scene: slicer.vtkMRMLScene, *nodes: slicer.vtkMRMLNode) -> None:
    """Delete nodes with their display and storage nodes and their items in the hierarchy."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    for node in nodes:
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)
        for other in (*_accompanying(node), node):
            if scene.IsNodePresent(other):
                scene.RemoveNode(other)


def _accompanying(node: slicer.vtkMRMLNode) -> list[slicer.vtkMRMLNode]:
    found = []
    if node.IsA("vtkMRMLDisplayableNode"):
        found += [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        found += [node.GetNthStorageNode(index) for index in range(node.GetNumberOfStorageNodes())]
    return [other for other in found if other is not None]
