"""The vessel that feeds all others, and the end at which the blood comes in."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

import numpy as np

from radioembolization.errors import ArterialRootAssumed, ArterialTreeError
from radioembolization.territories.vessels.joints import Joint
from radioembolization.territories.vessels.vessel import Vessel, in_words

#: Names that say which vessel is the root, the more proximal first.
ROOT_NAMES = (
    r"\baorta",
    r"\bco?eliac|\bcoeliac|truncus c",
    r"common hepatic|hepatica communis",
    r"proper hepatic|hepatica propria",
    r"hepatic artery|arteria hepatica",
)
_BRANCH = re.compile(r"\b(left|right|middle|segment\w*|accessory|replaced|dextra|sinistra|media)\b")
#: An end this many times as thick as the other is where the blood comes in.
CLEARLY_THICKER = 1.25
#: A stated root position farther from every end is a mistake [mm].
FARTHEST_ROOT_MM = 20.0


def find_root(
    vessels: Sequence[Vessel], joints: Sequence[Joint], root: str | Sequence[float] | None
) -> tuple[int, int]:
    """Return the number of the root and the point at which it begins (0 or its last).

    Parameters
    ----------
    vessels : sequence of Vessel
    joints : sequence of Joint
        Those that connect all vessels.
    root : str, position or None
        Name of the root, or a place near its beginning (x, y, z) in LPS [mm]; None looks for the names of
        ``ROOT_NAMES`` and else takes the thickest free end, with a warning.

    Raises
    ------
    ArterialTreeError
        If no vessel has the stated name, or none ends near the stated place.
    """
    if isinstance(root, str):
        return _named(vessels, joints, root)
    if root is not None:
        return _placed(vessels, np.asarray(root, dtype=float))
    for pattern in ROOT_NAMES:
        fitting = [i for i, vessel in enumerate(vessels) if _fits(pattern, vessel.name)]
        if fitting:
            number = max(fitting, key=lambda i: float(np.median(vessels[i].radius_mm)))
            return number, _inlet(vessels, joints, number)
    return _thickest(vessels, joints)


def _fits(pattern: str, name: str) -> bool:
    words = in_words(name)
    return re.search(pattern, words) is not None and not _BRANCH.search(words)


def _named(vessels: Sequence[Vessel], joints: Sequence[Joint], root: str) -> tuple[int, int]:
    fitting = [i for i, vessel in enumerate(vessels) if vessel.name == root]
    fitting = fitting or [i for i, vessel in enumerate(vessels) if in_words(vessel.name) == in_words(root)]
    if len(fitting) != 1:
        names = ", ".join(vessel.name for vessel in vessels)
        raise ArterialTreeError(f"The root '{root}' is no vessel: use one of {names}.")
    return fitting[0], _inlet(vessels, joints, fitting[0])


def _placed(vessels: Sequence[Vessel], place: np.ndarray) -> tuple[int, int]:
    if place.shape != (3,) or not np.isfinite(place).all():
        raise ArterialTreeError(f"The root must be a name or a position (x, y, z) in LPS mm, not {place.tolist()}.")
    ends = [(i, end) for i, vessel in enumerate(vessels) for end in (0, len(vessel.radius_mm) - 1)]
    away = [float(np.linalg.norm(vessels[i].points_lps_mm[end] - place)) for i, end in ends]
    nearest = int(np.argmin(away))
    if away[nearest] > FARTHEST_ROOT_MM:
        raise ArterialTreeError(
            f"The root position ({', '.join(f'{value:.1f}' for value in place)}) is {away[nearest]:.1f} mm from the "
            f"nearest end of a vessel ('{vessels[ends[nearest][0]].name}'), farther than {FARTHEST_ROOT_MM:g} mm: "
            "place it at the end where the blood comes in (LPS mm)."
        )
    return ends[nearest]


def _inlet(vessels: Sequence[Vessel], joints: Sequence[Joint], number: int) -> int:
    """Return the end of the root where the blood comes in.

    That is the only one at which no other vessel leaves; else the one that is clearly thicker; else the one that is
    farther from where others leave.
    """
    vessel, last = vessels[number], len(vessels[number].radius_mm) - 1
    first_mm, last_mm = vessel.end_radius_mm(0), vessel.end_radius_mm(last)
    along = vessel.along_mm
    leaving = [along[joint.on(number)] for joint in joints if number in (joint.vessel, joint.other)] or [along[-1] / 2]
    from_first, from_last = min(leaving), along[-1] - max(leaving)
    if (from_first <= 2 * first_mm) != (from_last <= 2 * last_mm):
        return last if from_first <= 2 * first_mm else 0
    if max(first_mm, last_mm) > CLEARLY_THICKER * min(first_mm, last_mm):
        return 0 if first_mm > last_mm else last
    return last if from_last > from_first else 0


def _thickest(vessels: Sequence[Vessel], joints: Sequence[Joint]) -> tuple[int, int]:
    taken = {(number, joint.on(number)) for joint in joints for number in (joint.vessel, joint.other)}
    ends = [(i, end) for i, vessel in enumerate(vessels) for end in (0, len(vessel.radius_mm) - 1)]
    free = [end for end in ends if end not in taken] or ends
    number, end = max(free, key=lambda one: vessels[one[0]].end_radius_mm(one[1]))
    if len(vessels) > 1:
        warnings.warn(
            ArterialRootAssumed(
                f"No root of the arterial tree is stated and no name says it: taken is '{vessels[number].name}', which "
                f"has the thickest free end (radius {vessels[number].end_radius_mm(end):.1f} mm). State root if "
                "another vessel feeds the liver."
            ),
            stacklevel=4,
        )
    return number, end
