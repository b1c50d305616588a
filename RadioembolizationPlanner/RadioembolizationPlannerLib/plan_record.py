"""What is known of a plan beside its file: what it was made from, what has changed since, who approved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import slicer

from radioembolization.errors import InputError
from RadioembolizationPlannerLib.errors import NewerScene
from RadioembolizationPlannerLib.stored_values import from_json, to_json

#: Attribute that marks the text node of a plan; its value is the format of the record.
PLAN_ATTRIBUTE = "RadioembolizationPlanner.Plan"
RECORD_FORMAT = 1
_RECORD = "RadioembolizationPlanner.PlanRecord"


@dataclass(frozen=True)
class Approval:
    """Who approved a plan, when, and the digest of what was approved."""

    by: str
    at: str
    digest: str


@dataclass(frozen=True)
class PlanRecord:
    """What is known of a plan beside its file.

    Parameters
    ----------
    name : str
    made_at : str
        Local time with its offset from UTC, ISO 8601.
    inputs : mapping of str to str
        Digest of every part of the case it was made from.
    stale : tuple of str
        What has changed since; empty while the plan is that of the scene.
    approval : Approval, optional
    history : tuple of str
        Approvals, revocations and their reasons, in order.
    """

    name: str
    made_at: str
    inputs: Mapping[str, str]
    stale: tuple[str, ...] = ()
    approval: Approval | None = None
    history: tuple[str, ...] = ()


def record_of(plan: slicer.vtkMRMLTextNode) -> PlanRecord:
    """Return the record of a plan.

    Raises
    ------
    NewerScene
        If a newer program wrote it.
    InputError
        If the node is no plan, or its record cannot be read.
    """
    stored = plan.GetAttribute(PLAN_ATTRIBUTE)
    if not stored:
        raise InputError(f"'{plan.GetName()}' is no plan: choose one made by the planner.")
    if not (stored.isdecimal() and int(stored) <= RECORD_FORMAT):
        raise NewerScene(
            f"Plan '{plan.GetName()}' has format {stored}, this program reads up to {RECORD_FORMAT}: update the "
            "extension. The plan is left as it is."
        )
    try:
        record: PlanRecord = from_json(plan.GetAttribute(_RECORD) or "", PlanRecord)
    except ValueError as error:
        raise InputError(f"The record of plan '{plan.GetName()}' cannot be read ({error}): plan again.") from error
    return record


def write_record(plan: slicer.vtkMRMLTextNode, record: PlanRecord) -> None:
    """Store the record of a plan."""
    plan.SetAttribute(PLAN_ATTRIBUTE, str(RECORD_FORMAT))
    text = to_json(record)
    if plan.GetAttribute(_RECORD) != text:
        plan.SetAttribute(_RECORD, text)
