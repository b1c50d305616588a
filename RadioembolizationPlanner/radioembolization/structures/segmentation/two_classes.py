"""Two overlapping classes of values, told apart by a mixture of two normal distributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Bins of the histogram, over the values between these percentiles.
_BINS, _PERCENTILES = 256, (0.1, 99.9)
#: Iterations end when the threshold moves by less than this share of a bin.
_ITERATIONS, _STEADY = 500, 0.01


@dataclass(frozen=True)
class TwoClasses:
    """Two normal distributions, the lower first.

    Parameters
    ----------
    means, deviations, shares : tuple of float
        Of the lower and the higher class.
    threshold : float
        Between the means, where both are equally likely.
    """

    means: tuple[float, float]
    deviations: tuple[float, float]
    shares: tuple[float, float]
    threshold: float

    @property
    def separation(self) -> float:
        """Distance of the means in deviations (Ashman 1994, https://doi.org/10.1086/117248).

        Below 2 there is no reason to see two classes.
        """
        return float((self.means[1] - self.means[0]) / np.sqrt(np.mean(np.square(self.deviations))))


def two_classes(values: np.ndarray) -> TwoClasses | None:
    """Fit two classes to values (n,), from Otsu's threshold on; None if the values do not vary.

    Expectation maximization on the histogram; unlike Otsu's threshold (https://doi.org/10.1109/TSMC.1979.4310076),
    that of the mixture is not drawn towards the larger class.
    """
    low, high = np.percentile(values, _PERCENTILES)
    if not high > low:
        return None
    counts, edges = np.histogram(np.clip(values, low, high), _BINS, (low, high))
    centres = 0.5 * (edges[1:] + edges[:-1])
    upper = (centres > _otsu(counts, centres)).astype(float)
    threshold = np.inf
    for _ in range(_ITERATIONS):
        means, deviations, shares = _moments(counts, centres, upper, edges[1] - edges[0])
        upper = _upper_probability(centres, means, deviations, shares)
        before, threshold = threshold, _crossing(centres, upper, means)
        if abs(threshold - before) < _STEADY * (edges[1] - edges[0]):
            break
    return TwoClasses(tuple(means), tuple(deviations), tuple(shares), threshold)  # type: ignore[arg-type]


def _otsu(counts: np.ndarray, centres: np.ndarray) -> float:
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    sums = np.cumsum(counts * centres)[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sums / below - (np.sum(counts * centres) - sums) / above
        between = np.nan_to_num(below * above * gap**2)
    best = np.flatnonzero(between >= between.max() * (1.0 - 1e-12))
    return float(0.5 * (centres[best[0]] + centres[best[-1] + 1]))


def _moments(
    counts: np.ndarray, centres: np.ndarray, upper: np.ndarray, bin_width: float
) -> tuple[list[float], list[float], list[float]]:
    means, deviations, shares = [], [], []
    for weight in (counts * (1.0 - upper), counts * upper):
        total = max(float(weight.sum()), 1e-9)
        mean = float(weight @ centres) / total
        means.append(mean)
        deviations.append(float(np.sqrt(weight @ (centres - mean) ** 2 / total + bin_width**2 / 12.0)))
        shares.append(total / float(counts.sum()))
    return means, deviations, shares


def _upper_probability(
    centres: np.ndarray, means: list[float], deviations: list[float], shares: list[float]
) -> np.ndarray:
    logs = [
        np.log(share / deviation) - 0.5 * ((centres - mean) / deviation) ** 2
        for mean, deviation, share in zip(means, deviations, shares, strict=True)
    ]
    return 1.0 / (1.0 + np.exp(np.clip(logs[0] - logs[1], -700.0, 700.0)))


def _crossing(centres: np.ndarray, upper: np.ndarray, means: list[float]) -> float:
    between = (centres >= means[0]) & (centres <= means[1])
    if between.sum() < 2:
        return 0.5 * (means[0] + means[1])
    return float(np.interp(0.5, np.maximum.accumulate(upper[between]), centres[between]))
