"""Stand-in of the view of a table node."""
# ruff: noqa: N801, N802

from __future__ import annotations

from typing import Any

import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtWidgets import QWidget
from standin_base import declared
from standin_qmrml import Observer


class qMRMLTableView(declared("qMRMLTableView", QtWidgets.QTableView)):
    """The cells of a table node; the column names are its first row unless ``firstRowLocked`` makes them headings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene, self._node, self._filling = None, None, False
        self._cells = QtGui.QStandardItemModel(self)
        self._cells.itemChanged.connect(self._edited)
        self.setModel(self._cells)
        self.selectionModel().selectionChanged.connect(lambda *_: self.emit("selectionChanged()"))
        self._observer = Observer(self._refresh)

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.emit("mrmlSceneChanged(vtkMRMLScene*)", scene)

    def mrmlTableNode(self) -> Any:
        return self._node

    def setMRMLTableNode(self, node: Any) -> None:
        self._observer.clear()
        self._node = node
        self._observer.observe(node, vtk.vtkCommand.ModifiedEvent)
        self._refresh()

    def tableModel(self) -> QtCore.QAbstractItemModel:
        return self._cells

    def write(self, name: str, value: Any) -> None:
        super().write(name, value)
        self._refresh()

    def setFirstRowLocked(self, locked: bool) -> None:
        self.write("firstRowLocked", locked)

    def setFirstColumnLocked(self, locked: bool) -> None:
        self.write("firstColumnLocked", locked)

    def setTransposed(self, transposed: bool) -> None:
        self.write("transposed", transposed)

    def _refresh(self) -> None:
        self._filling = True
        self._cells.clear()
        for row in self._rows():
            items = [QtGui.QStandardItem(text) for text in row]
            for item in items if self._node.GetLocked() else []:
                item.setEditable(False)
            self._cells.appendRow(items)
        self._take_headings()
        self._filling = False

    def _rows(self) -> list[list[str]]:
        if self._node is None:
            return []
        names = [self._node.GetColumnName(column) for column in range(self._node.GetNumberOfColumns())]
        body = [
            [self._node.GetCellText(row, column) for column in range(len(names))]
            for row in range(self._node.GetNumberOfRows())
        ]
        rows = [names, *body]
        return [list(column) for column in zip(*rows, strict=True)] if self.read("transposed", False) else rows

    def _take_headings(self) -> None:
        transposed = self.read("transposed", False)
        if transposed and self.read("firstColumnLocked", False):
            self._cells.setVerticalHeaderLabels([item.text() for item in self._cells.takeColumn(0)])
        elif self.read("firstRowLocked", False) and self._cells.rowCount():
            self._cells.setHorizontalHeaderLabels([item.text() for item in self._cells.takeRow(0)])

    def _edited(self, item: QtGui.QStandardItem) -> None:
        if not self._filling and not self.read("transposed", False):
            row = item.row() - (0 if self.read("firstRowLocked", False) else 1)
            if row >= 0:
                self._node.SetCellText(row, item.column(), item.text())
