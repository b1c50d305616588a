"""The scale of dose is ordered for the eye, belongs to the scene and is saved with it."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

slicer_headless.require_slicer()
import slicer  # noqa: E402

from RadioembolizationPlannerLib.colors import color_of_dose, distinct_colors, dose_color_table  # noqa: E402

pytestmark = pytest.mark.slicer


def _lightness(color: tuple[float, float, float]) -> float:
    """Return CIE L* of an sRGB color (IEC 61966-2-1, CIE 15)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116.0 * luminance ** (1 / 3) - 16.0 if luminance > 0.008856 else 903.3 * luminance


def _entry(table: slicer.vtkMRMLColorTableNode, index: int) -> list[float]:
    color = [0.0] * 4
    table.GetColor(index, color)
    return color


def test_lightness_rises_evenly_from_dark_blue_to_white():
    steps = np.diff([_lightness(color_of_dose(dose, 100.0)) for dose in range(101)])
    assert steps.min() > 0.5 * steps.mean() and steps.max() < 1.5 * steps.mean()
    red, green, blue = color_of_dose(0.0, 100.0)
    assert blue > 0.5 > 0.2 > max(red, green)
    assert min(color_of_dose(100.0, 100.0)) > 0.9


def test_doses_beyond_the_ends_have_the_colors_of_the_ends():
    assert color_of_dose(900.0, 250.0) == color_of_dose(250.0, 250.0)
    assert color_of_dose(-1.0, 250.0) == color_of_dose(0.0, 250.0)
    assert color_of_dose(5.0, 0.0) == color_of_dose(0.0, 1.0)


def test_a_scene_has_one_table_with_the_colors_of_the_doses(scene):
    table = dose_color_table(scene)
    assert dose_color_table(scene) is table and table.GetNumberOfColors() == 256
    assert _entry(table, 51) == pytest.approx([*color_of_dose(0.2, 1.0), 1.0], abs=0.5 / 255)  # kept as bytes
    scene.Clear(False)
    assert dose_color_table(scene) is not table


def test_the_table_is_saved_with_the_scene(scene, tmp_path):
    before = _entry(dose_color_table(scene), 128)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    scene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    tables = scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")
    table = dose_color_table(scene)
    assert scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode") == tables  # found, not made again
    assert _entry(table, 128) == pytest.approx(before, abs=0.01)


def test_distinct_colors_are_distinct_and_stay_when_more_are_asked_for():
    many = distinct_colors(20)
    assert distinct_colors(5) == many[:5]
    apart = [np.linalg.norm(np.subtract(a, b)) for i, a in enumerate(many) for b in many[:i]]
    assert min(apart) > 0.05
