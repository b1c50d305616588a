"""Section 5: doses, optimization, activities by hand."""

from __future__ import annotations

import ctk
import qt
from slicer.i18n import tr as _

from RadioembolizationPlannerLib.case import missing_inputs
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.further_results import FurtherResultsSection
from RadioembolizationPlannerLib.sections.robustness import RobustnessSection
from RadioembolizationPlannerLib.sections.section import Section
from RadioembolizationPlannerLib.sections.table import Table, number_text
from RadioembolizationPlannerLib.sections.vials import VialsSection

_MOST_GBQ = 10.0
#: Limits are evaluated this long after the last movement of a slider [ms].
_LIMITS_AFTER_MS = 150


class PlanSection(Section):
    """Buttons that calculate, sliders that follow, and what is going on."""

    name = "PlanSection"
    part_types = (VialsSection, RobustnessSection, FurtherResultsSection)

    def set_up(self) -> None:
        ui = self.ui
        self._sliders: dict[str, ctk.ctkSliderWidget] = {}
        self._layout = qt.QFormLayout(ui.slidersArea)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._live = Table(ui.liveTable, [_("Structure or limit"), _("Now"), _("Limit"), _("Status")])
        self._live_limits = 0
        self._later = qt.QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(_LIMITS_AFTER_MS)
        self._later.connect("timeout()", self._show_limits)
        ui.dosesButton.connect("clicked(bool)", self.slot(lambda _on: self.session.compute_doses()))
        ui.optimizeButton.connect("clicked(bool)", self.slot(self._on_optimize))
        ui.cancelButton.connect("clicked(bool)", self.slot(lambda _on: self.session.cancel()))
        ui.keepButton.connect("clicked(bool)", self.slot(lambda _on: self.session.keep_activities()))
        ui.backButton.connect("clicked(bool)", self.slot(self._on_back))
        self._show_status()

    def cleanup(self) -> None:
        self._later.stop()

    def concerns(self, before: PlannerParameters | None, now: PlannerParameters) -> bool:
        return True  # anything may be what was missing

    def show(self, parameters: PlannerParameters) -> None:
        self._build_sliders([site.name for site in parameters.sites])
        for name, slider in self._sliders.items():
            activity = float(parameters.activities_gbq.get(name, 0.0))
            slider.maximum = max(slider.maximum, activity)
            slider.value = activity
        self._show_readiness(parameters)

    def on_event(self, event: Event) -> None:
        if event in (Event.STATUS, Event.DOSES):
            self._show_status()
        if event in (Event.CASE, Event.DOSES, Event.PLANS, Event.STATUS):
            self.attempt(lambda: self._show_readiness(self.session.parameters))
        if event is Event.LIVE:
            self._show_doses()
            self._later.start()

    def _on_optimize(self, _checked: bool = False) -> None:
        self.attempt(self._optimize)

    def _optimize(self) -> None:
        self.session.get_packages()
        self.session.optimize()

    def _on_back(self, _checked: bool = False) -> None:
        plan = self.session.parameters.shown_plan
        if plan is not None:
            self.attempt(lambda: self.session.desk.choose(plan))

    def _build_sliders(self, names: list[str]) -> None:
        if list(self._sliders) == names:
            return
        while self._layout.rowCount():
            self._layout.removeRow(0)
        self._sliders = {name: self._new_slider(name) for name in names}

    def _new_slider(self, name: str) -> ctk.ctkSliderWidget:
        slider = ctk.ctkSliderWidget()
        slider.minimum, slider.maximum = 0.0, _MOST_GBQ
        slider.singleStep, slider.decimals, slider.suffix = 0.01, 3, " GBq"
        slider.toolTip = _("Activity injected at {site}; dose, histograms and limits follow.").format(site=name)
        slider.connect("valueChanged(double)", self.slot(lambda value: self._on_slider(name, value)))
        self._layout.addRow(f"{name}:", slider)
        return slider

    def _on_slider(self, name: str, value: float) -> None:
        if not self._showing:
            activities = {**self.session.parameters.activities_gbq, name: float(value)}
            self.attempt(lambda: self.session.set_activities(activities))

    def _show_readiness(self, parameters: PlannerParameters) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui, session = self.ui, self.session
        running = session.runner.is_running
        lacking = "\n".join(missing_inputs(parameters)) or session.problem
        if running:
            lacking = _("A calculation is running.")
        no_doses = lacking or session.why_no_doses()
        _set_ready(ui.dosesButton, lacking, _("Computes the dose per GBq of every site; needs no solver."))
        _set_ready(
            ui.optimizeButton,
            lacking,
            _("Chooses sites and activities: the best goal within the limits, with a proof."),
        )
        _set_ready(ui.keepButton, no_doses, _("Makes a plan of the activities of the sliders; it has no bound."))
        no_plan = "" if parameters.shown_plan is not None else _("There is no plan yet.")
        _set_ready(ui.backButton, no_plan, _("Sets the sliders to the activities of the shown plan."))
        ui.slidersArea.enabled = not no_doses
        ui.slidersArea.toolTip = no_doses or _("Activity of every site; dose, histograms and limits follow.")
        ui.cancelButton.enabled = running

    def _show_status(self) -> None:
        status, bar = self.session.status, self.ui.progressBar
        self.ui.statusLabel.text = _("Failed: {message}").format(message=status.text) if status.failed else status.text
        bar.visible = self.session.runner.is_running
        bar.maximum = max(status.steps, 0)
        bar.value = status.step

    def _show_doses(self) -> None:
        """Show the mean doses below the limits, which follow a moment later."""
        result = self.session.live_result
        if result is None:
            self._live.set_rows(0)
            return
        self.ui.statusLabel.text = _("Activities by hand: {total:.3g} GBq in all; nothing is proved for them.").format(
            total=sum(self.session.parameters.activities_gbq.values())
        )
        first = self._live_limits
        self._live.set_rows(first + len(result.names))
        for row, (name, mean_gy) in enumerate(zip(result.names, result.mean_gy, strict=True), start=first):
            self._live.set_row(row, [_("mean dose, {name}").format(name=name), f"{mean_gy:.1f} Gy", "", ""])

    def _show_limits(self) -> None:
        """Show the limits above the doses; they take longer than a movement."""
        if self.session.live_result is None:
            return
        limits = self.attempt(self.session.live_limits) or ()
        if len(limits) != self._live_limits:
            self._live_limits = len(limits)
            self._show_doses()
        for row, limit in enumerate(limits):
            status = _("met") if limit.met else _("EXCEEDED")
            value = f"{number_text(limit.value)} {limit.unit}"
            self._live.set_row(row, [limit.name, value, f"{limit.sense} {limit.limit:g}", status])


def _set_ready(button: qt.QPushButton, lacking: str, tip: str) -> None:
    button.enabled = not lacking
    button.toolTip = lacking or tip
