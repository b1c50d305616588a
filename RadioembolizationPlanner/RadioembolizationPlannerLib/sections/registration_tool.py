"""Part of section 2: an image is brought to another one, with what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator

import qt
import slicer
from slicer.i18n import tr as _

from radioembolization.images.registration import Kind
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.layouts import set_overlay_opacity, show_overlay
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.plans import nodes_of, plans_of
from RadioembolizationPlannerLib.registration_desk import RegistrationChoice, RegistrationDesk, SegmentChoice
from RadioembolizationPlannerLib.sections.follower import Follower
from RadioembolizationPlannerLib.sections.section import Section, choose, set_choices, set_ready

_WHOLE_IMAGE = ""
#: What may belong to a moving image.
_CLASSES = ("vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLModelNode", "vtkMRMLMarkupsNode")


class RegistrationToolSection(Section):
    """Two images, what goes along with the moving one, and how well they fit."""

    name = "RegistrationToolSection"
    shows = ("ct", "scout", "segmentation")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = RegistrationDesk(self.session)
        self._follower = Follower(self.session, ui.registrationLabel)
        self._chosen: set[str] = set()
        kinds = [(_("rigid: shift and turn"), str(Kind.RIGID)), (_("affine: also stretch and shear"), str(Kind.AFFINE))]
        set_choices(ui.registrationKindBox, kinds)
        ui.fixedImageSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.slot(lambda _n: self._on_image("fixed")))
        ui.movingImageSelector.connect(
            "currentNodeChanged(vtkMRMLNode*)", self.slot(lambda _n: self._on_image("moving"))
        )
        ui.registrationToolButton.connect("contentsCollapsed(bool)", self.slot(lambda _collapsed: self._show_nodes()))
        ui.registerButton.connect("clicked(bool)", self.slot(lambda _on: self._register()))
        ui.cancelRegistrationButton.connect("clicked(bool)", lambda _on: self.session.cancel())
        ui.takeBackButton.connect("clicked(bool)", self.slot(lambda _on: self._take_back()))
        ui.overlayButton.connect("clicked(bool)", self.slot(lambda _on: self._show_overlay()))
        ui.overlaySlider.connect("valueChanged(double)", self.slot(lambda _value: self._set_opacity()))
        self._follower.show("")

    def show(self, parameters: PlannerParameters) -> None:
        fixed = parameters.ct or parameters.scout
        if "fixed" not in self._chosen:
            self.ui.fixedImageSelector.setCurrentNode(fixed)
        if "moving" not in self._chosen:
            self.ui.movingImageSelector.setCurrentNode(None if parameters.scout is fixed else parameters.scout)
        self._show_nodes()

    def on_event(self, event: Event) -> None:
        if event is Event.CASE:
            self._show_nodes()
        if event is Event.STATUS:
            self._show_readiness()

    def enter(self) -> None:
        self._show_nodes()

    # -- what the user does -------------------------------------------------------------------------------------

    def _on_image(self, which: str) -> None:
        self._chosen.add(which)
        self._show_nodes()

    def _register(self) -> None:
        self._follower.start()
        self.desk.register(self._choice())

    def _take_back(self) -> None:
        self._follower.start()
        self.desk.take_back()
        self._show_readiness()

    def _show_overlay(self) -> None:
        ui = self.ui
        fixed, moving = ui.fixedImageSelector.currentNode(), ui.movingImageSelector.currentNode()
        show_overlay(self.session.scene, fixed, moving, float(ui.overlaySlider.value) / 100.0)

    def _set_opacity(self) -> None:
        moving = self.ui.movingImageSelector.currentNode()
        if moving is not None:
            set_overlay_opacity(self.session.scene, moving, float(self.ui.overlaySlider.value) / 100.0)

    def _choice(self) -> RegistrationChoice:
        ui = self.ui
        nodes = [self.session.scene.GetNodeByID(node_id) for node_id in self._checked()]
        return RegistrationChoice(
            ui.fixedImageSelector.currentNode(),
            ui.movingImageSelector.currentNode(),
            Kind(ui.registrationKindBox.currentData),
            self._segment(ui.fixedRegionBox.currentData),
            self._segment(ui.movingRegionBox.currentData),
            float(ui.regionRimBox.value),
            tuple(node for node in nodes if node is not None),
        )

    def _segment(self, value: str | None) -> SegmentChoice | None:
        """Return the segment that an entry stands for; None for the whole image."""
        if not value:
            return None
        node_id, _bar, segment_id = value.partition("|")
        return SegmentChoice(self.session.scene.GetNodeByID(node_id), segment_id)

    # -- what is shown ------------------------------------------------------------------------------------------

    def _show_nodes(self) -> None:
        """Offer the segments and nodes that are in the scene; what is chosen stays so."""
        ui = self.ui
        with self.showing():
            for box in (ui.fixedRegionBox, ui.movingRegionBox):
                chosen = box.currentData
                set_choices(box, [(_("whole image"), _WHOLE_IMAGE), *self._segments()])
                choose(box, chosen if chosen and box.findData(chosen) >= 0 else _WHOLE_IMAGE)
            self._show_also()
        self._show_readiness()

    def _show_also(self) -> None:
        checked, also = self._checked(), self.ui.alsoMovedList
        also.clear()
        for node in self._companions():
            item = qt.QListWidgetItem(node.GetName())
            item.setData(qt.Qt.UserRole, node.GetID())
            item.setCheckState(qt.Qt.Checked if node.GetID() in checked else qt.Qt.Unchecked)
            also.addItem(item)

    def _checked(self) -> list[str]:
        items = [self.ui.alsoMovedList.item(row) for row in range(self.ui.alsoMovedList.count)]
        return [item.data(qt.Qt.UserRole) for item in items if int(item.checkState()) == int(qt.Qt.Checked)]

    def _segments(self) -> Iterator[tuple[str, str]]:
        for node in self._visible("vtkMRMLSegmentationNode"):
            segments = node.GetSegmentation()
            for key in segments.GetSegmentIDs():
                yield f"{node.GetName()}: {segments.GetSegment(key).GetName()}", f"{node.GetID()}|{key}"

    def _companions(self) -> Iterator[slicer.vtkMRMLTransformableNode]:
        """Yield what may go along with the moving image: neither either image nor what shows a plan."""
        ui, of_plans = self.ui, [node for plan in plans_of(self.session.scene) for node in nodes_of(plan)]
        left_out = [*of_plans, ui.fixedImageSelector.currentNode(), ui.movingImageSelector.currentNode()]
        for class_name in _CLASSES:
            yield from (node for node in self._visible(class_name) if node not in left_out)

    def _visible(self, class_name: str) -> Iterator[slicer.vtkMRMLNode]:
        scene = self.session.scene
        for index in range(scene.GetNumberOfNodesByClass(class_name)):
            node = scene.GetNthNodeByClass(index, class_name)
            if not node.GetHideFromEditors():
                yield node

    def _show_readiness(self) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui, choice = self.ui, self._choice()
        runs = _("A calculation is running.") if self.session.runner.is_running else ""
        lacking = choice.lacking()
        set_ready(
            ui.registerButton, runs or lacking, _("Moves the moving image, and what goes along, to the fixed one.")
        )
        taken = "" if self.desk.can_take_back() else _("Nothing was registered in this scene.")
        set_ready(ui.takeBackButton, runs or taken, _("Puts what was moved last back where it was."))
        set_ready(ui.overlayButton, lacking, _("Shows the moving image over the fixed one in all slice views."))
        ui.cancelRegistrationButton.enabled = bool(runs)
        self._follower.show(self.desk.told)
