"""Part of section 3: hot spots of the scout where no microspheres should be."""

from __future__ import annotations

from slicer.i18n import tr as _

from radioembolization.errors import ExtrahepaticFocusFound
from radioembolization.structures.extrahepatic_foci import ExtrahepaticFocus, FocusRule
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.new_segments import shown_text
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.scout_desk import position_text
from RadioembolizationPlannerLib.sections.follower import Follower
from RadioembolizationPlannerLib.sections.section import Section, set_ready
from RadioembolizationPlannerLib.sections.table import Table


class FociSection(Section):
    """A button that looks for foci, and a list whose rows show their places."""

    name = "FociSection"
    shows = ("scout", "segmentation", "roles")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = self.session.scout
        self._follower = Follower(self.session, ui.fociLabel)
        titles = [_("Position (mm)"), _("Counts %"), _("mL"), _("Peak / liver"), _("Nearest structure")]
        self._table = Table(ui.fociTable, titles, stretched=4)
        ui.findFociButton.connect("clicked(bool)", self.slot(lambda _on: self._find()))
        ui.markFociButton.connect("clicked(bool)", self.slot(lambda _on: self.desk.mark_foci()))
        ui.fociTable.connect("itemSelectionChanged()", self.slot(self._jump))
        ui.fociTable.connect("cellDoubleClicked(int,int)", self.slot(lambda _row, _column: self._jump()))
        self._show_foci()

    def show(self, parameters: PlannerParameters) -> None:
        self._show_readiness()

    def on_event(self, event: Event) -> None:
        if event in (Event.CASE, Event.STATUS):
            self._show_foci()

    # -- what the user does -------------------------------------------------------------------------------------

    def _find(self) -> None:
        self._follower.start()
        self.desk.find_foci(FocusRule(least_share_of_liver=float(self.ui.leastFocusBox.value) / 100.0))

    def _jump(self) -> None:
        listed, row = self._listed, self._table.selected
        if 0 <= row < len(listed):
            self.desk.jump(listed[row])

    # -- what is shown ------------------------------------------------------------------------------------------

    @property
    def _listed(self) -> tuple[ExtrahepaticFocus, ...]:
        return () if self.desk.foci is None else self.desk.foci.value

    def _show_foci(self) -> None:
        notices = () if self.desk.foci is None else self.desk.foci.notices
        messages = [notice.message for notice in notices if notice.name == ExtrahepaticFocusFound.__name__]
        with self.showing():
            self._table.set_rows(len(self._listed))
            for row, focus in enumerate(self._listed):
                for column, text in enumerate(_texts(focus)):
                    self._table.set_text(row, column, text, tip=shown_text(messages[row]))
        self.ui.fociTable.visible = bool(self._listed)
        self._show_readiness()

    def _show_readiness(self) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui, parameters = self.ui, self.attempt(lambda: self.session.parameters)
        if parameters is None:
            return
        busy = _("A calculation is running.") if self.session.runner.is_running else ""
        lacking = "" if parameters.scout is not None else _("Choose the scout image in section 1 first.")
        set_ready(ui.findFociButton, busy or lacking, _("Looks for hot spots outside liver and lungs."))
        none = "" if self._listed else _("There is no focus to be marked.")
        set_ready(ui.markFociButton, none, _("Puts the foci into the scene as a list of points."))
        self._follower.show(self._told())

    def _told(self) -> str:
        kept = self.desk.foci
        if kept is None:
            return ""
        count = len(kept.value)
        told = _("Foci: {count}. Look for an artery to stomach, bowel or gallbladder before you inject.")
        text = told.format(count=count) if count else _("No extrahepatic focus was found.")
        if kept.changes:
            changed = _("OUT OF DATE: {changes}. Search again. Before: {told}")
            text = changed.format(changes="; ".join(kept.changes), told=text)
        return text


def _texts(focus: ExtrahepaticFocus) -> list[str]:
    inside = focus.distance_mm == 0
    near = _("in {name}") if inside else _("{distance:.0f} mm from {name}")
    return [
        position_text(focus.position_lps_mm),
        f"{100.0 * focus.share_of_counts:.2f}",
        f"{focus.volume_ml:.3g}",
        f"{focus.peak_over_liver_mean:.2g}",
        near.format(distance=focus.distance_mm, name=focus.nearest_structure),
    ]
