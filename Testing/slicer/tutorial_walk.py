"""Walking the tutorial through the panel: the page, the panel beside it, and where pictures go."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tutorial_pictures as pictures
from panel_driver import Panel

from support import REPOSITORY

PAGE = (REPOSITORY / "docs" / "tutorial.md").read_text(encoding="utf-8")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
#: Of a number on the page: solvers and numerical libraries of other versions change the last digit.
TOLERANCE = 0.02
#: For a calculation on a machine that does other things too.
PATIENCE_S = 600.0


@dataclass
class Walk:
    """The panel, what has been written on the page, and where pictures go."""

    panel: Panel
    folder: Path
    drawn: dict[str, np.ndarray] = field(default_factory=dict)

    def draw(self, name: str, picture: np.ndarray) -> np.ndarray:
        """Write a picture; it shows something."""
        assert picture.std() > 5.0 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 20, name
        self.drawn[name] = pictures.save(picture, self.folder / f"{name}.png")
        assert f"figures/tutorial/{name}.png" in PAGE, name
        return picture

    def section(self, name: str) -> np.ndarray:
        """Draw a section of the panel."""
        widget = self.panel.sections[f"{name}Section"].widget
        return self.draw(name.lower(), pictures.widget_picture(self.panel, widget))

    def button(self, section: str, name: str) -> None:
        """Click a button whose text the page names."""
        says(f"**{getattr(self.panel.ui(section), name).text}**")
        self.panel.click(section, name)
        self.panel.idle(PATIENCE_S)


def start(slicer_widgets: Any, application: Any, folder: Path) -> Walk:
    """Open the module in an empty scene."""
    import slicer_module_standins

    slicer_module_standins.install()
    import RadioembolizationPlanner

    widget = slicer_widgets(RadioembolizationPlanner.RadioembolizationPlannerWidget, pictures.PANEL_WIDTH, 1800)
    return Walk(Panel(widget, application), pictures.FIGURES if os.environ.get(pictures.REWRITE) == "1" else folder)


def says(text: str) -> None:
    """The page says this, wherever its lines are broken."""
    assert " ".join(text.split()) in " ".join(PAGE.split()), f"docs/tutorial.md does not say: {text}"


def shows(block: str, text: str) -> None:
    """A block of the page, found by its first words, is what the panel shows; numbers may differ a little."""
    found = [b for b in re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) if b.startswith(block)]
    assert len(found) == 1, f"{len(found)} blocks of docs/tutorial.md begin with '{block}'; the panel shows:\n{text}"
    on_page, shown = (" ".join(each.split()) for each in (found[0], text))
    assert _NUMBER.sub("#", on_page) == _NUMBER.sub("#", shown), f"The panel shows:\n{text}"
    numbers = [[float(number) for number in _NUMBER.findall(each)] for each in (on_page, shown)]
    assert numbers[0] == pytest.approx(numbers[1], rel=TOLERANCE), f"The panel shows:\n{text}"


def cells(table: Any) -> list[list[str]]:
    """The texts of a table of the panel."""
    return [[table.item(row, c).text() for c in range(table.columnCount)] for row in range(table.rowCount)]


def choose(panel: Panel, box: Any, text: str) -> None:
    """Choose an entry of a combo box that the page names."""
    says(f"*{text}*")
    assert box.findText(text) >= 0, [box.itemText(index) for index in range(box.count)]
    box.setCurrentIndex(box.findText(text))
    panel.spin()
