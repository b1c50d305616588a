"""RT Structure Sets with contours of shapes whose volume is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_images import FRAME

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def circle(centre_mm: Sequence[float], radius_mm: float, points: int = 180) -> np.ndarray:
    """Return a circle (points, 3) in an axial plane [mm]."""
    angle = np.linspace(0.0, 2.0 * np.pi, points, endpoint=False)
    x, y, z = centre_mm
    return np.stack(
        [x + radius_mm * np.cos(angle), y + radius_mm * np.sin(angle), np.full(points, z, dtype=float)], axis=1
    )


def write_rtstruct(
    path: Path, rois: Mapping[str, Sequence[np.ndarray]], frame: str = FRAME, code: tuple[str, str] | None = None
) -> Path:
    """Write regions by name, each as closed contours (points, 3) in LPS [mm]; the code goes to the first."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = RTSTRUCT, "2.25.40", "RTSTRUCT"
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID, dataset.StructureSetLabel = "2.25.41", "2.25.2", "drawn"
    reference = pydicom.Dataset()
    reference.FrameOfReferenceUID = frame
    dataset.ReferencedFrameOfReferenceSequence = [reference]
    dataset.StructureSetROISequence, dataset.ROIContourSequence, observations = [], [], []
    for number, (name, contours) in enumerate(rois.items(), start=1):
        item, drawn, observation = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        item.ROINumber, item.ROIName, item.ReferencedFrameOfReferenceUID = number, name, frame
        drawn.ReferencedROINumber, drawn.ContourSequence = number, []
        for points in contours:
            contour = pydicom.Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
            contour.ContourData = [f"{value:.4f}" for value in np.asarray(points).ravel()]
            drawn.ContourSequence.append(contour)
        observation.ObservationNumber, observation.ReferencedROINumber = number, number
        if code and number == 1:
            coded = pydicom.Dataset()
            coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning = code[0], "SCT", code[1]
            observation.RTROIIdentificationCodeSequence = [coded]
        dataset.StructureSetROISequence.append(item)
        dataset.ROIContourSequence.append(drawn)
        observations.append(observation)
    dataset.RTROIObservationsSequence = observations
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = RTSTRUCT
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
    return path
