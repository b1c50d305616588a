"""Segments are read from whatever representation they were made in."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import StructureError
from small_case import small_inputs
from support import box_mask

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402

from RadioembolizationPlannerLib.publish import publish_volume  # noqa: E402
from RadioembolizationPlannerLib.segments import mask_from_segment  # noqa: E402

pytestmark = pytest.mark.slicer

SURFACE, LABELMAP = "Closed surface", "Binary labelmap"
BALL_ML = 4.0 / 3.0 * np.pi * 2.4**3  # radius 24 mm


@pytest.fixture
def segmentation(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "anatomy")
    node.SetReferenceImageGeometryParameterFromVolumeNode(publish_volume(scene, small_inputs().ct, "CT"))
    return node


def _ball(node, name: str, radius_mm: float = 24.0) -> None:
    sphere = vtk.vtkSphereSource()
    sphere.SetRadius(radius_mm)
    sphere.SetThetaResolution(48)
    sphere.SetPhiResolution(48)
    sphere.Update()
    node.AddSegmentFromClosedSurfaceRepresentation(sphere.GetOutput(), name, (1.0, 0.0, 0.0), name)


def _volume_ml(source) -> float:
    return source.mask.sum() * source.grid.voxel_ml


@pytest.mark.parametrize("master", [SURFACE, LABELMAP])
def test_a_surface_is_read_whatever_the_segmentation_is_made_of(segmentation, master):
    """4 mm voxels of a 24 mm ball: 3 % of the volume."""
    segmentation.GetSegmentation().SetSourceRepresentationName(master)
    _ball(segmentation, "ball")
    assert _volume_ml(mask_from_segment(segmentation, "ball")) == pytest.approx(BALL_ML, rel=0.03)


def test_surfaces_may_overlap(segmentation):
    """Of a lattice of 4 mm, 147 points lie within 13 mm of one of them: 123 within three steps, 24 at root ten."""
    segmentation.SetSourceRepresentationToClosedSurface()
    _ball(segmentation, "outer")
    _ball(segmentation, "inner", 13.0)
    outer, inner = (mask_from_segment(segmentation, name) for name in ("outer", "inner"))
    assert _volume_ml(outer) == pytest.approx(BALL_ML, rel=0.03)
    assert inner.mask.sum() == 147 and outer.mask[inner.mask].all()


def test_a_labelmap_with_a_surface_to_show_it_is_read_exactly(segmentation):
    mask = box_mask(small_inputs().ct.grid.shape, (3, 9), (4, 8), (5, 7))
    volume = slicer.util.getNode("CT")
    segmentation.GetSegmentation().AddEmptySegment("box", "box")
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), segmentation, "box", volume)
    segmentation.CreateClosedSurfaceRepresentation()
    assert np.array_equal(mask_from_segment(segmentation, "box").mask, mask)


def test_reading_makes_no_representation(segmentation):
    segmentation.SetSourceRepresentationToClosedSurface()
    _ball(segmentation, "ball")
    mask_from_segment(segmentation, "ball")
    assert not segmentation.GetSegmentation().ContainsRepresentation(LABELMAP)


def test_what_cannot_become_voxels_is_named_with_the_way_out(segmentation):
    """Planar contours, as RT structure sets bring them, need a converter of SlicerRT, which is not there."""
    segmentation.GetSegmentation().SetSourceRepresentationName("Planar contour")
    segment = slicer.vtkSegment()
    segment.SetName("GTV")
    segment.AddRepresentation("Planar contour", vtk.vtkPolyData())
    segmentation.GetSegmentation().AddSegment(segment, "GTV")
    with pytest.raises(StructureError, match=r"'GTV'.*(labelmap|empty)"):
        mask_from_segment(segmentation, "GTV")


def test_an_empty_surface_is_empty(segmentation):
    segmentation.SetSourceRepresentationToClosedSurface()
    segmentation.AddSegmentFromClosedSurfaceRepresentation(vtk.vtkPolyData(), "nothing", (1.0, 0.0, 0.0), "nothing")
    with pytest.raises(StructureError, match="'nothing'"):
        mask_from_segment(segmentation, "nothing")
