"""Eight liver segments by planes: an approximation where nobody has drawn them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radioembolization.errors import StructureError
from radioembolization.images import Grid

#: Share of the liver by segment, 1 to 8: a round choice, right lobe larger, caudate smallest.
SEGMENT_SHARES = (0.045, 0.085, 0.095, 0.155, 0.125, 0.110, 0.165, 0.220)
#: Where the liver of the reference adult lies (x, y, z) in LPS [mm]: 1st and 99th percentile of its voxels.
_REFERENCE_MM = np.array([[-134.0, -66.0, -93.0], [48.0, 60.0, 61.0]])
_FEWEST_VOXELS = 64


def couinaud_segments(liver: np.ndarray, grid: Grid, shares: Sequence[float] = SEGMENT_SHARES) -> np.ndarray:
    """Divide a liver into eight segments by planes.

    The liver is scaled, axis by axis, to the extent of that of a reference adult, where the planes are
    known (``cut_segments``).  It knows nothing of this patient's hepatic and portal veins: segments drawn
    from them are better.

    Parameters
    ----------
    liver : ndarray (z, y, x) of bool
    grid : Grid
        Its directions must be those of the patient (LPS).
    shares : sequence of 8 float
        Share of the liver by segment, 1 to 8.

    Returns
    -------
    ndarray (z, y, x) of uint8
        Segment 1 to 8, and 0 outside.

    Raises
    ------
    StructureError
        If there are too few voxels to divide.
    """
    voxels = np.argwhere(liver)
    if len(voxels) < _FEWEST_VOXELS:
        raise StructureError(f"The liver has {len(voxels)} voxels, too few for eight segments: check the structure.")
    places = grid.to_lps(voxels)
    low, high = np.percentile(places, [1.0, 99.0], axis=0)
    extent = np.maximum(high - low, 1e-3)
    x, y, z = (_REFERENCE_MM[0] + (places - low) / extent * (_REFERENCE_MM[1] - _REFERENCE_MM[0])).T
    labels = np.zeros(liver.shape, dtype=np.uint8)
    labels[tuple(voxels.T)] = cut_segments(x, y, z, np.array(shares, dtype=float))
    return labels


def cut_segments(x_mm: np.ndarray, y_mm: np.ndarray, z_mm: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the Couinaud segment, 1 to 8, of every liver voxel of the reference adult (voxels,).

    The caudate is what lies nearest to the vena cava.  Planes through the vena cava, as those of the
    hepatic veins, cut the rest into posterior, anterior, medial and lateral sectors; a level near the
    portal vein cuts the sectors into segments.  The planes are moved so that each segment has its share.

    Parameters
    ----------
    x_mm, y_mm, z_mm : ndarray (voxels,)
        Positions in LPS [mm], scaled to the reference adult.
    shares : ndarray (8,)
        Share of the liver by segment.
    """
    to_cava = np.hypot(np.hypot(x_mm + 14.0, y_mm - 24.0), 0.7 * (z_mm - 2.0))
    angle = np.arctan2(x_mm + 24.0, 34.0 - y_mm)  # 0 to the front, positive to the left
    labels = np.zeros(len(x_mm), dtype=np.uint8)
    _cut(labels, to_cava, np.arange(len(labels)), (1, 0), shares[0])
    rest = np.flatnonzero(labels == 0)
    right, left = _halves(angle, rest, shares[4:].sum() / shares[1:].sum())
    posterior, anterior = _halves(angle, right, shares[5:7].sum() / shares[4:].sum())
    medial, lateral = _halves(angle, left, shares[3] / shares[1:4].sum())
    labels[medial] = 4
    _cut(labels, z_mm, anterior, (5, 8), shares[4] / shares[[4, 7]].sum())
    _cut(labels, z_mm, posterior, (6, 7), shares[5] / shares[5:7].sum())
    _cut(labels, z_mm + 0.6 * y_mm, lateral, (3, 2), shares[2] / shares[1:3].sum())
    return labels


def _halves(score: np.ndarray, voxels: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Split voxels so that those of the lowest score make up a share of them."""
    low = score[voxels] <= np.quantile(score[voxels], share)
    return voxels[low], voxels[~low]


def _cut(labels: np.ndarray, score: np.ndarray, voxels: np.ndarray, names: tuple[int, int], share: float) -> None:
    for name, part in zip(names, _halves(score, voxels, share), strict=True):
        labels[part] = name
