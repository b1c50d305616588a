"""Structures from any file or folder that holds them, told apart by content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from radioembolization.errors import DicomError, FileMissing, StructureError
from radioembolization.files.dicom_file import read_dicom
from radioembolization.files.dicom_seg import read_dicom_seg
from radioembolization.files.dicom_series import dicom_files, is_dicom
from radioembolization.files.planning_images import read_planning_images
from radioembolization.files.reference_image import ReferenceImage
from radioembolization.files.rtstruct import read_rtstruct
from radioembolization.files.segmentation_file import Segment, Segmentation, add_to_layers, read_segmentation

_READ = "a .seg.nrrd, a label map (NIfTI, NRRD), a DICOM SEG or RT Structure Set, or a folder with one of them"
_LABEL_MAPS = (".nii.gz", ".nii", ".nrrd", ".mha")


def read_structures(
    path: Path, labels: Mapping[str, int] | None = None, reference: ReferenceImage | None = None
) -> Segmentation:
    """Read the structures in a file or folder.

    Parameters
    ----------
    path : Path
        A ``.seg.nrrd``; a label map; a DICOM Segmentation or RT Structure Set; or a folder that holds one DICOM object
        of these kinds, or one label map for each structure.
    labels : mapping of str to int, optional
        Names for the values of a label map.
    reference : ReferenceImage, optional
        The image the structures are used with.  Contours need it, unless their images lie in the same folder.

    Raises
    ------
    FileMissing
        If there is nothing to read.
    StructureError, DicomError, FrameOfReferenceMismatch
        If what there is cannot be used; the message says why.
    """
    if path.is_dir():
        return _of_folder(path, labels, reference)
    if not path.is_file():
        raise FileMissing(f"File '{path.name}' does not exist in '{path.parent}': check the path.")
    return _of_dicom(path, reference) if is_dicom(path) else read_segmentation(path, labels)


def structure_paths(path: Path) -> list[Path]:
    """Return the files that ``read_structures`` reads structures from."""
    return (
        [path] if not path.is_dir() else ([p for p in dicom_files(path) if _holds_structures(p)] or _label_maps(path))
    )


def _of_dicom(path: Path, reference: ReferenceImage | None) -> Segmentation:
    modality = str(read_dicom(path, pixels=False).get("Modality", ""))
    if modality == "SEG":
        return read_dicom_seg(path, reference)
    if modality != "RTSTRUCT":
        raise DicomError(f"'{path.name}' is a DICOM file of modality {modality} and holds no structures: name {_READ}.")
    if reference is None:
        reference = _images_beside(path)
    return read_rtstruct(path, reference)


def _images_beside(path: Path) -> ReferenceImage:
    try:
        images = read_planning_images(path.parent)
    except (DicomError, FileMissing) as error:
        raise DicomError(
            f"The contours of '{path.name}' need the image they were drawn on: give it as images.ct, or put its series "
            f"beside them. ({error})"
        ) from error
    return ReferenceImage("the images beside it", images.grid, images.identity["FrameOfReferenceUID"])


def _of_folder(folder: Path, labels: Mapping[str, int] | None, reference: ReferenceImage | None) -> Segmentation:
    objects = [path for path in dicom_files(folder) if _holds_structures(path)]
    if len(objects) > 1:
        said = ", ".join(f"'{path.relative_to(folder)}' ({_described(path)})" for path in objects[:10])
        raise StructureError(f"'{folder.name}' holds {len(objects)} DICOM objects with structures: name one of {said}.")
    if objects:
        return _of_dicom(objects[0], reference)
    maps = _label_maps(folder)
    if len(maps) == 1:
        return read_segmentation(maps[0], labels)
    if not maps:
        raise FileMissing(f"Folder '{folder.name}' holds no structures: name {_READ}.")
    return _one_structure_each(folder, maps)


def _holds_structures(path: Path) -> bool:
    return str(read_dicom(path, pixels=False).get("Modality", "")) in ("SEG", "RTSTRUCT")


def _described(path: Path) -> str:
    dataset = read_dicom(path, pixels=False)
    name = dataset.get("SeriesDescription") or dataset.get("StructureSetLabel") or "no name"
    return f"{dataset.get('Modality')}, {name}"


def _label_maps(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name.lower().endswith(_LABEL_MAPS))


def _one_structure_each(folder: Path, maps: list[Path]) -> Segmentation:
    """Return masks named as their files, as TotalSegmentator writes them; voxels above zero belong to them."""
    layers: list[np.ndarray] = []
    segments = []
    first = read_segmentation(maps[0])
    for path in maps:
        one = read_segmentation(path)
        if one.grid != first.grid or len(one.layers) != 1:
            raise StructureError(
                f"'{path.name}' in '{folder.name}' has another grid than '{maps[0].name}': a folder of "
                "structures needs one grid. Name a single file."
            )
        segments.append(Segment(_stem(path), *add_to_layers(layers, one.layers[0] > 0), path.name))
    return Segmentation(folder.name, np.stack(layers), first.grid, tuple(segments))


def _stem(path: Path) -> str:
    name = path.name
    return next((name[: -len(ending)] for ending in _LABEL_MAPS if name.lower().endswith(ending)), name)
