"""Section 1: images, microspheres, grid."""

from __future__ import annotations

from slicer.i18n import tr as _

from radioembolization.dose import Method
from radioembolization.physics import Convention
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.section import Section, choose, set_choices
from RadioembolizationPlannerLib.synthetic import load_synthetic_patient


class CaseSection(Section):
    """Images, microspheres and grid of the case."""

    name = "CaseSection"
    shows = ("case_name", "scout", "ct", "device", "convention", "method", "spacing_mm", "liver_density_g_per_cm3")

    def set_up(self) -> None:
        set_choices(
            self.ui.deviceBox,
            [(_("90Y resin"), "resin"), (_("90Y glass"), "glass"), (_("166Ho"), "holmium")],
        )
        set_choices(
            self.ui.conventionBox,
            [
                (_("clinical energy"), str(Convention.CLINICAL)),
                (_("ICRP-107 energy"), str(Convention.ICRP107)),
                (_("vendor's energy"), str(Convention.VENDOR)),
            ],
        )
        set_choices(
            self.ui.methodBox,
            [
                (_("dose kernel"), str(Method.FFT)),
                (_("dose kernel with density"), str(Method.DENSITY)),
                (_("local deposition"), str(Method.LOCAL)),
            ],
        )
        ui = self.ui
        ui.caseNameEdit.connect("editingFinished()", self.slot(self._on_name))
        ui.scoutSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.slot(lambda node: self.change(scout=node)))
        ui.ctSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.slot(lambda node: self.change(ct=node)))
        ui.deviceBox.connect("currentIndexChanged(int)", self.slot(self._on_device))
        ui.conventionBox.connect("currentIndexChanged(int)", self.slot(self._on_convention))
        ui.methodBox.connect("currentIndexChanged(int)", self.slot(self._on_method))
        ui.spacingBox.connect("valueChanged(double)", self.slot(lambda value: self.change(spacing_mm=float(value))))
        ui.densityBox.connect(
            "valueChanged(double)", self.slot(lambda value: self.change(liver_density_g_per_cm3=float(value)))
        )
        ui.syntheticButton.connect("clicked(bool)", self.slot(self._on_synthetic))

    def show(self, parameters: PlannerParameters) -> None:
        ui = self.ui
        ui.caseNameEdit.text = parameters.case_name
        ui.scoutSelector.setCurrentNode(parameters.scout)
        ui.ctSelector.setCurrentNode(parameters.ct)
        choose(ui.deviceBox, parameters.device)
        choose(ui.conventionBox, parameters.convention)
        choose(ui.methodBox, parameters.method)
        ui.spacingBox.value = parameters.spacing_mm
        ui.densityBox.value = parameters.liver_density_g_per_cm3

    def _on_name(self) -> None:
        self.change(case_name=self.ui.caseNameEdit.text.strip() or "case")

    def _on_device(self, _index: int) -> None:
        """Take the preset of the same intent for the new device, or none; own limits are kept only with a preset."""
        if self._showing:
            return
        device, before = self.ui.deviceBox.currentData, self.session.parameters
        if device == before.device:
            return
        self.change(device=device, preset="", limits=(), convention=str(Convention.CLINICAL))
        self.session.say(_("The limits of the other device were taken out: choose a preset in section Prescription."))

    def _on_convention(self, _index: int) -> None:
        self.change(convention=self.ui.conventionBox.currentData)

    def _on_method(self, _index: int) -> None:
        self.change(method=self.ui.methodBox.currentData)

    def _on_synthetic(self, _checked: bool = False) -> None:
        self.attempt(lambda: load_synthetic_patient(self.session))
