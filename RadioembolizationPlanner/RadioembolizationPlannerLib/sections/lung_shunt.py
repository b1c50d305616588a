"""Part of section 3: lung shunts by every method side by side, one of which the case uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slicer.i18n import tr as _

from radioembolization.errors import InputError
from radioembolization.physics import device_by_name
from radioembolization.territories.shunt.spect_shunt import SpectShuntSettings
from radioembolization.treatment.case import Notice
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.known_shunts import KnownShunt, known_shunts, shunt_notices
from RadioembolizationPlannerLib.new_segments import shown_text
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.follower import Follower
from RadioembolizationPlannerLib.sections.planar_entries import PlanarEntries
from RadioembolizationPlannerLib.sections.section import Section, set_choices, set_ready
from RadioembolizationPlannerLib.sections.table import Table, number_text

_CORRECTED = {"": None, "yes": True, "no": False}


class LungShuntSection(Section):
    """A table of lung shunts, and ways to compute them."""

    name = "LungShuntSection"
    shows = ("scout", "ct", "segmentation", "roles", "sites", "device", "lung_shunt", "lung_shunts")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = self.session.shunts
        self._follower = Follower(self.session, ui.lungShuntLabel)
        titles = [_("Method"), _("Shunt %"), _("SD, points"), _("Against used"), _("State")]
        self._shunts = Table(ui.shuntsTable, titles, stretched=4)
        self._planar = PlanarEntries(ui)
        corrected = [(_("attenuation: not known"), ""), (_("corrected"), "yes"), (_("NOT corrected"), "no")]
        set_choices(ui.attenuationBox, corrected)
        ui.shuntsTable.connect("itemSelectionChanged()", self.slot(self._show_readiness))
        ui.useShuntButton.connect("clicked(bool)", self.slot(lambda _on: self._use()))
        ui.removeShuntButton.connect("clicked(bool)", self.slot(lambda _on: self._remove()))
        ui.spectShuntButton.connect("clicked(bool)", self.slot(lambda _on: self._by_spect()))
        ui.cancelShuntButton.connect("clicked(bool)", lambda _on: self.session.cancel())
        ui.planarTable.connect("cellChanged(int,int)", self.slot(self._on_count))
        ui.countsShuntButton.connect("clicked(bool)", self.slot(lambda _on: self._by_counts()))
        ui.imagesShuntButton.connect("clicked(bool)", self.slot(lambda _on: self._by_images()))
        for selector in self._planar.selectors.values():
            selector.connect("currentNodeChanged(vtkMRMLNode*)", self.slot(lambda _node: self._show_readiness()))
        for box in self._planar.region_boxes.values():
            box.connect("currentIndexChanged(int)", self.slot(lambda _index: self._show_readiness()))
        ui.lungShuntButton.connect("contentsCollapsed(bool)", self.slot(lambda _collapsed: self._show_nodes()))
        self._show_nodes()

    def show(self, parameters: PlannerParameters) -> None:
        self._show_shunts()
        self._show_nodes()

    def on_event(self, event: Event) -> None:
        if event is Event.CASE:
            self._show_shunts()
            self._show_nodes()
        if event is Event.STATUS:
            self._show_readiness()

    def enter(self) -> None:
        self.desk.look_again()
        self._show_shunts()
        self._show_nodes()

    def scene_closes(self) -> None:
        with self.showing():
            self._planar.clear()

    # -- what the user does -------------------------------------------------------------------------------------

    def _by_spect(self) -> None:
        self._follower.start()
        corrected = _CORRECTED[self.ui.attenuationBox.currentData]
        margin_mm = float(self.ui.domeMarginBox.value)
        self.desk.by_spect(SpectShuntSettings(dome_margin_mm=margin_mm, attenuation_corrected=corrected))

    def _by_counts(self) -> None:
        counts = self._planar.counts()
        self._at_once(lambda: self.desk.by_counts(counts))

    def _by_images(self) -> None:
        choice = self._planar.choice()
        self._at_once(lambda: self.desk.by_images(choice))

    def _use(self) -> None:
        method = self._selected(self.desk.known).method
        self._at_once(lambda: self.desk.use(method))

    def _remove(self) -> None:
        self.desk.remove(self._selected(self.desk.known).method)

    def _at_once(self, action: Callable[[], None]) -> None:
        """Do what takes no time; what failed before is not told any more."""
        self.session.say("")
        self._follower.start()
        action()
        self._show_shunts()

    def _on_count(self, row: int, column: int) -> None:
        """Refuse what is no number; the cell is empty then."""
        try:
            self._planar.check(row, column)
        except InputError as error:
            self.session.say(str(error), failed=True)
            with self.showing():
                self._planar.empty(row, column)

    # -- what is shown ------------------------------------------------------------------------------------------

    def _selected(self, known: Sequence[KnownShunt]) -> KnownShunt | None:
        row = self._shunts.selected
        return known[row] if 0 <= row < len(known) else None

    def _show_shunts(self) -> None:
        known = self.attempt(lambda: self.desk.known)
        if known is None:
            return
        used = next((one.shunt.fraction for one in known if one.shunt.used), None)
        with self.showing():
            self._shunts.set_rows(len(known))
            for row, one in enumerate(known):
                self._shunts.set_row(row, self._row(one, used))
                self._shunts.set_text(row, 0, one.method.words, tip=one.shunt.note)
        self.ui.shuntsTable.visible = bool(known)
        self._show_readiness()

    def _row(self, one: KnownShunt, used: float | None) -> list[str]:
        deviation, fraction = one.shunt.standard_deviation, one.shunt.fraction
        off = "" if used is None or one.shunt.used else f"{100.0 * (fraction - used):+.1f}"
        state = [_("used")] if one.shunt.used else []
        state += [_("OUT OF DATE")] if one.method in self.desk.changes else []
        spread = number_text(None if deviation is None else 100.0 * deviation, 2)
        return [one.method.words, f"{100.0 * fraction:.2f}", spread, off, ", ".join(state)]

    def _show_nodes(self) -> None:
        """Offer what is in the scene, and show what a stored planar shunt was made from."""
        with self.showing():
            self._planar.offer(self.session.scene)
            if not self.session.node_is_leaving:  # nor is a scene coming: selectors have settled
                self._planar.refill(self.session.scene, self.attempt(lambda: self.desk.known) or ())
        self._show_readiness()

    def _show_readiness(self) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui, parameters = self.ui, self.attempt(lambda: self.session.parameters)
        if parameters is None:
            return
        busy = _("A calculation is running.") if self.session.runner.is_running else ""
        known = known_shunts(parameters)
        selected = self._selected(known)
        nothing = "" if selected is not None else _("Select a row of the table first.")
        is_used = _("This value is used.") if selected is not None and selected.shunt.used else ""
        set_ready(ui.useShuntButton, nothing or is_used, _("Makes the selected value the lung shunt of the case."))
        set_ready(ui.removeShuntButton, nothing, _("Takes the selected value out."))
        no_scout = "" if parameters.scout is not None else _("Choose the scout image in section 1 first.")
        tip = _("Computes the lung shunt from scout, lungs and liver.")
        set_ready(ui.spectShuntButton, busy or no_scout, tip)
        lacking = self._planar.choice().lacking()
        set_ready(ui.imagesShuntButton, lacking, _("Computes the planar lung shunt of the two views."))
        ui.cancelShuntButton.enabled = bool(busy)
        self._follower.show(self._told(parameters, known))

    def _told(self, parameters: PlannerParameters, known: Sequence[KnownShunt]) -> str:
        """Return which value is used and by which sites, what is out of date, and what to beware of."""
        lines = []
        used = next((one for one in known if one.shunt.used), None)
        own = [site.name for site in parameters.sites if site.lung_shunt is not None]
        if used is not None:
            told = _("The case uses {percent:.2f} %, {method}.")
            lines.append(told.format(percent=100.0 * used.shunt.fraction, method=used.method.words))
        if own and known:
            lines.append(_("Sites with a lung shunt of their own keep it: {names}.").format(names=", ".join(own)))
        for one in known:
            changes = self.desk.changes.get(one.method, ())
            if changes:
                told = _("OUT OF DATE, {method}: {changes}. Compute it again.")
                lines.append(told.format(method=one.method.words, changes="; ".join(changes)))
        lines += [_("WARNING: {message}").format(message=shown_text(n.message)) for n in _notices(parameters, known)]
        lines += [one.shunt.note for one in known if one.shunt.note]
        return "\n".join(lines)


def _notices(parameters: PlannerParameters, known: Sequence[KnownShunt]) -> list[Notice]:
    """Return what is to be told of any of the values, each once; thresholds are those of the device of the case."""
    case, own = parameters.lung_shunt, [site.lung_shunt for site in parameters.sites]
    fractions = [case if shunt is None else shunt for shunt in own or [None]]
    of_case = shunt_notices(known, [one for one in fractions if one is not None], device_by_name(parameters.device))
    return list(dict.fromkeys((*of_case, *(notice for one in known for notice in one.notices))))
