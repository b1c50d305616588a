"""Metastases of the synthetic patient, where its activity goes, and the scout image of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, special

from radioembolization.errors import StructureError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.phantom.shapes import linear_onto
from radioembolization.structures import place_lesions

_FEWEST, _MOST = 6, 12
_SMALLEST_ML, _LARGEST_ML = 2.0, 120.0
#: Share of the liver that is tumour.
_LEAST_BURDEN, _MOST_BURDEN = 0.05, 0.25
_ATTEMPTS = 200
#: Concentration relative to normal liver: of the one poorly perfused tumour, and of the others.
_POOR_RATIO, _RATIO = (2.0, 2.4), (3.0, 8.0)
#: Concentration in the core of the poorly perfused tumour relative to its rim, and how deep the core begins.
_CORE, _CORE_DEPTH = 0.35, 0.5

SCOUT_SHAPE, SCOUT_SPACING_MM = (108, 128, 128), 4.42
#: Centre of the scanner's field of view (x, y, z) in LPS [mm]; not that of the CT.
_SCOUT_CENTRE_MM = np.array([6.3, -11.7, 68.2])
SCOUT_FWHM_MM = 12.0
#: Counts of the image, a choice that gives normal liver some 10 % of noise per voxel, and the share in
#: the rest of the body.
SCOUT_COUNTS, SCOUT_BACKGROUND = 4.0e6, 0.01


@dataclass(frozen=True, eq=False)
class Metastasis:
    """A tumour known by how deep a place lies inside it, on the grid of the placement.

    Parameters
    ----------
    volume_ml : float
    ratio : float
        Mean concentration relative to normal liver.
    hypoperfused_core : bool
    depth_mm : ndarray (z, y, x)
        Distance to the surface [mm], negative outside.
    """

    volume_ml: float
    ratio: float
    hypoperfused_core: bool
    depth_mm: np.ndarray


def grow_metastases(labels: np.ndarray, grid: Grid, rng: np.random.Generator) -> tuple[Metastasis, ...]:
    """Place 6 to 12 metastases in both lobes, the largest first, two in three in the right lobe.

    Volumes are drawn log-uniformly from 2 to 120 mL; a set that does not fit is drawn again.  One
    of the larger half, where a hypoperfused core has room, is poorly perfused.

    Parameters
    ----------
    labels : ndarray (z, y, x) of int
        Liver segments.
    grid : Grid
    rng : numpy.random.Generator

    Raises
    ------
    StructureError
        If no set fits.
    """
    liver = labels > 0
    liver_ml = np.count_nonzero(liver) * grid.voxel_ml
    right, left = labels >= 5, liver & (labels < 5)
    for _ in range(_ATTEMPTS):
        count = rng.integers(_FEWEST, _MOST + 1)
        volumes = np.sort(np.exp(rng.uniform(np.log(_SMALLEST_ML), np.log(_LARGEST_ML), count)))[::-1]
        if not _LEAST_BURDEN <= volumes.sum() / liver_ml <= _MOST_BURDEN:
            continue
        try:
            lesions = place_lesions(liver, grid, tuple(float(v) for v in volumes), rng, (right, right, left))
        except StructureError:
            continue
        poor = int(rng.integers(0, (count + 1) // 2))
        ratios = rng.uniform(*_RATIO, size=count)
        ratios[poor] = rng.uniform(*_POOR_RATIO)
        return tuple(
            Metastasis(lesion.volume_ml, float(ratio), number == poor, _depth_mm(lesion.mask, grid))
            for number, (lesion, ratio) in enumerate(zip(lesions, ratios, strict=True))
        )
    raise StructureError(f"No set of metastases fits into the liver of {liver_ml:.0f} mL after {_ATTEMPTS} draws.")


def _depth_mm(mask: np.ndarray, grid: Grid) -> np.ndarray:
    inside = ndimage.distance_transform_edt(mask, sampling=grid.spacing_mm)
    outside = ndimage.distance_transform_edt(~mask, sampling=grid.spacing_mm)
    return np.asarray(ndimage.gaussian_filter((inside - outside).astype(np.float32), 0.8))


def tumour_masks(
    metastases: tuple[Metastasis, ...], source: Grid, liver: np.ndarray, grid: Grid
) -> tuple[np.ndarray, ...]:
    """Return the masks (z, y, x) of metastases on another grid, each with its volume, none overlapping."""
    free = liver.copy()
    masks = []
    for metastasis in metastases:
        depth = linear_onto(metastasis.depth_mm, source, grid)
        depth[~free] = -np.inf
        count = max(1, round(metastasis.volume_ml / grid.voxel_ml))
        deepest = np.argpartition(depth.ravel(), -count)[-count:]
        mask = np.zeros(grid.shape, dtype=bool)
        mask.ravel()[deepest] = True
        free &= ~mask
        masks.append(mask)
    return tuple(masks)


def concentration(
    liver: np.ndarray,
    flow: np.ndarray,
    metastases: tuple[Metastasis, ...],
    masks: tuple[np.ndarray, ...],
    grid: Grid,
) -> np.ndarray:
    """Return the concentration relative to the mean of normal liver (z, y, x), 0 outside the liver.

    Parameters
    ----------
    liver : ndarray (z, y, x) of bool
    flow : ndarray (z, y, x)
        Relative flow; concentration follows it in normal liver and inside each tumour.
    metastases : tuple of Metastasis
    masks : tuple of ndarray (z, y, x) of bool
        Of the metastases.
    grid : Grid
    """
    relative = np.where(liver, flow, 0.0).astype(np.float32)
    normal = liver & ~np.any(masks, axis=0)
    relative[normal] /= relative[normal].mean(dtype=float)
    for metastasis, mask in zip(metastases, masks, strict=True):
        if metastasis.hypoperfused_core:
            relative[_core(mask, grid)] *= _CORE
        relative[mask] *= metastasis.ratio / relative[mask].mean(dtype=float)
    return relative


def _core(mask: np.ndarray, grid: Grid) -> np.ndarray:
    depth = ndimage.distance_transform_edt(mask, sampling=grid.spacing_mm)
    return np.asarray(depth > _CORE_DEPTH * depth.max())


def scout_image(share: np.ndarray, body: np.ndarray, grid: Grid, rng: np.random.Generator) -> Volume:
    """Return a 99mTc SPECT image of an activity: blurred, on the scanner's grid, with Poisson noise.

    The noise of neighbouring voxels is independent; attenuation, scatter and breathing count as
    corrected.

    Parameters
    ----------
    share : ndarray (z, y, x)
        Share of the activity in each voxel.
    body : ndarray (z, y, x) of bool
        Holds the background.
    grid : Grid
        Of both.
    rng : numpy.random.Generator
    """
    spacing = (SCOUT_SPACING_MM,) * 3
    first = _SCOUT_CENTRE_MM - (np.array(SCOUT_SHAPE[::-1]) - 1) / 2.0 * SCOUT_SPACING_MM
    scanner = Grid(SCOUT_SHAPE, spacing, tuple(first))
    seen = share * np.float32(1.0 - SCOUT_BACKGROUND)
    seen += body * np.float32(SCOUT_BACKGROUND / np.count_nonzero(body))
    for axis in range(3):
        response = _response(grid, scanner, axis)
        seen = np.moveaxis(np.tensordot(response, seen, axes=(1, axis)), 0, axis)
    counts = rng.poisson(np.maximum(seen, 0.0) * SCOUT_COUNTS)
    return Volume(counts.astype(np.float32), scanner, Unit.COUNTS)


def _response(source: Grid, target: Grid, axis: int) -> np.ndarray:
    """Return the share of a source voxel that each target voxel sees along one axis (target, source).

    Exact for a uniform source voxel and a Gaussian: with ``F(u) = u Phi(u / s) + s phi(u / s)`` and the
    differences of edges ``u``, the double integral is ``F(b-c) - F(a-c) - F(b-d) + F(a-d)``.
    """
    sigma = SCOUT_FWHM_MM / np.sqrt(8.0 * np.log(2.0))
    edges = [
        g.origin_mm[2 - axis] + g.spacing_mm[axis] * (np.arange(g.shape[axis] + 1) - 0.5) for g in (target, source)
    ]
    u = (edges[0][:, None] - edges[1][None, :]) / sigma
    integral = sigma * (u * special.ndtr(u) + np.exp(-0.5 * u * u) / np.sqrt(2.0 * np.pi))
    share = np.diff(integral, axis=0)
    return np.asarray((share[:, :-1] - share[:, 1:]) / source.spacing_mm[axis], dtype=np.float32)
