"""Part of section 5: what is found out beside the plan."""

from __future__ import annotations

from slicer.i18n import tr as _

from radioembolization.errors import PlannerError
from radioembolization.planning.limit_table import limit_from_table
from RadioembolizationPlannerLib.asked import with_entry
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.section import Section, choose, set_choices

_NONE, _ANY = "", "binding"


class FurtherResultsSection(Section):
    """A front over the bound of a limit, and a staircase of injections."""

    name = "FurtherResultsSection"
    shows = ("further", "limits")

    def set_up(self) -> None:
        ui = self.ui
        ui.frontBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._on_front()))
        ui.staircaseBox.connect("toggled(bool)", self.slot(lambda on: self._enter("staircase", True if on else None)))

    def show(self, parameters: PlannerParameters) -> None:
        ui, front = self.ui, parameters.further.get("front")
        choices = [(_("none"), _NONE), (_("of the limit that holds the goal back most"), _ANY)]
        choices += [(name, name) for name in movable_limits(parameters)]
        wanted = _ANY if front is True else front or _NONE
        if wanted not in [value for _text, value in choices]:
            choices.append((wanted, wanted))
        set_choices(ui.frontBox, choices)
        choose(ui.frontBox, wanted)
        ui.staircaseBox.checked = bool(parameters.further.get("staircase"))

    def _on_front(self) -> None:
        chosen = self.ui.frontBox.currentData
        self._enter("front", True if chosen == _ANY else chosen or None)

    def _enter(self, key: str, value: object) -> None:
        self.change(further=with_entry(self.session.parameters.further, key, value))


def movable_limits(parameters: PlannerParameters) -> list[str]:
    """Return the quantities of the limits whose bound can be moved, each once."""
    names = []
    for table in parameters.limits:
        try:
            limit = limit_from_table(dict(table))
        except PlannerError:
            continue
        if limit.quantity.keyword != "count" and limit.bound > 0.0:
            names.append(limit.quantity.name)
    return list(dict.fromkeys(names))
