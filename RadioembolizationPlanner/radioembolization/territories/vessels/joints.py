"""Where separate vessels come nearest to each other, and which of these places join them to one tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial.distance import cdist

from radioembolization.errors import ArterialTreeError
from radioembolization.territories.vessels.vessel import Vessel

#: Weight of the distance between centrelines where walls meet, so that of several the nearest centreline counts.
NEARER_CENTRE = 1e-3


@dataclass(frozen=True)
class Joint:
    """An end of one vessel at a point of another.

    Parameters
    ----------
    vessel, end : int
        The vessel whose end it is, and the point there (0 or the last).
    other, point : int
        The vessel it comes to, and the point of it.
    distance_mm, gap_mm : float
        Between the two points, and between the walls there (0 where they meet).
    """

    vessel: int
    end: int
    other: int
    point: int
    distance_mm: float
    gap_mm: float

    @property
    def cost_mm(self) -> float:
        """What the spanning tree keeps small [mm]; positive, as a sparse matrix knows no edge of length zero."""
        return self.gap_mm + NEARER_CENTRE * self.distance_mm + 1e-9

    def on(self, vessel: int) -> int:
        """Return the point of one of its two vessels."""
        return self.end if vessel == self.vessel else self.point


def end_joints(vessels: Sequence[Vessel]) -> list[Joint]:
    """Return for each end of each vessel the nearest place on every other vessel."""
    ends = [(number, end) for number, vessel in enumerate(vessels) for end in (0, len(vessel.radius_mm) - 1)]
    places = np.array([vessels[number].points_lps_mm[end] for number, end in ends])
    radii = np.array([vessels[number].radius_mm[end] for number, end in ends])
    found = []
    for other, vessel in enumerate(vessels):
        away = cdist(places, vessel.points_lps_mm)
        gaps = np.maximum(away - vessel.radius_mm - radii[:, None], 0.0)
        nearest = np.argmin(gaps + NEARER_CENTRE * away, axis=1)
        for row, (number, end) in enumerate(ends):
            if number != other:
                point = int(nearest[row])
                found.append(Joint(number, end, other, point, float(away[row, point]), float(gaps[row, point])))
    return found


def spanning_joints(vessels: Sequence[Vessel], joints: Sequence[Joint], gap_mm: float) -> list[Joint]:
    """Return the joints that connect all vessels with the smallest gaps in sum.

    Raises
    ------
    ArterialTreeError
        If a vessel can only be reached across a gap wider than `gap_mm`.
    """
    best: dict[tuple[int, int], Joint] = {}
    for joint in joints:
        pair = (min(joint.vessel, joint.other), max(joint.vessel, joint.other))
        if pair not in best or joint.cost_mm < best[pair].cost_mm:
            best[pair] = joint
    if not best:
        return []
    rows, columns = np.array(list(best)).T
    costs = [joint.cost_mm for joint in best.values()]
    tree = minimum_spanning_tree(csr_array((costs, (rows, columns)), shape=(len(vessels), len(vessels)))).tocoo()
    chosen = [best[int(row), int(column)] for row, column in zip(tree.row, tree.col, strict=True)]
    wide = [joint for joint in chosen if joint.gap_mm > gap_mm]
    if wide:
        worst = max(wide, key=lambda joint: joint.gap_mm)
        raise ArterialTreeError(
            f"Vessel '{vessels[worst.vessel].name}' ends {worst.gap_mm:.1f} mm (wall to wall) from the nearest vessel "
            f"'{vessels[worst.other].name}', more than the {gap_mm:g} mm that are bridged; so there are "
            f"{len(wide) + 1} separate trees. Give the vessel between them, leave those of another root out, or state "
            "a larger gap_mm."
        )
    return sorted(chosen, key=lambda joint: (joint.vessel, joint.other))


def second_touches(vessels: Sequence[Vessel], joints: Sequence[Joint], chosen: Sequence[Joint]) -> list[Joint]:
    """Return the places where the wall of a vessel's free end meets a vessel that is far away along the tree."""
    used = {(joint.vessel, joint.end) for joint in chosen}
    touching = [joint for joint in joints if joint.gap_mm <= 0 and (joint.vessel, joint.end) not in used]
    if not touching:
        return []
    starts = np.concatenate([[0], np.cumsum([len(vessel.radius_mm) for vessel in vessels])])
    ends = sorted({int(starts[joint.vessel]) + joint.end for joint in touching})
    paths = dijkstra(_points_graph(vessels, chosen, starts), directed=False, indices=ends)
    found = []
    for joint in touching:
        reach = vessels[joint.vessel].radius_mm[joint.end] + vessels[joint.other].radius_mm[joint.point]
        path = paths[ends.index(int(starts[joint.vessel]) + joint.end), int(starts[joint.other]) + joint.point]
        if path > 4.0 * reach + joint.distance_mm:
            found.append(joint)
    return found


def _points_graph(vessels: Sequence[Vessel], chosen: Sequence[Joint], starts: np.ndarray) -> csr_array:
    """Return the lengths [mm] between neighbouring points of all vessels, and across the joints."""
    rows, columns, lengths = [], [], []
    for start, vessel in zip(starts, vessels, strict=False):
        numbers = int(start) + np.arange(len(vessel.radius_mm))
        rows.append(numbers[:-1])
        columns.append(numbers[1:])
        lengths.append(np.diff(vessel.along_mm))
    for joint in chosen:
        rows.append(np.array([starts[joint.vessel] + joint.end]))
        columns.append(np.array([starts[joint.other] + joint.point]))
        lengths.append(np.array([joint.distance_mm]))
    size = int(starts[-1])
    entries = (np.concatenate(lengths) + 1e-9, (np.concatenate(rows), np.concatenate(columns)))
    return coo_array(entries, shape=(size, size)).tocsr()
