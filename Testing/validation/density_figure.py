"""Figure of the dose through the dome."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from page import FIGURES

_COLOURS = {"convolution": "#d1622b", "convolution / density": "#8a5aa8", "program": "#1f5a96"}
_TOP_MM, _SIDE_MM = 36.0, 3.0


def dome_profile(found: Mapping[str, np.ndarray], dose: np.ndarray, sigma: np.ndarray) -> None:
    """Draw dose along the axis of the dome, mean of its four voxels, and along one through its flank."""
    picture = Figure(figsize=(9.0, 4.0), layout="constrained")
    panels = picture.subplots(1, 2, sharey=True)
    height = (np.arange(dose.shape[0]) + 0.5) * _SIDE_MM
    for panel, column in zip(panels, (0, 11), strict=True):
        for method, values in found.items():
            width = 2.0 if method == "program" else 1.2
            panel.plot(height, values[:, column, column // 2], color=_COLOURS[method], linewidth=width, label=method)
        panel.errorbar(
            height,
            dose[:, column, column // 2],
            2 * sigma[:, column, column // 2],
            fmt="o",
            color="0.2",
            markersize=3.5,
            linewidth=1.0,
            label="Monte Carlo, two sigma",
            zorder=3,
        )
        away = _SIDE_MM * np.hypot(column + 0.5, column // 2 + 0.5)
        surface = np.sqrt(60.0**2 - away**2) - (60.0 - _TOP_MM)
        panel.axvline(surface, color="0.6", linewidth=0.8, linestyle="--")
        panel.set_title("on the axis" if column == 0 else f"{away:.0f} mm from the axis", fontsize=10)
        panel.grid(color="0.92")
        panel.set_xlim(0.0, height[-1])
    panels[0].legend(frameon=False, fontsize=9, loc="upper right")
    picture.supxlabel("height [mm]; liver left, lung right of the dashed line", fontsize=10)
    picture.supylabel("dose over equilibrium dose", fontsize=10)
    FIGURES.mkdir(exist_ok=True)
    picture.savefig(FIGURES / "density.png", dpi=110, metadata={"Software": None})
