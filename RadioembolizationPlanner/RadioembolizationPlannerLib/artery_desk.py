"""What is done in a session to obtain an arterial tree: extracted from what the scene holds, or grown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from radioembolization.territories.arteries import ArterialTree
from RadioembolizationPlannerLib import artery_task
from RadioembolizationPlannerLib.arteries import publish_tree, remove_tree
from RadioembolizationPlannerLib.artery_sources import (
    Joining,
    curves_request,
    mask_request,
    model_request,
    tree_in_model,
)
from RadioembolizationPlannerLib.artery_words import tree_text, warning_lines

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession


class ArteryDesk:
    """Makes the arterial tree of the case, in place of the one that is there.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        #: What came of the last action, for people.
        self.told = ""

    def from_segment(self, segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str, joining: Joining) -> None:
        """Start extracting the tree of a vessel segment; errors as of ``mask_from_segment``."""
        self._start(artery_task.tree_of_mask, mask_request(segmentation, segment_id, joining))

    def from_model(self, model: slicer.vtkMRMLModelNode, joining: Joining) -> None:
        """Take the tree that a model holds, or start joining its centerlines; errors as of ``model_request``."""
        tree = tree_in_model(model) if joining.root_lps_mm is None else None
        if tree is not None:
            self._take(artery_task.FoundTree(tree, ()))
        else:
            self._start(artery_task.tree_of_vessels, model_request(model, joining))

    def from_curves(self, curves: Sequence[slicer.vtkMRMLMarkupsCurveNode], joining: Joining) -> None:
        """Start joining curves; errors as of ``curves_request``."""
        self._start(artery_task.tree_of_vessels, curves_request(curves, joining))

    def grow(self, seed: int, terminals: int, inlet_lps_mm: artery_task.Position | None = None) -> None:
        """Start growing a synthetic tree in the liver of the case; errors as of ``PlanningSession.drawn``."""
        spacing = (self._session.parameters.spacing_mm,) * 3
        request = artery_task.GrowRequest(self._session.drawn().structures, spacing, seed, terminals, inlet_lps_mm)
        self._start(artery_task.grown_tree, request, _("Growing arteries"))

    def take(self, tree: ArterialTree) -> None:
        """Take a tree that a program has; for scripts."""
        self._take(artery_task.FoundTree(tree, ()))

    def _start(self, task: Callable[..., Any], request: object, what: str = "") -> None:
        self._session.start(task, request, what or _("Extracting the arteries"), self._take)
        self.told = ""

    def _take(self, found: artery_task.FoundTree) -> None:
        session = self._session
        before, name = session.parameters.arteries, f"{session.parameters.case_name}: arteries"
        self.told = "\n".join([tree_text(found.tree), *warning_lines(found.notices)])
        session.change(arteries=publish_tree(session.scene, found.tree, found.notices, name))
        if before is not None:
            remove_tree(session.scene, before)
        logging.info("%s", self.told)
        session.say(self.told)
