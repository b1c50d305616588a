"""How a dose volume looks in slice views."""

from __future__ import annotations

import math

import numpy as np
import slicer

from RadioembolizationPlannerLib.colors import dose_color_table

#: Upper end of the threshold [Gy]: above any dose, so that only the lower end hides voxels.
_ABOVE_ANY_GY = 32767.0
#: Share of the voxels with dose that the colors distinguish; a few hot voxels must not darken all others.
_SHOWN_SHARE = 0.995
_LEGEND_TITLE = "Dose (Gy)"
_LEGEND_LABELS = 6
#: Short and long side of the legend as shares of the view; its letters follow them, whatever their font size.
_LEGEND_SIZE = (0.08, 0.4)


def show_dose(dose_node: slicer.vtkMRMLScalarVolumeNode, *, highest_gy: float, from_gy: float) -> None:
    """Color a dose volume from 0 to a highest dose, and leave out what is below a dose.

    Parameters
    ----------
    dose_node : vtkMRMLScalarVolumeNode
        In a scene.
    highest_gy : float
        Dose [Gy] of the last color; doses above have the same.
    from_gy : float
        Voxels with less are transparent [Gy].
    """
    dose_node.CreateDefaultDisplayNodes()
    display = dose_node.GetDisplayNode()
    with slicer.util.NodeModify(display):
        display.SetAndObserveColorNodeID(dose_color_table(dose_node.GetScene()).GetID())
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(0.0, highest_gy)
        display.AutoThresholdOff()
        display.SetThreshold(from_gy, _ABOVE_ANY_GY)
        display.ApplyThresholdOn()
        display.InterpolateOn()


def highest_shown_gy(dose_node: slicer.vtkMRMLScalarVolumeNode) -> float:
    """Return the dose of the last color [Gy]: as set by ``show_dose``, otherwise ``round_highest_gy``."""
    display = dose_node.GetDisplayNode()
    table = dose_color_table(dose_node.GetScene())
    if display is not None and display.GetColorNodeID() == table.GetID():
        return float(display.GetWindowLevelMax())
    return round_highest_gy(slicer.util.arrayFromVolume(dose_node))


def round_highest_gy(dose_gy: np.ndarray) -> float:
    """Return a round dose [Gy] for the last color: at or above 99.5 % of the voxels with a tenth of the maximum.

    A tenth of the maximum keeps the large volume of next to no dose out of the count.
    """
    maximum = float(dose_gy.max(initial=0.0))
    if not maximum > 0.0:
        return 1.0
    return rounded_up(float(np.quantile(dose_gy[dose_gy >= 0.1 * maximum], _SHOWN_SHARE)))


def rounded_up(value: float) -> float:
    """Return the next round number: a multiple of a half of its power of ten (0.5, 5, 50, ...)."""
    step = 0.5 * 10.0 ** math.floor(math.log10(value))
    return step * math.ceil(value / step - 1e-9)


def color_legend(
    scene: slicer.vtkMRMLScene, dose_node: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLColorLegendDisplayNode:
    """Show the colors of a dose volume with their doses in slice views, and return the legend."""
    if not scene.IsNodeClassRegistered("vtkMRMLColorLegendDisplayNode"):
        scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())  # as module Colors does, if it is loaded
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(dose_node)
    with slicer.util.NodeModify(legend):
        legend.SetTitleText(_LEGEND_TITLE)
        legend.SetLabelFormat("%.0f")
        legend.SetNumberOfLabels(_LEGEND_LABELS)
        legend.GetLabelTextProperty().SetFontFamilyToArial()
        legend.SetSize(*_LEGEND_SIZE)
        legend.SetVisibility(True)
    return legend
