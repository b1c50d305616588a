"""The loader of .ui files: knows the stand-ins, and makes the connections of the file as Slicer does."""
# ruff: noqa: N802

from __future__ import annotations

import functools
from typing import Any
from xml.etree import ElementTree

import pythonqt_connect
from PySide6 import QtCore, QtUiTools
from pythonqt_values import meta_object
from standin_base import STAND_INS
from widget_table import lineage, table_methods


class QUiLoader(QtCore.QObject):
    """The loader of the module code: hands over to the one that is made once, as looking at its plugins takes time."""

    def load(self, device: QtCore.QIODevice, parent: Any = None) -> Any:
        return _loader().load(device, parent)


@functools.cache
def _loader() -> _Loader:
    return _Loader()


class _Loader(QtUiTools.QUiLoader):
    """Refuses custom widgets that have no stand-in, where Qt would take a plain widget."""

    def __init__(self) -> None:
        super().__init__()
        # Every registration lasts for the process, and makes the loader look at all its plugins again (5 ms).
        for stand_in in STAND_INS.values():
            self.registerCustomWidget(stand_in)

    def createWidget(self, class_name: str, parent: Any = None, name: str = "") -> Any:
        if not class_name.startswith("Q") and class_name not in STAND_INS and class_name != "Line":
            raise LookupError(f"No stand-in of the widget class {class_name} ('{name}'): add it to the table.")
        return super().createWidget(class_name, parent, name)

    def load(self, device: QtCore.QIODevice, parent: Any = None) -> Any:
        """Return the widgets of a .ui file; connections of stand-ins are made in Python."""
        device.reset()
        text, ours = _divided(bytes(device.readAll().data()))
        buffer = QtCore.QBuffer()
        buffer.setData(text)
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        root = super().load(buffer, parent)
        if root is None:
            raise RuntimeError(f"Qt cannot load the .ui file: {self.errorString()}")
        named = {child.objectName(): child for child in (root, *root.findChildren(QtCore.QObject))}
        for child in named.values():
            if hasattr(child, "adopt_children"):
                child.adopt_children()
        for sender, signal, receiver, slot in ours:
            pythonqt_connect.connect(named[sender], signal, _slot(named[receiver], slot))
        return root


@functools.cache
def _divided(text: bytes) -> tuple[bytes, list[tuple[str, ...]]]:
    """Return a .ui file without the connections of stand-ins, and these."""
    tree = ElementTree.fromstring(text)
    classes = {widget.get("name"): widget.get("class") for widget in tree.iter("widget")}
    ours = _take_connections(tree, classes)
    return ElementTree.tostring(tree), ours


def _take_connections(tree: ElementTree.Element, classes: dict[str, str]) -> list[tuple[str, ...]]:
    """Remove the connections that start or end at a stand-in; return sender, signal, receiver and slot of each."""
    block, taken = tree.find("connections"), []
    for entry in list(block) if block is not None else []:
        connection = tuple(entry.findtext(key).strip() for key in ("sender", "signal", "receiver", "slot"))
        if lineage(classes.get(connection[0], "")) or lineage(classes.get(connection[2], "")):
            taken.append(connection)
            block.remove(entry)
    return taken


def _slot(receiver: QtCore.QObject, slot: str) -> Any:
    name = slot.partition("(")[0]
    class_name = type(receiver).__name__
    own = lineage(class_name)
    if own and name not in table_methods(class_name) and not _has_qt_slot(receiver, slot):
        raise AttributeError(f"{class_name} has no slot '{slot}'.")
    return getattr(receiver, name)


def _has_qt_slot(receiver: QtCore.QObject, slot: str) -> bool:
    return meta_object(receiver).indexOfSlot(pythonqt_connect.normalized(slot)) >= 0
