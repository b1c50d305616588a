"""Tumour-to-normal ratios from a scout image."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import StructureError
from radioembolization.images import Volume
from radioembolization.structures.structure_set import StructureSet


def tumour_to_normal_ratios(
    structures: StructureSet, scout: Volume, within: np.ndarray | None = None
) -> dict[str, float]:
    """Return the ratio of mean counts per voxel, tumour over normal liver, for each tumour.

    The ratio is one of concentrations (not of activities), over the part of the tumour inside the liver.
    Blurring by the scanner lowers it for small lesions; nothing is corrected here.

    Parameters
    ----------
    structures : StructureSet
    scout : Volume
        Counts per voxel on the grid of the structures.
    within : ndarray (z, y, x) of bool, optional
        Reference region of normal liver, for instance one perfused volume; default all of it.

    Returns
    -------
    dict of str to float
        By tumour name.

    Raises
    ------
    StructureError
        If the reference region holds no normal liver or no counts.
    """
    reference = structures.normal_liver.mask
    if within is not None:
        reference = reference & within
    mean_normal = float(scout.array[reference].mean()) if reference.any() else 0.0
    if not mean_normal > 0:
        raise StructureError(
            "The normal liver of the reference region has no scout counts, so no tumour-to-normal ratio "
            "exists: enter ratios, or check the region."
        )
    liver = structures.liver.mask
    return {t.name: float(scout.array[t.mask & liver].mean()) / mean_normal for t in structures.tumours}
