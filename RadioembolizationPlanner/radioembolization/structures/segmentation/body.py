"""The patient's body in a CT: what is not air around, nor table, nor clothes."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import ImageError
from radioembolization.images import Volume
from radioembolization.structures.segmentation import shapes
from radioembolization.structures.segmentation.ct_image import WorkingCt, working_ct
from radioembolization.structures.segmentation.segmented import SegmentedStructure
from radioembolization.structures.terminology import BODY

#: Tissue is above this [HU]: lungs and air are not, fat is.
_TISSUE_HU = -300.0
#: Table and clothes are thinner than twice this, or touch the body through less [mm].
_TABLE_MM = 6.0
#: Holes and dents of the skin up to twice this are closed [mm].
_SKIN_MM = 6.0
#: A body cut by the image is no smaller [mL].
_LEAST_ML = 500.0


def segment_body(ct: Volume) -> SegmentedStructure:
    """Find the body in a CT [HU].

    Raises
    ------
    ImageError
        If the image is no CT in HU, or holds no patient.
    """
    work = working_ct(ct)
    return body_structure(work, find_body(work))


def find_body(work: WorkingCt) -> np.ndarray:
    """Return the body, air inside it included, as a mask (z, y, x) on the working grid.

    Tissue without thin parts, its largest connected part, with the holes of each axial slice filled.  Air between
    tissue on a side where the image cuts the body counts as inside.

    Raises
    ------
    ImageError
        If there is less tissue than any part of a patient has.
    """
    spacing = work.grid.spacing_mm[0]
    tissue = (work.hu > _TISSUE_HU) & work.covered
    core = shapes.largest(shapes.eroded(tissue, _TABLE_MM, spacing))
    body = shapes.grown(core, _TABLE_MM + spacing / 2.0, spacing) & tissue
    body = _filled(shapes.closed(body, _SKIN_MM, spacing)) & work.covered
    volume_ml = np.count_nonzero(body) * work.voxel_ml
    if volume_ml < _LEAST_ML:
        raise ImageError(
            f"The CT holds {volume_ml:.0f} mL of tissue in one piece, less than any part of a patient "
            f"({_LEAST_ML:g} mL): check that it is a CT of the abdomen in HU."
        )
    return body


def body_structure(work: WorkingCt, body: np.ndarray) -> SegmentedStructure:
    """Return the body as a structure on the grid of the image."""
    method = f"tissue above {_TISSUE_HU:g} HU without table, holes filled"
    return SegmentedStructure("body", BODY, work.on_image(body), method)


def _filled(body: np.ndarray) -> np.ndarray:
    """Fill axial holes, after closing the sides on which the image cuts the body."""
    walled = np.pad(body, ((0, 0), (1, 1), (1, 1)))
    walled[:, 0, 1:-1], walled[:, -1, 1:-1] = _between(body[:, 0]), _between(body[:, -1])
    walled[:, 1:-1, 0], walled[:, 1:-1, -1] = _between(body[:, :, 0]), _between(body[:, :, -1])
    return shapes.filled_slices(walled)[:, 1:-1, 1:-1]


def _between(face: np.ndarray) -> np.ndarray:
    """Return what lies between the first and last filled voxel of each row (rows, voxels)."""
    return np.maximum.accumulate(face, axis=1) & np.maximum.accumulate(face[:, ::-1], axis=1)[:, ::-1]
