"""What any widget class has, from the table for CTK and MRML widgets and from PySide6 for those of Qt."""

from __future__ import annotations

import functools
from typing import Any

from widget_table import lineage, qt_base, table, table_enums, table_methods, table_properties, table_signals

#: Signals of the application object, which is no widget.
APPLICATION_SIGNALS = frozenset({"startupCompleted()", "aboutToQuit()"})
_SPELLED = {"Line": "QFrame", "Spacer": "QSpacerItem"}


def is_known(class_name: str) -> bool:
    """Whether a class is in the table or in Qt."""
    return class_name in table() or _qt_class(class_name) is not None


def property_access(class_name: str) -> dict[str, bool]:
    """Return the properties of a class, inherited ones included, and whether each can be set."""
    meta = _meta(class_name)
    of_qt = {meta.property(i).name(): meta.property(i).isWritable() for i in range(meta.propertyCount())}
    return {**of_qt, "name": True, **table_properties(class_name)}


def signals_of(class_name: str) -> frozenset[str]:
    """Return the normalized signatures of the signals of a class, inherited ones included."""
    return frozenset(table_signals(class_name)) | _methods(_meta(class_name), "Signal")


def slots_of(class_name: str) -> frozenset[str]:
    """Return the slots that a .ui file may connect to: signatures of Qt's, names of the table's."""
    return frozenset(table_methods(class_name)) | _methods(_meta(class_name), "Slot")


def has_attribute(class_name: str, name: str) -> bool:
    """Whether Python can read an attribute of a class: property, signal, method or enumeration value."""
    known = {*property_access(class_name), *table_methods(class_name), *table_enums(class_name)}
    known |= {signal.partition("(")[0] for signal in signals_of(class_name)}
    return name in known | {"connect", "disconnect", "className"} or hasattr(_qt_class(qt_base(class_name)), name)


def derives_from(class_name: str, *bases: str) -> bool:
    """Whether a class is one of the bases or derives from one."""
    chain = {entry.name for entry in lineage(class_name)}
    chain |= {base.__name__ for base in _qt_class(qt_base(class_name)).__mro__}
    return bool(chain & set(bases))


@functools.cache
def all_signals() -> frozenset[str]:
    """Return the signals of all classes, to which a ``connect`` of an unknown object must belong."""
    from PySide6 import QtCore, QtGui, QtWidgets

    found = set(APPLICATION_SIGNALS).union(*(table_signals(name) for name in table()))
    for module in (QtCore, QtGui, QtWidgets):
        for value in (getattr(module, name) for name in dir(module)):  # they are loaded when asked for
            if isinstance(value, type) and issubclass(value, QtCore.QObject):
                found |= _methods(value.staticMetaObject, "Signal")
    return frozenset(found)


def normalized(signature: str) -> str:
    """Return a signature as Qt's meta objects write it."""
    from PySide6.QtCore import QMetaObject

    return QMetaObject.normalizedSignature(signature).data().decode()


@functools.cache
def _qt_class(name: str) -> Any:
    from PySide6 import QtCore, QtGui, QtWidgets

    name = _SPELLED.get(name, name)
    return next((getattr(module, name) for module in (QtWidgets, QtGui, QtCore) if hasattr(module, name)), None)


def _meta(class_name: str) -> Any:
    return _qt_class(qt_base(class_name)).staticMetaObject


def _methods(meta: Any, kind: str) -> frozenset[str]:
    from PySide6.QtCore import QMetaMethod

    wanted = getattr(QMetaMethod.MethodType, kind)
    methods = [meta.method(i) for i in range(meta.methodCount())]
    return frozenset(m.methodSignature().data().decode() for m in methods if m.methodType() == wanted)
