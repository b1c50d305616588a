"""Part of section 3: the arterial tree, the sites it offers, and what each of them reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError, PlannerError
from radioembolization.territories.candidates.organ_arteries import organ_of_artery
from RadioembolizationPlannerLib.arteries import known_tree, names_of
from RadioembolizationPlannerLib.artery_desk import ArteryDesk
from RadioembolizationPlannerLib.artery_options import FLOW, NEAREST
from RadioembolizationPlannerLib.artery_points import PointFollower
from RadioembolizationPlannerLib.artery_publish import show_one, show_only_ends
from RadioembolizationPlannerLib.artery_record import is_of_tree, placed, record_of
from RadioembolizationPlannerLib.artery_sources import Joining, line_models, root_of, visible_nodes
from RadioembolizationPlannerLib.artery_words import coverage_columns, organs_text, unreached_text
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.follower import Follower
from RadioembolizationPlannerLib.sections.section import Section, choose, number_of, set_choices, set_ready
from RadioembolizationPlannerLib.sections.shown_table import ShownTable

_GROW, _CURVES, _SEGMENT, _MODEL = "grow", "curves", "segment", "model"
#: Points that were moved are followed this long after the last one [ms].
_FOLLOW_AFTER_MS = 50
_AS_FOUND = "*"


class ArteriesSection(Section):
    """Where the tree comes from, how it divides the liver, and what its sites reach."""

    name = "ArteriesSection"
    shows = ("segmentation", "roles", "arteries", "territories", "artery_points", "artery_options", "sites")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = ArteryDesk(self.session)
        self._tree_says = Follower(self.session, ui.arteriesTreeLabel)
        self._sites_say = Follower(self.session, ui.arteriesSitesLabel)
        self._table = ShownTable(ui.coverageTable)
        self._points = PointFollower(self._on_points)
        self._pending = False
        self._later = qt.QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(_FOLLOW_AFTER_MS)
        self._later.connect("timeout()", self._follow_points)
        set_choices(
            ui.arteryModelBox,
            [(_("to the nearest branch"), NEAREST), (_("by the flow of branches"), FLOW)],
        )
        ui.arteriesSourceBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._show_source()))
        ui.arteriesButton.connect("contentsCollapsed(bool)", self.slot(lambda _collapsed: self._show_sources()))
        ui.curvesList.connect("itemChanged(QListWidgetItem*)", self.slot(lambda _item: self._show_readiness()))
        ui.extractButton.connect("clicked(bool)", self.slot(lambda _on: self._extract()))
        for button in (ui.cancelArteriesButton, ui.cancelTerritoriesButton):
            button.connect("clicked(bool)", lambda _on: self.session.cancel())
        ui.arteryNamesBox.connect("toggled(bool)", self.slot(self._on_names))
        ui.arteryModelBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._on_options()))
        for box in (ui.watershedBox, ui.smallestRadiusBox):
            box.connect("valueChanged(double)", self.slot(lambda _value: self._on_options()))
        ui.arteryBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._show_organ()))
        ui.fedOrganBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._on_organ()))
        ui.offerSitesButton.connect("clicked(bool)", self.slot(lambda _on: self._start(self.desk.offer)))
        ui.updateSitesButton.connect("clicked(bool)", self.slot(lambda _on: self._start(self.desk.update)))
        ui.coverageTable.connect("itemSelectionChanged()", self.slot(self._on_site_selected))
        self._show_source()

    def show(self, parameters: PlannerParameters) -> None:
        self._points.follow(parameters.artery_points)
        self._show_sources()
        self._show_options(parameters)
        self._show_names(parameters)
        self._show_sites(parameters)
        self._show_readiness()

    def on_event(self, event: Event) -> None:
        if event is Event.STATUS:
            self._show_readiness()
            if self._pending and not self.session.runner.is_running:
                self._later.start()
        if event is Event.CASE:
            self._show_sources()
            parameters = self.attempt(lambda: self.session.parameters)
            if parameters is not None:
                self._show_sites(parameters)

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

    def _extract(self) -> None:
        ui, kind = self.ui, self._kind
        self._tree_says.start()
        if kind == _GROW:
            root = root_of(ui.rootSelector.currentNode())
            self.desk.grow(int(ui.growthSeedBox.value), int(ui.branchesBox.value), root)
            return
        joining = Joining(root_of(ui.rootSelector.currentNode()), float(ui.gapBox.value), number_of(ui.arteryRadiusBox))
        if kind == _CURVES:
            self.desk.from_curves([self.session.scene.GetNodeByID(key) for key in self._checked()], joining)
            return
        _kind, node_id, segment_id = [*ui.arteriesSourceBox.currentData.split("|"), ""][:3]
        node = self.session.scene.GetNodeByID(node_id)
        if node is None:
            raise InputError(_("What was chosen is not in the scene any more: choose again."))
        if kind == _SEGMENT:
            self.session.get_packages()
            self.desk.from_segment(node, segment_id, joining)
        else:
            self.desk.from_model(node, joining)

    def _start(self, action: Callable[[], Any]) -> None:
        self._sites_say.start()
        self._pending = False
        action()

    def _on_points(self) -> None:
        """Follow points in a moment; not those that the program itself sets."""
        if not self.desk.is_placing and not self._showing:
            self._later.start()

    def _follow_points(self) -> None:
        """Put points onto the tree and let territories follow, now or after what runs."""
        self._pending = self.session.runner.is_running
        if self._pending:
            return
        if self.attempt(self.desk.follow_points):
            told = self.desk.told_of_sites
            none_left = not placed(self.session.parameters.artery_points)
            self.attempt(self.desk.clear_sites if none_left else lambda: self._start(self.desk.update))
            self.desk.told_of_sites = self.desk.told_of_sites or told
        self._show_again()

    def _on_names(self, shown: bool) -> None:
        names = names_of(self.session.parameters.arteries)
        if names is not None:
            names.GetDisplayNode().SetVisibility(bool(shown))

    def _on_options(self) -> None:
        ui = self.ui
        options = replace(
            self.session.parameters.artery_options,
            model=ui.arteryModelBox.currentData,
            watershed_mm=float(ui.watershedBox.value),
            smallest_radius_mm=float(ui.smallestRadiusBox.value),
        )
        self.change(artery_options=options)

    def _on_organ(self) -> None:
        """Let the chosen artery feed an organ, the liver (""), or what its name says."""
        artery, organ = self.ui.arteryBox.currentData, self.ui.fedOrganBox.currentData
        options = self.session.parameters.artery_options
        organs = {name: fed for name, fed in options.organs.items() if name != artery}
        if artery and organ is not None:
            self.change(
                artery_options=replace(options, organs=organs if organ == _AS_FOUND else {**organs, artery: organ})
            )

    def _on_site_selected(self) -> None:
        """Show the territory of the selected site alone; of none, those that hold no other."""
        parameters = self.session.parameters
        record = record_of(parameters)
        if record is None:
            return
        row = self._table.selected
        if 0 <= row < len(record.sites):
            show_one(parameters.territories, record, record.sites[row].segment_id)
        else:
            show_only_ends(parameters.territories, record)

    # -- what is shown ------------------------------------------------------------------------------------------

    @property
    def _kind(self) -> str:
        return (self.ui.arteriesSourceBox.currentData or "").partition("|")[0]

    def _show_sources(self) -> None:
        """Offer what is in the scene; what is chosen stays so."""
        scene, box = self.session.scene, self.ui.arteriesSourceBox
        choices = [(_("choose"), "")]
        own = self.session.parameters.territories
        for node in visible_nodes(scene, "vtkMRMLSegmentationNode"):
            segments = node.GetSegmentation()
            keys = () if node is own else segments.GetSegmentIDs()
            choices += [
                (f"{node.GetName()}: {segments.GetSegment(key).GetName()}", f"{_SEGMENT}|{node.GetID()}|{key}")
                for key in keys
            ]
        choices += [(_("model {name}").format(name=n.GetName()), f"{_MODEL}|{n.GetID()}") for n in line_models(scene)]
        curves = list(visible_nodes(scene, "vtkMRMLMarkupsCurveNode"))
        if curves:
            choices.append((_("curves ({count})").format(count=len(curves)), _CURVES))
        choices.append((_("none: grow a synthetic tree"), _GROW))
        with self.showing():
            chosen = box.currentData
            set_choices(box, choices)
            choose(box, chosen if chosen and box.findData(chosen) >= 0 else "")
            self._show_curves(curves)
        self._show_source()

    def _show_curves(self, curves: list[slicer.vtkMRMLMarkupsCurveNode]) -> None:
        shown = self.ui.curvesList
        known = {shown.item(row).data(qt.Qt.UserRole) for row in range(shown.count)}
        checked = set(self._checked())
        shown.clear()
        for curve in curves:
            item = qt.QListWidgetItem(curve.GetName())
            item.setData(qt.Qt.UserRole, curve.GetID())
            is_checked = curve.GetID() in checked or curve.GetID() not in known
            item.setCheckState(qt.Qt.Checked if is_checked else qt.Qt.Unchecked)
            shown.addItem(item)

    def _checked(self) -> list[str]:
        items = [self.ui.curvesList.item(row) for row in range(self.ui.curvesList.count)]
        return [item.data(qt.Qt.UserRole) for item in items if int(item.checkState()) == int(qt.Qt.Checked)]

    def _show_source(self) -> None:
        """Show what the chosen source asks for."""
        ui, kind = self.ui, self._kind
        ui.curvesList.visible = kind == _CURVES
        for widget in (ui.gapBox, ui.gapBoxLabel):
            widget.visible = kind in (_CURVES, _MODEL, _SEGMENT)
        ui.arteryRadiusBox.visible = kind in (_CURVES, _MODEL)
        for widget in (ui.growthSeedBox, ui.branchesBox, ui.growthSeedBoxLabel):
            widget.visible = kind == _GROW
        self._show_readiness()

    def _show_options(self, parameters: PlannerParameters) -> None:
        ui, options = self.ui, parameters.artery_options
        choose(ui.arteryModelBox, options.model)
        ui.watershedBox.value, ui.smallestRadiusBox.value = options.watershed_mm, options.smallest_radius_mm
        ui.watershedBox.enabled = options.model == FLOW
        tree = self._tree(parameters)
        arteries = [] if tree is None else [(name, name) for name in tree.names]
        chosen = ui.arteryBox.currentData
        set_choices(ui.arteryBox, arteries)
        if arteries:
            choose(ui.arteryBox, chosen if chosen in (name for name, _value in arteries) else arteries[0][1])
        record = self.attempt(lambda: record_of(parameters))
        found = {} if record is None else record.organs
        ui.organsLabel.text = organs_text(tree, options.organs, found)
        ui.organsLabel.visible = bool(ui.organsLabel.text)
        self._show_organ()

    def _show_organ(self) -> None:
        ui = self.ui
        artery = ui.arteryBox.currentData or ""
        said = organ_of_artery(artery)
        with self.showing():
            organs = ("gallbladder", "stomach", "duodenum", "spleen", "pancreas", "diaphragm", "abdominal wall")
            organs = (*organs, "colon", "kidney", "other organs")
            as_found = _("as named: {organ}").format(organ=said) if said else _("as its name and its end say")
            set_choices(ui.fedOrganBox, [(as_found, _AS_FOUND), (_("liver"), ""), *((one, one) for one in organs)])
            choose(ui.fedOrganBox, self.session.parameters.artery_options.organs.get(artery, _AS_FOUND))

    def _show_names(self, parameters: PlannerParameters) -> None:
        names = names_of(parameters.arteries)
        self.ui.arteryNamesBox.enabled = names is not None
        self.ui.arteryNamesBox.checked = names is not None and bool(names.GetDisplayNode().GetVisibility())

    def _show_sites(self, parameters: PlannerParameters) -> None:
        record = self.attempt(lambda: record_of(parameters))
        there = record is not None and any(is_of_tree(site) for site in parameters.sites)
        self._table.show(coverage_columns(record, parameters) if there else {})
        lines = [unreached_text(record)] if there else []
        if there:
            lines += self._stale_lines()
        self._standing = "\n".join(filter(None, lines))
        self._show_told()

    def _stale_lines(self) -> list[str]:
        try:
            reasons = self.desk.reasons()
        except PlannerError as error:
            return [_("Out of date: {reasons}").format(reasons=error)]
        return [_("Out of date: {reasons}. Press Update.").format(reasons="; ".join(reasons))] if reasons else []

    def _tree(self, parameters: PlannerParameters) -> Any:
        try:
            return self.desk.tree()
        except PlannerError:
            return known_tree(parameters.arteries)

    def _show_again(self) -> None:
        with self.showing():
            self.attempt(lambda: self.show(self.session.parameters))

    def _show_readiness(self) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui, parameters = self.ui, self.attempt(lambda: self.session.parameters)
        if parameters is None:
            return
        runs = _("A calculation is running.") if self.session.runner.is_running else ""
        lacking = "" if self._kind else _("Choose where the arteries come from.")
        if self._kind == _CURVES and not self._checked():
            lacking = _("Check the curves that are arteries.")
        set_ready(ui.extractButton, runs or lacking, _("Makes the arterial tree, in place of the one that is there."))
        no_tree = "" if parameters.arteries is not None else _("Extract the arterial tree first.")
        set_ready(ui.offerSitesButton, runs or no_tree, _("Makes a site of every place that the tree offers."))
        points = placed(parameters.artery_points)
        no_points = no_tree or ("" if points else _("Offer sites first."))
        set_ready(ui.updateSitesButton, runs or no_points, _("Finds anew what the sites at their points reach."))
        ui.cancelArteriesButton.enabled = ui.cancelTerritoriesButton.enabled = bool(runs)
        self._tree_says.show(self.desk.told)
        self._show_told()

    def _show_told(self) -> None:
        standing = getattr(self, "_standing", "")
        self._sites_say.show("\n".join(filter(None, [standing, self.desk.told_of_sites])))
