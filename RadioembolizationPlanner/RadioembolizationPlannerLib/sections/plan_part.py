"""What the parts of section 6 share: they show a part of the file of the shown plan, and load plans from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import slicer
from slicer.i18n import tr as _

from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.plan_analysis import Document, document_of
from RadioembolizationPlannerLib.plan_record import record_of
from RadioembolizationPlannerLib.sections.section import Section, set_ready


class PlanPart(Section):
    """A part that follows the shown plan."""

    shows = ("shown_plan",)
    _was_running = False

    def show(self, parameters: PlannerParameters) -> None:
        self._document = document_of(self.source(parameters))
        self.show_document(self._document)
        self.show_readiness()

    def on_event(self, event: Event) -> None:
        if event is Event.STATUS and self._was_running is self.session.runner.is_running:
            return  # every step that is calculated is told; only beginning and end matter here
        if event in (Event.PLANS, Event.CASE, Event.DOSES, Event.STATUS):
            self._was_running = self.session.runner.is_running
            self.show_readiness()

    def source(self, parameters: PlannerParameters) -> slicer.vtkMRMLTextNode | None:
        """Return the plan that is shown here."""
        return parameters.shown_plan

    def show_document(self, document: Document) -> None:
        """Show the file of a plan; empty if there is none."""

    def show_readiness(self) -> None:
        """Enable what can be done now."""

    def plan(self) -> slicer.vtkMRMLTextNode | None:
        """Return the plan that is shown here now, if parameters can be read."""
        parameters = self.attempt(lambda: self.session.parameters)
        return None if parameters is None else self.source(parameters)

    def ready_to_load(self, button: Any, row: int) -> None:
        """Enable a button that loads the selected row; its tooltip says what is missing."""
        plan = self.plan()
        record = None if plan is None else self.attempt(lambda: record_of(plan))
        lacking = self.session.why_no_doses()
        if record is not None and record.stale:
            lacking = _("Plan '{plan}' is out of date: {reasons}.").format(
                plan=plan.GetName(), reasons="; ".join(record.stale).rstrip(".")
            )
        if self.session.runner.is_running:
            lacking = _("A calculation is running.")
        if row < 0:
            lacking = _("Select a row first.")
        set_ready(button, lacking, _("Makes a plan of the activities of the selected row, without a bound."))

    def load(self, activities_gbq: Mapping[str, float]) -> None:
        """Make a plan of activities by site, and tell where it came from."""
        self.session.desk.load(activities_gbq)

    def ready_to_chart(self, button: Any, role: str, tip: str) -> None:
        """Enable a button that shows a chart, if the plan has it."""
        plan = self.plan()
        there = plan is not None and plan.GetNodeReference(role) is not None
        set_ready(button, "" if there else _("This plan has no such chart."), tip)

    def show_chart(self, role: str) -> None:
        """Show a chart of the plan in the plot views."""
        plan = self.plan()
        chart = None if plan is None else plan.GetNodeReference(role)
        if chart is not None:
            self.session.show_chart(chart)
