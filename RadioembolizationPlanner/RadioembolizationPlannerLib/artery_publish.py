"""Sites of an arterial tree into a scene: territories as segments, blood flow, points, and rows of the site table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import slicer

from radioembolization.images import Unit, Volume
from radioembolization.territories import Pattern
from radioembolization.treatment import SourceSite
from RadioembolizationPlannerLib.artery_model import show_inside
from RadioembolizationPlannerLib.artery_record import (
    SEGMENT_PREFIX,
    SUPPLIES,
    SUPPLY_OF,
    TERRITORIES,
    PlacedPoint,
    SitesRecord,
    TreeSite,
    is_of_tree,
    placed,
    record_of,
)
from RadioembolizationPlannerLib.artery_task import FoundSites
from RadioembolizationPlannerLib.colors import Color, distinct_colors
from RadioembolizationPlannerLib.parameters import PlannerParameters, SiteParameters
from RadioembolizationPlannerLib.points import add_point, new_points
from RadioembolizationPlannerLib.publish import publish_volume
from RadioembolizationPlannerLib.segments import segment_from_mask, set_reference_geometry

_FILL_OPACITY, _SHELL_OPACITY = 0.25, 0.35
_POINT_COLOR, _POINT_SIZE, _TEXT_SIZE = (1.0, 0.85, 0.2), 2.0, 2.5


def publish_sites(
    scene: slicer.vtkMRMLScene,
    parameters: PlannerParameters,
    found: FoundSites,
    made_from: Mapping[str, str],
    points: Sequence[PlacedPoint] | None,
) -> dict[str, object]:
    """Put sites into a scene in place of those of a tree that were there; return the parameters that change.

    Parameters
    ----------
    scene : vtkMRMLScene
    parameters : PlannerParameters
    found : FoundSites
    made_from : mapping of str to str
        Digests of what the sites were made from.
    points : sequence of PlacedPoint, optional
        Those that the sites were made at; without them, the list of points is made anew.
    """
    before = record_of(parameters)
    name = f"{parameters.case_name}: territories of the arteries"
    node = parameters.territories or _new_segmentation(scene, name)
    list_of_points = parameters.artery_points or _new_points(scene, f"{parameters.case_name}: sites of the arteries")
    at = _offered(list_of_points, found.sites) if points is None else tuple(points)
    ids = {point.label: SEGMENT_PREFIX + point.key for point in at}
    record = _record(name, found, made_from, at, ids)
    sites = _rows(parameters, record, before, by_name=points is None)
    _fill(scene, node, found.sites, ids, distinct_colors(len(sites))[-len(found.sites) :])
    TERRITORIES.write(node, record)
    show_only_ends(node, record)
    return {"sites": sites, "territories": node, "artery_points": list_of_points}


def show_only_ends(node: slicer.vtkMRMLSegmentationNode, record: SitesRecord) -> None:
    """Show the territories that hold no other, which do not overlap."""
    above = {site.upstream for site in record.sites}
    for site in record.sites:
        node.GetDisplayNode().SetSegmentVisibility(site.segment_id, site.segment_id not in above)


def show_one(node: slicer.vtkMRMLSegmentationNode, record: SitesRecord, segment_id: str) -> None:
    """Show the territory of one site alone."""
    for site in record.sites:
        node.GetDisplayNode().SetSegmentVisibility(site.segment_id, site.segment_id == segment_id)


def _record(
    name: str, found: FoundSites, made_from: Mapping[str, str], at: Sequence[PlacedPoint], ids: Mapping[str, str]
) -> SitesRecord:
    return SitesRecord(
        name=name,
        made_from=dict(made_from),
        points={point.key: point.position_lps_mm for point in at},
        labels={point.key: point.label for point in at},
        sites=tuple(
            TreeSite(
                segment_id=ids[site.name],
                name=site.name,
                position_lps_mm=site.position_lps_mm,
                outflow=dict(site.outflow),
                upstream=ids.get(site.upstream, ""),
                liver_ml=reached.territory_ml,
                normal_liver_ml=reached.normal_liver_ml,
                tumor_ml=dict(reached.tumour_ml),
                tumor_share=dict(reached.tumour_share),
            )
            for site, reached in zip(found.sites, found.coverage, strict=True)
        ),
        organs=dict(found.organs),
        notices=found.notices,
        unreached_ml={tumour.tumour: tumour.unreached_ml for tumour in found.unreached},
        tumor_ml={tumour.tumour: tumour.volume_ml for tumour in found.unreached},
    )


def _fill(
    scene: slicer.vtkMRMLScene,
    node: slicer.vtkMRMLSegmentationNode,
    sites: Sequence[SourceSite],
    ids: Mapping[str, str],
    colors: Sequence[Color],
) -> None:
    """Put territories and blood flow of sites in place of what a segmentation holds."""
    segmentation = node.GetSegmentation()
    _remove_supplies(scene, node)
    with slicer.util.NodeModify(node):
        segmentation.RemoveAllSegments()
        node.SetAndObserveTransformNodeID(None)
        set_reference_geometry(node, sites[0].perfused.grid)
        for site, color in zip(sites, colors, strict=True):
            segmentation.AddSegment(segment_from_mask(site.name, site.perfused, color), ids[site.name])
    for site in sites:
        if site.supply is not None:
            flow = Volume(site.supply.array, site.supply.grid, Unit.RELATIVE_FLOW)
            volume = publish_volume(scene, flow, f"{node.GetName()}: blood flow of {site.name}")
            volume.SetHideFromEditors(True)
            volume.SetAttribute(SUPPLY_OF, ids[site.name])
            node.AddNodeReferenceID(SUPPLIES, volume.GetID())


def _remove_supplies(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLSegmentationNode) -> None:
    volumes = [node.GetNthNodeReference(SUPPLIES, i) for i in range(node.GetNumberOfNodeReferences(SUPPLIES))]
    node.RemoveNodeReferenceIDs(SUPPLIES)
    for volume in filter(None, volumes):
        scene.RemoveNode(volume)


def _offered(points: slicer.vtkMRMLMarkupsFiducialNode, sites: Sequence[SourceSite]) -> tuple[PlacedPoint, ...]:
    """Let a list hold a point for each site, and no others."""
    points.RemoveAllControlPoints()
    for site in sites:
        add_point(points, site.position_lps_mm, site.name)
    return placed(points)


def _new_points(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLMarkupsFiducialNode:
    points = new_points(scene, name)
    points.SetControlPointLabelFormat("new site %d")
    display = points.GetDisplayNode()
    display.SetSelectedColor(*_POINT_COLOR)
    display.SetGlyphScale(_POINT_SIZE)
    display.SetTextScale(_TEXT_SIZE)
    show_inside(display)
    return points


def _new_segmentation(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLSegmentationNode:
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    TERRITORIES.write(node, SitesRecord(name))
    display = node.GetDisplayNode()
    display.SetOpacity2DFill(_FILL_OPACITY)
    display.SetOpacity3D(_SHELL_OPACITY)
    return node


def _rows(
    parameters: PlannerParameters, record: SitesRecord, before: SitesRecord | None, *, by_name: bool
) -> tuple[SiteParameters, ...]:
    """Return the candidate sites of the case: those of no tree whose names are free, then those of the tree."""
    names = {site.name for site in record.sites}
    others = [site for site in parameters.sites if not is_of_tree(site) and site.name not in names]
    by_segment = {} if by_name else {site.segment_id: site for site in parameters.sites}
    known = {site.segment_id: by_segment.get(site.segment_id, parameters.site(site.name)) for site in record.sites}
    return (*others, *(_row(parameters, site, known[site.segment_id], before) for site in record.sites))


def _row(
    parameters: PlannerParameters, site: TreeSite, known: SiteParameters | None, before: SitesRecord | None
) -> SiteParameters:
    """Return a site with what the user has chosen for it; what flows to other organs unless typed over."""
    if known is None:
        pattern = Pattern.TUMOUR_TO_NORMAL if parameters.scout is None else Pattern.SCOUT
        return SiteParameters(site.name, site.segment_id, extrahepatic_share=site.leaving, pattern=str(pattern))
    earlier = None if before is None else before.site(known.segment_id)
    typed = earlier is not None and known.extrahepatic_share != earlier.leaving
    share = known.extrahepatic_share if typed else site.leaving
    return replace(known, name=site.name, segment_id=site.segment_id, extrahepatic_share=share, nearest_to="", among=())
