"""A structure on the grid it was drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radioembolization.images import Grid, bounding_box
from radioembolization.structures.structure_set import Role


@dataclass(frozen=True, eq=False)
class DrawnStructure:
    """A mask (z, y, x) with its name, role and grid; its parts are looked at within its bounding box.

    Parameters
    ----------
    name : str
    role : Role
    mask : ndarray (z, y, x) of bool
        Not empty.
    grid : Grid
    """

    name: str
    role: Role
    mask: np.ndarray
    grid: Grid

    @cached_property
    def part(self) -> np.ndarray:
        """The mask within its bounding box."""
        return self.mask[tuple(slice(a, b) for a, b in self._box)]

    @cached_property
    def part_grid(self) -> Grid:
        """Grid of ``part``."""
        return self.grid.box(tuple(a for a, _ in self._box), self.part.shape)

    @cached_property
    def positions_lps_mm(self) -> np.ndarray:
        """Centres (voxels, 3) of all its voxels [mm]."""
        return self.part_grid.to_lps(np.argwhere(self.part))

    @cached_property
    def volume_ml(self) -> float:
        """Volume [mL]."""
        return float(np.count_nonzero(self.part)) * self.grid.voxel_ml

    @cached_property
    def _box(self) -> list[tuple[int, int]]:
        box = bounding_box(self.mask)
        if box is None:
            raise ValueError(f"'{self.name}' is empty.")  # callers refuse empty structures before
        return box


def middle_of(positions_lps_mm: np.ndarray) -> tuple[float, float, float]:
    """Return the position (3,) among some (n, 3) that is nearest to their mean, so that it is one of them."""
    mean = positions_lps_mm.mean(axis=0)
    nearest = positions_lps_mm[np.argmin(((positions_lps_mm - mean) ** 2).sum(axis=1))]
    return tuple(float(round(value, 1)) for value in nearest)  # type: ignore[return-value]
