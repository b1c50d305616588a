"""Volumes in proportion to flow: distances less a head start for each branch, fitted to its share of the flow."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from radioembolization.errors import FlowNotMet
from radioembolization.territories.branches.distances import NO_WAY_MM, BranchDistances, branch_distances
from radioembolization.territories.branches.geodesic import Source, Space
from radioembolization.territories.branches.sources import warn_of_pieces

#: Softness [voxels] at which sharp borders are fitted: the volumes of soft and sharp territories then agree.
_SHARP = 0.5
#: Exponent of shares too small to matter; products of two are still normal numbers, which are far faster to handle.
_NEGLIGIBLE = np.float32(40.0)
#: Shares below this are dropped, and the rest of the voxel scaled up to one.
_LEAST_SHARE = 3e-4
_TOLERANCE, _MOST_STEPS, _SHARP_STEPS = 1e-3, 25, 8
#: Of the liver, added to a terminal's part where errors are judged: tiny parts are of no weight.
_SLACK = 1e-3
#: Of flow not met, relative to the whole liver, to warn at.
_WARNED = 0.01
_CHUNK = 8_000
#: Softness [mm] of the fits that lead up to the wanted one, each beginning with the head starts of the one before.
_LADDER_MM = (40.0, 10.0, 2.5, 1.0)


@dataclass(frozen=True, eq=False)
class _Voxels:
    """Distances of voxels, in chunks that fit into memory: all of one kind of grid."""

    chunks: Sequence[np.ndarray]  # (terminals, voxels) each [mm]

    @property
    def count(self) -> int:
        return sum(chunk.shape[1] for chunk in self.chunks)

    def masses(self, start_mm: np.ndarray, softness_mm: float) -> tuple[float, np.ndarray, np.ndarray]:
        """Return dual value [mm], voxels of each terminal and their derivatives by the head starts [1/mm]."""
        value, mass, product = 0.0, np.zeros(len(start_mm)), np.zeros((len(start_mm),) * 2)
        for chunk in self.chunks:
            share, free = soft_shares(chunk, start_mm, softness_mm)
            value += float(free.sum(dtype=float))
            mass += share.sum(axis=1, dtype=float)
            product += share @ share.T
        return value, mass, (np.diag(mass) - product) / softness_mm


def flow_weighted_shares(
    space: Space,
    sources: Sequence[Source],
    flow: np.ndarray,
    watershed_mm: float,
    geodesic: bool = True,
    names: Sequence[str] = (),
) -> sparse.csr_array:
    """Return the share of each voxel's blood by terminal (terminals, voxels inside).

    ``share_l(v) ~ exp(-2 (d_l(v) - s_l) / watershed)`` with distances d and head starts s, which are chosen such that
    the volume of each terminal is its share of the flow: the transport of blood to voxels with the least total
    distance, softened by entropy (10.1561/2200000073, chapters 4 and 5).  The head starts are unique but for a common
    constant, and maximize a concave function, so that damped Newton steps find them.

    Parameters
    ----------
    space : Space
    sources : sequence of Source
    flow : ndarray (terminals,)
        Adds up to one.
    watershed_mm : float
        0 for sharp borders.
    geodesic : bool
    names : sequence of str
        Of the terminals, for warnings.
    """
    distances = branch_distances(space, sources, geodesic)
    softness = max(watershed_mm / 2.0, _SHARP * min(space.grid.spacing_mm))
    warn_of_pieces(distances.apart, len(space.voxels), space.grid.voxel_ml)
    target = _attainable(distances, flow, names)
    start = np.zeros(len(flow))  # [mm]
    coarse = _Voxels([distances.nodes_mm])
    for blur in _LADDER_MM:
        if blur > softness:
            start = fitted(coarse, target, start, blur)
    fine = list(distances.voxels_mm(_CHUNK))
    start = fitted(_Voxels(fine), target, start, softness)
    if watershed_mm == 0:
        start = _sharpened(_Voxels(fine), target, start, softness)
    shares = sparse.hstack([_kept(chunk, start, softness, sharp=watershed_mm == 0) for chunk in fine], format="csr")
    _warn_of_misses(np.asarray(shares.sum(axis=1)).ravel() / len(space.voxels), target, names)
    return shares


def soft_shares(distance_mm: np.ndarray, start_mm: np.ndarray, softness_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return shares (terminals, voxels), and the soft least distance (voxels,) [mm]."""
    score = (start_mm.astype(np.float32)[:, None] - distance_mm) / np.float32(softness_mm)
    top = score.max(axis=0)
    share = np.exp(np.maximum(score - top, -_NEGLIGIBLE))
    total = share.sum(axis=0)
    share /= total
    return share, -np.float32(softness_mm) * (top + np.log(total))


def fitted(voxels: _Voxels, target: np.ndarray, start_mm: np.ndarray, softness_mm: float) -> np.ndarray:
    """Return the head starts (terminals,) [mm] for which each terminal has its share of the voxels.

    Damped Newton steps on the concave dual; the damping falls with the error, so that the end is quadratic and a
    terminal without any voxel still moves.
    """
    start, wanted = start_mm, target * voxels.count
    value, mass, slope = voxels.masses(start, softness_mm)
    for _ in range(_MOST_STEPS):
        miss = wanted - mass
        error = _worst(miss, wanted)
        if error < _TOLERANCE:
            break
        damping = min(0.1, error) * np.diag(wanted) / softness_mm
        step = np.linalg.solve(slope + damping, miss)
        gain, length = float(step @ miss), 1.0
        while length > 0.05:
            tried = voxels.masses(start + length * step, softness_mm)
            risen = tried[0] - value + length * float(wanted @ step)
            if risen >= 0.1 * length * gain or _worst(wanted - tried[1], wanted) < 0.5 * error:
                break
            length /= 2.0
        else:
            break
        start = start + length * step
        value, mass, slope = tried
    return start - start.mean()


def _warn_of_misses(volume: np.ndarray, target: np.ndarray, names: Sequence[str]) -> None:
    """Warn of terminals whose share of the liver is not that of the flow after all."""
    missed = np.flatnonzero(np.abs(volume - target) > _WARNED * np.maximum(0.1, target)).tolist()
    if missed:
        listed = ", ".join(f"{names[i]} ({volume[i]:.1%} for {target[i]:.1%})" for i in missed)
        warnings.warn(
            f"Territories whose share of the liver is not that of the flow: {listed}. Their branches lie too close to "
            "others for a border between them; wider watersheds help.",
            FlowNotMet,
            stacklevel=4,
        )


def _sharpened(voxels: _Voxels, target: np.ndarray, start_mm: np.ndarray, softness_mm: float) -> np.ndarray:
    """Return head starts for sharp borders: of steps as for soft ones, that with the least volume amiss."""
    wanted = target * voxels.count
    slope = voxels.masses(start_mm, softness_mm)[2] + 0.1 * np.diag(wanted) / softness_mm
    tried, best, least = start_mm, start_mm, np.inf
    for _ in range(_SHARP_STEPS):
        mass = sum(np.bincount(_first(chunk, tried), minlength=len(tried)) for chunk in voxels.chunks)
        error = float(np.abs(wanted - mass).sum())
        if error < least:
            best, least = tried, error
        tried = tried + 0.5 * np.linalg.solve(slope, wanted - mass)
    return best


def _worst(miss: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.max(np.abs(miss) / (wanted + _SLACK * wanted.sum())))


def _first(distance_mm: np.ndarray, start_mm: np.ndarray) -> np.ndarray:
    start = start_mm.astype(np.float32)
    least, first = distance_mm[0] - start[0], np.zeros(distance_mm.shape[1], dtype=int)
    for number in range(1, len(start)):  # several times as fast as argmin along the first axis
        way = distance_mm[number] - start[number]
        nearer = way < least
        least[nearer], first[nearer] = way[nearer], number
    return first


def _attainable(distances: BranchDistances, flow: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return each terminal's share of the liver: of its flow where the liver is one piece, otherwise within pieces."""
    reach = np.stack([np.bincount(distances.pieces, weights=row < NO_WAY_MM / 2) > 0 for row in distances.nodes_mm])
    group = csgraph.connected_components(sparse.csr_array(reach @ reach.T), directed=False)[1]
    volume = np.zeros(group.max() + 1)
    owner = group[np.argmax(reach, axis=0)]  # of every piece
    np.add.at(volume, owner, np.bincount(distances.pieces) / len(distances.pieces))
    of_group = np.bincount(group, weights=flow)
    if np.max(np.abs(volume - of_group)) > _WARNED:
        worst = int(np.argmax(np.abs(volume - of_group)))
        listed = ", ".join(name for name, number in zip(names, group, strict=True) if number == worst)
        warnings.warn(
            f"The liver is in pieces that no branch enters together: {listed} carry {of_group[worst]:.0%} of the flow "
            f"into {volume[worst]:.0%} of the liver. Volumes follow the flow within each piece only.",
            FlowNotMet,
            stacklevel=4,
        )
    return flow * (volume / of_group)[group]


def _kept(distance_mm: np.ndarray, start_mm: np.ndarray, softness_mm: float, sharp: bool) -> sparse.csr_array:
    """Return the shares of some voxels (terminals, voxels) without negligible ones."""
    if sharp:
        nearest = _first(distance_mm, start_mm)
        columns = np.arange(len(nearest))
        return sparse.csr_array((np.ones(len(nearest)), (nearest, columns)), shape=distance_mm.shape)
    share = soft_shares(distance_mm, start_mm, softness_mm)[0].astype(float)
    share[share < _LEAST_SHARE] = 0.0
    return sparse.csr_array(share / share.sum(axis=0))
