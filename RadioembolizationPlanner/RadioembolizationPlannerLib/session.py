"""A planning session: the scene's case, its doses, its plans, and what is being calculated.

What panel, scripts and tests act on; it knows the scene and no widgets.  Listeners are called on the thread
that changed something: for calculations, that of ``Runner.poll``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import slicer
from slicer.i18n import tr as _

from radioembolization.dose import LiveResult
from radioembolization.errors import PlannerError
from radioembolization.planning import LimitResult
from radioembolization.treatment import CaseInputs, PreparedCase, SourceMask, Treatment, evaluate_treatment
from radioembolization.treatment.fingerprint import NOT_OF_ROWS, changed_parts, input_digests
from RadioembolizationPlannerLib import tasks
from RadioembolizationPlannerLib.approval import check_approval, refresh_stale
from RadioembolizationPlannerLib.case import CaseReader
from RadioembolizationPlannerLib.checks_desk import ChecksDesk
from RadioembolizationPlannerLib.colors import Color
from RadioembolizationPlannerLib.dose_display import highest_shown_gy
from RadioembolizationPlannerLib.events import Event, Status
from RadioembolizationPlannerLib.layouts import show_plan
from RadioembolizationPlannerLib.live import LivePlan
from RadioembolizationPlannerLib.parameters import ParameterStore, PlannerParameters
from RadioembolizationPlannerLib.plan_desk import PlanDesk
from RadioembolizationPlannerLib.plan_views import curve_colors
from RadioembolizationPlannerLib.plans import DOSE, plans_of
from RadioembolizationPlannerLib.publish_plan import publish_plan, publish_report
from RadioembolizationPlannerLib.reports import ReportWriter
from RadioembolizationPlannerLib.runner import Runner
from RadioembolizationPlannerLib.scout_desk import ScoutDesk
from RadioembolizationPlannerLib.shunt_desk import ShuntDesk

_OfCase = TypeVar("_OfCase", PreparedCase, Treatment)


class PlanningSession:
    """Everything the module does with a scene.

    Parameters
    ----------
    scene : vtkMRMLScene
    store : callable
        Returns the store of the parameters; the node behind it may be another after the scene was closed.
    runner : Runner
    get_packages : callable, optional
        Asks for and installs what optimizing needs; raises ``MissingPackage`` if that is declined.
    clock : callable, optional
        Returns the time with its offset from UTC.
    reports : Runner, optional
        Writes reports of plans meanwhile; without it, they are there when the plan is.
    """

    def __init__(
        self,
        scene: slicer.vtkMRMLScene,
        store: Callable[[], ParameterStore],
        runner: Runner,
        get_packages: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        reports: Runner | None = None,
    ) -> None:
        self.scene, self.runner, self.clock = scene, runner, clock
        self.get_packages = get_packages
        self.status = Status()
        #: Why the case cannot be read from the scene; empty if it can.
        self.problem = ""
        self.desk = PlanDesk(self)
        self.checks = ChecksDesk(self)
        self.scout = ScoutDesk(self)
        self.shunts = ShuntDesk(self)
        #: While nodes leave the scene or a scene comes, selectors turn to other nodes by themselves.
        self.node_is_leaving = False
        self.live: LivePlan | None = None
        self.live_result: LiveResult | None = None
        self._store = store
        self._reader = CaseReader()
        self._reports = ReportWriter(reports)
        #: Whether plans get a report page, which takes seconds.
        self.writes_reports = True
        self._listeners: list[Callable[[Event], None]] = []
        self._prepared: PreparedCase | None = None
        self._prepared_digests: Mapping[str, str] = {}
        self._digests: Mapping[str, str] = {}

    # -- parameters ---------------------------------------------------------------------------------------------

    @property
    def parameters(self) -> PlannerParameters:
        """What the user chose; errors as of ``ParameterStore.read``."""
        return self._store().read()

    def change(self, **changes: object) -> PlannerParameters:
        """Change some parameters; who observes the node is told by it."""
        parameters = replace(self.parameters, **changes)
        self._store().write(parameters)
        return parameters

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call a listener with every event from now on."""
        self._listeners.append(listener)

    def tell(self, event: Event) -> None:
        """Tell every listener of an event."""
        for listener in self._listeners:
            listener(event)

    # -- the case in the scene ----------------------------------------------------------------------------------

    def inputs(self) -> CaseInputs:
        """Return the case as the scene has it now; errors as of ``CaseReader.read``."""
        return self._reader.read(self.parameters)

    def drawn(self) -> tasks.CheckRequest:
        """Return structures and images as the scene has them now; errors as of ``CaseReader.read_drawn``."""
        return self._reader.read_drawn(self.parameters)

    def perfused(self) -> dict[str, SourceMask]:
        """Return the perfused volume of every site that has one; errors as of ``CaseReader.read_perfused``."""
        return self._reader.read_perfused(self.parameters)

    def refresh(self) -> None:
        """Read the case and note on every plan, and on the doses, what has changed since."""
        try:
            self._digests, self.problem = input_digests(self.inputs()), ""
        except PlannerError as error:
            self._digests, self.problem = {}, str(error)
        for plan in plans_of(self.scene):
            try:
                refresh_stale(plan, self._digests, self.clock(), self.problem)
            except PlannerError as error:
                logging.warning("%s", error)
        for desk in (self.checks, self.scout, self.shunts):
            desk.look_again()
        self.tell(Event.CASE)

    @property
    def measured_ratios(self) -> Mapping[str, float]:
        """Tumor-to-normal ratios of the case whose doses are there, by tumor; empty without doses."""
        return {} if self._prepared is None else self._prepared.case.tumour_to_normal

    def why_no_doses(self) -> str:
        """Return why activities cannot be moved; empty if doses are those of the case in the scene."""
        if self.problem:
            return self.problem
        if self._prepared is None:
            return _("Compute the doses first, or optimize.")
        changed = changed_parts(_spatial(self._prepared_digests), _spatial(self._digests))
        return "" if not changed else _("Compute the doses again: {changes}.").format(changes="; ".join(changed))

    # -- calculations -------------------------------------------------------------------------------------------

    def compute_doses(self) -> None:
        """Start computing the dose per GBq of every site; no solver is needed.  Errors as of ``inputs``."""
        inputs = self.inputs()
        self.start(tasks.prepare, inputs, _("Computing doses"), lambda made: self._doses_are(_made_of(made, inputs)))

    def optimize(self) -> None:
        """Start finding the best plan; errors as of ``inputs``."""
        inputs = self.inputs()
        self._digests = input_digests(inputs)
        known = None if self.why_no_doses() or self._prepared is None else self._prepared
        request = inputs if known is None else _asked_for(known, inputs)
        self.start(tasks.plan, request, _("Optimizing"), lambda planned: self._planned(planned, inputs))

    def cancel(self) -> None:
        """Ask what is being calculated to end."""
        if self.runner.is_running:
            self.say(_("Cancelling…"))
            self.runner.cancel()

    def start(self, task: Callable, request: object, what: str, done: Callable) -> None:
        """Start a calculation; ``done`` is called with its result.

        Raises
        ------
        PlannerError
            If another one is running.
        """
        if self.runner.is_running:
            raise PlannerError(_("A calculation is running: wait for its end, or cancel it."))
        self.runner.start(
            task,
            request,
            on_done=lambda result: self._finished(done, result),
            on_failed=lambda error: self.say(str(error), failed=True),
            on_cancelled=lambda: self.say(_("Cancelled. Nothing was changed.")),
            on_progress=lambda step_name, step, steps: self.say(f"{what}: {step_name}", step=step, steps=steps),
        )
        self.say(_("{what}…").format(what=what))

    def _finished(self, done: Callable, result: object) -> None:
        try:
            done(result)
        except PlannerError as error:
            self.say(str(error), failed=True)

    def _doses_are(self, prepared: PreparedCase, *, say: bool = True) -> None:
        self._prepared = prepared
        self._prepared_digests = input_digests(prepared.case.inputs)
        self.end_live()
        self.refresh()
        if say:
            self.say(_("Doses of {count} sites are ready.").format(count=len(prepared.case.sites)))
        self.tell(Event.DOSES)

    def _planned(self, planned: tasks.Planned, inputs: CaseInputs) -> None:
        self._doses_are(_made_of(planned.prepared, inputs), say=False)
        treatment = _made_of(planned.treatment, inputs)
        plan = self._publish(treatment)
        logging.info("Planned '%s' as '%s'", treatment.case.name, plan.GetName())

    def _publish(self, treatment: Treatment, name: str = "") -> slicer.vtkMRMLTextNode:
        for desk in (self.checks, self.scout, self.shunts):
            treatment = desk.told_in(treatment)
        plan = publish_plan(
            self.scene,
            treatment,
            made_at=self.clock(),
            name=name,
            isodoses_gy=self.parameters.isodoses_gy,
            colors=self.colors(),
        )
        activities = {site.name: site.activity_gbq for site in treatment.plan.sites}
        self.change(shown_plan=plan, activities_gbq=activities)
        self.desk.show(plan)
        self.refresh()
        self.say("\n".join(treatment.plan.explanation))
        self.tell(Event.PLANS)
        if self.writes_reports:
            plan_id = plan.GetID()
            self._reports.write(treatment, lambda page: self._add_report(plan_id, page))
        return plan

    def say(self, text: str, *, failed: bool = False, step: int = 0, steps: int = 0) -> None:
        """Tell the user something, or that something failed, or how far what runs has come."""
        before, self.status = self.status, Status(text, failed, step, steps)
        if failed and self.status == before:
            return  # whoever is told of a failure may fail in the same way
        if failed:
            logging.error(text)
        self.tell(Event.STATUS)

    # -- activities by hand -------------------------------------------------------------------------------------

    def move(self, **activities_gbq: float) -> None:
        """Set the activities of some sites [GBq]; see ``set_activities``."""
        self.set_activities({**self.parameters.activities_gbq, **activities_gbq})

    def set_activities(self, activities_gbq: Mapping[str, float]) -> None:
        """Set the activities of the sliders by site [GBq]; dose and histograms follow if there are doses."""
        self.change(activities_gbq=dict(activities_gbq))
        if not self.why_no_doses():
            self._show_live(activities_gbq)

    def _show_live(self, activities_gbq: Mapping[str, float]) -> None:
        if self.live is None or not self.live.in_scene:
            self.end_live()
            self.live = LivePlan(self.scene, self._prepared.case, self._prepared.dose_per_gbq, self.colors())
            self.live_result = self.live.update(activities_gbq)
            self._show_live_nodes()
        else:
            self.live_result = self.live.update(activities_gbq)
        self.tell(Event.LIVE)

    def _show_live_nodes(self) -> None:
        """Show the volume of the sliders in the colors of the shown plan, in whose place it comes."""
        plan, parameters = self.parameters.shown_plan, self.parameters
        planned = None if plan is None else plan.GetNodeReference(DOSE)
        highest_gy = highest_shown_gy(planned) if planned is not None else self._prepared_highest_gy()
        self.live.show_like(highest_gy)
        show_plan(self.scene, background=parameters.ct or parameters.scout, dose=self.live.dose)
        self.show_chart(self.live.curves.chart)

    def _prepared_highest_gy(self) -> float:
        return max(1.0, float(self.live_result.dose_gy.max()))

    def live_limits(self) -> tuple[LimitResult, ...]:
        """Return the limits at the activities of the sliders; errors as of ``inputs``."""
        if self.live is None:
            return ()
        inputs = self.inputs()
        problem = inputs.prescription.problem(inputs.settings.device)
        return self.live.limits(problem.limits, self.parameters.activities_gbq)

    def show_chart(self, chart: slicer.vtkMRMLPlotChartNode) -> None:
        """Show a chart in the plot views."""
        show_plan(self.scene, chart=chart)

    def colors(self) -> dict[str, Color]:
        """Return the color of every structure's curve: that of its segment."""
        return curve_colors(self.parameters)

    def keep_activities(self, name: str = "") -> slicer.vtkMRMLTextNode:
        """Make a plan of the activities of the sliders.

        Raises
        ------
        PlannerError
            If there are no doses of the case in the scene.
        """
        inputs = self.inputs()
        self._digests = input_digests(inputs)
        reason = self.why_no_doses()
        if reason:
            raise PlannerError(reason)
        prepared = _asked_for(self._prepared, inputs)
        activities = [self.parameters.activities_gbq.get(site.name, 0.0) for site in prepared.case.sites]
        treatment = evaluate_treatment(prepared, activities)
        self.end_live()
        return self._publish(treatment, name)

    @property
    def is_writing_reports(self) -> bool:
        """Whether the report of a plan is still to come."""
        return self._reports.is_writing

    def _add_report(self, plan_id: str, page: str) -> None:
        plan = self.scene.GetNodeByID(plan_id)
        if plan is not None and page:
            publish_report(self.scene, plan, page)
            self.tell(Event.PLANS)

    def end_live(self) -> None:
        """Take the volume that follows the sliders out of the scene."""
        if self.live is not None:
            self.live.remove()
        self.live = self.live_result = None
        self.tell(Event.LIVE)

    # -- the scene comes and goes -------------------------------------------------------------------------------

    def scene_closes(self) -> None:
        """Let go of everything that belongs to a scene that is being closed."""
        self.runner.stop()
        self._reports.stop()
        self._reader.forget()
        for desk in (self.checks, self.scout, self.shunts):
            desk.forget()
        self._prepared, self._prepared_digests, self._digests = None, {}, {}
        self.live = self.live_result = None
        self.problem, self.status = "", Status()
        self.tell(Event.STATUS)

    def scene_loaded(self) -> None:
        """Check what a loaded scene brought: approvals, and whether plans are still those of the case."""
        for plan in plans_of(self.scene):
            try:
                check_approval(plan, self.clock())
            except PlannerError as error:
                self.say(str(error), failed=True)
        self.refresh()
        self.tell(Event.PLANS)

    def stop(self) -> None:
        """End calculations as the panel is destroyed."""
        self.runner.stop()
        self._reports.stop()
        self._listeners.clear()


def _made_of(result: _OfCase, inputs: CaseInputs) -> _OfCase:
    """Return what another process made of a case with the very inputs it was asked for: their digests are known."""
    return replace(result, case=replace(result.case, inputs=inputs))


def _asked_for(prepared: PreparedCase, inputs: CaseInputs) -> PreparedCase:
    """Return prepared doses under what is asked now: the same images, structures and sites, another prescription."""
    return _made_of(prepared.with_prescription(inputs.prescription), inputs)


def _spatial(digests: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of what decides doses."""
    return {part: digest for part, digest in digests.items() if part not in NOT_OF_ROWS}
