"""Enumeration values, properties and dialogs as PythonQt hands them out, or as the tests refuse them."""

from __future__ import annotations

import enum
from typing import Any

from PySide6 import QtCore
from widget_table import table_properties

_PROPERTIES: dict[type, dict[str, tuple[bool, str]]] = {}
#: Method that tells the truth about the objects of a class, and its answer for a true one.
_TRUTHS: dict[type, tuple[str, bool] | None] = {}
#: Static methods that open a dialog and wait.
MODAL = {
    "QInputDialog": ("getText", "getMultiLineText", "getInt", "getDouble", "getItem"),
    "QFileDialog": ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"),
    "QMessageBox": ("about", "critical", "information", "question", "warning"),
    "QColorDialog": ("getColor",),
}


class EnumValue(int):
    """A value of a Qt enumeration as PythonQt hands it out: an integer, good for methods of Qt too."""

    member: enum.Enum

    def __new__(cls, member: enum.Enum) -> EnumValue:
        value = super().__new__(cls, member.value)
        value.member = member
        return value

    def __or__(self, other: int) -> int:
        if isinstance(other, EnumValue) and isinstance(self.member, enum.Flag):
            return EnumValue(self.member | other.member)
        return int(self) | int(other)


def truth(q: Any) -> bool:
    """Return whether a living object of Qt is true: an empty layout, a null icon, an invalid index are false.

    PythonQt (generator/abstractmetalang.cpp, ``getDefaultNonZeroFunction``) takes the first of these methods that a
    class of Qt has.
    """
    if type(q) not in _TRUTHS:
        _TRUTHS[type(q)] = _truth_teller(q)
    teller = _TRUTHS[type(q)]
    return teller is None or getattr(q, teller[0])() is teller[1]


def _truth_teller(q: Any) -> tuple[str, bool] | None:
    if not type(q).__module__.startswith("PySide6."):
        return None  # stand-ins: PythonQt has no such rule for classes of CTK and Slicer
    found = [pair for pair in (("isEmpty", False), ("isValid", True), ("isNull", False)) if hasattr(q, pair[0])]
    return found[0] if found else None


def class_name(q: Any) -> str:
    """Return the name of the C++ class of an object."""
    return meta_object(q).className() if isinstance(q, QtCore.QObject) else type(q).__name__


def meta_object(q: QtCore.QObject) -> QtCore.QMetaObject:
    """Return the meta object of the class of an object.

    What ``q.metaObject()`` returns dies with ``q``, and takes the ``staticMetaObject`` of the whole class along.
    """
    return type(q).staticMetaObject


def properties(q: QtCore.QObject) -> dict[str, tuple[bool, str]]:
    """Return the properties of an object: name, whether writable, type."""
    cls = type(q)
    if cls not in _PROPERTIES:
        meta = meta_object(q)
        known = [meta.property(i) for i in range(meta.propertyCount())]
        found = {p.name(): (p.isWritable(), p.typeName()) for p in known}
        for name, writable in table_properties(cls.__name__).items():
            found[name] = (writable, found[name][1])
        _PROPERTIES[cls] = found
    return _PROPERTIES[cls]


def dynamic_names(q: QtCore.QObject) -> list[str]:
    """Return the names of properties that were made at run time."""
    return [bytes(name.data()).decode() for name in q.dynamicPropertyNames()]


def refuse_doubtful(q: QtCore.QObject, name: str, type_name: str, value: Any) -> None:
    """Raise for values that PythonQt refuses, or turns into something that is rarely meant."""
    is_numpy = type(value).__module__ == "numpy" and not isinstance(value, float | str)
    is_fraction = type_name in ("int", "uint") and isinstance(value, float)
    is_no_number = type_name in ("int", "double", "bool") and isinstance(value, str)
    if value is None or is_numpy or is_fraction or is_no_number:
        raise AttributeError(
            f"Property '{name}' of type '{type_name}' of {class_name(q)} does not accept an object of type "
            f"{type(value).__name__} ({value!r})"
        )


def refuse_modal(name: str) -> Any:
    """Return a function that raises in place of one that waits for a user."""

    def refuse(*_: Any) -> None:
        raise RuntimeError(f"{name} would wait for a user: replace it with monkeypatch in this test.")

    return refuse
