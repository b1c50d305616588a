"""Structures from the contours of DICOM RT Structure Sets, as masks on the grid of the image they were drawn on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radioembolization.errors import ContoursInterpolated, DicomError, StructureError
from radioembolization.files.contours import mask_of_contours, usual_step
from radioembolization.files.dicom_file import Dataset, read_dicom
from radioembolization.files.reference_image import ReferenceImage
from radioembolization.files.segmentation_file import Segment, Segmentation, add_to_layers
from radioembolization.images import Grid

#: Points of a contour may lie off its plane by this part of a slice.
_FLAT_SLICES = 0.05
#: Contours are told to be coarser than the image from this many slices between them.
_COARSE_SLICES = 1.25


@dataclass(frozen=True, eq=False)
class Roi:
    """A region of interest.

    Parameters
    ----------
    number : int
    name : str
    contours : tuple of ndarray (points, 3)
        Closed contours, LPS [mm]; nested ones cut holes.
    code : str
        Of its type, empty if not stated.
    """

    number: int
    name: str
    contours: tuple[np.ndarray, ...]
    code: str = ""


def read_rtstruct(path: Path, reference: ReferenceImage) -> Segmentation:
    """Read an RT Structure Set as masks on the grid of the image its contours were drawn on.

    Contours are closed polygons in planes along the slices; those of one plane are combined by exclusive or, so that
    inner ones and keyholes are holes.  Each plane stands for the slab half-way to the next; a voxel belongs to a
    structure if about half of it is covered, so that volumes are kept.

    Parameters
    ----------
    path : Path
    reference : ReferenceImage

    Raises
    ------
    FrameOfReferenceMismatch
        If the contours lie in another frame of reference than the image.
    DicomError
        If the file is broken, or its contours do not run along the slices of the image.
    StructureError
        If no contour lies inside the image.
    """
    dataset = read_dicom(path)
    for uid in sorted(_frames_of_reference(dataset)) or [""]:
        reference.check_frame_of_reference(uid, path.name)
    rois = _rois(dataset, path)
    layers: list[np.ndarray] = []
    segments = []
    for roi in rois:
        layer, label = add_to_layers(layers, _mask(roi, reference.grid, path))
        segments.append(Segment(roi.name, layer, label, str(roi.number), roi.code))
    if not any(layer.any() for layer in layers):
        raise StructureError(
            f"None of the {len(rois)} structures of '{path.name}' reaches into {reference.name}: choose the image they "
            "were drawn on."
        )
    _warn_of_coarse_contours(rois, reference.grid, path)
    return Segmentation(path.name, np.stack(layers), reference.grid, tuple(segments))


def _frames_of_reference(dataset: Dataset) -> set[str]:
    found = {
        str(item.get("FrameOfReferenceUID", "")) for item in dataset.get("ReferencedFrameOfReferenceSequence") or []
    }
    found |= {str(roi.get("ReferencedFrameOfReferenceUID", "")) for roi in dataset.get("StructureSetROISequence") or []}
    return found - {""}


def _rois(dataset: Dataset, path: Path) -> list[Roi]:
    names = {int(item.ROINumber): str(item.get("ROIName", "")) for item in dataset.get("StructureSetROISequence") or []}
    codes = _codes(dataset)
    rois = []
    for item in dataset.get("ROIContourSequence") or []:
        number = int(item.ReferencedROINumber)
        contours = tuple(_points(contour, path) for contour in item.get("ContourSequence") or [] if _is_closed(contour))
        if contours:
            rois.append(Roi(number, names.get(number) or f"ROI {number}", contours, codes.get(number, "")))
    if not rois:
        raise DicomError(f"'{path.name}' holds no closed contours: export the structure set with its contours.")
    return rois


def _codes(dataset: Dataset) -> Mapping[int, str]:
    found = {}
    for item in dataset.get("RTROIObservationsSequence") or []:
        for code in item.get("RTROIIdentificationCodeSequence") or []:
            found[int(item.ReferencedROINumber)] = str(code.get("CodeValue", ""))
    return found


def _is_closed(contour: Dataset) -> bool:
    kind = str(contour.get("ContourGeometricType", ""))
    return kind.startswith("CLOSED") and len(contour.get("ContourData") or []) >= 9


def _points(contour: Dataset, path: Path) -> np.ndarray:
    try:
        numbers = np.array([float(value) for value in contour.ContourData])
    except (TypeError, ValueError) as error:
        raise DicomError(f"A contour of '{path.name}' has coordinates that are no numbers: {error}") from error
    if len(numbers) % 3 or not np.isfinite(numbers).all():
        raise DicomError(f"A contour of '{path.name}' has {len(numbers)} coordinates, not 3 finite ones per point.")
    return numbers.reshape(-1, 3)


def _mask(roi: Roi, grid: Grid, path: Path) -> np.ndarray:
    indices = [grid.to_index(contour) for contour in roi.contours]
    uneven = max(float(np.ptp(index[:, 0])) for index in indices)
    if uneven > _FLAT_SLICES:
        raise DicomError(
            f"Contours of '{roi.name}' in '{path.name}' cross the slices of the image (by {uneven:.2g} of them): they "
            "were drawn on another image or plane. Give that image, or convert them to .seg.nrrd in Slicer."
        )
    return mask_of_contours(indices, grid.shape)


def _warn_of_coarse_contours(rois: Sequence[Roi], grid: Grid, path: Path) -> None:
    coarse = {}
    for roi in rois:
        step = usual_step(np.array([grid.to_index(contour)[:, 0].mean() for contour in roi.contours]))
        if step > _COARSE_SLICES:
            coarse[roi.name] = step
    if coarse:
        said = ", ".join(f"'{name}' ({step:.3g} slices)" for name, step in list(coarse.items())[:5])
        warnings.warn(
            f"Contours of '{path.name}' are farther apart than the slices of the image: {said}. Slices between were "
            "given those of the nearest contour.",
            ContoursInterpolated,
            stacklevel=3,
        )
