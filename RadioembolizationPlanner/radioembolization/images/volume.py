"""An image: array, grid and unit together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from radioembolization.errors import ImageError
from radioembolization.images.grid import Grid


class Unit(StrEnum):
    """What the numbers of an image mean."""

    HU = "HU"
    COUNTS = "counts"
    BQ_PER_ML = "Bq/mL"
    G_PER_CM3 = "g/cm3"
    GY = "Gy"
    GY_PER_GBQ = "Gy/GBq"
    LABEL = "label"
    RELATIVE_FLOW = "relative flow"


@dataclass(frozen=True, eq=False)
class Volume:
    """An image with its geometry; the array is read-only.

    Parameters
    ----------
    array : ndarray (z, y, x)
    grid : Grid
    unit : Unit

    Raises
    ------
    ImageError
        If array and grid differ in shape, or the array holds NaN or infinite values.
    """

    array: np.ndarray
    grid: Grid
    unit: Unit

    def __post_init__(self) -> None:
        if self.array.shape != self.grid.shape:
            raise ImageError(f"Array of shape {self.array.shape} on a grid of shape {self.grid.shape}.")
        if np.issubdtype(self.array.dtype, np.floating) and not np.isfinite(self.array).all():
            bad = np.argwhere(~np.isfinite(self.array))
            raise ImageError(
                f"The image ({self.unit}) has {len(bad)} NaN or infinite voxels, the first at index "
                f"(z, y, x) = {tuple(int(i) for i in bad[0])}: repair or crop it."
            )
        view = self.array.view()
        view.flags.writeable = False
        object.__setattr__(self, "array", view)
