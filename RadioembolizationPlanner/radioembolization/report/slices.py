"""Isodoses on axial, coronal and sagittal pictures through a tumour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from radioembolization.errors import StructureError
from radioembolization.planning.plan import tumours
from radioembolization.report.formats import fixed
from radioembolization.report.palette import INK, QUIET, legend, shortened
from radioembolization.report.views import (
    AXIAL,
    CORONAL,
    PIXEL_MM,
    SAGITTAL,
    Plane,
    box_of_structures,
    middle_lps_mm,
    plane,
)
from radioembolization.structures import Role, Structure, StructureSet
from radioembolization.treatment import Treatment

_WIDTH_INCHES = 7.1
_CT_WINDOW_HU = (-160.0, 240.0)
#: The highest counts in the liver are printed as grey, so that lines stay visible on them.
_SCOUT_WINDOW = 1.5
_SCALE_BAR_MM = 50.0
#: A structure the plane merely grazes is not outlined.
_LEAST_CUT_MM2 = 10.0
_MOST_LEVELS = 6
#: Round doses from which isodose levels are taken [Gy], per decade.
_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5)
_AXIS_NAMES = ("x (left)", "y (back)", "z (head)")


def isodose_levels_gy(highest_gy: float) -> tuple[float, ...]:
    """Return at most six round isodose levels [Gy] between a tenth of the highest dose and 95 % of it."""
    decades = [factor * 10.0**power for power in range(-2, 5) for factor in _ROUND]
    inside = [level for level in decades if 0.1 * highest_gy <= level <= 0.95 * highest_gy]
    if len(inside) > _MOST_LEVELS:
        inside = [inside[i] for i in np.linspace(0, len(inside) - 1, _MOST_LEVELS).round().astype(int)]
    return tuple(inside)


def hottest_tumour(treatment: Treatment) -> str:
    """Return the name of the tumour with the highest mean dose."""
    return max(tumours(treatment.plan), key=lambda t: t.mean_gy).name


def draw_slices(figure: Any, treatment: Treatment, tumour: str = "", levels_gy: Sequence[float] = ()) -> None:
    """Draw the three pictures at one scale, and their legend in the fourth corner."""
    shown = _tumour(treatment, tumour or hottest_tumour(treatment))
    levels = tuple(levels_gy) or isodose_levels_gy(float(treatment.dose.array.max()))
    low, high = box_of_structures(treatment)
    middle = middle_lps_mm(shown.mask, treatment.case.structures.grid)
    cells = _cells(figure, *(high - low))
    places = {AXIAL: cells[0, 0], CORONAL: cells[1, 0], SAGITTAL: cells[1, 1]}
    pictures = [plane(view, middle, low, high) for view in places]
    for picture in pictures:
        axes = figure.add_subplot(places[picture.view], label=picture.view.name)
        _draw_picture(axes, picture, treatment, levels)
    cut = [s for s in treatment.case.structures.all if any(_cuts(picture, s, treatment) for picture in pictures)]
    _draw_legend(figure.add_subplot(cells[0, 1], label="legend"), treatment, shown, levels, cut)


def _cells(figure: Any, width_mm: float, depth_mm: float, height_mm: float) -> Any:
    """Size the figure for pictures at one scale; return its cells: axial over coronal, sagittal beside it."""
    side, gap, title = 0.05, 0.12, 0.24
    inches_per_mm = (_WIDTH_INCHES - 2 * side - gap) / (width_mm + depth_mm)
    tall = (depth_mm + height_mm) * inches_per_mm
    height = tall + 2 * title + side
    figure.set_size_inches(_WIDTH_INCHES, height)
    return figure.add_gridspec(
        2,
        2,
        width_ratios=(width_mm, depth_mm),
        height_ratios=(depth_mm, height_mm),
        left=side / _WIDTH_INCHES,
        right=1 - side / _WIDTH_INCHES,
        bottom=side / height,
        top=1 - title / height,
        wspace=gap / ((_WIDTH_INCHES - 2 * side - gap) / 2),
        hspace=title / (tall / 2),
    )


def _tumour(treatment: Treatment, name: str) -> Structure:
    for tumour in treatment.case.structures.tumours:
        if tumour.name == name:
            return tumour
    known = ", ".join(f"'{t.name}'" for t in treatment.case.structures.tumours)
    raise StructureError(f"There is no tumour '{name}' to draw: use one of {known}.")


def _draw_picture(axes: Any, picture: Plane, treatment: Treatment, levels_gy: Sequence[float]) -> None:
    _draw_background(axes, picture, treatment)
    _draw_outlines(axes, picture, treatment)
    _draw_isodoses(axes, picture, treatment, levels_gy)
    left, right, bottom, top = picture.extent_mm
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set(color=QUIET, linewidth=0.5)
    axis = picture.view.normal_axis
    depth = fixed(picture.depth_mm, 1).replace("-", "−")
    title = f"{picture.view.name.capitalize()}, {_AXIS_NAMES[axis]} = {depth} mm"
    axes.set_title(title, fontsize=7.5, loc="left", pad=3, color=INK)
    _draw_letters(axes, picture)
    _draw_scale_bar(axes, picture)


def _draw_background(axes: Any, picture: Plane, treatment: Treatment) -> None:
    """Draw the CT as acquired, else the scout counts (dark where there are many), else nothing."""
    ct, scout = treatment.case.inputs.ct, treatment.case.scout
    if ct is not None:
        image, colours, window = picture.sample(ct.array, ct.grid, outside=-1000.0), "gray", _CT_WINDOW_HU
    elif scout is not None:
        image, colours = picture.sample(scout.array, scout.grid), "gray_r"
        window = (0.0, _SCOUT_WINDOW * float(scout.array[treatment.case.structures.liver.mask].max()))
    else:
        return
    axes.imshow(image, cmap=colours, vmin=window[0], vmax=window[1], extent=picture.extent_mm, interpolation="bilinear")


def _inside(picture: Plane, structure: Structure, treatment: Treatment) -> np.ndarray:
    """Return the share (rows, columns) of each pixel inside a structure."""
    return picture.sample(structure.mask, treatment.case.structures.grid)


def _cuts(picture: Plane, structure: Structure, treatment: Treatment) -> bool:
    return int(np.count_nonzero(_inside(picture, structure, treatment) > 0.5)) * PIXEL_MM**2 >= _LEAST_CUT_MM2


def _draw_outlines(axes: Any, picture: Plane, treatment: Treatment) -> None:
    """Outline liver, organs and tumours in black on white, tumours with their number."""
    structures = treatment.case.structures
    for structure in (structures.liver, *structures.organs, *structures.tumours):
        if not _cuts(picture, structure, treatment):
            continue
        inside = _inside(picture, structure, treatment)
        width, style = _outline(structure)
        pixels = (picture.across_mm, picture.down_mm)
        lines = axes.contour(*pixels, inside, levels=[0.5], colors=[INK], linewidths=[width], linestyles=[style])
        lines.set_path_effects(_halo(width + 1.4))
        if structure.role is Role.TUMOUR:
            row, column = np.argwhere(inside > 0.5).mean(axis=0).round().astype(int)
            place = (picture.across_mm[column], picture.down_mm[row])
            text = axes.text(*place, _number(structure, structures), ha="center", va="center", fontsize=7)
            text.set(weight="bold", color=INK, path_effects=_halo(2.0))


def _outline(structure: Structure) -> tuple[float, Literal["-", "-."]]:
    """Return line width and style of an outline."""
    width = 1.8 if structure.role is Role.TUMOUR else 1.0
    return width, "-." if structure.role is Role.ORGAN else "-"


def _number(tumour: Structure, structures: StructureSet) -> str:
    return str([t.name for t in structures.tumours].index(tumour.name) + 1)


def _halo(width: float) -> list[Any]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground="white")]


def _draw_isodoses(axes: Any, picture: Plane, treatment: Treatment, levels_gy: Sequence[float]) -> None:
    dose = picture.sample(treatment.dose.array, treatment.dose.grid)
    reached = [(level, colour) for level, colour in _isodose_colours(levels_gy) if dose.min() < level < dose.max()]
    if not reached:
        return
    levels, colours = zip(*reached, strict=True)
    lines = axes.contour(picture.across_mm, picture.down_mm, dose, levels=levels, colors=colours, linewidths=0.9)
    for text in axes.clabel(lines, fmt=lambda level: f"{level:g}", fontsize=6, inline_spacing=1):
        text.set_path_effects(_halo(1.8))


def _isodose_colours(levels_gy: Sequence[float]) -> list[tuple[float, Any]]:
    """Return rising levels with their colours, from blue to red, dark enough for white paper."""
    from matplotlib import colormaps

    ordered = sorted(levels_gy)
    shades = np.linspace(0.94, 0.06, len(ordered))[::-1]
    colours = [0.88 * np.array(colormaps["turbo"](shade)[:3]) for shade in shades]
    return list(zip(ordered, colours, strict=True))


def _draw_letters(axes: Any, picture: Plane) -> None:
    sides = ((0.012, 0.5, "left", "center"), (0.988, 0.5, "right", "center"))
    ends = ((0.5, 0.985, "center", "top"), (0.5, 0.015, "center", "bottom"))
    for letter, (x, y, across, along) in zip(picture.view.letters, (*sides, *ends), strict=True):
        text = axes.text(x, y, letter, transform=axes.transAxes, ha=across, va=along, fontsize=8.5, weight="bold")
        text.set(color=INK, path_effects=_halo(2.2))


def _draw_scale_bar(axes: Any, picture: Plane) -> None:
    left, right, bottom, top = picture.extent_mm
    x, y = left + 0.04 * (right - left), bottom - 0.035 * (bottom - top)
    ends = [x, x + _SCALE_BAR_MM]
    axes.plot(ends, [y, y], color=INK, linewidth=2.0, solid_capstyle="butt", path_effects=_halo(4.0))
    label = axes.annotate(f"{_SCALE_BAR_MM:g} mm", (x, y), (0, 3), textcoords="offset points", fontsize=6.5)
    label.set(color=INK, path_effects=_halo(1.8))


def _draw_legend(
    axes: Any, treatment: Treatment, shown: Structure, levels_gy: Sequence[float], cut: Sequence[Structure]
) -> None:
    from matplotlib.lines import Line2D

    axes.set_axis_off()
    isodoses = list(reversed(_isodose_colours(levels_gy)))
    lines = [Line2D([], [], color=colour, linewidth=1.4) for _, colour in isodoses]
    levels = [f"{level:g} Gy" for level, _ in isodoses]
    options: dict[str, Any] = {"loc": "upper left", "fontsize": 7.5, "alignment": "left"}
    axes.add_artist(legend(axes, lines, levels, 20, title="Isodoses", **options))
    structures = treatment.case.structures
    outlines = [s for s in cut if s.role is not Role.NORMAL_LIVER]
    lines = [Line2D([], [], color=INK, linewidth=_outline(s)[0], linestyle=_outline(s)[1]) for s in outlines]
    names = [f"{_number(s, structures)}  {s.name}" if s.role is Role.TUMOUR else s.name for s in outlines]
    legend(axes, lines, names, 24, title="Outlines", bbox_to_anchor=(0.36, 1.0), handlelength=2.4, **options)
    note = f"Through the middle of {shortened(shown.name, 32)}.\n{_background_name(treatment)}"
    axes.text(0.03, 0.0, note, transform=axes.transAxes, va="bottom", fontsize=7, color=QUIET, parse_math=False)


def _background_name(treatment: Treatment) -> str:
    if treatment.case.inputs.ct is not None:
        return f"Background: CT, {_CT_WINDOW_HU[0]:g} to {_CT_WINDOW_HU[1]:g} HU.".replace("-", "−")
    if treatment.case.scout is not None:
        return "Background: scout counts, dark where many."
    return "No CT and no scout image in the case."
