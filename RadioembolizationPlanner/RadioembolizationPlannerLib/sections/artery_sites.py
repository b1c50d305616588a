"""Part of section 3: the sites that the arterial tree offers, and what each of them reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import qt
from slicer.i18n import tr as _

from radioembolization.errors import PlannerError
from radioembolization.territories.candidates.organ_arteries import organ_of_artery
from RadioembolizationPlannerLib.artery_options import FLOW, NEAREST, ArteryOptions
from RadioembolizationPlannerLib.artery_points import PointFollower
from RadioembolizationPlannerLib.artery_publish import show_one, show_only_ends
from RadioembolizationPlannerLib.artery_record import is_of_tree, placed, record_of
from RadioembolizationPlannerLib.artery_sites_desk import ArterySitesDesk
from RadioembolizationPlannerLib.artery_words import coverage_rows, coverage_titles, organs_text, unreached_text
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.follower import Follower
from RadioembolizationPlannerLib.sections.section import Section, choose, set_choices, set_ready
from RadioembolizationPlannerLib.sections.table import Table

#: Points that were moved are followed this long after the last one [ms].
_FOLLOW_AFTER_MS = 50
_AS_FOUND = "*"
_ORGANS = ("gallbladder", "stomach", "duodenum", "spleen", "pancreas", "diaphragm", "abdominal wall", "colon", "kidney")


class ArterySitesSection(Section):
    """How branches divide the liver, which sites there are, and what they reach."""

    name = "ArterySitesSection"
    shows = ("segmentation", "roles", "arteries", "territories", "artery_points", "artery_options", "sites")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = ArterySitesDesk(self.session)
        self._follower = Follower(self.session, ui.arterySitesLabel)
        titles = coverage_titles()
        self._table = Table(ui.coverageTable, titles, stretched=len(titles) - 1)
        self._points = PointFollower(self._on_points)
        self._waits, self._standing = False, ""
        self._later = qt.QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(_FOLLOW_AFTER_MS)
        self._later.connect("timeout()", self._follow_points)
        models = [(_("to the nearest branch"), NEAREST), (_("by the flow of branches"), FLOW)]
        set_choices(ui.arteryModelBox, models)
        ui.arteryModelBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._on_options()))
        for box in (ui.watershedBox, ui.smallestRadiusBox):
            box.connect("valueChanged(double)", self.slot(lambda _value: self._on_options()))
        ui.arteryBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._on_artery()))
        ui.fedOrganBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._on_organ()))
        ui.offerSitesButton.connect("clicked(bool)", self.slot(lambda _on: self._start(self.desk.offer)))
        ui.updateSitesButton.connect("clicked(bool)", self.slot(lambda _on: self._start(self.desk.update)))
        ui.cancelTerritoriesButton.connect("clicked(bool)", lambda _on: self.session.cancel())
        ui.coverageTable.connect("itemSelectionChanged()", self.slot(self._on_site_selected))
        self._show_told()

    def show(self, parameters: PlannerParameters) -> None:
        self._points.follow(parameters.artery_points)
        self._show_sites(parameters)
        self._show_options(parameters)
        self._show_readiness(parameters)

    def on_event(self, event: Event) -> None:
        parameters = self.attempt(lambda: self.session.parameters) if event in (Event.STATUS, Event.CASE) else None
        if parameters is None:
            return
        if event is Event.CASE:
            self._show_sites(parameters)
        elif self._waits and not self.session.runner.is_running:
            self._later.start()
        self._show_readiness(parameters)

    def enter(self) -> None:
        parameters = self.attempt(lambda: self.session.parameters)
        if parameters is not None:
            self._points.follow(parameters.artery_points)
            self._on_points()

    def leave(self) -> None:
        self._later.stop()
        self._points.stop()

    def cleanup(self) -> None:
        self.leave()

    # -- what the user does -------------------------------------------------------------------------------------

    def _start(self, action: Callable[[], Any]) -> None:
        self._follower.start()
        self.desk.told_of_points = ""
        action()

    def _on_points(self) -> None:
        """Follow points in a moment; not those that the program itself sets."""
        if not self.desk.is_placing:
            self._later.start()

    def _follow_points(self) -> None:
        """Put points onto the tree and let territories follow, now or after what runs."""
        self._waits = self.session.runner.is_running
        if not self._waits and self.attempt(self.desk.follow_points):
            self._follower.start()
            self.attempt(self.desk.update)
        self._show_told()

    def _on_options(self) -> None:
        ui = self.ui
        options = replace(
            self.session.parameters.artery_options,
            model=ui.arteryModelBox.currentData,
            watershed_mm=float(ui.watershedBox.value),
            smallest_radius_mm=float(ui.smallestRadiusBox.value),
        )
        self.change(artery_options=options)

    def _on_artery(self) -> None:
        self._show_organ(self.session.parameters.artery_options)

    def _on_organ(self) -> None:
        """Let the chosen artery feed an organ, the liver (""), or what its name and its end say."""
        artery, organ = self.ui.arteryBox.currentData, self.ui.fedOrganBox.currentData
        if not artery or organ is None:
            return
        options = self.session.parameters.artery_options
        organs = {name: fed for name, fed in options.organs.items() if name != artery}
        organs = organs if organ == _AS_FOUND else {**organs, artery: organ}
        self.change(artery_options=replace(options, organs=organs))

    def _on_site_selected(self) -> None:
        """Show the territory of the selected site alone; of none, those that hold no other."""
        parameters = self.session.parameters
        record, row = record_of(parameters), self._table.selected
        if record is not None and 0 <= row < len(record.sites):
            show_one(parameters.territories, record, record.sites[row].segment_id)
        elif record is not None:
            show_only_ends(parameters.territories, record)

    # -- what is shown ------------------------------------------------------------------------------------------

    def _show_sites(self, parameters: PlannerParameters) -> None:
        record = self.attempt(lambda: record_of(parameters))
        there = record is not None and any(is_of_tree(site) for site in parameters.sites)
        rows = coverage_rows(record, parameters) if there else []
        self.ui.coverageTable.visible = there
        self._table.set_rows(len(rows))
        for row, texts in enumerate(rows):
            self._table.set_row(row, texts)
        self._standing = "\n".join([*self._stale_lines(), unreached_text(record)]) if there else ""
        self._show_told()

    def _stale_lines(self) -> list[str]:
        try:
            reasons = self.desk.reasons()
        except PlannerError as error:
            return [_("Out of date: {reason}").format(reason=error)]
        return [_("Out of date: {reasons}. Press Update.").format(reasons="; ".join(reasons))] if reasons else []

    def _show_options(self, parameters: PlannerParameters) -> None:
        ui, options, tree = self.ui, parameters.artery_options, self.attempt(self.desk.tree)
        choose(ui.arteryModelBox, options.model)
        ui.watershedBox.value, ui.smallestRadiusBox.value = options.watershed_mm, options.smallest_radius_mm
        ui.watershedBox.enabled = options.model == FLOW
        arteries = () if tree is None else tree.names
        chosen = ui.arteryBox.currentData
        set_choices(ui.arteryBox, [(name, name) for name in arteries])
        if arteries:
            choose(ui.arteryBox, chosen if chosen in arteries else arteries[0])
        ui.arteryBox.enabled = ui.fedOrganBox.enabled = bool(arteries)
        record = self.attempt(lambda: record_of(parameters))
        ui.organsLabel.text = organs_text(tree, options.organs, {} if record is None else record.organs)
        ui.organsLabel.visible = bool(ui.organsLabel.text)
        self._show_organ(options)

    def _show_organ(self, options: ArteryOptions) -> None:
        box, artery = self.ui.fedOrganBox, self.ui.arteryBox.currentData or ""
        said = organ_of_artery(artery)
        as_found = _("as named: {organ}").format(organ=said) if said else _("as its end says")
        stated = options.organs.get(artery, _AS_FOUND)
        others = [organ for organ in (stated,) if organ not in (*_ORGANS, _AS_FOUND, "")]
        with self.showing():
            organs = [(organ, organ) for organ in (*_ORGANS, *others)]
            set_choices(box, [(as_found, _AS_FOUND), (_("liver"), ""), *organs])
            choose(box, stated)

    def _show_readiness(self, parameters: PlannerParameters) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui = self.ui
        runs = _("A calculation is running.") if self.session.runner.is_running else ""
        lacking = runs or ("" if parameters.arteries is not None else _("Extract the arterial tree first."))
        set_ready(ui.offerSitesButton, lacking, _("Makes a site of every place that the tree offers."))
        lacking = lacking or ("" if placed(parameters.artery_points) else _("Offer sites first."))
        set_ready(ui.updateSitesButton, lacking, _("Finds anew what the sites at their points reach."))
        ui.cancelTerritoriesButton.enabled = bool(runs)
        self._show_told()

    def _show_told(self) -> None:
        parts = (self.desk.told_of_points, self._standing, self.desk.told)
        self._follower.show("\n".join(filter(None, parts)))
