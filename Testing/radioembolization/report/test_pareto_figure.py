"""What the charts of trade-offs show: points, prices, ends, the plan."""

from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from radioembolization.planning import InjectionSites, LungDose, MeanDose, StructureMean, WorstTumourMean, maximize
from radioembolization.planning.pareto import pareto_front
from radioembolization.planning.staircase import staircase
from radioembolization.report.figures import front_figure, staircase_figure
from radioembolization.report.pareto_figure import draw_front, draw_staircase
from support import resin_two_sites

NORMAL, T2 = MeanDose("normal liver").at_most(gy=40), MeanDose("T2").at_least(gy=100)
PROBLEM = maximize(StructureMean("T1")).subject_to(NORMAL, T2, LungDose().at_most(gy=30))


def drawn(draw, *arguments):
    figure = Figure()
    draw(figure, *arguments)
    figure.savefig(BytesIO(), format="png", dpi=50)
    return figure.axes[0]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_a_front_shows_breakpoints_prices_and_the_plan():
    front = pareto_front(PROBLEM, resin_two_sites(), NORMAL)
    axes = drawn(draw_front, front, (40.0, 152.0))
    x, y = axes.lines[0].get_data()
    assert list(x) == pytest.approx([25 / 3, 50.0, 2350 / 9], rel=1e-5)
    assert list(y) == pytest.approx([0.0, 200.0, 9400 / 9], rel=1e-5, abs=1e-3)
    assert "+4.8 Gy per Gy" in texts(axes) and "+4.0 Gy per Gy" in texts(axes) and "plan" in texts(axes)
    assert axes.get_xlim()[1] == pytest.approx(100.0)  # two and a half times the bound, not all 261 Gy
    # The curve stays inside up to the edge: 50 Gy further, at 4.0 Gy per Gy, it is at 400 Gy.
    assert axes.get_ylim()[0] == 0.0 and axes.get_ylim()[1] > 400.0
    whole = drawn(draw_front, front, None, (0.0, 300.0))
    assert "no plan" not in texts(whole)  # 8 of 300 Gy are too narrow for words
    assert list(whole.lines[-2].get_xdata()) == pytest.approx([2350 / 9, 300.0])  # no effect from there on


def test_a_lower_limit_sells_towards_less():
    axes = drawn(draw_front, pareto_front(PROBLEM, resin_two_sites(), T2), None, (0.0, 600.0))
    assert "+0.40 Gy per Gy less" in texts(axes) and "no plan" in texts(axes)


def test_points_are_steps_that_a_plan_reaches_for_certain():
    few = maximize(WorstTumourMean()).subject_to(NORMAL, InjectionSites().at_most(count=1))
    front = pareto_front(few, resin_two_sites(), NORMAL, points=4)
    axes = drawn(draw_front, front)
    assert axes.lines[0].get_drawstyle() == "steps-post" and not any("per Gy" in text for text in texts(axes))


def test_a_staircase_shows_values_the_bound_and_steps_without_a_plan():
    found = staircase(maximize(WorstTumourMean()).subject_to(NORMAL, T2), resin_two_sites())
    axes = drawn(draw_staircase, found, (2, found.steps[-1].value))
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == [step.value for step in found.steps if step.value is not None]
    assert axes.get_xticklabels()[len(found.steps) - 1].get_text().startswith(str(len(found.steps)))
    lines = [line for line in axes.lines if len(line.get_ydata()) == 2]
    assert np.ptp(lines[0].get_ydata()) == 0.0 and lines[0].get_ydata()[0] == pytest.approx(found.all_sites)
    none = replace(found.steps[0], value=None, status="infeasible")
    assert "no plan" in texts(drawn(draw_staircase, replace(found, steps=(none, *found.steps[1:]))))


def test_figures_are_the_same_picture_every_time():
    front, steps = pareto_front(PROBLEM, resin_two_sites(), NORMAL), staircase(PROBLEM, resin_two_sites())
    for make in (lambda: front_figure(front, (40.0, 152.0)), lambda: staircase_figure(steps, (2, 152.0))):
        first = make()
        assert first == make() and ElementTree.fromstring(first).tag.endswith("svg")
