"""New segments beside those of the user: never in their place, with codes, colors and how they were made."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import slicer

from radioembolization.errors import StructureError
from radioembolization.images import Grid
from radioembolization.structures.segmentation import SegmentedStructure, SegmentedStructures
from radioembolization.treatment import SourceMask
from RadioembolizationPlannerLib.colors import Color
from RadioembolizationPlannerLib.geometry import grid_from_ijk_to_ras, ijk_to_ras_from_grid, matrix_to_world
from RadioembolizationPlannerLib.roles import proposed_roles
from RadioembolizationPlannerLib.segments import (
    mask_from_segment,
    reference_geometry,
    segment_from_mask,
    set_reference_geometry,
)

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession

#: Tags of a segment: how the program found it, and how good it judges that to be, from 0 to 1.
METHOD_TAG, QUALITY_TAG = "RadioembolizationPlanner.Method", "RadioembolizationPlanner.Quality"


@dataclass(frozen=True, eq=False)
class NewSegment:
    """A segment that is to be added.

    Parameters
    ----------
    name : str
        A number is added to it where it is taken.
    source : SourceMask
        In world space.
    color : tuple of float
    terminology : str
        As Slicer stores it.
    method : str
    quality : float, optional
    """

    name: str
    source: SourceMask
    color: Color
    terminology: str = ""
    method: str = ""
    quality: float | None = None


def segments_of(found: SegmentedStructures) -> Iterator[NewSegment]:
    """Yield what was found in an image as new segments."""
    for structure in found.structures:
        yield _segment_of(structure, found.grid)


def segments_of_node(segmentation: slicer.vtkMRMLSegmentationNode, method: str) -> Iterator[NewSegment]:
    """Yield the segments of another segmentation, those without voxels left out."""
    for segment_id in segmentation.GetSegmentation().GetSegmentIDs():
        segment = segmentation.GetSegmentation().GetSegment(segment_id)
        try:
            source = mask_from_segment(segmentation, segment_id)
        except StructureError as error:
            logging.info("Left out: %s", error)
            continue
        yield NewSegment(segment.GetName(), source, segment.GetColor(), segment.GetTerminology() or "", method)


def add_segments(segmentation: slicer.vtkMRMLSegmentationNode, segments: Iterable[NewSegment]) -> list[str]:
    """Add segments to a segmentation, whose own stay as they are; return the new IDs.

    Raises
    ------
    StructureError
        If a segment has no voxels, or the segmentation takes it in no form.
    ImageError
        If the segmentation is under a transform that no matrix describes, or that shears.
    """
    new = []
    for one in segments:
        source = SourceMask(one.source.mask, _in_node(one.source.grid, segmentation))
        segment = segment_from_mask(free_name(segmentation, one.name), source, one.color)
        if one.terminology:
            segment.SetTerminology(one.terminology)
        if one.method:
            segment.SetTag(METHOD_TAG, one.method)
        if one.quality is not None:
            segment.SetTag(QUALITY_TAG, f"{one.quality:.3f}")
        new.append(_added(segmentation, segment))
    return new


def add_to_case(
    session: PlanningSession, segments: Iterable[NewSegment], grid: Grid
) -> tuple[slicer.vtkMRMLSegmentationNode, list[str]]:
    """Add segments to the segmentation of the case, made if there is none, and propose roles for them alone.

    Parameters
    ----------
    session : PlanningSession
    segments : iterable of NewSegment
    grid : Grid
        On which segments are drawn from now on, if the segmentation does not say.

    Returns
    -------
    segmentation : vtkMRMLSegmentationNode
    new : list of str
        IDs of the new segments.

    Raises
    ------
    StructureError, ImageError
        As of ``add_segments``; what was added until then stays.
    """
    parameters = session.parameters
    node = parameters.segmentation or new_segmentation(session.scene, f"{parameters.case_name}: anatomy")
    if not reference_geometry(node):
        set_reference_geometry(node, _in_node(grid, node))
    new = add_segments(node, segments)
    proposed = proposed_roles(node, parameters.roles)
    roles = {**parameters.roles, **{key: role for key, role in proposed.items() if key in new}}
    session.change(segmentation=node, roles=roles)
    return node, new


def new_segmentation(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLSegmentationNode:
    """Put an empty segmentation into a scene, shown as outlines."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(name))
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetOpacity2DFill(0.0)
    return node


def shown_name(name: str) -> str:
    """Return a name of the core as the panel writes it."""
    return name.replace("tumour", "tumor").replace("Tumour", "Tumor").replace("labelling", "labeling")


def shown_text(message: str) -> str:
    """Return a message of the core as the panel writes it; names in quotes stay as they are."""
    parts = re.split(r"('[^']*')", message)
    return "".join(part if part.startswith("'") else shown_name(part) for part in parts)


def free_name(segmentation: slicer.vtkMRMLSegmentationNode, wanted: str) -> str:
    """Return a name that no segment has: the wanted one, else with the next free number."""
    segments = segmentation.GetSegmentation()
    taken = {segments.GetSegment(key).GetName().casefold() for key in segments.GetSegmentIDs()}
    base, number = _split(wanted)
    name = wanted
    while name.casefold() in taken:
        number += 1
        name = f"{base} {number}"
    return name


def _split(name: str) -> tuple[str, int]:
    """Return a name without its number, and the number; 1 where it has none."""
    found = re.fullmatch(r"(.*\S)\s+(\d+)", name)
    return (found.group(1), int(found.group(2))) if found else (name, 1)


def _segment_of(structure: SegmentedStructure, grid: Grid) -> NewSegment:
    known = structure.terminology
    return NewSegment(
        name=shown_name(structure.name),
        source=SourceMask(structure.mask, grid),
        color=known.colour,
        terminology=known.slicer_text,
        method=structure.method,
        quality=structure.quality,
    )


def _added(segmentation: slicer.vtkMRMLSegmentationNode, segment: slicer.vtkSegment) -> str:
    segments = segmentation.GetSegmentation()
    segment_id = segments.GenerateUniqueSegmentID(re.sub(r"\W+", "_", segment.GetName()))
    if not segments.AddSegment(segment, segment_id):
        raise StructureError(
            f"Segmentation '{segmentation.GetName()}' does not take the segment '{segment.GetName()}': make its "
            "binary labelmap the source representation in module Segmentations."
        )
    return segment_id


def _in_node(grid: Grid, node: slicer.vtkMRMLSegmentationNode) -> Grid:
    """Return a grid of world space in a node's own space."""
    if node.GetParentTransformNode() is None:
        return grid
    return grid_from_ijk_to_ras(np.linalg.inv(matrix_to_world(node)) @ ijk_to_ras_from_grid(grid), grid.shape)
