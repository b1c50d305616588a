"""Part of section 6: the chosen vials, and what to order."""

from __future__ import annotations

from slicer.i18n import tr as _

from RadioembolizationPlannerLib.plan_analysis import Document, injection_columns, order_columns, part_of
from RadioembolizationPlannerLib.sections.plan_part import PlanPart
from RadioembolizationPlannerLib.sections.shown_table import ShownTable


class OrdersSection(PlanPart):
    """What is injected where, and the ordering list."""

    name = "OrdersSection"

    def set_up(self) -> None:
        self._document: Document = {}
        self._injections, self._orders = ShownTable(self.ui.injectionsTable), ShownTable(self.ui.ordersTable)

    def show_document(self, document: Document) -> None:
        vials = part_of(document, "vials")
        self._injections.show(injection_columns(vials) if vials else {})
        self._orders.show(order_columns(vials) if vials else {})
        self.ui.ordersLabel.text = (
            "\n".join(vial_lines(vials, document["goal"]["unit"]))
            if vials
            else _("Enter vials in section 5, and optimize.")
        )


def vial_lines(vials: Document, goal_unit: str) -> list[str]:
    """Return in sentences what the vials lose, what is proved of them, and when they can be used."""
    window = vials["window"]
    lost = _("Goal {value:.4g} {unit}, {loss:.1%} below that of free activities.")
    proved = _("No vials of the calendar are better than {bound:.4g} {unit}.")
    open_ = _("Not proved to the end in the time given; no vials are better than {bound:.4g} {unit}.")
    told = proved if vials["status"] == "optimal" else open_
    usable = _("All injections together can be {earlier:.1f} h earlier ({early}) or {later:.1f} h later ({late}).")
    return [
        lost.format(value=vials["value"], unit=goal_unit, loss=vials["loss"]),
        told.format(bound=vials["bound"], unit=goal_unit),
        usable.format(
            earlier=window["earlier_h"],
            later=window["later_h"],
            early=window["ends_early_by"],
            late=window["ends_late_by"],
        ),
        _("Source of the calendar: {source}.").format(source=vials["calendar"]["source"]),
    ]
