"""Small DICOM series of values that say where they are, for readers to be tried on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

STUDY, FRAME = "2.25.2", "2.25.9"
CT, NM, PT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.128"
_MODALITIES = {CT: "CT", NM: "NM", PT: "PT"}


def image(
    stored: np.ndarray,
    position_mm: Sequence[float],
    number: int,
    *,
    orientation: Sequence[float] = (1, 0, 0, 0, 1, 0),
    series: str = "2.25.3",
    sop_class: str = CT,
    spacing_mm: tuple[float, float] = (2.0, 1.5),
    **changed: Any,
) -> pydicom.Dataset:
    """Return one image of stored values (rows, columns) or (frames, rows, columns), 16 bits signed."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, f"{series}.{number}"
    dataset.Modality, dataset.SeriesInstanceUID, dataset.StudyInstanceUID = _MODALITIES[sop_class], series, STUDY
    dataset.SeriesDescription, dataset.SeriesNumber, dataset.InstanceNumber = "test series", 4, number
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID, dataset.AccessionNumber = "20260101", "120000", "1", ""
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate, dataset.PatientSex = "Doe^Jane", "77", "", ""
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator, dataset.ReferringPhysicianName = FRAME, "", ""
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    dataset.PixelSpacing, dataset.SliceThickness = list(spacing_mm), 5
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = list(position_mm), list(orientation)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", "0"
    dataset.PixelData = np.ascontiguousarray(stored, dtype="<i2").tobytes()
    for keyword, value in changed.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def write_series(
    folder: Path,
    positions_mm: Sequence[Sequence[float]],
    change: Callable[[int], dict[str, Any]] = lambda number: {},
    shape: tuple[int, int] = (3, 4),
    **common: Any,
) -> list[Path]:
    """Write one file for each position; slice n holds 100 n + 10 row + column."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = np.indices(shape)
    paths = []
    for number, position in enumerate(positions_mm):
        stored = 100 * number + 10 * rows + columns
        dataset = image(stored, position, number, **{**common, **change(number)})
        path = folder / f"{dataset.SeriesInstanceUID[-1]}_{number:03d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def axial(heights_mm: Sequence[float]) -> list[tuple[float, float, float]]:
    """Return positions of axial slices."""
    return [(-5.0, 7.0, float(z)) for z in heights_mm]
