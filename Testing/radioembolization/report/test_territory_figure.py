"""The figure of the territories: geometry of the projections, the finest territory wins, the same bytes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from artery_case import small_tree
from radioembolization.images import Grid
from radioembolization.report.canvas import new_figure
from radioembolization.report.figures import territories_figure
from radioembolization.report.projections import Projection, box_around, on_box
from radioembolization.report.territory_content import territory_rows, unperfused_line
from radioembolization.report.territory_figure import draw_territories, finest_territories, numbered_sites
from radioembolization.report.views import CORONAL, SAGITTAL
from radioembolization.treatment import prepare
from small_case import RATIOS, small_inputs
from support import as_direction, ellipsoid, quiet, rotation


@pytest.fixture(scope="module")
def case():
    with quiet():
        return prepare(replace(small_inputs(tumour_to_normal=RATIOS), arteries=small_tree()))


@pytest.mark.parametrize("view", [CORONAL, SAGITTAL])
def test_a_ball_is_seen_where_it_is(view):
    grid = Grid((60, 64, 68), (2.2, 2.0, 1.8), (-55.0, -70.0, -60.0), as_direction(rotation((1, 2, 3), 20.0)))
    centre = grid.to_lps(np.array([25.0, 36.0, 30.0]))
    ball = ellipsoid(grid, centre, 15.0)
    projection = Projection(view, box_around(grid.to_lps(np.argwhere(ball)), 10.0))
    seen = projection.thickness(on_box([ball], grid, projection.box)[0])
    rows, columns = np.nonzero(seen)
    place = projection.places(centre)[0]
    assert projection.across_mm[columns].mean() == pytest.approx(place[0], abs=1.0)
    assert projection.down_mm[rows].mean() == pytest.approx(place[1], abs=1.0)
    assert place[1] == pytest.approx(-centre[2])  # the head is at the top
    assert seen.max() * 2.0 == pytest.approx(30.0, abs=3.0)
    assert np.ptp(projection.across_mm[columns]) == pytest.approx(30.0, abs=4.0)


def test_the_smallest_territory_has_the_voxel(case):
    labels, masks = finest_territories(case), [site.perfused for site in case.sites]
    assert not (labels == 1).any()  # the whole liver lies behind left (2) and right (3)
    np.testing.assert_array_equal(labels == 2, masks[1] & case.structures.liver.mask)
    np.testing.assert_array_equal(labels == 3, masks[2] & case.structures.liver.mask)


def test_the_figure_shows_every_site_and_tumour_and_is_the_same_again(case):
    with new_figure() as figure:
        draw_territories(figure, case)
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
        lines = [line for axes in figure.axes for line in axes.collections if type(line).__name__ == "LineCollection"]
    for name in ("proper", "left", "right", "A", "B", "C", "arteries"):
        assert name in texts
    assert texts.count("1") == 3 and texts.count("2") == 1  # only site 1 has a position, in both views
    assert len(lines) == 2 * len(small_tree().arteries)
    assert territories_figure(case) == territories_figure(case)


def test_of_many_sites_those_of_the_largest_territories_are_numbered(case):
    small = [replace(case.sites[1], name=f"small {number}") for number in range(30)]
    sites = (*small, case.sites[2], case.sites[0])
    rows = sparse.vstack([case.territories.fractions[[i], :] for i in (*[1] * 30, 2, 0)])
    many = replace(case, territories=replace(case.territories, sites=sites, fractions=sparse.csr_array(rows)))
    told = numbered_sites(many)
    assert len(told) == 24 and {30, 31} <= set(told)
    with new_figure() as figure:
        draw_territories(figure, many)
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "8 more sites" in texts and "32" in texts and "1" not in texts


def test_a_synthetic_tree_is_called_so_in_the_figure(case):
    made = replace(case, inputs=replace(case.inputs, arteries=replace(small_tree(), synthetic=True)))
    with new_figure() as figure:
        draw_territories(figure, made)
        assert "arteries, SYNTHETIC" in [text.get_text() for axes in figure.axes for text in axes.texts]


def test_rows_and_the_line_on_unperfused_tumour(case):
    rows = territory_rows(case)
    assert [row.number for row in rows] == [1, 2, 3] and {row.outflow_text for row in rows} == {"–"}
    assert unperfused_line(case).startswith("Unperfused tumour: none")
    only = replace(case.territories, sites=case.sites[1:2], fractions=case.territories.fractions[[1], :])
    line = unperfused_line(replace(case, territories=only))
    for name in ("A", "C"):
        tumour = next(t for t in case.structures.tumours if t.name == name)
        assert f"{name} {case.structures.volume_ml(tumour):.1f} mL (100.0 %)" in line
    assert " B " not in line


def test_outflow_is_told_by_organ_and_the_rest_as_elsewhere(case):
    site = replace(case.sites[0], extrahepatic_share=0.05, outflow={"gallbladder": 0.0149})
    case = replace(case, territories=_with_first(case.territories, site))
    assert territory_rows(case)[0].outflow_text == "gallbladder 1.5 %, elsewhere 3.5 %"


def _with_first(territories, site):
    fractions = territories.fractions.tolil()
    fractions[0] = fractions[0] * ((1.0 - site.lung_shunt - 0.05) / fractions[0].sum())
    return replace(territories, sites=(site, *territories.sites[1:]), fractions=fractions.tocsr())
