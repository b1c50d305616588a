"""Planning images written as a new DICOM series, for cases that have none for a dose to refer to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import ImageError, InputError
from radioembolization.files.dicom_file import (
    RESEARCH_USE_ONLY,
    Dataset,
    checked_text,
    date_and_time,
    digest_of,
    new_dataset,
    number,
    uid_of,
    write_dicom,
)
from radioembolization.files.dicom_frames import as_frames, set_plane
from radioembolization.files.planning_images import PlanningImages, set_identity
from radioembolization.images import Grid, Unit, Volume, checked_counts

CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
NM_STORAGE = "1.2.840.10008.5.1.4.1.1.20"
_INT16, _UINT16 = np.iinfo(np.int16), np.iinfo(np.uint16)


def write_planning_images(
    volume: Volume, folder: Path, *, patient_name: str, patient_id: str, created: datetime | None = None
) -> PlanningImages:
    """Write a CT or scout as a new DICOM series in a new study; return what a dose refers to.

    A CT in HU becomes one CT image per slice, whole HU in 16 bits.  Scout counts become one nuclear medicine
    image (reconstructed tomogram) in 16 bits: counts are kept if they are whole and fit, and otherwise scaled
    to use all 16 bits, which keeps their proportions.  The frames are axial if the axes of the grid are those
    of the patient, whatever their order.  The same images for the same patient give the same files.

    Parameters
    ----------
    volume : Volume
        [HU] or [counts].
    folder : Path
        Made if it does not exist; files of another series in it are an error.
    patient_name, patient_id : str
        Name as DICOM writes it (family^given), at most 64 characters each; neither is taken from anywhere else.
    created : datetime, optional
        Date and time of the study; none without it.

    Raises
    ------
    ImageError
        If the unit is another, or the values do not fit.
    InputError
        If the folder holds other files, or a text does not fit.
    """
    array, grid = as_frames(volume.array, volume.grid)
    identity = _identity(patient_name, patient_id, created)
    if volume.unit is Unit.HU:
        datasets = _ct(array, grid, created)
    elif volume.unit is Unit.COUNTS:
        checked_counts(volume)  # ripple below zero is none, as in a plan; more is refused
        datasets = [_nm(np.maximum(array, 0), grid, created)]
    else:
        raise ImageError(f"Planning images are a CT in HU or a scout in counts, not an image in {volume.unit}.")
    series = _set_uids(datasets, identity)
    files = [folder / _file_name(dataset, count) for count, dataset in enumerate(datasets, start=1)]
    _check_folder(folder, {file.name for file in files})
    folder.mkdir(parents=True, exist_ok=True)
    for dataset, file in zip(datasets, files, strict=True):
        write_dicom(dataset, file)
    uids = tuple(str(dataset.SOPInstanceUID) for dataset in datasets)
    first = datasets[0]
    return PlanningImages(identity, series, str(first.SOPClassUID), str(first.Modality), uids, grid)


def _identity(patient_name: str, patient_id: str, created: datetime | None) -> dict[str, str]:
    if not patient_id:
        raise InputError("Planning images need a patient ID: give one, invented if the patient is to stay unknown.")
    date, time = date_and_time(created)
    identity = {
        "PatientName": checked_text("The patient name", patient_name),
        "PatientID": checked_text("The patient ID", patient_id),
        "StudyDate": date,
        "StudyTime": time,
        "StudyID": "1",
    }
    return {keyword: value for keyword, value in identity.items() if value}


def _file_name(dataset: Dataset, count: int) -> str:
    return f"{dataset.Modality.lower()}-{count:04d}.dcm"


def _check_folder(folder: Path, own: set[str]) -> None:
    other = sorted(path.name for path in folder.iterdir() if path.name not in own) if folder.is_dir() else []
    if other:
        raise InputError(f"Folder '{folder}' already holds other files ({other[0]}): name an empty or new one.")


def _set_uids(datasets: list[Dataset], identity: dict[str, str]) -> str:
    """Give all files of a series UIDs made from what they hold, add them to the identity; return the series UID."""
    for dataset in datasets:
        set_identity(dataset, identity)
    series = uid_of("series", *(digest_of(dataset) for dataset in datasets))
    identity |= {"StudyInstanceUID": uid_of("study", series), "FrameOfReferenceUID": uid_of("frame", series)}
    for count, dataset in enumerate(datasets, start=1):
        set_identity(dataset, identity)
        dataset.SeriesInstanceUID = series
        dataset.SOPInstanceUID = uid_of("instance", series, str(count))
    return series


def _image(
    sop_class_uid: str, modality: str, kind: list[str], bits_signed: bool, pixels: np.ndarray, created: datetime | None
) -> Dataset:
    """Return a data set with the modules that CT and NM images have in common."""
    dataset = new_dataset(sop_class_uid, modality, created)
    dataset.ImageType = ["DERIVED", *kind]
    dataset.SeriesDescription = f"{modality} for planning (research use only)"
    dataset.SeriesNumber, dataset.InstanceNumber = "1", "1"
    dataset.ImageComments = RESEARCH_USE_ONLY
    dataset.BodyPartExamined = "ABDOMEN"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(bits_signed)
    dataset.PixelData = np.ascontiguousarray(pixels, dtype="<i2" if bits_signed else "<u2").tobytes()
    return dataset


def _ct(array: np.ndarray, grid: Grid, created: datetime | None) -> list[Dataset]:
    """Return one data set per slice (CT image module, PS3.3 C.8.2.1)."""
    hu = np.rint(array)
    if hu.min() < _INT16.min or hu.max() > _INT16.max:
        raise ImageError(
            f"The CT runs from {array.min():g} to {array.max():g} HU; DICOM keeps {_INT16.min} to {_INT16.max}: "
            "check the unit, or clip what lies outside the patient."
        )
    datasets = []
    for frame, pixels in enumerate(hu):
        dataset = _image(CT_STORAGE, "CT", ["SECONDARY", "AXIAL"], True, pixels, created)
        dataset.InstanceNumber = str(frame + 1)
        dataset.KVP = dataset.AcquisitionNumber = dataset.PatientPosition = None
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "HU"
        set_plane(dataset, grid, frame)
        datasets.append(dataset)
    return datasets


def _nm(array: np.ndarray, grid: Grid, created: datetime | None) -> Dataset:
    """Return a reconstructed tomogram (nuclear medicine image, PS3.3 A.5 and C.8.4)."""
    from pydicom.sequence import Sequence

    pixels, scale = _whole_counts(array)
    dataset = _image(NM_STORAGE, "NM", ["PRIMARY", "RECON TOMO", "EMISSION"], False, pixels, created)
    if scale != 1.0:
        dataset.ImageComments = f"{RESEARCH_USE_ONLY} Counts are pixel values times {scale:.9g}."
    set_plane(dataset, grid)
    place: Any = type(dataset)()
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient"):
        place.add(dataset[keyword])
        delattr(dataset, keyword)
    place.CollimatorType = ""
    dataset.DetectorInformationSequence = Sequence([place])
    dataset.NumberOfFrames = dataset.NumberOfSlices = grid.shape[0]
    dataset.SpacingBetweenSlices = number(grid.spacing_mm[0])
    dataset.FrameIncrementPointer = 0x00540080  # slice vector
    dataset.SliceVector = list(range(1, grid.shape[0] + 1))
    dataset.NumberOfDetectors = dataset.NumberOfEnergyWindows = dataset.NumberOfRotations = 1
    dataset.CountsAccumulated = None
    for keyword in (
        *("EnergyWindowInformationSequence", "RadiopharmaceuticalInformationSequence", "RotationInformationSequence"),
        *("PatientOrientationCodeSequence", "PatientGantryRelationshipCodeSequence"),
    ):
        setattr(dataset, keyword, Sequence())
    return dataset


def _whole_counts(array: np.ndarray) -> tuple[np.ndarray, float]:
    """Return counts as whole numbers of 16 bits, and what to multiply them with to have counts again."""
    most = float(array.max())
    if most <= _UINT16.max and np.array_equal(array, np.rint(array)):
        return np.asarray(array), 1.0
    scale = most / _UINT16.max
    return np.rint(np.asarray(array, dtype=np.float64) / scale), scale
