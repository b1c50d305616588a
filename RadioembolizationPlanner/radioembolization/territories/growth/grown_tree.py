"""Synthetic arterial trees: grown inside any liver by constrained constructive optimization."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from radioembolization.errors import LiverInPieces, TerritoryError
from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.territories.growth.branch_names import Namer
from radioembolization.territories.growth.couinaud import couinaud_segments
from radioembolization.territories.growth.filling import fill_room, relax_room
from radioembolization.territories.growth.growing_branches import Branches
from radioembolization.territories.growth.room import Room, largest_piece
from radioembolization.territories.growth.trunk import (
    ROOT,
    SEGMENT_PARENTS,
    SIDE_BRANCHES,
    TRUNKS,
    add_side_branches,
    grow_trunk,
    guessed_hilum,
    hilum_of_inlet,
    segment_branch,
)

#: Least tissue of an end [mL] and [voxels]; more ends do not fit.
_LEAST_ML, _LEAST_VOXELS = 0.25, 8
#: A liver of several pieces is refused if the largest has less than this share, and warned of otherwise.
_ONE_PIECE = 0.9
#: Radius of the proper hepatic artery [mm], a usual size.
ROOT_RADIUS_MM = 2.5


def grow_tree(
    liver: np.ndarray,
    grid: Grid,
    *,
    seed: int,
    inlet_lps_mm: tuple[float, float, float] | np.ndarray | None = None,
    terminals: int = 64,
    exponent: float = 3.0,
    segments: np.ndarray | None = None,
    root_radius_mm: float = ROOT_RADIUS_MM,
    by_volume: bool = False,
    organs: Mapping[str, np.ndarray] | None = None,
    reach_mm: float = 40.0,
) -> ArterialTree:
    """Grow a plausible, labelled arterial tree that belongs to no patient.

    The proper hepatic artery, its named branches and one artery for each Couinaud segment come first; inside
    each segment branches grow by ``fill_room``.  Radii follow Murray's law, ``r^exponent`` proportional to
    flow.  The same seed gives the same tree.

    Parameters
    ----------
    liver : ndarray (z, y, x) of bool
    grid : Grid
        Its directions must be those of the patient (LPS), unless segments and inlet are given.
    seed : int
        Not negative.
    inlet_lps_mm : (3,), optional
        Where the proper hepatic artery begins (x, y, z) [mm]; guessed if left out (``guessed_hilum``).
    terminals : int
        Ends of the tree inside the liver; each segment gets its share by volume, at least one.
    exponent : float
        Murray's.
    segments : ndarray (z, y, x) of int, optional
        Labels 1 to 8; by planes (``couinaud_segments``) if left out.
    root_radius_mm : float
        Of the proper hepatic artery.
    by_volume : bool
        Flow of an end in proportion to the tissue of its segment that is nearest to it, not equal.
    organs : mapping of str to ndarray (z, y, x) of bool, optional
        ``gallbladder`` and ``stomach`` get a cystic and a right gastric artery.
    reach_mm : float
        Greatest distance of an inlet from the liver.

    Raises
    ------
    TerritoryError
        If the liver is empty or in pieces, the inlet is far from it, a number makes no sense or the terminals
        do not fit.
    """
    _check(seed, terminals, exponent, root_radius_mm)
    room, places = _cropped(liver, grid)
    rooms = _segment_rooms(room, None if segments is None else np.asarray(segments)[places])
    shares = _ends_of(rooms, room, terminals)
    middles = {segment: part.nearest(part.places_lps_mm.mean(axis=0)) for segment, part in rooms.items()}
    if inlet_lps_mm is None:
        hilum, inlet = guessed_hilum(room, middles)
    else:
        inlet = np.asarray(inlet_lps_mm, dtype=float)
        hilum = hilum_of_inlet(room, inlet, middles, reach_mm)
    branches = Branches(inlet, owner=0)
    ends = grow_trunk(branches, hilum, room, rooms, middles)
    grown: dict[int, list[int]] = {}
    streams = np.random.default_rng(seed).spawn(8)
    for segment, part in rooms.items():
        tip, rng = ends[segment_branch(segment)], streams[segment - 1]
        grown[segment] = fill_room(branches, tip, part, segment, shares[segment], rng, 2.0 / exponent)
    if by_volume:
        branches.set_flows(_flows_by_volume(branches, rooms, grown))
        for segment, part in rooms.items():
            relax_room(branches, part, segment, shares[segment], 2.0 / exponent)
    given = {name: Room(np.asarray(mask, dtype=bool), grid) for name, mask in (organs or {}).items() if np.any(mask)}
    origins = add_side_branches(branches, ends, given, float(branches.flow[ends[ROOT]]), root_radius_mm)
    arteries = _named(branches, ends, origins, root_radius_mm, exponent)
    return ArterialTree(arteries, source=f"synthetic tree, seed {seed}, {terminals} terminals", synthetic=True)


def _check(seed: int, terminals: int, exponent: float, root_radius_mm: float) -> None:
    if seed < 0 or terminals < 1:
        raise TerritoryError(f"A tree needs a seed of 0 or more and at least 1 terminal, not {seed} and {terminals}.")
    if not (np.isfinite([exponent, root_radius_mm]).all() and exponent > 0 and root_radius_mm > 0):
        raise TerritoryError(
            f"A tree needs a positive exponent and radius of its root, not {exponent:g} and {root_radius_mm:g} mm."
        )


def _cropped(liver: np.ndarray, grid: Grid) -> tuple[Room, tuple[slice, ...]]:
    """Return the room of the liver's largest piece in its box, and where the box lies."""
    liver = np.asarray(liver, dtype=bool)
    if liver.shape != grid.shape or not liver.any():
        raise TerritoryError(
            f"The liver of shape {liver.shape} has {np.count_nonzero(liver)} voxels on a grid of {grid.shape}: give a "
            "mask of that grid that is not empty."
        )
    piece, share = largest_piece(liver)
    if share < _ONE_PIECE:
        raise TerritoryError(
            f"The liver lies in pieces; the largest has {100.0 * share:.0f} % of it: repair the structure, or grow a "
            "tree in each piece with an inlet of its own."
        )
    if share < 1.0:
        warnings.warn(
            LiverInPieces(
                f"{100.0 * (1.0 - share):.1f} % of the liver is not connected to the rest and gets no arteries."
            ),
            stacklevel=3,
        )
    return Room.around(piece, grid), ndimage.find_objects(piece.astype(np.uint8))[0]


def _segment_rooms(liver: Room, labels: np.ndarray | None) -> dict[int, Room]:
    """Return the largest piece of every segment; liver without a label counts to the nearest segment."""
    labels = couinaud_segments(liver.mask, liver.grid) if labels is None else labels
    labels = np.where(liver.mask & np.isin(labels, list(SEGMENT_PARENTS)), labels, 0)
    if not labels.any():
        raise TerritoryError("No liver voxel has a segment: give labels 1 to 8 on the grid of the liver.")
    if (liver.mask & (labels == 0)).any():
        nearest = ndimage.distance_transform_edt(
            labels == 0, sampling=liver.grid.spacing_mm, return_distances=False, return_indices=True
        )
        labels = np.where(liver.mask, labels[tuple(nearest)], 0)
    found = [segment for segment in SEGMENT_PARENTS if (labels == segment).any()]
    return {segment: Room.around(largest_piece(labels == segment)[0], liver.grid) for segment in found}


def _ends_of(rooms: Mapping[int, Room], liver: Room, terminals: int) -> dict[int, int]:
    """Return the ends in every segment, by volume, at least one each; they add up to the terminals."""
    fit = {s: int(min(r.volume_ml / _LEAST_ML, len(r.places_lps_mm) / _LEAST_VOXELS)) for s, r in rooms.items()}
    if terminals > sum(fit.values()) or min(fit.values()) < 1:
        raise TerritoryError(
            f"{terminals} terminals do not fit into a liver of {liver.volume_ml:.1f} mL and {len(liver.places_lps_mm)} "
            f"voxels: ask for {sum(fit.values())} at most, with at least one in each of its {len(rooms)} segments."
        )
    if terminals < len(rooms):
        raise TerritoryError(f"{len(rooms)} segments need at least {len(rooms)} terminals, not {terminals}.")
    volume = np.array([rooms[segment].volume_ml for segment in rooms])
    count = np.ones(len(rooms), dtype=int)
    for _ in range(terminals - len(rooms)):  # each to the segment with the most tissue for one
        count[np.argmax(volume / (count + 0.5))] += 1
    return {segment: int(n) for segment, n in zip(rooms, count, strict=True)}


def _flows_by_volume(branches: Branches, rooms: Mapping[int, Room], grown: Mapping[int, list[int]]) -> dict[int, float]:
    """Return the volume of tissue nearest to each end in its segment [mL], at least a voxel."""
    flows: dict[int, float] = {}
    for segment, pieces in grown.items():
        _, nearest = cKDTree(branches.points_mm[pieces]).query(rooms[segment].places_lps_mm)
        voxels = np.maximum(np.bincount(nearest, minlength=len(pieces)), 1)
        flows |= {piece: float(n) * rooms[segment].grid.voxel_ml for piece, n in zip(pieces, voxels, strict=True)}
    return flows


def _named(
    branches: Branches, ends: Mapping[str, int], origins: Mapping[str, int], root_radius_mm: float, exponent: float
) -> tuple[Artery, ...]:
    root_flow = float(branches.flow[branches.children()[0][0]])
    namer = Namer(branches, lambda flow: root_radius_mm * (flow / root_flow) ** (1.0 / exponent))
    arteries = [namer.trunk(ROOT, None, 0, ends[ROOT])]
    for name, parent in TRUNKS.items():
        if name in ends:
            arteries.append(namer.trunk(name, parent, ends[parent], ends[name]))
    for name, origin in origins.items():
        arteries.append(namer.trunk(name, SIDE_BRANCHES[name][1], origin, ends[name]))
    for segment, parent in SEGMENT_PARENTS.items():
        name = segment_branch(segment)
        if name in ends:
            arteries += namer.subtree(name, parent, namer.path(ends[parent], ends[name]))
    return tuple(arteries)
