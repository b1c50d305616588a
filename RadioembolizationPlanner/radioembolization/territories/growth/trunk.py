"""The named arteries of a synthetic tree: from the inlet to the segments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from radioembolization.errors import TerritoryError
from radioembolization.territories.growth.growing_branches import Branches
from radioembolization.territories.growth.room import Room

ROOT = "proper hepatic"
#: Every named artery with its parent; those to the segments follow in ``SEGMENT_PARENTS``.
TRUNKS: dict[str, str] = {
    "left hepatic": ROOT,
    "middle hepatic": ROOT,
    "right hepatic": ROOT,
    "right anterior": "right hepatic",
    "right posterior": "right hepatic",
}
SEGMENT_PARENTS = {
    1: "left hepatic",
    2: "left hepatic",
    3: "left hepatic",
    4: "middle hepatic",
    5: "right anterior",
    8: "right anterior",
    6: "right posterior",
    7: "right posterior",
}
#: Arteries to other organs: the organ, the artery they leave, and their flow relative to that of the liver.
SIDE_BRANCHES = {"right gastric": ("stomach", ROOT, 0.04), "cystic": ("gallbladder", "right hepatic", 0.015)}
#: How far an artery goes towards the middle of its segments; the rest is for their own branches.
_REACH = {"left hepatic": 0.5, "middle hepatic": 0.5, "right hepatic": 0.3, "right anterior": 0.5}
_REACH |= {"right posterior": 0.5, "inlet inside": 0.15}
#: The segment's own growth starts where the way to its middle stays inside it, after this share of the way.
_LEAST_TRUNK, _WAY_STEP_MM = 0.25, 1.0
_INLET_MM, _SMOOTHING_MM, _FACING_DOWN = (20.0, 15.0, 10.0, 30.0), 5.0, -0.3
#: Share of liver around a voxel of the outer surface; walls of vessels inside have more around them.
_OUTER = 0.65


def segment_branch(segment: int) -> str:
    """Return the name of the artery of a segment."""
    return f"segment {segment} branch"


def downstream_segments(name: str) -> tuple[int, ...]:
    """Return the segments that a named artery feeds."""
    if name == ROOT:
        return tuple(sorted(SEGMENT_PARENTS))
    below = [child for child, parent in TRUNKS.items() if parent == name]
    own = [segment for segment, parent in SEGMENT_PARENTS.items() if parent == name]
    return tuple(sorted(own + [segment for child in below for segment in downstream_segments(child)]))


def guessed_hilum(liver: Room, middles: Mapping[int, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return where vessels are guessed to enter the liver, and an inlet outside (x, y, z) in LPS [mm].

    The place on the surface that faces the feet from which vessels to the middles of all segments have the
    least volume; the inlet lies up to 20 mm in front of it.
    """
    sigma = [_SMOOTHING_MM / spacing for spacing in liver.grid.spacing_mm]
    smooth = ndimage.gaussian_filter(liver.mask.astype(np.float32), sigma, mode="constant", truncate=2.5)
    surface = np.argwhere(liver.mask & ~ndimage.binary_erosion(liver.mask) & (smooth < _OUTER))
    slope = np.stack([axis[tuple(surface.T)] for axis in np.gradient(smooth, *liver.grid.spacing_mm)], axis=1)
    outward = -slope[:, ::-1] @ liver.grid.direction_matrix.T
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    places = liver.grid.to_lps(surface)
    effort = sum(np.linalg.norm(places - middle, axis=1) for middle in middles.values())
    effort = np.where(outward[:, 2] < _FACING_DOWN, effort, np.inf)
    best = int(np.argmin(effort if np.isfinite(effort).any() else -outward[:, 2]))
    for distance in _INLET_MM:
        inlet = places[best] + distance * outward[best]
        if not liver.contains(inlet):
            break
    return places[best], inlet


def hilum_of_inlet(
    liver: Room, inlet_lps_mm: np.ndarray, middles: Mapping[int, np.ndarray], reach_mm: float
) -> np.ndarray:
    """Return where the root of a given inlet ends: the nearest liver voxel, or a little inwards if it lies inside.

    Raises
    ------
    TerritoryError
        If the inlet is farther than the reach from the liver.
    """
    nearest = liver.nearest(inlet_lps_mm)
    away = float(np.linalg.norm(nearest - inlet_lps_mm))
    if not away <= reach_mm:
        raise TerritoryError(
            f"The inlet {_words(inlet_lps_mm)} lies {away:.0f} mm from the liver, more than {reach_mm:g} mm: give a "
            f"position (x, y, z) in LPS [mm] at the porta hepatis; the nearest liver is at {_words(nearest)}."
        )
    if not liver.contains(inlet_lps_mm):
        return nearest
    aim = np.mean(list(middles.values()), axis=0)
    return liver.nearest(inlet_lps_mm + _REACH["inlet inside"] * (aim - inlet_lps_mm))


def _words(position: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:.0f}" for value in position) + ")"


def grow_trunk(
    branches: Branches, hilum_mm: np.ndarray, liver: Room, rooms: Mapping[int, Room], middles: Mapping[int, np.ndarray]
) -> dict[str, int]:
    """Grow the named arteries to the segments that there are; return the end of each."""
    ends = {ROOT: branches.add(_way(liver, branches.points_mm[0], hilum_mm), 0, 0, flow=0.0)}
    for name, parent in TRUNKS.items():
        fed = [segment for segment in downstream_segments(name) if segment in rooms]
        if fed:
            start = branches.points_mm[ends[parent]]
            aim = np.mean([middles[segment] for segment in fed], axis=0)
            way = _way(liver, start, liver.nearest(start + _REACH[name] * (aim - start)))
            ends[name] = branches.add(way, ends[parent], 0, flow=0.0)
    for segment, room in rooms.items():
        start = ends[SEGMENT_PARENTS[segment]]
        way = _entering(_way(liver, branches.points_mm[start], middles[segment]), room)
        ends[segment_branch(segment)] = branches.add(way, start, 0, flow=0.0)
    return ends


def add_side_branches(
    branches: Branches, ends: dict[str, int], organs: Mapping[str, Room], flow: float, radius_mm: float
) -> dict[str, int]:
    """Add straight arteries to gallbladder and stomach, if they are given; return the end and the origin of each."""
    origins = {}
    for name, (organ, parent, share) in SIDE_BRANCHES.items():
        if organ in organs and parent in ends:
            origin = ends[parent]
            if parent == ROOT and branches.length_mm[origin] > 6.0 * radius_mm:
                before = branches.points_mm[branches.parent[origin]]
                origin = branches.split(origin, (before + branches.points_mm[origin]) / 2.0)
            start = branches.points_mm[origin]
            way = np.stack([start, organs[organ].nearest(start)])
            ends[name] = branches.add(way, origin, 0, flow=share * flow)
            origins[name] = origin
    return origins


def _way(liver: Room, start_mm: np.ndarray, end_mm: np.ndarray) -> np.ndarray:
    """Return a way from a start, which may lie outside, to a place inside the liver (points, 3)."""
    if np.linalg.norm(end_mm - start_mm) < min(liver.grid.spacing_mm):  # an artery needs a length
        ahead = liver.places_lps_mm[np.linalg.norm(liver.places_lps_mm - start_mm, axis=1) > max(liver.grid.spacing_mm)]
        end_mm = ahead[np.argmin(np.linalg.norm(ahead - start_mm, axis=1))]
    way = liver.way(start_mm, end_mm) if liver.contains(start_mm) else np.stack([start_mm, end_mm])
    if way is None:
        raise TerritoryError(
            f"No way through the liver from {_words(start_mm)} to {_words(end_mm)} mm: the liver is too thin there "
            "for its voxels; close gaps in the structure, or choose finer voxels."
        )
    return way


def _entering(way_mm: np.ndarray, room: Room) -> np.ndarray:
    """Cut a way to the middle of a segment where the rest of it lies inside the segment."""
    lengths = np.linalg.norm(np.diff(way_mm, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    steps = np.linspace(0.0, along[-1], 2 + int(along[-1] / _WAY_STEP_MM))
    fine = np.stack([np.interp(steps, along, axis) for axis in way_mm.T], axis=1)
    outside = np.flatnonzero(~room.contains(fine))
    first = 1 + (int(outside[-1]) if len(outside) else 0)
    first = min(max(first, int(np.ceil(_LEAST_TRUNK * (len(fine) - 1)))), len(fine) - 1)
    return np.concatenate([way_mm[along < steps[first] - 1e-9], fine[first][None]])
