"""What the figures show: levels, sides, curves, limits; and that they are the same every time."""

import sys
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from radioembolization.errors import MissingPackage, StructureError
from radioembolization.report import dvh_figure, sites_figure, slice_figure
from radioembolization.report.charts import draw_dvh, draw_sites
from radioembolization.report.slices import draw_slices, hottest_tumour, isodose_levels_gy


def drawn(draw, *arguments):
    """Return a figure laid out and drawn once, so that pixel positions are final."""
    figure = Figure()
    draw(figure, *arguments)
    figure.savefig(BytesIO(), format="png", dpi=50)
    return figure


def axes_by_label(figure):
    return {axes.get_label(): axes for axes in figure.axes}


@pytest.mark.parametrize("highest", [0.7, 12.0, 125.0, 400.0, 3000.0])
def test_isodose_levels_are_few_round_and_reached(highest):
    levels = isodose_levels_gy(highest)
    assert 3 <= len(levels) <= 6 and list(levels) == sorted(levels)
    assert levels[-1] <= 0.95 * highest and levels[-1] > 0.5 * highest
    assert all(float(f"{level:.1e}") == pytest.approx(level) for level in levels)


def test_no_dose_has_no_levels():
    assert isodose_levels_gy(0.0) == ()


def test_letters_and_the_hot_tumour_are_on_the_right_sides_of_the_page(treatment, centres):
    panels = axes_by_label(drawn(draw_slices, treatment, "Tumour A"))
    for name, across, down in (("axial", "RL", "AP"), ("coronal", "RL", "HF"), ("sagittal", "AP", "HF")):
        axes = panels[name]
        pixel = {t.get_text(): axes.transAxes.transform(t.get_position()) for t in axes.texts if t.get_text().isalpha()}
        assert pixel[across[0]][0] < pixel[across[1]][0]
        assert pixel[down[0]][1] > pixel[down[1]][1]
        # Counts as drawn: A has four times the counts of the normal liver, so it is the hot spot.
        image = axes.images[0]
        row, column = np.argwhere(image.get_array() > 0.9 * image.get_array().max()).mean(axis=0)
        left, right, bottom, top = image.get_extent()
        rows, columns = image.get_array().shape
        hot = (left + (column + 0.5) / columns * (right - left), top + (row + 0.5) / rows * (bottom - top))
        x, y, z = centres["Tumour A"]
        expected = {"axial": (x, y), "coronal": (x, -z), "sagittal": (y, -z)}[name]
        assert hot == pytest.approx(expected, abs=3.0)
        # A lies to the right, front and feet of the patient: nearer to R, A and F on the page.
        at = axes.transData.transform(hot)
        near = {letter: np.hypot(*(at - place)) for letter, place in pixel.items()}
        for side, other in (("R", "L"), ("A", "P"), ("F", "H")):
            if side in near:
                assert near[side] < near[other]


def test_all_pictures_have_one_scale_and_the_bar_its_length(treatment):
    panels = axes_by_label(drawn(draw_slices, treatment))
    scales = []
    for name in ("axial", "coronal", "sagittal"):
        axes = panels[name]
        across, down = np.abs(axes.transData.transform((100.0, 100.0)) - axes.transData.transform((0.0, 0.0)))
        assert across == pytest.approx(down, rel=1e-3)
        scales.append(across)
        bar = axes.lines[0].get_xdata()
        assert f"{abs(bar[1] - bar[0]):g} mm" in [text.get_text() for text in axes.texts]
    assert scales == pytest.approx([scales[0]] * 3, rel=0.01)


def test_background_is_ct_before_scout_before_nothing(treatment, flipped, turned):
    images = {}
    for name, patient in (("scout", treatment), ("CT", flipped), ("no", turned)):
        panels = axes_by_label(drawn(draw_slices, patient))
        images[name] = panels["axial"].images
        note = panels["legend"].texts[0].get_text()
        assert {"scout": "scout counts", "CT": "CT, −160", "no": "No CT and no scout"}[name] in note
    assert not images["no"]
    assert images["CT"][0].get_array().min() < -900 and images["scout"][0].get_array().min() == 0


def test_given_levels_are_drawn_and_named(treatment):
    legend = axes_by_label(drawn(draw_slices, treatment, "", (33.0, 66.0)))["legend"]
    texts = [text.get_text() for made in legend.findobj(matplotlib.legend.Legend) for text in made.get_texts()]
    assert "33 Gy" in texts and "66 Gy" in texts and "20 Gy" not in texts


def test_an_unknown_tumour_is_refused_with_the_names_there_are(treatment):
    with pytest.raises(StructureError, match=r"'Tumour A', 'Tumour B'"):
        slice_figure(treatment, "Tumour Z")


def test_the_hottest_tumour_is_chosen(treatment):
    hot = [replace(s, mean_gy=999.0) if s.name == "Tumour B" else s for s in treatment.plan.structures]
    changed = replace(treatment, plan=replace(treatment.plan, structures=tuple(hot)))
    assert hottest_tumour(changed) == "Tumour B"


def test_curves_are_the_histograms_and_axes_name_their_units(treatment):
    curves, *_ = drawn(draw_dvh, treatment).axes
    assert (curves.get_xlabel(), curves.get_ylabel()) == ("Absorbed dose [Gy]", "Volume [%]")
    names = [text.get_text() for text in curves.get_legend().get_texts()]
    assert names == list(treatment.histograms)
    for line, (name, histogram) in zip(curves.lines, treatment.histograms.items(), strict=True):
        np.testing.assert_allclose(line.get_xdata(), histogram.dose_gy)
        np.testing.assert_allclose(line.get_ydata(), 100.0 * histogram.volume_share)
        assert (line.get_linestyle() == "-") == name.startswith("Tumour")
    colours = [line.get_color() for line in curves.lines]
    assert len(set(colours)) == len(colours)


def test_dose_limits_are_marked_at_their_bound_and_value(treatment):
    _, strip = drawn(draw_dvh, treatment).axes
    limits = [limit for limit in treatment.plan.limits if limit.unit == "Gy"]
    assert len(limits) == 2
    bars = [line for line in strip.lines if line.get_marker() == "|"]
    dots = [line for line in strip.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in bars] == [limit.limit for limit in limits]
    assert [line.get_xdata()[0] for line in dots] == [limit.value for limit in limits]
    assert [text.get_text().split(":")[0] for text in strip.texts] == [limit.name for limit in limits]


def test_bars_are_the_activities_of_used_sites(treatment):
    (axes,) = drawn(draw_sites, treatment).axes
    assert [bar.get_width() for bar in axes.patches] == [s.activity_gbq for s in treatment.plan.used_sites]
    assert treatment.plan.used_sites[0].name in [text.get_text() for text in axes.texts]


def test_figures_are_the_same_every_time_and_whatever_the_users_style(turned):
    first = slice_figure(turned), dvh_figure(turned), sites_figure(turned)
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 20.0, "axes.facecolor": "black"}):
        assert (slice_figure(turned), dvh_figure(turned), sites_figure(turned)) == first
        assert matplotlib.rcParams["lines.linewidth"] == 9.0  # and the user's style is left alone
    assert imread(BytesIO(first[0])).shape[1] > 1000
    for svg in first[1:]:
        assert ElementTree.fromstring(svg).tag.endswith("svg") and "<dc:date>" not in svg


def test_names_are_drawn_as_they_are(treatment):
    odd = {f"_{i} $\\frac{{1}}$ <b> & é": h for i, h in enumerate(treatment.histograms.values())}
    structures = treatment.case.structures
    renamed = [replace(s, name=name) for s, name in zip(structures.tumours, odd, strict=False)]
    liver = replace(structures.liver, name="liver")
    case = replace(treatment.case, structures=replace(structures, given=(liver, *renamed)))
    histograms = dict(zip([*(s.name for s in renamed), "normal liver", "whole liver"], odd.values(), strict=True))
    odd_named = replace(treatment, case=case, histograms=histograms)
    curves, *_ = drawn(draw_dvh, odd_named).axes
    assert [text.get_text() for text in curves.get_legend().get_texts()] == list(histograms)


def test_letters_the_font_lacks_do_not_warn(treatment, recwarn):
    sites = (replace(treatment.plan.sites[0], name="肝動脈"), *treatment.plan.sites[1:])
    assert sites_figure(replace(treatment, plan=replace(treatment.plan, sites=sites)))
    assert not recwarn.list


@pytest.mark.parametrize("figure", [slice_figure, dvh_figure, sites_figure])
def test_missing_matplotlib_is_named_with_its_remedy(figure, treatment, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackage, match=r"matplotlib: pip install matplotlib"):
        figure(treatment)
