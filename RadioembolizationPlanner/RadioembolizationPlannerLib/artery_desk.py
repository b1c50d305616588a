"""What is done in a session to obtain an arterial tree: extracted from what the scene holds, or grown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from radioembolization.territories.arteries import ArterialTree
from RadioembolizationPlannerLib import artery_task
from RadioembolizationPlannerLib.arteries import TREES, publish_tree, remove_tree, tree_of
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

    def from_node(self, node: slicer.vtkMRMLTextNode) -> None:
        """Take a tree that is in the scene, such as one of sample data, as it is; errors as of ``tree_of``."""
        self._use(node, artery_task.FoundTree(tree_of(node), TREES.read(node).notices))

    def _start(self, task: Callable[..., Any], request: object, what: str = "") -> None:
        self._session.start(task, request, what or _("Extracting the arteries"), self._take)
        self.told = ""

    def _take(self, found: artery_task.FoundTree) -> None:
        name = f"{self._session.parameters.case_name}: arteries"
        self._use(publish_tree(self._session.scene, found.tree, found.notices, name), found)

    def _use(self, node: slicer.vtkMRMLTextNode, found: artery_task.FoundTree) -> None:
        session = self._session
        before = session.parameters.arteries
        self.told = "\n".join([tree_text(found.tree), *warning_lines(found.notices)])
        session.change(arteries=node)
        if before is not None and before is not node:
            remove_tree(session.scene, before)
        logging.info("%s", self.told)
        session.say(self.told)
