"""The arterial tree of a scene: a text node that holds it exactly, tied to the nodes that show it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import slicer

from radioembolization.errors import ImageError
from radioembolization.files.tree_file import tree_from_text, tree_to_text
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.treatment import Notice
from RadioembolizationPlannerLib.artery_model import new_model, new_names
from RadioembolizationPlannerLib.geometry import matrix_to_world
from RadioembolizationPlannerLib.records import RecordKind

#: References from the text node of a tree to the nodes that show it.
MODEL, NAMES = "arteriesModel", "arteriesNames"
_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class TreeRecord:
    """What is to be known of a tree besides itself.

    Parameters
    ----------
    name : str
        Of the node when it was made.
    notices : tuple of Notice
        What there was to warn of when it was made.
    came_with : tuple of str
        Segments of the perfused volumes that it came with, in a case that was made elsewhere.
    """

    name: str
    notices: tuple[Notice, ...] = ()
    came_with: tuple[str, ...] = ()


#: The text nodes that hold a tree.
TREES = RecordKind(
    "arterial tree",
    "RadioembolizationPlanner.Arteries",
    "RadioembolizationPlanner.ArteriesRecord",
    1,
    TreeRecord,
)


def publish_tree(
    scene: slicer.vtkMRMLScene,
    tree: ArterialTree,
    notices: tuple[Notice, ...],
    name: str,
    came_with: tuple[str, ...] = (),
) -> slicer.vtkMRMLTextNode:
    """Put a tree into a scene: the text node, tubes in a color for each artery, and their names."""
    node = TREES.new(scene, tree_to_text(tree), TreeRecord(name, notices, came_with))
    synthetic = " (synthetic)" if tree.synthetic else ""
    node.SetNodeReferenceID(MODEL, new_model(scene, tree, f"{name}{synthetic}").GetID())
    node.SetNodeReferenceID(NAMES, new_names(scene, tree, f"{name}: names").GetID())
    return node


def tree_of(node: slicer.vtkMRMLTextNode) -> ArterialTree:
    """Return the tree that a text node holds, where its model lies in the world.

    Raises
    ------
    InputError
        If the node holds none.
    ImageError
        If the model is under a transform that no matrix describes.
    """
    TREES.read(node)
    return _moved(tree_from_text(node.GetText() or "", node.GetName()), _matrix(node))


def tree_digest(node: slicer.vtkMRMLTextNode) -> str:
    """Return the SHA256 of a tree and of where it lies."""
    lies = np.round(_matrix(node), 9) + 0.0
    return hashlib.sha256((node.GetText() or "").encode("utf-8") + lies.tobytes()).hexdigest()


def model_of(node: slicer.vtkMRMLTextNode | None) -> slicer.vtkMRMLModelNode | None:
    """Return the model that shows a tree, if it is there."""
    return None if node is None else node.GetNodeReference(MODEL)


def names_of(node: slicer.vtkMRMLTextNode | None) -> slicer.vtkMRMLMarkupsFiducialNode | None:
    """Return the points that show the names of arteries, if they are there."""
    return None if node is None else node.GetNodeReference(NAMES)


def remove_tree(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLTextNode) -> None:
    """Take a tree and what shows it out of a scene."""
    for one in (model_of(node), names_of(node), node):
        if one is not None:
            scene.RemoveNode(one)


def _matrix(node: slicer.vtkMRMLTextNode) -> np.ndarray:
    model = model_of(node)
    return np.eye(4) if model is None else matrix_to_world(model)


def _moved(tree: ArterialTree, to_world: np.ndarray) -> ArterialTree:
    """Return a tree moved by a matrix of RAS (4, 4); radii grow as the cube root of volumes."""
    if np.array_equal(to_world, np.eye(4)):
        return tree
    matrix = _LPS @ to_world @ _LPS
    volume = float(np.linalg.det(matrix[:3, :3]))
    if not volume > 0.0:
        raise ImageError("The arterial tree is under a transform that mirrors or flattens it: take it out of it.")

    def moved(artery: Artery) -> Artery:
        points = artery.points_lps_mm @ matrix[:3, :3].T + matrix[:3, 3]
        return replace(artery, points_lps_mm=points, radius_mm=artery.radius_mm * np.cbrt(volume))

    return replace(tree, arteries=tuple(moved(artery) for artery in tree.arteries))
