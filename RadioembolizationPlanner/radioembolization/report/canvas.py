"""Where figures are drawn: empty figures in one style, and their bytes, the same for the same drawing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from radioembolization.errors import MissingPackage

#: Resolution of the pictures that are not drawn as lines [dots per inch].
DPI = 200
_STYLE = {
    "font.size": 8.0,
    "axes.linewidth": 0.6,
    "svg.hashsalt": "radioembolization",
    "svg.fonttype": "path",
}


@contextmanager
def new_figure() -> Iterator[Any]:
    """Hand out an empty figure, drawn in the same style whatever the user's settings are.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    try:
        from matplotlib import style
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackage("The figures of a report need the package matplotlib: pip install matplotlib.") from error
    with style.context(["default", _STYLE]):
        yield Figure(facecolor="white")


def svg_of(figure: Any) -> str:
    """Return a figure as SVG."""
    return _bytes(figure, "svg", {"Date": None, "Creator": None}, DPI).decode("utf-8")


def png_of(figure: Any, dpi: int = DPI) -> bytes:
    """Return a figure as PNG."""
    return _bytes(figure, "png", {"Software": None}, dpi)


def _bytes(figure: Any, kind: str, metadata: dict[str, None], dpi: int) -> bytes:
    buffer = BytesIO()
    with warnings.catch_warnings():
        # A name in a script the font lacks is drawn as boxes; the page prints it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return buffer.getvalue()
