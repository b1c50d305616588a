"""The question that a label map without names leads to: what is in it, and the lines that name it."""

from __future__ import annotations

import numpy as np

from radioembolization.errors import UnnamedLabels
from radioembolization.files.segmentation_file import Segmentation
from radioembolization.images import Volume, resample_linear

#: Labels that a message lists.
_MOST_LABELS = 40
_AIR_HU = -1000.0


def unnamed_labels(segmentation: Segmentation, ct: Volume | None = None) -> UnnamedLabels:
    """Return the error that lists label values with volume and mean HU, and the lines to add to the case file.

    Parameters
    ----------
    segmentation : Segmentation
    ct : Volume, optional
        [HU].
    """
    labels = segmentation.layers[0]
    values, counts = np.unique(labels, return_counts=True)
    hu = None if ct is None else resample_linear(ct, segmentation.grid, _AIR_HU).array
    lines = []
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        if value == 0:
            continue
        mean = "" if hu is None else f", mean {float(hu[labels == value].mean()):.0f} HU"
        lines.append(f'"label {value}" = {value}    # {count * segmentation.grid.voxel_ml:.1f} mL{mean}')
    more = [f"# ... and {len(lines) - _MOST_LABELS} more"] if len(lines) > _MOST_LABELS else []
    text = "\n".join(["[structures.labels]", *lines[:_MOST_LABELS], *more])
    return UnnamedLabels(
        f"Nothing says what the {len(lines)} labels of '{segmentation.source}' are, and sizes are no proof. Add these "
        'lines to the case file with what each is in place of "label ...", such as "liver" or "tumour 1" (if parts '
        f"together are the liver, also liver = [values] under [structures]):\n{text}"
    )
