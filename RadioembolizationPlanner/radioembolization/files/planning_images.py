"""The DICOM series a plan was made on: whose it is, and where it lies, so that a dose can refer to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radioembolization.errors import DicomError, FileMissing, NoOverlap
from radioembolization.files.dicom_file import Dataset, read_dicom
from radioembolization.files.dicom_frames import planes_of, stacked, thickness_of
from radioembolization.images import Grid

#: What a dose takes over from its images (patient, general study and frame of reference modules).
IDENTITY = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
    *("PatientIdentityRemoved", "DeidentificationMethod"),
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "StudyDescription"),
    *("ReferringPhysicianName", "FrameOfReferenceUID", "PositionReferenceIndicator"),
)
_AT_LEAST_EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator"),
)
#: What must be the same in every file of a series.
_SAME = ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "SOPClassUID", "Rows", "Columns", "PixelSpacing")
#: Objects that may lie beside images in a folder and are none.
NO_IMAGES = ("RTDOSE", "RTSTRUCT", "RTPLAN", "RTRECORD", "SEG", "REG", "PR", "KO", "SR")
_NAMES_SHOWN = 3


@dataclass(frozen=True, eq=False)
class PlanningImages:
    """A DICOM series that a dose can refer to.

    Parameters
    ----------
    identity : mapping of str to str
        Attributes of patient, study and frame of reference by DICOM keyword, those of ``IDENTITY`` the images
        have.  They identify the patient.
    series_uid, sop_class_uid, modality : str
    instance_uids : tuple of str
        In the order of the frames; one for a multi-frame image.
    grid : Grid
        Where the series lies.
    """

    identity: Mapping[str, str]
    series_uid: str
    sop_class_uid: str
    modality: str
    instance_uids: tuple[str, ...]
    grid: Grid

    def __post_init__(self) -> None:
        for keyword in ("StudyInstanceUID", "FrameOfReferenceUID"):
            if not self.identity.get(keyword):
                raise DicomError(f"The planning images have no {keyword}: a dose cannot be tied to them.")

    def check_overlap(self, grid: Grid) -> None:
        """Raise ``NoOverlap`` if a grid shares no space with the images."""
        corners = np.array(list(np.ndindex(2, 2, 2))) * np.array(grid.shape) - 0.5
        index = self.grid.to_index(grid.to_lps(corners))
        if np.any(index.max(axis=0) < -0.5) or np.any(index.min(axis=0) > np.array(self.grid.shape) - 0.5):
            raise NoOverlap(
                "The dose shares no space with the planning images: choose the series the plan was made on, or one "
                "registered to it."
            )


def read_planning_images(source: Path | Sequence[Path]) -> PlanningImages:
    """Read what a dose needs to know of its planning images: one series of slices, or one multi-frame image.

    Parameters
    ----------
    source : path or sequence of paths
        A folder, of which files that are no DICOM images are passed over, or the files themselves.

    Raises
    ------
    FileMissing
        If there is no DICOM image.
    DicomError
        If there are several series or patients, slices are missing, or a file lacks its place; the message says which.
    """
    where, files = _files(source)
    datasets = dict(_images(files, strict=not isinstance(source, Path)))
    if not datasets:
        raise FileMissing(f"No DICOM image in '{where}': name the folder of a CT, SPECT or PET series.")
    _check_one_series(datasets, where)
    first = next(iter(datasets.values()))
    frames = [plane for path, dataset in datasets.items() for plane in planes_of(dataset, path.name)]
    positions = np.array([position for position, _, _ in frames])
    _check_parallel([orientation for _, orientation, _ in frames], where)
    _, orientation, spacing = frames[0]
    grid, order = stacked(
        positions, orientation, (int(first.Rows), int(first.Columns)), spacing, thickness_of(first), where
    )
    uids = [str(dataset.SOPInstanceUID) for dataset in datasets.values()]
    return PlanningImages(
        identity=_identity(first),
        series_uid=str(first.SeriesInstanceUID),
        sop_class_uid=str(first.SOPClassUID),
        modality=str(first.Modality),
        instance_uids=tuple(uids[i] for i in order) if len(uids) == len(order) else tuple(uids),
        grid=grid,
    )


def _files(source: Path | Sequence[Path]) -> tuple[str, list[Path]]:
    if not isinstance(source, Path):
        files = list(source)
        return (files[0].parent.name if files else "an empty list of files"), files
    if source.is_dir():
        return source.name, sorted(path for path in source.iterdir() if path.is_file())
    if source.is_file():
        return source.name, [source]
    raise FileMissing(f"'{source}' does not exist: name the folder of a DICOM series.")


def _images(files: Iterable[Path], strict: bool) -> Iterable[tuple[Path, Dataset]]:
    for path in files:
        try:
            dataset = read_dicom(path, pixels=False)
        except DicomError:
            if strict:
                raise
            continue
        if "SOPInstanceUID" in dataset and dataset.get("Modality", "") not in NO_IMAGES:
            yield path, dataset


def _check_one_series(datasets: Mapping[Path, Dataset], where: str) -> None:
    series: dict[str, list[Path]] = {}
    for path, dataset in datasets.items():
        series.setdefault(str(dataset.get("SeriesInstanceUID", "")), []).append(path)
    if len(series) > 1:
        said = []
        for paths in series.values():
            dataset = datasets[paths[0]]
            said.append(f"{dataset.get('Modality')} '{dataset.get('SeriesDescription', '')}' ({len(paths)} files)")
        raise DicomError(
            f"'{where}' holds {len(series)} series: {', '.join(said[:10])}. Name the files of one of them."
        )
    for keyword in _SAME:
        values: dict[str, Path] = {}
        for path, dataset in datasets.items():
            values.setdefault(str(dataset.get(keyword, "")), path)
        if len(values) > 1:
            said = [f"'{value}' in {path.name}" for value, path in values.items()]
            raise DicomError(f"The files of '{where}' differ in {keyword}: {', '.join(said[:_NAMES_SHOWN])}.")
    uids = [dataset.SOPInstanceUID for dataset in datasets.values()]
    if len(set(uids)) < len(uids):
        raise DicomError(f"'{where}' holds {len(uids) - len(set(uids))} files twice: keep one copy of each slice.")


def _check_parallel(orientations: Sequence[tuple[float, ...]], where: str) -> None:
    if float(np.abs(np.array(orientations) - np.array(orientations[0])).max()) > 1e-3:
        raise DicomError(f"The frames of '{where}' are not parallel: a localizer may be among them. Leave it out.")


def _identity(dataset: Dataset) -> dict[str, str]:
    from pydicom.multival import MultiValue

    identity = {}
    for keyword in IDENTITY:
        value = dataset.get(keyword)
        if value not in (None, ""):
            identity[keyword] = "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value)
    if "DeidentificationMethod" not in identity:
        identity.pop("PatientIdentityRemoved", None)  # by the standard one needs the other
    return identity


def set_identity(dataset: Dataset, identity: Mapping[str, str]) -> None:
    """Write the attributes of patient, study and frame of reference, unchanged even if the images bend the standard.

    Those that every file must have are at least empty.
    """
    from pydicom.config import disable_value_validation

    with disable_value_validation():
        for keyword in (*_AT_LEAST_EMPTY, *identity):
            setattr(dataset, keyword, identity.get(keyword, ""))
