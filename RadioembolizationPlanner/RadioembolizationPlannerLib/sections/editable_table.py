"""A table of the panel that shows rows of texts and writes what is typed or chosen into a parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import qt

from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.section import Section, choose, set_choices
from RadioembolizationPlannerLib.sections.table import Table


@dataclass(frozen=True)
class Column:
    """A column.

    Parameters
    ----------
    title, tip : str
    choices : tuple of (str, str)
        Text and value of what can be chosen; without any, a text is typed.
    editable : bool
    """

    title: str
    tip: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    editable: bool = True


@dataclass(frozen=True)
class Rows:
    """What a table is about: its columns, its rows, and what a changed cell makes of a parameter.

    Parameters
    ----------
    columns : tuple of Column
    shown : callable
        Returns the texts, or values of choices, of all rows; None for cells that cannot be changed.
    edited : callable
        Returns the parameter after row, column and text have been entered; raises ``InputError`` if that cannot be.
    stretched : int
        Column that takes the room left.
    parameter : str
        Which one is written.
    tips : callable, optional
        Returns what the tooltip of each cell of a row says; without it, that of the column.
    """

    columns: tuple[Column, ...]
    shown: Callable[[PlannerParameters], Sequence[Sequence[str | None]]]
    edited: Callable[[PlannerParameters, int, int, str], Mapping[str, Any]]
    stretched: int = 0
    parameter: str = "course"
    tips: Callable[[PlannerParameters, int], str] | None = None


class EditableTable:
    """Rows of a parameter in a ``QTableWidget``.

    Parameters
    ----------
    section : Section
    widget : QTableWidget
    rows : Rows
    """

    def __init__(self, section: Section, widget: Any, rows: Rows) -> None:
        self._section, self._rows = section, rows
        self._table = Table(widget, [column.title for column in rows.columns], stretched=rows.stretched)
        widget.connect("cellChanged(int,int)", section.slot(self._on_cell))

    @property
    def selected(self) -> int:
        """The current row, -1 if none is."""
        return self._table.selected

    def show(self, parameters: PlannerParameters) -> None:
        """Show all rows."""
        shown = self._rows.shown(parameters)
        self._table.set_rows(len(shown))
        for row, texts in enumerate(shown):
            own = "" if self._rows.tips is None else self._rows.tips(parameters, row)
            for index, (column, text) in enumerate(zip(self._rows.columns, texts, strict=True)):
                self._show_cell(row, index, column, text, own)

    def _show_cell(self, row: int, index: int, column: Column, text: str | None, own: str) -> None:
        if column.choices:
            box = self._table.widget(row, index, lambda: self._new_box(row, index, column))
            choose(box, text or "")
            box.toolTip = own or column.tip
        else:
            editable = column.editable and text is not None
            tip = "\n".join(filter(None, (text, column.tip, own))) if editable else own
            self._table.set_text(row, index, text or "", editable=editable, tip=tip)

    def _new_box(self, row: int, index: int, column: Column) -> qt.QComboBox:
        box = qt.QComboBox()
        box.minimumContentsLength = 5
        box.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
        box.toolTip = column.tip
        set_choices(box, list(column.choices))
        box.connect(
            "currentIndexChanged(int)", self._section.slot(lambda _index: self._enter(row, index, box.currentData))
        )
        return box

    def _on_cell(self, row: int, index: int) -> None:
        if not self._rows.columns[index].choices:
            self._enter(row, index, self._table.text(row, index).strip())

    def _enter(self, row: int, index: int, text: str) -> None:
        section = self._section
        section.attempt(lambda: self._change(row, index, text))
        with section.showing():
            section.attempt(lambda: self.show(section.session.parameters))

    def _change(self, row: int, index: int, text: str) -> None:
        parameters = self._section.session.parameters
        if row < len(self._rows.shown(parameters)):
            edited = self._rows.edited(parameters, row, index, text)
            self._section.session.change(**{self._rows.parameter: edited})


def without(entries: Sequence[Any], index: int) -> list[Any]:
    """Return entries without one."""
    return [kept for number, kept in enumerate(entries) if number != index]
