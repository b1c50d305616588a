"""The territories of the injected sites as overlapping, half-transparent segments."""

from __future__ import annotations

import re

import slicer

from radioembolization.treatment import SourceMask, Treatment
from RadioembolizationPlannerLib.colors import distinct_colors
from RadioembolizationPlannerLib.segments import segment_from_mask, set_reference_geometry

_FILL_OPACITY = 0.25
_OUTLINE_OPACITY = 1.0
_SHELL_OPACITY = 0.35


def publish_territories(scene: slicer.vtkMRMLScene, treatment: Treatment) -> slicer.vtkMRMLSegmentationNode:
    """Put the perfused volume of every injected site into a scene, on the planning grid.

    Segments are named as their sites and may overlap.  A site keeps its color when others are injected, since
    colors go by the candidate sites.
    """
    case = treatment.case
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{case.name}: territories")
    node.CreateDefaultDisplayNodes()
    set_reference_geometry(node, case.structures.grid)
    used = {site.name for site in treatment.plan.used_sites}
    for site, color in zip(case.sites, distinct_colors(len(case.sites)), strict=True):
        if site.name in used:
            segment = segment_from_mask(site.name, SourceMask(site.perfused, case.structures.grid), color)
            wanted = re.sub(r"\W+", "_", site.name)
            node.GetSegmentation().AddSegment(segment, node.GetSegmentation().GenerateUniqueSegmentID(wanted))
    display = node.GetDisplayNode()
    display.SetOpacity2DFill(_FILL_OPACITY)
    display.SetOpacity2DOutline(_OUTLINE_OPACITY)
    display.SetOpacity3D(_SHELL_OPACITY)
    return node
