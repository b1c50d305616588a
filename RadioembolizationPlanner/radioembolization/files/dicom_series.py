"""CT, SPECT, PET and MR from the DICOM files of a folder, each slice in its place and in its unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radioembolization.errors import DicomError, FileMissing, ImageError
from radioembolization.files.dicom_file import Dataset, read_dicom
from radioembolization.files.dicom_frames import planes_of, stacked, thickness_of
from radioembolization.files.dicom_pixels import frames_of
from radioembolization.files.dicom_stack import check_stack
from radioembolization.files.planning_images import NO_IMAGES
from radioembolization.images import Grid, Unit, Volume

#: What must be the same in every file of a series, beside their orientation.
_SAME = ("PatientID", "FrameOfReferenceUID", "Rows", "Columns", "PixelSpacing", "Modality", "RescaleType", "Units")
#: Modalities whose numbers can be in a unit.
_MODALITIES = {Unit.HU: ("CT",), Unit.BQ_PER_ML: ("NM", "PT"), Unit.COUNTS: ("NM", "PT")}
_SHOWN = 10


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """An image read from DICOM, with what ties other objects to it.

    Parameters
    ----------
    volume : Volume
    uid : str
        Series Instance UID.
    frame_of_reference : str
        UID; empty if the files have none.
    modality, description : str
    files : tuple of Path
        In the order of the slices.
    """

    volume: Volume
    uid: str
    frame_of_reference: str
    modality: str
    description: str
    files: tuple[Path, ...]


def read_dicom_series(source: Path, unit: Unit, series_uid: str = "") -> DicomSeries:
    """Read one series of slices, or one multi-frame image, as a volume.

    Parameters
    ----------
    source : Path
        A folder, searched with all folders in it for DICOM images; or one file.
    unit : Unit
        What the numbers shall be: HU of a CT, counts or Bq/mL of a SPECT or PET.
    series_uid : str
        Series Instance UID, needed where there are several series.

    Raises
    ------
    FileMissing
        If there is no DICOM image.
    DicomError
        If a series has to be chosen (the message lists them), its slices are no regular stack, it is of another
        modality, or its files belong to different patients or frames of reference.
    ImageError
        If its values are not in the unit.
    """
    datasets = _chosen(_headers(source), source.name, series_uid)
    files, first = list(datasets), next(iter(datasets.values()))
    _check_same(datasets, source.name)
    _check_modality(first, unit, source.name)
    frames = [plane for path, dataset in datasets.items() for plane in planes_of(dataset, path.name)]
    positions = np.array([position for position, _, _ in frames])
    check_stack(positions, [orientation for _, orientation, _ in frames], _names(datasets, len(frames)), source.name)
    grid, order = stacked(
        positions, frames[0][1], (int(first.Rows), int(first.Columns)), frames[0][2], thickness_of(first), source.name
    )
    array = _pixels(files, order, grid, unit)
    try:
        volume = Volume(array, grid, unit)
    except ImageError as error:
        raise ImageError(f"Series in '{source.name}': {error}") from error
    return DicomSeries(
        volume=volume,
        uid=str(first.get("SeriesInstanceUID", "")),
        frame_of_reference=str(first.get("FrameOfReferenceUID", "")),
        modality=str(first.get("Modality", "")),
        description=str(first.get("SeriesDescription", "")),
        files=tuple(files[i] for i in order) if len(files) == len(order) else tuple(files),
    )


def is_dicom(path: Path) -> bool:
    """Return whether a file begins as DICOM files do (PS3.10 section 7.1)."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def dicom_files(source: Path) -> list[Path]:
    """Return the DICOM files of a folder and all in it, or the file itself.

    Raises
    ------
    FileMissing
        If the path does not exist.
    """
    if not source.exists():
        raise FileMissing(f"'{source}' does not exist: name the folder of a DICOM series.")
    paths = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    return [path for path in paths if is_dicom(path)]


def _headers(source: Path) -> dict[Path, Dataset]:
    found = {}
    for path in dicom_files(source):
        dataset = read_dicom(path, pixels=False)
        if dataset.get("Rows") and dataset.get("Modality", "") not in NO_IMAGES:
            found[path] = dataset
    if not found:
        raise FileMissing(f"No DICOM image in '{source.name}': name the folder of a CT, SPECT or PET series.")
    return found


def _chosen(datasets: Mapping[Path, Dataset], where: str, series_uid: str) -> dict[Path, Dataset]:
    series: dict[str, dict[Path, Dataset]] = {}
    for path, dataset in datasets.items():
        series.setdefault(str(dataset.get("SeriesInstanceUID", "")), {})[path] = dataset
    if series_uid in series:
        return series[series_uid]
    if series_uid or len(series) > 1:
        said = "; ".join(f"{_said(list(members.values()))}: {uid}" for uid, members in list(series.items())[:_SHOWN])
        asked = f"has no series {series_uid}" if series_uid else f"holds {len(series)} series"
        raise DicomError(
            f"'{where}' {asked}. Choose one by its Series Instance UID (in a case file ct_series or scout_series): "
            f"{said}."
        )
    return next(iter(series.values()))


def _said(datasets: Sequence[Dataset]) -> str:
    first = datasets[0]
    frames = sum(int(dataset.get("NumberOfFrames", 1) or 1) for dataset in datasets)
    number = first.get("SeriesNumber")
    return f"number {number}, {first.get('Modality')} '{first.get('SeriesDescription', '')}', {frames} slices"


def _check_same(datasets: Mapping[Path, Dataset], where: str) -> None:
    for keyword in _SAME:
        values: dict[str, Path] = {}
        for path, dataset in datasets.items():
            values.setdefault(str(dataset.get(keyword, "")), path)
        if len(values) > 1:
            shown = list(values.items())[:3]
            said = ", ".join(path.name if keyword == "PatientID" else f"{v!r} in {path.name}" for v, path in shown)
            raise DicomError(f"The files of '{where}' differ in {keyword} ({said}): keep those that belong together.")


def _check_modality(first: Dataset, unit: Unit, where: str) -> None:
    modality = str(first.get("Modality", ""))
    allowed = _MODALITIES.get(unit)
    if allowed and modality not in allowed:
        raise DicomError(f"'{where}' is of modality {modality}; an image in {unit} is {' or '.join(allowed)}.")
    kind = [str(word).upper() for word in first.get("ImageType", None) or []]
    if modality == "NM" and not any("RECON" in word for word in kind) and any(_is_projection(word) for word in kind):
        raise DicomError(f"'{where}' is no reconstructed SPECT but '{'/'.join(kind)}': choose the reconstruction.")
    if unit is Unit.BQ_PER_ML and modality == "PT" and str(first.get("Units", "")) != "BQML":
        raise ImageError(f"The PET in '{where}' is in {first.get('Units')!r}, not in BQML: choose the series in Bq/mL.")


def _is_projection(word: str) -> bool:
    """Return whether a value of Image Type of nuclear medicine (PS3.3 section C.8.4.9.1.1) is no volume."""
    return word in ("TOMO", "STATIC", "WHOLE BODY", "DYNAMIC", "GATED")


def _names(datasets: Mapping[Path, Dataset], frames: int) -> list[str]:
    """Return what to call each frame in messages."""
    if len(datasets) == frames:
        return [path.name for path in datasets]
    counts = [(path.name, int(dataset.get("NumberOfFrames", 1) or 1)) for path, dataset in datasets.items()]
    return [f"frame {k + 1} of {name}" for name, count in counts for k in range(count)]


def _pixels(files: Sequence[Path], order: np.ndarray, grid: Grid, unit: Unit) -> np.ndarray:
    """Return the values (z, y, x) of all frames in the order of the stack; whole numbers stay so if they all are."""
    parts = [frames_of(read_dicom(path), path, unit) for path in files]
    array = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if array.shape != (len(order), *grid.shape[1:]):
        raise DicomError(
            f"The pixels of '{files[0].name}' are {array.shape} (frames, rows, columns), its places are for "
            f"{grid.shape}: the file may hold several energy windows or time points. Export one of them."
        )
    return np.ascontiguousarray(array[order])
