"""Module of 3D Slicer for planning hepatic radioembolization: connects the panel, the scene and the core."""

import logging
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from radioembolization.treatment import Treatment, plan_treatment, prepare
from RadioembolizationPlannerLib.dependencies import ensure_packages, missing_packages
from RadioembolizationPlannerLib.publish import PlanNodes, publish_case, publish_treatment
from RadioembolizationPlannerLib.scene import CaseNodes, read_again

REQUIREMENTS = Path(__file__).parent / "Resources" / "requirements.txt"


#
# RadioembolizationPlanner
#


class RadioembolizationPlanner(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Radioembolization Planner")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Nuclear Medicine")]
        self.parent.dependencies = []
        self.parent.contributors = ["The RadioembolizationPlanner contributors"]
        self.parent.helpText = _(
            "Chooses injection sites and activities of a hepatic radioembolization that give the tumors the highest "
            "dose within the limits of normal liver and lungs. Research use only; not a medical device. See the "
            '<a href="https://github.com/RadioembolizationPlanner/SlicerRadioembolizationPlanner">documentation</a>.'
        )
        self.parent.acknowledgementText = _(
            "Built on 3D Slicer, SimpleITK, NumPy and SciPy; plans are found with CVXPY and HiGHS."
        )


#
# RadioembolizationPlannerWidget
#


class RadioembolizationPlannerWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: calls the logic and shows what came of it."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None

    def setup(self):
        """Build the panel when the module is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/RadioembolizationPlanner.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = RadioembolizationPlannerLogic()
        self.addObserver(slicer.mrmlScene, slicer.vtkMRMLScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.planButton.connect("clicked(bool)", self.onPlanButton)

    def cleanup(self):
        """Stop observing when the panel is destroyed."""
        self.removeObservers()

    def onSceneEndClose(self, caller, event):
        """Forget the plan whose nodes have gone."""
        self.ui.statusLabel.text = ""

    def onPlanButton(self, checked=False):
        """Plan the synthetic patient and show its dose over its image."""
        self.ui.statusLabel.text = ""
        with slicer.util.tryWithErrorDisplay(_("The packages of the planner are not available.")):
            ensure_packages(REQUIREMENTS, _("Radioembolization Planner"))
        with slicer.util.tryWithErrorDisplay(_("The plan could not be made."), waitCursor=True):
            caseNodes, planNodes, treatment = self.logic.planSyntheticPatient()
            background = caseNodes.ct or caseNodes.scout
            slicer.util.setSliceViewerLayers(background, planNodes.dose, foregroundOpacity=0.4, fit=True)
            self.ui.statusLabel.text = self.logic.summary(treatment)


#
# RadioembolizationPlannerLogic
#


class RadioembolizationPlannerLogic(ScriptedLoadableModuleLogic):
    """What the module does, without its panel; see ``RadioembolizationPlannerLib`` and ``radioembolization``."""

    def planSyntheticPatient(self, seed=1, spacingMm=3.0) -> tuple[CaseNodes, PlanNodes, Treatment]:
        """Put the embedded synthetic patient into the scene, plan it from its nodes, publish the plan.

        Parameters
        ----------
        seed : int
        spacingMm : float
            Voxel size of the images [mm].
        """
        from radioembolization.phantom import synthetic_case

        inputs = synthetic_case(seed=seed, spacing_mm=spacingMm)
        caseNodes = publish_case(slicer.mrmlScene, inputs)
        treatment = plan_treatment(prepare(read_again(inputs, caseNodes)))
        planNodes = publish_treatment(slicer.mrmlScene, treatment)
        logging.info("Planned '%s': %s", inputs.name, treatment.plan.explanation[0])
        return caseNodes, planNodes, treatment

    def summary(self, treatment) -> str:
        """Return a few lines on a plan for the panel."""
        heading = _("Plan of '{name}'. Research use only; not a medical device.").format(name=treatment.case.name)
        notices = _("Notices: {count}, see the table of notices.").format(count=len(treatment.notices))
        lines = [heading, *treatment.plan.explanation, notices]
        return "\n".join(lines)


#
# RadioembolizationPlannerTest
#


class RadioembolizationPlannerTest(ScriptedLoadableModuleTest):
    """Tests that run inside Slicer; each ``test_`` method stands alone."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def test_syntheticPatient(self):
        """The dose in the scene is that of the plan, and every tumor receives some."""
        missing = missing_packages(REQUIREMENTS)
        if missing:
            self.skipTest(f"Python packages are not installed: {', '.join(missing)}")
        _case, nodes, treatment = RadioembolizationPlannerLogic().planSyntheticPatient(spacingMm=5.0)
        self.assertEqual(nodes.dose.GetVoxelValueUnits().GetCodeValue(), "Gy")
        self.assertAlmostEqual(
            float(slicer.util.arrayFromVolume(nodes.dose).max()), float(treatment.dose.array.max()), places=3
        )
        self.assertGreater(treatment.plan.goal.value, 0.0)
