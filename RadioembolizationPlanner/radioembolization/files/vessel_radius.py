"""The radius of a centreline that states none."""

from __future__ import annotations

import warnings

import numpy as np

from radioembolization.errors import ArterialTreeError, AssumedArteryRadius


def radius_or_assumed(radius: np.ndarray | None, count: int, radius_mm: float | None, what: str) -> np.ndarray:
    """Return the radii as read, or a stated one for every point (points,) [mm].

    Raises
    ------
    ArterialTreeError
        If there are none and none is stated.

    Warns
    -----
    AssumedArteryRadius
        If the stated one is taken.
    """
    if radius is not None:
        return np.asarray(radius, dtype=float)
    if radius_mm is None:
        raise ArterialTreeError(
            f"The {what} state no radius: give them with one, or state a radius for all (radius_mm)."
        )
    if not (np.isfinite(radius_mm) and radius_mm > 0):
        raise ArterialTreeError(f"The radius stated for {what} must be positive, not {radius_mm:g} mm.")
    warnings.warn(
        AssumedArteryRadius(f"The {what} state no radius: {radius_mm:g} mm was taken as stated."), stacklevel=3
    )
    return np.full(count, float(radius_mm))
