"""Part of section 5: what may turn out differently, and whether the plan has to withstand it."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from RadioembolizationPlannerLib.asked import problem_of_request, with_entry
from RadioembolizationPlannerLib.parameters import EVALUATED, NO_SCENARIOS, ROBUST, PlannerParameters
from RadioembolizationPlannerLib.sections.editable_table import EditableTable
from RadioembolizationPlannerLib.sections.section import Section, choose, set_choices
from RadioembolizationPlannerLib.sections.spread_rows import spread_rows

#: Numbers of an uncertainty, where nothing is entered.
_DEFAULTS = {"count": 200, "seed": 0, "probability": 0.95, "worst_percent": 10.0}


class RobustnessSection(Section):
    """Use and number of scenarios, and the table of what is uncertain."""

    name = "RobustnessSection"
    shows = ("scenarios", "uncertainty", "device", "with_vials", "vials", "further")

    def set_up(self) -> None:
        ui = self.ui
        choices = [
            (_("none: as planned only"), NO_SCENARIOS),
            (_("evaluate: what the plan risks"), EVALUATED),
            (_("robust: the plan withstands them"), ROBUST),
        ]
        set_choices(ui.scenariosBox, choices)
        self._spreads = EditableTable(self, ui.spreadsTable, spread_rows())
        ui.scenariosBox.connect(
            "currentIndexChanged(int)", self.slot(lambda _index: self.change(scenarios=ui.scenariosBox.currentData))
        )
        ui.countBox.connect("valueChanged(int)", self.slot(lambda value: self._enter("count", int(value))))
        ui.seedBox.connect("valueChanged(int)", self.slot(lambda value: self._enter("seed", int(value))))
        ui.probabilityBox.connect(
            "valueChanged(double)", self.slot(lambda value: self._enter("probability", round(value / 100.0, 6)))
        )
        ui.worstBox.connect("valueChanged(double)", self.slot(lambda value: self._enter("worst_percent", float(value))))
        ui.publishedSpreadsButton.connect("clicked(bool)", self.slot(lambda _on: self._enter("spreads", None)))

    def show(self, parameters: PlannerParameters) -> None:
        ui, used = self.ui, parameters.scenarios != NO_SCENARIOS
        numbers = {**_DEFAULTS, **parameters.uncertainty}
        choose(ui.scenariosBox, parameters.scenarios)
        ui.countBox.value = numbers["count"]
        ui.seedBox.value = numbers["seed"]
        ui.probabilityBox.value = 100.0 * numbers["probability"]
        ui.worstBox.value = numbers["worst_percent"]
        for box in (ui.countBox, ui.seedBox):
            box.enabled = used
        for box in (ui.probabilityBox, ui.worstBox):
            box.enabled = parameters.scenarios == ROBUST
        self._spreads.show(parameters)
        ui.spreadsTable.enabled = ui.publishedSpreadsButton.enabled = used
        problem = problem_of_request(parameters) if used else ""
        ui.robustnessLabel.text = _("Not possible: {problem}").format(problem=problem) if problem else ""
        ui.robustnessLabel.visible = bool(problem)

    def _enter(self, key: str, value: Any) -> None:
        before = self.session.parameters.uncertainty
        after = with_entry(before, key, None if value == _DEFAULTS.get(key) else value)
        if after != before:
            self.change(uncertainty=after)
