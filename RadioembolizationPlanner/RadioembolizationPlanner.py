"""Module of 3D Slicer for planning hepatic radioembolization: connects the panel, the scene and the core."""

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

from radioembolization.errors import PlannerError
from RadioembolizationPlannerLib.dependencies import ensure_packages, missing_packages
from RadioembolizationPlannerLib.layouts import register_layout
from RadioembolizationPlannerLib.parameters import ParameterStore
from RadioembolizationPlannerLib.runner import Runner, qt_timer
from RadioembolizationPlannerLib.sample_data import register
from RadioembolizationPlannerLib.session import PlanningSession
from RadioembolizationPlannerLib.watcher import Watcher

HOME = "https://github.com/RadioembolizationPlanner/SlicerRadioembolizationPlanner"
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
            "Plans hepatic radioembolization (90Y glass or resin, 166Ho). From a scout SPECT, segments of liver and "
            "tumors, and candidate injection sites with their perfused volumes, it computes the dose per GBq of every "
            "site and chooses the sites and activities that give the tumors the highest dose within the limits of "
            "normal liver and lungs. Each plan carries a bound that no other plan can beat, or says that it has none. "
            "Activities can also be moved by hand.<br><br>"
            "Start with the button <i>Load the synthetic patient</i>; buttons that are gray say in their tooltip what "
            "is missing.<br><br><b>Research use only; not a medical device.</b> "
            '<a href="{home}/blob/main/docs/tutorial.md">Tutorial</a>, '
            '<a href="{home}/blob/main/docs/slicer-module.md">every control</a>, <a href="{home}">source code</a>.'
        ).format(home=HOME)
        self.parent.acknowledgementText = _(
            "Built on 3D Slicer, SimpleITK, NumPy and SciPy; plans are found with CVXPY and HiGHS."
        )
        slicer.app.connect("startupCompleted()", register)


#
# RadioembolizationPlannerWidget
#


class RadioembolizationPlannerWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: its sections show the parameters and act on the session."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.session = None
        self.sections = []
        self.shown = None

    def setup(self):
        """Build the panel when the module is opened for the first time."""
        import qt

        from RadioembolizationPlannerLib.sections import SECTIONS

        ScriptedLoadableModuleWidget.setup(self)
        self.logic = RadioembolizationPlannerLogic()
        self.session = self.logic.newSession(makeTimer=qt_timer)
        self.watcher = Watcher(self.session, self.onParametersModified)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/RadioembolizationPlanner.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        register_layout(slicer.mrmlScene)  # a saved scene names the layout but does not describe it
        for section in SECTIONS:
            made = section(self.session, self.resourcePath)
            self.ui.sectionsArea.layout().addWidget(made.widget)
            self.sections.extend(made.with_parts())
        self.settled = qt.QTimer()
        self.settled.setSingleShot(True)
        self.settled.setInterval(0)
        self.settled.connect("timeout()", self.onNodesSettled)
        self.session.listen(self.onSessionEvent)
        scene = slicer.mrmlScene
        self.addObserver(scene, slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self.onNodesChange)
        self.addObserver(scene, slicer.vtkMRMLScene.StartImportEvent, self.onNodesChange)
        self.addObserver(scene, slicer.vtkMRMLScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, slicer.vtkMRMLScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, slicer.vtkMRMLScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self):
        """Stop observing and calculating when the panel is destroyed."""
        self.watcher.stop()
        for section in self.sections:
            section.cleanup()
        self.settled.stop()  # last, as sections take nodes out of the scene
        self.session.stop()
        self.removeObservers()

    def enter(self):
        """Follow the scene again when the module is opened."""
        for section in self.sections:
            section.enter()
        self.initializeParameterNode()

    def exit(self):
        """Leave the scene alone while another module is open; what is calculated goes on."""
        for section in self.sections:
            section.leave()
        self.watcher.stop()

    def initializeParameterNode(self):
        """Show the parameters of the scene, and follow them and the nodes they name."""
        self.watcher.follow(self.logic.getParameterNode())
        self.onParametersModified(everything=True)

    def onNodesChange(self, caller, event):
        """Take nothing for a choice of the user until selectors have settled on the nodes there are."""
        if not self.session.node_is_leaving:
            self.session.node_is_leaving = True
            self.settled.start()

    def onNodesSettled(self):
        """Show the nodes that are chosen, whatever the selectors turned to."""
        self.session.node_is_leaving = False
        self.onParametersModified(everything=True)

    def onSceneStartClose(self, caller, event):
        """Let go of everything that belongs to the scene."""
        for section in self.sections:
            section.leave()
            section.scene_closes()
        self.onNodesChange(caller, event)
        self.watcher.stop()
        self.session.scene_closes()

    def onSceneEndClose(self, caller, event):
        """Show an empty scene, if the module is open."""
        if self.parent.isEntered:
            self.enter()

    def onSceneEndImport(self, caller, event):
        """Show what a loaded scene holds, and check its plans."""
        self.initializeParameterNode()
        self.session.scene_loaded()

    def onParametersModified(self, everything=False):
        """Let every section show what has changed of the parameters, or everything they show."""
        try:
            parameters = self.session.parameters
        except PlannerError as error:
            self.session.say(str(error), failed=True)
            return
        before, self.shown = self.shown, parameters
        for section in self.sections:
            if everything or section.concerns(before, parameters):
                with section.showing():
                    section.attempt(lambda section=section: section.show(parameters))

    def onSessionEvent(self, event):
        """Let every section hear of something else."""
        for section in self.sections:
            with section.showing():
                section.on_event(event)


#
# RadioembolizationPlannerLogic
#


class RadioembolizationPlannerLogic(ScriptedLoadableModuleLogic):
    """What the module does, without its panel; see ``PlanningSession`` for everything that can be asked of it."""

    def newSession(self, makeTimer=None):
        """Return a planning session on the scene.

        Parameters
        ----------
        makeTimer : callable, optional
            Makes the timer by which calculations report; without it the caller polls ``session.runner``, or
            waits for it with ``session.runner.wait()``.
        """
        return PlanningSession(
            slicer.mrmlScene,
            lambda: ParameterStore(self.getParameterNode()),
            Runner(makeTimer),
            lambda: ensure_packages(REQUIREMENTS, _("Radioembolization Planner")),
            reports=None if makeTimer is None else Runner(makeTimer),
        )


#
# RadioembolizationPlannerTest
#


class RadioembolizationPlannerTest(ScriptedLoadableModuleTest):
    """Tests that run inside Slicer; each ``test_`` method stands alone."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def test_syntheticPatientByHand(self):
        """Without any solver: doses, activities by hand, a kept plan whose dose is in the scene."""
        session = self.sessionWithPatient()
        session.compute_doses()
        session.runner.wait(300.0)
        self.assertEqual(session.why_no_doses(), "")
        site = session.parameters.sites[0].name
        session.set_activities({site: 1.0})
        self.assertGreater(float(session.live_result.mean_gy.max()), 0.0)
        plan = session.keep_activities("by hand")
        dose = plan.GetNodeReference("planDose")
        self.assertEqual(dose.GetVoxelValueUnits().GetCodeValue(), "Gy")
        self.assertGreater(float(slicer.util.arrayFromVolume(dose).max()), 0.0)

    def test_syntheticPatientOptimized(self):
        """The optimal plan is in the scene, keeps its limits, and stands up to being checked."""
        missing = missing_packages(REQUIREMENTS)
        if missing:
            self.skipTest(f"Python packages are not installed: {', '.join(missing)}")
        session = self.sessionWithPatient()
        session.optimize()
        session.runner.wait(300.0)
        plan = session.parameters.shown_plan
        self.assertIsNotNone(plan, session.status.text)
        session.desk.certify(plan)
        session.runner.wait(300.0)
        self.assertFalse(session.status.failed, session.status.text)
        self.assertIn("stands", session.status.text)

    def sessionWithPatient(self):
        from RadioembolizationPlannerLib.synthetic import load_synthetic_patient

        session = RadioembolizationPlannerLogic().newSession()
        load_synthetic_patient(session, spacing_mm=5.0)
        return session
