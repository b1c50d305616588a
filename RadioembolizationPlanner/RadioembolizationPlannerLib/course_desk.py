"""What is done with courses of treatment in a session: plan, plan the rest, show, export, delete."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from radioembolization.course.exposure import Modality
from radioembolization.errors import InputError, PlannerError, PopulationUptake
from radioembolization.files.replacing import replacing
from radioembolization.treatment.course_inputs import CourseInputs
from radioembolization.treatment.fingerprint import input_digests
from RadioembolizationPlannerLib import courses, tasks
from RadioembolizationPlannerLib.course_reader import course_inputs, delivered_of
from RadioembolizationPlannerLib.course_result import CourseRequest, CourseResult
from RadioembolizationPlannerLib.course_table import DELIVERED, course_digests
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.export import csv_text
from RadioembolizationPlannerLib.publish_course import publish_course
from RadioembolizationPlannerLib.tables import RESEARCH_USE

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession

#: What a delivered administration takes over from the planned one.
_TAKEN_OVER = ("label", "modality", "day", "activity_gbq", "device", "not_exposed")
_DOSE_DIGITS = 4
_RECORD_FILE = "course-record.json"


class CourseDesk:
    """Everything the module does with courses.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        self._chosen = ""
        #: Why the course cannot be planned; empty if it can.
        self.problem = ""
        #: Called when courses, or what is known of them, have changed.
        self.changed: Callable[[], None] = lambda: None
        session.listen(self._on_event)

    # -- what is planned ----------------------------------------------------------------------------------------

    @property
    def table(self) -> Mapping[str, Any]:
        """The course as the user described it."""
        return self._session.parameters.course

    def inputs(self) -> CourseInputs:
        """Return the course as the scene has it now; errors as of ``course_inputs``."""
        return course_inputs(self.table, self._session.inputs())

    def refresh(self) -> None:
        """Read the course and note on every planned one what has changed since."""
        self.problem, digests = "", {}
        try:
            digests = input_digests(self._session.inputs())
            self.inputs()
        except PlannerError as error:
            self.problem = str(error)
        for course in courses.courses_of(self._session.scene):
            self._refresh_stale(course, digests)
        self.changed()

    def _refresh_stale(self, course: slicer.vtkMRMLTextNode, case: Mapping[str, str]) -> None:
        try:
            parts = course_digests(self.table, delivered=courses.record_of(course).replanned)
            courses.refresh_stale(course, {**case, **parts}, "" if case else self._session.problem or self.problem)
        except PlannerError as error:
            logging.warning("%s", error)

    def _on_event(self, event: Event) -> None:
        if event is Event.CASE:
            self.refresh()

    # -- calculations -------------------------------------------------------------------------------------------

    def optimize(self) -> None:
        """Start finding the best course, as if nothing of it was given; errors as of ``inputs``."""
        request = CourseRequest(self.inputs(), with_page=self._session.writes_reports)
        self._start(request, _("Planning the course"))

    def replan(self) -> None:
        """Start finding the best rest of the course after what was delivered; errors as of ``delivered_of``."""
        inputs = self.inputs()
        request = CourseRequest(inputs, delivered_of(self.table, inputs), self._session.writes_reports)
        self._start(request, _("Planning the rest of the course"))

    def _start(self, request: CourseRequest, what: str) -> None:
        parts = course_digests(self.table, delivered=request.delivered is not None)
        digests = {**input_digests(request.inputs.case), **parts}
        self._session.start(tasks.course, request, what, lambda result: self._planned(result, digests))

    def _planned(self, result: CourseResult, digests: Mapping[str, str]) -> None:
        session = self._session
        course = publish_course(session.scene, result, made_at=session.clock(), inputs=digests)
        logging.info("Planned the course '%s'", course.GetName())
        self.choose(course)
        self.show_chart(course)
        self.refresh()
        told = _("'{course}' is ready: {kind}.")
        session.say(told.format(course=course.GetName(), kind=courses.document_of(course)["course"]["kind"]))

    # -- courses of the scene -----------------------------------------------------------------------------------

    @property
    def shown(self) -> slicer.vtkMRMLTextNode | None:
        """The course that was chosen, else the last of the scene."""
        there = courses.courses_of(self._session.scene)
        return next((one for one in there if one.GetID() == self._chosen), there[-1] if there else None)

    def choose(self, course: slicer.vtkMRMLTextNode) -> None:
        """Make a course the shown one; errors as of ``document_of``."""
        courses.record_of(course)
        courses.document_of(course)
        self._chosen = course.GetID()
        self.changed()

    def show_chart(self, course: slicer.vtkMRMLTextNode, number: int = 0) -> None:
        """Show one of the charts of a course in the plot views, by its number."""
        charts = courses.nodes_of(course, courses.CHARTS)
        if not 0 <= number < len(charts):
            raise InputError(_("The charts of '{course}' were deleted: plan again.").format(course=course.GetName()))
        self._session.show_chart(charts[number])

    def take_over_planned(self) -> Mapping[str, Any]:
        """Note the next planned administration of the shown course as given; its doses are still those predicted.

        Raises
        ------
        InputError
            If there is no course, or all of it was given.
        """
        course = self.shown
        if course is None:
            raise InputError(_("There is no course yet: optimize one, or add treatments by hand."))
        given = self.table.get(DELIVERED, [])
        known = {one.get("label") for one in given}
        coming = [one for one in courses.document_of(course)["ledger"] if one["planned"] and one["label"] not in known]
        if not coming:
            raise InputError(_("Every administration of '{course}' was given.").format(course=course.GetName()))
        new = delivered_from(coming[0])
        self._session.change(course={**self.table, DELIVERED: [*given, new]})
        return new

    def delete(self, course: slicer.vtkMRMLTextNode) -> None:
        """Delete a course and its nodes; the last of the others becomes the shown one."""
        courses.remove_course(self._session.scene, course)
        self.changed()

    def export(self, course: slicer.vtkMRMLTextNode, folder: Path) -> dict[str, Path]:
        """Write document, page, record and tables of a course into a folder; return the files by what they are.

        Each file takes its place when it is complete.

        Raises
        ------
        InputError
            If the folder cannot be written to, or holds files of other origin with the names of those of a course.
        """
        courses.document_of(course)
        texts = _texts(course)
        _check_folder(folder, [name for name, _text in texts.values()])
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in texts.values():
                with replacing(folder / name) as temporary:
                    temporary.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            told = _("Course '{course}' could not be written to '{folder}' ({error}): choose another folder.")
            raise InputError(told.format(course=course.GetName(), folder=folder, error=error.strerror)) from error
        names = ", ".join(name for name, _text in texts.values())
        told = _("Course '{course}' was written to {folder}: {files}.")
        self._session.say(told.format(course=course.GetName(), folder=folder, files=names))
        return {what: folder / name for what, (name, _text) in texts.items()}


def delivered_from(planned: Mapping[str, Any]) -> dict[str, Any]:
    """Return a planned administration of a document as one that was given and not measured.

    A cycle without doses is predicted by the core, with a notice; a session takes over its planned doses [Gy].
    """
    new = {key: planned[key] for key in _TAKEN_OVER if planned[key]} | {"day": planned["day"], "measured": False}
    if planned["modality"] != Modality.LUTETIUM:
        new["dose_gy"] = {name: float(f"{dose:.{_DOSE_DIGITS}g}") for name, dose in planned["dose_gy"].items()}
    return new


def explanation_text(document: Mapping[str, Any]) -> str:
    """Return what a course says of itself: changes since the first plan, explanation, rules it does not keep."""
    blocking = [one["text"] for one in document["findings"] if one["blocks"]]
    lines = [*document["changed"], *document["explanation"]]
    if blocking:
        lines.append(
            _("Not to be given as it stands, {count} findings. First: {text}").format(
                count=len(blocking), text=blocking[0]
            )
        )
    stand_in = [one for one in document["notices"] if one["name"] == PopulationUptake.__name__]
    if stand_in:
        lines.append(_("Published values stand in for measured ones (notices: {count}).").format(count=len(stand_in)))
    return "\n".join(lines)


def _texts(course: slicer.vtkMRMLTextNode) -> dict[str, tuple[str, str]]:
    """Return name and text of every file of a course by what it is."""
    record = {"notice": RESEARCH_USE, **asdict(courses.record_of(course))}
    texts = {
        "course": ("course.json", course.GetText()),
        "record": (_RECORD_FILE, json.dumps(record, ensure_ascii=False, indent=2, default=dict) + "\n"),
    }
    page = course.GetNodeReference(courses.PAGE)
    if page is not None:
        texts["page"] = ("course.html", page.GetText())
    names = {
        courses.ADMINISTRATIONS: "administrations",
        courses.EFFECTS: "structures",
        courses.LIMITS: "course-limits",
        courses.LEDGER: "ledger",
        courses.ALTERNATIVES: "alternatives",
        courses.NOTICES: "course-notices",
    }
    for role, name in names.items():
        table = course.GetNodeReference(role)
        if table is not None:
            texts[name] = (f"{name}.csv", csv_text(table))
    return texts


def _check_folder(folder: Path, names: list[str]) -> None:
    """Refuse to write over files that no course was exported to."""
    there = [name for name in names if (folder / name).exists()]
    if there and not (folder / _RECORD_FILE).exists():
        told = _("'{folder}' holds files that are of no exported course ({files}): choose an empty folder.")
        raise InputError(told.format(folder=folder, files=", ".join(there)))
