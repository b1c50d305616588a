"""From MRML nodes to the types of the core; nodes are read and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import slicer
import vtk

from radioembolization.dose import DoseSettings
from radioembolization.errors import ImageError, TerritoryError
from radioembolization.images import Unit, Volume
from radioembolization.planning import Prescription
from radioembolization.structures import Role
from radioembolization.territories import Pattern
from radioembolization.treatment import CaseInputs, SourceSite
from RadioembolizationPlannerLib.geometry import Position, flipped, grid_from_ijk_to_ras, matrix_to_world
from RadioembolizationPlannerLib.segments import mask_from_segment, structures_from_node


@dataclass(frozen=True)
class SiteSegment:
    """A candidate injection site whose perfused volume is a segment; see ``SourceSite``.

    Parameters
    ----------
    name : str
    segment_id : str
        Segment of the perfused volume.
    lung_shunt : float
        Fraction of the injected activity that reaches the lungs.
    extrahepatic_share : float
    pattern : Pattern
    nearest_to : str
        Keep only the part of the perfused volume nearer to this structure than to ``among``.
    among : tuple of str
    """

    name: str
    segment_id: str
    lung_shunt: float
    extrahepatic_share: float = 0.0
    pattern: Pattern = Pattern.SCOUT
    nearest_to: str = ""
    among: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseNodes:
    """The nodes of a case, with what the scene itself does not say about them.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
        Holds structures and perfused volumes.
    roles : mapping of str to Role
        By segment ID; segments without a role are no structures.
    sites : tuple of SiteSegment
    scout, ct : vtkMRMLScalarVolumeNode, optional
        In counts and HU.
    site_points : vtkMRMLMarkupsNode, optional
        Catheter tips; labels are names of sites.
    arteries : vtkMRMLTextNode, optional
        The arterial tree.
    """

    segmentation: slicer.vtkMRMLSegmentationNode
    roles: Mapping[str, Role]
    sites: tuple[SiteSegment, ...]
    scout: slicer.vtkMRMLScalarVolumeNode | None = None
    ct: slicer.vtkMRMLScalarVolumeNode | None = None
    site_points: slicer.vtkMRMLMarkupsNode | None = None
    arteries: slicer.vtkMRMLTextNode | None = None


def case_from_nodes(
    nodes: CaseNodes, *, name: str, settings: DoseSettings, prescription: Prescription, **further: Any
) -> CaseInputs:
    """Return the case that nodes of a scene describe.

    Parameters
    ----------
    nodes : CaseNodes
    name : str
        Free name, printed in every output; do not use the patient's.
    settings : DoseSettings
    prescription : Prescription
    **further
        Other fields of ``CaseInputs``, such as ``lung_mass_kg`` or ``tumour_to_normal``.

    Raises
    ------
    InputError
        In one of its named forms, for a node that cannot be used.
    """
    positions = points_of_sites(nodes.site_points, [site.name for site in nodes.sites])
    return CaseInputs(
        name=name,
        settings=settings,
        structures=structures_from_node(nodes.segmentation, nodes.roles),
        sites=tuple(_source_site(site, nodes.segmentation, positions.get(site.name)) for site in nodes.sites),
        prescription=prescription,
        scout=None if nodes.scout is None else volume_from_node(nodes.scout, Unit.COUNTS),
        ct=None if nodes.ct is None else volume_from_node(nodes.ct, Unit.HU),
        **further,
    )


def read_again(inputs: CaseInputs, nodes: CaseNodes) -> CaseInputs:
    """Return a case with its images, structures and sites as the nodes now have them, all else kept."""
    spatial = ("scout", "ct", "structures", "sites")
    kept = {f.name: getattr(inputs, f.name) for f in fields(inputs) if f.name not in spatial}
    return case_from_nodes(nodes, **kept)


def volume_from_node(node: slicer.vtkMRMLScalarVolumeNode, unit: Unit) -> Volume:
    """Return the voxels (copied) and the placement of a volume node, its linear transforms applied.

    Raises
    ------
    ImageError
        If the node has no voxels or several values per voxel, or is sheared or under a non-linear transform.
    """
    image = node.GetImageData()
    if image is None or not image.GetNumberOfPoints():
        raise ImageError(f"Volume '{node.GetName()}' has no voxels: load the image, or choose another volume.")
    if image.GetNumberOfScalarComponents() != 1:
        raise ImageError(
            f"Volume '{node.GetName()}' has {image.GetNumberOfScalarComponents()} values per voxel: choose a "
            "volume of scalars."
        )
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    array = slicer.util.arrayFromVolume(node).copy()
    to_world = matrix_to_world(node) @ slicer.util.arrayFromVTKMatrix(matrix)
    return Volume(array, grid_from_ijk_to_ras(to_world, array.shape), unit)


def positions_from_node(points: slicer.vtkMRMLMarkupsNode) -> dict[str, Position]:
    """Return the LPS positions [mm] of the placed points of a markups node by label.

    Raises
    ------
    TerritoryError
        If two points share a label.
    """
    positions: dict[str, Position] = {}
    for index in range(points.GetNumberOfControlPoints()):
        if points.GetNthControlPointPositionStatus(index) != slicer.vtkMRMLMarkupsNode.PositionDefined:
            continue
        label = points.GetNthControlPointLabel(index)
        if label in positions:
            raise TerritoryError(f"Two points of '{points.GetName()}' are called '{label}': rename one.")
        positions[label] = flipped(points.GetNthControlPointPositionWorld(index))
    return positions


def points_of_sites(points: slicer.vtkMRMLMarkupsNode | None, names: Sequence[str]) -> dict[str, Position]:
    """Return the LPS positions [mm] of the sites that have a point; without a markups node, none has.

    Raises
    ------
    TerritoryError
        If two points share a label, or one belongs to no site.
    """
    positions = {} if points is None else positions_from_node(points)
    unknown = [label for label in positions if label not in names]
    if unknown:
        raise TerritoryError(
            f"Points {unknown} of '{points.GetName()}' belong to no candidate site ({', '.join(names)}): "
            "rename or delete them."
        )
    return positions


def _source_site(
    site: SiteSegment, segmentation: slicer.vtkMRMLSegmentationNode, position: Position | None
) -> SourceSite:
    return SourceSite(
        name=site.name,
        perfused=mask_from_segment(segmentation, site.segment_id),
        lung_shunt=site.lung_shunt,
        pattern=site.pattern,
        extrahepatic_share=site.extrahepatic_share,
        position_lps_mm=position,
        nearest_to=site.nearest_to,
        among=site.among,
    )
