"""The liver in a CT, portal-venous or without contrast, from no seeds or few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.errors import StructureError
from radioembolization.structures.segmentation import shapes
from radioembolization.structures.segmentation.cavity import Cavity, find_cavity
from radioembolization.structures.segmentation.ct_image import WorkingCt
from radioembolization.structures.segmentation.liver_intensity import (
    LiverHu,
    estimate_liver_hu,
    liver_prior,
    seed_balls,
)
from radioembolization.structures.segmentation.random_walk import walker_probability

Seeds = Sequence[tuple[float, float, float]]

#: Liver-like values are within so many standard deviations of the mode.
_LIKE_SD = 2.2
#: Certain liver is deeper than this in liver-like tissue; tried from the first on [mm].
_CORE_MM = (10.0, 7.0)
#: A core has at least this volume [mL].
_LEAST_CORE_ML = 3.0
#: The walker goes through tissue in this range around the mode [HU].
_FREE_HU = (-70.0, 90.0)
#: Weight of the intensity against one equal neighbour, and the difference that hinders the walker [sd]; a second pair
#: judges how sure the result is.
_WALKERS = ((0.03, 1.4), (0.1, 1.8))
#: The surface loses spikes and gains dents up to twice this [mm].
_SPIKE_MM, _DENT_MM = 4.5, 6.0
#: What is beside the liver is looked for within this distance [mm].
_BESIDE_MM = 3.0


@dataclass(frozen=True, eq=False)
class FoundLiver:
    """A liver on the working grid with what led to it.

    Parameters
    ----------
    mask : ndarray (z, y, x) of bool
    variant : ndarray (z, y, x) of bool
        The same with more trust in intensity.
    probability : ndarray (z, y, x)
    cavity : Cavity
    hu : LiverHu
    """

    mask: np.ndarray
    variant: np.ndarray
    probability: np.ndarray
    cavity: Cavity
    hu: LiverHu


def find_liver(
    work: WorkingCt, body: np.ndarray, lungs: tuple[np.ndarray, np.ndarray], seeds: Seeds = ()
) -> FoundLiver:
    """Return the liver on the working grid, from body and (right, left) lungs there.

    Raises
    ------
    StructureError
        If nothing in the image looks like a liver.
    ImageError
        If a seed is outside the image.
    """
    cavity = find_cavity(work, body, lungs)
    hu = estimate_liver_hu(work, cavity, seeds)
    core, others = _core(work, cavity, hu, seeds)
    free = cavity.mask & ~others
    free &= (cavity.smoothed > hu.mode + _FREE_HU[0]) & (cavity.smoothed < hu.mode + _FREE_HU[1])
    prior = liver_prior(cavity, hu)
    probability, variant = (
        walker_probability(cavity.smoothed, free, core, prior, hindrance * hu.sd, trust)
        for trust, hindrance in _WALKERS
    )
    masks = [_shaped(one > 0.5, core, cavity, hu, work.grid.spacing_mm[0]) for one in (probability, variant)]
    return FoundLiver(masks[0], masks[1], probability, cavity, hu)


def _core(work: WorkingCt, cavity: Cavity, hu: LiverHu, seeds: Seeds) -> tuple[np.ndarray, np.ndarray]:
    """Return certain liver, and the cores of other organs of the same HU."""
    spacing = work.grid.spacing_mm[0]
    like = cavity.mask & (np.abs(cavity.smoothed - hu.mode) < _LIKE_SD * hu.sd)
    balls = seed_balls(work, seeds, spacing) & cavity.mask
    reached = shapes.connected(like | balls, balls) if seeds else np.ones_like(like)
    depth = shapes.depth(ndimage.binary_closing(like), spacing)
    for core_mm in _CORE_MM:
        labels, sizes = shapes.components(depth > core_mm)
        count = int(np.count_nonzero(sizes * work.voxel_ml >= _LEAST_CORE_ML))
        if count:
            weights = ndimage.sum_labels(depth * (cavity.right & reached), labels, np.arange(1, count + 1))
            core = (labels == 1 + int(np.argmax(weights))) | shapes.connected(labels > 0, balls) | balls
            return core, (labels > 0) & (labels <= count) & ~core
    if balls.any():
        return balls, np.zeros_like(balls)
    raise StructureError(
        f"No liver was found: no tissue near {hu.mode:.0f} HU in the right upper abdomen is thicker than "
        f"{2 * _CORE_MM[-1]:g} mm. Check that the CT shows the liver, or give a seed inside it."
    )


def _shaped(likely: np.ndarray, core: np.ndarray, cavity: Cavity, hu: LiverHu, spacing: float) -> np.ndarray:
    """Return the part with the core, without spikes, its vessels and lesions filled, up to its edges."""
    smooth = shapes.opened(likely, _SPIKE_MM, spacing) | core
    mask = shapes.connected(smooth, core)
    mask = shapes.closed(mask, _DENT_MM, spacing) & cavity.mask & (cavity.smoothed > 0.0) | mask
    mask = shapes.filled_slices(mask) & ~cavity.wall
    return _to_edges(mask, cavity, hu, spacing)


def _to_edges(mask: np.ndarray, cavity: Cavity, hu: LiverHu, spacing: float) -> np.ndarray:
    """Move the surface by up to a voxel to where the HU are half way between liver and what is beside it."""
    values = cavity.smoothed
    side = 2 * int(np.ceil(_BESIDE_MM / spacing)) + 1
    lowest, highest = ndimage.minimum_filter(values, side), ndimage.maximum_filter(values, side)
    lowest, highest = np.minimum(lowest, hu.mode - 2.0 * hu.sd), np.maximum(highest, hu.mode + 2.0 * hu.sd)
    half = (values > (hu.mode + lowest) / 2.0) & (values < (hu.mode + highest) / 2.0)
    outer = shapes.grown(mask, spacing, spacing)
    inner = shapes.eroded(mask, spacing, spacing)
    moved = inner | (outer & half & (cavity.mask | mask))
    return shapes.filled_slices(ndimage.uniform_filter(moved.astype(np.float32), 3) > 0.5)
