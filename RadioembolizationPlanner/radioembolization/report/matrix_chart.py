"""Which site gives which structure how much, as a shaded table."""

from __future__ import annotations

from typing import Any

from radioembolization.planning.contributions import Contributions
from radioembolization.report.formats import fixed, gy
from radioembolization.report.palette import INK, QUIET, shortened

_WIDTH_INCHES, _ROW_INCHES = 7.1, 0.3
_SHADE = (0.12, 0.37, 0.56)


def draw_contributions(figure: Any, table: Contributions) -> None:
    """Draw structures as rows and sites as columns: mean dose [Gy], share of it [%], shaded by the share."""
    rows, columns = len(table.structures), max(1, len(table.sites))
    height = 0.32 + _ROW_INCHES * rows
    figure.set_size_inches(_WIDTH_INCHES, height)
    axes = figure.add_axes((0.24, 0.05 / height, 0.75, 1 - 0.3 / height))
    axes.set(xlim=(0, columns + 1), ylim=(rows, 0))
    for row in range(rows):
        _draw_row(axes, table, row)
    heads = [*(shortened(site, max(8, 64 // (columns + 1))) for site in table.sites), "all sites"]
    for column, head in enumerate(heads):
        axes.annotate(
            head, (column + 0.5, 0), (0, 5), textcoords="offset points", ha="center", fontsize=7.5, parse_math=False
        )
    axes.annotate("Mean dose [Gy] (share)", (0, 0), (-4, 5), textcoords="offset points", ha="right", color=QUIET)
    axes.set_axis_off()


def _draw_row(axes: Any, table: Contributions, row: int) -> None:
    name = shortened(table.structures[row], 26)
    axes.annotate(name, (0, row + 0.5), (-4, 0), textcoords="offset points", ha="right", va="center", parse_math=False)
    for column in range(len(table.sites)):
        share = table.share[column][row]
        axes.add_patch(_cell(column, row, share))
        text = f"{gy(table.mean_gy[column][row])} ({fixed(100 * share, 0)} %)"
        colour = "white" if share > 0.6 else INK
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour)
    total = len(table.sites) or 1
    axes.text(total + 0.5, row + 0.5, gy(table.total_gy[row]), ha="center", va="center", color=INK, weight="bold")


def _cell(column: int, row: int, share: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (column + 0.01, row + 0.03), 0.98, 0.94, facecolor=(*_SHADE, 0.08 + 0.87 * share), linewidth=0, zorder=1
    )
