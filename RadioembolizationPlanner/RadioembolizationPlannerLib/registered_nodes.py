"""Nodes brought to another image by a transform in the scene, and taken back; no voxel is resampled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import slicer

from radioembolization.images.transform import AffineTransform
from RadioembolizationPlannerLib.geometry import matrix_to_world, ras_from_lps

#: Which registrations of the scene belong together: a number that counts up.
_NUMBER = "RadioembolizationPlanner.Registration"
#: References from a transform to the nodes it moved, and to the transform they were under.
_MOVED, _BEFORE = "registrationMoved", "registrationBefore"


def move_nodes(
    scene: slicer.vtkMRMLScene,
    nodes: Sequence[slicer.vtkMRMLTransformableNode],
    transform: AffineTransform,
    name: str,
    told: str,
) -> list[slicer.vtkMRMLLinearTransformNode]:
    """Put nodes under new transforms that move them in the world; return these.

    A node that is under a transform already gets one that does both at once; nodes under the same one share it.

    Parameters
    ----------
    scene : vtkMRMLScene
    nodes : sequence of vtkMRMLTransformableNode
    transform : AffineTransform
        Of positions in the world (LPS), where the nodes lie now.
    name : str
        Of the transforms; a number is added where it is taken.
    told : str
        Kept with the transforms as their description.

    Raises
    ------
    ImageError
        If a node is under a transform that no matrix describes; nothing is changed then.
    """
    in_world = ras_from_lps(transform.matrix)
    matrices = [in_world @ matrix_to_world(node) for node in nodes]
    number, made = _last_number(scene) + 1, {}
    for node, matrix in zip(nodes, matrices, strict=True):
        before = node.GetParentTransformNode()
        if before not in made:
            made[before] = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", scene.GenerateUniqueName(name))
            made[before].SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
            made[before].SetAttribute(_NUMBER, str(number))
            made[before].SetDescription(told)
            if before is not None:
                made[before].SetNodeReferenceID(_BEFORE, before.GetID())
        made[before].AddNodeReferenceID(_MOVED, node.GetID())
        node.SetAndObserveTransformNodeID(made[before].GetID())
    return list(made.values())


def last_registration(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLLinearTransformNode]:
    """Return the transforms of the last registration in a scene; none if there is none."""
    number = _last_number(scene)
    return [node for node in _registrations(scene) if int(node.GetAttribute(_NUMBER)) == number]


def take_back(scene: slicer.vtkMRMLScene) -> list[str]:
    """Put the nodes of the last registration back under what they were under; return their names.

    Its transforms leave the scene, unless something else was put under them.  Nodes that were put elsewhere meanwhile
    stay there.
    """
    names = []
    for transform in last_registration(scene):
        before = transform.GetNodeReference(_BEFORE)
        for index in range(transform.GetNumberOfNodeReferences(_MOVED)):
            node = transform.GetNthNodeReference(_MOVED, index)
            if node is not None and node.GetParentTransformNode() is transform:
                node.SetAndObserveTransformNodeID(None if before is None else before.GetID())
                names.append(node.GetName())
        if _is_used(scene, transform):
            transform.RemoveAttribute(_NUMBER)
        else:
            scene.RemoveNode(transform)
    return names


def _registrations(scene: slicer.vtkMRMLScene) -> Iterator[slicer.vtkMRMLLinearTransformNode]:
    for node in _nodes(scene, "vtkMRMLLinearTransformNode"):
        if (node.GetAttribute(_NUMBER) or "").isdecimal():
            yield node


def _last_number(scene: slicer.vtkMRMLScene) -> int:
    return max((int(node.GetAttribute(_NUMBER)) for node in _registrations(scene)), default=0)


def _is_used(scene: slicer.vtkMRMLScene, transform: slicer.vtkMRMLLinearTransformNode) -> bool:
    return any(node.GetParentTransformNode() is transform for node in _nodes(scene, "vtkMRMLTransformableNode"))


def _nodes(scene: slicer.vtkMRMLScene, class_name: str) -> list[slicer.vtkMRMLNode]:
    return [scene.GetNthNodeByClass(i, class_name) for i in range(scene.GetNumberOfNodesByClass(class_name))]
