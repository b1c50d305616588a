"""The images of a case: files, or folders of DICOM series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from radioembolization.errors import CaseFileError
from radioembolization.files.dicom_series import is_dicom, read_dicom_series
from radioembolization.files.image_file import read_volume
from radioembolization.files.reference_image import ReferenceImage
from radioembolization.files.toml_table import Table
from radioembolization.files.transform_file import read_transform
from radioembolization.images import Unit, Volume


@dataclass(frozen=True, eq=False)
class CaseImages:
    """Scout and CT as read, each on its own grid.

    Parameters
    ----------
    scout, ct : Volume, optional
        Counts and HU.
    files : mapping of str to tuple of Path
        What was read, by ``"scout"``, ``"ct"`` and, where they are moved, ``"scout_transform"``, ``"ct_transform"``.
    reference : ReferenceImage, optional
        The CT, else the scout, as what structures are used with.
    """

    scout: Volume | None = None
    ct: Volume | None = None
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    reference: ReferenceImage | None = None


def read_case_images(table: Table, folder: Path) -> CaseImages:
    """Read what ``[images]`` names, relative to a folder; errors as of ``read_volume`` and ``read_dicom_series``."""
    volumes: dict[str, Volume] = {}
    files: dict[str, tuple[Path, ...]] = {}
    reference = None
    for part, unit in (("scout", Unit.COUNTS), ("ct", Unit.HU)):
        text, series_uid = table.text(part, ""), table.text(f"{part}_series", "")
        moved_by = table.text(f"{part}_transform", "")
        if not text:
            if moved_by:
                raise CaseFileError(f"{table.where}.{part}_transform moves an image that is not named: add {part}.")
            continue
        volumes[part], files[part], uid = _read((folder / text).resolve(), unit, series_uid)
        if moved_by:
            files[f"{part}_transform"] = ((folder / moved_by).resolve(),)
            volumes[part] = _moved(volumes[part], part, files[f"{part}_transform"][0])
            uid = ""  # it lies in the frame of another image now
        name = "the CT" if part == "ct" else "the scout image"
        reference = ReferenceImage(name, volumes[part].grid, uid)  # the CT comes last and is preferred
    return CaseImages(volumes.get("scout"), volumes.get("ct"), files, reference)


def _moved(volume: Volume, part: str, path: Path) -> Volume:
    """Return an image in the planning frame by a rigid transform: its grid is moved, its voxels stay what they are."""
    transform = read_transform(path)
    if not transform.is_rigid:
        raise CaseFileError(
            f"images.{part}_transform: '{path.name}' is affine, which would change volumes and counts of the {part}: "
            "use a rigid transform, or write the resampled image and name that."
        )
    return transform.moved(volume)


def read_case_image(path: Path, unit: Unit, series_uid: str = "") -> Volume:
    """Read one image, a file or a folder of a DICOM series; errors as of ``read_volume`` and ``read_dicom_series``."""
    return _read(path, unit, series_uid)[0]


def read_case_image_of_files(path: Path, unit: Unit) -> tuple[Volume, tuple[Path, ...]]:
    """Read one image as ``read_case_image`` does; return it with its files."""
    volume, files, _ = _read(path, unit, "")
    return volume, files


def _read(path: Path, unit: Unit, series_uid: str) -> tuple[Volume, tuple[Path, ...], str]:
    """Return an image, its files and its frame of reference, empty if it has none."""
    if path.is_dir() or (path.is_file() and is_dicom(path)):
        series = read_dicom_series(path, unit, series_uid)
        return series.volume, series.files, series.frame_of_reference
    return read_volume(path, unit), (path,), ""
