"""Slicer's displayable managers draw what the adapter publishes: the right colors in the right places."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import offscreen_charts
import offscreen_views
import offscreen_window
import pytest
import slicer_headless

from radioembolization.images import Grid, Unit, Volume

slicer_headless.require_slicer()

from RadioembolizationPlannerLib.colors import color_of_dose  # noqa: E402
from RadioembolizationPlannerLib.dose_display import color_legend, show_dose  # noqa: E402
from RadioembolizationPlannerLib.dvh import DvhCurves, publish_dvh  # noqa: E402
from RadioembolizationPlannerLib.isodoses import publish_isodoses  # noqa: E402
from RadioembolizationPlannerLib.layouts import show_plan  # noqa: E402
from RadioembolizationPlannerLib.publish import publish_dose, publish_volume  # noqa: E402

pytestmark = pytest.mark.slicer

_GRID = Grid((40, 50, 60), (3.0, 3.0, 3.0), (-90.0, -75.0, -60.0))
_CENTRE_LPS = np.array([30.0, -15.0, 6.0])
_CENTRE_RAS = (-30.0, 15.0, 6.0)
_SIGMA_MM = 15.0
_HIGHEST_GY = 100.0


@pytest.fixture(autouse=True)
def _rendering():
    offscreen_window.require_rendering()


@pytest.fixture
def nodes(scene):
    """A grey CT and a dose of 100 Gy at one point, falling off around it."""
    positions = _GRID.to_lps(np.moveaxis(np.indices(_GRID.shape), 0, -1))
    dose = 100.0 * np.exp(-((positions - _CENTRE_LPS) ** 2).sum(axis=-1) / (2.0 * _SIGMA_MM**2))
    ct = publish_volume(scene, Volume(np.zeros(_GRID.shape, dtype=np.int16), _GRID, Unit.HU), "CT")
    ct.GetDisplayNode().AutoWindowLevelOff()
    ct.GetDisplayNode().SetWindowLevelMinMax(-200.0, 200.0)
    node = publish_dose(scene, Volume(dose.astype(np.float32), _GRID, Unit.GY), "dose")
    show_dose(node, highest_gy=_HIGHEST_GY, from_gy=20.0)
    return ct, node


def _close(picture: np.ndarray, color) -> np.ndarray:
    return np.abs(picture.astype(float) - 255.0 * np.array(color)).max(axis=-1) < 12.0


@contextmanager
def _shown(scene, nodes):
    with offscreen_views.SliceView(scene) as view:
        show_plan(scene, background=nodes[0], dose=nodes[1], focus_lps_mm=tuple(_CENTRE_LPS))
        view.fit(nodes[0], 1.0)
        yield view


def test_dose_lies_half_transparent_over_the_image_from_its_threshold_on(scene, nodes):
    with _shown(scene, nodes) as view:
        picture = view.picture()
        centre, inside, beyond = (view.world_to_pixel((-30.0 + x, 15.0, 6.0)) for x in (0.0, 22.0, 30.0))
    half = 0.5 * np.array(color_of_dose(100.0, _HIGHEST_GY)) + 0.25  # the CT of 0 HU is grey, 0.5
    assert picture[centre] / 255.0 == pytest.approx(half, abs=0.05)
    # 20 Gy lie 26.9 mm from the centre
    assert picture[beyond] / 255.0 == pytest.approx([0.5, 0.5, 0.5], abs=0.02)
    assert picture[inside][2] > picture[inside][1] + 20


def test_an_isodose_is_a_contour_of_its_color_at_its_radius(scene, nodes):
    publish_isodoses(scene, nodes[1], [50.0])
    with _shown(scene, nodes) as view:
        rows, columns = np.nonzero(_close(view.picture(), color_of_dose(50.0, _HIGHEST_GY)))
        row, column = view.world_to_pixel(_CENTRE_RAS)
        pixel_mm = view.node.GetFieldOfView()[0] / view.window.GetSize()[0]
    radii = pixel_mm * np.hypot(rows - row, columns - column)
    assert len(radii) > 100
    # a line of 2 pixels, that is 0.5 mm
    assert np.median(radii) == pytest.approx(_SIGMA_MM * np.sqrt(2.0 * np.log(2.0)), abs=0.5)
    angles = np.degrees(np.arctan2(rows - row, columns - column))
    assert np.histogram(angles, bins=8, range=(-180, 180))[0].min() > 5  # all around


def test_the_legend_is_drawn_at_the_right_side(scene, nodes):
    with _shown(scene, nodes) as view:
        before = view.picture()
    color_legend(scene, nodes[1])
    with _shown(scene, nodes) as view:
        after = view.picture()
    changed = np.argwhere(np.abs(after.astype(int) - before).max(axis=-1) > 30)
    assert len(changed) > 500 and changed[:, 1].min() > 0.6 * after.shape[1]
    assert _close(after, color_of_dose(100.0, _HIGHEST_GY))[:, -120:].any()


def test_an_isodose_is_a_shell_in_3d(scene, nodes):
    isodoses = publish_isodoses(scene, nodes[1], [50.0])
    isodoses.models[0].GetDisplayNode().SetOpacity(1.0)
    with offscreen_views.ThreeDView(scene, size=(300, 300)) as view:
        view.fit()
        picture = view.picture().astype(int)
    red, green, blue = picture[150, 150]
    assert red > 100 and red > blue > 0 and red > green
    assert picture[5, 150].max() < 80  # the dark background


def test_a_closed_view_leaves_the_scene_as_it_was(scene):
    def ids() -> set[str]:
        return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}

    before = ids()
    with offscreen_views.SliceView(scene), offscreen_views.ThreeDView(scene) as space:
        space.fit()
        assert len(ids()) > len(before)
    assert ids() == before


def test_a_chart_is_drawn_with_the_colors_of_its_lines(scene, tmp_path):
    edges = np.linspace(0.0, 100.0, 201)
    curves = DvhCurves(edges, {"tumor": np.clip((90.0 - edges) / 40.0, 0.0, 1.0), "liver": np.exp(-edges / 20.0)})
    chart = publish_dvh(scene, "DVH", curves, {"tumor": (1.0, 0.8, 0.0), "liver": (0.0, 0.8, 0.4)}).chart
    picture = offscreen_charts.plot_picture(chart, tmp_path / "dvh.png")
    assert (tmp_path / "dvh.png").stat().st_size > 5000
    liver = np.argwhere(_close(picture, (0.0, 0.8, 0.4)))
    left = liver[liver[:, 1] < 150]
    right = liver[(liver[:, 1] > 400) & (liver[:, 1] < 700)]
    assert len(left) and len(right) and left[:, 0].mean() < right[:, 0].mean()  # falls from left to right
    assert _close(picture, (1.0, 0.8, 0.0)).sum() > 100
