"""One vessel as it comes from a file: a centreline with radii whose direction and parent are not known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.errors import ArterialTreeError
from radioembolization.territories.artery import checked_centreline, distances_along_mm

#: Extent of a whole tree [mm] outside of which its coordinates are hardly millimetres.
SMALLEST_EXTENT_MM, LARGEST_EXTENT_MM = 5.0, 2000.0
#: Words by which a vessel is no artery.
VEIN_WORDS = ("vein", "vena", "veine", "vene", "venous", "portal", "porta", "cava")


@dataclass(frozen=True, eq=False)
class Vessel:
    """A centreline of unknown direction.

    Parameters
    ----------
    name : str
    points_lps_mm : ndarray (points, 3)
        From one end to the other, (x, y, z) in LPS [mm].
    radius_mm : ndarray (points,)

    Raises
    ------
    ArterialTreeError
        If points and radii do not fit, are no numbers, a radius is not positive, or the length is zero.
    """

    name: str
    points_lps_mm: np.ndarray
    radius_mm: np.ndarray

    def __post_init__(self) -> None:
        points, radius = checked_centreline(f"Vessel '{self.name}'", self.points_lps_mm, self.radius_mm)
        object.__setattr__(self, "points_lps_mm", points)
        object.__setattr__(self, "radius_mm", radius)

    @property
    def along_mm(self) -> np.ndarray:
        """Distance of every point from the first one along the centreline (points,) [mm]."""
        return distances_along_mm(self.points_lps_mm)

    @property
    def length_mm(self) -> float:
        """Length of the centreline [mm]."""
        return float(self.along_mm[-1])

    def end_radius_mm(self, end: int) -> float:
        """Return the median radius within 5 mm of an end (0 or the last point) [mm]."""
        along = self.along_mm
        return float(np.median(self.radius_mm[np.abs(along - along[end]) <= 5.0]))


def in_words(name: str) -> str:
    """Return a name in lower case with blanks between its words."""
    return re.sub(r"[\s_\-.]+", " ", name).strip().lower()


def is_vein(name: str) -> bool:
    """Return whether the words of a name say that it is no artery."""
    return any(word.strip("()") in VEIN_WORDS for word in in_words(name).split())


def check_vessels(vessels: Sequence[Vessel]) -> None:
    """Refuse an empty list, repeated names, and coordinates that are hardly millimetres.

    Raises
    ------
    ArterialTreeError
    """
    if not vessels:
        raise ArterialTreeError("There is no artery to build a tree of: give at least one centreline.")
    names = [vessel.name for vessel in vessels]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ArterialTreeError(f"Vessels must have names of their own: rename {', '.join(repeated)}.")
    extent = float(np.ptp(np.concatenate([vessel.points_lps_mm for vessel in vessels]), axis=0).max())
    if not SMALLEST_EXTENT_MM <= extent <= LARGEST_EXTENT_MM:
        unit = "metres" if extent < SMALLEST_EXTENT_MM else "micrometres, or those of a GLB file millimetres"
        raise ArterialTreeError(
            f"The whole arterial tree ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''}) is {extent:.3g} mm "
            f"large: are its coordinates {unit}? Give them in millimetres."
        )
