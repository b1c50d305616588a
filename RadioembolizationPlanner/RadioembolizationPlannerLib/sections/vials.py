"""Part of section 5: the vials that can be ordered, and when they are injected."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from radioembolization.errors import InputError, PlannerError
from radioembolization.physics import device_by_name
from radioembolization.planning import SharedVials, WholeVials, vial_time_table
from RadioembolizationPlannerLib.asked import (
    INJECT_AT,
    MOST_VIALS,
    asked_of,
    problem_of_request,
    supply_of,
    with_entry,
)
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.plan_analysis import short_time
from RadioembolizationPlannerLib.sections.editable_table import EditableTable
from RadioembolizationPlannerLib.sections.section import Section
from RadioembolizationPlannerLib.sections.table import typed_number
from RadioembolizationPlannerLib.sections.vial_rows import calibration_rows, hour_rows, with_calibration

#: A residual, or an activity of a sphere, that is not entered.
_UNKNOWN = -0.05
_MOST_GBQ = 1000.0


class VialsSection(Section):
    """A calendar, hours of injection, and what comes of them."""

    name = "VialsSection"
    shows = ("with_vials", "vials", "sites", "device", "scenarios", "uncertainty", "further")

    def set_up(self) -> None:
        ui = self.ui
        self._calibrations = EditableTable(self, ui.calibrationsTable, calibration_rows())
        self._hours = EditableTable(self, ui.hoursTable, hour_rows())
        ui.vialsBox.connect("toggled(bool)", self.slot(lambda on: self.change(with_vials=bool(on))))
        ui.sizesEdit.connect("editingFinished()", self.slot(self._on_sizes))
        texts = {ui.timeZoneEdit: "time_zone", ui.injectAtEdit: INJECT_AT, ui.vialSourceEdit: "source"}
        for edit, key in texts.items():
            edit.connect("editingFinished()", self.slot(lambda edit=edit, key=key: self._enter(key, edit.text.strip())))
        ui.addCalibrationButton.connect("clicked(bool)", self.slot(lambda _on: self._add()))
        ui.removeCalibrationButton.connect("clicked(bool)", self.slot(lambda _on: self._remove()))
        ui.mostVialsBox.connect("valueChanged(int)", self.slot(self._on_most))
        ui.residualBox.connect("valueChanged(double)", self.slot(self._on_residual))
        ui.sphereBox.connect("valueChanged(double)", self.slot(self._on_sphere))

    def show(self, parameters: PlannerParameters) -> None:
        ui, vials = self.ui, parameters.vials
        supply = supply_of(device_by_name(parameters.device))
        ui.vialsBox.checked = parameters.with_vials
        ui.sizesEdit.text = " ".join(f"{size:g}" for size in vials.get("sizes_gbq") or ())
        ui.timeZoneEdit.text = vials.get("time_zone", "")
        ui.injectAtEdit.text = vials.get(INJECT_AT, "")
        ui.vialSourceEdit.text = vials.get("source", "")
        ui.mostVialsBox.value = vials.get(MOST_VIALS.get(type(supply), ""), 0)
        ui.mostVialsBox.enabled = type(supply) in MOST_VIALS
        ui.sizesEdit.enabled = supply is None or supply.sized
        ui.supplyLabel.text = supply_text(supply)
        ui.residualBox.value = 100.0 * vials["residual"] if "residual" in vials else ui.residualBox.minimum
        ui.sphereBox.value = vials.get("bq_per_sphere", 0.0)
        self._calibrations.show(parameters)
        self._hours.show(parameters)
        ui.vialsLabel.text = told_of_vials(parameters)
        ui.vialsLabel.visible = bool(ui.vialsLabel.text)

    def _enter(self, key: str, value: Any) -> None:
        """Write an entry of the calendar; one of nothing is taken out."""
        before = self.session.parameters.vials
        after = with_entry(before, key, value)
        if after != before:
            self.change(vials=after)

    def _on_sizes(self) -> None:
        try:
            self._enter("sizes_gbq", typed_sizes(self.ui.sizesEdit.text))
        except PlannerError:
            with self.showing():
                self.show(self.session.parameters)
            raise

    def _on_most(self, value: int) -> None:
        supply = supply_of(device_by_name(self.session.parameters.device))
        self._enter(MOST_VIALS[type(supply)], int(value) or None)

    def _on_residual(self, value: float) -> None:
        self._enter("residual", None if value < _UNKNOWN else round(float(value) / 100.0, 6))

    def _on_sphere(self, value: float) -> None:
        self._enter("bq_per_sphere", float(value) if value > 0.0 else None)

    def _add(self) -> None:
        self.change(vials=with_calibration(self.session.parameters, self.session.clock()))

    def _remove(self) -> None:
        times = list(self.session.parameters.vials.get("calibrations") or ())
        if 0 <= self._calibrations.selected < len(times):
            times.pop(self._calibrations.selected)
            self._enter("calibrations", times)


def typed_sizes(text: str) -> list[float]:
    """Return sizes [GBq] that are separated by spaces, semicolons, or commas with a space.

    Raises
    ------
    InputError
        If one is no number, or a comma may be a decimal one or not.
    """
    words = [word.rstrip(",") for word in text.replace(";", " ").split()]
    for word in words:
        if "," in word:
            told = _("'{word}' can be one size or several: write decimals with a point, and a space between sizes.")
            raise InputError(told.format(word=word))
    return [typed_number(word, 1e-3, _MOST_GBQ) for word in words if word]


def supply_text(supply: Any) -> str:
    """Return how activity comes to the sites."""
    if isinstance(supply, WholeVials):
        return _("at each site, injected whole")
    if isinstance(supply, SharedVials):
        return _("of the treatment, from which any activity is drawn")
    return _("any activity is made for each injection")


def told_of_vials(parameters: PlannerParameters) -> str:
    """Return what is wrong with the calendar, or what its vials deliver at the hours of injection."""
    if not parameters.with_vials:
        return ""
    problem = problem_of_request(parameters)
    if problem:
        return _("Not possible: {problem}").format(problem=problem)
    request = asked_of(parameters).vials
    if request is None or not request.calendar.supply.sized:
        return ""
    lines = []
    for at in sorted(set(request.inject_at.values())):
        try:
            entries = vial_time_table(request.calendar, [at])
        except PlannerError as error:
            return _("Not possible: {problem}").format(problem=error)
        delivered = [entry.delivered_gbq for entry in entries]
        several = _("{time}: {count} vials deliver {least:.3g} to {most:.3g} GBq (source: {source}).")
        told = several if len(entries) > 1 else _("{time}: one vial delivers {most:.3g} GBq (source: {source}).")
        numbers = {"count": len(entries), "least": min(delivered), "most": max(delivered)}
        lines.append(told.format(time=short_time(at.isoformat()), source=request.calendar.source, **numbers))
    return "\n".join(lines)
