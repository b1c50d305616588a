"""Stand-ins of the widgets for segments, on real MRML nodes."""
# ruff: noqa: N801, N802

from __future__ import annotations

from typing import Any, ClassVar

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QWidget
from standin_base import declared, fill
from standin_ctk import ctkCheckableComboBox
from standin_qmrml import Observer, qMRMLNodeComboBox, qMRMLWidget

_ID = Qt.ItemDataRole.UserRole
_COLUMNS = ("visibilityColumnVisible", "colorColumnVisible", "opacityColumnVisible", "", "statusColumnVisible",
            "layerColumnVisible")  # fmt: skip
_NAME = 3


def _segment_events() -> tuple[int, ...]:
    events = slicer.vtkSegmentation
    return (events.SegmentAdded, events.SegmentRemoved, events.SegmentModified, events.SegmentsOrderModified)


class qMRMLSegmentsTableView(declared("qMRMLSegmentsTableView", qMRMLWidget)):
    """The segments of a segmentation, one a row."""

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "selectionMode": 3,
        "headerVisible": True,
        "visibilityColumnVisible": True,
        "colorColumnVisible": True,
        "opacityColumnVisible": True,
        "useTerminologySelector": True,
    }

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node, self._hidden = None, []
        self._table = QtWidgets.QTableWidget(0, len(_COLUMNS))
        self._table.setHorizontalHeaderLabels(["", "", "Opacity", "Name", "Status", "Layer"])
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.horizontalHeader().setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.ResizeToContents)
        self._table.horizontalHeader().setSectionResizeMode(_NAME, QtWidgets.QHeaderView.ResizeMode.Stretch)
        self._table.verticalHeader().hide()
        fill(self, self._table, vertical=True)
        self._table.selectionModel().selectionChanged.connect(self._selection_changed)
        self._table.itemChanged.connect(self._renamed)
        self._observer = Observer(self._refresh)
        self._show_columns()

    def write(self, name: str, value: Any) -> None:
        super().write(name, value)
        self._show_columns()
        self._refresh()

    def _get_segmentCount(self) -> int:
        return len(self._segment_ids())

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        self._observer.clear()
        self._node = node
        self._observer.observe(node, vtk.vtkCommand.ModifiedEvent)
        self._observer.observe(node.GetSegmentation() if node else None, *_segment_events())
        self._refresh()

    def selectedSegmentIDs(self) -> list[str]:
        rows = sorted({index.row() for index in self._table.selectedIndexes()})
        return [self.segmentIDForRow(row) for row in rows]

    def setSelectedSegmentIDs(self, segment_ids: list[str]) -> None:
        model, selection = self._table.model(), QtCore.QItemSelection()
        for row in range(self._table.rowCount()):
            if self.segmentIDForRow(row) in segment_ids:
                selection.select(model.index(row, 0), model.index(row, len(_COLUMNS) - 1))
        flags = QtCore.QItemSelectionModel.SelectionFlag.ClearAndSelect
        self._table.selectionModel().select(selection, flags)

    def clearSelection(self) -> None:
        self._table.clearSelection()

    def segmentIDForRow(self, row: int) -> str:
        item = self._table.item(row, _NAME)
        return item.data(_ID) if item else ""

    def rowForSegmentID(self, segment_id: str) -> int:
        return self.displayedSegmentIDs().index(segment_id) if segment_id in self.displayedSegmentIDs() else -1

    def displayedSegmentIDs(self) -> list[str]:
        return [self.segmentIDForRow(row) for row in range(self._table.rowCount())]

    def hideSegments(self) -> list[str]:
        return self._hidden

    def setHideSegments(self, segment_ids: list[str]) -> None:
        self._hidden = list(segment_ids)
        self._refresh()

    def tableWidget(self) -> QtWidgets.QTableView:
        return self._table

    def setReadOnly(self, read_only: bool) -> None:
        self.write("readOnly", read_only)

    def setSelectionMode(self, mode: int) -> None:
        self.write("selectionMode", mode)

    def setHeaderVisible(self, visible: bool) -> None:
        self.write("headerVisible", visible)

    def setVisibilityColumnVisible(self, visible: bool) -> None:
        self.write("visibilityColumnVisible", visible)

    def setColorColumnVisible(self, visible: bool) -> None:
        self.write("colorColumnVisible", visible)

    def setOpacityColumnVisible(self, visible: bool) -> None:
        self.write("opacityColumnVisible", visible)

    def setStatusColumnVisible(self, visible: bool) -> None:
        self.write("statusColumnVisible", visible)

    def setTextFilter(self, text: str) -> None:
        self.write("textFilter", text)

    def _segment_ids(self) -> list[str]:
        return list(self._node.GetSegmentation().GetSegmentIDs()) if self._node else []

    def _show_columns(self) -> None:
        self._table.horizontalHeader().setVisible(self.read("headerVisible", True))
        self._table.setSelectionMode(QAbstractItemView.SelectionMode(self.read("selectionMode", 3)))
        for column, name in enumerate(_COLUMNS):
            self._table.setColumnHidden(column, bool(name) and not self.read(name, False))

    def _refresh(self) -> None:
        selected, text = self.selectedSegmentIDs(), self.read("textFilter", "").lower()
        names = {i: self._node.GetSegmentation().GetSegment(i).GetName() for i in self._segment_ids()}
        shown = [i for i, name in names.items() if i not in self._hidden and text in name.lower()]
        self._table.blockSignals(True)
        self._table.selectionModel().blockSignals(True)
        self._table.setRowCount(len(shown))
        for row, segment_id in enumerate(shown):
            self._fill_row(row, segment_id)
        self.setSelectedSegmentIDs(selected)
        self._table.selectionModel().blockSignals(False)
        self._table.blockSignals(False)

    def _fill_row(self, row: int, segment_id: str) -> None:
        segment = self._node.GetSegmentation().GetSegment(segment_id)
        display = self._node.GetDisplayNode()
        visible = display is None or display.GetSegmentVisibility(segment_id)
        opacity = display.GetSegmentOpacity3D(segment_id) if display else 1.0
        for column, text in enumerate(("●" if visible else "○", "", f"{opacity:.2f}", segment.GetName(), "", "")):
            item = QtWidgets.QTableWidgetItem(text)
            item.setData(_ID, segment_id)
            if column != _NAME or self.read("readOnly", False):
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
            self._table.setItem(row, column, item)
        self._table.item(row, 1).setBackground(QtGui.QColor.fromRgbF(*segment.GetColor()))

    def _renamed(self, item: QtWidgets.QTableWidgetItem) -> None:
        segment = self._node.GetSegmentation().GetSegment(item.data(_ID)) if item.column() == _NAME else None
        if segment is not None and segment.GetName() != item.text():
            self.emit("segmentAboutToBeModified(QString)", item.data(_ID))
            segment.SetName(item.text())

    def _selection_changed(self, selected: QtCore.QItemSelection, deselected: QtCore.QItemSelection) -> None:
        self.emit("selectionChanged(QItemSelection,QItemSelection)", selected, deselected)


class qMRMLSegmentSelectorWidget(declared("qMRMLSegmentSelectorWidget", qMRMLWidget)):
    """Chooses a segmentation and one or more of its segments."""

    DEFAULTS: ClassVar[dict[str, Any]] = {"segmentationNodeSelectorVisible": True, "selectNodeUponCreation": True}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selector, self._one, self._many = qMRMLNodeComboBox(), QtWidgets.QComboBox(), ctkCheckableComboBox()
        self._selector.setProperty("nodeTypes", ["vtkMRMLSegmentationNode"])
        for name in ("addEnabled", "removeEnabled"):
            self._selector.setProperty(name, False)
        self._many.hide()
        fill(self, self._selector, self._one, self._many, vertical=True)
        self._observer = Observer(self._refresh)
        self._selector.destroyed.connect(self._observer.clear)
        node_changed = self._selector._signal_currentNodeChanged_vtkMRMLNode__
        node_changed.connect(self._node_changed)
        self._one.currentIndexChanged.connect(self._segment_changed)
        self._many._signal_checkedIndexesChanged__.connect(
            lambda: self.emit("segmentSelectionChanged(QStringList)", self.selectedSegmentIDs())
        )

    def setMRMLScene(self, scene: Any) -> None:
        super().setMRMLScene(scene)
        self._selector.setMRMLScene(scene)

    def currentNode(self) -> Any:
        return self._selector.currentNode()

    def currentNodeID(self) -> str:
        return self._selector.property("currentNodeID")

    def setCurrentNode(self, node: Any) -> None:
        self._selector.setCurrentNode(node)

    def setCurrentNodeID(self, node_id: str) -> None:
        self._selector.setCurrentNodeID(node_id)

    def segmentIDs(self) -> list[str]:
        node = self.currentNode()
        return list(node.GetSegmentation().GetSegmentIDs()) if node else []

    def currentSegmentID(self) -> str:
        return self._one.currentData() or ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._one.setCurrentIndex(self._one.findData(segment_id))

    def selectedSegmentIDs(self) -> list[str]:
        if not self.read("multiSelection", False):
            return [self.currentSegmentID()] if self.currentSegmentID() else []
        return [index.data(_ID) for index in self._many.checkedIndexes()]

    def setSelectedSegmentIDs(self, segment_ids: list[str]) -> None:
        for row in range(self._many.count()):
            checked = Qt.CheckState.Checked if self._many.itemData(row) in segment_ids else Qt.CheckState.Unchecked
            self._many.model().item(row).setCheckState(checked)

    def _set_multiSelection(self, several: bool) -> None:
        self._one.setVisible(not several)
        self._many.setVisible(several)

    def _set_segmentationNodeSelectorVisible(self, visible: bool) -> None:
        self._selector.setVisible(visible)

    def _set_noneEnabled(self, enabled: bool) -> None:
        self._refresh()

    def _node_changed(self, node: Any) -> None:
        self._observer.clear()
        self._observer.observe(node.GetSegmentation() if node else None, *_segment_events())
        self._refresh()
        self.emit("currentNodeChanged(vtkMRMLNode*)", node)
        self.emit("currentNodeChanged(bool)", node is not None)

    def _refresh(self) -> None:
        node, current = self.currentNode(), self.currentSegmentID()
        items = [(node.GetSegmentation().GetSegment(i).GetName(), i) for i in self.segmentIDs()]
        ones = [("None", ""), *items] if self.read("noneEnabled", False) else items
        for combo, entries in ((self._one, ones), (self._many, items)):
            combo.blockSignals(True)
            combo.clear()
            for text, segment_id in entries:
                combo.addItem(text, segment_id)
            combo.blockSignals(False)
        row = self._one.findData(current)
        self._one.setCurrentIndex(max(row, 0) if ones else -1)
        if self.currentSegmentID() != current:
            self._segment_changed()

    def _segment_changed(self, _row: int = 0) -> None:
        self.emit("currentSegmentChanged(QString)", self.currentSegmentID())
