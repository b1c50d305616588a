"""Sites of an arterial tree as a scene keeps them: what they were made from, and what has changed since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import slicer
from slicer.i18n import tr as _

from radioembolization.errors import TerritoryError
from radioembolization.structures import Role
from radioembolization.treatment import Notice, SourceStructure
from radioembolization.treatment.fingerprint import changed_parts, mask_digest
from RadioembolizationPlannerLib.arteries import tree_digest
from RadioembolizationPlannerLib.artery_task import Position
from RadioembolizationPlannerLib.geometry import flipped
from RadioembolizationPlannerLib.parameters import PlannerParameters, SiteParameters
from RadioembolizationPlannerLib.records import RecordKind
from RadioembolizationPlannerLib.stored_values import to_json

#: Segments of territories begin with this, so that they are not taken for those of the case.
SEGMENT_PREFIX = "RadioembolizationArteries_"
#: References from the segmentation of territories to the volumes of blood flow, and whose each is.
SUPPLIES, SUPPLY_OF = "arteriesSupply", "RadioembolizationPlanner.SupplyOf"
#: A point that was moved by less is where it was [mm].
_SAME_PLACE_MM = 0.01


@dataclass(frozen=True)
class TreeSite:
    """One site of a tree, and what it reaches; the key of a site is its segment.

    Parameters
    ----------
    segment_id : str
    name : str
        When the territories were made.
    position_lps_mm : tuple of float
    outflow : mapping of str to float
        Share of an injection by organ.
    upstream : str
        Segment of the next site on the way to the root, "" for none.
    liver_ml, normal_liver_ml : float
    tumor_ml, tumor_share : mapping of str to float
        Reached part of every tumor.
    """

    segment_id: str
    name: str
    position_lps_mm: tuple[float, ...]
    outflow: Mapping[str, float] = field(default_factory=dict)
    upstream: str = ""
    liver_ml: float = 0.0
    normal_liver_ml: float = 0.0
    tumor_ml: Mapping[str, float] = field(default_factory=dict)
    tumor_share: Mapping[str, float] = field(default_factory=dict)

    @property
    def leaving(self) -> float:
        """Share of an injection that flows to other organs."""
        return sum(self.outflow.values())


@dataclass(frozen=True)
class SitesRecord:
    """All sites of a tree.

    Parameters
    ----------
    name : str
    made_from : mapping of str to str
        Digests of tree, options and structures.
    points : mapping of str to tuple of float
        Positions (LPS) [mm] by the ID of the point.
    labels : mapping of str to str
        By the ID of the point.
    sites : tuple of TreeSite
    organs : mapping of str to str
        Organ by artery that feeds none of the liver.
    notices : tuple of Notice
    unreached_ml, tumor_ml : mapping of str to float
        What no site reaches of every tumor, and its volume.
    """

    name: str
    made_from: Mapping[str, str] = field(default_factory=dict)
    points: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    sites: tuple[TreeSite, ...] = ()
    organs: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    unreached_ml: Mapping[str, float] = field(default_factory=dict)
    tumor_ml: Mapping[str, float] = field(default_factory=dict)

    def site(self, segment_id: str) -> TreeSite | None:
        """Return the site of a segment, or None."""
        return next((site for site in self.sites if site.segment_id == segment_id), None)


#: The segmentations that hold territories of a tree.
TERRITORIES = RecordKind(
    "segmentation of territories",
    "RadioembolizationPlanner.ArteryTerritories",
    "RadioembolizationPlanner.ArteryTerritoriesRecord",
    1,
    SitesRecord,
)


@dataclass(frozen=True)
class PlacedPoint:
    """A placed point of the list of sites: its ID, label and position (LPS) [mm]."""

    key: str
    label: str
    position_lps_mm: Position


def record_of(parameters: PlannerParameters) -> SitesRecord | None:
    """Return the sites of the tree, None if there are none; errors as of ``RecordKind.read``."""
    node = parameters.territories
    return None if node is None else TERRITORIES.read(node)


def is_of_tree(site: SiteParameters) -> bool:
    """Whether the perfused volume of a site comes from the arterial tree."""
    return site.segment_id.startswith(SEGMENT_PREFIX)


def perfused_ids(parameters: PlannerParameters) -> tuple[str, ...]:
    """Return the segments that can be a perfused volume: those of the case, and the territories of its tree."""
    nodes = (parameters.segmentation, parameters.territories)
    return tuple(key for node in nodes if node is not None for key in node.GetSegmentation().GetSegmentIDs())


def node_with(parameters: PlannerParameters, segment_id: str) -> slicer.vtkMRMLSegmentationNode | None:
    """Return the segmentation that a segment of structures or territories belongs to."""
    return parameters.territories if segment_id.startswith(SEGMENT_PREFIX) else parameters.segmentation


def placed(points: slicer.vtkMRMLMarkupsNode | None) -> tuple[PlacedPoint, ...]:
    """Return the placed points of a list."""
    known = slicer.vtkMRMLMarkupsNode.PositionDefined
    numbers = range(0 if points is None else points.GetNumberOfControlPoints())
    return tuple(
        PlacedPoint(
            points.GetNthControlPointID(i),
            points.GetNthControlPointLabel(i),
            flipped(points.GetNthControlPointPositionWorld(i)),
        )
        for i in numbers
        if points.GetNthControlPointPositionStatus(i) == known
    )


def point_of(
    parameters: PlannerParameters, site: SiteParameters
) -> tuple[slicer.vtkMRMLMarkupsFiducialNode | None, int]:
    """Return the list of points and the number of that of a site of the tree; -1 if it has none."""
    points = parameters.artery_points
    if points is None or not is_of_tree(site):
        return points, -1
    return points, points.GetNthControlPointIndexByID(site.segment_id.removeprefix(SEGMENT_PREFIX))


def made_from(parameters: PlannerParameters, structures: Iterable[SourceStructure]) -> dict[str, str]:
    """Return the digest of everything that decides territories and what they reach, but for the points."""
    p = parameters
    digests = {
        "arterial tree": "" if p.arteries is None else tree_digest(p.arteries),
        "setting of the arteries": _of_text(to_json(p.artery_options.deciding())),
        "voxel size": _of_text(str(float(p.spacing_mm))),
    }
    for structure in structures:
        if structure.role is not Role.LUNGS:
            text = f"{structure.role} {mask_digest(structure.source)}"
            digests[f"structure '{structure.name}'"] = _of_text(text)
    return digests


def out_of_date(parameters: PlannerParameters, structures: Iterable[SourceStructure]) -> tuple[str, ...]:
    """Return in words what has changed since the territories were made; nothing if there are none."""
    record = record_of(parameters)
    if record is None or not any(is_of_tree(site) for site in parameters.sites):
        return ()
    if parameters.arteries is None:
        return ("arterial tree is missing",)
    return (*changed_parts(record.made_from, made_from(parameters, structures)), *moved_points(parameters, record))


def moved_points(parameters: PlannerParameters, record: SitesRecord) -> tuple[str, ...]:
    """Return in words which points are not where they were when the territories were made."""
    if parameters.artery_points is None:
        return ()
    now = {point.key: point for point in placed(parameters.artery_points)}
    there = [point for point in now.values() if point.key in record.points]
    moved = [f"point of site '{point.label}' was moved" for point in there if is_moved(point, record)]
    new = [f"point '{point.label}' is new" for point in now.values() if point.key not in record.points]
    gone = [f"point of site '{record.labels.get(key, key)}' was deleted" for key in record.points if key not in now]
    return (*moved, *gone, *new)


def is_moved(point: PlacedPoint, record: SitesRecord) -> bool:
    """Whether a point is new, or not where it was when the territories were made."""
    known = record.points.get(point.key)
    return known is None or bool(np.linalg.norm(np.subtract(point.position_lps_mm, known)) > _SAME_PLACE_MM)


def check_up_to_date(parameters: PlannerParameters, structures: Iterable[SourceStructure]) -> None:
    """Raise ``TerritoryError`` with what has changed if territories are out of date."""
    reasons = out_of_date(parameters, structures)
    if reasons:
        told = _("Sites of the arteries are out of date ({reasons}): press Update in Sites of the arteries.")
        raise TerritoryError(told.format(reasons="; ".join(reasons)))


def _of_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
