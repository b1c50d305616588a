"""Anatomical pictures of a volume: where the patient's sides are, whatever the axes of its grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.images import Grid
from radioembolization.treatment import Treatment

#: Pixel of a picture [mm].
PIXEL_MM = 1.0
#: The pictures reach this far beyond the structures [mm].
MARGIN_MM = 12.0
_POSITIVE, _NEGATIVE = "LPH", "RAF"


@dataclass(frozen=True)
class View:
    """A plane of the patient and how it is looked at.

    Parameters
    ----------
    name : str
    normal_axis : int
        LPS axis (0, 1, 2) the plane is perpendicular to.
    across, down : tuple of float
        LPS directions of the picture from left to right and from top to bottom.
    """

    name: str
    normal_axis: int
    across: tuple[float, float, float]
    down: tuple[float, float, float]

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Sides of the patient at the left, right, top and bottom of the picture."""
        across, down = np.array(self.across), np.array(self.down)
        return _letter(-across), _letter(across), _letter(-down), _letter(down)


#: Radiological convention: the patient's right is on the left of axial and coronal pictures.
AXIAL = View("axial", 2, across=(1.0, 0.0, 0.0), down=(0.0, 1.0, 0.0))
CORONAL = View("coronal", 1, across=(1.0, 0.0, 0.0), down=(0.0, 0.0, -1.0))
SAGITTAL = View("sagittal", 0, across=(0.0, 1.0, 0.0), down=(0.0, 0.0, -1.0))


@dataclass(frozen=True, eq=False)
class Plane:
    """The pixels of one picture.

    Parameters
    ----------
    view : View
    across_mm, down_mm : ndarray (columns,), (rows,)
        Pixel centres along the directions of the view [mm].
    depth_mm : float
        LPS coordinate of the plane along its normal axis [mm].
    """

    view: View
    across_mm: np.ndarray
    down_mm: np.ndarray
    depth_mm: float

    @property
    def points_lps_mm(self) -> np.ndarray:
        """LPS positions (rows, columns, 3) of the pixel centres [mm]."""
        normal = np.eye(3)[self.view.normal_axis]
        return (
            self.across_mm[None, :, None] * np.array(self.view.across)
            + self.down_mm[:, None, None] * np.array(self.view.down)
            + self.depth_mm * normal
        )

    @property
    def extent_mm(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top edge of the picture [mm], ``down`` growing to the bottom."""
        half = PIXEL_MM / 2.0
        across, down = self.across_mm, self.down_mm
        return across[0] - half, across[-1] + half, down[-1] + half, down[0] - half

    def sample(self, array: np.ndarray, grid: Grid, outside: float = 0.0) -> np.ndarray:
        """Return an array (z, y, x) on a grid, interpolated linearly at the pixels (rows, columns)."""
        index = np.moveaxis(grid.to_index(self.points_lps_mm), -1, 0)
        source = array.view(np.uint8) if array.dtype == bool else array
        return ndimage.map_coordinates(source, index, output=float, order=1, mode="constant", cval=outside)


def plane(view: View, through_lps_mm: np.ndarray, low_lps_mm: np.ndarray, high_lps_mm: np.ndarray) -> Plane:
    """Return the plane of a view through a position that covers a box, both in LPS [mm]."""
    return Plane(
        view,
        _pixels(np.array(view.across), low_lps_mm, high_lps_mm),
        _pixels(np.array(view.down), low_lps_mm, high_lps_mm),
        float(through_lps_mm[view.normal_axis]),
    )


def middle_lps_mm(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the position (3,) in LPS [mm] of the voxel of a mask nearest to its centroid."""
    positions = grid.to_lps(np.argwhere(mask))
    distance = np.linalg.norm(positions - positions.mean(axis=0), axis=1)
    return positions[int(np.argmin(distance))]


def box_of_structures(treatment: Treatment) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners (3,) in LPS [mm] of the box around all structures, with a margin."""
    structures = treatment.case.structures
    filled = np.argwhere(np.any([s.mask for s in structures.all], axis=0))
    positions = structures.grid.to_lps(filled)
    return positions.min(axis=0) - MARGIN_MM, positions.max(axis=0) + MARGIN_MM


def _pixels(direction: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    ends = sorted((float(direction @ low), float(direction @ high)))
    count = int(np.ceil((ends[1] - ends[0]) / PIXEL_MM)) + 1
    return ends[0] + PIXEL_MM * np.arange(count)


def _letter(direction: np.ndarray) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return (_POSITIVE if direction[axis] > 0 else _NEGATIVE)[axis]
