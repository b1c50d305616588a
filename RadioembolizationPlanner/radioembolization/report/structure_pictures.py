"""Outlines of segmented structures on pictures of the image they were found in, to be judged by eye."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from radioembolization.images import Unit, Volume
from radioembolization.report.palette import INK, QUIET, legend
from radioembolization.report.views import AXIAL, CORONAL, MARGIN_MM, SAGITTAL, Plane, View, plane
from radioembolization.structures.segmentation import SegmentedStructure, SegmentedStructures

_CT_WINDOW_HU = (-160.0, 240.0)
_WIDTH_INCHES = 7.1
#: Heights of the axial pictures, as shares of the volume of the structure they go through.
_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
#: Outlines in the colours of the segments, which are pale, need darker edges.
_EDGE = 1.6


def draw_structures(figure: Any, image: Volume, found: SegmentedStructures, through: str = "") -> None:
    """Draw five axial pictures, from the foot to the head, and a coronal one; the legend below.

    Parameters
    ----------
    figure : matplotlib Figure
    image : Volume
    found : SegmentedStructures
    through : str, optional
        Structure the pictures go through; default the liver, else the smallest.
    """
    shown = found[through] if through else _default(found)
    positions = found.grid.to_lps(np.argwhere(shown.mask))
    low, high = _box(image, found)
    pictures = [plane(AXIAL, _at_share(positions, share), low, high) for share in _SHARES]
    pictures.append(plane(CORONAL, positions.mean(axis=0), low, high))
    width, tall = high[0] - low[0], max(high[1] - low[1], high[2] - low[2])
    figure.set_size_inches(_WIDTH_INCHES, 2 * _WIDTH_INCHES / 3 * tall / width + 0.9)
    cells = figure.add_gridspec(2, 3, left=0.01, right=0.99, top=0.96, bottom=0.11, wspace=0.03, hspace=0.1)
    for number, picture in enumerate(pictures):
        axes = figure.add_subplot(cells[number // 3, number % 3], label=str(number))
        _draw(axes, picture, image, found)
    _draw_legend(figure, found.structures)


def _default(found: SegmentedStructures) -> SegmentedStructure:
    names = [s.name for s in found.structures]
    if "liver" in names:
        return found["liver"]
    return min(found.structures, key=lambda s: int(np.count_nonzero(s.mask)))


def _at_share(positions_lps_mm: np.ndarray, share: float) -> np.ndarray:
    """Return a position at the height below which a share of some positions lies."""
    middle = positions_lps_mm.mean(axis=0)
    return np.array([middle[0], middle[1], np.quantile(positions_lps_mm[:, 2], share)])


def _box(image: Volume, found: SegmentedStructures) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners in LPS of what is shown: all structures with a margin, within the image."""
    filled = np.argwhere(np.any([s.mask for s in found.structures], axis=0))
    positions = found.grid.to_lps(filled[:: max(1, len(filled) // 20000)])
    corners = image.grid.to_lps(np.array(list(np.ndindex(2, 2, 2))) * (np.array(image.grid.shape) - 1))
    low = np.maximum(positions.min(axis=0) - MARGIN_MM, corners.min(axis=0))
    return low, np.minimum(positions.max(axis=0) + MARGIN_MM, corners.max(axis=0))


def _draw(axes: Any, picture: Plane, image: Volume, found: SegmentedStructures) -> None:
    is_ct = image.unit is Unit.HU
    window = _CT_WINDOW_HU if is_ct else (0.0, 0.6 * float(image.array.max()))
    pixels = picture.sample(image.array, image.grid, outside=-1000.0 if is_ct else 0.0)
    colours = "gray" if is_ct else "gray_r"
    axes.imshow(
        pixels, cmap=colours, vmin=window[0], vmax=window[1], extent=picture.extent_mm, interpolation="bilinear"
    )
    for structure in found.structures:
        inside = picture.sample(structure.mask, found.grid)
        if inside.max() > 0.5:
            axes.contour(
                picture.across_mm,
                picture.down_mm,
                inside,
                levels=[0.5],
                colors=[_colour(structure)],
                linewidths=[_EDGE],
            )
    left, right, bottom, top = picture.extent_mm
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set(color=QUIET, linewidth=0.5)
    axes.set_title(_title(picture.view, picture.depth_mm), fontsize=7, loc="left", pad=2, color=INK)


def _title(view: View, depth_mm: float) -> str:
    axis = {AXIAL: "z", CORONAL: "y", SAGITTAL: "x"}[view]
    return f"{view.name.capitalize()}, {axis} = {depth_mm:.0f} mm".replace("-", "−")


def _colour(structure: SegmentedStructure) -> tuple[float, float, float]:
    return structure.terminology.colour


def _draw_legend(figure: Any, structures: Sequence[SegmentedStructure]) -> None:
    from matplotlib.lines import Line2D

    axes = figure.add_axes((0.0, 0.0, 1.0, 0.1))
    axes.set_axis_off()
    lines = [Line2D([], [], color=_colour(s), linewidth=2.0) for s in structures]
    columns = min(6, max(1, len(lines)))
    legend(axes, lines, [s.name for s in structures], 22, loc="upper center", ncols=columns, fontsize=7)
