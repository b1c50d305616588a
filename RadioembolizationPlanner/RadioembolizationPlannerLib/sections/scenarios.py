"""Part of section 6: how often limits are met, and what tumors receive, if things turn out differently."""

from __future__ import annotations

from slicer.i18n import tr as _

from RadioembolizationPlannerLib import plans
from RadioembolizationPlannerLib.plan_analysis import Document, chance_columns, part_of, tumor_columns
from RadioembolizationPlannerLib.sections.plan_part import PlanPart
from RadioembolizationPlannerLib.sections.shown_table import ShownTable


class ScenariosSection(PlanPart):
    """Probabilities of limits, doses of tumors, and histograms with bands."""

    name = "ScenariosSection"

    def set_up(self) -> None:
        ui = self.ui
        self._document: Document = {}
        self._chances, self._tumors = ShownTable(ui.chancesTable), ShownTable(ui.tumorsTable)
        ui.bandsChartButton.connect("clicked(bool)", self.slot(lambda _on: self.show_chart(plans.BANDS_CHART)))

    def show_document(self, document: Document) -> None:
        scenarios = part_of(document, "scenarios")
        self._chances.show(chance_columns(scenarios) if scenarios else {})
        self._tumors.show(tumor_columns(scenarios) if scenarios else {})
        self.ui.scenariosLabel.text = (
            "\n".join(scenario_lines(scenarios, document["goal"]["unit"]))
            if scenarios
            else _("Choose scenarios under Robustness in section 5, and optimize.")
        )

    def show_readiness(self) -> None:
        tip = _("Shows the histograms with the range from P10 to P90 of the scenarios in the plot view.")
        self.ready_to_chart(self.ui.bandsChartButton, plans.BANDS_CHART, tip)


def scenario_lines(scenarios: Document, goal_unit: str) -> list[str]:
    """Return in sentences which scenarios these are, and what robustness costs."""
    plan, robust = scenarios["plan"], scenarios["robust"]
    lines = [_("{count} scenarios, seed {seed}.").format(count=plan["count"], seed=plan["seed"])]
    if robust:
        given = scenarios["uncertainty"]
        lines.append(
            _("Planned to withstand {count} other scenarios with {probability:.0%}.").format(
                count=given["count"], probability=given["probability"]
            )
        )
        told = _("If all goes as planned, that costs {price:.3g} {unit} ({share:.1%}) of the goal.")
        lines.append(told.format(price=robust["price"], unit=goal_unit, share=robust["price_share"]))
        if robust["only_as_planned"]:
            lines.append(_("Kept as planned only: {limits}.").format(limits=", ".join(robust["only_as_planned"])))
    return lines
