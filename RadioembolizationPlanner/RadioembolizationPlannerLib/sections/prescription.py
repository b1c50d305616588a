"""Section 4: goal, limits, number and size of injections."""

from __future__ import annotations

from dataclasses import dataclass

from slicer.i18n import tr as _

from radioembolization.planning import load_presets
from RadioembolizationPlannerLib.case import preset_limits
from RadioembolizationPlannerLib.limits import limit_row, with_bound
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.limit_form import LimitForm
from RadioembolizationPlannerLib.sections.section import Section, choose, number_of, set_choices, set_number
from RadioembolizationPlannerLib.sections.table import Table, typed_number

_LIMIT, _SENSE, _BOUND, _UNIT, _SOURCE = range(5)
_MOST = 1e9


@dataclass(frozen=True)
class _Goal:
    """A goal of the list: its entry in a case file, and the unit of its number if it has one."""

    text: str
    key: str
    unit: str = ""
    usual: float = 0.0


def _goals() -> list[_Goal]:
    return [
        _Goal(_("highest mean dose of the worst tumor part"), "worst_tumour_part_mean"),
        _Goal(_("highest mean dose of the worst tumor"), "worst_tumour_mean"),
        _Goal(_("highest minimum dose of any tumor"), "lowest_dose"),
        _Goal(_("highest mean of the coldest part of any tumor"), "lowest_coldest_mean_percent", " %", 10.0),
        _Goal(_("highest Dx of any tumor"), "lowest_dose_at_volume_percent", " %", 70.0),
        _Goal(_("least shortfall of tumor means"), "shortfall_below_gy", " Gy", 205.0),
        _Goal(_("least shortfall of tumor voxels"), "voxel_shortfall_below_gy", " Gy", 120.0),
    ]


class PrescriptionSection(Section):
    """What is asked of the plan."""

    name = "PrescriptionSection"
    shows = (
        "device",
        "preset",
        "limits",
        "goal",
        "override_reason",
        "at_most_sites",
        "least_activity_gbq",
        "most_activity_gbq",
        "segmentation",
        "roles",
        "sites",
    )

    def set_up(self) -> None:
        ui, self._goal_list = self.ui, _goals()
        self._limits = Table(ui.limitsTable, [_("Limit"), "", _("Bound"), _("Unit"), _("Source")], stretched=_SOURCE)
        self._form = LimitForm(ui.quantityBox, ui.limitForm)
        set_choices(ui.goalBox, [(goal.text, goal.key) for goal in self._goal_list])
        ui.presetBox.connect("currentIndexChanged(int)", self.slot(self._on_preset))
        ui.resetButton.connect("clicked(bool)", self.slot(self._on_reset))
        ui.goalBox.connect("currentIndexChanged(int)", self.slot(self._on_goal))
        ui.goalNumberBox.connect("valueChanged(double)", self.slot(self._on_goal_number))
        ui.limitsTable.connect("cellChanged(int,int)", self.slot(self._on_cell))
        ui.addLimitButton.connect("clicked(bool)", self.slot(self._on_add))
        ui.removeLimitButton.connect("clicked(bool)", self.slot(self._on_remove))
        ui.atMostSitesBox.connect(
            "valueChanged(int)", self.slot(lambda count: self.change(at_most_sites=int(count) or None))
        )
        ui.leastBox.connect(
            "valueChanged(double)", self.slot(lambda _v: self.change(least_activity_gbq=number_of(ui.leastBox)))
        )
        ui.mostBox.connect(
            "valueChanged(double)", self.slot(lambda _v: self.change(most_activity_gbq=number_of(ui.mostBox)))
        )
        ui.reasonEdit.connect(
            "editingFinished()", self.slot(lambda: self.change(override_reason=ui.reasonEdit.text.strip()))
        )

    def show(self, parameters: PlannerParameters) -> None:
        ui = self.ui
        of_device = [p for p in load_presets().values() if p.device == parameters.device]
        set_choices(ui.presetBox, [(_("none"), ""), *((p.title, p.name) for p in of_device)])
        choose(ui.presetBox, parameters.preset)
        chosen = load_presets().get(parameters.preset)
        ui.resetButton.enabled = chosen is not None
        ui.atMostSitesBox.value = parameters.at_most_sites or 0
        set_number(ui.leastBox, parameters.least_activity_gbq)
        set_number(ui.mostBox, parameters.most_activity_gbq)
        ui.reasonEdit.text = parameters.override_reason
        self._show_goal(parameters.goal)
        self._show_limits(parameters)
        self._form.show(parameters)

    def _show_goal(self, value: object) -> None:
        key = value if isinstance(value, str) else next((g.key for g in self._goal_list if g.key in value), "")
        choose(self.ui.goalBox, key)
        goal = next((g for g in self._goal_list if g.key == key), None)
        has_number = goal is not None and bool(goal.unit)
        self.ui.goalNumberBox.visible = has_number
        if has_number:
            self.ui.goalNumberBox.suffix = goal.unit
            self.ui.goalNumberBox.value = float(value[key])

    def _show_limits(self, parameters: PlannerParameters) -> None:
        published = preset_limits(parameters.preset) if parameters.preset else ()
        self._limits.set_rows(len(parameters.limits))
        for row, table in enumerate(parameters.limits):
            limit = limit_row(table)
            origin = _("of the preset") if table in published else _("not as in the preset")
            self._limits.set_text(row, _LIMIT, limit.name, tip=f"{limit.name}\n{limit.source}\n({origin})")
            self._limits.set_text(row, _SENSE, limit.sense)
            self._limits.set_text(row, _BOUND, f"{limit.bound:g}", editable=True, tip=_("Type another bound."))
            self._limits.set_text(row, _UNIT, limit.unit)
            self._limits.set_text(row, _SOURCE, limit.source)

    def _on_preset(self, _index: int) -> None:
        name = self.ui.presetBox.currentData
        if not self._showing and name != self.session.parameters.preset:
            self.change(preset=name, limits=preset_limits(name) if name else ())

    def _on_reset(self, _checked: bool = False) -> None:
        name = self.session.parameters.preset
        if name:
            self.change(limits=preset_limits(name))

    def _on_goal(self, _index: int) -> None:
        if not self._showing:
            goal = self._goal_list[self.ui.goalBox.currentIndex]
            self.change(goal={goal.key: goal.usual} if goal.unit else goal.key)

    def _on_goal_number(self, value: float) -> None:
        if not self._showing:
            self.change(goal={self._goal_list[self.ui.goalBox.currentIndex].key: float(value)})

    def _on_cell(self, row: int, column: int) -> None:
        if self._showing or column != _BOUND:
            return
        self.attempt(lambda: self._bound_changed(row, self._limits.text(row, _BOUND)))
        with self.showing():
            self.attempt(lambda: self._show_limits(self.session.parameters))

    def _bound_changed(self, row: int, text: str) -> None:
        limits = list(self.session.parameters.limits)
        limits[row] = with_bound(limits[row], typed_number(text, 0.0, _MOST))
        self.session.change(limits=tuple(limits))

    def _on_add(self, _checked: bool = False) -> None:
        limits = self.session.parameters.limits
        self.attempt(lambda: self.session.change(limits=(*limits, self._form.limit())))

    def _on_remove(self, _checked: bool = False) -> None:
        row, limits = self._limits.selected, self.session.parameters.limits
        if 0 <= row < len(limits):
            self.change(limits=(*limits[:row], *limits[row + 1 :]))
