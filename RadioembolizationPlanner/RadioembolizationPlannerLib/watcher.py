"""Follows the scene: parameters are shown at once, changed inputs are read a moment after the last change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import slicer
import vtk
from slicer.util import VTKObservationMixin

from radioembolization.errors import PlannerError
from RadioembolizationPlannerLib.arteries import model_of

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession

#: Inputs are read again this long after the last change [ms].
READ_AFTER_MS = 500


class Watcher(VTKObservationMixin):
    """Observes the parameter node and the nodes it names.

    Parameters
    ----------
    session : PlanningSession
    parameters_modified : callable
        Called when the parameters have changed; with ``everything=True`` when what they name has.
    """

    def __init__(self, session: PlanningSession, parameters_modified: Callable[..., None]) -> None:
        import qt

        VTKObservationMixin.__init__(self)
        self._session, self._parameters_modified = session, parameters_modified
        self._node: slicer.vtkMRMLScriptedModuleNode | None = None
        self._inputs: tuple[slicer.vtkMRMLNode | None, ...] = ()
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(READ_AFTER_MS)
        self._timer.connect("timeout()", self.read_now)

    def follow(self, node: slicer.vtkMRMLScriptedModuleNode) -> None:
        """Observe a parameter node and its inputs instead of any other."""
        self.stop()
        self._node = node
        self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._on_parameters)
        self._follow_inputs()
        self._timer.start()

    def stop(self) -> None:
        """Observe nothing."""
        self._timer.stop()
        self.removeObservers()
        self._node, self._inputs = None, ()

    def read_now(self) -> None:
        """Compare the inputs with those of doses and plans."""
        self._session.refresh()

    def _on_parameters(self, _caller: object, _event: object) -> None:
        self._follow_inputs()
        self._parameters_modified()
        self._timer.start()

    def _on_input(self, _caller: object, _event: object) -> None:
        self._timer.start()

    def _on_segments(self, _caller: object, _event: object) -> None:
        """Segments were added, removed or renamed: tables that list them are shown anew."""
        self._parameters_modified(everything=True)
        self._timer.start()

    def _follow_inputs(self) -> None:
        try:
            parameters = self._session.parameters
        except PlannerError:
            return
        of_tree = (parameters.arteries, model_of(parameters.arteries), parameters.territories, parameters.artery_points)
        inputs = (parameters.scout, parameters.ct, parameters.segmentation, parameters.site_points, *of_tree)
        if inputs == self._inputs:
            return
        self.removeObservers(self._on_input)
        self.removeObservers(self._on_segments)
        self._inputs = inputs
        for node in inputs:
            if node is not None:
                self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._on_input)
                self.addObserver(node, slicer.vtkMRMLTransformableNode.TransformModifiedEvent, self._on_input)
        for node in inputs[:2]:
            if node is not None:
                self.addObserver(node, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent, self._on_input)
        for node in filter(None, (parameters.segmentation, parameters.territories)):
            for event in (
                slicer.vtkSegmentation.SourceRepresentationModified,
                slicer.vtkSegmentation.RepresentationModified,
            ):
                self.addObserver(node.GetSegmentation(), event, self._on_input)
        if parameters.segmentation is not None:
            segmentation = parameters.segmentation.GetSegmentation()
            for event in (
                slicer.vtkSegmentation.SegmentAdded,
                slicer.vtkSegmentation.SegmentRemoved,
                slicer.vtkSegmentation.SegmentModified,
            ):
                self.addObserver(segmentation, event, self._on_segments)
        for points in filter(None, (parameters.site_points, parameters.artery_points)):
            for event in (
                slicer.vtkMRMLMarkupsNode.PointModifiedEvent,
                slicer.vtkMRMLMarkupsNode.PointAddedEvent,
                slicer.vtkMRMLMarkupsNode.PointRemovedEvent,
            ):
                self.addObserver(points, event, self._on_input)
