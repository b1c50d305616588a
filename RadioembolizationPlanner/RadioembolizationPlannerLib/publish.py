"""From the types of the core to MRML nodes: a case into the scene, a plan out of the planner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk

from radioembolization.images import Volume
from radioembolization.structures import Role
from radioembolization.treatment import CaseInputs, Treatment
from RadioembolizationPlannerLib.geometry import Position, flipped, ijk_to_ras_from_grid
from RadioembolizationPlannerLib.scene import CaseNodes, SiteSegment
from RadioembolizationPlannerLib.segments import segment_from_mask, set_reference_geometry
from RadioembolizationPlannerLib.tables import (
    RESEARCH_USE,
    limit_columns,
    notice_columns,
    publish_table,
    site_columns,
    structure_columns,
)

_COLORS = {
    Role.LIVER: (0.87, 0.45, 0.35),
    Role.NORMAL_LIVER: (0.80, 0.55, 0.45),
    Role.TUMOUR: (0.95, 0.90, 0.20),
    Role.LUNGS: (0.60, 0.75, 0.90),
    Role.ORGAN: (0.50, 0.75, 0.40),
}
_PERFUSED_COLOR = (0.45, 0.65, 0.95)


@dataclass(frozen=True)
class PlanNodes:
    """The nodes of a planned treatment, all in one study of the subject hierarchy."""

    study_item: int
    dose: slicer.vtkMRMLScalarVolumeNode
    sites: slicer.vtkMRMLTableNode
    limits: slicer.vtkMRMLTableNode
    structures: slicer.vtkMRMLTableNode
    notices: slicer.vtkMRMLTableNode
    injections: slicer.vtkMRMLMarkupsFiducialNode


def publish_case(scene: slicer.vtkMRMLScene, inputs: CaseInputs) -> CaseNodes:
    """Put the images, structures, perfused volumes and catheter tips of a case into a scene."""
    scout = None if inputs.scout is None else publish_volume(scene, inputs.scout, f"{inputs.name}: scout")
    ct = None if inputs.ct is None else publish_volume(scene, inputs.ct, f"{inputs.name}: CT")
    segmentation, roles, sites = _publish_segments(scene, inputs)
    for volume, node in ((inputs.ct, ct), (inputs.scout, scout)):
        if volume is not None and volume.grid == inputs.structures[0].source.grid:
            segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
            break
    points = _points(scene, f"{inputs.name}: candidate sites")
    for site in inputs.sites:
        if site.position_lps_mm is not None:
            _add_point(points, site.position_lps_mm, site.name)
    return CaseNodes(segmentation, roles, sites, scout, ct, points)


def publish_treatment(scene: slicer.vtkMRMLScene, treatment: Treatment) -> PlanNodes:
    """Put the dose, the tables and the injections of a planned treatment into a scene, under one study."""
    name, plan = treatment.case.name, treatment.plan
    dose = publish_dose(scene, treatment.dose, f"{name}: dose")
    sites = publish_table(scene, f"{name}: injections", site_columns(plan))
    limits = publish_table(scene, f"{name}: limits", limit_columns(plan))
    structures = publish_table(scene, f"{name}: doses", structure_columns(plan))
    notices = publish_table(scene, f"{name}: notices", notice_columns(treatment.notices))
    injections = _publish_injections(scene, treatment)
    study = _dose_study(scene, f"{name}: plan", (dose, sites, limits, structures, notices, injections))
    return PlanNodes(study, dose, sites, limits, structures, notices, injections)


def publish_volume(scene: slicer.vtkMRMLScene, volume: Volume, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """Put an image into a scene."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijk_to_ras_from_grid(volume.grid)))
    array = volume.array
    if array.dtype in (np.bool_, np.int64, np.uint64):
        array = array.astype(np.int32)  # Slicer shows no volumes of bits or 64-bit integers
    slicer.util.updateVolumeFromArray(node, array)
    node.CreateDefaultDisplayNodes()
    return node


def publish_dose(scene: slicer.vtkMRMLScene, dose: Volume, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """Put an absorbed dose into a scene, marked so that Slicer and SlicerRT know quantity and unit."""
    node = publish_volume(scene, Volume(dose.array.astype(np.float32), dose.grid, dose.unit), name)
    node.SetAttribute("DicomRtImport.DoseVolume", "1")
    node.SetVoxelValueQuantity(_code("128513", "DCM", "Absorbed Radiation Dose"))
    node.SetVoxelValueUnits(_code("Gy", "UCUM", "Gray"))
    node.SetDescription(f"Absorbed dose of a radioembolization plan. {RESEARCH_USE}")
    return node


def _publish_segments(
    scene: slicer.vtkMRMLScene, inputs: CaseInputs
) -> tuple[slicer.vtkMRMLSegmentationNode, dict[str, Role], tuple[SiteSegment, ...]]:
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{inputs.name}: anatomy")
    node.CreateDefaultDisplayNodes()
    set_reference_geometry(node, inputs.structures[0].source.grid)

    def add(segment: slicer.vtkSegment) -> str:
        wanted = re.sub(r"\W+", "_", segment.GetName())
        segment_id = node.GetSegmentation().GenerateUniqueSegmentID(wanted)
        node.GetSegmentation().AddSegment(segment, segment_id)
        return segment_id

    roles = {add(segment_from_mask(s.name, s.source, _COLORS[s.role])): s.role for s in inputs.structures}
    sites = tuple(
        SiteSegment(
            name=site.name,
            segment_id=add(segment_from_mask(f"Perfused: {site.name}", site.perfused, _PERFUSED_COLOR)),
            lung_shunt=site.lung_shunt,
            extrahepatic_share=site.extrahepatic_share,
            pattern=site.pattern,
            nearest_to=site.nearest_to,
            among=site.among,
        )
        for site in inputs.sites
    )
    return node, roles, sites


def _publish_injections(scene: slicer.vtkMRMLScene, treatment: Treatment) -> slicer.vtkMRMLMarkupsFiducialNode:
    """Put the sites whose position is known into a scene; those without activity are not selected."""
    points = _points(scene, f"{treatment.case.name}: planned injections")
    for site, planned in zip(treatment.case.sites, treatment.plan.sites, strict=True):
        if site.position_lps_mm is not None:
            used = planned in treatment.plan.used_sites
            text = f"{planned.activity_gbq:.3g} GBq" if used else "not used"
            index = _add_point(points, site.position_lps_mm, site.name, text)
            points.SetNthControlPointSelected(index, used)
    points.SetDescription(RESEARCH_USE)
    return points


def _points(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLMarkupsFiducialNode:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    node.CreateDefaultDisplayNodes()
    return node


def _add_point(
    points: slicer.vtkMRMLMarkupsFiducialNode, position_lps_mm: Position, label: str, description: str = ""
) -> int:
    index = points.AddControlPoint(vtk.vtkVector3d(*flipped(position_lps_mm)), label)
    points.SetNthControlPointDescription(index, description)
    return index


def _dose_study(scene: slicer.vtkMRMLScene, name: str, nodes: Sequence[slicer.vtkMRMLNode]) -> int:
    """Return a study of the subject hierarchy that holds the nodes and says the unit of dose.

    SlicerRT reads the unit from the study and compares it with ``GY``, in capitals.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), name)
    hierarchy.SetItemAttribute(study, "DicomRtImport.DoseUnitName", "GY")
    hierarchy.SetItemAttribute(study, "DicomRtImport.DoseUnitValue", "1.0")
    for node in nodes:
        item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(study, node)
        hierarchy.SetItemParent(item, study)
        hierarchy.RequestOwnerPluginSearch(item)
    return study


def _code(value: str, scheme: str, meaning: str) -> slicer.vtkCodedEntry:
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(value, scheme, meaning)
    return entry
