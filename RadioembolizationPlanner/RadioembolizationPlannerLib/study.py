"""The study of the subject hierarchy that holds plans and courses, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence

import slicer

STUDY = "Radioembolization plans"


def file_in_study(
    scene: slicer.vtkMRMLScene, main: slicer.vtkMRMLTextNode, others: Sequence[slicer.vtkMRMLNode]
) -> None:
    """Put a plan or course and its nodes into its folder, in the study that says the unit of dose.

    SlicerRT reads the unit from the study and compares it with ``GY``, in capitals.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.GetItemChildWithName(hierarchy.GetSceneItemID(), STUDY)
    if not study:
        study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), STUDY)
        hierarchy.SetItemAttribute(study, "DicomRtImport.DoseUnitName", "GY")
        hierarchy.SetItemAttribute(study, "DicomRtImport.DoseUnitValue", "1.0")
    item = hierarchy.GetItemByDataNode(main)
    folder = hierarchy.GetItemParent(item) if item else 0
    if not folder or hierarchy.GetItemParent(folder) != study:
        folder = hierarchy.CreateFolderItem(study, main.GetName())
    for node in (main, *others):
        item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(folder, node)
        hierarchy.SetItemParent(item, folder)
        hierarchy.RequestOwnerPluginSearch(item)
