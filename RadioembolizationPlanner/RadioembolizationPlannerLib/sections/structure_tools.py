"""Part of section 2: structures found in the CT, by other extensions, or grown from seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.section import Section, set_choices, set_ready
from RadioembolizationPlannerLib.segmentators import MonaiAuto3DSeg, Segmentator, TotalSegmentator
from RadioembolizationPlannerLib.structure_desk import StructureDesk


class StructureToolsSection(Section):
    """Buttons that add segments, and what came of it."""

    name = "StructureToolsSection"
    shows = ("ct", "scout", "segmentation")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = StructureDesk(self.session)
        self._follows = False
        self._buttons = {ui.totalSegmentatorButton: TotalSegmentator(), ui.monaiButton: MonaiAuto3DSeg()}
        set_choices(ui.taskBox, [(title, task) for task, title in _task_titles().items()])
        ui.segmentButton.connect("clicked(bool)", self.slot(lambda _on: self._segment()))
        ui.cancelSegmentButton.connect("clicked(bool)", lambda _on: self.session.cancel())
        for button, segmentator in self._buttons.items():
            button.connect("clicked(bool)", self.slot(lambda _on, s=segmentator: self._run(s)))
        ui.taskBox.connect("currentIndexChanged(int)", lambda _index: self._show_readiness())
        ui.seedsList.connect("itemChanged(QListWidgetItem*)", self.slot(lambda _item: self._show_readiness()))
        ui.growButton.connect("clicked(bool)", self.slot(lambda _on: self._grow()))
        self._show_told()

    def show(self, parameters: PlannerParameters) -> None:
        self._show_seeds(parameters.segmentation)
        self._show_readiness()

    def on_event(self, event: Event) -> None:
        if event in (Event.STATUS, Event.CASE):
            self._show_readiness()
            self._show_told()

    # -- what the user does -------------------------------------------------------------------------------------

    def _segment(self) -> None:
        self._follows = True
        self.desk.segment_ct(self.ui.liverPointsSelector.currentNode())

    def _run(self, segmentator: Segmentator) -> None:
        task, fast = self.ui.taskBox.currentData, self.ui.fastBox.checked
        self._waiting(lambda: self.desk.run(segmentator, task, fast=bool(fast)))

    def _grow(self) -> None:
        self._waiting(lambda: self.desk.grow(self._checked()))

    def _waiting(self, action: Callable[[], Any]) -> None:
        """Do what keeps Slicer busy, then show what came of it, and what can be done now."""
        self._follows = True
        try:
            with slicer.util.WaitCursor():
                action()
        finally:
            self._show_readiness()
        self._show_told()

    # -- what is shown ------------------------------------------------------------------------------------------

    def _show_seeds(self, segmentation: slicer.vtkMRMLSegmentationNode | None) -> None:
        """List the segments; those that are checked stay so."""
        checked, seeds = self._checked(), self.ui.seedsList
        segments = None if segmentation is None else segmentation.GetSegmentation()
        seeds.clear()
        for key in () if segments is None else segments.GetSegmentIDs():
            item = qt.QListWidgetItem(segments.GetSegment(key).GetName())
            item.setData(qt.Qt.UserRole, key)
            item.setCheckState(qt.Qt.Checked if key in checked else qt.Qt.Unchecked)
            seeds.addItem(item)

    def _checked(self) -> list[str]:
        items = [self.ui.seedsList.item(row) for row in range(self.ui.seedsList.count)]
        return [item.data(qt.Qt.UserRole) for item in items if int(item.checkState()) == int(qt.Qt.Checked)]

    def _show_readiness(self) -> None:
        """Enable what can be done now; tooltips say what is missing."""
        ui, parameters = self.ui, self.attempt(lambda: self.session.parameters)
        if parameters is None:
            return
        busy = _("A calculation is running.") if self.session.runner.is_running or self.desk.is_waiting else ""
        no_ct = busy or ("" if parameters.ct is not None else _("Choose the CT in section 1 first."))
        set_ready(ui.segmentButton, no_ct, _("Finds body, lungs and liver in the CT, without deep learning."))
        for button, segmentator in self._buttons.items():
            set_ready(button, _lack_of(segmentator, ui.taskBox.currentData) or no_ct, _tip_of(segmentator))
        image = parameters.ct or parameters.scout
        lacking = busy or ("" if image is not None else _("Choose a CT or a scout image in section 1 first."))
        if not lacking and len(self._checked()) < 2:
            lacking = _("Check at least two seeds: one in the structure, and one in what surrounds it.")
        set_ready(ui.growButton, lacking, _("Grows a new segment from each checked one, in the CT."))
        ui.cancelSegmentButton.enabled = self.session.runner.is_running

    def _show_told(self) -> None:
        """Show what runs, what failed, or what came of it, if it was started here."""
        status, label = self.session.status, self.ui.toolsLabel
        busy = self.session.runner.is_running or self.desk.is_waiting
        if self._follows:
            failed = _("Failed: {message}").format(message=status.text) if status.failed else ""
            label.text = status.text if busy else failed or self.desk.told or status.text
        self._follows = self._follows and busy
        label.visible = bool(label.text)


def _task_titles() -> dict[str, str]:
    return {
        "organs": _("liver, lungs, other organs"),
        "liver_segments": _("liver segments"),
        "liver_vessels": _("liver vessels"),
        "liver_lesions": _("liver lesions"),
    }


def _lack_of(segmentator: Segmentator, task: str) -> str:
    if not segmentator.is_there():
        return segmentator.hint()
    if task not in segmentator.tasks:
        return _("{name} has no model for this; choose liver, lungs, other organs.").format(name=segmentator.module)
    return ""


def _tip_of(segmentator: Segmentator) -> str:
    told = _("Lets the extension {name} segment the CT; Slicer waits for it, for minutes without a graphics card.")
    return told.format(name=segmentator.module)
