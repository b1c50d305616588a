"""Where the blood of each branch enters the liver."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence

import numpy as np
from scipy.spatial import cKDTree

from radioembolization.errors import BranchOutOfReach, LiverPieceWithoutArtery, TerritoryError
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.branches.geodesic import Source, Space

#: Pieces of liver without an artery are worth a warning from this share of the liver on; smaller ones are specks.
_PIECES_WARNED = 0.001


def supplying_stretches(tree: ArterialTree, without: Collection[str] = ()) -> tuple[int, ...]:
    """Return the terminal stretches less those of other organs and of what these feed.

    Raises
    ------
    TerritoryError
        If the tree has no artery of a name, or no stretch is left.
    """
    excluded = {name for artery in without for name in tree.downstream(artery)}
    left = tuple(i for i in tree.terminal_stretches if tree.stretches[i].artery not in excluded)
    if not left:
        raise TerritoryError(
            f"Every branch of the arterial tree counts as feeding another organ ({', '.join(sorted(excluded))}): "
            "leave at least one for the liver."
        )
    return left


def branch_sources(
    tree: ArterialTree, space: Space, stretches: Sequence[int], reach_mm: float
) -> tuple[tuple[int, ...], tuple[Source, ...]]:
    """Return the stretches that reach the liver, and where they enter it.

    A stretch supplies from all its points inside the liver.  One that stays outside enters at the voxel it comes
    nearest to, and the gap counts as part of the way.

    Raises
    ------
    TerritoryError
        If no stretch comes within reach.
    """
    step_mm = min(space.grid.spacing_mm) / 2.0
    centres = space.index * np.array(space.grid.spacing_mm)
    tree_of_voxels: cKDTree | None = None
    found: dict[int, Source] = {}
    missed: dict[str, float] = {}
    for number in stretches:
        points = space.grid.to_index(_dense(tree.stretch_points_lps_mm(number), step_mm))
        inside = _lies_inside(space, points)
        if inside.any():
            found[number] = Source(points[inside])
            continue
        tree_of_voxels = tree_of_voxels or cKDTree(centres)
        away, voxel = tree_of_voxels.query(points * np.array(space.grid.spacing_mm))
        nearest = int(np.argmin(away))
        if away[nearest] <= reach_mm:
            found[number] = Source(space.index[[voxel[nearest]]].astype(float), float(away[nearest]))
        else:
            missed[tree.stretches[number].artery] = float(away[nearest])
    _report(missed, bool(found), reach_mm)
    return tuple(found), tuple(found.values())


def warn_of_pieces(apart: int, voxels: int, voxel_ml: float) -> None:
    """Warn of pieces without an artery unless they are specks."""
    if apart >= _PIECES_WARNED * voxels:
        warnings.warn(
            f"{apart * voxel_ml:.1f} mL of the liver touch no part that an artery enters; they went to the branch "
            "nearest by straight line. Check the liver's segment for separate pieces.",
            LiverPieceWithoutArtery,
            stacklevel=5,
        )


def _lies_inside(space: Space, points: np.ndarray) -> np.ndarray:
    index = np.rint(points).astype(int)
    within = np.all((index >= 0) & (index < space.inside.shape), axis=1)
    index[~within] = 0
    return within & space.inside[tuple(index.T)]


def _dense(points: np.ndarray, step_mm: float) -> np.ndarray:
    """Return a centreline (points, 3) with points at most a step apart [mm]."""
    length = np.linalg.norm(np.diff(points, axis=0), axis=1)
    parts = np.maximum(1, np.ceil(length / step_mm)).astype(int)
    between = [
        start + (end - start) * np.arange(n)[:, None] / n
        for start, end, n in zip(points[:-1], points[1:], parts, strict=True)
    ]
    return np.concatenate([*between, points[-1:]])


def _report(missed: dict[str, float], any_found: bool, reach_mm: float) -> None:
    if not missed:
        return
    listed = ", ".join(f"{name} ({away:.0f} mm)" for name, away in missed.items())
    if not any_found:
        raise TerritoryError(
            f"No branch of the arterial tree comes within {reach_mm:g} mm of the liver: {listed}. Check that tree and "
            "liver lie in the same frame of reference, or raise reach_mm."
        )
    warnings.warn(
        f"Farther than {reach_mm:g} mm from the liver and so without a territory: {listed}.",
        BranchOutOfReach,
        stacklevel=4,
    )
