"""The figure of volumes found in emission images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from page import FIGURES

NAME = "emission_spheres.png"
#: Methods shown, with their colours.
_SHOWN = {
    "41 % of maximum": "#8a5aa8",
    "50 % of maximum": "#1f5a96",
    "background-adaptive": "#3b8f5a",
    "size-adaptive": "#d1622b",
    "gradient": "#808080",
}
#: Limits of the axis [%].
_LOW, _HIGH = -70.0, 110.0


def draw(
    study: Mapping[tuple[str, int, int], Mapping[str, Sequence[tuple[float, bool]]]],
    diameters_mm: Sequence[int],
    contrasts: Sequence[int],
) -> None:
    """Draw the error by diameter, one panel for each scanner and contrast."""
    scanners = list(dict.fromkeys(scanner for scanner, _, _ in study))
    picture = Figure(figsize=(10.0, 6.0), layout="constrained")
    panels = picture.subplots(len(scanners), len(contrasts), sharex=True, sharey=True)
    for row, scanner in zip(panels, scanners, strict=True):
        for panel, contrast in zip(row, contrasts, strict=True):
            panel.axhline(0.0, color="0.6", linewidth=0.8)
            for name, colour in _SHOWN.items():
                errors = np.array([[e for e, _ in study[scanner, contrast, d][name]] for d in diameters_mm]) * 100.0
                mean, deviation = errors.mean(axis=1), errors.std(axis=1)
                panel.errorbar(diameters_mm, mean, deviation, fmt="o-", ms=3, lw=1.0, color=colour, label=name)
            panel.set_ylim(_LOW, _HIGH)
            panel.set_title(f"{scanner}, contrast {contrast}:1", fontsize=10)
            panel.grid(color="0.92")
    for panel in panels[-1]:
        panel.set_xlabel("diameter of the sphere [mm]")
    picture.supylabel("found minus true volume [%]; off the scale: leaks", fontsize=10)
    handles, labels = panels[0][0].get_legend_handles_labels()
    picture.legend(handles, labels, frameon=False, fontsize=9, ncols=5, loc="outside lower center")
    FIGURES.mkdir(exist_ok=True)
    picture.savefig(FIGURES / NAME, dpi=110, metadata={"Software": None})
