"""Segments become masks, whatever their representation, overlap or lattice."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import StructureError
from radioembolization.images import Grid
from radioembolization.structures import Role
from radioembolization.treatment import SourceMask, SourceStructure
from small_case import small_inputs
from support import box_mask

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402

from RadioembolizationPlannerLib.publish import publish_case, publish_volume  # noqa: E402
from RadioembolizationPlannerLib.segments import mask_from_segment, structures_from_node  # noqa: E402

pytestmark = pytest.mark.slicer

GRID = Grid((10, 12, 14), (3.0, 2.0, 1.0), (-5.0, 7.0, 11.0))
LIVER = box_mask(GRID.shape, (1, 9), (2, 11), (1, 13))
TUMOUR = box_mask(GRID.shape, (3, 6), (4, 8), (5, 9))


def _segmentation(*structures: SourceStructure):
    return publish_case(slicer.mrmlScene, small_inputs(structures=structures, scout=None, ct=None, sites=()))


def test_overlapping_segments_keep_their_voxels(scene):
    nodes = _segmentation(
        SourceStructure("liver", Role.LIVER, SourceMask(LIVER, GRID)),
        SourceStructure("A", Role.TUMOUR, SourceMask(TUMOUR, GRID)),
    )
    liver, tumour = structures_from_node(nodes.segmentation, nodes.roles)
    assert (liver.name, liver.role, tumour.name, tumour.role) == ("liver", Role.LIVER, "A", Role.TUMOUR)
    assert np.array_equal(liver.source.mask, LIVER) and np.array_equal(tumour.source.mask, TUMOUR)
    assert liver.source.grid == GRID and tumour.source.grid == GRID


def test_segments_drawn_in_slicer_are_read_from_their_shared_layer(scene):
    """Segments that do not overlap share one labelmap with different labels."""
    volume = publish_volume(scene, small_inputs().ct, "CT")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    shape = small_inputs().ct.grid.shape
    boxes = {"low": box_mask(shape, (2, 5), (3, 9), (4, 8)), "high": box_mask(shape, (20, 30), (3, 9), (4, 8))}
    for segment_id, mask in boxes.items():
        node.GetSegmentation().AddEmptySegment(segment_id, segment_id)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, segment_id, volume)
    node.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    for segment_id, mask in boxes.items():
        found = mask_from_segment(node, segment_id)
        assert np.array_equal(found.mask, mask) and found.grid == small_inputs().ct.grid


def test_a_segment_on_another_lattice_stays_on_its_own(scene):
    fine = Grid((8, 8, 8), (0.7, 0.7, 0.7), (0.0, 10.0, 15.0))
    lesion = box_mask(fine.shape, (2, 6), (1, 7), (3, 5))
    nodes = _segmentation(
        SourceStructure("liver", Role.LIVER, SourceMask(LIVER, GRID)),
        SourceStructure("A", Role.TUMOUR, SourceMask(lesion, fine)),
    )
    _, tumour = structures_from_node(nodes.segmentation, nodes.roles)
    assert tumour.source.mask.shape == (4, 6, 2) and tumour.source.mask.all()
    assert tumour.source.grid.to_lps(np.zeros(3)) == pytest.approx(fine.to_lps(np.array([2, 1, 3])), abs=1e-9)


def test_a_closed_surface_becomes_voxels_of_the_same_volume_and_place(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "surface")
    node.SetReferenceImageGeometryParameterFromVolumeNode(
        publish_volume(scene, small_inputs(spacing_mm=(4.0, 4.0, 4.0)).ct, "CT")
    )
    node.SetSourceRepresentationToClosedSurface()
    sphere = vtk.vtkSphereSource()
    sphere.SetCenter(-12.0, 9.0, 6.0)
    sphere.SetRadius(30.0)
    sphere.SetThetaResolution(60)
    sphere.SetPhiResolution(60)
    sphere.Update()
    node.AddSegmentFromClosedSurfaceRepresentation(sphere.GetOutput(), "ball", (1.0, 0.0, 0.0), "ball")
    assert not node.GetSegmentation().ContainsRepresentation("Binary labelmap")

    ball = mask_from_segment(node, "ball")
    # 4 mm voxels of a 30 mm ball: the surface is exact to well below a voxel, 2 % of the volume.
    assert ball.mask.sum() * ball.grid.voxel_ml == pytest.approx(4 / 3 * np.pi * 3.0**3, rel=0.02)
    centre = ball.grid.to_lps(np.argwhere(ball.mask)).mean(axis=0)
    assert centre == pytest.approx([12.0, -9.0, 6.0], abs=0.3)
    assert not node.GetSegmentation().ContainsRepresentation("Binary labelmap")


def test_a_transform_of_the_segmentation_moves_the_mask(scene):
    nodes = _segmentation(SourceStructure("liver", Role.LIVER, SourceMask(LIVER, GRID)))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    shift = np.eye(4)
    shift[:3, 3] = (10.0, -20.0, 30.0)
    slicer.util.updateTransformMatrixFromArray(transform, shift)
    nodes.segmentation.SetAndObserveTransformNodeID(transform.GetID())
    moved = mask_from_segment(nodes.segmentation, "liver")
    assert np.array_equal(moved.mask, LIVER)
    assert np.subtract(moved.grid.origin_mm, GRID.origin_mm) == pytest.approx([-10.0, 20.0, 30.0])


def test_an_empty_segment_is_refused_by_name(scene):
    nodes = _segmentation(SourceStructure("liver", Role.LIVER, SourceMask(LIVER, GRID)))
    nodes.segmentation.GetSegmentation().AddEmptySegment("later", "Tumor to draw")
    with pytest.raises(StructureError, match="'Tumor to draw' of 'small case: anatomy' is empty"):
        mask_from_segment(nodes.segmentation, "later")


def test_an_unknown_segment_is_refused_with_the_known_ones(scene):
    nodes = _segmentation(SourceStructure("liver", Role.LIVER, SourceMask(LIVER, GRID)))
    with pytest.raises(StructureError, match="no segment with the ID 'spleen': use one of liver"):
        mask_from_segment(nodes.segmentation, "spleen")
