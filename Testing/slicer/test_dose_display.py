"""A dose volume is shown on our own scale, from a threshold on, with a legend."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.images import Grid, Unit, Volume

slicer_headless.require_slicer()
import slicer  # noqa: E402

from RadioembolizationPlannerLib.colors import dose_color_table  # noqa: E402
from RadioembolizationPlannerLib.dose_display import (  # noqa: E402
    color_legend,
    highest_shown_gy,
    round_highest_gy,
    rounded_up,
    show_dose,
)
from RadioembolizationPlannerLib.publish import publish_dose  # noqa: E402

pytestmark = pytest.mark.slicer


@pytest.fixture
def dose(scene):
    """A dose that rises from 0 to 100 Gy along x."""
    ramp = np.broadcast_to(np.linspace(0.0, 100.0, 101, dtype=np.float32), (3, 4, 101))
    return publish_dose(scene, Volume(ramp.copy(), Grid((3, 4, 101), (2.0, 2.0, 2.0)), Unit.GY), "dose")


def test_scale_threshold_and_colors_are_ours(scene, dose):
    show_dose(dose, highest_gy=80.0, from_gy=20.0)
    display = dose.GetDisplayNode()
    assert display.GetColorNode() is dose_color_table(scene)
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 80.0)
    assert display.GetAutoWindowLevel() == 0 and display.GetInterpolate() == 1
    assert display.GetApplyThreshold() == 1 and display.GetLowerThreshold() == 20.0
    assert highest_shown_gy(dose) == 80.0


def test_what_is_below_the_threshold_is_transparent_and_the_highest_dose_is_not(dose):
    show_dose(dose, highest_gy=80.0, from_gy=20.0)
    image = dose.GetDisplayNode().GetImageDataConnection().GetProducer()
    image.Update()
    opacity = [image.GetOutput().GetScalarComponentAsDouble(x, 0, 0, 3) for x in (0, 19, 20, 100)]
    assert opacity == [0.0, 0.0, 255.0, 255.0]


def test_a_dose_on_another_scale_is_given_a_round_highest_dose(dose):
    assert highest_shown_gy(dose) == 100.0


@pytest.mark.parametrize(
    ("value", "expected"), [(370.0, 400.0), (208.0, 250.0), (40.0, 40.0), (0.31, 0.35), (97.0, 100.0)]
)
def test_rounding_up(value, expected):
    assert rounded_up(value) == pytest.approx(expected)


def test_a_few_hot_voxels_do_not_stretch_the_scale():
    doses = np.concatenate([np.zeros(5000), np.linspace(30.0, 118.0, 5000), [300.0] * 3])
    assert round_highest_gy(doses) == pytest.approx(150.0)
    assert round_highest_gy(np.zeros(10)) == 1.0


def test_the_legend_tells_dose_and_unit_once(scene, dose):
    show_dose(dose, highest_gy=80.0, from_gy=20.0)
    legend = color_legend(scene, dose)
    assert legend.GetTitleText() == "Dose (Gy)" and legend.GetVisibility()
    assert legend.GetPrimaryDisplayNode() is dose.GetDisplayNode()
    assert color_legend(scene, dose) is legend
    assert slicer.vtkSlicerColorLogic.GetNumberOfColorLegendDisplayNodes(dose) == 1
