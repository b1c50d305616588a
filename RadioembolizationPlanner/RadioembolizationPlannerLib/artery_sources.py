"""What an arterial tree can be made of in a scene: a vessel segment, centerline models, curves, or a liver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
import vtk.util.numpy_support
from slicer.i18n import tr as _

from radioembolization.errors import ArterialTreeError, VeinsLeftOut
from radioembolization.files.centreline_file import curve_vessels
from radioembolization.files.centreline_polydata import polylines_of, vessels_from_polydata, written_tree
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.vessels.vessel import Vessel, is_vein
from radioembolization.treatment import Notice
from radioembolization.treatment.case import collected_notices
from RadioembolizationPlannerLib.arteries import MODEL, TREES
from RadioembolizationPlannerLib.artery_task import MaskRequest, Position, VesselsRequest
from RadioembolizationPlannerLib.geometry import matrix_to_world
from RadioembolizationPlannerLib.segments import mask_from_segment
from RadioembolizationPlannerLib.structure_desk import placed_points

_RADIUS = "Radius"


@dataclass(frozen=True)
class Joining:
    """How separate vessels are joined.

    Parameters
    ----------
    root_lps_mm : tuple of float, optional
        Where the blood comes in (x, y, z) [mm].
    gap_mm : float
        Widest gap that is bridged [mm].
    radius_mm : float, optional
        Of centerlines that state none [mm].
    """

    root_lps_mm: Position | None = None
    gap_mm: float = 5.0
    radius_mm: float | None = None


def visible_nodes(scene: slicer.vtkMRMLScene, class_name: str) -> Iterator[slicer.vtkMRMLNode]:
    """Yield the nodes of a class that are for users."""
    for index in range(scene.GetNumberOfNodesByClass(class_name)):
        node = scene.GetNthNodeByClass(index, class_name)
        if not node.GetHideFromEditors():
            yield node


def line_models(scene: slicer.vtkMRMLScene) -> Iterator[slicer.vtkMRMLModelNode]:
    """Yield the models that have lines, those of trees left out."""
    own = [tree.GetNodeReference(MODEL) for tree in TREES.all_in(scene)]
    for node in visible_nodes(scene, "vtkMRMLModelNode"):
        if node not in own and node.GetPolyData() is not None and node.GetPolyData().GetNumberOfLines():
            yield node


def root_of(points: slicer.vtkMRMLMarkupsNode | None) -> Position | None:
    """Return the first placed point of a list (LPS) [mm]; without a list, none.

    Raises
    ------
    ArterialTreeError
        If the list has no placed point.
    """
    if points is None:
        return None
    placed = placed_points(points)
    if not placed:
        told = _("'{name}' has no point that is placed: place one where the blood comes in, or choose no list.")
        raise ArterialTreeError(told.format(name=points.GetName()))
    return placed[0]


def mask_request(segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str, joining: Joining) -> MaskRequest:
    """Return a vessel segment as what is to become a tree; errors as of ``mask_from_segment``."""
    source = mask_from_segment(segmentation, segment_id)
    name = segmentation.GetSegmentation().GetSegment(segment_id).GetName()
    return MaskRequest(source.mask, source.grid, joining.root_lps_mm, joining.gap_mm, f"segment '{name}'")


def tree_in_model(model: slicer.vtkMRMLModelNode) -> ArterialTree | None:
    """Return the tree that this program wrote into a model file, None if others made the model."""
    return written_tree(_lines(model))


def model_request(model: slicer.vtkMRMLModelNode, joining: Joining) -> VesselsRequest:
    """Return a centerline model, such as those of the VMTK extension, as what is to become a tree.

    Raises
    ------
    ArterialTreeError
        If it has no lines or no radii.
    """
    name = model.GetName()
    with collected_notices() as notices:
        vessels = vessels_from_polydata(_lines(model), name=name, radius_mm=joining.radius_mm)
    return _request(vessels, f"model '{name}'", joining, notices)


def curves_request(curves: Sequence[slicer.vtkMRMLMarkupsCurveNode], joining: Joining) -> VesselsRequest:
    """Return curves, one artery each, as what is to become a tree; those called veins are left out.

    Raises
    ------
    ArterialTreeError
        If no curve is chosen, or one has no radius or no length.
    """
    if not curves:
        raise ArterialTreeError(_("Check the curves that are arteries."))
    with collected_notices() as notices:
        vessels = [vessel for curve in curves for vessel in _vessels_of(curve, joining.radius_mm)]
    return _request(vessels, ", ".join(f"curve '{curve.GetName()}'" for curve in curves[:3]), joining, notices)


def _request(vessels: list[Vessel], source: str, joining: Joining, notices: Sequence[Notice]) -> VesselsRequest:
    arteries = tuple(vessel for vessel in vessels if not is_vein(vessel.name))
    veins = ", ".join(vessel.name for vessel in vessels if is_vein(vessel.name))
    told = (Notice(VeinsLeftOut.__name__, f"Left out of the arteries, by their names: {veins}."),) if veins else ()
    return VesselsRequest(arteries, joining.root_lps_mm, joining.gap_mm, source, (*notices, *told))


def _lines(model: slicer.vtkMRMLModelNode) -> Any:
    data = model.GetPolyData()
    if data is None or not data.GetNumberOfLines():
        told = _("Model '{name}' has no lines: give centerlines, not a surface.")
        raise ArterialTreeError(told.format(name=model.GetName()))
    moved = data.NewInstance()
    moved.DeepCopy(data)
    to_world = matrix_to_world(model)
    if not np.array_equal(to_world, np.eye(4)):
        points = vtk.util.numpy_support.vtk_to_numpy(data.GetPoints().GetData()).astype(float)
        there = points @ to_world[:3, :3].T + to_world[:3, 3]
        moved.GetPoints().SetData(vtk.util.numpy_support.numpy_to_vtk(there, deep=True))
    return polylines_of(moved, ras=True)


def _vessels_of(curve: slicer.vtkMRMLMarkupsCurveNode, radius_mm: float | None) -> list[Vessel]:
    """Return a curve as a vessel; its radii are those that the VMTK extension leaves at its points."""
    placed = slicer.vtkMRMLMarkupsNode.PositionDefined
    known = [i for i in range(curve.GetNumberOfControlPoints()) if curve.GetNthControlPointPositionStatus(i) == placed]
    described: dict[str, Any] = {
        "type": "Curve",
        "name": curve.GetName(),
        "coordinateSystem": "RAS",
        "controlPoints": [{"position": list(curve.GetNthControlPointPositionWorld(i))} for i in known],
    }
    measured = curve.GetMeasurement(_RADIUS)
    values = None if measured is None else measured.GetControlPointValues()
    if values is not None and values.GetNumberOfTuples() == curve.GetNumberOfControlPoints():
        radii = [float(values.GetTuple1(i)) for i in known]
        described["measurements"] = [{"name": _RADIUS, "controlPointValues": radii}]
    return curve_vessels({"markups": [described]}, name=curve.GetName(), radius_mm=radius_mm)
