"""Section 2: which segment is what."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from radioembolization.structures import Role
from RadioembolizationPlannerLib.neighbours import open_module
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.roles import proposed_roles
from RadioembolizationPlannerLib.sections.checks import ChecksSection
from RadioembolizationPlannerLib.sections.registration_tool import RegistrationToolSection
from RadioembolizationPlannerLib.sections.section import Section, choose, number_of, set_choices, set_number
from RadioembolizationPlannerLib.sections.structure_tools import StructureToolsSection
from RadioembolizationPlannerLib.sections.table import Table
from RadioembolizationPlannerLib.sections.threshold_tool import ThresholdToolSection

_NO_ROLE = ""


class StructuresSection(Section):
    """The segmentation and the role of every segment."""

    name = "StructuresSection"
    shows = ("segmentation", "roles", "lung_mass_kg", "lung_mass_assumed")
    part_types = (StructureToolsSection, ThresholdToolSection, RegistrationToolSection, ChecksSection)

    def set_up(self) -> None:
        self._table = Table(self.ui.rolesTable, [_("Segment"), _("Role")])
        ui = self.ui
        ui.segmentationSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.slot(self._on_segmentation))
        ui.editorButton.connect("clicked(bool)", self.slot(self._on_editor))
        ui.guessButton.connect("clicked(bool)", self.slot(self._on_guess))
        ui.lungMassBox.connect(
            "valueChanged(double)", self.slot(lambda _v: self.change(lung_mass_kg=number_of(ui.lungMassBox)))
        )
        ui.lungMassAssumedBox.connect("toggled(bool)", self.slot(lambda on: self.change(lung_mass_assumed=bool(on))))

    def show(self, parameters: PlannerParameters) -> None:
        node = parameters.segmentation
        self.ui.segmentationSelector.setCurrentNode(node)
        self.ui.editorButton.enabled = node is not None
        self.ui.guessButton.enabled = node is not None
        set_number(self.ui.lungMassBox, parameters.lung_mass_kg)
        self.ui.lungMassAssumedBox.checked = parameters.lung_mass_assumed
        self.ui.lungMassAssumedBox.enabled = parameters.lung_mass_kg is not None
        segments = [] if node is None else list(node.GetSegmentation().GetSegmentIDs())
        self._table.set_rows(len(segments))
        for row, segment_id in enumerate(segments):
            self._table.set_text(row, 0, node.GetSegmentation().GetSegment(segment_id).GetName())
            box = self._table.widget(row, 1, self._role_box)
            box.setProperty("segmentId", segment_id)
            choose(box, str(parameters.roles.get(segment_id, _NO_ROLE)))

    def _role_box(self) -> qt.QComboBox:
        box = qt.QComboBox()
        box.toolTip = _("Role of the segment in the plan.")
        set_choices(
            box,
            [
                (_("none"), _NO_ROLE),
                (_("liver"), str(Role.LIVER)),
                (_("tumor"), str(Role.TUMOUR)),
                (_("lungs"), str(Role.LUNGS)),
                (_("other organ"), str(Role.ORGAN)),
            ],
        )
        box.connect("currentIndexChanged(int)", self.slot(lambda _index: self._on_role(box)))
        return box

    def _on_role(self, box: qt.QComboBox) -> None:
        if self._showing:
            return
        roles = dict(self.session.parameters.roles)
        segment_id, role = box.property("segmentId"), box.currentData
        roles.pop(segment_id, None)
        self.change(roles=roles if role == _NO_ROLE else {**roles, segment_id: Role(role)})

    def _on_segmentation(self, node: slicer.vtkMRMLNode | None) -> None:
        """Take a segmentation; roles of another one are forgotten, those of this one proposed."""
        if self._showing or node is self.session.parameters.segmentation:
            return
        self.change(segmentation=node, roles={} if node is None else proposed_roles(node, {}))

    def _on_guess(self, _checked: bool = False) -> None:
        parameters = self.session.parameters
        if parameters.segmentation is not None:
            self.change(roles=proposed_roles(parameters.segmentation, parameters.roles))

    def _on_editor(self, _checked: bool = False) -> None:
        self.attempt(self._open_editor)

    def _open_editor(self) -> None:
        open_module("SegmentEditor")
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        editor.setSegmentationNode(self.session.parameters.segmentation)
