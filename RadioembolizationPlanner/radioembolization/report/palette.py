"""Colours and lettering shared by the figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from radioembolization.structures import NORMAL_LIVER, WHOLE_LIVER, StructureSet

#: Distinguishable with the common forms of colour blindness for the first six (Okabe and Ito).
_TUMOURS = (
    *("#D55E00", "#0072B2", "#CC79A7", "#E69F00", "#56B4E9", "#009E73"),
    *("#7F3C8D", "#A6761D", "#E7298A", "#3969AC", "#80BA5A", "#8C564B"),
)
_ORGANS = ("#8D6E00", "#5E35B1", "#00838F", "#AD1457")
#: Light enough for lines and numbers to be read on them; neighbours differ also without colour vision.
_TERRITORIES = (
    *("#BBD7EE", "#F7D9A8", "#CFE8C6", "#E9C7DD", "#F5F0B0", "#C9C6E8", "#F3C6B8", "#BFE6E1"),
    *("#DDE3E8", "#E2D2B4", "#A9C9B4", "#D5B4C9", "#9FC3E0", "#EBBF7F", "#B9D89A", "#C4A9D8"),
)
INK, QUIET, ACCENT = "#1F2933", "#6B7780", "#1F5F8B"

LineStyle = str | tuple[int, tuple[float, ...]]
#: Where there are more tumours than colours.
_LONG_DASH: LineStyle = (0, (9, 1.5))
_LIVER: dict[str, tuple[str, LineStyle]] = {
    NORMAL_LIVER: ("#1B5E20", (0, (5, 2))),
    WHOLE_LIVER: ("#555555", (0, (1, 1.5))),
}


def line_styles(structures: StructureSet) -> dict[str, tuple[str, LineStyle]]:
    """Return colour and line style of every structure: tumours solid, liver dashed, organs dash-dotted.

    From the thirteenth tumour on, the colours repeat with long dashes.
    """
    tumours: dict[str, tuple[str, LineStyle]] = {
        t.name: (_TUMOURS[i % len(_TUMOURS)], "-" if i < len(_TUMOURS) else _LONG_DASH)
        for i, t in enumerate(structures.tumours)
    }
    organs: dict[str, tuple[str, LineStyle]] = {
        o.name: (_ORGANS[i % len(_ORGANS)], "-.") for i, o in enumerate(structures.organs)
    }
    return {**tumours, **_LIVER, **organs}


def site_tint(index: int) -> str:
    """Return the colour of the territory of a site by its place in the case."""
    return _TERRITORIES[index % len(_TERRITORIES)]


def site_colour(index: int) -> tuple[float, float, float]:
    """Return the colour of a territory as red, green and blue from 0 to 1."""
    red, green, blue = (int(site_tint(index)[at : at + 2], 16) / 255.0 for at in (1, 3, 5))
    return red, green, blue


def shortened(name: str, longest: int) -> str:
    """Return a name of no more characters than fit."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def legend(axes: Any, handles: Sequence[Any], names: Sequence[str], longest: int, **options: Any) -> Any:
    """Add a legend whose names are printed as they are: no formulas, no hidden underscores."""
    made = axes.legend(handles, [f"entry {i}" for i in range(len(handles))], frameon=False, **options)
    for text, name in zip(made.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(shortened(name, longest))
    return made
