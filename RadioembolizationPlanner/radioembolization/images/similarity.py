"""How well the values of two images go together, whatever their units."""

from __future__ import annotations

import numpy as np

#: Values of each image are sorted into so many bins.
BINS = 32


def normalized_mutual_information(first: np.ndarray, second: np.ndarray, bins: int = BINS) -> float:
    """Return the normalized mutual information of values at the same places: 1 for independent, 2 for one-to-one.

    ``(H(A) + H(B)) / H(A, B)`` of the joint histogram, which changes least with the size of the overlap
    (Studholme, Hill and Hawkes, Pattern Recognition 32:71, 1999, doi:10.1016/S0031-3203(98)00091-0).

    Parameters
    ----------
    first, second : ndarray (values,)
        Equally many; bins run evenly from the lowest to the highest.
    bins : int
    """
    joint = np.bincount(_binned(first, bins) * bins + _binned(second, bins), minlength=bins * bins)
    share = joint.reshape(bins, bins) / max(1, joint.sum())
    together = _entropy(share.ravel())
    return 1.0 if together == 0.0 else (_entropy(share.sum(axis=0)) + _entropy(share.sum(axis=1))) / together


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Pearson's correlation of values at the same places; 0 if either is constant."""
    a, b = first - first.mean(dtype=float), second - second.mean(dtype=float)
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0.0 else 0.0


def _binned(values: np.ndarray, bins: int) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(len(values), dtype=np.intp)
    return np.minimum((values - low) * (bins / (high - low)), bins - 1).astype(np.intp)


def _entropy(share: np.ndarray) -> float:
    filled = share[share > 0]
    return float(-(filled * np.log(filled)).sum())
