"""A small hepatic arterial tree drawn by hand: straight arteries with a point every millimetre."""

from __future__ import annotations

import numpy as np

from radioembolization.territories.arteries import ArterialTree, Artery

#: name: parent, first and last point (x, y, z) [mm], radius [mm]
ARTERIES: dict[str, tuple[str | None, tuple[int, int, int], tuple[int, int, int], float]] = {
    "celiac trunk": (None, (0, 0, 0), (0, 0, 40), 3.0),
    "proper hepatic": ("celiac trunk", (0, 0, 40), (0, 0, 70), 2.5),
    "right gastric": ("proper hepatic", (0, 0, 50), (20, 0, 50), 1.0),
    "right hepatic": ("proper hepatic", (0, 0, 70), (-60, 0, 70), 2.0),
    "left hepatic": ("proper hepatic", (0, 0, 70), (40, 0, 70), 1.6),
    "cystic": ("right hepatic", (-20, 0, 70), (-20, 0, 50), 0.8),
    "segment 7": ("right hepatic", (-40, 0, 70), (-40, 0, 100), 1.2),
    "thin": ("left hepatic", (20, 0, 70), (20, 0, 90), 0.3),
}


def artery(name: str, parent: str | None, first: tuple, last: tuple, radius_mm: float) -> Artery:
    """Return a straight artery with a point every millimetre."""
    steps = round(np.linalg.norm(np.subtract(last, first)))
    return Artery(name, parent, np.linspace(first, last, steps + 1), np.full(steps + 1, radius_mm))


def hepatic_tree(**changes: Artery | None) -> ArterialTree:
    """Return the tree; keywords add arteries."""
    own = [artery(name, *rest) for name, rest in ARTERIES.items()]
    return ArterialTree((*own, *(added for added in changes.values() if added is not None)), source="drawn by hand")
