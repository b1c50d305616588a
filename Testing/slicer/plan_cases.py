"""Plans of the small case in a scene, made by hand in a moment or by the solver once for all tests."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from radioembolization.treatment import Treatment, compute_rows, evaluate_treatment, plan_on_rows, prepare
from small_case import small_inputs

AT = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
#: Keeps every limit of the small case: 0.8 of what is optimal.
KEPT_GBQ = (0.0, 0.33, 0.28)
EXCEEDED_GBQ = (0.0, 3.3, 2.8)


@cache
def prepared() -> Any:
    """The small case with its dose rows."""
    return compute_rows(prepare(small_inputs()))


@cache
def by_hand(*activities_gbq: float) -> Treatment:
    """The small case with activities by hand; without any, such as keep the limits."""
    return evaluate_treatment(prepared(), list(activities_gbq or KEPT_GBQ))


@cache
def optimal() -> Treatment:
    """The optimal plan of the small case."""
    return plan_on_rows(prepared(), lambda *_: None)


def put(scene: Any, name: str = "", treatment: Treatment | None = None, report: str = "<p>report</p>") -> Any:
    """Put a plan into a scene; return its text node."""
    from RadioembolizationPlannerLib.publish_plan import publish_plan

    return publish_plan(scene, treatment or by_hand(), made_at=AT, name=name, report=report)


def contents(scene: Any) -> dict[str, Any]:
    """Return everything a scene holds by node ID, for telling whether anything has changed."""
    found = {}
    for index in range(scene.GetNumberOfNodes()):
        node = scene.GetNthNode(index)
        if node.IsA("vtkMRMLSelectionNode"):
            continue  # what is chosen in the application, such as the active list of points
        roles: list[str] = []
        node.GetNodeReferenceRoles(roles)
        references = {
            role: [node.GetNthNodeReferenceID(role, k) for k in range(node.GetNumberOfNodeReferences(role))]
            for role in roles
        }
        attributes = {name: node.GetAttribute(name) for name in node.GetAttributeNames()}
        text = node.GetText() if hasattr(node, "GetText") and node.IsA("vtkMRMLTextNode") else None
        found[node.GetID()] = (node.GetName(), attributes, {k: v for k, v in references.items() if v}, text)
    return found
