"""Points with names as the ``.mrk.json`` of Slicer: candidate sites, and points a user has set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import FileMissing, InputError
from radioembolization.files.replacing import replacing

_SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)


@dataclass(frozen=True)
class NamedPoint:
    """A point of a list: name, position (x, y, z) in LPS [mm], and what is to be known of it."""

    name: str
    position_lps_mm: tuple[float, float, float]
    description: str = ""


def write_points(points: Sequence[NamedPoint], path: Path) -> None:
    """Write a list of points that Slicer reads as markups; the file appears complete or not at all."""
    controls = [
        {
            "id": str(number),
            "label": point.name,
            "description": point.description,
            "position": [float(value) for value in point.position_lps_mm],
            "positionStatus": "defined",
        }
        for number, point in enumerate(points, start=1)
    ]
    markup = {"type": "Fiducial", "coordinateSystem": "LPS", "coordinateUnits": "mm", "controlPoints": controls}
    text = json.dumps({"@schema": _SCHEMA, "markups": [markup]}, indent=2, ensure_ascii=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def read_points(path: Path) -> tuple[NamedPoint, ...]:
    """Read the points of all lists of a markups file.

    Raises
    ------
    FileMissing
        If the file does not exist.
    InputError
        If it is no markups file, has no point, or a point has no position or no name.
    """
    if not path.is_file():
        raise FileMissing(f"Points '{path.name}' do not exist in '{path.parent}': check the path.")
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        found = [point for markup in document["markups"] for point in _points(markup, path)]
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"'{path.name}' is no markups file of Slicer ({repr(error)[:40]}): save a point list as .mrk.json."
        ) from error
    if not found:
        raise InputError(f"'{path.name}' has no point that was placed: add one, or leave the file out.")
    return tuple(found)


def _points(markup: dict[str, Any], path: Path) -> list[NamedPoint]:
    system = str(markup.get("coordinateSystem", "LPS"))
    if system not in ("LPS", "RAS", "0", "1"):
        raise InputError(f"'{path.name}' has the unknown coordinate system '{system}': use LPS or RAS.")
    to_lps = np.array([-1.0, -1.0, 1.0]) if system in ("RAS", "0") else np.ones(3)
    placed = [c for c in markup["controlPoints"] if c.get("positionStatus", "defined") == "defined"]
    return [_point(control, to_lps, path) for control in placed]


def _point(control: dict[str, Any], to_lps: np.ndarray, path: Path) -> NamedPoint:
    name, given = str(control.get("label", "")).strip(), control.get("position")
    numbers = isinstance(given, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in given)
    if not name or not (isinstance(given, list) and numbers and len(given) == 3 and np.isfinite(given).all()):
        raise InputError(f"'{path.name}': point '{name}' needs a name and three numbers of position, not {given!r}.")
    x, y, z = (float(value) for value in to_lps * np.array(given, dtype=float))
    return NamedPoint(name, (x, y, z), str(control.get("description", "")))
