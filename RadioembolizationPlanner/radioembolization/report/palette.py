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
