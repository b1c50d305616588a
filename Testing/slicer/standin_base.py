"""Stand-ins get the properties and signals of their class from the table; the widgets add behavior only."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6 import QtGui, QtWidgets
from PySide6.QtCore import Property, Signal
from pythonqt_connect import attribute_name
from widget_table import WidgetClass, table

#: Type of the table: what PySide6 declares, and the value before any is set.
_TYPES: dict[str, tuple[Any, Any]] = {
    "bool": (bool, False),
    "int": (int, 0),
    "double": (float, 0.0),
    "QString": (str, ""),
    "QStringList": ("QStringList", []),
    "QIcon": (QtGui.QIcon, QtGui.QIcon()),
    "enum": (int, 0),
    "list": ("QVariantList", []),
}
_ARGUMENTS = {"bool": bool, "int": int, "double": float, "QString": str, "QStringList": "QStringList"}
#: All stand-ins by class name.
STAND_INS: dict[str, type] = {}


class StandIn:
    """Keeps the values of properties and emits signals; ``_get_x`` and ``_set_x`` give a property behavior."""

    #: Values of properties before any is set, where they are not the empty ones.
    DEFAULTS: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if not cls.__name__.startswith("_"):
            STAND_INS[cls.__name__] = cls

    def read(self, name: str, empty: Any) -> Any:
        """Return the value of a property."""
        getter = getattr(self, f"_get_{name}", None)
        return getter() if getter else vars(self).get(f"_value_{name}", self.DEFAULTS.get(name, empty))

    def write(self, name: str, value: Any) -> None:
        """Set a property."""
        setter = getattr(self, f"_set_{name}", None)
        vars(self)[f"_value_{name}"] = value
        if setter:
            setter(value)

    def emit(self, signature: str, *args: Any) -> None:
        """Emit a signal of the table."""
        getattr(self, f"_signal_{attribute_name(signature)}").emit(*args)


def declared(name: str, base: type) -> type:
    """Return a base for the stand-in of a class: its Qt base with the properties and signals of the table."""
    entry = table()[name]
    if base.__name__.lstrip("_") != entry.base:
        raise TypeError(f"The base of {name} is {entry.base}, not {base.__name__} ({entry.header}).")
    members: dict[str, Any] = {prop: _property(entry, prop) for prop in entry.properties}
    for signature in entry.signals:
        arguments = signature.partition("(")[2].rstrip(")").split(",")
        kinds = [_ARGUMENTS.get(argument, object) for argument in arguments if argument]
        members[f"_signal_{attribute_name(signature)}"] = Signal(*kinds)
    bases = (base,) if issubclass(base, StandIn) else (StandIn, base)
    return type(base)(f"_{name}", bases, members)


def _property(entry: WidgetClass, name: str) -> Any:
    kind, empty = _TYPES[entry.properties[name]]
    if name in entry.read_only:
        return Property(kind, lambda self: self.read(name, empty))
    return Property(kind, lambda self: self.read(name, empty), lambda self, value: self.write(name, value))


def fill(widget: QtWidgets.QWidget, *parts: QtWidgets.QWidget, vertical: bool = False) -> None:
    """Lay the parts of a composed widget out without margins."""
    layout = QtWidgets.QVBoxLayout(widget) if vertical else QtWidgets.QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
