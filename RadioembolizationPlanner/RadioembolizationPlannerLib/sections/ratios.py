"""Part of section 3: tumor-to-normal ratios, measured in the scout or typed in."""

from __future__ import annotations

from slicer.i18n import tr as _

from radioembolization.structures import Role
from radioembolization.structures.tumour_to_normal import TumourToNormal
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.new_segments import shown_text
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.scout_task import ALL_NORMAL_LIVER, OWN_TERRITORY
from RadioembolizationPlannerLib.sections.follower import Follower
from RadioembolizationPlannerLib.sections.section import Section, choose, set_choices, set_ready
from RadioembolizationPlannerLib.sections.table import Table, number_text, typed_number

_NAME, _TYPED, _MEASURED, _ERROR, _VOLUME, _RECOVERY, _WARNING = range(7)


class RatiosSection(Section):
    """A row for each tumor: what is typed in, what was measured, and how far to trust it."""

    name = "RatiosSection"
    shows = ("scout", "segmentation", "roles", "sites", "tumour_to_normal")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = self.session.scout
        self._tumours: list[str] = []
        self._follower = Follower(self.session, ui.ratiosLabel)
        titles = [_("Tumor"), _("T/N"), _("Measured"), _("± SE"), _("mL"), _("Recovery"), _("Beware")]
        self._table = Table(ui.ratiosTable, titles, stretched=_WARNING)
        ui.ratiosTable.connect("cellChanged(int,int)", self.slot(self._on_cell))
        ui.measureButton.connect("clicked(bool)", self.slot(lambda _on: self._measure()))
        ui.enterRatiosButton.connect("clicked(bool)", self.slot(lambda _on: self.desk.enter_ratios()))

    def show(self, parameters: PlannerParameters) -> None:
        self._show_references(parameters)
        self._show_ratios(parameters)
        self._show_readiness()

    def on_event(self, event: Event) -> None:
        if event in (Event.DOSES, Event.CASE):
            self._show_again()
        if event is Event.STATUS:
            self._show_again() if self._is_new() else self._show_readiness()

    # -- what the user does -------------------------------------------------------------------------------------

    def _measure(self) -> None:
        self._follower.start()
        self.desk.measure_ratios(self.ui.referenceBox.currentData or ALL_NORMAL_LIVER)

    def _on_cell(self, row: int, column: int) -> None:
        if column == _TYPED:
            self.attempt(lambda: self._ratio_changed(self._tumours[row], self._table.text(row, _TYPED).strip()))
            self._show_again()

    def _ratio_changed(self, segment_id: str, text: str) -> None:
        ratios = dict(self.session.parameters.tumour_to_normal)
        ratios.pop(segment_id, None)
        self.change(tumour_to_normal={**ratios, segment_id: typed_number(text, 0.01, 1000.0)} if text else ratios)

    # -- what is shown ------------------------------------------------------------------------------------------

    def _is_new(self) -> bool:
        """Return whether what was measured last is not what the table shows."""
        return self.desk.ratios is not getattr(self, "_shown", None)

    def _show_again(self) -> None:
        with self.showing():
            self.attempt(lambda: self.show(self.session.parameters))

    def _show_references(self, parameters: PlannerParameters) -> None:
        box = self.ui.referenceBox
        chosen = box.currentData
        choices = [(_("all normal liver"), ALL_NORMAL_LIVER), (_("smallest territory with the tumor"), OWN_TERRITORY)]
        choices += [(_("normal liver of {site}").format(site=site.name), site.name) for site in parameters.sites]
        set_choices(box, choices)
        choose(box, chosen if chosen and box.findData(chosen) >= 0 else ALL_NORMAL_LIVER)

    def _show_ratios(self, parameters: PlannerParameters) -> None:
        segments = None if parameters.segmentation is None else parameters.segmentation.GetSegmentation()
        names = {} if segments is None else {k: segments.GetSegment(k).GetName() for k in segments.GetSegmentIDs()}
        self._tumours = [key for key, role in parameters.roles.items() if role is Role.TUMOUR and key in names]
        self._shown = self.desk.ratios
        measured = {} if self._shown is None else {one.name: one for one in self._shown.value}
        self._table.set_rows(len(self._tumours))
        for row, segment_id in enumerate(self._tumours):
            ratio, name = parameters.tumour_to_normal.get(segment_id), names[segment_id]
            self._table.set_text(row, _NAME, name)
            text = "" if ratio is None else f"{ratio:g}"
            self._table.set_text(row, _TYPED, text, editable=True, tip=_("Empty: measured in the scout image."))
            self._show_measured(row, name, measured.get(name))

    def _show_measured(self, row: int, name: str, one: TumourToNormal | None) -> None:
        set_text = self._table.set_text
        if one is None:
            set_text(row, _MEASURED, number_text(self.session.measured_ratios.get(name), 3))
            for column in range(_ERROR, _WARNING + 1):
                set_text(row, column, "")
            return
        set_text(row, _MEASURED, number_text(one.ratio, 3), tip=_("Compared with {it}.").format(it=one.reference))
        set_text(row, _ERROR, number_text(one.standard_error, 2), tip=_("By the scatter of the voxels."))
        set_text(row, _VOLUME, f"{one.volume_ml:.3g}")
        tip = _("Share of its contrast that a sphere of this volume keeps; the ratio is not corrected for it.")
        set_text(row, _RECOVERY, f"{100.0 * one.expected_recovery:.0f} %", tip=tip)
        messages = [shown_text(n.message) for n in self._shown.notices if f"'{name}'" in n.message]
        set_text(row, _WARNING, _("partial volume") if one.ratio and messages else (messages and _("no counts")) or "")
        if messages:
            set_text(row, _WARNING, self._table.text(row, _WARNING), tip="\n".join(messages))

    def _show_readiness(self) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui, parameters = self.ui, self.attempt(lambda: self.session.parameters)
        if parameters is None:
            return
        busy = _("A calculation is running.") if self.session.runner.is_running else ""
        lacking = "" if parameters.scout is not None else _("Choose the scout image in section 1 first.")
        lacking = lacking or ("" if self._tumours else _("Give a segment the role tumor first."))
        set_ready(ui.measureButton, busy or lacking, _("Measures all ratios in the scout, with their uncertainty."))
        kept = self.desk.ratios
        unknown = "" if kept is not None and not kept.changes else _("Measure the ratios first.")
        set_ready(ui.enterRatiosButton, unknown, _("Enters the measured ratios; those that are typed in stay."))
        self._follower.show(self._told(parameters))

    def _told(self, parameters: PlannerParameters) -> str:
        kept, lines = self.desk.ratios, []
        if kept is not None:
            if kept.changes:
                told = _("OUT OF DATE: {changes}. Measure again.")
                lines.append(told.format(changes="; ".join(kept.changes)))
            references = ", ".join(dict.fromkeys(one.reference for one in kept.value))
            lines.append(_("Measured against {references}; not corrected for blur.").format(references=references))
            lines += [_("WARNING: {message}").format(message=shown_text(n.message)) for n in kept.notices]
        if parameters.tumour_to_normal:
            lines.append(_("Plans use the ratios typed in; enter all that are needed."))
        return "\n".join(lines)
