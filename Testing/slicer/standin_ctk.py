"""Stand-ins of the widgets of CTK."""
# ruff: noqa: N801, N802

from __future__ import annotations

from typing import Any, ClassVar

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStyle, QWidget
from standin_base import declared, fill

#: Set on a child: whether it is to be seen when its part is open.
_WANTED = "visibilityToParent"


class _Folding:
    """Contents that are seen while a checkable widget is checked, whatever shows them meanwhile.

    As in CTK: a child that is shown or hidden while the widget is collapsed stays hidden, and is as it was told last
    when the widget is expanded.
    """

    def _start_folding(self) -> None:
        self._adopted: set[QWidget] = set()
        self._is_forcing = False
        self.toggled.connect(self._toggle)

    def adopt_children(self) -> None:
        """Follow the children that are new; CTK does so when each comes, of which PySide6 tells too early."""
        for child in self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if child not in self._adopted:
                self._adopted.add(child)
                if child.isHidden() and child.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide):
                    child.setProperty(_WANTED, False)
                child.installEventFilter(self)
                if not self.isChecked():
                    self._force(child)

    def _force(self, child: QWidget) -> None:
        """Show or hide a child without taking that for its own wish."""
        wanted = child.property(_WANTED) is not False
        self._is_forcing = True
        child.setVisible(wanted and self.isChecked())
        if wanted:
            child.setAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide, False)
        self._is_forcing = False

    def _fold(self) -> None:
        self.adopt_children()
        for child in self._adopted:
            self._force(child)

    def eventFilter(self, child: QtCore.QObject, event: QtCore.QEvent) -> bool:
        if not self._is_forcing:
            if event.type() == QtCore.QEvent.Type.ShowToParent:
                child.setProperty(_WANTED, True)
                self._force(child)
            elif event.type() == QtCore.QEvent.Type.HideToParent:
                child.setProperty(_WANTED, False)
        return False

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        self.adopt_children()
        super().showEvent(event)


class ctkCollapsibleButton(_Folding, declared("ctkCollapsibleButton", QtWidgets.QAbstractButton)):
    """A checkable button whose children are its contents, shown while it is checked."""

    DEFAULTS: ClassVar[dict[str, Any]] = {"collapsedHeight": 10}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Minimum, QtWidgets.QSizePolicy.Policy.Preferred)
        self._set_margins()
        self._start_folding()

    def _get_collapsed(self) -> bool:
        return not self.isChecked()

    def _set_collapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    def _toggle(self, checked: bool) -> None:
        self._fold()
        self.updateGeometry()
        self.emit("contentsCollapsed(bool)", not checked)

    def _heading(self) -> int:
        return self.fontMetrics().height() + 8

    def _set_margins(self) -> None:
        self.setContentsMargins(0, self._heading(), 0, 0)

    def minimumSizeHint(self) -> QtCore.QSize:
        width = self.fontMetrics().horizontalAdvance(self.text()) + 32
        inside = self.layout().totalMinimumSize() if self.layout() and self.isChecked() else QtCore.QSize(0, 0)
        contents = 0 if self.isChecked() else self.read("collapsedHeight", 0)
        return QtCore.QSize(max(width, inside.width()), max(self._heading() + contents, inside.height()))

    def sizeHint(self) -> QtCore.QSize:
        if self.layout() is None or not self.isChecked():
            return self.minimumSizeHint()
        return self.layout().totalSizeHint().expandedTo(self.minimumSizeHint())

    def hitButton(self, position: QtCore.QPoint) -> bool:
        return position.y() <= self._heading()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtWidgets.QStylePainter(self)
        heading = QtCore.QRect(0, 0, self.width(), self._heading())
        if not self.read("flat", False):
            frame = QtWidgets.QStyleOptionFrame()
            frame.initFrom(self)
            frame.rect = self.rect().adjusted(0, self._heading() // 2, 0, 0)
            frame.lineWidth = 1
            painter.drawPrimitive(QStyle.PrimitiveElement.PE_FrameGroupBox, frame)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = heading
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        arrow = QStyle.PrimitiveElement.PE_IndicatorArrowDown
        option.rect = QtCore.QRect(6, 0, 12, self._heading())
        painter.drawPrimitive(arrow if self.isChecked() else QStyle.PrimitiveElement.PE_IndicatorArrowRight, option)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextShowMnemonic
        painter.drawItemText(heading.adjusted(24, 0, 0, 0), flags, self.palette(), self.isEnabled(), self.text())


class ctkCollapsibleGroupBox(_Folding, declared("ctkCollapsibleGroupBox", QtWidgets.QGroupBox)):
    """A checkable group box whose contents are shown while it is checked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self._start_folding()

    _get_collapsed = ctkCollapsibleButton._get_collapsed
    _set_collapsed = ctkCollapsibleButton._set_collapsed

    def _toggle(self, _checked: bool) -> None:
        self._fold()


class ctkComboBox(declared("ctkComboBox", QtWidgets.QComboBox)):
    """A combo box with a text for "nothing is chosen"."""

    def _set_defaultText(self, text: str) -> None:
        self.setPlaceholderText(text)

    def _get_currentUserDataAsString(self) -> str:
        return str(self.currentData() or "")

    def _set_currentUserDataAsString(self, text: str) -> None:
        self.setCurrentIndex(self.findData(text))

    def setCurrentUserDataAsString(self, text: str) -> None:
        self._set_currentUserDataAsString(text)


class ctkCheckableComboBox(declared("ctkCheckableComboBox", QtWidgets.QComboBox)):
    """A combo box whose items can be checked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model().rowsInserted.connect(self._make_checkable)
        self.model().dataChanged.connect(self._changed)

    def _make_checkable(self, parent: QtCore.QModelIndex, first: int, last: int) -> None:
        self.model().blockSignals(True)
        for row in range(first, last + 1):
            self.model().item(row).setCheckable(True)
            self.model().item(row).setCheckState(Qt.CheckState.Unchecked)
        self.model().blockSignals(False)

    def _changed(self, first: QtCore.QModelIndex, last: QtCore.QModelIndex, roles: list[int]) -> None:
        if not roles or int(Qt.ItemDataRole.CheckStateRole) in [int(role) for role in roles]:
            self.emit("checkedIndexesChanged()")

    def _states(self) -> list[Qt.CheckState]:
        return [self.model().item(row).checkState() for row in range(self.count())]

    def checkableModel(self) -> QtCore.QAbstractItemModel:
        return self.model()

    def checkedIndexes(self) -> list[QtCore.QModelIndex]:
        return [self.model().index(row, 0) for row, s in enumerate(self._states()) if s == Qt.CheckState.Checked]

    def allChecked(self) -> bool:
        return bool(self.count()) and all(state == Qt.CheckState.Checked for state in self._states())

    def noneChecked(self) -> bool:
        return all(state == Qt.CheckState.Unchecked for state in self._states())

    def checkState(self, index: QtCore.QModelIndex) -> Qt.CheckState:
        return self.model().itemFromIndex(index).checkState()

    def setCheckState(self, index: QtCore.QModelIndex, state: Qt.CheckState) -> None:
        self.model().itemFromIndex(index).setCheckState(state)


class ctkPathLineEdit(declared("ctkPathLineEdit", QWidget)):
    """A line for a path, with a button to browse."""

    DEFAULTS: ClassVar[dict[str, Any]] = {"showBrowseButton": True, "showHistoryButton": True, "filters": 0x7}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._combo, self._browse = QtWidgets.QComboBox(), QtWidgets.QToolButton()
        self._combo.setEditable(True)
        self._browse.setText("...")
        self._combo.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        fill(self, self._combo, self._browse)
        self._combo.editTextChanged.connect(lambda path: self.emit("currentPathChanged(QString)", path))

    def _get_currentPath(self) -> str:
        return self._combo.currentText()

    def _set_currentPath(self, path: str) -> None:
        self._combo.setEditText(path)

    def _set_showBrowseButton(self, visible: bool) -> None:
        self._browse.setVisible(visible)

    def setCurrentPath(self, path: str) -> None:
        self._set_currentPath(path)

    def comboBox(self) -> QtWidgets.QComboBox:
        return self._combo

    def addCurrentPathToHistory(self) -> None:
        self._combo.insertItem(0, self._combo.currentText())


class ctkDirectoryButton(declared("ctkDirectoryButton", QWidget)):
    """A button that shows a folder."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._button = QtWidgets.QPushButton()
        fill(self, self._button)

    def _set_directory(self, folder: str) -> None:
        if folder != self._button.text():
            self._button.setText(folder)
            self.emit("directoryChanged(QString)", folder)


class ctkMessageBox(declared("ctkMessageBox", QtWidgets.QMessageBox)):
    """A message box that can be told not to show again."""

    def setDontShowAgain(self, dont_show: bool) -> None:
        self.write("dontShowAgain", dont_show)
