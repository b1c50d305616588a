"""Body, lungs and liver from one CT."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from radioembolization.images import Volume
from radioembolization.structures.segmentation.ct_image import working_ct
from radioembolization.structures.segmentation.segmented import SegmentedStructures

#: Called with what is being done, the step and the number of steps; an exception it raises ends the work.
Progress = Callable[[str, int, int], None]


def segment_ct(
    ct: Volume, seeds_lps_mm: Sequence[tuple[float, float, float]] = (), progress: Progress | None = None
) -> SegmentedStructures:
    """Find body, left and right lung and liver in a CT, without deep learning.

    Structures are called ``"body"``, ``"left lung"``, ``"right lung"`` and ``"liver"``; what was not found is left
    out, with a finding that says so.

    Parameters
    ----------
    ct : Volume
        [HU], on any grid: portal-venous or without contrast.
    seeds_lps_mm : sequence of (x, y, z), optional
        Positions inside the liver (LPS) [mm]; none are needed.
    progress : callable, optional
        Called with what is being done, the step and the number of steps.

    Raises
    ------
    ImageError
        If the image is empty, not in HU, or too small; or a seed lies outside it.
    """
    working_ct(ct)
    raise NotImplementedError
