"""Absorbed dose as DICOM RT Dose, written for a plan and read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Context, Decimal
from pathlib import Path

import numpy as np

from radioembolization.errors import DicomError, ImageError, InputError
from radioembolization.files.dicom_file import (
    LO_CHARACTERS,
    RESEARCH_USE_ONLY,
    Dataset,
    checked_text,
    digest_of,
    new_dataset,
    number,
    numbers_of,
    read_dicom,
    uid_of,
    write_dicom,
)
from radioembolization.files.dicom_frames import PLACE_TOLERANCE_MM, as_frames, plane_of, set_plane, stacked
from radioembolization.files.planning_images import PlanningImages, set_identity
from radioembolization.images import Grid, Unit, Volume

RTDOSE_STORAGE = "1.2.840.10008.5.1.4.1.1.481.2"
RTPLAN_STORAGE = "1.2.840.10008.5.1.4.1.1.481.5"
#: Largest dose of a plan that is taken for one [Gy].
DOSE_RANGE_GY = (1e-6, 1e6)
#: Share of the largest dose below zero that a convolution by Fourier transform may leave; it becomes zero.
ROUNDING_BELOW_ZERO = 1e-6

_DESCRIPTION = "{label} (research use only)"
LABEL_CHARACTERS = LO_CHARACTERS - len(_DESCRIPTION.format(label=""))
_MOST = np.iinfo(np.uint32).max
_COMMENT_CHARACTERS = 10000  # of the 10240 of a long text (LT)
_OFFSETS = 0x3004000C
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")


def write_rtdose(
    dose: Volume,
    path: Path,
    *,
    reference: PlanningImages | None,
    plan_label: str,
    comment: str = "",
    created: datetime | None = None,
    rt_plan_uid: str | None = None,
) -> str:
    """Write the dose of a plan as DICOM RT Dose; return its SOP Instance UID.

    Pixels are whole multiples of Dose Grid Scaling in 32 bits, so that what is read again differs by at most
    half of it: 1.2e-10 of the largest dose.  The same dose, label and images give the same file; another plan
    becomes another series of the same study.  The file appears complete or not at all.

    Parameters
    ----------
    dose : Volume
        [Gy]; its grid may have any orientation.
    path : Path
    reference : PlanningImages or None
        The images planned on: the dose takes over their patient (**with name and identifier**), study and frame
        of reference, and lists their instances.  ``None`` makes a study of its own without a patient.
    plan_label : str
        At most 44 characters; begins the series description.
    comment : str
        Put into Image Comments after the notice.
    created : datetime, optional
        Date and time of creation; none without it.
    rt_plan_uid : str, optional
        SOP Instance UID of a DICOM RT Plan, if there is one.  The type of summation PLAN must name one, so that
        without it a UID is made from the plan's dose and label which no file bears.

    Raises
    ------
    ImageError
        If the volume is no dose in Gy, has no dose or negative dose, or a largest dose outside 1e-6 to 1e6 Gy.
    NoOverlap
        If dose and images share no space.
    InputError
        If a text does not fit.
    """
    check_rtdose(dose, plan_label)
    if len(comment) > _COMMENT_CHARACTERS:
        raise InputError(f"The comment has {len(comment)} characters: at most {_COMMENT_CHARACTERS} fit.")
    if rt_plan_uid is not None and (len(rt_plan_uid) > 64 or not _UID.fullmatch(rt_plan_uid)):
        raise InputError(f"The RT Plan UID '{rt_plan_uid}' is no DICOM UID: numbers with dots, at most 64 characters.")
    array, grid = as_frames(dose.array, dose.grid)
    if reference is not None:
        reference.check_overlap(grid)
    dataset = _described(plan_label, comment, created)
    _set_grid(dataset, grid)
    _set_doses(dataset, array)
    _set_reference(dataset, reference)
    digest = digest_of(dataset)
    dataset.ReferencedRTPlanSequence = [_reference_to(RTPLAN_STORAGE, rt_plan_uid or uid_of("plan", digest))]
    dataset.SeriesInstanceUID = uid_of("series", digest)
    if reference is None:
        dataset.StudyInstanceUID = uid_of("study", digest)
        dataset.FrameOfReferenceUID = uid_of("frame", digest)
    dataset.SOPInstanceUID = uid_of("instance", digest, rt_plan_uid or "")
    write_dicom(dataset, path)
    return str(dataset.SOPInstanceUID)


def check_rtdose(dose: Volume, plan_label: str) -> None:
    """Raise what ``write_rtdose`` would of a dose and its label, before anything is written."""
    if not checked_text("The plan label", plan_label, LABEL_CHARACTERS).strip():
        raise InputError("A DICOM dose needs a plan label: name the plan.")
    if dose.unit is not Unit.GY:
        raise ImageError(f"A DICOM dose is in Gy; this image is in {dose.unit}.")
    least, most = float(dose.array.min()), float(dose.array.max())
    if least < -ROUNDING_BELOW_ZERO * max(most, 0.0):
        where = tuple(int(i) for i in np.unravel_index(int(dose.array.argmin()), dose.array.shape))
        raise ImageError(f"The dose is {least:g} Gy at index (z, y, x) = {where}: no dose is negative.")
    if most == 0.0:
        raise ImageError("The dose is zero everywhere: there is nothing to write.")
    if not DOSE_RANGE_GY[0] <= most <= DOSE_RANGE_GY[1]:
        raise ImageError(
            f"The largest dose is {most:g} Gy, outside {DOSE_RANGE_GY[0]:g} to {DOSE_RANGE_GY[1]:g} Gy: is it in Gy?"
        )


def _described(label: str, comment: str, created: datetime | None) -> Dataset:
    dataset = new_dataset(RTDOSE_STORAGE, "RTDOSE", created)
    dataset.SeriesDescription = _DESCRIPTION.format(label=label)
    dataset.SeriesNumber, dataset.InstanceNumber = None, "1"
    dataset.OperatorsName = ""
    dataset.DoseComment = RESEARCH_USE_ONLY
    dataset.ImageComments = f"{RESEARCH_USE_ONLY} {comment}".strip()
    dataset.DoseUnits, dataset.DoseType, dataset.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    return dataset


def _set_grid(dataset: Dataset, grid: Grid) -> None:
    set_plane(dataset, grid)
    dataset.NumberOfFrames = grid.shape[0]
    dataset.FrameIncrementPointer = _OFFSETS
    dataset.GridFrameOffsetVector = [number(frame * grid.spacing_mm[0]) for frame in range(grid.shape[0])]


def _set_doses(dataset: Dataset, array: np.ndarray) -> None:
    """Write doses as multiples of a scaling whose text is rounded up, so that the largest still fits."""
    largest = Decimal(float(array.max()))
    text = f"{Context(prec=10, rounding=ROUND_CEILING).divide(largest, Decimal(int(_MOST))):E}"
    pixels = np.rint(np.maximum(array, 0.0).astype(np.float64) / float(text)).astype("<u4")
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 32, 32, 31, 0
    dataset.DoseGridScaling = text
    dataset.PixelData = np.ascontiguousarray(pixels).tobytes()


def _set_reference(dataset: Dataset, reference: PlanningImages | None) -> None:
    from pydicom.config import disable_value_validation

    identity: Mapping[str, str] = {} if reference is None else reference.identity
    set_identity(dataset, identity)
    if reference is None:
        return
    series = type(dataset)()
    with disable_value_validation():
        series.SeriesInstanceUID = reference.series_uid
    series.ReferencedInstanceSequence = _references(reference)
    dataset.ReferencedSeriesSequence = [series]
    dataset.ReferencedImageSequence = _references(reference)


def _references(images: PlanningImages) -> list[Dataset]:
    return [_reference_to(images.sop_class_uid, uid) for uid in images.instance_uids]


def _reference_to(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    from pydicom.config import disable_value_validation
    from pydicom.dataset import Dataset as Item

    item = Item()
    with disable_value_validation():  # images in use have UIDs that bend the standard
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class_uid, sop_instance_uid
    return item


def read_rtdose(path: Path) -> Volume:
    """Read a DICOM RT Dose as a volume [Gy] of float64.

    Frames may be offset relatively or, in axial images, absolutely (PS3.3 C.8.8.3.2), in either sense.

    Raises
    ------
    FileMissing
        If the file does not exist.
    DicomError
        If it is no dose grid in Gy, or its frames have no place or uneven offsets.
    """
    dataset = read_dicom(path)
    if dataset.get("SOPClassUID") != RTDOSE_STORAGE:
        raise DicomError(f"File '{path.name}' is {dataset.get('Modality', 'unknown')}, not a DICOM RT Dose.")
    units, kind = dataset.get("DoseUnits"), dataset.get("DoseType")
    if units != "GY" or kind == "ERROR" or "PixelData" not in dataset:
        raise DicomError(
            f"File '{path.name}' has no dose grid in Gy (DoseUnits {units}, DoseType {kind}): relative dose, "
            "uncertainties and histograms alone cannot be read."
        )
    scaling = numbers_of(dataset, "DoseGridScaling", 1, path.name)[0]
    grid, order = _grid(dataset, path.name)
    try:
        pixels = dataset.pixel_array.reshape(grid.shape)
    except (AttributeError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DicomError(f"The pixels of '{path.name}' cannot be read: {error}") from error
    return Volume(pixels[order] * scaling, grid, Unit.GY)


def _grid(dataset: Dataset, name: str) -> tuple[Grid, np.ndarray]:
    position, orientation, spacing = plane_of(dataset, name)
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    offsets = np.zeros(1)
    if frames > 1:
        offsets = np.array(numbers_of(dataset, "GridFrameOffsetVector", frames, name))
    normal = np.cross(orientation[:3], orientation[3:])
    if abs(offsets[0]) > PLACE_TOLERANCE_MM:  # absolute: z of the patient
        if abs(offsets[0] - position[2]) > PLACE_TOLERANCE_MM or abs(normal[2]) < 1 - 1e-6:
            raise DicomError(
                f"The frame offsets of '{name}' begin with {offsets[0]:g} mm, neither 0 nor the z of axial images."
            )
        offsets = (offsets - offsets[0]) * normal[2]
    thickness = dataset.get("SliceThickness")
    rows_columns = (int(dataset.Rows), int(dataset.Columns))
    places = position + offsets[:, None] * normal
    return stacked(places, orientation, rows_columns, spacing, float(thickness) if thickness else None, name)
