"""Regions grown from seeds by Slicer's own filter, the one behind "Grow from seeds" of the Segment Editor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import vtk
import vtk.util.numpy_support
from slicer.i18n import tr as _

from radioembolization.errors import StructureError
from radioembolization.images import Grid, Volume, resample_mask
from radioembolization.treatment import SourceMask
from RadioembolizationPlannerLib.new_segments import NewSegment
from RadioembolizationPlannerLib.segments import mask_from_segment

#: Regions grow into the box of all seeds, enlarged by this share of its extent, and by voxels at least.
_BOX_MARGIN, _LEAST_MARGIN_VOXELS = 0.1, 3
_LEAST_SEEDS = 2


def grow_from_seeds(
    segmentation: slicer.vtkMRMLSegmentationNode, seed_ids: Sequence[str], image: Volume
) -> list[NewSegment]:
    """Return the region of every seed: each voxel near the seeds goes to the one it resembles along the way.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
    seed_ids : sequence of str
        Segments of the seeds, at least two: one for every structure, and one for everything else.
    image : Volume
        In which regions grow; the result is on its grid.

    Raises
    ------
    StructureError
        If there are fewer than two seeds, or one lies outside the image.
    """
    if len(seed_ids) < _LEAST_SEEDS:
        raise StructureError(
            _("Growing needs at least two seeds: one in the structure, and one in what surrounds it. Check two.")
        )
    labels = _labels([(key, mask_from_segment(segmentation, key)) for key in seed_ids], segmentation, image.grid)
    low, high = _box(labels)
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grown = _grown(image.array[part], labels[part], image.grid)
    grid = image.grid.box(low, grown.shape)
    segments = segmentation.GetSegmentation()
    return [
        _segment(segments.GetSegment(key), SourceMask(grown == label, grid))
        for label, key in enumerate(seed_ids, start=1)
    ]


def _labels(
    seeds: list[tuple[str, SourceMask]], segmentation: slicer.vtkMRMLSegmentationNode, grid: Grid
) -> np.ndarray:
    """Return the number of the seed in every voxel (z, y, x); where seeds overlap, that of the last."""
    labels = np.zeros(grid.shape, dtype=np.uint8)
    for label, (key, seed) in enumerate(seeds, start=1):
        mask = seed.mask if seed.grid == grid else resample_mask(seed.mask, seed.grid, grid)
        if not mask.any():
            name = segmentation.GetSegmentation().GetSegment(key).GetName()
            raise StructureError(f"Seed '{name}' has no voxels in the image: draw it inside the image, and larger.")
        labels[mask] = label
    return labels


def _box(labels: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the first and one past the last index (z, y, x) of the part in which regions grow."""
    index = np.argwhere(labels)
    first, last = index.min(axis=0), index.max(axis=0) + 1
    margin = np.maximum(_LEAST_MARGIN_VOXELS, np.ceil(_BOX_MARGIN * (last - first))).astype(int)
    low, high = np.maximum(first - margin, 0), np.minimum(last + margin, labels.shape)
    return tuple(int(n) for n in low), tuple(int(n) for n in high)


def _grown(values: np.ndarray, labels: np.ndarray, grid: Grid) -> np.ndarray:
    grow = slicer.vtkImageGrowCutSegment()
    grow.SetIntensityVolume(_image(values.astype(np.float32), grid))
    grow.SetSeedLabelVolume(_image(labels, grid))
    grow.Update()
    result = vtk.util.numpy_support.vtk_to_numpy(grow.GetOutput().GetPointData().GetScalars())
    return result.reshape(labels.shape).copy()


def _image(array: np.ndarray, grid: Grid) -> vtk.vtkImageData:
    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    image.SetSpacing(*grid.spacing_mm[::-1])
    flat = np.ascontiguousarray(array).ravel()
    image.GetPointData().SetScalars(vtk.util.numpy_support.numpy_to_vtk(flat, deep=True))
    return image


def _segment(seed: slicer.vtkSegment, source: SourceMask) -> NewSegment:
    name = _("{seed} grown").format(seed=seed.GetName())
    return NewSegment(name, source, seed.GetColor(), seed.GetTerminology() or "", "grown from seeds (GrowCut)")
