"""The perfused volume of a site in a case file: segments, a mask of its own, or what a contrast CT shows."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from radioembolization.errors import CaseFileError, PerfusedVolumeUncertain
from radioembolization.files.case_images import read_case_image_of_files
from radioembolization.files.case_structures import CaseStructures, union
from radioembolization.files.segmentation_file import Segmentation
from radioembolization.files.structure_files import read_structures, structure_paths
from radioembolization.files.toml_table import Table
from radioembolization.images import Unit, Volume
from radioembolization.structures import Role
from radioembolization.structures.editing import Region
from radioembolization.structures.findings import Severity
from radioembolization.structures.segmentation.perfused_volume import perfused_from_cbct
from radioembolization.treatment import SourceMask

#: An image of no more whole numbers than these is a label map.
_MOST_LABELS = 32


def perfused_volume(
    table: Table, name: str, folder: Path, drawn: CaseStructures, files: dict[str, tuple[Path, ...]]
) -> SourceMask:
    """Return the perfused volume: segments, of a file of its own if it has one, or what a contrast CT shows."""
    text = table.text("perfused_file", "")
    if not text:
        return union(table.take("perfused"), drawn.segmentation)
    path, part = (folder / text).resolve(), f"perfused volume of {name}"
    wanted = table.take("perfused", None)
    if wanted is not None or path.name.lower().endswith((".seg.nrrd", ".seg.nhdr")):
        segmentation, files[part] = read_structures(path, {}), tuple(structure_paths(path))
        return union(_only_segment(segmentation, table) if wanted is None else wanted, segmentation)
    image, files[part] = read_case_image_of_files(path, Unit.HU)
    mask = _as_mask(image.array, path, table)
    return _enhanced(image, drawn, part) if mask is None else SourceMask(mask, image.grid)


def _only_segment(segmentation: Segmentation, table: Table) -> str:
    names = [segment.name for segment in segmentation.segments]
    if len(names) != 1:
        raise CaseFileError(
            f"{table.where}: '{segmentation.source}' has {len(names)} segments: name in perfused which are meant: "
            f"{', '.join(names)}."
        )
    return names[0]


def _as_mask(array: np.ndarray, path: Path, table: Table) -> np.ndarray | None:
    """Return an image of two values as the mask of the higher one; None if it is a picture."""
    low, high = array.min(), array.max()
    if ((array == low) | (array == high)).all():
        return np.asarray(array > (low if low < high else 0))
    if np.issubdtype(array.dtype, np.integer) and low >= 0 and len(np.unique(array)) <= _MOST_LABELS:
        raise CaseFileError(f"{table.where}: '{path.name}' is a label map: say in perfused which values are perfused.")
    return None


def _enhanced(image: Volume, drawn: CaseStructures, name: str) -> SourceMask:
    """Return what is enhanced in the liver in a contrast cone-beam CT; what is uncertain about it is warned of."""
    liver = next(s for s in drawn.given if s.role is Role.LIVER)
    found = perfused_from_cbct(image, Region("liver", liver.source.mask, liver.source.grid), name)
    structure = found.structures[0]
    for finding in (*structure.findings, *found.findings):
        if finding.severity is not Severity.NOTICE:
            warnings.warn(finding.message, PerfusedVolumeUncertain, stacklevel=5)
    return SourceMask(structure.mask, found.grid)
