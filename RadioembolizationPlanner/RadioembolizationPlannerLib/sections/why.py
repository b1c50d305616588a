"""Part of section 6: why the plan is as it is."""

from __future__ import annotations

from RadioembolizationPlannerLib.plan_analysis import (
    Document,
    activities_of,
    alternative_columns,
    american,
    contribution_columns,
    need_columns,
    part_of,
    site_names,
)
from RadioembolizationPlannerLib.sections.plan_part import PlanPart
from RadioembolizationPlannerLib.sections.shown_table import ShownTable


class WhySection(PlanPart):
    """Sentences, what each site is for, and other plans that are nearly as good."""

    name = "WhySection"

    def set_up(self) -> None:
        ui = self.ui
        self._document: Document = {}
        self._needs = ShownTable(ui.needsTable)
        self._contributions = ShownTable(ui.contributionsTable)
        self._others = ShownTable(ui.alternativesTable)
        ui.alternativesTable.connect("itemSelectionChanged()", self.slot(self.show_readiness))
        ui.loadAlternativeButton.connect("clicked(bool)", self.slot(lambda _on: self._load()))

    def show_document(self, document: Document) -> None:
        why = part_of(document, "explanation")
        self.ui.whyLabel.text = "\n".join(american(line) for line in why.get("lines", document.get("explanation", ())))
        self._needs.show(need_columns(why) if why else {})
        self._contributions.show(contribution_columns(why) if why else {})
        self._others.show(alternative_columns(why) if why else {})

    def show_readiness(self) -> None:
        self.ui.loadAlternativeButton.visible = bool(part_of(self._document, "explanation").get("alternatives"))
        self.ready_to_load(self.ui.loadAlternativeButton, self._others.selected)

    def _load(self) -> None:
        others, row = part_of(self._document, "explanation").get("alternatives", ()), self._others.selected
        if 0 <= row < len(others):
            self.load(activities_of(site_names(self._document), others[row]))
