"""Dose-response curves: the probability of tumour control or of a complication."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit, ndtr

from radioembolization.biology.eud import generalized_eud_gy
from radioembolization.physics.checked_numbers import not_negative, positive


class ResponseCurve(Protocol):
    """A probability that rises with dose, 0.5 at ``d50_gy``."""

    @property
    def d50_gy(self) -> float:
        """Dose of 50 % probability [Gy]."""
        ...

    def probability(self, dose_gy: float) -> float:
        """Return the probability of a uniform dose [Gy]."""
        ...


@dataclass(frozen=True)
class LogisticResponse:
    """Log-logistic curve, ``P = 1 / (1 + (D50 / D)^(4 gamma))``.

    Gay and Niemierko 2007, 10.1016/j.ejmp.2007.07.001.

    Parameters
    ----------
    d50_gy : float
        Dose (or BED, as long as the curve is asked for BED) of 50 % probability [Gy].
    gamma : float
        Normalised slope there: rise of P per relative rise of D.
    """

    d50_gy: float
    gamma: float

    def __post_init__(self) -> None:
        """Refuse parameters that are not positive."""
        positive("D50", self.d50_gy, "Gy")
        positive("Slope gamma", self.gamma, "")

    def probability(self, dose_gy: float) -> float:
        """Return the probability of a uniform dose, or of an equivalent uniform one [Gy]."""
        if not_negative("Dose", dose_gy, "Gy") == 0.0:
            return 0.0
        return float(expit(4.0 * self.gamma * (math.log(dose_gy) - math.log(self.d50_gy))))


@dataclass(frozen=True)
class ProbitResponse:
    """Curve of Lyman, Kutcher and Burman, ``P = Phi((D - TD50) / (m TD50))`` with D = ``(sum v_i D_i^(1/n))^n``.

    With n = 1, D is the mean dose; Dawson et al. 2002, 10.1016/S0360-3016(02)02846-8.  At D = 0 the probability is
    ``Phi(-1/m)``, not zero.

    Parameters
    ----------
    d50_gy : float
        TD50: dose to the whole organ of 50 % probability [Gy].
    m : float
        Relative width of the curve; its normalised slope is ``1 / (m sqrt(2 pi))``.
    n : float
        Volume effect: 1 for the mean dose, towards 0 for the highest.
    """

    d50_gy: float
    m: float
    n: float = 1.0

    def __post_init__(self) -> None:
        """Refuse parameters that are not positive."""
        positive("TD50", self.d50_gy, "Gy")
        positive("Slope m", self.m, "")
        positive("Volume parameter n", self.n, "")

    def probability(self, dose_gy: float) -> float:
        """Return the probability of a uniform dose of the whole organ [Gy]."""
        return float(ndtr((not_negative("Dose", dose_gy, "Gy") / self.d50_gy - 1.0) / self.m))

    def probability_of_voxels(self, dose_gy: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Return the probability of uneven doses (voxels,) [Gy], with the volume of each in any unit."""
        return self.probability(generalized_eud_gy(dose_gy, 1.0 / self.n, weights))
