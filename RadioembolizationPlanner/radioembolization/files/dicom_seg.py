"""Segments from DICOM Segmentation objects, read with highdicom."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import DicomError, FractionalSegmentation, MissingPackage
from radioembolization.files.reference_image import ReferenceImage
from radioembolization.files.segmentation_file import Segment, Segmentation, add_to_layers
from radioembolization.images import Grid

#: From this share of a voxel, or this probability, a voxel of a fractional segment belongs to it.
_BELONGS_FROM = 0.5


def read_dicom_seg(path: Path, reference: ReferenceImage | None = None) -> Segmentation:
    """Read a DICOM Segmentation with the codes of its segments; frames it leaves out are empty.

    Parameters
    ----------
    path : Path
    reference : ReferenceImage, optional
        The image the segments are used with; only its frame of reference matters, as a SEG has its own grid.

    Raises
    ------
    FrameOfReferenceMismatch
        If it lies in another frame of reference than the image.
    DicomError
        If its frames are no regular stack, or it is broken.
    MissingPackage
        If highdicom is not installed.
    """
    found = _opened(path)
    if reference is not None:
        reference.check_frame_of_reference(str(found.get("FrameOfReferenceUID", "")), path.name)
    fractional = str(found.SegmentationType) == "FRACTIONAL"
    if fractional:
        warnings.warn(
            f"'{path.name}' holds fractional segments ({found.get('SegmentationFractionalType', '')}): voxels from "
            f"{_BELONGS_FROM:g} on were taken.",
            FractionalSegmentation,
            stacklevel=2,
        )
    layers, grid, places = _layers(found, path)
    return Segmentation(path.name, np.stack(layers), grid, _segments(found, places))


def _opened(path: Path) -> Any:
    try:
        import highdicom
    except ImportError as error:
        raise MissingPackage(
            "Reading DICOM SEG needs the package highdicom: pip install highdicom, or save the segments as .seg.nrrd."
        ) from error
    try:
        return highdicom.seg.segread(path)
    except (AttributeError, ValueError, TypeError, KeyError) as error:
        raise DicomError(f"'{path.name}' is no readable DICOM SEG: {error}") from error


def _layers(found: Any, path: Path) -> tuple[list[np.ndarray], Grid, list[tuple[int, int]]]:
    """Return layers, their grid, and layer and label of each segment."""
    layers: list[np.ndarray] = []
    places = []
    try:
        for number in found.segment_numbers:
            volume = found.get_volume(segment_numbers=[number], dtype=np.float32)
            places.append(add_to_layers(layers, volume.array[..., 0] >= _BELONGS_FROM))
    except (RuntimeError, ValueError, AttributeError) as error:
        raise DicomError(
            f"The frames of the DICOM SEG '{path.name}' make no regular volume ({error}): convert it to .seg.nrrd in "
            "Slicer."
        ) from error
    if volume.coordinate_system is None or str(volume.coordinate_system.value) != "PATIENT":
        raise DicomError(f"The DICOM SEG '{path.name}' has no place in a patient.")
    return layers, _grid(volume), places


def _grid(volume: Any) -> Grid:
    """Return the grid of a volume whose affine maps indices (slice, row, column) to LPS [mm]."""
    columns = np.asarray(volume.affine, dtype=float)[:3, :3]
    spacing = np.linalg.norm(columns, axis=0)
    direction = (columns / spacing)[:, ::-1]  # to (column, row, slice), the order of ITK
    origin = np.asarray(volume.affine, dtype=float)[:3, 3]
    return Grid(volume.spatial_shape, tuple(spacing), tuple(origin), tuple(direction.ravel()))


def _segments(found: Any, places: list[tuple[int, int]]) -> tuple[Segment, ...]:
    segments = []
    for number, (layer, label) in zip(found.segment_numbers, places, strict=True):
        description = found.get_segment_description(number)
        regions = description.anatomic_regions or []
        segments.append(
            Segment(
                name=str(description.segment_label),
                layer=layer,
                label=label,
                key=str(number),
                code=str(description.segmented_property_type.value),
                region=str(regions[0].value) if regions else "",
            )
        )
    return tuple(segments)
