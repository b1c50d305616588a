"""Part of section 2: tumors in SPECT and PET by a threshold, with a preview that follows the number."""

from __future__ import annotations

import math

import qt
import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError, PlannerError
from radioembolization.structures import Role
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.section import Section, set_choices, set_ready
from RadioembolizationPlannerLib.threshold_desk import ThresholdDesk, ThresholdRequest
from RadioembolizationPlannerLib.threshold_methods import MethodChoice, method_choices

#: The preview follows this long after the last movement [ms].
_PREVIEW_AFTER_MS = 150
_STEPS = 200.0


class ThresholdToolSection(Section):
    """An image, a method and its number; what they find is shown until the panel, or this part, is left."""

    name = "ThresholdToolSection"
    shows = ("scout", "segmentation", "roles")

    def set_up(self) -> None:
        ui = self.ui
        self.desk = ThresholdDesk(self.session)
        self._methods, self._is_chosen, self._is_left = method_choices(), False, False
        self._later = qt.QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(_PREVIEW_AFTER_MS)
        self._later.connect("timeout()", self._show_preview)
        set_choices(ui.thresholdMethodBox, [(choice.title, key) for key, choice in self._methods.items()])
        ui.thresholdImageSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.slot(self._on_image))
        ui.thresholdMethodBox.connect("currentIndexChanged(int)", self.slot(lambda _index: self._on_method()))
        ui.thresholdSlider.connect("valueChanged(double)", self.slot(lambda _value: self._changed()))
        for box in (ui.minimumVolumeBox, ui.resolutionBox):
            box.connect("valueChanged(double)", self.slot(lambda _value: self._changed()))
        for box in (ui.withinLiverBox, ui.previewBox):
            box.connect("toggled(bool)", self.slot(lambda _on: self._changed()))
        ui.thresholdToolButton.connect("contentsCollapsed(bool)", self.slot(lambda _collapsed: self._changed()))
        ui.addTumorsButton.connect("clicked(bool)", self.slot(lambda _on: self._add()))
        self._on_method()

    def show(self, parameters: PlannerParameters) -> None:
        if not self._is_chosen:
            self.ui.thresholdImageSelector.setCurrentNode(parameters.scout)
        self.ui.withinLiverBox.enabled = Role.LIVER in parameters.roles.values()
        self._set_range()
        self._changed()

    def on_event(self, event: Event) -> None:
        if event is Event.CASE:  # liver or image may have been changed
            self._changed()

    def enter(self) -> None:
        self._is_left = False
        self._changed()

    def leave(self) -> None:
        self._is_left = True
        self._later.stop()
        self.desk.forget()
        self._show_told()

    def cleanup(self) -> None:
        self.leave()

    # -- what the user does -------------------------------------------------------------------------------------

    def _on_image(self, _node: slicer.vtkMRMLNode | None) -> None:
        self._is_chosen = True
        self._set_range()
        self._changed()

    def _on_method(self) -> None:
        """Offer the number that the method takes, at its default."""
        with self.showing():
            self._set_range()
            slider, default = self.ui.thresholdSlider, self._method.default
            slider.value = 0.5 * slider.maximum if default is None else default
        self._changed()

    def _add(self) -> None:
        self._later.stop()
        self.ui.previewBox.checked = False
        self.desk.add(self._request())
        self._later.stop()  # the new segments are no reason for a preview
        self._show_told()

    def _changed(self) -> None:
        """Let the preview follow in a moment, or end it where none is wanted."""
        ui = self.ui
        lacking = "" if self._image is not None else _("Choose a SPECT or PET image first.")
        set_ready(ui.addTumorsButton, lacking, _("Adds what is found as new segments with the role tumor."))
        if self._is_left or lacking or ui.thresholdToolButton.collapsed or not ui.previewBox.checked:
            self._later.stop()
            if self.desk.preview is not None:
                self.desk.end()
                self._show_told()
        else:
            self._later.start()

    # -- what is shown ------------------------------------------------------------------------------------------

    @property
    def _image(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        return self.ui.thresholdImageSelector.currentNode()

    @property
    def _method(self) -> MethodChoice:
        return self._methods[self.ui.thresholdMethodBox.currentData]

    def _request(self) -> ThresholdRequest:
        ui = self.ui
        if self._image is None:
            raise InputError(_("Choose a SPECT or PET image first."))
        return ThresholdRequest(
            self._image,
            self._method.make(float(ui.thresholdSlider.value)),
            within_liver=bool(ui.withinLiverBox.enabled and ui.withinLiverBox.checked),
            minimum_ml=float(ui.minimumVolumeBox.value),
            resolution_mm=float(ui.resolutionBox.value),
        )

    def _show_preview(self) -> None:
        """Show what is found; what cannot be found is told here, not as a failure of the session."""
        try:
            self.desk.show(self._request())
        except PlannerError as error:
            self.desk.told = str(error)
        self._show_told()

    def _set_range(self) -> None:
        """Give the slider the range of the method, which for a fixed value is that of the image."""
        slider, method = self.ui.thresholdSlider, self._method
        highest = method.high if method.high is not None else self._highest()
        with self.showing():
            slider.enabled = method.takes_number
            slider.decimals = max(0, 2 - math.floor(math.log10(highest)))
            slider.minimum, slider.maximum = method.low, highest
            slider.singleStep, slider.suffix = (highest - method.low) / _STEPS, method.unit

    def _highest(self) -> float:
        """Return the highest value of the image, 1 without one."""
        data = None if self._image is None else self._image.GetImageData()
        return 1.0 if data is None else max(float(data.GetScalarRange()[1]), 1e-6)

    def _show_told(self) -> None:
        self.ui.thresholdLabel.text = self.desk.told
        self.ui.thresholdLabel.visible = bool(self.desk.told)
