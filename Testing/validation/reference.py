"""Reference tables that are not part of the repository."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from page import Missing

#: Beside the checkout.
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "physics-data"


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a table by column name.

    Raises
    ------
    Missing
        If the tables are not present.
    """
    path = FOLDER / name
    if not path.is_file():
        raise Missing(f"reference table `{name}` not present")
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return tuple(csv.DictReader(lines))
