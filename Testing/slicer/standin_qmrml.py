"""Stand-ins of the MRML widgets, on real MRML nodes."""
# ruff: noqa: N801, N802, N815

from __future__ import annotations

import weakref
from typing import Any, ClassVar

import slicer
import vtk
from PySide6 import QtWidgets
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from shiboken6 import Shiboken
from standin_base import declared, fill

_ID = int(Qt.ItemDataRole.UserRole)


class Observer:
    """Calls a method of a widget on events of VTK objects, until the widget is deleted."""

    _all: ClassVar[weakref.WeakSet[Observer]] = weakref.WeakSet()

    def __init__(self, method: Any) -> None:
        self._all.add(self)
        self._method = weakref.WeakMethod(method)
        self._tags: list[tuple[Any, int]] = []

    def observe(self, subject: Any, *events: int) -> None:
        for event in events if subject is not None else ():
            self._tags.append((subject, subject.AddObserver(event, self._call)))

    def clear(self) -> None:
        for subject, tag in self._tags:
            subject.RemoveObserver(tag)
        self._tags = []

    @classmethod
    def clear_all(cls) -> None:
        """Let no widget hear of anything any more: between tests, as widgets outlive them."""
        for observer in list(cls._all):
            observer.clear()

    def _call(self, *_: Any) -> None:
        method = self._method()
        if method is None or not Shiboken.isValid(method.__self__):
            self.clear()
        else:
            method()


class qMRMLWidget(declared("qMRMLWidget", QWidget)):
    """A widget that hands the scene on: only along the connections of the .ui file, as in Slicer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.emit("mrmlSceneChanged(vtkMRMLScene*)", scene)


class qMRMLNodeComboBox(declared("qMRMLNodeComboBox", QWidget)):
    """Chooses among the nodes of the scene that pass its filters; disabled while it has no scene."""

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "showChildNodeTypes": True,
        "addEnabled": True,
        "removeEnabled": True,
        "selectNodeUponCreation": True,
        "noneDisplay": "None",
    }
    _CHANGE_ITEMS = (
        "nodeTypes", "showHidden", "showChildNodeTypes", "hideChildNodeTypes", "noneEnabled", "noneDisplay",
        "addEnabled", "removeEnabled", "editEnabled", "renameEnabled",
    )  # fmt: skip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene, self._requested, self._quiet = None, "", False
        self._attributes: dict[str, tuple[str, str | None]] = {}
        self._labels: dict[str, str] = {}
        self._combo = QtWidgets.QComboBox()
        fill(self, self._combo)
        self.setFocusProxy(self._combo)
        self._on_scene, self._on_nodes = Observer(self._synchronize), Observer(self._synchronize)
        self._combo.currentTextChanged.connect(self._emit_current)
        self._combo.activated.connect(self._activated)
        self.setEnabled(False)

    def write(self, name: str, value: Any) -> None:
        super().write(name, value)
        if name in self._CHANGE_ITEMS:
            self._synchronize()

    # -- nodes

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        old = self._get_currentNodeID() if self.nodeCount() else self._requested
        self._on_scene.clear()
        self._scene = scene
        events = slicer.vtkMRMLScene
        self._on_scene.observe(
            scene, events.NodeAddedEvent, events.NodeRemovedEvent, events.EndCloseEvent, events.EndImportEvent
        )
        self._quiet = True
        self._synchronize()
        self._quiet = False
        self.setCurrentNodeID(old or self._get_currentNodeID())
        self._requested = ""
        self.setEnabled(scene is not None)

    def addAttribute(self, node_type: str, name: str, value: str | None = None) -> None:
        self._attributes[node_type] = (name, value)
        self._synchronize()

    def removeAttribute(self, node_type: str, name: str) -> None:
        self._attributes.pop(node_type, None)
        self._synchronize()

    def nodeCount(self) -> int:
        return len(self._listed())

    def nodeFromIndex(self, index: int) -> Any:
        listed = self._listed()
        return self._scene.GetNodeByID(listed[index]) if 0 <= index < len(listed) else None

    def currentNode(self) -> Any:
        node_id = self._get_currentNodeID()
        return self._scene.GetNodeByID(node_id) if node_id and self._scene else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node if isinstance(node, str) else node.GetID() if node else "")

    def setCurrentNodeID(self, node_id: str | None) -> None:
        if self._scene is None:
            self._requested = node_id or ""
        row = self._combo.findData(node_id) if node_id else -1
        self._combo.setCurrentIndex(row if row >= 0 else (0 if self.read("noneEnabled", False) else -1))

    def setCurrentNodeIndex(self, index: int) -> None:
        index = index if index < self.nodeCount() else -1
        self._combo.setCurrentIndex(index + bool(self.read("noneEnabled", False)))

    def _get_currentNodeID(self) -> str:
        return (self._combo.currentData() or "") if self._combo.currentIndex() >= 0 else ""

    def _set_currentNodeID(self, node_id: str) -> None:
        self.setCurrentNodeID(node_id)

    _get_currentNodeId = _get_currentNodeID
    _set_currentNodeId = _set_currentNodeID

    # -- actions

    def addNode(self, node_type: str | None = None) -> Any:
        types = self.read("nodeTypes", [])
        node_type = node_type or types[0]
        if node_type not in types:
            raise ValueError(f"{node_type} is none of the types of this selector: {types}.")
        base_name = self.read("baseName", "")
        node = self._scene.AddNewNodeByClass(node_type, self._scene.GenerateUniqueName(base_name) if base_name else "")
        for attribute, value in [self._attributes[node_type]] if node_type in self._attributes else []:
            node.SetAttribute(attribute, value or "")
        if self.read("selectNodeUponCreation", True):
            self.setCurrentNode(node)
        self.emit("nodeAddedByUser(vtkMRMLNode*)", node)
        return node

    def removeCurrentNode(self) -> None:
        self._scene.RemoveNode(self.currentNode())

    def nodeTypeLabel(self, node_type: str) -> str:
        node = self._scene.CreateNodeByClass(node_type) if self._scene else None
        if node is not None:
            node.UnRegister(None)
        return self._labels.get(node_type) or (node.GetTypeDisplayName() if node else node_type)

    def setNodeTypeLabel(self, label: str, node_type: str) -> None:
        self._labels[node_type] = label
        self._synchronize()

    def _activated(self, row: int) -> None:
        """What a user chose: a node, or one of the actions below the nodes."""
        action = self._combo.itemData(row, _ID + 1)
        if action is None:
            self.emit("nodeActivated(vtkMRMLNode*)", self.currentNode())
            return
        self.setCurrentNodeID(self._before_action)
        if action == "remove":
            self.removeCurrentNode()
        elif action:
            self.emit("nodeAddedByUserAction(vtkMRMLNode*)", self.addNode(action))

    def _actions(self) -> list[tuple[str, str]]:
        types = self.read("nodeTypes", [])
        actions = [(f"Create new {self.nodeTypeLabel(t)}", t) for t in types if self.read("addEnabled", True)]
        label = self.nodeTypeLabel(types[0]) if types else "node"
        if self.read("renameEnabled", False):
            actions.append((f"Rename current {label}", ""))
        if self.read("removeEnabled", True):
            actions.append((f"Delete current {label}", "remove"))
        return actions if self._scene else []

    # -- items

    def _accepts(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self.read("showHidden", False):
            return False
        types = self.read("nodeTypes", [])
        for node_type in types:
            if not node.IsA(node_type) or (
                not self.read("showChildNodeTypes", True) and node.GetClassName() != node_type
            ):
                continue
            if any(node.IsA(hidden) for hidden in self.read("hideChildNodeTypes", [])):
                return False
            name, value = self._attributes.get(node_type, (None, None))
            return name is None or (node.GetAttribute(name) is not None and value in (None, node.GetAttribute(name)))
        return not types

    def _wanted(self) -> list[Any]:
        candidates = self._candidates() if self._scene else []
        self._on_nodes.clear()
        for node in candidates:
            self._on_nodes.observe(node, vtk.vtkCommand.ModifiedEvent)
        return [node for node in candidates if self._accepts(node)]

    def _candidates(self) -> list[Any]:
        """Return the nodes of the types of the selector in the order of the scene."""
        types = self.read("nodeTypes", [])
        found = self._scene.GetNodesByClass(types[0] if len(types) == 1 else "vtkMRMLNode")
        found.UnRegister(None)  # VTK hands out a new collection
        nodes = [found.GetItemAsObject(i) for i in range(found.GetNumberOfItems())]
        return [node for node in nodes if len(types) < 2 or any(node.IsA(node_type) for node_type in types)]

    def _listed(self) -> list[str]:
        ids = [self._combo.itemData(row) for row in range(self._combo.count())]
        return [node_id for node_id in ids if node_id]

    def _synchronize(self) -> None:
        """Bring the items in line with the scene row by row, so that Qt moves the current one as in Slicer."""
        wanted = [(node.GetName() or "", node.GetID(), None) for node in self._wanted()]
        if self.read("noneEnabled", False):
            wanted.insert(0, (self.read("noneDisplay", ""), "", None))
        wanted += [(text, "", action) for text, action in self._actions()]
        keys = [(node_id, action) for _, node_id, action in wanted]
        for row in reversed(range(self._combo.count())):
            if self._key(row) not in keys:
                self._combo.removeItem(row)
        for row, (text, node_id, action) in enumerate(wanted):
            if row >= self._combo.count() or self._key(row) != (node_id, action):
                self._insert(row, text, node_id, action)
            elif self._combo.itemText(row) != text:
                self._combo.setItemText(row, text)

    def _insert(self, row: int, text: str, node_id: str, action: str | None) -> None:
        """Qt chooses the first row that is inserted; an action is never chosen so."""
        before = self._combo.currentIndex()
        self._combo.blockSignals(action is not None)
        self._combo.insertItem(row, text, node_id)
        self._combo.setItemData(row, action, _ID + 1)
        if action is not None and before < 0:
            self._combo.setCurrentIndex(-1)
        self._combo.blockSignals(False)

    def _key(self, row: int) -> tuple[str, str | None]:
        return self._combo.itemData(row), self._combo.itemData(row, _ID + 1)

    def _emit_current(self, _text: str) -> None:
        row, node = self._combo.currentIndex(), self.currentNode()
        if self._quiet:
            return
        if row >= 0 and self._combo.itemData(row, _ID + 1) is not None:
            if self.nodeCount():  # the current node was removed, and an action came in its place
                self.setCurrentNode(self.nodeFromIndex(self.nodeCount() - 1))
            return
        self._before_action = self._get_currentNodeID()
        self.emit("currentNodeChanged(vtkMRMLNode*)", node)
        self.emit("currentNodeChanged(bool)", node is not None)
        self.emit("currentNodeIDChanged(QString)", self._before_action)

    _before_action = ""
