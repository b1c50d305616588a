"""Separate pieces of a vessel mask are joined where the end of one comes nearest to another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from radioembolization.errors import TerritoryError
from radioembolization.territories.skeleton.thinning import Skeleton

#: Farther pieces that hold more than this share of the volume are an error, not a remark.
_NEGLIGIBLE = 0.05


@dataclass(frozen=True)
class Bridge:
    """The shortest way from the end of one piece to another.

    Parameters
    ----------
    pieces : tuple of int
    points : tuple of int
        The two points of the skeleton that are joined.
    gap_mm : float
        Between the walls [mm].
    """

    pieces: tuple[int, int]
    points: tuple[int, int]
    gap_mm: float


@dataclass(frozen=True, eq=False)
class Joined:
    """The pieces that make up the tree.

    Parameters
    ----------
    pieces : ndarray of int
    bridges : tuple of Bridge
    small_pieces, small_share : int and float
        Pieces that are no vessels, and their share of the volume.
    far_pieces, far_share : int and float
        Vessels beyond wider gaps, and their share of the volume.
    """

    pieces: np.ndarray
    bridges: tuple[Bridge, ...]
    small_pieces: int
    small_share: float
    far_pieces: int
    far_share: float


def join_pieces(skeleton: Skeleton, edges: np.ndarray, *, gap_mm: float, smallest_mm: float) -> Joined:
    """Return which pieces belong to the tree of the largest one, and how they are joined.

    Parameters
    ----------
    skeleton : Skeleton
    edges : ndarray (edges, 2) of int
        Without loops.
    gap_mm : float
        Widest gap that is bridged, from wall to wall [mm].
    smallest_mm : float
        Pieces with shorter centrelines, or thicker than long, are no vessels [mm].

    Raises
    ------
    TerritoryError
        If no piece is elongated, or vessels with 5 % of the volume or more lie beyond wider gaps.
    """
    volume = skeleton.piece_ml / skeleton.piece_ml.sum()
    vessels = _elongated(skeleton, smallest_mm)
    if not len(vessels):
        raise TerritoryError(
            f"The vessel mask holds no elongated vessel: none of its {len(volume)} pieces is longer than thick and has "
            f"a centreline of {smallest_mm:g} mm or more. Choose the mask of the arteries."
        )
    main = int(vessels[np.argmax(volume[vessels])])
    bridges = _bridges(skeleton, edges, vessels)
    short = [bridge for bridge in bridges if bridge.gap_mm <= gap_mm]
    links = sparse.csr_array(
        (np.ones(len(short)), np.array([bridge.pieces for bridge in short]).reshape(-1, 2).T), shape=(len(volume),) * 2
    )
    reached = csgraph.connected_components(links, directed=False)[1]
    together = vessels[reached[vessels] == reached[main]]
    far = np.setdiff1d(vessels, together)
    if volume[far].sum() >= _NEGLIGIBLE:
        outside = [b.gap_mm for b in bridges if (b.pieces[0] in together) != (b.pieces[1] in together)]
        raise TerritoryError(
            f"{len(far)} piece(s) of the vessel mask with {100 * volume[far].sum():.0f} % of its volume are more than "
            f"gap_mm = {gap_mm:g} mm from the rest; the nearest gap is {min(outside, default=np.inf):.1f} mm. Close "
            "the gaps in the mask, raise gap_mm, or remove these pieces."
        )
    small = np.setdiff1d(np.arange(len(volume)), vessels)
    return Joined(
        together,
        tuple(bridge for bridge in short if reached[bridge.pieces[0]] == reached[main]),
        len(small),
        float(volume[small].sum()),
        len(far),
        float(volume[far].sum()),
    )


def _elongated(skeleton: Skeleton, smallest_mm: float) -> np.ndarray:
    """Return the pieces whose skeleton spans more than the thickness and ``smallest_mm``."""
    count = len(skeleton.piece_ml)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, skeleton.piece, skeleton.places_mm)
    np.maximum.at(high, skeleton.piece, skeleton.places_mm)
    thickest = np.zeros(count)
    np.maximum.at(thickest, skeleton.piece, skeleton.depth_mm)
    span = np.linalg.norm(np.maximum(high - low, 0.0), axis=1)
    return np.flatnonzero(span >= np.maximum(smallest_mm, thickest))


def _bridges(skeleton: Skeleton, edges: np.ndarray, vessels: np.ndarray) -> list[Bridge]:
    """Return the spanning tree of the shortest bridges between pieces."""
    degree = np.bincount(edges.ravel(), minlength=len(skeleton.places_mm))
    walls = {int(piece): np.flatnonzero(skeleton.wall_piece == piece) for piece in vessels}
    trees = {piece: cKDTree(skeleton.wall_mm[faces]) for piece, faces in walls.items()}
    shortest: dict[tuple[int, int], Bridge] = {}
    for one, other in permutations(trees, 2):
        ends = np.flatnonzero((skeleton.piece == one) & (degree == 1))
        bridge = _from_ends(skeleton, one, other, ends, trees)
        pair = (min(one, other), max(one, other))
        if bridge and (pair not in shortest or bridge.gap_mm < shortest[pair].gap_mm):
            shortest[pair] = bridge
    if not shortest:
        return []
    pairs = np.array(list(shortest))
    lengths = np.array([bridge.gap_mm for bridge in shortest.values()]) + 1e-6
    graph = sparse.csr_array((lengths, pairs.T), shape=(len(skeleton.piece_ml),) * 2)
    kept = csgraph.minimum_spanning_tree(graph).tocoo()
    return [shortest[min(int(a), int(b)), max(int(a), int(b))] for a, b in zip(kept.row, kept.col, strict=True)]


def _from_ends(skeleton: Skeleton, one: int, other: int, ends: np.ndarray, trees: dict[int, cKDTree]) -> Bridge | None:
    """Return the shortest way from the wall around the ends of one piece to another piece."""
    reach = 2.0 * skeleton.depth_mm[ends] + 2.0 * skeleton.step_mm
    best: Bridge | None = None
    members = np.flatnonzero(skeleton.piece == other)
    for end, faces in zip(ends, trees[one].query_ball_point(skeleton.places_mm[ends], reach), strict=True):
        if not faces:
            continue
        gaps, nearest = trees[other].query(trees[one].data[faces])
        at = int(np.argmin(gaps))
        if best is None or gaps[at] < best.gap_mm:
            landing = trees[other].data[nearest[at]]
            arrival = members[np.argmin(np.linalg.norm(skeleton.places_mm[members] - landing, axis=1))]
            best = Bridge((one, other), (int(end), int(arrival)), float(gaps[at]))
    return best
