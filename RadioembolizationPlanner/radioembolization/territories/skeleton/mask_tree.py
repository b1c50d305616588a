"""A vessel mask becomes a rooted arterial tree."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from radioembolization.errors import (
    ArterialRootAssumed,
    ArteriesJoined,
    TerritoryError,
    VesselLoopsBroken,
    VesselPiecesLeftOut,
)
from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.skeleton.branches import branches_of
from radioembolization.territories.skeleton.forest import Forest, without_loops
from radioembolization.territories.skeleton.gaps import Joined, join_pieces
from radioembolization.territories.skeleton.rooted import Root, arteries_of, lines_of, root_of
from radioembolization.territories.skeleton.thinning import MOST_VOXELS, Skeleton, thinned

_MOST_LISTED = 5


def tree_from_mask(
    mask: np.ndarray,
    grid: Grid,
    *,
    root_lps_mm: Sequence[float] | None = None,
    gap_mm: float = 5.0,
    smallest_mm: float = 3.0,
    source: str = "",
    most_voxels: int = MOST_VOXELS,
) -> ArterialTree:
    """Return the arterial tree of a mask of arteries, as segmented in a contrast CBCT or CT angiography.

    Parameters
    ----------
    mask : ndarray (z, y, x) of bool
    grid : Grid
    root_lps_mm : sequence of 3 floats, optional
        Where the blood comes in (x, y, z); the nearest end is taken. Otherwise the thickest end is.
    gap_mm : float
        Widest gap between pieces of the mask that is bridged [mm].
    smallest_mm : float
        Branches that stand out less from their mother, and shorter pieces, are taken for noise [mm].
    source : str
        Where the mask comes from, for outputs.
    most_voxels : int
        Most voxels that are thinned; larger masks are thinned on coarser voxels.

    Returns
    -------
    ArterialTree
        Every branch between two branchings is an artery of its own: "branch 1", "branch 1.1" and so on.

    Raises
    ------
    TerritoryError
        If a length is negative, the mask is empty, does not fit its grid, holds no elongated vessel, or has
        considerable pieces beyond wider gaps, or if the root is more than 20 mm from the tree.
    MissingPackage
        Without scikit-image.

    Warns
    -----
    VesselLoopsBroken, ArteriesJoined, VesselPiecesLeftOut, ArterialRootAssumed
        With numbers and positions.
    """
    for name, value in (("gap_mm", gap_mm), ("smallest_mm", smallest_mm)):
        if not (np.isfinite(value) and value >= 0):
            raise TerritoryError(f"{name} must be a length of 0 mm or more, not {value:g}.")
    skeleton = thinned(mask, grid, most_voxels=most_voxels)
    forest = without_loops(skeleton)
    joined = join_pieces(skeleton, forest.edges, gap_mm=gap_mm, smallest_mm=smallest_mm)
    edges, places, depth = _bridged(skeleton, forest, joined)
    places_lps = grid.to_lps(places / np.array(grid.spacing_mm))
    _warn_of_loops(forest, joined, skeleton, places_lps)
    _warn_of_pieces(joined, gap_mm, smallest_mm)
    lines = lines_of(branches_of(edges, places, depth, smallest_mm), places, skeleton)
    root = root_of(lines, places_lps, root_lps_mm)
    if root.rival is not None:
        warnings.warn(_rivalry(root, places_lps), ArterialRootAssumed, stacklevel=2)
    words = f"{source or 'a vessel mask'}, {root.in_words}"
    return ArterialTree(arteries_of(lines, root, grid), source=words)


def _bridged(skeleton: Skeleton, forest: Forest, joined: Joined) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return edges, places and depths of one tree, with straight rows of points across the gaps."""
    inside = np.isin(skeleton.piece, joined.pieces)
    edges, places, depth = [forest.edges[inside[forest.edges[:, 0]]]], [skeleton.places_mm], [skeleton.depth_mm]
    count = len(skeleton.places_mm)
    for bridge in joined.bridges:
        start, stop = bridge.points
        steps = max(2, int(np.linalg.norm(skeleton.places_mm[stop] - skeleton.places_mm[start]) / skeleton.step_mm))
        share = np.linspace(0.0, 1.0, steps + 1)[1:-1]
        row = np.array([start, *range(count, count + len(share)), stop])
        edges.append(np.stack([row[:-1], row[1:]], axis=1))
        places.append(np.outer(1 - share, skeleton.places_mm[start]) + np.outer(share, skeleton.places_mm[stop]))
        depth.append((1 - share) * skeleton.depth_mm[start] + share * skeleton.depth_mm[stop])
        count += len(share)
    return np.concatenate(edges), np.concatenate(places), np.concatenate(depth)


def _warn_of_loops(forest: Forest, joined: Joined, skeleton: Skeleton, places_lps_mm: np.ndarray) -> None:
    loops = [(point, length) for point, length in forest.loops if skeleton.piece[point] in joined.pieces]
    if loops:
        listed = "; ".join(
            f"{_at(places_lps_mm[point])}, about {length:.0f} mm round" for point, length in loops[:_MOST_LISTED]
        )
        more = f"; and {len(loops) - _MOST_LISTED} more" if len(loops) > _MOST_LISTED else ""
        warnings.warn(
            f"{len(loops)} loop(s) of the vessel mask were broken where they are thinnest: {listed}{more}. Where "
            "vessels only touch, separate them in the mask.",
            VesselLoopsBroken,
            stacklevel=3,
        )


def _warn_of_pieces(joined: Joined, gap_mm: float, smallest_mm: float) -> None:
    if joined.bridges:
        gaps = ", ".join(f"{bridge.gap_mm:.1f}" for bridge in joined.bridges)
        warnings.warn(
            f"{len(joined.bridges)} gap(s) of the vessel mask were bridged: {gaps} mm.", ArteriesJoined, stacklevel=3
        )
    if joined.far_pieces:
        warnings.warn(
            f"{joined.far_pieces} vessel piece(s) with {100 * joined.far_share:.1f} % of the mask's volume are more "
            f"than {gap_mm:g} mm from the rest and were left out.",
            VesselPiecesLeftOut,
            stacklevel=3,
        )
    if joined.small_pieces:
        warnings.warn(
            f"{joined.small_pieces} piece(s) with {100 * joined.small_share:.1f} % of the mask's volume are shorter "
            f"than {smallest_mm:g} mm or not elongated and were left out.",
            VesselPiecesLeftOut,
            stacklevel=3,
        )


def _rivalry(root: Root, places_lps_mm: np.ndarray) -> str:
    return (
        f"The root of the arterial tree is a guess: the end at {_at(places_lps_mm[root.node])} is the thickest, the "
        f"one at {_at(places_lps_mm[root.rival])} is nearly as thick. Give the position where the blood comes in."
    )


def _at(lps_mm: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:.1f}" for value in lps_mm) + ") mm"
