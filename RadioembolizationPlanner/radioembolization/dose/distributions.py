"""Distributions of what is uncertain, by their quantiles, so that draws can be shared and moments are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Normal:
    """A normal distribution, perhaps cut at both ends.

    Parameters
    ----------
    mean, sd : float
        Before it is cut.
    lowest, highest : float
    """

    mean: float
    sd: float
    lowest: float = -np.inf
    highest: float = np.inf

    def quantile(self, probability: np.ndarray) -> np.ndarray:
        """Return the value below which a share of all values lies."""
        return truncated_quantile(probability, self.mean, self.sd, self.lowest, self.highest)

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation, cut as it is."""
        if self.sd == 0.0:
            return float(np.clip(self.mean, self.lowest, self.highest)), 0.0
        ends = (np.array([self.lowest, self.highest]) - self.mean) / self.sd
        inside = float(np.diff(special.ndtr(ends))[0])
        density = np.exp(-0.5 * ends**2) / np.sqrt(2.0 * np.pi) / inside
        shift = float(density[0] - density[1])
        with np.errstate(invalid="ignore"):
            edges = np.nan_to_num(ends * density)
        return self.mean + self.sd * shift, self.sd * float(np.sqrt(1.0 + edges[0] - edges[1] - shift**2))


@dataclass(frozen=True)
class LogNormal:
    """A distribution whose logarithm is normal, perhaps cut at both ends.

    Parameters
    ----------
    median : float
        Before it is cut.
    sd_log : float
        Standard deviation of the natural logarithm.
    lowest, highest : float
    """

    median: float
    sd_log: float
    lowest: float = 0.0
    highest: float = np.inf

    def quantile(self, probability: np.ndarray) -> np.ndarray:
        """Return the value below which a share of all values lies."""
        low = np.log(self.lowest) if self.lowest > 0 else -np.inf
        return np.exp(
            truncated_quantile(probability, float(np.log(self.median)), self.sd_log, low, float(np.log(self.highest)))
        )

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation, cut as it is."""
        if self.sd_log == 0.0:
            return self.median, 0.0
        first, second = self._raw(1), self._raw(2)
        return first, float(np.sqrt(max(second - first**2, 0.0)))

    def _raw(self, power: int) -> float:
        centre, s = float(np.log(self.median)), self.sd_log
        low = (np.log(self.lowest) - centre) / s if self.lowest > 0 else -np.inf
        high = (np.log(self.highest) - centre) / s
        inside = special.ndtr(high) - special.ndtr(low)
        moved = special.ndtr(high - power * s) - special.ndtr(low - power * s)
        return float(np.exp(power * centre + 0.5 * (power * s) ** 2) * moved / inside)


@dataclass(frozen=True)
class Mixture:
    """Mostly one distribution; with some probability a value anywhere between two others, all equally likely.

    Parameters
    ----------
    usual : LogNormal
    probability : float
        Of a value between ``low`` and ``high``.
    low, high : float
        Not below the highest usual value.
    """

    usual: LogNormal
    probability: float
    low: float
    high: float

    def quantile(self, probability: np.ndarray) -> np.ndarray:
        """Return the value below which a share of all values lies."""
        p, rare = np.asarray(probability, dtype=float), self.probability
        usual = self.usual.quantile(np.clip(p / (1.0 - rare), 0.0, 1.0)) if rare < 1.0 else np.zeros_like(p)
        beyond = self.low + (self.high - self.low) * (p - (1.0 - rare)) / max(rare, 1e-300)
        return np.where(p < 1.0 - rare, usual, beyond)

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        (mean, sd), p = self.usual.moments, self.probability
        between, width = (self.low + self.high) / 2.0, self.high - self.low
        first = (1.0 - p) * mean + p * between
        second = (1.0 - p) * (sd**2 + mean**2) + p * (width**2 / 12.0 + between**2)
        return first, float(np.sqrt(second - first**2))


Distribution = Normal | LogNormal | Mixture


def truncated_quantile(
    probability: np.ndarray,
    mean: float,
    sd: float,
    lowest: float | np.ndarray = -np.inf,
    highest: float | np.ndarray = np.inf,
) -> np.ndarray:
    """Return quantiles of a normal distribution cut at both ends; ends may differ from value to value."""
    if sd == 0.0:
        return np.clip(np.full(np.shape(probability), mean), lowest, highest)
    low, high = special.ndtr((lowest - mean) / sd), special.ndtr((highest - mean) / sd)
    inside = mean + sd * special.ndtri(low + np.asarray(probability, dtype=float) * (high - low))
    return np.asarray(np.clip(inside, lowest, highest))
