"""Reading a TOML table entry by entry, with errors that name the entry."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar, overload

from radioembolization.errors import CaseFileError, FileMissing

_REQUIRED = object()
Default = TypeVar("Default")


class Table:
    """A TOML table whose entries are taken once each.

    Parameters
    ----------
    entries : dict
    where : str
        How messages name the table.
    """

    def __init__(self, entries: dict[str, Any], where: str) -> None:
        self._entries = dict(entries)
        self._known: set[str] = set()
        self.where = where

    @property
    def empty(self) -> bool:
        """Whether the table had no entry that is left."""
        return not self._entries

    def take(self, key: str, default: Any = _REQUIRED) -> Any:
        """Return an entry and remove it; without a default it must exist."""
        self._known.add(key)
        if key not in self._entries and default is _REQUIRED:
            near = difflib.get_close_matches(key, self._entries, n=1)
            hint = f" (did you mean it by '{near[0]}'?)" if near else ""
            raise CaseFileError(f"{self.where} has no entry '{key}'{hint}: add it; see docs/case-file.md.")
        return self._entries.pop(key, default)

    def peek(self, key: str, default: Any) -> Any:
        """Return an entry without removing it."""
        return self._entries.get(key, default)

    def everything(self) -> dict[str, Any]:
        """Return all entries and remove them."""
        entries, self._entries = self._entries, {}
        return entries

    def table(self, key: str) -> Table:
        """Return a sub-table, empty if it is absent."""
        value = self.take(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, "a table", value)
        return Table(value, f"[{key}]" if self.where.endswith(".toml") else f"{self.where}.{key}")

    def tables(self, key: str) -> list[Table]:
        """Return an array of tables, empty if it is absent."""
        value = self.take(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self._wrong(key, f"an array of tables ([[{key}]])", value)
        return [Table(entry, f"[[{key}]] number {number}") for number, entry in enumerate(value, start=1)]

    def mapping(self, key: str) -> dict[str, float]:
        """Return a table of numbers by name, empty if it is absent."""
        value = self.take(key, {})
        if not isinstance(value, dict) or not all(_is_number(v) for v in value.values()):
            raise self._wrong(key, "a table of numbers", value)
        return value

    def text(self, key: str, default: Any = _REQUIRED) -> str:
        """Return a string."""
        value = self.take(key, default)
        if not isinstance(value, str) or (default is _REQUIRED and not value.strip()):
            raise self._wrong(key, "a text in quotes", value)
        return value

    def texts(self, key: str, default: list[str]) -> list[str]:
        """Return a list of strings."""
        value = self.take(key, default)
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise self._wrong(key, "a list of texts", value)
        return value

    @overload
    def number(self, key: str, default: float) -> float: ...
    @overload
    def number(self, key: str, default: None) -> float | None: ...
    def number(self, key: str, default: float | None) -> float | None:
        """Return a finite number, or the default."""
        value = self.take(key, default)
        if value is None:
            return None
        if not _is_number(value):
            raise self._wrong(key, "a number", value)
        return float(value)

    def list_of_numbers(self, key: str) -> list[float]:
        """Return a list of numbers."""
        value = self.take(key)
        if not isinstance(value, list) or not all(_is_number(entry) for entry in value):
            raise self._wrong(key, "a list of numbers", value)
        return [float(entry) for entry in value]

    def numbers(self, key: str, count: int, default: tuple[float, ...]) -> tuple[float, ...]:
        """Return a list of a given count of numbers, or the default."""
        value = self.take(key, list(default))
        if value == list(default):
            return default
        if not isinstance(value, list) or len(value) != count or not all(_is_number(v) for v in value):
            raise self._wrong(key, f"a list of {count} numbers", value)
        return tuple(float(entry) for entry in value)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false", value)
        return value

    def choice(self, key: str, allowed: list[Any], default: str) -> str:
        """Return one of the allowed words."""
        value = self.take(key, default)
        words = [str(word) for word in allowed]
        if str(value) not in words:
            raise self._wrong(key, f"one of {', '.join(words)}", value)
        return str(value)

    def refuse_leftovers(self) -> None:
        """Refuse entries nobody took, with the nearest known name.

        Raises
        ------
        CaseFileError
        """
        for key in self._entries:
            near = difflib.get_close_matches(key, self._known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(self._known))}."
            raise CaseFileError(f"{self.where} has an unknown entry '{key}': {hint}")

    def _wrong(self, key: str, expected: str, value: Any) -> CaseFileError:
        return CaseFileError(f"{self.where}.{key} must be {expected}, not {value!r}.")


def loaded_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a case file.

    Raises
    ------
    FileMissing
        If there is none.
    CaseFileError
        If it is no TOML.
    """
    if not path.is_file():
        raise FileMissing(f"Case file '{path}' does not exist.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseFileError(f"'{path.name}' is not valid TOML: {error}.") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value and abs(value) < 1e300
