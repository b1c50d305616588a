"""BED of every structure for all schedules of a kind at once: what cycles give, and what sessions add to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.biology import mutual_protraction, protraction_factor

_HOURS_PER_WEEK = 168.0


@dataclass(frozen=True)
class Biology:
    """Tissue parameters of a structure: alpha/beta [Gy] and half-time of repair [h]."""

    alpha_beta_gy: float
    repair_half_time_h: float

    def curvature_per_gy(self, half_life_h: float) -> float:
        """Return k of ``BED = D (1 + k D)`` [1/Gy] for one exponential dose rate."""
        return protraction_factor(half_life_h, self.repair_half_time_h) / self.alpha_beta_gy


@dataclass(frozen=True, eq=False)
class Components:
    """Dose components of one structure, with known doses, for every schedule.

    Parameters
    ----------
    dose_gy : ndarray (components,)
    half_life_h : ndarray (components,)
    week : ndarray (schedules, components)
    """

    dose_gy: np.ndarray
    half_life_h: np.ndarray
    week: np.ndarray

    def bed_gy(self, biology: Biology) -> np.ndarray:
        """Return the BED (schedules,) of all components with their cross terms [Gy]."""
        own = sum(d * (1.0 + biology.curvature_per_gy(t) * d) for d, t in self._pairs())
        total = np.full(len(self.week), float(own))
        for i in range(len(self.dose_gy)):
            for j in range(i + 1, len(self.dose_gy)):
                mutual = _mutual(self.half_life_h[i], self.half_life_h[j], self.week[:, j] - self.week[:, i], biology)
                total += 2.0 * self.dose_gy[i] * self.dose_gy[j] * mutual / biology.alpha_beta_gy
        return total

    def slope_with(self, half_life_h: float, week: np.ndarray, biology: Biology) -> np.ndarray:
        """Return what a further dose adds per Gy of it, besides its own square (schedules,).

        Parameters
        ----------
        half_life_h : float
            Of the further dose.
        week : ndarray (schedules,)
            When it is given.
        biology : Biology
        """
        slope = np.ones(len(self.week))
        for i, (dose, own_half_life_h) in enumerate(self._pairs()):
            mutual = _mutual(own_half_life_h, half_life_h, week - self.week[:, i], biology)
            slope += 2.0 * dose * mutual / biology.alpha_beta_gy
        return slope

    def _pairs(self) -> list[tuple[float, float]]:
        return list(zip(self.dose_gy.tolist(), self.half_life_h.tolist(), strict=True))


def _mutual(first_h: float, second_h: float, weeks_between: np.ndarray, biology: Biology) -> np.ndarray:
    """Return the protraction factors between two dose rates (schedules,); a negative delay exchanges them."""
    delays, index = np.unique(weeks_between, return_inverse=True)
    repair_h = biology.repair_half_time_h
    values = [
        mutual_protraction(first_h, second_h, delay * _HOURS_PER_WEEK, repair_h)
        if delay >= 0
        else mutual_protraction(second_h, first_h, -delay * _HOURS_PER_WEEK, repair_h)
        for delay in delays.tolist()
    ]
    return np.array(values)[index.reshape(-1)]


def mutual_between_sessions(half_life_h: float, weeks_between: np.ndarray, biology: Biology) -> np.ndarray:
    """Return the protraction factor between two sessions of one device (schedules,)."""
    return _mutual(half_life_h, half_life_h, weeks_between, biology)
