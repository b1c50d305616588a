"""Pictures of the tutorial: parts of the panel, views and charts as PNG with a palette.

Run as a script, it walks the tutorial and rewrites ``docs/figures/tutorial``::

    python Testing/slicer/tutorial_pictures.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
FIGURES = HERE.parents[1] / "docs" / "figures" / "tutorial"
#: Set to 1, the test of the tutorial writes its pictures into ``FIGURES`` instead of a temporary folder.
REWRITE = "RADIOEMBOLIZATION_TUTORIAL_PICTURES"

PANEL_WIDTH = 740
VIEW_SIZE = (560, 440)
CHART_SIZE = (760, 480)
COMPARISON_SIZE = (860, 680)
_COLORS = 256
_GAP = 6


def save(picture: np.ndarray, path: Path) -> np.ndarray:
    """Write a picture (rows, columns, 3) of bytes as PNG with a palette; return it."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture)).quantize(_COLORS, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    return picture


def widget_picture(panel: Any, widget: Any) -> np.ndarray:
    """Return a widget of a panel (rows, columns, 3); the panel is as high as it asks for, so nothing is squeezed."""
    parent = panel.widget.parent
    panel.spin(0.1)
    for _ in range(2):  # tables ask for more once they are as wide as they will be
        parent.resize(PANEL_WIDTH, parent.sizeHint.height())
        panel.spin(0.1)
    return _pixels(widget.grab())


def tooltip_picture(text: str) -> np.ndarray:
    """Return a tooltip (rows, columns, 3)."""
    from PySide6 import QtWidgets

    label = QtWidgets.QLabel(text)
    label.setStyleSheet("background: #ffffdc; color: black; border: 1px solid #767676; padding: 4px")
    label.adjustSize()
    return _pixels(label.grab())


def place(picture: np.ndarray, inset: np.ndarray, row: int, column: int) -> np.ndarray:
    """Return a picture with another one on it, moved as far as needed to lie inside."""
    height, width = inset.shape[:2]
    row, column = (
        max(0, min(at, most - size))
        for at, most, size in zip((row, column), picture.shape[:2], (height, width), strict=True)
    )
    result = picture.copy()
    result[row : row + height, column : column + width] = inset
    return result


def beside(*pictures: np.ndarray, down: bool = False) -> np.ndarray:
    """Return pictures side by side, or one below the other, with a gap between them."""
    axis, other = (0, 1) if down else (1, 0)
    longest = max(picture.shape[other] for picture in pictures)
    parts = []
    for picture in pictures:
        missing = [(0, 0)] * 3
        missing[other] = (0, longest - picture.shape[other])
        missing[axis] = (0, _GAP)
        parts.append(np.pad(picture, missing, constant_values=255))
    joined = np.concatenate(parts, axis=axis)
    return joined[:-_GAP] if down else joined[:, :-_GAP]


def of_height(picture: np.ndarray, rows: int) -> np.ndarray:
    """Return a picture scaled to a number of rows."""
    from PIL import Image

    columns = round(picture.shape[1] * rows / picture.shape[0])
    return np.asarray(Image.fromarray(picture).resize((columns, rows), Image.Resampling.LANCZOS))


def _pixels(pixmap: Any) -> np.ndarray:
    """Return a QPixmap as (rows, columns, 3)."""
    from PySide6 import QtGui

    image = pixmap.toImage().convertToFormat(QtGui.QImage.Format.Format_RGBX8888)
    flat = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), -1, 4)
    return flat[:, : image.width(), :3].copy()


def main() -> int:
    """Rewrite the pictures of the documentation."""
    import pytest

    os.environ[REWRITE] = "1"
    return int(pytest.main(["-m", "exhaustive", str(HERE / "test_tutorial.py"), "-q"]))


if __name__ == "__main__":
    sys.exit(main())
