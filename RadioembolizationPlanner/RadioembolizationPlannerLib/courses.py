"""The courses of a scene: each a text node that holds its document, tied to the nodes that show it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import slicer

from radioembolization.errors import InputError
from radioembolization.files.course_document import COURSE_SCHEMA_VERSION
from radioembolization.treatment.fingerprint import changed_parts
from RadioembolizationPlannerLib.errors import NewerScene, PlanChanged
from RadioembolizationPlannerLib.plans import remove_nodes
from RadioembolizationPlannerLib.stored_values import from_json, to_json

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


def courses_of(scene: slicer.vtkMRMLScene) -> tuple[slicer.vtkMRMLTextNode, ...]:
    """Return the text nodes of all courses of a scene, in the order they were made."""
    count = scene.GetNumberOfNodesByClass("vtkMRMLTextNode")
    nodes = [scene.GetNthNodeByClass(index, "vtkMRMLTextNode") for index in range(count)]
    return tuple(node for node in nodes if node.GetAttribute(COURSE_ATTRIBUTE))


def new_course(scene: slicer.vtkMRMLScene, text: str, record: CourseRecord) -> slicer.vtkMRMLTextNode:
    """Put the document of a course into a scene."""
    node = scene.AddNewNodeByClass("vtkMRMLTextNode", record.name)
    node.SetText(text)
    node.SetForceCreateStorageNode(True)  # its own file in a saved scene, however short
    write_record(node, record)
    return node


def record_of(course: slicer.vtkMRMLTextNode) -> CourseRecord:
    """Return the record of a course.

    Raises
    ------
    NewerScene
        If a newer program wrote it.
    InputError
        If the node is no course, or its record cannot be read.
    """
    stored = course.GetAttribute(COURSE_ATTRIBUTE)
    if not stored:
        raise InputError(f"'{course.GetName()}' is no course: choose one made by the planner.")
    if not (stored.isdecimal() and int(stored) <= RECORD_FORMAT):
        raise NewerScene(
            f"Course '{course.GetName()}' has format {stored}, this program reads up to {RECORD_FORMAT}: update the "
            "extension. The course is left as it is."
        )
    try:
        record: CourseRecord = from_json(course.GetAttribute(_RECORD) or "", CourseRecord)
    except ValueError as error:
        raise InputError(f"The record of course '{course.GetName()}' cannot be read ({error}): plan again.") from error
    return record


def write_record(course: slicer.vtkMRMLTextNode, record: CourseRecord) -> None:
    """Store the record of a course."""
    course.SetAttribute(COURSE_ATTRIBUTE, str(RECORD_FORMAT))
    text = to_json(record)
    if course.GetAttribute(_RECORD) != text:
        course.SetAttribute(_RECORD, text)


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
