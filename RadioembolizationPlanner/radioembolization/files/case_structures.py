"""The structures of a case: those its file names, the others recognised by code or name."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import CaseFileError, StructureError, StructuresRecognised
from radioembolization.files.case_images import CaseImages
from radioembolization.files.segmentation_file import Segment, Segmentation
from radioembolization.files.structure_files import read_structures, structure_paths
from radioembolization.files.toml_table import Table
from radioembolization.files.unnamed_labels import unnamed_labels
from radioembolization.structures import Role
from radioembolization.structures.recognition import natural_order, recognise, unique_names
from radioembolization.treatment import SourceMask, SourceStructure

_ROLES = {"liver": Role.LIVER, "lungs": Role.LUNGS, "tumours": Role.TUMOUR, "organs": Role.ORGAN}


@dataclass(frozen=True, eq=False)
class CaseStructures:
    """Structures as read.

    Parameters
    ----------
    given : tuple of SourceStructure
    segmentation : Segmentation
        What they come from; sites name their territories in it.
    files : tuple of Path
    """

    given: tuple[SourceStructure, ...]
    segmentation: Segmentation
    files: tuple[Path, ...]


def read_case_structures(table: Table, folder: Path, images: CaseImages) -> CaseStructures:
    """Read what ``[structures]`` names, and recognise what it leaves open.

    Entries decide; without ``liver``, or with ``recognise = true``, those left out are recognised among the segments
    that no entry names.  How each was recognised is warned of with ``StructuresRecognised``.

    Raises
    ------
    UnnamedLabels
        If nothing names the segments; the message lists them.
    StructureError
        If the liver is not recognised, or could be several segments.
    """
    path = (folder / table.text("file")).resolve()
    labels = {name: int(value) for name, value in table.mapping("labels").items()}
    segmentation = read_structures(path, labels, images.reference)
    entries = {key: table.take(key, None) for key in _ROLES}
    if not table.flag("recognise", entries["liver"] is None):
        if entries["liver"] is None:
            table.take("liver")  # says that it is missing
        found: dict[str, list[tuple[str, SourceMask]]] = {}
    elif not segmentation.segments:
        raise unnamed_labels(segmentation, images.ct)
    else:
        found = _recognised(segmentation, entries)
    return CaseStructures(_structures(entries, found, segmentation, table), segmentation, tuple(structure_paths(path)))


def _structures(
    entries: Mapping[str, Any],
    found: Mapping[str, list[tuple[str, SourceMask]]],
    segmentation: Segmentation,
    table: Table,
) -> tuple[SourceStructure, ...]:
    structures = []
    for key, role in _ROLES.items():
        entry = entries[key]
        if entry is None and role in (Role.LIVER, Role.LUNGS):
            masks = [mask for _name, mask in found.get(key, [])]
            structures += [SourceStructure(key, role, _joined(masks, segmentation))] if masks else []
        elif entry is None:
            structures += [SourceStructure(name, role, mask) for name, mask in found.get(key, [])]
        elif role in (Role.LIVER, Role.LUNGS):
            structures.append(SourceStructure(key, role, union(entry, segmentation)))
        else:
            named = _named(entry, table, key).items()
            structures += [SourceStructure(name, role, union(reference, segmentation)) for name, reference in named]
    return tuple(structures)


def _recognised(segmentation: Segmentation, entries: Mapping[str, Any]) -> dict[str, list[tuple[str, SourceMask]]]:
    """Return names and masks of what no entry decides, by the key of the entry, and tell what it is."""
    used = {name for entry in entries.values() for name in _references(entry)}
    segments = dict(zip(segmentation.named_segments, segmentation.segments, strict=True))
    values = used if len(segmentation.layers) == 1 else set()
    free = [named for named, own in segments.items() if own.name not in used and own.label not in values]
    recognition = recognise(free)
    if entries["liver"] is None and not recognition.of(Role.LIVER):
        line = 'add liver = "name of the segment" under [structures]'
        raise StructureError(
            f"'{segmentation.source}': {' '.join(recognition.questions) or 'No liver.'} To answer, {line}."
        )
    by_key = {named.key: own for named, own in segments.items()}
    names = unique_names([named for named in free if named.key in recognition.roles])
    found: dict[str, list[tuple[str, SourceMask]]] = {}
    said, empty = [], []
    for entry_key, role in _ROLES.items():
        if entries[entry_key] is not None:
            continue
        keys = sorted(recognition.of(role), key=lambda key: natural_order(names[key]))
        filled = [key for key in keys if role is Role.LIVER or segmentation.holds(by_key[key])]
        empty += [names[key] for key in keys if key not in filled]
        found[entry_key] = [(names[key], segmentation.mask_of(by_key[key])) for key in filled]
        said += [f"{entry_key}: {_said(filled, by_key, recognition.reasons)}"] if filled else []
    _tell(segmentation.source, said, empty)
    return found


def _said(keys: Sequence[str], segments: Mapping[str, Segment], reasons: Mapping[str, str]) -> str:
    return ", ".join(f"'{segments[key].name}' (by {reasons[key]})" for key in keys)


def _tell(source: str, said: Sequence[str], empty: Sequence[str]) -> None:
    left_out = f" Empty and left out: {', '.join(empty)}." if empty else ""
    warnings.warn(
        f"Recognised in '{source}': {'; '.join(said)}.{left_out} Entries under [structures] decide otherwise.",
        StructuresRecognised,
        stacklevel=4,
    )


def _references(entry: Any) -> list[Any]:
    """Return the segment names and label values that an entry of ``[structures]`` uses."""
    if isinstance(entry, dict):
        return [name for part in entry.values() for name in _references(part)]
    return [name for part in entry for name in _references(part)] if isinstance(entry, list) else [entry]


def _named(value: Any, table: Table, key: str) -> dict[str, Any]:
    """Return name -> reference from a list of segment names or a table of names."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: name for name in value}
    raise CaseFileError(
        f"{table.where}.{key} must be a list of segment names, or a table name = segment, not {value!r}."
    )


def union(reference: Any, segmentation: Segmentation) -> SourceMask:
    """Return the mask of a segment name or label value, or the union of a list of them."""
    parts = reference if isinstance(reference, list) else [reference]
    if not parts or not all(isinstance(part, (str, int)) and not isinstance(part, bool) for part in parts):
        raise CaseFileError(f"A structure is a segment name, a label value or a list of them, not {reference!r}.")
    return _joined([segmentation.mask(part) for part in parts], segmentation)


def _joined(masks: Sequence[SourceMask], segmentation: Segmentation) -> SourceMask:
    if len(masks) == 1:
        return masks[0]
    return SourceMask(np.any([m.mask for m in masks], axis=0), segmentation.grid)
