"""Where each site leads: tree, sites, territories and tumours, seen from the front and from the left."""

from __future__ import annotations

from typing import Any

import numpy as np

from radioembolization.report.palette import INK, QUIET, line_styles, shortened, site_tint
from radioembolization.report.projections import Projection, box_around, on_box, smooth
from radioembolization.report.views import CORONAL, SAGITTAL
from radioembolization.treatment import Case

_WIDTH_INCHES = 7.1
_MARGIN_MM = 8.0
_SCALE_BAR_MM = 50.0
#: Height of a line of the key under the pictures [inches], and letters that fit in its three columns.
_LINE_INCHES, _LETTERS = 0.155, 36
#: With more sites than this, those of the largest territories are numbered, the others are dots.
_MOST_NUMBERS = 24
_VESSEL = "#A61B1B"
#: Width of a vessel as drawn, in points for each millimetre of radius.
_POINTS_PER_MM = 1.5
_NO_SITE = "#FFFFFF"


def draw_territories(figure: Any, case: Case) -> None:
    """Draw two views through the patient with a key of the sites and tumours below.

    Each line of sight has the colour of the territory that fills most of it.  Where territories overlap, the
    smallest one counts: that of the most selective site.
    """
    grid = case.structures.grid
    box = box_around(_points(case), _MARGIN_MM)
    labels = on_box([finest_territories(case)], grid, box)[0]
    front, side = Projection(CORONAL, box), Projection(SAGITTAL, box)
    entries = _key(case)
    columns = 3 if max(len(name) for _, name, _ in entries) <= _LETTERS else 2
    lines = -(-len(entries) // columns)
    cells = _cells(figure, front, side, 0.12 + _LINE_INCHES * lines)
    for number, (projection, title) in enumerate(((front, "From the front"), (side, "From the left"))):
        axes = figure.add_axes(cells[number], label=title)
        _draw_view(axes, projection, case, labels)
        axes.set_title(title, fontsize=7.5, loc="left", pad=3, color=INK)
    _draw_key(figure.add_axes(cells[2], label="key"), entries, lines, columns)


def finest_territories(case: Case) -> np.ndarray:
    """Return the number of the smallest territory that holds each voxel of the liver, from 1 on, else 0 (z, y, x)."""
    liver = case.structures.liver.mask
    labels = np.zeros(liver.shape, dtype=np.int16)
    volumes = [int(np.count_nonzero(site.perfused & liver)) for site in case.sites]
    for index in np.argsort(volumes, kind="stable")[::-1]:
        labels[case.sites[index].perfused & liver] = index + 1
    return labels


def numbered_sites(case: Case) -> list[int]:
    """Return the places of the sites whose numbers are drawn: all, or those of the largest territories."""
    volumes = [np.count_nonzero(site.perfused & case.structures.liver.mask) for site in case.sites]
    return sorted(int(index) for index in np.argsort(volumes, kind="stable")[::-1][:_MOST_NUMBERS])


def _points(case: Case) -> np.ndarray:
    """Return the positions that have to be seen (n, 3) in LPS [mm]."""
    structures = case.structures
    shown = np.any([structures.liver.mask, *(s.mask for s in structures.tumours)], axis=0)
    points = [structures.grid.to_lps(np.argwhere(shown))]
    points += [np.array([site.position_lps_mm]) for site in case.sites if site.position_lps_mm is not None]
    if case.inputs.arteries is not None:
        liver = points[0]
        near = np.concatenate([artery.points_lps_mm for artery in case.inputs.arteries.arteries])
        reach = (near > liver.min(axis=0) - 40.0) & (near < liver.max(axis=0) + 40.0)
        points.append(near[reach.all(axis=1)])
    return np.concatenate(points)


def _cells(figure: Any, front: Projection, side: Projection, key_inches: float) -> list[tuple[float, ...]]:
    """Size the figure for both views at one scale with the key below; return left, bottom, width and height."""
    edge, gap, title = 0.05, 0.12, 0.22
    left, right, bottom, top = front.extent_mm
    wide, deep, tall = right - left, side.extent_mm[1] - side.extent_mm[0], bottom - top
    scale = (_WIDTH_INCHES - 2 * edge - gap) / (wide + deep)
    height = tall * scale + title + key_inches + edge
    figure.set_size_inches(_WIDTH_INCHES, height)
    low, high = key_inches / height, tall * scale / height
    return [
        (edge / _WIDTH_INCHES, low, wide * scale / _WIDTH_INCHES, high),
        ((edge + gap + wide * scale) / _WIDTH_INCHES, low, deep * scale / _WIDTH_INCHES, high),
        (edge / _WIDTH_INCHES, 0.0, 1.0 - 2 * edge / _WIDTH_INCHES, low - 0.05 / height),
    ]


def _draw_view(axes: Any, projection: Projection, case: Case, labels: np.ndarray) -> None:
    left, right, bottom, top = projection.extent_mm
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set(color=QUIET, linewidth=0.5)
    _draw_tints(axes, projection, labels, len(case.sites))
    _draw_outlines(axes, projection, case)
    _draw_tree(axes, projection, case)
    _draw_sites(axes, projection, case)
    letters = zip(projection.view.letters, ((0.02, 0.5), (0.98, 0.5), (0.5, 0.975), (0.5, 0.025)), strict=True)
    for letter, place in letters:
        text = axes.text(*place, letter, transform=axes.transAxes, ha="center", va="center", fontsize=8.5)
        text.set(weight="bold", color=INK, path_effects=_halo(2.2))
    start = right - 6.0 - _SCALE_BAR_MM
    axes.plot([start, start + _SCALE_BAR_MM], [bottom - 6.0] * 2, color=INK, linewidth=1.6, solid_capstyle="butt")
    axes.text(start + _SCALE_BAR_MM / 2, bottom - 8.0, "50 mm", ha="center", va="bottom", fontsize=6.5, color=INK)


def _draw_tints(axes: Any, projection: Projection, labels: np.ndarray, count: int) -> None:
    from matplotlib.colors import to_rgba

    seen = projection.foremost(labels, count)
    colours = np.array([to_rgba(_NO_SITE), *(to_rgba(site_tint(index)) for index in range(count))])
    axes.imshow(colours[seen], extent=projection.extent_mm, interpolation="nearest", zorder=0)
    pixels = (projection.across_mm, projection.down_mm)
    for label in np.unique(seen[seen > 0]):
        axes.contour(*pixels, smooth(seen == label), levels=[0.5], colors=["white"], linewidths=[0.9], zorder=1)


def _draw_outlines(axes: Any, projection: Projection, case: Case) -> None:
    """Outline the liver and the organs, and draw the tumours in their colours."""
    structures, pixels = case.structures, (projection.across_mm, projection.down_mm)
    shown = (structures.liver, *structures.organs, *structures.tumours)
    masks = on_box([s.mask for s in shown], structures.grid, projection.box)
    styles = line_styles(structures)
    for structure, mask in zip(shown, masks, strict=True):
        seen = smooth(projection.thickness(mask) > 0)
        if seen.max() <= 0.5:
            continue
        colour, style = styles[structure.name]
        if structure is structures.liver:
            colour, style = INK, "-"
        if structure in structures.tumours:
            axes.contourf(*pixels, seen, levels=[0.5, 2.0], colors=[colour], alpha=0.28, zorder=2)
        axes.contour(*pixels, seen, levels=[0.5], colors=[colour], linewidths=[1.1], linestyles=[style], zorder=3)


def _draw_tree(axes: Any, projection: Projection, case: Case) -> None:
    if case.inputs.arteries is None:
        return
    from matplotlib.collections import LineCollection

    for artery in case.inputs.arteries.arteries:
        places = projection.places(artery.points_lps_mm)
        pieces = np.stack([places[:-1], places[1:]], axis=1)
        widths = np.maximum(0.5, _POINTS_PER_MM * (artery.radius_mm[:-1] + artery.radius_mm[1:]) / 2.0)
        lines = LineCollection(list(pieces), linewidths=widths, colors=_VESSEL, capstyle="round", zorder=4)
        axes.add_collection(lines, autolim=False)


def _draw_sites(axes: Any, projection: Projection, case: Case) -> None:
    """Draw a dot where each site is, and its number beside it where there is room."""
    placed = [(i, site.position_lps_mm) for i, site in enumerate(case.sites) if site.position_lps_mm is not None]
    if not placed:
        return
    dots = projection.places(np.array([position for _, position in placed]))
    for dot in dots:
        axes.plot(
            *dot, "o", markersize=3.2, markerfacecolor="white", markeredgecolor=INK, markeredgewidth=0.9, zorder=6
        )
    told = numbered_sites(case)
    named = [(index, dot) for (index, _), dot in zip(placed, dots, strict=True) if index in told]
    for (index, dot), word in zip(named, _apart(np.array([dot for _, dot in named]), projection), strict=True):
        axes.plot(*zip(dot, word, strict=True), color=INK, linewidth=0.5, zorder=5)
        text = axes.text(*word, str(index + 1), ha="center", va="center", fontsize=6.5, color=INK, zorder=7)
        text.set(weight="bold", bbox={"boxstyle": "circle,pad=0.12", "fc": site_tint(index), "ec": INK, "lw": 0.6})


def _apart(dots: np.ndarray, projection: Projection) -> np.ndarray:
    """Return places for the numbers (n, 2) near their dots that do not cover dots or each other [mm]."""
    left, right, bottom, top = projection.extent_mm
    wanted = 9.0 * (right - left + 100.0) / 300.0  # the size of a number grows with what one inch shows
    angles = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    taken: list[np.ndarray] = list(dots)
    chosen = []
    for dot in dots:
        tried = np.concatenate(
            [
                dot + reach * wanted * np.stack([np.cos(angles), np.sin(angles)], axis=1)
                for reach in (1.0, 1.6, 2.4, 3.4)
            ]
        )
        room = np.min([tried - (left, top), (right, bottom) - tried], axis=(0, 2))
        gaps = np.linalg.norm(tried[:, None] - np.array(taken)[None], axis=2).min(axis=1)
        score = np.minimum(gaps, wanted) - 0.15 * np.linalg.norm(tried - dot, axis=1) - 100.0 * (room < wanted / 2)
        chosen.append(tried[int(np.argmax(score))])
        taken.append(chosen[-1])
    return np.array(chosen)


def _key(case: Case) -> list[tuple[str, str, str]]:
    """Return what is explained: the number of a site or a kind, the name, the colour."""
    told, styles, tree = numbered_sites(case), line_styles(case.structures), case.inputs.arteries
    entries = [(str(index + 1), case.sites[index].name, site_tint(index)) for index in told]
    if len(told) < len(case.sites):
        entries.append(("more", f"{len(case.sites) - len(told)} more sites", "white"))
    entries += [("tumour", tumour.name, styles[tumour.name][0]) for tumour in case.structures.tumours]
    if tree is not None:
        entries.append(("tree", "arteries" + (", SYNTHETIC" if tree.synthetic else ""), _VESSEL))
    return entries


def _draw_key(axes: Any, entries: list[tuple[str, str, str]], lines: int, columns: int) -> None:
    """List sites with their numbers and colours, then tumours and the tree."""
    axes.set(xlim=(0.0, columns), ylim=(lines, 0.0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    for place, (kind, name, colour) in enumerate(entries):
        x, y = place // lines + 0.012 * columns, place % lines + 0.5
        if kind == "tree":
            axes.plot([x - 0.008 * columns, x + 0.008 * columns], [y, y], color=colour, linewidth=2.5)
        elif kind == "tumour":
            axes.plot([x], [y], "o", markersize=6.0, markerfacecolor=colour, alpha=0.5, markeredgecolor=colour)
        elif kind == "more":
            axes.plot([x], [y], "o", markersize=3.2, markerfacecolor=colour, markeredgecolor=INK, markeredgewidth=0.9)
        else:
            number = axes.text(x, y, kind, ha="center", va="center", fontsize=6.5, weight="bold", color=INK)
            number.set_bbox({"boxstyle": "circle,pad=0.12", "fc": colour, "ec": INK, "lw": 0.6})
        words = shortened(name, 3 * _LETTERS // columns)
        axes.text(x + 0.018 * columns, y, words, va="center", fontsize=7, color=INK, parse_math=False)


def _halo(width: float) -> list[Any]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground="white")]
