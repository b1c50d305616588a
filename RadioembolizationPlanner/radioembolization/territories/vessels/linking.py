"""Separate vessels of unknown direction become one rooted arterial tree."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.errors import ArterialTreeError, ArteriesJoined, ArteriesTouchTwice
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.territories.vessels.joints import (
    Joint,
    end_joints,
    second_touches,
    spanning_joints,
)
from radioembolization.territories.vessels.root import find_root
from radioembolization.territories.vessels.vessel import Vessel, check_vessels

#: Gaps below this [mm] are not worth a notice.
NOTED_GAP_MM = 0.1
#: Longest step between the points at which a branch may leave [mm].
STEP_MM = 0.5


def link_vessels(
    vessels: Sequence[Vessel],
    *,
    root: str | Sequence[float] | None = None,
    gap_mm: float = 5.0,
    source: str = "",
) -> ArterialTree:
    """Join separate vessels to one tree with the flow away from the root.

    Vessels are joined where the end of one comes nearest to any point of another, wall to wall; the joints are
    those of the minimum spanning tree. An artery begins with the point of its parent at which it leaves. A vessel
    that its parent meets in the middle is split there in two: its name goes to the longer part, the name with
    " (2)" to the other.

    Parameters
    ----------
    vessels : sequence of Vessel
        Arteries only.
    root : str, position or None
        Name of the vessel that feeds all, or a place (x, y, z) near its beginning in LPS [mm]. By default the
        vessel whose name says it (aorta, celiac trunk, common, proper hepatic, hepatic artery, in this order),
        else that with the thickest free end, with a warning.
    gap_mm : float
        Widest gap between the walls of two vessels that is bridged.
    source : str
        Where the vessels come from, in words.

    Raises
    ------
    ArterialTreeError
        If there is no vessel, names repeat, a gap is too wide, the root is unknown, or the size is not one in mm.

    Warns
    -----
    ArteriesJoined
        If gaps were bridged.
    ArteriesTouchTwice
        If vessels meet again elsewhere; that second way is ignored.
    ArterialRootAssumed
        If the root is a guess.
    """
    if not (np.isfinite(gap_mm) and gap_mm >= 0):
        raise ArterialTreeError(f"The widest gap must be a length of zero or more, not {gap_mm:g} mm.")
    check_vessels(vessels)
    dense = [_dense(vessel) for vessel in vessels]
    lines = [one.vessel for one in dense]
    joints = end_joints(lines)
    chosen = spanning_joints(lines, joints, gap_mm)
    number, inlet = find_root(lines, chosen, root)
    arteries = _Grower(dense, chosen).grow(number, inlet)
    _tell_gaps(lines, chosen)
    _tell_touches(lines, second_touches(lines, joints, chosen))
    return ArterialTree(arteries, source)


@dataclass(frozen=True)
class _Dense:
    """A vessel with points added between its own, and which are its own."""

    vessel: Vessel
    own: np.ndarray


def _dense(vessel: Vessel) -> _Dense:
    along = vessel.along_mm
    steps = np.diff(along)
    parts = np.maximum(np.ceil(steps / STEP_MM).astype(int), 1)
    firsts = np.concatenate([[0], np.cumsum(parts)])
    segment = np.repeat(np.arange(len(parts)), parts)
    share = (np.arange(firsts[-1]) - firsts[segment]) / parts[segment]
    at = np.append(along[segment] + share * steps[segment], along[-1])
    points = np.stack([np.interp(at, along, axis) for axis in vessel.points_lps_mm.T], axis=1)
    radius = np.interp(at, along, vessel.radius_mm)
    own = np.zeros(len(at), dtype=bool)
    own[firsts] = True
    points[own], radius[own] = vessel.points_lps_mm, vessel.radius_mm
    return _Dense(Vessel(vessel.name, points, radius), own)


@dataclass(frozen=True)
class _Piece:
    """Part of a vessel in the direction of flow, and where it leaves its parent (vessel, point)."""

    name: str
    vessel: int
    points: np.ndarray
    parent: str | None
    leaves: tuple[int, int] | None


class _Grower:
    """Follows the joints from the root and notes the pieces that become arteries."""

    def __init__(self, dense: Sequence[_Dense], joints: Sequence[Joint]) -> None:
        self.dense, self.joints = dense, joints
        self.vessels = [one.vessel for one in dense]
        self.names = {vessel.name for vessel in self.vessels}
        self.pieces: list[_Piece] = []

    def grow(self, root: int, inlet: int) -> tuple[Artery, ...]:
        """Return the arteries, the root first."""
        self._enter(root, inlet, None, None)
        waiting, known = deque([root]), {root}
        while waiting:
            number = waiting.popleft()
            for joint in self.joints:
                child = {joint.vessel: joint.other, joint.other: joint.vessel}.get(number)
                if child is not None and child not in known:
                    self._join(number, child, joint)
                    known.add(child)
                    waiting.append(child)
        return tuple(self._artery(piece) for piece in self.pieces)

    def _join(self, parent: int, child: int, joint: Joint) -> None:
        vessel, above = self.vessels[child], self.vessels[parent]
        entry, point = joint.on(child), joint.on(parent)
        end = _near_end(vessel, entry, above.radius_mm[point])
        piece = next(one for one in self.pieces if one.vessel == parent and point in one.points)
        start = entry if end is None else end
        if piece.leaves is not None and _at_start(above, piece.points, point):
            self._enter(child, start, piece.parent, piece.leaves)  # both leave at one place
        else:
            self._enter(child, start, piece.name, (parent, point))

    def _enter(self, number: int, entry: int, parent: str | None, leaves: tuple[int, int] | None) -> None:
        vessel, last = self.vessels[number], len(self.vessels[number].radius_mm) - 1
        onward, back = np.arange(entry, last + 1), np.arange(entry, -1, -1)
        along = vessel.along_mm
        if along[last] - along[entry] < along[entry]:
            onward, back = back, onward
        self.pieces.append(_Piece(vessel.name, number, onward, parent, leaves))
        if len(back) > 1:
            self.pieces.append(_Piece(self._second(vessel.name), number, back, parent, leaves))

    def _second(self, name: str) -> str:
        number = 2
        while f"{name} ({number})" in self.names:
            number += 1
        self.names.add(f"{name} ({number})")
        return f"{name} ({number})"

    def _artery(self, piece: _Piece) -> Artery:
        vessel = self.vessels[piece.vessel]
        leaving = [one.leaves[1] for one in self.pieces if one.leaves and one.leaves[0] == piece.vessel]
        kept = piece.points[
            self.dense[piece.vessel].own[piece.points] | np.isin(piece.points, [*leaving, piece.points[0]])
        ]
        points, radius = vessel.points_lps_mm[kept], vessel.radius_mm[kept]
        if piece.leaves is not None:
            origin = self.vessels[piece.leaves[0]].points_lps_mm[piece.leaves[1]]
            if np.linalg.norm(points[0] - origin) > 1e-6:
                points, radius = np.vstack([origin, points]), np.concatenate([radius[:1], radius])
        return Artery(piece.name, piece.parent, points, radius)


def _at_start(vessel: Vessel, points: np.ndarray, point: int) -> bool:
    """Return whether a point lies within one radius of the first of a piece, and in its first half."""
    along = np.abs(vessel.along_mm - vessel.along_mm[points[0]])
    return bool(along[point] <= min(float(vessel.radius_mm[point]), 0.5 * float(along[points[-1]])))


def _near_end(vessel: Vessel, point: int, radius_mm: float) -> int | None:
    """Return the end within two radii of a point along the vessel, or None in its middle."""
    along, last = vessel.along_mm, len(vessel.radius_mm) - 1
    end = 0 if along[point] <= along[last] / 2 else last
    return end if abs(along[point] - along[end]) <= 2.0 * max(float(vessel.radius_mm[point]), radius_mm) else None


def _tell_gaps(vessels: Sequence[Vessel], joints: Sequence[Joint]) -> None:
    bridged = sorted((joint for joint in joints if joint.gap_mm > NOTED_GAP_MM), key=lambda joint: -joint.gap_mm)
    if bridged:
        told = ", ".join(f"{vessels[j.vessel].name} to {vessels[j.other].name} {j.gap_mm:.1f} mm" for j in bridged)
        warnings.warn(ArteriesJoined(f"Gaps between vessels (wall to wall) were bridged: {told}."), stacklevel=3)


def _tell_touches(vessels: Sequence[Vessel], joints: Sequence[Joint]) -> None:
    if joints:
        told = "; ".join(
            f"{vessels[j.vessel].name} meets {vessels[j.other].name} at "
            f"({', '.join(f'{value:.1f}' for value in vessels[j.other].points_lps_mm[j.point])})"
            for j in joints
        )
        warnings.warn(
            ArteriesTouchTwice(f"Vessels meet a second time, which would make a circle and is ignored: {told}."),
            stacklevel=3,
        )
