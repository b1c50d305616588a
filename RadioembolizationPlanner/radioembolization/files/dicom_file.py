"""What all DICOM files written here share: UIDs made from content, numbers as text, and writing whole or not at all."""

from __future__ import annotations

import hashlib
import io
import math
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import radioembolization
from radioembolization.errors import DicomError, FileMissing, InputError
from radioembolization.files.replacing import replacing

RESEARCH_USE_ONLY = "Research use only; not a medical device."
#: A pydicom data set; pydicom is imported where it is used.
Dataset = Any

_PRODUCT = "RadioembolizationPlanner"
_NAMESPACE = uuid.uuid5(
    uuid.NAMESPACE_URL, "https://github.com/RadioembolizationPlanner/SlicerRadioembolizationPlanner"
)
#: Longest text of the value representation LO in characters (PS3.5 section 6.2).
LO_CHARACTERS = 64


def uid_of(*parts: str) -> str:
    """Return a UID that is always the same for the same texts.

    A name-based UUID (version 5) under the root 2.25, as PS3.5 section B.2 allows: at most 44 characters.
    """
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(0).join(parts)).int}"


def number(value: float) -> str:
    """Return a number as a decimal string (DS) of at most 16 characters, the nearest that fits.

    A length in millimetres or a direction cosine keeps 12 digits or more.
    """
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(round(float(value), 13) + 0.0)


def checked_text(what: str, text: str, characters: int = LO_CHARACTERS) -> str:
    """Return a text that fits into one value of a DICOM attribute.

    Raises
    ------
    InputError
        If it is too long, or holds a backslash (which separates values) or a control character.
    """
    if len(text) > characters:
        raise InputError(f"{what} '{text}' has {len(text)} characters: DICOM allows {characters} here.")
    if "\\" in text or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise InputError(f"{what} {text!r} has a backslash or control character, which DICOM does not allow here.")
    return text


def new_dataset(sop_class_uid: str, modality: str, created: datetime | None) -> Dataset:
    """Return a data set with what every file written here says of itself.

    Parameters
    ----------
    created : datetime, optional
        Goes into the file; without it the file has no time of creation.
    """
    from pydicom.dataset import Dataset as NewDataset

    dataset = NewDataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"  # UTF-8
    dataset.SOPClassUID = sop_class_uid
    dataset.Modality = modality
    dataset.Manufacturer = _PRODUCT
    dataset.ManufacturerModelName = _PRODUCT
    dataset.SoftwareVersions = radioembolization.__version__
    dataset.ContentDate, dataset.ContentTime = date_and_time(created)
    if created is not None:
        dataset.InstanceCreationDate, dataset.InstanceCreationTime = date_and_time(created)
    return dataset


def date_and_time(moment: datetime | None) -> tuple[str, str]:
    """Return a moment as DICOM date (DA) and time (TM), empty for none."""
    return ("", "") if moment is None else (moment.strftime("%Y%m%d"), moment.strftime("%H%M%S"))


def digest_of(dataset: Dataset) -> str:
    """Return the SHA256 of a data set as it will be encoded."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, dataset)
    return hashlib.sha256(stream.getvalue()).hexdigest()


def write_dicom(dataset: Dataset, path: Path) -> None:
    """Write a data set with Explicit VR Little Endian; the file appears complete or not at all."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid_of("implementation"))
    meta.ImplementationVersionName = f"REPLAN {radioembolization.__version__}"[:16]
    dataset.file_meta = meta
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    with replacing(path) as temporary:
        temporary.write_bytes(stream.getbuffer())


def read_dicom(path: Path, pixels: bool = True) -> Dataset:
    """Read a DICOM file.

    Raises
    ------
    FileMissing
        If it does not exist.
    DicomError
        If it is no DICOM file.
    """
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    if not path.is_file():
        raise FileMissing(f"File '{path.name}' does not exist in '{path.parent}': check the path.")
    try:
        return dcmread(path, stop_before_pixels=not pixels)
    except (InvalidDicomError, EOFError, ValueError, KeyError, NotImplementedError) as error:
        raise DicomError(f"File '{path.name}' is no readable DICOM file: {error}") from error


def numbers_of(dataset: Dataset, keyword: str, count: int, name: str) -> tuple[float, ...]:
    """Return the finite numbers of an attribute; ``DicomError`` naming it and the file if they are not that many."""
    value = dataset.get(keyword)
    try:
        found = tuple(float(part) for part in (value if hasattr(value, "__iter__") else [value]))
    except (TypeError, ValueError):
        found = ()
    if len(found) != count or not all(math.isfinite(part) for part in found):
        raise DicomError(f"File '{name}' has {keyword} = {value!r}, not {count} number{'s' if count > 1 else ''}.")
    return found
