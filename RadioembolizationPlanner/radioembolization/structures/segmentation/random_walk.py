"""Probability that a random walker from each voxel first meets the inside of an organ."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import cg

#: The walker always crosses a little, so that the matrix stays definite; accuracy and steps of the solver.
_LEAST_WEIGHT = 1e-4
_TOLERANCE, _STEPS = 1e-3, 300


def walker_probability(
    values: np.ndarray, free: np.ndarray, inside: np.ndarray, prior: np.ndarray, contrast: float, trust: float
) -> np.ndarray:
    """Return the probability (z, y, x) that voxels belong to an organ.

    Minimizes the sum over neighbours of ``exp(-((v_i - v_j) / contrast)**2 / 4) (p_i - p_j)**2`` plus ``trust`` times
    the sum of ``prior (p - 1)**2 + (1 - prior) p**2``, with p = 1 inside and 0 in what is not free: the random walker
    (Grady, doi:10.1109/TPAMI.2006.233) with a prior of intensity (Grady, doi:10.1109/CVPR.2005.239).

    Parameters
    ----------
    values : ndarray (z, y, x)
        Smoothed image.
    free, inside : ndarray (z, y, x) of bool
        Where the walker may go; where it certainly is in the organ.
    prior : ndarray (z, y, x)
        Probability of belonging to the organ by the value alone.
    contrast : float
        Difference of neighbours that hinders the walker, in units of the values.
    trust : float
        Weight of the prior against that of one neighbour of the same value.
    """
    nodes = free & ~inside
    count = int(np.count_nonzero(nodes))
    probability = inside.astype(np.float32)
    if count == 0:
        return probability
    matrix, right = _equations(values, nodes, inside, contrast)
    diagonal = matrix.diagonal() + trust
    matrix = matrix + diags(np.full(count, trust))
    solution, _ = cg(
        matrix, right + trust * prior[nodes], rtol=_TOLERANCE, maxiter=_STEPS, M=diags(1.0 / diagonal), x0=prior[nodes]
    )
    probability[nodes] = solution
    return probability


def _equations(
    values: np.ndarray, nodes: np.ndarray, inside: np.ndarray, contrast: float
) -> tuple[coo_matrix, np.ndarray]:
    """Return the graph's Laplacian among the nodes, and what flows in from inside."""
    count = int(np.count_nonzero(nodes))
    number = np.zeros(values.shape, dtype=np.int64)
    number[nodes] = np.arange(count)
    diagonal, right = np.zeros(count), np.zeros(count)
    rows, columns, entries = [], [], []
    for axis in range(3):
        low, high = _pair(axis)
        weight = np.exp(-(((values[low] - values[high]) / contrast) ** 2) / 4.0) + _LEAST_WEIGHT
        for here, there in ((low, high), (high, low)):
            of_node = nodes[here]
            index, share = number[here][of_node], weight[of_node]
            diagonal += np.bincount(index, share, minlength=count)
            met = inside[there][of_node]
            right += np.bincount(index[met], share[met], minlength=count)
        both = nodes[low] & nodes[high]
        one, other = number[low][both], number[high][both]
        rows += [one, other]
        columns += [other, one]
        entries += [-weight[both]] * 2
    each = np.arange(count)
    places = (np.concatenate([*rows, each]), np.concatenate([*columns, each]))
    return coo_matrix((np.concatenate([*entries, diagonal]), places), shape=(count, count)).tocsr(), right


def _pair(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the slices of voxels and of their next neighbours along an axis."""
    low, high = [slice(None)] * 3, [slice(None)] * 3
    low[axis], high[axis] = slice(0, -1), slice(1, None)
    return tuple(low), tuple(high)
