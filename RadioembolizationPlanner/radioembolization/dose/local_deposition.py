"""Local deposition: every decay gives its energy to its own voxel."""

from __future__ import annotations

import numpy as np


def deposit_locally(activity: np.ndarray) -> np.ndarray:
    """Return the energy share absorbed in each voxel (z, y, x), equal to the activity itself.

    Adequate where the resolution of the image is worse than the range of the electrons (Pasciak et
    al. 2014, 10.3389/fonc.2014.00121): an image blurred by the scanner already holds the spread.
    """
    return activity.astype(np.float32)
