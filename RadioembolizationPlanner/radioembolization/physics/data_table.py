"""Tables of the package: comma-separated, with ``#`` lines that state their origin."""

from __future__ import annotations

import csv
from importlib import resources

from radioembolization.errors import InputError


def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table in ``physics/data``, each by column name.

    Raises
    ------
    InputError
        If there is no such table.
    """
    table = resources.files(__package__).joinpath(f"data/{name}")
    if not table.is_file():
        raise InputError(f"There is no table '{name}' in physics/data: reinstall the package, or add the table.")
    lines = [line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))
