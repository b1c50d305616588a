"""Section 6: the plans of the scene: tables, comparison, approval, report, export."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from RadioembolizationPlannerLib import plans
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.plan_record import PLAN_ATTRIBUTE, PlanRecord, record_of
from RadioembolizationPlannerLib.sections.orders import OrdersSection
from RadioembolizationPlannerLib.sections.scenarios import ScenariosSection
from RadioembolizationPlannerLib.sections.section import Section, offer, set_choices
from RadioembolizationPlannerLib.sections.trade_offs import TradeOffsSection
from RadioembolizationPlannerLib.sections.why import WhySection


class ResultsSection(Section):
    """Everything that is done with a plan once there is one."""

    name = "ResultsSection"
    shows = ("shown_plan", "isodoses_gy")
    part_types = (WhySection, TradeOffsSection, ScenariosSection, OrdersSection)

    def set_up(self) -> None:
        ui = self.ui
        for selector in (ui.planSelector, ui.otherPlanSelector):
            selector.addAttribute("vtkMRMLTextNode", PLAN_ATTRIBUTE)
        titles = {
            plans.STRUCTURES: _("doses"),
            plans.LIMITS: _("limits"),
            plans.SITES: _("injections"),
            plans.NOTICES: _("notices"),
            plans.CURVES: _("dose-volume histograms"),
        }
        set_choices(ui.tableBox, [(text, role) for role, text in titles.items()])
        ui.planSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.slot(self._on_plan))
        ui.tableBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._show_table(self._plan())))
        buttons = {
            ui.showButton: self.session.desk.show,
            ui.certifyButton: self.session.desk.certify,
            ui.deleteButton: self.session.desk.delete,
            ui.compareButton: lambda plan: self.session.desk.compare(plan, ui.otherPlanSelector.currentNode()),
            ui.isodosesButton: lambda plan: self.session.desk.set_isodoses(plan, ui.isodosesEdit.text),
            ui.approveButton: lambda plan: self.session.desk.approve(plan, ui.approverEdit.text),
            ui.revokeButton: self.session.desk.revoke,
            ui.exportButton: self._export,
            ui.reportButton: self._open_report,
        }
        offer(ui.slicerRtButton, "DoseVolumeHistogram")
        for button, action in buttons.items():
            button.connect("clicked(bool)", self.slot(lambda _on, action=action: self._act(action)))

    def show(self, parameters: PlannerParameters) -> None:
        self.ui.planSelector.setCurrentNode(parameters.shown_plan)
        self.ui.isodosesEdit.text = " ".join(f"{level:g}" for level in parameters.isodoses_gy)
        self._show_plan(parameters.shown_plan)
        self._show_table(parameters.shown_plan)

    def on_event(self, event: Event) -> None:
        if event in (Event.PLANS, Event.CASE, Event.STATUS):
            self.attempt(lambda: self._show_plan(self._plan()))
        if event is Event.COMPARISON:
            self.ui.tableView.setMRMLTableNode(self.session.desk.comparison)

    def _plan(self) -> slicer.vtkMRMLTextNode | None:
        return self.session.parameters.shown_plan

    def _act(self, action: object) -> None:
        plan = self.attempt(self._plan)
        if plan is not None:
            self.attempt(lambda: action(plan))

    def _on_plan(self, node: slicer.vtkMRMLNode | None) -> None:
        if self._showing:
            return
        if node is None:
            self.change(shown_plan=None)
        else:
            self.attempt(lambda: self.session.desk.choose(node))

    def _show_plan(self, plan: slicer.vtkMRMLTextNode | None) -> None:
        ui, running = self.ui, self.session.runner.is_running
        record = None if plan is None else self.attempt(lambda: record_of(plan))
        lacking = _("There is no plan yet.") if plan is None else ""
        approvable = lacking or ("" if record and not record.stale else _("The plan is out of date."))
        _set_enabled(ui.approveButton, approvable)
        _set_enabled(ui.certifyButton, lacking or (_("A calculation is running.") if running else ""))
        approved = record is not None and record.approval is not None
        _set_enabled(ui.revokeButton, "" if approved else _("The plan is not approved."))
        for button in (ui.showButton, ui.deleteButton, ui.compareButton, ui.isodosesButton, ui.exportButton):
            _set_enabled(button, lacking)
        has_report = plan is not None and plan.GetNodeReference(plans.REPORT) is not None
        _set_enabled(ui.reportButton, lacking or ("" if has_report else _("The plan was made without a report.")))
        ui.stateLabel.text = "" if record is None else state_text(record)

    def _show_table(self, plan: slicer.vtkMRMLTextNode | None) -> None:
        role = self.ui.tableBox.currentData
        self.ui.tableView.setMRMLTableNode(None if plan is None else plan.GetNodeReference(role))

    def _export(self, plan: slicer.vtkMRMLTextNode) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the plan"))
        if folder:
            self.session.desk.export(plan, Path(folder))

    def _open_report(self, plan: slicer.vtkMRMLTextNode) -> None:
        path = Path(slicer.app.temporaryPath) / f"{plan.GetID()}-report.html"
        path.write_text(plan.GetNodeReference(plans.REPORT).GetText(), encoding="utf-8")
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))


def state_text(record: PlanRecord) -> str:
    """Return in a few lines when a plan was made, whether it still holds, and who approved it."""
    lines = [_("Made {time}.").format(time=record.made_at)]
    if record.stale:
        lines.append(_("OUT OF DATE: {reasons}.").format(reasons="; ".join(record.stale).rstrip(".")))
    if record.approval is not None:
        approval = record.approval
        told = _("Approved by {name}, {time} (SHA256 {digest}…).")
        lines.append(told.format(name=approval.by, time=approval.at, digest=approval.digest[:12]))
    elif record.history:
        lines.append(record.history[-1])
    return "\n".join(lines)


def _set_enabled(button: qt.QPushButton, lacking: str) -> None:
    """Enable a button, or say in its tooltip why not; its own tooltip is kept aside."""
    own = button.property("ownToolTip") or button.toolTip
    button.setProperty("ownToolTip", own)
    button.enabled = not lacking
    button.toolTip = lacking or own
