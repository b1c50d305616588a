"""Columns of texts and numbers in a table of the panel, which is only seen where it has rows."""

from __future__ import annotations

from typing import Any

import qt

from RadioembolizationPlannerLib.sections.table import Table, number_text
from RadioembolizationPlannerLib.tables import Columns


class ShownTable:
    """A table that shows whatever columns there are.

    Parameters
    ----------
    widget : QTableWidget
    """

    def __init__(self, widget: Any) -> None:
        self._widget, self._titles = widget, []
        self._table: Table | None = None
        widget.visible = False

    @property
    def selected(self) -> int:
        """The current row, -1 if none is."""
        return self._widget.currentRow() if self._widget.rowCount else -1

    def select(self, row: int) -> None:
        """Make a row the current one."""
        self._widget.setCurrentCell(row, 0)

    def show(self, columns: Columns) -> None:
        """Show columns; without any, or without rows, nothing is seen."""
        titles, values = list(columns), [list(column) for column in columns.values()]
        rows = len(values[0]) if values else 0
        self._widget.visible = rows > 0
        if not titles:
            return
        if self._table is None or titles != self._titles:
            self._widget.setRowCount(0)
            self._table, self._titles = Table(self._widget, titles), titles
            if values[0] and not isinstance(values[0][0], str):  # a column of numbers needs its title, and no more
                self._widget.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.ResizeToContents)
        self._table.set_rows(rows)
        for row in range(rows):
            self._table.set_row(row, [_text(column[row]) for column in values])


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return number_text(None if value != value else float(value))
