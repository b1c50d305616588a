"""Pixels of DICOM images in their unit, each frame with its own rescaling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from radioembolization.errors import DicomError, ImageError
from radioembolization.files.dicom_file import Dataset
from radioembolization.images import Unit

#: Pixels that pydicom reads without a further package (PS3.6 table A-1): uncompressed, and run-length encoded.
_PLAIN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5")


def frames_of(dataset: Dataset, path: Path, unit: Unit) -> np.ndarray:
    """Return the values (frames, rows, columns) of a file in a unit.

    Stored whole numbers with whole slopes stay whole, others become float32.

    Raises
    ------
    DicomError
        If the pixels are absent, in colour or cannot be decoded.
    ImageError
        If the file does not say how its numbers become Bq/mL.
    """
    if int(dataset.get("SamplesPerPixel", 1) or 1) != 1:
        raise DicomError(f"'{path.name}' is a picture in colour, no image of values: choose the original series.")
    slopes, intercepts = _rescaling(dataset, path, unit)
    if str(dataset.file_meta.TransferSyntaxUID) not in _PLAIN:
        return _decoded_by_itk(path, dataset, slopes, intercepts)
    try:
        stored = dataset.pixel_array
    except (AttributeError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DicomError(f"The pixels of '{path.name}' cannot be read: {error}") from error
    stored = stored.reshape(-1, *stored.shape[-2:])
    if len(slopes) not in (1, len(stored)):
        raise DicomError(f"'{path.name}' has {len(stored)} frames but rescaling for {len(slopes)}: export it anew.")
    return _scaled(stored, slopes, intercepts)


def _scaled(stored: np.ndarray, slopes: np.ndarray, intercepts: np.ndarray) -> np.ndarray:
    if np.all(slopes == np.round(slopes)) and np.all(intercepts == np.round(intercepts)):
        shift = intercepts.astype(np.int64)[:, None, None]
        whole = stored.astype(np.int64) * slopes.astype(np.int64)[:, None, None] + shift
        fits = whole.min(initial=0) >= -32768 and whole.max(initial=0) <= 32767
        return whole.astype(np.int16 if fits else np.int32)
    return (stored * slopes[:, None, None] + intercepts[:, None, None]).astype(np.float32)


def _rescaling(dataset: Dataset, path: Path, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and intercept, one of each or one for each frame."""
    if unit is Unit.BQ_PER_ML and str(dataset.get("Modality", "")) == "NM":
        return _real_world(dataset, path)
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or [{}]
    pairs = []
    for own in groups:
        sequence = next(
            (
                g.get("PixelValueTransformationSequence")
                for g in (own, shared[0])
                if g.get("PixelValueTransformationSequence")
            ),
            None,
        )
        pairs.append((sequence[0].RescaleSlope, sequence[0].RescaleIntercept) if sequence else (1.0, 0.0))
    if not pairs:
        pairs = [(dataset.get("RescaleSlope", 1.0), dataset.get("RescaleIntercept", 0.0))]
    try:
        numbers = np.array([[float(1.0 if a in (None, "") else a), float(b or 0.0)] for a, b in pairs])
    except (TypeError, ValueError):
        numbers = np.full((1, 2), np.nan)
    if not np.isfinite(numbers).all() or np.any(numbers[:, 0] == 0.0):
        raise DicomError(f"'{path.name}' has no usable RescaleSlope and RescaleIntercept: export it anew.")
    return numbers[:, 0], numbers[:, 1]


def _real_world(dataset: Dataset, path: Path) -> tuple[np.ndarray, np.ndarray]:
    for item in dataset.get("RealWorldValueMappingSequence") or []:
        codes = [str(code.get("CodeValue", "")) for code in item.get("MeasurementUnitsCodeSequence") or []]
        if codes == ["Bq/ml"] and item.get("RealWorldValueSlope"):
            slope, intercept = float(item.RealWorldValueSlope), float(item.get("RealWorldValueIntercept", 0.0))
            return np.array([slope]), np.array([intercept])
    raise ImageError(
        f"The SPECT '{path.name}' does not say how counts become Bq/mL (no real world value mapping): export a "
        "quantitative reconstruction, or use it as counts."
    )


def _decoded_by_itk(path: Path, dataset: Dataset, slopes: np.ndarray, intercepts: np.ndarray) -> np.ndarray:
    """Return the values of a compressed file: SimpleITK brings the decoders, and rescales by the header's own slope."""
    try:
        array = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    except RuntimeError as error:
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise DicomError(
            f"The pixels of '{path.name}' ({syntax}) cannot be decoded: export it uncompressed."
        ) from error
    array = array.reshape(-1, *array.shape[-2:])
    own_slope, own_intercept = (
        float(dataset.get("RescaleSlope", 1.0) or 1.0),
        float(dataset.get("RescaleIntercept", 0) or 0),
    )
    if len(slopes) == 1 and (slopes[0], intercepts[0]) == (own_slope, own_intercept):
        return array
    if "RescaleSlope" in dataset:
        array = (array - own_intercept) / own_slope
    return (
        _scaled(array, slopes, intercepts)
        if np.issubdtype(array.dtype, np.integer)
        else (array * slopes[:, None, None] + intercepts[:, None, None]).astype(np.float32)
    )
