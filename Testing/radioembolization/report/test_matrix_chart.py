"""What the table of contributions shows: doses, shares, shades."""

from io import BytesIO
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from radioembolization.planning.contributions import contributions
from radioembolization.report.figures import contributions_figure
from radioembolization.report.matrix_chart import draw_contributions
from support import resin_two_sites


def test_cells_hold_the_dose_and_are_shaded_by_its_share():
    table = contributions(resin_two_sites(), [2.0, 1.0])
    figure = Figure()
    draw_contributions(figure, table)
    figure.savefig(BytesIO(), format="png", dpi=50)
    axes = figure.axes[0]
    texts = {text.get_text() for text in axes.texts}
    for column, structure in enumerate(table.structures):
        assert structure in texts and f"{table.total_gy[column]:.1f}" in texts
        for row in range(2):
            assert f"{table.mean_gy[row][column]:.1f} ({100 * table.share[row][column]:.0f} %)" in texts
    shades = [patch.get_facecolor()[3] for patch in axes.patches]
    shares = [table.share[row][column] for column in range(len(table.structures)) for row in range(2)]
    assert sorted(zip(shares, shades, strict=True)) == sorted(zip(sorted(shares), sorted(shades), strict=True))
    assert max(shades) - min(shades) == pytest.approx(0.87 * (max(shares) - min(shares)))


def test_the_picture_is_the_same_every_time():
    table = contributions(resin_two_sites(), [2.0, 0.0])
    assert table.sites == ("1",)
    first = contributions_figure(table)
    assert first == contributions_figure(table) and ElementTree.fromstring(first).tag.endswith("svg")
