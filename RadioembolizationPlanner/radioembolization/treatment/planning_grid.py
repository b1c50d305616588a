"""The grid that a case is planned on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radioembolization.errors import StructureError
from radioembolization.images import Grid, corners_of_mask
from radioembolization.structures import Role
from radioembolization.treatment.case import SourceStructure

#: The planning grid reaches this far beyond liver, tumours and organs [mm].
GRID_MARGIN_MM = 20.0


def planning_grid(structures: Sequence[SourceStructure], spacing_mm: tuple[float, float, float]) -> Grid:
    """Return a grid with the axes of the liver's own grid that covers liver, tumours and organs with a margin.

    Parameters
    ----------
    structures : sequence of SourceStructure
        Lungs count for nothing.
    spacing_mm : tuple of float
        (z, y, x) [mm].

    Raises
    ------
    StructureError
        If there is not exactly one liver, or no structure has a voxel.
    """
    liver = the_liver(structures)
    corners = [
        corners_of_mask(s.source.mask, s.source.grid)
        for s in structures
        if s.role is not Role.LUNGS and s.source.mask.any()
    ]
    if not corners:
        raise StructureError(f"Structure '{liver.name}' (liver) has no voxels: check the segment.")
    axes = liver.source.grid.direction_matrix
    along = np.concatenate(corners) @ axes
    margin = np.full(3, GRID_MARGIN_MM)
    low, high = axes @ (along.min(axis=0) - margin), axes @ (along.max(axis=0) + margin)
    return Grid.covering(liver.source.grid, low, high, spacing_mm)


def the_liver(structures: Sequence[SourceStructure]) -> SourceStructure:
    """Return the one structure of role liver; ``StructureError`` if there is none or more than one."""
    livers = [s for s in structures if s.role is Role.LIVER]
    if len(livers) != 1:
        raise StructureError(f"A case needs exactly one structure of role liver, not {len(livers)}.")
    return livers[0]
