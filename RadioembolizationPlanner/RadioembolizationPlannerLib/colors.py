"""Colors of dose, territories and curves; the scale of dose is a color table of our own, saved with the scene."""

from __future__ import annotations

import colorsys

import numpy as np
import slicer

Color = tuple[float, float, float]

#: The scale of dose from 0 to the highest dose shown: position, red, green, blue.  From dark blue through
#: red and yellow to white; the positions make the lightness (CIE L*) rise evenly, from 23 to 100.
_DOSE_SCALE = np.array(
    [
        (0.000, 0.08, 0.14, 0.62),
        (0.093, 0.24, 0.14, 0.78),
        (0.182, 0.50, 0.12, 0.78),
        (0.284, 0.74, 0.14, 0.62),
        (0.381, 0.90, 0.22, 0.38),
        (0.486, 0.97, 0.38, 0.18),
        (0.623, 0.99, 0.58, 0.10),
        (0.762, 0.99, 0.76, 0.16),
        (0.893, 0.99, 0.91, 0.42),
        (1.000, 1.00, 1.00, 0.95),
    ]
)
#: Told apart with every common color vision (Okabe and Ito 2008), the black one left out.
_DISTINCT: tuple[Color, ...] = (
    (0.90, 0.62, 0.00),
    (0.34, 0.71, 0.91),
    (0.00, 0.62, 0.45),
    (0.94, 0.89, 0.26),
    (0.80, 0.47, 0.65),
    (0.84, 0.37, 0.00),
    (0.00, 0.45, 0.70),
)
_GOLDEN_RATIO = 0.618034
_ENTRIES = 256
#: Marks the table in a scene, also in one read from a file.
_ATTRIBUTE, _DOSE = "RadioembolizationPlanner.Colors", "dose"


def dose_color_table(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """Return the color table of dose of a scene, made when first asked for."""
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLColorTableNode")
        if node.GetAttribute(_ATTRIBUTE) == _DOSE:
            return node
    table = slicer.vtkMRMLColorTableNode()
    table.SetName("Dose of radioembolization")
    table.SetAttribute(_ATTRIBUTE, _DOSE)
    table.SetTypeToUser()
    table.SetNumberOfColors(_ENTRIES)
    for index in range(_ENTRIES):
        share = index / (_ENTRIES - 1)
        table.SetColor(index, f"{share:.1%}", *color_of_dose(share, 1.0))
    return scene.AddNode(table)


def color_of_dose(dose_gy: float, highest_gy: float) -> Color:
    """Return the color of a dose on the scale that ends at the highest dose shown."""
    share = min(max(dose_gy / highest_gy, 0.0), 1.0) if highest_gy > 0.0 else 0.0
    red, green, blue = (float(np.interp(share, _DOSE_SCALE[:, 0], _DOSE_SCALE[:, k])) for k in (1, 2, 3))
    return red, green, blue


def distinct_colors(count: int) -> tuple[Color, ...]:
    """Return colors that can be told apart, always the same ones and in the same order."""
    further = (colorsys.hsv_to_rgb((index * _GOLDEN_RATIO) % 1.0, 0.55, 0.95) for index in range(count))
    return (*_DISTINCT, *further)[:count]
