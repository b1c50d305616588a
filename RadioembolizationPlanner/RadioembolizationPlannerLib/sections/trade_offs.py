"""Part of section 6: what a limit costs, and what another injection buys."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from RadioembolizationPlannerLib import plans
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.plan_analysis import (
    Document,
    activities_of,
    document_of,
    front_columns,
    part_of,
    planned_steps,
    site_names,
    stairs_columns,
)
from RadioembolizationPlannerLib.plot_picker import PlotPicker
from RadioembolizationPlannerLib.sections.plan_part import PlanPart
from RadioembolizationPlannerLib.sections.shown_table import ShownTable


class TradeOffsSection(PlanPart):
    """Front and staircase, whose plans can be loaded; a point selected in the chart is loaded."""

    name = "TradeOffsSection"

    def set_up(self) -> None:
        ui = self.ui
        self._document: Document = {}
        self._front, self._stairs = ShownTable(ui.frontTable), ShownTable(ui.stairsTable)
        self._picker = PlotPicker(self._on_picked)
        for table in (ui.frontTable, ui.stairsTable):
            table.connect("itemSelectionChanged()", self.slot(self.show_readiness))
        ui.loadFrontButton.connect("clicked(bool)", self.slot(lambda _on: self._load_point(self._front.selected)))
        ui.loadStepButton.connect("clicked(bool)", self.slot(lambda _on: self._load_step(self._stairs.selected)))
        ui.frontChartButton.connect("clicked(bool)", self.slot(lambda _on: self._show_front()))
        ui.stairsChartButton.connect("clicked(bool)", self.slot(lambda _on: self.show_chart(plans.STAIRS_CHART)))

    def leave(self) -> None:
        self._picker.stop()

    def cleanup(self) -> None:
        self._picker.stop()

    def source(self, parameters: PlannerParameters) -> slicer.vtkMRMLTextNode | None:
        """Return the shown plan, or if it has no trade-offs, as one loaded from a front, the last plan that has."""
        shown = parameters.shown_plan
        others = reversed(plans.plans_of(self.session.scene))
        having = (plan for plan in (shown, *others) if part_of(document_of(plan), "trade_offs"))
        return next(having, shown) if shown is not None else None

    def show_document(self, document: Document) -> None:
        front, stairs = part_of(document, "trade_offs", "front"), part_of(document, "trade_offs", "staircase")
        self._front.show(front_columns(front) if front else {})
        self._stairs.show(stairs_columns(stairs, site_names(document)) if stairs else {})
        plan = self.plan()
        lines = [_("Of plan '{plan}'.").format(plan=plan.GetName())] if (front or stairs) and plan is not None else []
        self.ui.tradeOffsLabel.text = "\n".join([*lines, *(front_lines(front) if front else ())]) or _(
            "Ask for a front or for the number of injections in section 5, and optimize."
        )

    def show_readiness(self) -> None:
        ui = self.ui
        self.ready_to_load(ui.loadFrontButton, self._front.selected)
        self.ready_to_load(ui.loadStepButton, self._stairs.selected)
        self.ready_to_chart(
            ui.frontChartButton,
            plans.FRONT_CHART,
            _("Shows the front in the plot view; drag a box around a point there to load its plan."),
        )
        self.ready_to_chart(
            ui.stairsChartButton, plans.STAIRS_CHART, _("Shows the goal against the number of injections.")
        )

    def _show_front(self) -> None:
        self.show_chart(plans.FRONT_CHART)
        self._picker.follow()

    def _on_picked(self, series_id: str, row: int) -> None:
        plan = self.plan()
        if plan is not None and series_id in [node.GetID() for node in plans.nodes_of(plan, plans.FRONT_SERIES)]:
            row = min(row, len(part_of(self._document, "trade_offs", "front").get("points", ())) - 1)
            self._front.select(row)
            self.show_readiness()
            if self.ui.loadFrontButton.enabled:
                self.attempt(lambda: self._load_point(row))
            else:
                self.session.say(self.ui.loadFrontButton.toolTip, failed=True)

    def _load_point(self, row: int) -> None:
        front = part_of(self._document, "trade_offs", "front")
        if 0 <= row < len(front.get("points", ())):
            self.load(activities_of(front["site_names"], front["points"][row]))

    def _load_step(self, row: int) -> None:
        stairs = part_of(self._document, "trade_offs", "staircase")
        steps = planned_steps(stairs) if stairs else []
        if 0 <= row < len(steps):
            self.load(activities_of(site_names(self._document), steps[row]))


def front_lines(front: Document) -> list[str]:
    """Return in sentences where a front ends, and how well it is known."""
    unit, lines = front["limit_unit"], []
    if front["infeasible_beyond"] is not None:
        lines.append(
            _("Tighter than {bound:.4g} {unit} there is no plan.").format(bound=front["infeasible_beyond"], unit=unit)
        )
    if front["no_effect_beyond"] is not None:
        lines.append(
            _("Looser than {bound:.4g} {unit} nothing is gained.").format(bound=front["no_effect_beyond"], unit=unit)
        )
    if front["points_only"]:
        lines.append(
            _("Nothing is known between the points: {reason}.").format(reason=front["points_only"].rstrip("."))
        )
    lines.append(_("Proved to a relative gap of {gap:.1g}.").format(gap=front["gap"]))
    return lines
