"""The centreline of a mask that holds one vessel without branches."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import TerritoryError
from radioembolization.images import Grid
from radioembolization.territories.skeleton.centreline import radius_along, smooth_line
from radioembolization.territories.skeleton.forest import longest_path, without_loops
from radioembolization.territories.skeleton.thinning import thinned


def centreline_of_mask(mask: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the centreline and radius of one unbranched vessel: the longest path of its largest piece.

    Parameters
    ----------
    mask : ndarray (z, y, x) of bool
    grid : Grid

    Returns
    -------
    points_lps_mm : ndarray (points, 3)
        From one end to the other, in an arbitrary direction; (x, y, z) in LPS [mm].
    radius_mm : ndarray (points,)

    Raises
    ------
    TerritoryError
        If the mask is empty, has another shape than the grid, or its largest piece is not elongated.
    MissingPackage
        Without scikit-image.
    """
    skeleton = thinned(mask, grid)
    within = np.flatnonzero(skeleton.piece == np.argmax(skeleton.piece_ml))
    path = longest_path(skeleton.places_mm, without_loops(skeleton).edges, within)
    places = skeleton.places_mm[path]
    extent = float(np.linalg.norm(places[0] - places[-1]))
    thickness = 2.0 * float(skeleton.depth_mm[path].max())
    if len(path) < 3 or extent < thickness / 2.0:
        raise TerritoryError(
            f"The mask holds no elongated vessel: its centreline would be {extent:.1f} mm long and "
            f"{thickness:.1f} mm wide. Choose the mask of a vessel, or draw its centreline."
        )
    line = smooth_line(places, skeleton.step_mm)
    return grid.to_lps(line / np.array(grid.spacing_mm)), radius_along(line, skeleton)
