"""An arterial tree of straight branches that fan out from one point, for tests and benchmarks of territories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree, Artery


def straight(
    name: str,
    parent: str | None,
    start: Sequence[float],
    end: Sequence[float],
    radius_mm: float = 1.0,
    points: int = 20,
) -> Artery:
    """Return a straight artery of one radius between two positions in LPS [mm]."""
    along = np.linspace(0.0, 1.0, points)[:, None]
    line = np.array(start, dtype=float) + along * (np.array(end, dtype=float) - np.array(start, dtype=float))
    return Artery(name, parent, line, np.full(points, radius_mm))


def star_tree(liver: np.ndarray, grid: Grid, branches: int, seed: int = 0) -> ArterialTree:
    """Return a tree that fans out from the middle of a liver (z, y, x) to random places in it.

    Branches begin where they are a third of the way out, so that none begins where another does.
    """
    random = np.random.default_rng(seed)
    inside = grid.to_lps(np.argwhere(liver))
    hilum = inside.mean(axis=0)
    ends = inside[random.choice(len(inside), branches, replace=False)]
    root = straight("trunk", None, [*hilum[:2], hilum[2] - 60.0], hilum, 2.5)
    twigs = [
        straight(f"branch {number}", "trunk", hilum + (end - hilum) / 3.0, end, float(random.uniform(0.5, 1.2)))
        for number, end in enumerate(ends)
    ]
    return ArterialTree((root, *twigs), "straight branches at random")
