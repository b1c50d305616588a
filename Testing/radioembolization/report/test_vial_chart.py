"""What the chart of vials shows: decay, calibration, injection, hours of use."""

from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from radioembolization.report.figures import vials_figure
from radioembolization.report.vial_chart import draw_vials


def drawn(vials):
    figure = Figure()
    draw_vials(figure, vials)
    figure.savefig(BytesIO(), format="png", dpi=50)
    return figure.axes[0]


def test_a_vial_falls_by_half_in_a_half_life_through_calibration_and_injection(of_vials):
    vials = of_vials.analysis.vials
    axes = drawn(replace(vials, orders=vials.orders[:1]))
    line = vials.orders[0]
    whole, usable, calibrated, injected = axes.lines
    hours, activity = np.array(whole.get_xdata()), np.array(whole.get_ydata())
    assert activity[-1] / activity[0] == pytest.approx(2.0 ** (-(hours[-1] - hours[0]) / 64.1), rel=1e-6)
    assert calibrated.get_ydata()[0] == line.calibrated_gbq
    between = (line.injected_at - line.calibrated_at).total_seconds() / 3600.0
    assert injected.get_xdata()[0] - calibrated.get_xdata()[0] == pytest.approx(between)
    assert injected.get_ydata()[0] == pytest.approx(line.calibrated_gbq * 2.0 ** (-between / 64.1), rel=1e-4)
    window = (line.latest - line.earliest).total_seconds() / 3600.0
    assert np.ptp(usable.get_xdata()) <= window
    assert any(", ".join(line.sites) in text.get_text() for text in axes.texts)
    assert axes.get_ylim()[0] == 0.0


def test_equal_vials_of_one_hour_are_one_curve(of_vials):
    vials = of_vials.analysis.vials
    line = vials.orders[0]
    twice = replace(vials, orders=(line, replace(line, sites=("another",))))
    axes = drawn(twice)
    assert len(axes.lines) == 4
    assert any(text.get_text().startswith("2 ×") and "another" in text.get_text() for text in axes.texts)


def test_no_vials_are_a_picture_too_and_pictures_are_the_same_every_time(of_vials):
    vials = of_vials.analysis.vials
    assert [text.get_text() for text in drawn(replace(vials, orders=())).texts] == ["no vials"]
    first = vials_figure(vials)
    assert first == vials_figure(vials) and ElementTree.fromstring(first).tag.endswith("svg")
