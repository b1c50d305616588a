"""Names of the values of a label map: from the header of a NIfTI file, or from a table beside it."""

from __future__ import annotations

import gzip
import json
import re
import struct
from pathlib import Path
from typing import Any

from radioembolization.errors import StructureError

_HEADER_BYTES = 348
#: Longest header extension that is looked at [bytes].
_MOST_BYTES = 1 << 20
_LABEL = re.compile(r'<Label\s[^>]*?Key="(\d+)"[^>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]]*?)\s*(?:\]\]>)?\s*</Label>')
#: A line of a colour table of Slicer (value name red green blue alpha), and of ITK-SNAP (the name last, in quotes).
_SLICER_LINE = re.compile(r"^\s*(\d+)\s+(.+?)((?:\s+\d+(?:\.\d+)?){3,4})\s*$")
_SNAP_LINE = re.compile(r'^\s*(\d+)(?:\s+\d+(?:\.\d+)?){6}\s+"(.*)"\s*$')
_NO_NAMES = ("background", "clear label", "none", "(none)")


def label_names(path: Path) -> dict[int, str]:
    """Return the names that a label map gives its values, in increasing order; empty if nothing names them.

    Looked at are the label table that TotalSegmentator writes into the header of a NIfTI file, then the first of
    ``<name>.json``, ``.ctbl`` and ``.txt`` beside the file: JSON of values by name or names by value, alone or under
    ``labels``; a colour table of Slicer; label descriptions of ITK-SNAP.

    Raises
    ------
    StructureError
        If a table names one value twice.
    """
    found = _in_header(path) or _beside(path)
    return {value: found[value] for value in sorted(found) if value > 0 and _is_name(found[value])}


def _is_name(text: str) -> bool:
    return any(letter.isalpha() for letter in text) and text.lower() not in _NO_NAMES


def _in_header(path: Path) -> dict[int, str]:
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return {}
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opener(path, "rb") as stream:
            header = stream.read(_HEADER_BYTES)
            order = "<" if struct.unpack("<i", header[:4])[0] == _HEADER_BYTES else ">"
            end = int(struct.unpack(f"{order}f", header[108:112])[0])
            text = stream.read(max(0, min(end - _HEADER_BYTES, _MOST_BYTES))).decode("utf-8", errors="ignore")
    except (OSError, EOFError, struct.error):
        return {}
    return _unique([(int(value), name) for value, name in _LABEL.findall(text)], path.name)


def _beside(path: Path) -> dict[int, str]:
    stem = re.sub(r"\.(nii\.gz|nii|seg\.nrrd|nrrd|nhdr|mha|mhd)$", "", path.name, flags=re.IGNORECASE)
    for ending, reader in ((".json", _of_json), (".ctbl", _of_table), (".txt", _of_table)):
        table = path.with_name(stem + ending)
        if table.is_file() and table.stat().st_size <= _MOST_BYTES:
            return _unique(reader(table.read_text(encoding="utf-8", errors="replace")), table.name)
    return {}


def _of_json(text: str) -> list[tuple[int, str]]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return []
    entries = document.get("labels", document) if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        return []
    pairs: list[tuple[Any, Any]] = [(k, v) if isinstance(v, str) else (v, k) for k, v in entries.items()]
    return [(int(value), name) for value, name in pairs if _is_value(value)]


def _is_value(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdigit())


def _of_table(text: str) -> list[tuple[int, str]]:
    found = []
    for line in text.splitlines():
        if not line.lstrip().startswith("#") and (match := _SNAP_LINE.match(line) or _SLICER_LINE.match(line)):
            found.append((int(match[1]), match[2].strip().strip('"')))
    return found


def _unique(pairs: list[tuple[int, str]], name: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for value, word in pairs:
        if found.setdefault(value, word) != word:
            raise StructureError(f"'{name}' names label {value} twice, '{found[value]}' and '{word}': keep one.")
    return {value: word for value, word in found.items() if word}
