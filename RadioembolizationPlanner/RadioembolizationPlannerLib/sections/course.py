"""Section 7: a course of 177Lu cycles and sessions of radioembolization, and the courses of the scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from RadioembolizationPlannerLib import courses
from RadioembolizationPlannerLib.case import missing_inputs
from RadioembolizationPlannerLib.course_desk import CourseDesk, explanation_text
from RadioembolizationPlannerLib.course_table import DELIVERED, entry, numbers_from_text, numbers_text, with_entry
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections import course_treatments as treatments
from RadioembolizationPlannerLib.sections import course_uptakes as uptakes
from RadioembolizationPlannerLib.sections.editable_table import EditableTable
from RadioembolizationPlannerLib.sections.section import Section, choose, number_of, set_choices, set_number

#: What a button makes of the course; the second kind is told the selected row.
_Add = Callable[[PlannerParameters], Mapping[str, Any]]
_Remove = Callable[[PlannerParameters, int], Mapping[str, Any]]


class CourseSection(Section):
    """Everything about a course of treatment; it needs the case of the other sections and changes none of it."""

    name = "CourseSection"
    shows = ("course", "segmentation", "roles", "sites", "device")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = CourseDesk(self.session)
        self.desk.changed = self._show_courses
        self._tables = {
            "outside": EditableTable(self, ui.outsideTable, uptakes.outside_rows()),
            "uptakes": EditableTable(self, ui.uptakesTable, uptakes.uptake_rows()),
            "budgets": EditableTable(self, ui.budgetsTable, uptakes.budget_rows()),
            "sessions": EditableTable(self, ui.sessionsTable, treatments.session_rows()),
            "treatments": EditableTable(self, ui.treatmentsTable, treatments.treatment_rows()),
            "labs": EditableTable(self, ui.labsTable, treatments.lab_rows()),
            "rules": EditableTable(self, ui.rulesTable, treatments.rule_rows()),
        }
        set_choices(ui.gradeBox, [(_("not stated"), ""), ("G1", "G1"), ("G2", "G2")])
        self._connect_entries()
        self._connect_rows()
        self._connect_results()

    def _connect_entries(self) -> None:
        ui = self.ui

        def cycles(key: str, count: float) -> None:
            self._set(int(count), "cycles", key)

        ui.leastCyclesBox.connect("valueChanged(int)", self.slot(lambda count: cycles("at_least", count)))
        ui.mostCyclesBox.connect("valueChanged(int)", self.slot(lambda count: cycles("at_most", count)))
        ui.cycleActivitiesEdit.connect("editingFinished()", self.slot(self._on_activities))
        ui.gradeBox.connect(
            "currentIndexChanged(int)", self.slot(lambda _i: self._set(ui.gradeBox.currentData, "grade"))
        )
        ui.noneOutsideBox.connect(
            "toggled(bool)", self.slot(lambda on: self._set(False if on else None, "extrahepatic_disease"))
        )
        ui.togetherEdit.connect("editingFinished()", self.slot(self._on_together))
        ui.aimBox.connect("valueChanged(double)", self.slot(self._on_aim))
        ui.otherDeviceEdit.connect(
            "editingFinished()",
            self.slot(lambda: self._set(ui.otherDeviceEdit.text.strip(), "radioembolization", "other_device_reason")),
        )

    def _connect_rows(self) -> None:
        ui = self.ui
        adds = {
            ui.addOutsideButton: uptakes.with_lesion,
            ui.addSessionButton: treatments.with_session,
            ui.addTreatmentButton: treatments.with_treatment,
            ui.addLabButton: treatments.with_lab,
        }
        removes = {
            ui.removeOutsideButton: ("outside", uptakes.without_lesion),
            ui.removeSessionButton: ("sessions", treatments.without_session),
            ui.removeTreatmentButton: ("treatments", treatments.without_treatment),
            ui.removeLabButton: ("labs", treatments.without_lab),
        }
        for button, add in adds.items():
            button.connect("clicked(bool)", self.slot(lambda _on, add=add: self._add(add)))
        for button, (table, remove) in removes.items():
            button.connect("clicked(bool)", self.slot(lambda _on, t=table, remove=remove: self._remove(t, remove)))
        ui.takeOverButton.connect("clicked(bool)", self.slot(lambda _on: self.desk.take_over_planned()))

    def _connect_results(self) -> None:
        ui = self.ui
        ui.courseSelector.addAttribute("vtkMRMLTextNode", courses.COURSE_ATTRIBUTE)
        titles = {
            courses.ADMINISTRATIONS: _("administrations"),
            courses.EFFECTS: _("structures"),
            courses.LIMITS: _("budgets and limits"),
            courses.LEDGER: _("ledger"),
            courses.ALTERNATIVES: _("alternatives"),
            courses.NOTICES: _("findings and notices"),
        }
        set_choices(ui.courseTableBox, [(text, role) for role, text in titles.items()])
        ui.optimizeCourseButton.connect("clicked(bool)", self.slot(lambda _on: self._calculate(self.desk.optimize)))
        ui.replanButton.connect("clicked(bool)", self.slot(lambda _on: self._calculate(self.desk.replan)))
        ui.cancelCourseButton.connect("clicked(bool)", lambda _on: self.session.cancel())
        ui.courseSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.slot(self._on_course))
        ui.courseTableBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._show_table()))
        ui.showChartButton.connect("clicked(bool)", self.slot(lambda _on: self._act(self._show_chart)))
        ui.exportCourseButton.connect("clicked(bool)", self.slot(lambda _on: self._act(self._export)))
        ui.courseReportButton.connect("clicked(bool)", self.slot(lambda _on: self._act(_open_page)))
        ui.deleteCourseButton.connect("clicked(bool)", self.slot(lambda _on: self._act(self.desk.delete)))

    # -- showing ------------------------------------------------------------------------------------------------

    def show(self, parameters: PlannerParameters) -> None:
        ui, course = self.ui, parameters.course
        ui.leastCyclesBox.value = int(entry(course, "cycles", "at_least"))
        ui.mostCyclesBox.value = int(entry(course, "cycles", "at_most"))
        ui.cycleActivitiesEdit.text = numbers_text(entry(course, "cycles", "activities_gbq"))
        choose(ui.gradeBox, entry(course, "grade") or "")
        ui.noneOutsideBox.checked = entry(course, "extrahepatic_disease") is False
        ui.noneOutsideBox.enabled = not uptakes.extrahepatic_lesions(parameters)
        ui.togetherEdit.text = treatments.session_plans_text(parameters)
        ui.otherDeviceEdit.text = entry(course, "radioembolization", "other_device_reason") or ""
        set_number(ui.aimBox, entry(course, "objective", "aim_bed_gy"))
        for table in self._tables.values():
            table.show(parameters)
        self._show_readiness()
        self._show_courses()

    def on_event(self, event: Event) -> None:
        if event is Event.STATUS:
            self._show_status()
        if event in (Event.STATUS, Event.CASE):
            self.attempt(self._show_readiness)

    def _show_status(self) -> None:
        status, bar = self.session.status, self.ui.courseProgressBar
        text = _("Failed: {message}").format(message=status.text) if status.failed else status.text
        self.ui.courseStatusLabel.text = text
        bar.visible = self.session.runner.is_running
        bar.maximum = max(status.steps, 0)
        bar.value = status.step

    def _show_readiness(self) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui, running, parameters = self.ui, self.session.runner.is_running, self.session.parameters
        busy = _("A calculation is running.") if running else ""
        lacking = busy or "\n".join(missing_inputs(parameters)) or self.session.problem
        given = "" if parameters.course.get(DELIVERED) else _("Nothing of the course was given yet.")
        _set_ready(
            ui.optimizeCourseButton,
            lacking,
            _("Chooses cycles, sessions, sites, activities and weeks: the best course within all limits, with proof."),
        )
        _set_ready(
            ui.replanButton,
            lacking or given,
            _("Plans what is left after the treatments on day 0 and later, with what was measured in them."),
        )
        ui.cancelCourseButton.enabled = running
        problem = "" if lacking else self.desk.problem
        ui.courseProblemLabel.text = _("To be corrected: {problem}").format(problem=problem) if problem else ""
        ui.courseProblemLabel.visible = bool(problem)

    def _show_courses(self) -> None:
        """Show the shown course and what can be done with it."""
        with self.showing():
            course, ui = self.desk.shown, self.ui
            self.attempt(self._show_readiness)
            ui.courseSelector.setCurrentNode(course)
            ui.courseStateLabel.text = "" if course is None else self.attempt(lambda: _state_text(course)) or ""
            charts = [] if course is None else courses.nodes_of(course, courses.CHARTS)
            titles = [chart.GetName().partition(": ")[2] or chart.GetName() for chart in charts]
            set_choices(ui.chartBox, [(title, chart.GetID()) for title, chart in zip(titles, charts, strict=True)])
            has_page = course is not None and course.GetNodeReference(courses.PAGE) is not None
            for button in (ui.exportCourseButton, ui.deleteCourseButton):
                button.enabled = course is not None
            ui.showChartButton.enabled = bool(charts)
            ui.takeOverButton.enabled = course is not None
            ui.courseReportButton.enabled = has_page
            self._show_table()

    def _show_table(self) -> None:
        course = self.desk.shown
        role = self.ui.courseTableBox.currentData
        self.ui.courseTableView.setMRMLTableNode(None if course is None else course.GetNodeReference(role))

    # -- what the user does -------------------------------------------------------------------------------------

    def _set(self, value: object, *keys: str) -> None:
        self.session.change(course=with_entry(self.session.parameters.course, value, *keys))

    def _typed(self, change: Callable[[], None]) -> None:
        """Take over what was typed into a line; what is refused is told, and the line says again what holds."""
        self.attempt(change)
        with self.showing():
            self.attempt(lambda: self.show(self.session.parameters))

    def _on_activities(self) -> None:
        self._typed(lambda: self._set(numbers_from_text(self.ui.cycleActivitiesEdit.text), "cycles", "activities_gbq"))

    def _on_together(self) -> None:
        text = self.ui.togetherEdit.text
        self._typed(lambda: self.session.change(course=treatments.with_session_plans(self.session.parameters, text)))

    def _on_aim(self, _value: float) -> None:
        self._set(number_of(self.ui.aimBox), "objective", "aim_bed_gy")

    def _add(self, add: _Add) -> None:
        self.session.change(course=add(self.session.parameters))

    def _remove(self, table: str, remove: _Remove) -> None:
        row = self._tables[table].selected
        if row >= 0:
            self.session.change(course=remove(self.session.parameters, row))

    def _calculate(self, start: Callable[[], None]) -> None:
        self.session.get_packages()
        start()

    def _on_course(self, node: slicer.vtkMRMLNode | None) -> None:
        if node is None:
            self._show_courses()
        else:
            self.desk.choose(node)

    def _act(self, action: Callable[[slicer.vtkMRMLTextNode], object]) -> None:
        course = self.desk.shown
        if course is not None:
            action(course)

    def _show_chart(self, course: slicer.vtkMRMLTextNode) -> None:
        self.desk.show_chart(course, self.ui.chartBox.currentIndex)

    def _export(self, course: slicer.vtkMRMLTextNode) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the course"))
        if folder:
            self.desk.export(course, Path(folder))


def _open_page(course: slicer.vtkMRMLTextNode) -> None:
    path = Path(slicer.app.temporaryPath) / f"{course.GetID()}-course.html"
    path.write_text(course.GetNodeReference(courses.PAGE).GetText(), encoding="utf-8")
    qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))


def _state_text(course: slicer.vtkMRMLTextNode) -> str:
    """Return when a course was made, whether it still holds, and what it says of itself."""
    record = courses.record_of(course)
    lines = [_("Made {time}.").format(time=record.made_at)]
    if record.stale:
        lines.append(_("OUT OF DATE: {reasons}.").format(reasons="; ".join(record.stale).rstrip(".")))
    return "\n".join([*lines, explanation_text(courses.document_of(course))])


def _set_ready(button: qt.QPushButton, lacking: str, tip: str) -> None:
    button.enabled = not lacking
    button.toolTip = lacking or tip
