"""The table of the CTK and MRML widgets (``slicer_widgets.toml``) and questions to it; needs no Qt."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE_FILE = Path(__file__).resolve().parent / "slicer_widgets.toml"


@dataclass(frozen=True)
class WidgetClass:
    """What Python can use of a widget class, without what it inherits."""

    name: str
    base: str
    header: str
    properties: dict[str, str]
    read_only: frozenset[str]
    signals: tuple[str, ...]
    methods: frozenset[str]
    enums: dict[str, int]

    @property
    def namespace(self) -> str:
        """The Python module that has the class."""
        return "ctk" if self.name.startswith("ctk") else "slicer"


@functools.cache
def table() -> dict[str, WidgetClass]:
    """Return the entries of the table by class name."""
    entries = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))
    return {
        name: WidgetClass(
            name=name,
            base=entry["base"],
            header=f"{entry['repository']}@{entry['commit'][:7]} {entry['path']}",
            properties=entry.get("properties", {}),
            read_only=frozenset(entry.get("read_only", [])),
            signals=tuple(entry["signals"]),
            methods=frozenset(entry["methods"]),
            enums=entry.get("enums", {}),
        )
        for name, entry in entries.items()
    }


@functools.cache
def lineage(name: str) -> tuple[WidgetClass, ...]:
    """Return a class of the table and its bases in the table, most derived first; empty for any other class."""
    entry = table().get(name)
    return () if entry is None else (entry, *lineage(entry.base))


def qt_base(name: str) -> str:
    """Return the nearest base of a class that is plain Qt; the class itself if it is."""
    classes = lineage(name)
    return classes[-1].base if classes else name


def table_properties(name: str) -> dict[str, bool]:
    """Return the properties that the table adds to the Qt base of a class, and whether they are writable."""
    return {prop: prop not in entry.read_only for entry in reversed(lineage(name)) for prop in entry.properties}


def table_signals(name: str) -> tuple[str, ...]:
    """Return the normalized signatures of the signals that the table adds to the Qt base of a class."""
    return tuple(signal for entry in lineage(name) for signal in entry.signals)


@functools.cache
def table_methods(name: str) -> frozenset[str]:
    """Return the methods that the table adds to the Qt base of a class."""
    return frozenset().union(*(entry.methods for entry in lineage(name)))


def table_enums(name: str) -> dict[str, int]:
    """Return the values of enumerations that the table adds to the Qt base of a class."""
    return {key: value for entry in reversed(lineage(name)) for key, value in entry.enums.items()}
