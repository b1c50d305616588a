"""A case of the core as nodes of a scene: images, dose, structures, perfused volumes, sites."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import slicer

from radioembolization.errors import TerritoryError
from radioembolization.images import Volume
from radioembolization.structures import Role
from radioembolization.treatment import CaseInputs, SourceSite
from RadioembolizationPlannerLib.arteries import publish_tree
from RadioembolizationPlannerLib.geometry import ijk_to_ras_from_grid
from RadioembolizationPlannerLib.points import add_point, new_points
from RadioembolizationPlannerLib.scene import CaseNodes, SiteSegment
from RadioembolizationPlannerLib.segments import segment_from_mask, set_reference_geometry
from RadioembolizationPlannerLib.tables import RESEARCH_USE

STRUCTURE_COLORS = {
    Role.LIVER: (0.87, 0.45, 0.35),
    Role.NORMAL_LIVER: (0.80, 0.55, 0.45),
    Role.TUMOUR: (0.95, 0.90, 0.20),
    Role.LUNGS: (0.60, 0.75, 0.90),
    Role.ORGAN: (0.50, 0.75, 0.40),
}
#: In 3D, so that tumors and isodoses are seen through the liver.
_LIVER_OPACITY = 0.2
#: Attribute of images and segmentations that the program made up.
_SYNTHETIC = "RadioembolizationPlanner.Synthetic"
_PERFUSED_COLOR = (0.45, 0.65, 0.95)


def publish_case(scene: slicer.vtkMRMLScene, inputs: CaseInputs) -> CaseNodes:
    """Put the images, structures, perfused volumes, catheter tips and arteries of a case into a scene.

    Raises
    ------
    TerritoryError
        If a site has what no segment can hold.
    """
    _refuse_more_than_segments(inputs.sites)
    scout = None if inputs.scout is None else publish_volume(scene, inputs.scout, f"{inputs.name}: scout")
    ct = None if inputs.ct is None else publish_volume(scene, inputs.ct, f"{inputs.name}: CT")
    segmentation, roles, sites = _publish_segments(scene, inputs)
    for volume, node in ((inputs.ct, ct), (inputs.scout, scout)):
        if volume is not None and volume.grid == inputs.structures[0].source.grid:
            segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
            break
    for node in (scout, ct, segmentation):
        if node is not None and inputs.synthetic:
            node.SetAttribute(_SYNTHETIC, "1")
    points = new_points(scene, f"{inputs.name}: candidate sites")
    for site in inputs.sites:
        if site.position_lps_mm is not None:
            add_point(points, site.position_lps_mm, site.name)
    arteries = None
    if inputs.arteries is not None:
        came_with = tuple(site.segment_id for site in sites)
        arteries = publish_tree(scene, inputs.arteries, (), f"{inputs.name}: arteries", came_with)
    return CaseNodes(segmentation, roles, sites, scout, ct, points, arteries)


def _refuse_more_than_segments(sites: Sequence[SourceSite]) -> None:
    """Refuse sites that are more than a segment; the scene keeps that only of sites that its own tree offers."""
    for site in sites:
        more = [
            *(["a blood flow"] if site.supply is not None else []),
            *(["a scout"] if site.scout is not None else []),
            *(["an outflow"] if site.outflow else []),
            *(["an upstream site"] if site.upstream else []),
        ]
        if more:
            raise TerritoryError(
                f"Site '{site.name}' has {' and '.join(more)} of its own, which a segment of "
                "the scene cannot hold: publish the case without such sites, and let the arteries in the scene offer "
                "theirs (Offer sites)."
            )


def is_synthetic(node: slicer.vtkMRMLNode | None) -> bool:
    """Return whether a node was made by the program, for a patient who does not exist."""
    return node is not None and bool(node.GetAttribute(_SYNTHETIC))


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

    roles = {add(segment_from_mask(s.name, s.source, STRUCTURE_COLORS[s.role])): s.role for s in inputs.structures}
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
    _show_outlines(
        node, [site.segment_id for site in sites], [key for key, role in roles.items() if role is Role.LIVER]
    )
    return node, roles, sites


def _show_outlines(node: slicer.vtkMRMLSegmentationNode, perfused: list[str], livers: list[str]) -> None:
    """Show structures as outlines, so that dose is seen in them, and hide perfused volumes, which overlap."""
    display = node.GetDisplayNode()
    display.SetOpacity2DFill(0.0)
    for segment_id in perfused:
        display.SetSegmentVisibility(segment_id, False)
    for segment_id in livers:
        display.SetSegmentOpacity3D(segment_id, _LIVER_OPACITY)


def _code(value: str, scheme: str, meaning: str) -> slicer.vtkCodedEntry:
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(value, scheme, meaning)
    return entry
