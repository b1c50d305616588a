"""Part of section 3: the arterial tree, from a segment, centerlines or curves, or grown."""

from __future__ import annotations

from collections.abc import Iterator

import qt
import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError
from RadioembolizationPlannerLib.arteries import TREES, names_of
from RadioembolizationPlannerLib.artery_desk import ArteryDesk
from RadioembolizationPlannerLib.artery_record import TERRITORIES
from RadioembolizationPlannerLib.artery_sources import Joining, line_models, root_of, visible_nodes
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.plans import nodes_of, plans_of
from RadioembolizationPlannerLib.sections.follower import Follower
from RadioembolizationPlannerLib.sections.section import Section, choose, number_of, set_choices, set_ready

_GROW, _CURVES, _SEGMENT, _MODEL, _TREE = "grow", "curves", "segment", "model", "tree"


class ArteriesSection(Section):
    """Where the tree comes from, and what came of it."""

    name = "ArteriesSection"
    shows = ("segmentation", "arteries", "territories")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = ArteryDesk(self.session)
        self._follower = Follower(self.session, ui.arteriesLabel)
        ui.arteriesButton.connect("contentsCollapsed(bool)", self.slot(lambda _collapsed: self._show_sources()))
        ui.arteriesSourceBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._show_source()))
        ui.curvesList.connect("itemChanged(QListWidgetItem*)", self.slot(lambda _item: self._show_readiness()))
        ui.extractButton.connect("clicked(bool)", self.slot(lambda _on: self._extract()))
        ui.cancelArteriesButton.connect("clicked(bool)", lambda _on: self.session.cancel())
        ui.arteryNamesBox.connect("toggled(bool)", self.slot(self._on_names))
        self._show_source()

    def show(self, parameters: PlannerParameters) -> None:
        self._show_sources()
        names = names_of(parameters.arteries)
        self.ui.arteryNamesBox.enabled = names is not None
        self.ui.arteryNamesBox.checked = names is not None and bool(names.GetDisplayNode().GetVisibility())

    def on_event(self, event: Event) -> None:
        if event is Event.STATUS:
            self._show_readiness()
        if event is Event.CASE:
            self._show_sources()

    def enter(self) -> None:
        self._show_sources()

    # -- what the user does -------------------------------------------------------------------------------------

    def _extract(self) -> None:
        ui, kind = self.ui, self._kind
        self._follower.start()
        root = root_of(ui.rootSelector.currentNode())
        joining = Joining(root, float(ui.gapBox.value), number_of(ui.arteryRadiusBox))
        if kind == _GROW:
            self.desk.grow(int(ui.growthSeedBox.value), int(ui.branchesBox.value), root)
        elif kind == _CURVES:
            self.desk.from_curves([self.session.scene.GetNodeByID(key) for key in self._checked()], joining)
        else:
            self._extract_from_node(joining)

    def _extract_from_node(self, joining: Joining) -> None:
        _kind, node_id, segment_id = [*self.ui.arteriesSourceBox.currentData.split("|"), ""][:3]
        node = self.session.scene.GetNodeByID(node_id)
        if node is None:
            raise InputError(_("What was chosen is not in the scene any more: choose again."))
        if self._kind == _SEGMENT:
            self.session.get_packages()
            self.desk.from_segment(node, segment_id, joining)
        elif self._kind == _TREE:
            self.desk.from_node(node)
        else:
            self.desk.from_model(node, joining)

    def _on_names(self, shown: bool) -> None:
        names = names_of(self.session.parameters.arteries)
        if names is not None:
            names.GetDisplayNode().SetVisibility(bool(shown))

    # -- what is shown ------------------------------------------------------------------------------------------

    @property
    def _kind(self) -> str:
        return (self.ui.arteriesSourceBox.currentData or "").partition("|")[0]

    def _show_sources(self) -> None:
        """Offer what is in the scene; what is chosen stays so."""
        box = self.ui.arteriesSourceBox
        curves = list(visible_nodes(self.session.scene, "vtkMRMLMarkupsCurveNode"))
        choices = [(_("choose"), ""), *self._segments(), *self._models(), *self._trees()]
        if curves:
            choices.append((_("curves ({count})").format(count=len(curves)), _CURVES))
        choices.append((_("none: grow a synthetic tree"), _GROW))
        with self.showing():
            chosen = box.currentData
            set_choices(box, choices)
            choose(box, chosen if chosen and box.findData(chosen) >= 0 else "")
            self._show_curves(curves)
        self._show_source()

    def _segments(self) -> Iterator[tuple[str, str]]:
        made = [node for plan in plans_of(self.session.scene) for node in nodes_of(plan)]
        for node in visible_nodes(self.session.scene, "vtkMRMLSegmentationNode"):
            segments = node.GetSegmentation()
            own = node in made or TERRITORIES.is_of(node)
            for key in () if own else segments.GetSegmentIDs():
                yield f"{node.GetName()}: {segments.GetSegment(key).GetName()}", f"{_SEGMENT}|{node.GetID()}|{key}"

    def _models(self) -> Iterator[tuple[str, str]]:
        for node in line_models(self.session.scene):
            yield _("model {name}").format(name=node.GetName()), f"{_MODEL}|{node.GetID()}"

    def _trees(self) -> Iterator[tuple[str, str]]:
        parameters = self.attempt(lambda: self.session.parameters)
        for node in TREES.all_in(self.session.scene):
            if parameters is not None and node is not parameters.arteries:
                yield _("tree {name}").format(name=node.GetName()), f"{_TREE}|{node.GetID()}"

    def _show_curves(self, curves: list[slicer.vtkMRMLMarkupsCurveNode]) -> None:
        """List the curves; new ones are checked."""
        shown = self.ui.curvesList
        known = {shown.item(row).data(qt.Qt.UserRole) for row in range(shown.count)}
        checked = self._checked()
        shown.clear()
        for curve in curves:
            item, key = qt.QListWidgetItem(curve.GetName()), curve.GetID()
            item.setData(qt.Qt.UserRole, key)
            item.setCheckState(qt.Qt.Checked if key in checked or key not in known else qt.Qt.Unchecked)
            shown.addItem(item)

    def _checked(self) -> list[str]:
        items = [self.ui.curvesList.item(row) for row in range(self.ui.curvesList.count)]
        return [item.data(qt.Qt.UserRole) for item in items if int(item.checkState()) == int(qt.Qt.Checked)]

    def _show_source(self) -> None:
        """Show what the chosen source asks for."""
        ui, kind = self.ui, self._kind
        ui.curvesList.visible = kind == _CURVES
        ui.gapBox.visible = ui.gapBoxLabel.visible = kind in (_CURVES, _MODEL, _SEGMENT)
        ui.arteryRadiusBox.visible = kind in (_CURVES, _MODEL)
        for widget in (ui.growthSeedBox, ui.branchesBox, ui.growthSeedBoxLabel):
            widget.visible = kind == _GROW
        self._show_readiness()

    def _show_readiness(self) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        runs = _("A calculation is running.") if self.session.runner.is_running else ""
        lacking = "" if self._kind else _("Choose where the arteries come from.")
        if self._kind == _CURVES and not self._checked():
            lacking = _("Check the curves that are arteries.")
        tip = _("Makes the arterial tree, in place of the one that is there.")
        set_ready(self.ui.extractButton, runs or lacking, tip)
        self.ui.cancelArteriesButton.enabled = bool(runs)
        self._follower.show(self.desk.told)
