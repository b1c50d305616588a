"""The radius of the artery that a site lies in, as a catheter meets it."""

from __future__ import annotations

from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.tree_point import TreePoint, nearest_point

#: A site farther from every artery lies in none [mm].
_IN_ARTERY_MM = 1.0


def artery_at(tree: ArterialTree | None, position_lps_mm: tuple[float, float, float] | None) -> TreePoint | None:
    """Return the point of an artery that a site lies on; None where there is no tree, no position, or none is near."""
    if tree is None or position_lps_mm is None:
        return None
    found = nearest_point(tree, position_lps_mm)
    return found if found.distance_mm <= _IN_ARTERY_MM else None


def radius_at_mm(tree: ArterialTree, point: TreePoint) -> float:
    """Return the radius of the artery at a site [mm].

    In the first third of a stretch, where candidates lie, that of the stretch, which is compared with the smallest
    radius for a catheter: single points near an end may be drawn too thin.  Farther on it is that of the point.
    """
    number = tree.stretch_at(point.artery, point.index)
    stretch, along_mm = tree.stretches[number], tree.artery(point.artery).along_mm
    start, end = along_mm[[stretch.first, stretch.last]]
    near_origin = point.along_mm <= start + (end - start) / 3
    return max(point.radius_mm, tree.stretch_radius_mm(number)) if near_origin else point.radius_mm
