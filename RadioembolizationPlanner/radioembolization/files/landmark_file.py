"""Pairs of landmarks in a table: the same anatomical points in two images."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from radioembolization.errors import FileMissing, InputError

COLUMNS = ("name", "fixed_x", "fixed_y", "fixed_z", "moving_x", "moving_y", "moving_z")


def read_landmarks(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a CSV table with a row for each landmark and the columns ``COLUMNS``, positions in LPS [mm].

    Returns
    -------
    fixed, moving : ndarray (n, 3)

    Raises
    ------
    FileMissing
        If the file does not exist.
    InputError
        If a column is missing, a value is no number, or there is no row.
    """
    if not path.is_file():
        raise FileMissing(f"Landmarks '{path.name}' do not exist in '{path.parent}': check the path.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in COLUMNS[1:] if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"Landmarks '{path.name}' lack the columns {missing}: use {', '.join(COLUMNS)}.")
            rows = [[_number(row[name], name, path, reader.line_num) for name in COLUMNS[1:]] for row in reader]
    except UnicodeDecodeError as error:
        raise InputError(f"Landmarks '{path.name}' are no text: write a CSV table in UTF-8.") from error
    if not rows:
        raise InputError(f"Landmarks '{path.name}' have no rows: add at least one pair.")
    pairs = np.array(rows)
    return pairs[:, :3], pairs[:, 3:]


def _number(text: str | None, column: str, path: Path, line: int) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise InputError(f"Landmarks '{path.name}', line {line}: {column} '{text}' is no number in millimetres.")
    return value
