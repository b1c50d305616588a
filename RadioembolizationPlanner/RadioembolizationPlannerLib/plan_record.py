"""What is known of a plan beside its file: what it was made from, what has changed since, who approved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from RadioembolizationPlannerLib.records import RecordKind

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


#: How plans are found, read and written.
PLANS = RecordKind("plan", PLAN_ATTRIBUTE, _RECORD, RECORD_FORMAT, PlanRecord)
record_of, write_record = PLANS.read, PLANS.write
