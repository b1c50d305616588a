"""What the charts of scenarios show: bands around the median, chances beside each other, the promise."""

from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from radioembolization.planning.scenario_evaluation import (
    HistogramBand,
    LimitChance,
    Percentiles,
    ScenarioEvaluation,
    TumourChance,
)
from radioembolization.report.figures import bands_figure, chances_figure
from radioembolization.report.scenario_charts import MOST_PANELS, draw_bands, draw_chances, shown_bands


def evaluation(tumours=2, probabilities=(0.9, None, 0.5), together=0.45):
    """Return scenarios whose tumour k has a mean of 10 k Gy."""
    dose = tuple(float(d) for d in np.linspace(0.0, 100.0, 11))
    names = [f"T{k}" for k in range(1, tumours + 1)]
    values = [Percentiles.of(np.full(3, 10.0 * k)) for k in range(1, tumours + 1)]
    falling = tuple(float(v) for v in np.linspace(100.0, 0.0, 11))
    lower, upper = tuple(0.5 * v for v in falling), tuple(min(100.0, 1.2 * v) for v in falling)
    bands = tuple(HistogramBand(name, dose, lower, falling, upper) for name in (*names, "normal liver"))
    limits = tuple(
        LimitChance(f"limit {k}", "at most", 40.0, "Gy", p, values[0]) for k, p in enumerate(probabilities, 1)
    )
    tumour_chances = tuple(TumourChance(name, v, v, v) for name, v in zip(names, values, strict=True))
    return ScenarioEvaluation(200, 1, values[0], limits, together, tumour_chances, bands)


def drawn(draw, *arguments):
    figure = Figure()
    draw(figure, *arguments)
    figure.savefig(BytesIO(), format="png", dpi=50)
    return figure


def test_each_structure_has_its_band_median_and_plan(treatment):
    histogram = treatment.histograms["Tumour A"]
    figure = drawn(draw_bands, evaluation(), {"T1": histogram}, {})
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["T1", "T2", "normal liver"]
    first = panels[0]
    assert list(first.lines[0].get_ydata()) == pytest.approx(list(np.linspace(100.0, 0.0, 11)))
    assert list(first.lines[1].get_xdata()) == list(histogram.dose_gy)
    assert list(first.lines[1].get_ydata()) == list(100.0 * histogram.volume_share)
    (band,) = first.collections
    edges = band.get_paths()[0].vertices
    at_50 = edges[np.isclose(edges[:, 0], 50.0), 1]
    assert (at_50.min(), at_50.max()) == pytest.approx((25.0, 60.0))
    assert len(panels[1].lines) == 1  # of a structure without a histogram only the median is known


def test_of_many_tumours_the_coldest_are_shown():
    shown = [band.name for band in shown_bands(evaluation(tumours=20))]
    assert len(shown) == MOST_PANELS and shown == [f"T{k}" for k in range(1, MOST_PANELS)] + ["normal liver"]


def test_chances_are_bars_with_the_nominal_beside_and_the_promise():
    axes = drawn(draw_chances, evaluation(), evaluation(probabilities=(0.3, None, 0.2), together=0.1), 0.95).axes[0]
    own, nominal = axes.containers
    assert [bar.get_width() for bar in own] == pytest.approx([90.0, 50.0, 45.0])
    assert [bar.get_width() for bar in nominal] == pytest.approx([30.0, 20.0, 10.0])
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["limit 1 ≤ 40.0 Gy", "limit 3 ≤ 40.0 Gy", "All limits together"]
    assert list(axes.lines[0].get_xdata()) == [95.0, 95.0]
    assert {"90.0", "30.0", "10.0"} <= {text.get_text() for text in axes.texts}
    alone = drawn(draw_chances, evaluation()).axes[0]
    assert len(alone.containers) == 1 and not alone.lines


def test_one_limit_needs_no_sum():
    axes = drawn(draw_chances, evaluation(probabilities=(0.9,), together=0.9)).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["limit 1 ≤ 40.0 Gy"]


def test_figures_are_the_same_picture_every_time(treatment):
    found = evaluation()
    for make in (lambda: bands_figure(treatment, found), lambda: chances_figure(found, found, 0.95)):
        first = make()
        assert first == make() and ElementTree.fromstring(first).tag.endswith("svg")
