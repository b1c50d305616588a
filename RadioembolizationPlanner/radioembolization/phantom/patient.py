"""The synthetic patient: everything known about it, and how a seed becomes a patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from radioembolization.errors import InputError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.phantom.activity import (
    Metastasis,
    concentration,
    grow_metastases,
    scout_image,
    tumour_masks,
)
from radioembolization.phantom.anatomy import ct_numbers, liver_level, organ_masks, torso_grid
from radioembolization.phantom.arteries import (
    blood_share,
    downstream_segments,
    grow_arteries,
    grow_small_branches,
    segment_labels,
    segment_shares,
)
from radioembolization.phantom.shapes import bounding_box, filled, grid_of_box, linear_onto, smooth_noise
from radioembolization.territories.arteries import ArterialTree, Artery

#: Size of a patient relative to the reference adult, and lung shunt.
_SCALE, _LUNG_SHUNT = (0.965, 1.015), (0.03, 0.08)
#: Metastases and arteries are grown on this spacing, whatever that of the CT, so that a seed is one patient.
_GROWTH_MM = 3.0
#: Flow differs between segments by up to the first, and smoothly inside them by the standard deviation.
_SEGMENT_SPREAD, _FLOW_SPREAD, _FLOW_LENGTH_MM = 0.15, 0.08, 30.0
_FINEST_MM, _COARSEST_MM = 0.5, 10.0
#: The random stream of the small arteries, after those of growth, CT and scout.
_TREE_STREAM = 3


@dataclass(frozen=True, eq=False)
class _Growth:
    """What a seed decides on its own grid, whatever the spacing of the CT."""

    scale: float
    lung_shunt: float
    shares: np.ndarray
    grid: Grid
    labels: np.ndarray
    arteries: tuple[Artery, ...]
    metastases: tuple[Metastasis, ...]
    segment_flow: np.ndarray
    flow: np.ndarray


@dataclass(frozen=True, eq=False)
class SyntheticPatient:
    """A patient made by the program, with the whole truth about it.

    All arrays are (z, y, x), on the grid of the CT except the scout image, and read-only.

    Parameters
    ----------
    seed : int
    ct : Volume
        [HU].
    masks : dict of str to ndarray of bool
        liver (tumours included), lungs, spleen, left kidney, right kidney, gallbladder, stomach, spine, body.
    segments : dict of str to ndarray of bool
        ``segment 1`` to ``segment 8``; disjoint, together the liver.
    tumours : dict of str to ndarray of bool
        ``tumour 1`` (the largest) and so on; disjoint, inside the liver.
    tumour_to_normal : dict of str to float
        True ratio of mean concentrations, tumour over normal liver.
    arteries : tuple of Artery
        The named ones, root first; those that the CT shows.
    territories : dict of str to ndarray of bool
        By artery, the segments downstream of it; none for the arteries to stomach and gallbladder.
    lung_shunt : float
    scout : Volume
        Counts of the 99mTc SPECT after an injection into the proper hepatic artery, on the scanner's grid.
    true_share : ndarray of float32
        Fraction of the injected activity in each voxel: ``1 - lung_shunt`` in the liver, ``lung_shunt``
        in the lungs.
    """

    seed: int
    ct: Volume
    masks: dict[str, np.ndarray]
    segments: dict[str, np.ndarray]
    tumours: dict[str, np.ndarray]
    tumour_to_normal: dict[str, float]
    arteries: tuple[Artery, ...]
    territories: dict[str, np.ndarray]
    lung_shunt: float
    scout: Volume
    true_share: np.ndarray
    _growth: _Growth = field(repr=False)

    def __post_init__(self) -> None:
        parts: Iterable[dict[str, np.ndarray]] = (self.masks, self.segments, self.tumours, self.territories)
        for array in (self.true_share, *(mask for part in parts for mask in part.values())):
            array.flags.writeable = False

    @cached_property
    def tree(self) -> ArterialTree:
        """The named arteries, and small branches that grow from their tips inside the segments.

        The small ones are grown when first asked for; they are below what the CT resolves and not in it.
        """
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(_TREE_STREAM,)))
        growth, source = self._growth, f"arteries of synthetic patient {self.seed}"
        return grow_small_branches(growth.arteries, growth.labels, growth.grid, rng, source)


def synthetic_patient(seed: int = 1, spacing_mm: float = 3.0) -> SyntheticPatient:
    """Make a patient with liver metastases of a neuroendocrine tumour.

    The same seed gives the same patient, up to the size of the voxels, on every spacing.

    Parameters
    ----------
    seed : int
        Not negative.
    spacing_mm : float
        Of the CT, in all directions [mm], 0.5 to 10.

    Raises
    ------
    InputError
        If the seed is negative or the spacing out of range.
    """
    if seed < 0 or not _FINEST_MM <= spacing_mm <= _COARSEST_MM:
        raise InputError(
            f"A synthetic patient needs a seed of 0 or more and a spacing of {_FINEST_MM:g} to {_COARSEST_MM:g} mm, "
            f"not seed {seed} and {spacing_mm:g} mm."
        )
    growth_rng, ct_rng, scout_rng = np.random.default_rng(seed).spawn(3)
    growth = _grow(growth_rng)
    grid = torso_grid(spacing_mm)
    masks = organ_masks(grid, growth.scale)
    segments, tumours, relative = _liver(growth, masks["liver"], grid)
    blood = blood_share(growth.arteries, grid)
    ct = Volume(ct_numbers(grid, masks, tumours, blood, growth.scale, ct_rng), grid, Unit.HU)
    share = _true_share(ct, masks["lungs"], relative, growth.lung_shunt)
    return SyntheticPatient(
        seed=seed,
        ct=ct,
        masks=masks,
        segments=segments,
        tumours=tumours,
        tumour_to_normal={name: m.ratio for name, m in zip(tumours, growth.metastases, strict=True)},
        arteries=growth.arteries,
        territories=_territories(growth.arteries, segments, masks["liver"]),
        lung_shunt=growth.lung_shunt,
        scout=scout_image(share, masks["body"], grid, scout_rng),
        true_share=share,
        _growth=growth,
    )


def _grow(rng: np.random.Generator) -> _Growth:
    scale, lung_shunt = float(rng.uniform(*_SCALE)), float(rng.uniform(*_LUNG_SHUNT))
    shares = segment_shares(rng)
    torso = torso_grid(_GROWTH_MM)
    liver = filled(liver_level, torso, scale)
    box = bounding_box(liver, margin=2)
    grid = grid_of_box(torso, box)
    labels = segment_labels(liver[box], grid, scale, shares)
    return _Growth(
        scale=scale,
        lung_shunt=lung_shunt,
        shares=shares,
        grid=grid,
        labels=labels,
        arteries=grow_arteries(labels, grid, scale, shares, rng),
        metastases=grow_metastases(labels, grid, rng),
        segment_flow=rng.uniform(1.0 - _SEGMENT_SPREAD, 1.0 + _SEGMENT_SPREAD, 8),
        flow=1.0 + _FLOW_SPREAD * smooth_noise(grid, _FLOW_LENGTH_MM, rng),
    )


def _liver(
    growth: _Growth, liver: np.ndarray, grid: Grid
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """Return segments, tumours and the relative concentration in the liver on a grid."""
    box = bounding_box(liver, margin=1)
    box_grid = grid_of_box(grid, box)
    labels = segment_labels(liver[box], box_grid, growth.scale, growth.shares)
    masks = tumour_masks(growth.metastases, growth.grid, labels > 0, box_grid)
    flow = np.concatenate([[0.0], growth.segment_flow])[labels] * linear_onto(growth.flow, growth.grid, box_grid)
    relative = concentration(labels > 0, flow, growth.metastases, masks, box_grid)
    segments = {f"segment {number}": _placed(labels == number, box, grid) for number in range(1, 9)}
    tumours = {f"tumour {number}": _placed(mask, box, grid) for number, mask in enumerate(masks, start=1)}
    return segments, tumours, _placed(relative, box, grid)


def _placed(part: np.ndarray, box: tuple[slice, slice, slice], grid: Grid) -> np.ndarray:
    whole = np.zeros(grid.shape, dtype=part.dtype)
    whole[box] = part
    return whole


def _territories(
    arteries: tuple[Artery, ...], segments: dict[str, np.ndarray], liver: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the territory of every artery that feeds liver; equal ones share one array."""
    known: dict[tuple[int, ...], np.ndarray] = {tuple(range(1, 9)): liver}
    known |= {(number,): segments[f"segment {number}"] for number in range(1, 9)}
    territories = {}
    for artery in arteries:
        fed = downstream_segments(artery.name)
        if fed and fed not in known:
            known[fed] = np.any([segments[f"segment {number}"] for number in fed], axis=0)
        if fed:
            territories[artery.name] = known[fed]
    return territories


def _true_share(ct: Volume, lungs: np.ndarray, relative: np.ndarray, lung_shunt: float) -> np.ndarray:
    """Return the fraction of activity in each voxel: the liver by concentration, the lungs by mass."""
    share = relative * np.float32((1.0 - lung_shunt) / relative.sum(dtype=float))
    mass = np.clip(ct.array[lungs] + 1000.0, 0.0, 1100.0)
    share[lungs] = mass * (lung_shunt / mass.sum())
    return share
