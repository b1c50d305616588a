"""A table of the panel whose rows are made once and then kept, so that what is being edited is not replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from radioembolization.errors import InputError

_ROW_PIXELS = 26
_MOST_ROWS_SHOWN = 10


class Table:
    """Rows of texts and widgets in a ``QTableWidget``.

    Parameters
    ----------
    widget : QTableWidget
    titles : sequence of str
        Of the columns.
    stretched : int
        Column that takes the room left.
    """

    def __init__(self, widget: Any, titles: Sequence[str], stretched: int = 0) -> None:
        self._table = widget
        widget.setColumnCount(len(titles))
        widget.setHorizontalHeaderLabels(list(titles))
        widget.setWordWrap(False)
        widget.verticalHeader().setVisible(False)
        widget.verticalHeader().setDefaultSectionSize(_ROW_PIXELS)
        widget.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        widget.horizontalHeader().setSectionResizeMode(stretched, qt.QHeaderView.Stretch)
        widget.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        self.set_rows(0)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self._table.rowCount

    @property
    def selected(self) -> int:
        """The current row, -1 if none is."""
        return self._table.currentRow()

    def set_rows(self, count: int) -> None:
        """Set the number of rows, and the height that shows up to ten of them."""
        if self._table.rowCount != count:
            self._table.setRowCount(count)
        shown = min(max(count, 1), _MOST_ROWS_SHOWN)
        self._table.setFixedHeight(_ROW_PIXELS * (shown + 1) + 8)

    def set_text(self, row: int, column: int, text: str, *, editable: bool = False, tip: str = "") -> None:
        """Show a text in a cell; what says the same already is left alone."""
        item = self._table.item(row, column)
        if item is None:
            item = qt.QTableWidgetItem()
            flags = qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled
            item.setFlags(flags | qt.Qt.ItemIsEditable if editable else flags)
            self._table.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
        if item.toolTip() != (tip or text):
            item.setToolTip(tip or text)

    def set_row(self, row: int, texts: Sequence[str]) -> None:
        """Show texts in the cells of a row."""
        for column, text in enumerate(texts):
            self.set_text(row, column, text)

    def text(self, row: int, column: int) -> str:
        """Return the text of a cell."""
        item = self._table.item(row, column)
        return "" if item is None else item.text()

    def widget(self, row: int, column: int, make: Callable[[], Any]) -> Any:
        """Return the widget in a cell, made if there is none."""
        found = self._table.cellWidget(row, column)
        if found is None:
            found = make()
            self._table.setCellWidget(row, column, found)
        return found


def typed_number(text: str, lowest: float, highest: float) -> float:
    """Return a number typed into a cell, with a point or a comma.

    Raises
    ------
    InputError
        If it is none, or outside what is possible.
    """
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = float("nan")
    if not lowest <= value <= highest:
        told = _("'{text}' is no number from {lowest:g} to {highest:g}: the cell keeps its value.")
        raise InputError(told.format(text=text, lowest=lowest, highest=highest))
    return value


def number_text(value: float | None, digits: int = 4) -> str:
    """Return a number for a table; a dash where there is none."""
    return _("–") if value is None else f"{value:.{digits}g}"
