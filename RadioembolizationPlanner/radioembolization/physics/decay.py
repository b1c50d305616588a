"""Decay of an activity between two times."""

from __future__ import annotations

import math

from radioembolization.physics.nuclide import Nuclide


def decay_factor(nuclide: Nuclide, elapsed_h: float) -> float:
    """Return the activity left after a time, as a fraction.

    Parameters
    ----------
    nuclide : Nuclide
    elapsed_h : float
        Time since the activity was stated [h]; negative to go back to an earlier time.

    Returns
    -------
    float
        ``exp(-ln 2 * elapsed / half-life)``.
    """
    return math.exp(-math.log(2.0) * elapsed_h / nuclide.half_life_h)
