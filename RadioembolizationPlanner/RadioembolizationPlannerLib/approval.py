"""Approving plans: who, when and exactly what; no approval survives a change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError, PlannerError
from radioembolization.images import Unit
from radioembolization.treatment.fingerprint import changed_parts, volume_digest
from RadioembolizationPlannerLib.plan_record import Approval, PlanRecord, record_of, write_record
from RadioembolizationPlannerLib.plans import DOSE, node_of, stated_plan
from RadioembolizationPlannerLib.scene import volume_from_node


def refresh_stale(
    plan: slicer.vtkMRMLTextNode, inputs: Mapping[str, str], at: datetime, problem: str = ""
) -> PlanRecord:
    """Note which inputs differ from those of a plan; an approval does not survive a change.

    Parameters
    ----------
    plan : vtkMRMLTextNode
    inputs : mapping of str to str
        Digest of every part of the case as it is now.
    at : datetime
    problem : str
        Why the case cannot be read now; empty if it can.
    """
    record = record_of(plan)
    reasons = (problem,) if problem else changed_parts(record.inputs, inputs)
    if reasons != record.stale:
        record = replace(record, stale=reasons)
        if reasons and record.approval is not None:
            record = _revoked(record, at, "; ".join(reasons))
        write_record(plan, record)
    return record


def approve(plan: slicer.vtkMRMLTextNode, by: str, at: datetime) -> PlanRecord:
    """Approve a plan in somebody's name.

    Raises
    ------
    InputError
        If no name is given, the plan is stale, or a limit is exceeded.
    PlanChanged
        If the plan or its dose cannot be read.
    """
    record, name = record_of(plan), by.strip()
    if not name:
        raise InputError(_("Enter the name of the person who approves the plan."))
    if record.stale:
        raise InputError(
            _("Plan '{plan}' is out of date and cannot be approved: {reasons}.").format(
                plan=record.name, reasons="; ".join(record.stale)
            )
        )
    exceeded = [limit.name for limit in stated_plan(plan).plan.limits if not limit.met]
    if exceeded:
        raise InputError(
            _("Plan '{plan}' exceeds limits and cannot be approved: {limits}.").format(
                plan=record.name, limits=", ".join(exceeded)
            )
        )
    moment = at.isoformat(timespec="seconds")
    note = f"{moment}: approved by {name}"
    approved = replace(record, approval=Approval(name, moment, plan_digest(plan)), history=(*record.history, note))
    write_record(plan, approved)
    return approved


def revoke(plan: slicer.vtkMRMLTextNode, reason: str, at: datetime) -> PlanRecord:
    """Take back the approval of a plan; nothing happens if there is none."""
    record = record_of(plan)
    if record.approval is not None:
        record = _revoked(record, at, reason)
        write_record(plan, record)
    return record


def check_approval(plan: slicer.vtkMRMLTextNode, at: datetime) -> PlanRecord:
    """Revoke the approval of a plan whose file or dose is not what was approved, or cannot be read any more."""
    record = record_of(plan)
    if record.approval is None:
        return record
    try:
        same = plan_digest(plan) == record.approval.digest
    except PlannerError as error:
        return revoke(plan, str(error).rstrip("."), at)
    return record if same else revoke(plan, _("its file or its dose is not what was approved"), at)


def plan_digest(plan: slicer.vtkMRMLTextNode) -> str:
    """Return the SHA256 of a plan: its file, the voxels of its dose and where they lie."""
    dose = volume_digest(volume_from_node(node_of(plan, DOSE), Unit.GY))
    return hashlib.sha256((dose + (plan.GetText() or "")).encode("utf-8")).hexdigest()


def _revoked(record: PlanRecord, at: datetime, reason: str) -> PlanRecord:
    note = f"{at.isoformat(timespec='seconds')}: approval by {record.approval.by} revoked: {reason}"
    return replace(record, approval=None, history=(*record.history, note))
