"""What a user does in the panel: chooses, types, moves sliders, waits; and a case put together that way."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any


def pick(box: Any, value: str) -> None:
    """Choose the entry of a combo box with a value."""
    row = box.findData(value)
    assert row >= 0, f"{value!r} is not offered: {[box.itemData(i) for i in range(box.count)]}"
    box.setCurrentIndex(row)


def type_into(table: Any, row: int, column: int, text: str) -> None:
    """Type into a cell that can be edited."""
    import qt

    item = table.item(row, column)
    assert int(item.flags()) & int(qt.Qt.ItemIsEditable), f"cell {row}, {column} cannot be edited"
    item.setText(text)


def row_of(table: Any, text: str, column: int = 0) -> int:
    """Return the row of a table that has a text in a column."""
    texts = [table.item(row, column).text() for row in range(table.rowCount)]
    assert text in texts, f"{text!r} is not in {texts}"
    return texts.index(text)


def texts_of(table: Any) -> list[list[str]]:
    """Return the texts of a table row by row."""
    items = [[table.item(row, column) for column in range(table.columnCount)] for row in range(table.rowCount)]
    return [["" if item is None else item.text() for item in row] for row in items]


def choose_roles(panel: Any, segmentation: Any, roles: dict[str, str]) -> None:
    """Choose a segmentation, and the roles of segments by their names."""
    ui = panel.ui("Structures")
    ui.segmentationSelector.setCurrentNode(segmentation)
    for name, role in roles.items():
        pick(ui.rolesTable.cellWidget(row_of(ui.rolesTable, name), 1), role)


def add_site(panel: Any, name: str, segment_id: str, shunt_percent: str = "", rule: str = "free") -> None:
    """Add a site in the table of sites."""
    panel.click("Sites", "addSiteButton")
    table = panel.ui("Sites").sitesTable
    describe_site(panel, table.rowCount - 1, segment_id, shunt_percent, rule)
    type_into(table, table.rowCount - 1, 0, name)


def describe_site(panel: Any, row: int, segment_id: str, shunt_percent: str = "", rule: str = "free") -> None:
    """Choose perfused volume, lung shunt and use of a site."""
    table = panel.ui("Sites").sitesTable
    pick(table.cellWidget(row, 1), segment_id)
    type_into(table, row, 2, shunt_percent)
    pick(table.cellWidget(row, 5), rule)


def slider(panel: Any, site: str) -> Any:
    """Return the slider of a site."""
    return panel.sections["PlanSection"]._sliders[site]


class Heartbeat:
    """Notes the longest pause of the event loop while a block runs."""

    def __init__(self, every_ms: int = 10) -> None:
        import qt

        self._timer, self._times, self._worked = qt.QTimer(), [], []
        self._timer.setInterval(every_ms)
        self._timer.connect("timeout()", self._beat)

    def _beat(self) -> None:
        self._times.append(time.perf_counter())
        self._worked.append(time.thread_time())

    def __enter__(self) -> Heartbeat:
        self._beat()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._beat()
        self._timer.stop()

    @property
    def beats(self) -> int:
        return len(self._times) - 2

    @property
    def longest_s(self) -> float:
        """Longest time between two beats [s], which other programs on the machine lengthen."""
        return max(b - a for a, b in pairwise(self._times))

    @property
    def busiest_s(self) -> float:
        """Longest time that this thread itself worked between two beats [s]."""
        return max(b - a for a, b in pairwise(self._worked))


def bare_nodes(scene: Any, inputs: Any) -> Any:
    """Put the nodes of a case into a scene, with names of no meaning for the planner."""
    import slicer

    from RadioembolizationPlannerLib.publish import publish_case

    nodes = publish_case(scene, inputs)
    for node, name in ((nodes.scout, "SPECT"), (nodes.ct, "CT"), (nodes.segmentation, "Segmentation")):
        node.SetName(name)
    slicer.app.processEvents()
    return nodes
