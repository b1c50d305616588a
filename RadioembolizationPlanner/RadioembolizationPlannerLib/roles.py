"""Roles proposed for the segments of a node; the core recognises them by terminology and name."""

from __future__ import annotations

from collections.abc import Mapping

import slicer

from radioembolization.structures import Role
from radioembolization.structures.recognition import NamedSegment, Recognition, recognise
from radioembolization.structures.terminology import code_of_region, code_of_type


def proposed_roles(segmentation: slicer.vtkMRMLSegmentationNode, chosen: Mapping[str, Role]) -> dict[str, Role]:
    """Return a role for every segment that shows one; roles chosen already are kept.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
    chosen : mapping of str to Role
        By segment ID.
    """
    return dict(recognised(segmentation, chosen).roles)


def recognised(segmentation: slicer.vtkMRMLSegmentationNode, chosen: Mapping[str, Role]) -> Recognition:
    """Return roles by segment ID, what each was concluded from, and what the user has to decide."""
    return recognise(named_segments(segmentation), chosen)


def named_segments(segmentation: slicer.vtkMRMLSegmentationNode) -> tuple[NamedSegment, ...]:
    """Return what recognition needs to know of the segments, in their order."""
    segments = segmentation.GetSegmentation()
    return tuple(_named(segment_id, segments.GetSegment(segment_id)) for segment_id in segments.GetSegmentIDs())


def type_code(segment: slicer.vtkSegment) -> str:
    """Return the code of the type in the terminology of a segment, empty if it has none."""
    return code_of_type(segment.GetTerminology() or "")


def _named(segment_id: str, segment: slicer.vtkSegment) -> NamedSegment:
    return NamedSegment(
        segment_id, segment.GetName() or "", type_code(segment), code_of_region(segment.GetTerminology() or "")
    )
