"""Few doses that tell those of all voxels: coordinates to branch on, and how each voxel depends on them.

Coordinates are doses ``c = C x`` with one row of C for each: about the extreme rows of all voxels, or the sites
themselves if there are few.  Factors G >= 0 say that the dose of voxel v is at least (or at most) ``G_v c`` for all
activities x >= 0, because ``G_v C`` is nowhere above (below) its row.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from radioembolization.dose.threads import map_on_threads

#: As many sites are coordinates themselves.
_MOST_SITES = 6
#: Extreme rows: at what distance from the others, relative, they end; entries below this share of the largest are none.
_DISTANCE, _PURE = 0.005, 0.03
#: Extreme rows are looked for among as many voxels.
_SAMPLE = 60_000
_SMALL_DOSE = 1e-3
#: Voxels taken at a time, rounds of the gradient method, single coordinates tried first.
_BLOCK, _ROUNDS, _ROUNDS_BELOW, _PICKS = 1 << 16, 25, 40, 3
#: What is given away for rounding in float32.
_GIVEN_AWAY = np.float32(3e-6)


def coordinates(rows: list[np.ndarray], allowed: np.ndarray) -> np.ndarray:
    """Return C (coordinates, sites) for the rows (sites, voxels) of some structures.

    Every site that is allowed (sites,) and gives any dose has a part in one.
    """
    sites = np.flatnonzero(allowed)
    if len(sites) <= _MOST_SITES:
        return np.eye(len(allowed))[sites]
    found = np.zeros((0, len(allowed)))
    extreme = _extreme_rows(np.concatenate([_sample(r[sites]) for r in rows], axis=1))
    found = np.zeros((len(extreme), len(allowed)))
    found[:, sites] = extreme
    left = [site for site in sites if not found[:, site].any()]
    return np.concatenate([found, np.eye(len(allowed))[left]])


def _sample(rows: np.ndarray) -> np.ndarray:
    """Return the rows of some voxels, always the same."""
    if rows.shape[1] <= _SAMPLE:
        return rows
    chosen = np.random.default_rng(0).choice(rows.shape[1], _SAMPLE, replace=False)
    return rows[:, np.sort(chosen)]


def _extreme_rows(rows: np.ndarray) -> np.ndarray:
    """Return rows (coordinates, sites) of sum 1 far from each other, by successive projection."""
    total = rows.sum(axis=0, dtype=float)
    x = np.maximum(rows[:, total > _SMALL_DOSE * np.median(total)].astype(float), 0.0)
    x /= x.sum(axis=0)
    left, chosen = x.copy(), []
    for _ in range(min(x.shape)):
        square = np.einsum("sv,sv->v", left, left)
        voxel = int(square.argmax())
        if square[voxel] < _DISTANCE**2:
            break
        chosen.append(voxel)
        direction = left[:, voxel] / np.sqrt(square[voxel])
        left -= np.outer(direction, direction @ left)
    found = x[:, chosen].T.copy()
    found[found < _PURE * found.max(axis=1, keepdims=True)] = 0.0
    return found


def factors(rows: np.ndarray, matrix: np.ndarray, above: bool) -> np.ndarray:
    """Return factors (coordinates, voxels) of voxels with some rows (sites, voxels).

    Parameters
    ----------
    rows : ndarray (sites, voxels)
    matrix : ndarray (coordinates, sites)
        C.
    above : bool
        Whether ``G C`` is nowhere above the rows (negative entries count as zero); else nowhere below.
    """
    if np.all(np.isin(matrix, (0.0, 1.0))) and np.all(matrix.sum(axis=1) == 1.0):
        return np.maximum(rows[matrix.argmax(axis=1)], 0.0)
    sites = np.flatnonzero(matrix.any(axis=0))
    blocks = [slice(a, b) for a, b in pairwise([*range(0, rows.shape[1], _BLOCK), rows.shape[1]])]
    of = _from_below if above else _from_above
    single = matrix[:, sites].astype(np.float32)
    found = map_on_threads(lambda block: of(np.maximum(rows[sites, block], 0.0), single), blocks)
    return np.concatenate(list(found), axis=1)


def _nearest(x: np.ndarray, matrix: np.ndarray, rounds: int) -> np.ndarray:
    """Return factors (coordinates, voxels) whose rows are near x (sites, voxels), by accelerated gradients."""
    gram = matrix.astype(float) @ matrix.T
    steepest = np.linalg.eigvalsh(gram)[-1]
    gram = (gram / steepest).astype(np.float32)
    start = (matrix @ x) / np.float32(steepest)
    g = np.maximum(start, 0.0)
    ahead, momentum = g, 1.0
    for _ in range(rounds):
        new = np.maximum(ahead - gram @ ahead + start, 0.0)
        grown = (1.0 + np.sqrt(1.0 + 4.0 * momentum * momentum)) / 2.0
        ahead = new + np.float32((momentum - 1.0) / grown) * (new - g)
        g, momentum = new, grown
    return g


def _from_below(x: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return factors whose rows are nowhere above x (sites, voxels): near, then scaled down, then filled up."""
    support = [np.flatnonzero(row > 0) for row in matrix]
    g = _nearest(x, matrix, _ROUNDS)
    g[g < 1e-3 * g.max(axis=0)] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        row = matrix.T @ g
        room = np.where(row > 0, np.minimum(x / row, 1.0), 1.0).astype(np.float32)
    for k, sites in enumerate(support):
        g[k] *= room[sites].min(axis=0)
    size = matrix.sum(axis=1)
    best, other = _filled(x, matrix, support, g), _greedy(x, matrix, support, size)
    better = size @ other > size @ best
    best[:, better] = other[:, better]
    best *= 1.0 - _GIVEN_AWAY
    exceeds = matrix.astype(float).T @ best.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        fits = np.where(exceeds > 0, np.minimum(x / exceeds, 1.0), 1.0).min(axis=0)
    return np.where(fits < 1.0, best * (fits * (1.0 - 1e-6)), best).astype(np.float32)


def _largest(left: np.ndarray, row: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Return the largest factors (voxels,) on a coordinate that what is left (sites, voxels) holds."""
    found = left[sites[0]] / row[sites[0]]
    for site in sites[1:]:
        np.minimum(found, left[site] / row[site], out=found)
    return np.asarray(np.maximum(found, 0.0))


def _filled(x: np.ndarray, matrix: np.ndarray, support: list[np.ndarray], g: np.ndarray) -> np.ndarray:
    """Raise factors (coordinates, voxels) one by one as far as they go."""
    left = x - matrix.T @ g
    for k in np.argsort(-g.sum(axis=1), kind="stable"):
        more = _largest(left, matrix[k], support[k])
        g[k] += more
        for site in support[k]:
            left[site] -= matrix[k, site] * more
    return g


def _greedy(x: np.ndarray, matrix: np.ndarray, support: list[np.ndarray], size: np.ndarray) -> np.ndarray:
    """Return factors that give each voxel its largest single coordinates first."""
    left, voxels = x.copy(), np.arange(x.shape[1])
    g = np.zeros((len(matrix), x.shape[1]), dtype=np.float32)
    for _ in range(_PICKS):
        values = np.stack([_largest(left, matrix[k], support[k]) * size[k] for k in range(len(matrix))])
        best = values.argmax(axis=0)
        more = values[best, voxels] / size[best]
        g[best, voxels] += more
        left -= matrix[best].T * more
    return _filled(x, matrix, support, g)


def _from_above(x: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return factors whose rows are nowhere below x (sites, voxels): near, then raised where something lacks."""
    near = _nearest(x, matrix, _ROUNDS_BELOW)
    raised = near.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(x > 0, x / (matrix.T @ near), 0.0).max(axis=0)
    scale[~np.isfinite(scale)] = np.inf
    for site in range(len(x)):
        lacks = np.maximum(x[site] - matrix[:, site] @ raised, 0.0)
        purest = int(matrix[:, site].argmax())
        raised[purest] += lacks / matrix[purest, site]
    cheaper = near.sum(axis=0) * scale < raised.sum(axis=0)
    g = np.where(cheaper, near * np.where(np.isfinite(scale), scale, 0.0), raised) * (1.0 + _GIVEN_AWAY)
    row = matrix.astype(float).T @ g.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        lacks = np.where(x > 0, x / row, 0.0).max(axis=0)
    return np.where(lacks > 1.0, g * (lacks * (1.0 + 1e-6)), g).astype(np.float32)
