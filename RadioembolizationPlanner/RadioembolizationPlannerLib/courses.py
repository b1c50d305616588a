"""The courses of a scene: each a text node that holds its document, tied to the nodes that show it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import slicer

from radioembolization.files.course_document import COURSE_SCHEMA_VERSION
from radioembolization.treatment.fingerprint import changed_parts
from RadioembolizationPlannerLib.errors import NewerScene, PlanChanged
from RadioembolizationPlannerLib.plans import remove_nodes
from RadioembolizationPlannerLib.records import RecordKind

#: Attribute that marks the text node of a course; its value is the format of the record.
COURSE_ATTRIBUTE = "RadioembolizationPlanner.Course"
RECORD_FORMAT = 1
_RECORD = "RadioembolizationPlanner.CourseRecord"

#: References from the text node of a course to the nodes that show it.
ADMINISTRATIONS, EFFECTS, LEDGER = "courseAdministrations", "courseEffects", "courseLedger"
LIMITS, ALTERNATIVES, NOTICES = "courseLimits", "courseAlternatives", "courseNotices"
CURVES, SERIES, CHARTS, PAGE = "courseCurves", "courseSeries", "courseCharts", "coursePage"
TABLES = (ADMINISTRATIONS, EFFECTS, LIMITS, LEDGER, ALTERNATIVES, NOTICES, CURVES)
ROLES = (*TABLES, SERIES, CHARTS, PAGE)


@dataclass(frozen=True)
class CourseRecord:
    """What is known of a course beside its document.

    Parameters
    ----------
    name : str
    made_at : str
        Local time with its offset from UTC, ISO 8601.
    inputs : mapping of str to str
        Digest of every part of the case and of the course it was made from.
    replanned : bool
        Whether it was planned after something was delivered.
    stale : tuple of str
        What has changed since; empty while the course is that of the scene.
    """

    name: str
    made_at: str
    inputs: Mapping[str, str]
    replanned: bool = False
    stale: tuple[str, ...] = ()


COURSES = RecordKind("course", COURSE_ATTRIBUTE, _RECORD, RECORD_FORMAT, CourseRecord)
#: As of plans.
courses_of, new_course, record_of, write_record = COURSES.all_in, COURSES.new, COURSES.read, COURSES.write


def refresh_stale(course: slicer.vtkMRMLTextNode, inputs: Mapping[str, str], problem: str = "") -> CourseRecord:
    """Note which inputs differ from those of a course; ``problem`` says why they cannot be read now."""
    record = record_of(course)
    reasons = (problem,) if problem else changed_parts(record.inputs, inputs)
    if reasons != record.stale:
        record = replace(record, stale=reasons)
        write_record(course, record)
    return record


def document_of(course: slicer.vtkMRMLTextNode) -> dict[str, Any]:
    """Return the document of a course.

    Raises
    ------
    PlanChanged
        If its text is no document of a course.
    NewerScene
        If it is that of a newer program.
    """
    try:
        document = json.loads(course.GetText() or "")
        version = str(document["schema_version"])
        document["ledger"], document["course"], document["explanation"]
    except (ValueError, TypeError, KeyError) as error:
        raise PlanChanged(f"The text of '{course.GetName()}' is no course ({error}): plan again.") from error
    if version.split(".")[0] != COURSE_SCHEMA_VERSION.split(".")[0]:
        raise NewerScene(f"Course '{course.GetName()}' has schema {version}: update the extension, or plan again.")
    return dict(document)


def nodes_of(course: slicer.vtkMRMLTextNode, *roles: str) -> list[slicer.vtkMRMLNode]:
    """Return the nodes that show a course, of all roles if none is named; those that were deleted are left out."""
    found = []
    for role in roles or ROLES:
        for index in range(course.GetNumberOfNodeReferences(role)):
            node = course.GetNthNodeReference(role, index)
            if node is not None:
                found.append(node)
    return found


def remove_course(scene: slicer.vtkMRMLScene, course: slicer.vtkMRMLTextNode) -> None:
    """Delete a course, every node that shows it, and its folder."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(course)
    folder = hierarchy.GetItemParent(item) if item else 0
    own = bool(folder) and folder != hierarchy.GetSceneItemID() and hierarchy.GetItemName(folder) == course.GetName()
    remove_nodes(scene, *nodes_of(course), course)
    if own and not hierarchy.GetNumberOfItemChildren(folder):
        hierarchy.RemoveItem(folder)
