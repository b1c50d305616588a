"""What is done with the plans of a session once they are made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from radioembolization.errors import CertificateRejected, InputError, PlannerError
from radioembolization.images import Unit
from radioembolization.planning.recheck import Recheck
from RadioembolizationPlannerLib import approval, plans, tasks
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.export import export_plan
from RadioembolizationPlannerLib.plan_record import record_of
from RadioembolizationPlannerLib.plan_views import compare_plans, show_in_views
from RadioembolizationPlannerLib.publish_plan import replace_isodoses

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession


class PlanDesk:
    """Shows, compares, checks, approves, exports and deletes plans.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        #: Table of the last comparison.
        self.comparison: slicer.vtkMRMLTableNode | None = None

    def choose(self, plan: slicer.vtkMRMLTextNode) -> None:
        """Make a plan the shown one and set the sliders to its activities; errors as of ``stated_plan``."""
        record_of(plan)
        activities = {site.name: site.activity_gbq for site in plans.stated_plan(plan).plan.sites}
        self._session.end_live()
        self._session.change(shown_plan=plan, activities_gbq=activities)
        self._session.tell(Event.PLANS)

    def load(self, activities_gbq: Mapping[str, float]) -> slicer.vtkMRMLTextNode:
        """Make a plan of given activities [GBq] by site, such as those of a point of a front.

        Errors are those of ``PlanningSession.keep_activities``; the sliders are as before then.
        """
        session = self._session
        before = session.parameters.activities_gbq
        session.change(activities_gbq=dict(activities_gbq))
        try:
            return session.keep_activities()
        except PlannerError:
            session.change(activities_gbq=before)
            raise

    def show(self, plan: slicer.vtkMRMLTextNode) -> None:
        """Show a plan in the views; ``PlanChanged`` if its dose was deleted."""
        show_in_views(self._session.scene, self._session.parameters, plan)

    def set_isodoses(self, plan: slicer.vtkMRMLTextNode, text: str) -> None:
        """Draw the isodoses of a plan at levels [Gy] separated by spaces; none written: default levels.

        Raises
        ------
        InputError
            If a level is no positive number.
        """
        try:
            levels = tuple(sorted({float(word) for word in text.replace(",", " ").replace(";", " ").split()}))
        except ValueError:
            raise InputError(
                _("Isodoses are numbers in Gy separated by spaces, not '{text}'.").format(text=text)
            ) from None
        replace_isodoses(self._session.scene, plan, levels)
        self._session.change(isodoses_gy=levels)

    def compare(self, plan: slicer.vtkMRMLTextNode, other: slicer.vtkMRMLTextNode | None) -> None:
        """Put two plans side by side in a table and a chart; ``InputError`` if there are not two."""
        if other is None:
            raise InputError(_("Choose another plan to compare with."))
        session = self._session
        self.comparison, chart = compare_plans(session.scene, (plan, other), session.colors())
        session.show_chart(chart)
        session.tell(Event.COMPARISON)

    def approve(self, plan: slicer.vtkMRMLTextNode, by: str) -> None:
        """Approve a plan; errors as of ``approval.approve``."""
        self._session.refresh()
        record = approval.approve(plan, by, self._session.clock())
        self._session.say(_("Plan '{plan}' approved by {name}.").format(plan=record.name, name=record.approval.by))
        self._session.tell(Event.PLANS)

    def revoke(self, plan: slicer.vtkMRMLTextNode) -> None:
        """Take back the approval of a plan."""
        approval.revoke(plan, _("by the user"), self._session.clock())
        self._session.tell(Event.PLANS)

    def delete(self, plan: slicer.vtkMRMLTextNode) -> None:
        """Delete a plan and its nodes; the last of the others becomes the shown one."""
        session = self._session
        plans.remove_plan(session.scene, plan)
        left = plans.plans_of(session.scene)
        session.change(shown_plan=left[-1] if left else None)
        session.tell(Event.PLANS)

    def certify(self, plan: slicer.vtkMRMLTextNode) -> None:
        """Start computing the doses anew from the scene and checking the plan with them, without a solver.

        Raises
        ------
        CertificateRejected
            If the plan is not that of the case in the scene.
        """
        session, name = self._session, plan.GetName()
        session.refresh()
        record = record_of(plan)
        if record.stale:
            told = _("Plan '{plan}' cannot be checked, since it is out of date: {reasons}.")
            raise CertificateRejected(told.format(plan=name, reasons="; ".join(record.stale)))
        request = tasks.CertifyRequest(session.inputs(), plan.GetText(), name)
        session.start(tasks.certify, request, _("Checking"), lambda found: session.say(verdict_text(name, found)))

    def export(self, plan: slicer.vtkMRMLTextNode, folder: Path) -> dict[str, Path]:
        """Write a plan into a folder; errors as of ``export_plan``."""
        parameters = self._session.parameters
        image, unit = (parameters.ct, Unit.HU) if parameters.ct is not None else (parameters.scout, Unit.COUNTS)
        files = export_plan(plan, folder, self._session.clock(), image, unit)
        written = _("Plan '{plan}' was written to {folder}: {files}.")
        names = ", ".join(path.name for path in files.values())
        self._session.say(written.format(plan=plan.GetName(), folder=folder, files=names))
        return files


def verdict_text(name: str, found: Recheck) -> str:
    """Return in sentences what stands up to being computed anew."""
    proved = _("Plan '{plan}' stands.")
    unproved = _("The doses of plan '{plan}' stand; nothing proves a bound.")
    lines = [(unproved if found.bound is None else proved).format(plan=name)]
    lines += [_("Checked: {what}.").format(what=what.rstrip(".")) for what in found.checked]
    lines += [_("Not proved: {what}.").format(what=what.rstrip(".")) for what in found.unproved]
    return "\n".join(lines)
