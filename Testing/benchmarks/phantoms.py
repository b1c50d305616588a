"""Livers with 16 nested injection sites, placed on any grid; shared by the benchmarks of the dose engine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import ndimage, sparse
from scipy.cluster.vq import kmeans2

from radioembolization.dose.leaves import split_into_leaves
from radioembolization.files import read_volume
from radioembolization.images import Grid, Unit
from radioembolization.phantom import synthetic_case
from radioembolization.treatment import prepare

GRIDS = {
    "SPECT": Grid((128, 128, 128), (4.8, 4.8, 4.8)),
    "PET": Grid((109, 200, 200), (4.0, 4.0, 4.0)),
    "2 mm": Grid((200, 256, 256), (2.0, 2.0, 2.0)),
    "CT": Grid((300, 512, 512), (1.0, 0.9, 0.9)),
}
SITES = 16
_ATLAS = Path(__file__).parents[3] / "shared" / "data" / "hra_liver_male" / "labels.nii.gz"


@dataclass(frozen=True, eq=False)
class Liver:
    """A liver cut into leaves, on a grid of its own.

    Parameters
    ----------
    name : str
    leaf : ndarray (z, y, x) of int
        Number of the leaf from 0 on; -1 outside the liver.
    concentration : ndarray (z, y, x)
        Relative activity per volume; zero outside the liver.
    spacing_mm : tuple of float
    fed : ndarray (sites, leaves) of bool
        Leaves that each site feeds.
    parts : dict of ndarray (z, y, x) of bool
        Other structures by name.
    """

    name: str
    leaf: np.ndarray
    concentration: np.ndarray
    spacing_mm: tuple[float, float, float]
    fed: np.ndarray
    parts: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Phantom:
    """A liver on a grid; arrays are of the box that holds it and a margin.

    Parameters
    ----------
    liver : Liver
    grid : Grid
    box : tuple of three slices
    leaf : ndarray (z, y, x) of int
    amount : ndarray (z, y, x), float32
        Activity per voxel; sum 1.
    """

    liver: Liver
    grid: Grid
    box: tuple[slice, slice, slice]
    leaf: np.ndarray
    amount: np.ndarray

    @cached_property
    def fractions(self) -> sparse.csr_array:
        """Fraction (sites, voxels) of the activity of each site in each voxel of the grid."""
        inside = np.nonzero(self.amount)
        flat = np.ravel_multi_index([i + b.start for i, b in zip(inside, self.box, strict=True)], self.grid.shape)
        leaf, amount = self.leaf[inside], self.amount[inside].astype(float)
        shares, columns = [], []
        for fed in self.liver.fed:
            chosen = fed[leaf]
            shares.append(amount[chosen] / amount[chosen].sum())
            columns.append(flat[chosen])
        ends = np.cumsum([0] + [len(c) for c in columns])
        shape = (len(self.liver.fed), self.grid.voxels)
        return sparse.csr_array((np.concatenate(shares), np.concatenate(columns), ends), shape=shape)

    @property
    def liver_voxels(self) -> np.ndarray:
        """Flat positions of the liver in the grid."""
        return np.unique(self.fractions.indices)

    def site_in_box(self, site: int) -> np.ndarray:
        """Return the activity of a site in the box (z, y, x), float64."""
        amount = np.where((self.leaf >= 0) & self.liver.fed[site][self.leaf], self.amount, 0.0)
        return np.asarray(amount / amount.sum(), dtype=float)

    def site_map(self, site: int) -> np.ndarray:
        """Return the activity of a site on the whole grid (z, y, x), float64."""
        activity = np.zeros(self.grid.shape)
        activity[self.box] = self.site_in_box(site)
        return activity

    def share_in_box(self, mask: np.ndarray) -> np.ndarray:
        """Return the covered share (z, y, x) of the box's voxels by a mask on the liver's own grid."""
        return np.clip(_resampled(mask.astype(np.float32), self.liver, self.grid, self.box, 1), 0.0, 1.0)


def on_grid(liver: Liver, grid: Grid, margin_mm: float = 0.0) -> Phantom:
    """Place a liver at the centre of a grid: leaves by nearest neighbour, concentration linearly."""
    half_mm = np.array(liver.leaf.shape) * liver.spacing_mm / 2.0 + margin_mm
    middle = (np.array(grid.shape) - 1) / 2.0
    low = np.maximum(np.floor(middle - half_mm / grid.spacing_mm), 0).astype(int)
    high = np.minimum(np.ceil(middle + half_mm / grid.spacing_mm) + 1, grid.shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    leaf = _resampled(liver.leaf + 1, liver, grid, box, 0) - 1
    amount = np.where(leaf >= 0, _resampled(liver.concentration, liver, grid, box, 1), 0.0)
    if not margin_mm:
        cut = ndimage.find_objects((amount > 0).astype(np.int8))[0]
        leaf, amount = leaf[cut], amount[cut]
        box = tuple(slice(b.start + c.start, b.start + c.stop) for b, c in zip(box, cut, strict=True))
    return Phantom(liver, grid, (box[0], box[1], box[2]), leaf, np.asarray(amount / amount.sum(), np.float32))


def recut(phantom: Phantom, leaves: int) -> Phantom:
    """Return the liver cut into equal leaves, as many as wanted, each with a site of its own."""
    inside = np.nonzero(phantom.amount)
    points = np.stack(inside, axis=1) * np.array(phantom.grid.spacing_mm)
    centres, _ = kmeans2(points[:: math.ceil(len(points) / 20_000)], leaves, minit="++", seed=1)
    nearest = np.full(len(points), np.inf)
    number = np.zeros(len(points), dtype=int)
    for index, centre in enumerate(centres):
        distance = ((points - centre) ** 2).sum(axis=1)
        number = np.where(distance < nearest, index, number)
        nearest = np.minimum(distance, nearest)
    leaf = np.full(phantom.leaf.shape, -1)
    leaf[inside] = number
    liver = Liver(phantom.liver.name, leaf, phantom.amount, phantom.grid.spacing_mm, np.eye(leaves, dtype=bool), {})
    return Phantom(liver, phantom.grid, phantom.box, leaf, phantom.amount)


def synthetic_liver() -> Liver:
    """Return the liver of the product's synthetic patient, planned at 2 mm: its leaves and activity pattern."""
    case = prepare(synthetic_case(1, spacing_mm=2.0, planning_spacing_mm=2.0))
    structures, fractions = case.structures, case.territories.fractions
    leaves = split_into_leaves(fractions, structures.grid.shape)
    leaf = np.full(structures.grid.shape, -1)
    for number, patch in enumerate(leaves.sources):
        box, values = patch.clipped(leaf.shape)
        leaf[box][values > 0] = number
    whole = int(np.argmax((leaves.weights > 0).sum(axis=1)))
    parts = {s.name: s.mask for s in (*structures.tumours, structures.normal_liver, *structures.organs)}
    pattern = np.where(leaf >= 0, case.territories.fraction_map(whole), 0.0)
    return Liver("synthetic patient", leaf, pattern, structures.grid.spacing_mm, _sixteen(leaves.weights > 0), parts)


def atlas_liver() -> Liver:
    """Return the liver of the Visible Human Male, its eight segments as leaves, with round synthetic tumours.

    Raises
    ------
    FileNotFoundError
        If the data, which are not part of this repository, are not there.
    """
    if not _ATLAS.is_file():
        raise FileNotFoundError(f"{_ATLAS} is not there")
    image = read_volume(_ATLAS, Unit.LABEL)
    labels = np.asarray(image.array).astype(int)
    cut = ndimage.find_objects(((labels >= 1) & (labels <= 8)).astype(np.int8))[0]
    labels = np.pad(labels[cut], 2)
    leaf = np.where((labels >= 1) & (labels <= 8), labels - 1, -1)
    random = np.random.default_rng(7)
    spacing = np.array(image.grid.spacing_mm)
    pattern = np.where(leaf >= 0, random.uniform(0.7, 1.3, leaf.shape), 0.0)
    index = np.indices(leaf.shape, sparse=True)
    parts = {}
    for number, radius_mm in enumerate((22.0, 17.0, 14.0, 12.0, 10.0), start=1):
        centre = random.choice(np.argwhere(leaf >= 0))
        distance2 = sum(((i - c) * s) ** 2 for i, c, s in zip(index, centre, spacing, strict=True))
        parts[f"tumour {number}"] = (distance2 < radius_mm**2) & (leaf >= 0)
        pattern[parts[f"tumour {number}"]] *= 3.0
    fed = [range(8), range(1, 4), range(4, 8), *([k] for k in range(8)), (1, 2), (4, 5), (5, 6), (6, 7), (4, 7)]
    return Liver(
        "Visible Human Male",
        leaf,
        pattern,
        image.grid.spacing_mm,
        np.array([np.isin(np.arange(8), list(f)) for f in fed]),
        parts,
    )


def _sixteen(fed: np.ndarray) -> np.ndarray:
    """Complete sites (sites, leaves) with unions of two neighbouring leaves."""
    leaves = fed.shape[1]
    more = [np.isin(np.arange(leaves), [k, k + 1]) for k in range(SITES - len(fed))]
    return np.concatenate([fed, np.array(more).reshape(-1, leaves)])[:SITES]


def _resampled(values: np.ndarray, liver: Liver, grid: Grid, box: tuple[slice, ...], order: int) -> np.ndarray:
    """Return values of the liver's grid in a box of another grid with the same centre."""
    scale = np.array(grid.spacing_mm) / np.array(liver.spacing_mm)
    middle, start = (np.array(grid.shape) - 1) / 2.0, np.array([part.start for part in box])
    offset = (start - middle) * scale + (np.array(values.shape) - 1) / 2.0
    shape = tuple(part.stop - part.start for part in box)
    return ndimage.affine_transform(values, scale, offset, shape, order=order, mode="constant", cval=0)
