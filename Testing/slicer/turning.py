"""Turns and mirrors the nodes of a case in the ways a scene can hold them; voxels never change their place twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
import vtk.util.numpy_support


def turned_by_parent(scene: Any, nodes: Any, ras: np.ndarray) -> Any:
    """Put every node of a case under one linear transform (4, 4)."""
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "turned")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(ras))
    for node in _spatial(nodes):
        node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def turned_by_hardening(scene: Any, nodes: Any, ras: np.ndarray) -> None:
    """Apply a transform to every node as module Transforms does."""
    transform = turned_by_parent(scene, nodes, ras)
    for node in _spatial(nodes):
        assert node.HardenTransform()
        assert node.GetParentTransformNode() is None
    scene.RemoveNode(transform)


def turned_by_matrices(_scene: Any, nodes: Any, ras: np.ndarray) -> None:
    """Change the matrices of images and segments themselves, as if they had been loaded so."""
    for volume in (nodes.scout, nodes.ct):
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ras @ _volume_matrix(volume)))
    for image in _labelmaps(nodes.segmentation):
        image.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ras @ _image_matrix(image)))
    _set_reference(nodes.segmentation, lambda matrix, _slices: ras @ matrix)
    for index in range(nodes.site_points.GetNumberOfControlPoints()):
        before = np.array([*nodes.site_points.GetNthControlPointPosition(index), 1.0])
        nodes.site_points.SetNthControlPointPosition(index, *(ras @ before)[:3])


def mirrored_storage(nodes: Any) -> None:
    """Store images and segments from the last slice to the first; every voxel stays where it is in the world."""
    for volume in (nodes.scout, nodes.ct):
        array, matrix = slicer.util.arrayFromVolume(volume)[::-1].copy(), _volume_matrix(volume)
        slicer.util.updateVolumeFromArray(volume, array)
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix @ _from_last(len(array))))
    slices = _set_reference(nodes.segmentation, lambda matrix, slices: matrix @ _from_last(slices))
    for image in _labelmaps(nodes.segmentation):
        matrix, (i0, i1, j0, j1, k0, k1) = _image_matrix(image), image.GetExtent()
        voxels = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
        shaped = voxels.reshape(image.GetDimensions()[::-1])
        shaped[:] = shaped[::-1].copy()
        image.SetExtent(i0, i1, j0, j1, slices - 1 - k1, slices - 1 - k0)
        image.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(matrix @ _from_last(slices)))
        image.Modified()


def _spatial(nodes: Any) -> list[Any]:
    return [nodes.scout, nodes.ct, nodes.segmentation, nodes.site_points]


def _from_last(slices: int) -> np.ndarray:
    """Return the matrix that counts slices from the last."""
    matrix = np.diag([1.0, 1.0, -1.0, 1.0])
    matrix[2, 3] = slices - 1
    return matrix


def _volume_matrix(volume: Any) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _image_matrix(image: Any) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _labelmaps(segmentation: Any) -> list[Any]:
    segments = segmentation.GetSegmentation()
    name = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    images = [segments.GetSegment(key).GetRepresentation(name) for key in segments.GetSegmentIDs()]
    return list({image.GetAddressAsString(""): image for image in images}.values())


def _set_reference(segmentation: Any, change: Any) -> int:
    """Change the matrix of the reference geometry; return its number of slices."""
    converter, segments = slicer.vtkSegmentationConverter, segmentation.GetSegmentation()
    name = converter.GetReferenceImageGeometryParameterName()
    image = slicer.vtkOrientedImageData()
    assert converter.DeserializeImageGeometry(segments.GetConversionParameter(name), image, False)
    slices = image.GetDimensions()[2]
    changed = change(_image_matrix(image), slices)
    image.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(changed))
    segments.SetConversionParameter(name, converter.SerializeImageGeometry(image))
    return slices
