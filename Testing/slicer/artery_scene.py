"""Arteries of the small case in a scene: as a session that calculates at once, as a segment, as centerlines."""

from __future__ import annotations

from typing import Any

import numpy as np
from inline_runner import InlineRunner
from session_driver import small_session

from artery_case import small_tree
from radioembolization.errors import PlannerError
from vessel_masks import grid_around, painted

#: Of the planning grid: coarse, as these tests are about scenes.
SPACING_MM = 6.0


def artery_session(scene: Any, **changes: Any) -> Any:
    """Return a session on the small case without sites; what is started is done by ``done``."""
    session = small_session(scene, **{"sites": (), "spacing_mm": (SPACING_MM,) * 3, **changes})
    session.runner = InlineRunner(with_timer=False)
    session.change(lung_shunt=0.05)
    return session


def done(session: Any) -> Any:
    """Let a session finish what it calculates; return what it says, a failure as an error."""
    session.runner.wait()
    if session.status.failed:
        raise PlannerError(session.status.text)
    session.refresh()
    return session.status


def with_sites(scene: Any, **options: Any) -> tuple[Any, Any]:
    """Return a session with the tree of the small case and its sites, and their desk."""
    from RadioembolizationPlannerLib.artery_desk import ArteryDesk
    from RadioembolizationPlannerLib.artery_options import ArteryOptions
    from RadioembolizationPlannerLib.artery_sites_desk import ArterySitesDesk

    session = artery_session(scene)
    ArteryDesk(session).take(small_tree())
    session.change(artery_options=ArteryOptions(**options))
    desk = ArterySitesDesk(session)
    desk.offer()
    done(session)
    return session, desk


def vessel_segment(scene: Any, lines: Any, name: str = "hepatic arteries", voxel_mm: float = 1.5) -> tuple[Any, str]:
    """Put vessels painted on voxels into a scene as a segment; return segmentation and ID."""
    from radioembolization.structures import Role
    from radioembolization.treatment import SourceMask
    from RadioembolizationPlannerLib.publish import STRUCTURE_COLORS
    from RadioembolizationPlannerLib.segments import segment_from_mask, set_reference_geometry

    grid = grid_around(lines, (voxel_mm,) * 3, (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "CBCT")
    set_reference_geometry(node, grid)
    segment = segment_from_mask(name, SourceMask(painted(lines, grid), grid), STRUCTURE_COLORS[Role.ORGAN])
    node.GetSegmentation().AddSegment(segment, "vessels")
    return node, "vessels"


def tree_lines() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the arteries of the small case as centerlines with radii, wide enough for voxels of 1.5 mm."""
    return [(artery.points_lps_mm, np.maximum(artery.radius_mm, 1.6)) for artery in small_tree().arteries]


def centerline_model(scene: Any, lines: Any, name: str = "Centerline model", *, radius: bool = True) -> Any:
    """Put centerlines (LPS) into a scene as the VMTK extension does, in RAS, with the array ``Radius``."""
    from vessel_shapes import polydata

    model = scene.AddNewNodeByClass("vtkMRMLModelNode", name)
    data = polydata([points * (-1, -1, 1) for points, _ in lines], [radii[0] for _, radii in lines])
    if not radius:
        while data.GetPointData().GetNumberOfArrays():
            data.GetPointData().RemoveArray(0)
    model.SetAndObserveMesh(data)
    return model


def curve(scene: Any, name: str, points: np.ndarray, radii: np.ndarray | None = None) -> Any:
    """Put a curve (LPS) into a scene, with the measurement that the VMTK extension leaves."""
    import slicer
    import vtk

    node = scene.AddNewNodeByClass("vtkMRMLMarkupsCurveNode", name)
    for x, y, z in points:
        node.AddControlPoint(vtk.vtkVector3d(-x, -y, z))
    if radii is not None:
        values = vtk.vtkDoubleArray()
        values.SetName("Radius")
        for radius in radii:
            values.InsertNextValue(float(radius))
        measurement = slicer.vtkMRMLStaticMeasurement()
        measurement.SetName("Radius")
        measurement.SetUnits("mm")
        measurement.SetControlPointValues(values)
        node.AddMeasurement(measurement)
    return node


def point_number(points: Any, label: str) -> int:
    """Return the number of the point with a label."""
    labels = [points.GetNthControlPointLabel(i) for i in range(points.GetNumberOfControlPoints())]
    return labels.index(label)


def drag(points: Any, number: int, position_lps_mm: Any) -> None:
    """Drag a point as the views do: many positions, one end."""
    import slicer

    x, y, z = position_lps_mm
    before = np.array(points.GetNthControlPointPosition(number))
    for share in (0.3, 0.7, 1.0):
        points.SetNthControlPointPosition(number, *(before + share * (np.array([-x, -y, z]) - before)))
    points.InvokeEvent(slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent)
