"""Between segments, in any representation, and masks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import slicer
import vtk
import vtk.util.numpy_support
from scipy import ndimage

from radioembolization.errors import StructureError
from radioembolization.images import Grid
from radioembolization.structures import Role
from radioembolization.treatment import SourceMask, SourceStructure
from RadioembolizationPlannerLib.geometry import grid_from_ijk_to_ras, ijk_to_ras_from_grid, matrix_to_world

#: A labelmap lies on the lattice of the reference geometry within this part of a voxel.
_SAME_LATTICE_VOXELS = 1e-3


def structures_from_node(
    segmentation: slicer.vtkMRMLSegmentationNode, roles: Mapping[str, Role]
) -> tuple[SourceStructure, ...]:
    """Return the segments that have a role as structures, named as the segments are.

    Raises
    ------
    StructureError
        If a segment does not exist, is empty or cannot become a labelmap.
    """
    return tuple(
        SourceStructure(_segment(segmentation, segment_id).GetName(), role, mask_from_segment(segmentation, segment_id))
        for segment_id, role in roles.items()
    )


def mask_from_segment(segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str) -> SourceMask:
    """Return the voxels of a segment, whatever its representation, in world space.

    The mask covers the reference geometry of the segmentation if it lies on its lattice, as it would
    in a file of that geometry; otherwise it stays on its own lattice, cropped to the segment.

    Raises
    ------
    StructureError
        If the segment does not exist, is empty or cannot become a labelmap.
    ImageError
        If the segmentation is under a non-linear transform.
    """
    name = _segment(segmentation, segment_id).GetName()
    segment, image = _with_labelmap(segmentation.GetSegmentation(), segment_id)
    mask = np.zeros(0, dtype=bool) if image is None or image.IsEmpty() else _array(image) == segment.GetLabelValue()
    if not mask.any():
        raise StructureError(
            f"Segment '{name}' of '{segmentation.GetName()}' is empty: draw it, or take it out of the case."
        )
    to_world = matrix_to_world(segmentation)
    grid = _grid(image, to_world)
    geometry = reference_geometry(segmentation)
    if geometry:
        reference = slicer.vtkOrientedImageData()
        slicer.vtkSegmentationConverter.DeserializeImageGeometry(geometry, reference, False)
        mask, grid = _on_reference(mask, grid, _grid(reference, to_world))
    return SourceMask(mask, grid)


def segment_from_mask(name: str, source: SourceMask, color: tuple[float, float, float]) -> slicer.vtkSegment:
    """Return a segment with a labelmap of its own, cropped to the mask; it may overlap any other.

    Raises
    ------
    StructureError
        If the mask is empty.
    """
    boxes = ndimage.find_objects(source.mask.astype(np.uint8))
    if not boxes:
        raise StructureError(f"'{name}' has no voxels, so there is no segment to make of it.")
    image = _oriented_image(source.grid, boxes[0])
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    _array(image)[:] = source.mask[boxes[0]]
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetColor(color)
    segment.SetLabelValue(1)
    segment.AddRepresentation(_labelmap_name(), image)
    return segment


def set_reference_geometry(segmentation: slicer.vtkMRMLSegmentationNode, grid: Grid) -> None:
    """Let new segments of a segmentation be drawn on a grid."""
    whole = tuple(slice(0, n) for n in grid.shape)
    geometry = slicer.vtkSegmentationConverter.SerializeImageGeometry(_oriented_image(grid, whole))
    segmentation.GetSegmentation().SetConversionParameter(_reference_parameter(), geometry)


def reference_geometry(segmentation: slicer.vtkMRMLSegmentationNode) -> str:
    """Return the grid on which new segments are drawn, as the segmentation stores it; empty if it has none."""
    return segmentation.GetSegmentation().GetConversionParameter(_reference_parameter())


def segment_stamp(segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str) -> Hashable:
    """Return what changes whenever the voxels of a segment may have; errors as of ``mask_from_segment``."""
    segment = _segment(segmentation, segment_id)
    names: list[str] = []
    segment.GetContainedRepresentationNames(names)
    shapes = [segment.GetRepresentation(name) for name in names]
    return (
        segment_id,
        segment.GetLabelValue(),
        tuple((shape.GetAddressAsString(""), shape.GetMTime()) for shape in shapes),
        reference_geometry(segmentation),
    )


def _segment(segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str) -> slicer.vtkSegment:
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    if segment is None:
        known = ", ".join(segmentation.GetSegmentation().GetSegmentIDs())
        raise StructureError(
            f"Segmentation '{segmentation.GetName()}' has no segment with the ID '{segment_id}': use one of {known}."
        )
    return segment


def _with_labelmap(
    segmentation: slicer.vtkSegmentation, segment_id: str
) -> tuple[slicer.vtkSegment, slicer.vtkOrientedImageData | None]:
    """Return a segment and its labelmap; a missing labelmap is converted on a copy of the segment."""
    if not segmentation.ContainsRepresentation(_labelmap_name()):
        source = segmentation.GetSourceRepresentationName()
        copy = slicer.vtkSegmentation()
        copy.SetSourceRepresentationName(source)
        copy.CopyConversionParameters(segmentation)
        copy.CopySegmentFromSegmentation(segmentation, segment_id)
        if not copy.CreateRepresentation(_labelmap_name()):
            raise StructureError(
                f"Segment '{copy.GetSegment(segment_id).GetName()}' cannot be converted from {source} to a labelmap: "
                "create the binary labelmap in module Segmentations."
            )
        segmentation = copy
    segment = segmentation.GetSegment(segment_id)
    return segment, segment.GetRepresentation(_labelmap_name())


def _oriented_image(grid: Grid, box: tuple[slice, ...]) -> slicer.vtkOrientedImageData:
    """Return an image without voxels that covers a box (z, y, x) of a grid."""
    z, y, x = box
    image = slicer.vtkOrientedImageData()
    image.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijk_to_ras_from_grid(grid)))
    image.SetExtent(x.start, x.stop - 1, y.start, y.stop - 1, z.start, z.stop - 1)
    return image


def _array(image: slicer.vtkOrientedImageData) -> np.ndarray:
    """Return the voxels (z, y, x) of an image, shared with it."""
    scalars = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    return scalars.reshape(image.GetDimensions()[::-1])


def _grid(image: slicer.vtkOrientedImageData, to_world: np.ndarray) -> Grid:
    """Return the grid of an image, whose extent need not start at zero."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    lattice = grid_from_ijk_to_ras(to_world @ slicer.util.arrayFromVTKMatrix(matrix), (1, 1, 1))
    x, _, y, _, z, _ = image.GetExtent()
    return lattice.box((z, y, x), image.GetDimensions()[::-1])


def _on_reference(mask: np.ndarray, grid: Grid, reference: Grid) -> tuple[np.ndarray, Grid]:
    """Return a mask on the whole reference grid if it fits on its lattice, otherwise as it is."""
    exact = reference.to_index(np.array(grid.origin_mm))
    first = np.rint(exact).astype(int)
    last = first + np.array(grid.shape)
    same = np.allclose(grid.spacing_mm, reference.spacing_mm) and np.allclose(grid.direction, reference.direction)
    on_lattice = same and np.abs(exact - first).max() < _SAME_LATTICE_VOXELS
    if not on_lattice or first.min() < 0 or np.any(last > reference.shape):
        return mask, grid
    whole = np.zeros(reference.shape, dtype=bool)
    whole[tuple(slice(a, b) for a, b in zip(first, last, strict=True))] = mask
    return whole, reference


def _labelmap_name() -> str:
    return slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()


def _reference_parameter() -> str:
    return slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
