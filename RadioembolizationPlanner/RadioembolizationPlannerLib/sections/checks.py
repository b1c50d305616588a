"""Part of section 2: what does not fit together, before it is planned on."""

from __future__ import annotations

from slicer.i18n import tr as _

from radioembolization.structures.findings import Finding, Severity
from RadioembolizationPlannerLib.checks_desk import shown_message, summary
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.follower import Follower
from RadioembolizationPlannerLib.sections.section import Section, set_ready
from RadioembolizationPlannerLib.sections.table import Table


class ChecksSection(Section):
    """A button that checks, a list of what was found, and a way to the places."""

    name = "ChecksSection"
    shows = ("ct", "scout", "segmentation", "roles", "liver_density_g_per_cm3")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = self.session.checks
        self._follower = Follower(self.session, ui.checksLabel)
        self._table = Table(ui.checksTable, [_("Weight"), _("Finding"), _("Segments"), _("Message")], stretched=3)
        ui.checkButton.connect("clicked(bool)", self.slot(lambda _on: self._check()))
        ui.cancelCheckButton.connect("clicked(bool)", lambda _on: self.session.cancel())
        ui.notesBox.connect("toggled(bool)", self.slot(lambda _on: self._show_findings()))
        ui.jumpButton.connect("clicked(bool)", self.slot(lambda _on: self._jump()))
        ui.checksTable.connect("itemSelectionChanged()", self.slot(self._show_readiness))
        ui.checksTable.connect("cellDoubleClicked(int,int)", self.slot(lambda _row, _column: self._jump()))
        self._show_findings()

    def show(self, parameters: PlannerParameters) -> None:
        self._show_readiness()

    def on_event(self, event: Event) -> None:
        if event in (Event.CASE, Event.STATUS):
            self._show_findings()

    # -- what the user does -------------------------------------------------------------------------------------

    def _check(self) -> None:
        self._follower.start()
        self.desk.check()

    def _jump(self) -> None:
        if self._selected is not None:
            self.desk.jump(self._selected)

    # -- what is shown ------------------------------------------------------------------------------------------

    @property
    def _listed(self) -> list[Finding]:
        return [f for f in self.desk.findings or () if self.ui.notesBox.checked or f.severity is not Severity.NOTICE]

    @property
    def _selected(self) -> Finding | None:
        listed, row = self._listed, self._table.selected
        return listed[row] if 0 <= row < len(listed) else None

    def _show_findings(self) -> None:
        titles = {Severity.ERROR: _("ERROR"), Severity.WARNING: _("WARNING"), Severity.NOTICE: _("note")}
        with self.showing():
            self._table.set_rows(len(self._listed))
            for row, finding in enumerate(self._listed):
                names = ", ".join(finding.structures)
                self._table.set_row(row, [titles[finding.severity], finding.check, names, shown_message(finding)])
        self.ui.checksTable.visible = bool(self._listed)
        self._show_readiness()

    def _show_readiness(self) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui = self.ui
        parameters = self.attempt(lambda: self.session.parameters)
        busy = _("A calculation is running.") if self.session.runner.is_running else ""
        lacking = _("Choose a segmentation and give its segments roles first.")
        ready = parameters is not None and parameters.segmentation is not None and parameters.roles
        tip = _("Compares structures, CT and scout image with each other; nothing is changed.")
        set_ready(ui.checkButton, busy or ("" if ready else lacking), tip)
        selected = self._selected
        nowhere = _("Select a finding first.") if selected is None else _("This finding has no single place.")
        there = selected is not None and selected.position_lps_mm is not None
        set_ready(ui.jumpButton, "" if there else nowhere, _("Shows the place in all slice views."))
        ui.cancelCheckButton.enabled = bool(busy)
        self._follower.show(self._told())

    def _told(self) -> str:
        """Return what was found, whether it is out of date, and the whole message of the selected finding."""
        if self.desk.findings is None:
            return ""
        told, selected = summary(self.desk.findings), self._selected
        if self.desk.changes:
            changed = _("OUT OF DATE: {changes}. Check again. Before: {told}")
            told = changed.format(changes="; ".join(self.desk.changes).rstrip("."), told=told)
        return told if selected is None else f"{told}\n{shown_message(selected)}"
