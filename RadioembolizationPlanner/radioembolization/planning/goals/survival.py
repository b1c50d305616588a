"""The equivalent uniform dose as a goal, and what goals on surviving fractions share.

The surviving fraction of a tumour is ``SF = sum_v share_v exp(-alpha BED(d_v))``, ``BED(d) = d (1 + k d)``.  It is
convex in the activities if alpha >= 2 k (``check_convex_survival``), so that planes can touch it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.biology import equivalent_uniform_dose_gy
from radioembolization.dose import DosePerGBq, VoxelRows
from radioembolization.physics.checked_numbers import positive
from radioembolization.planning.goals.goal import Goal, tumours
from radioembolization.planning.goals.voxels import OfEveryTumour
from radioembolization.planning.linear_quadratic import OfTissue, check_convex_survival
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.supports import Support


@dataclass(frozen=True)
class OfSurvival(OfTissue, OfEveryTumour):
    """A goal on surviving fractions.

    Parameters
    ----------
    alpha_per_gy : float
        Radiosensitivity [1/Gy].  There is no default: what holds for external beams does not for microspheres
        (PMC6954459).
    alpha_beta_gy, repair_half_time_h : float, optional
        Ratio alpha/beta [Gy] and half-time of repair [h]; what is not given is that of ``tumour`` and an assumption.
    """

    alpha_per_gy: float
    alpha_beta_gy: float | None = None
    repair_half_time_h: float | None = None
    homogeneous: ClassVar[bool] = False
    summable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive("alpha", self.alpha_per_gy, "1/Gy")
        _ = self.biology  # refuses parameters that are missing or impossible

    @property
    def tissue_used(self) -> str:
        return "tumour"

    @property
    def parameters(self) -> str:
        """The parameters in words."""
        return f"alpha {self.alpha_per_gy:g}/Gy, {self.biology}"

    def curvature(self, dose: DosePerGBq, convex: bool = False) -> float:
        """Return k of ``BED(d) = d (1 + k d)`` [1/Gy]; if survival must be convex and is not, a ``LimitError``."""
        k = self.biology.curvature_per_gy(dose.settings.device)
        if convex:
            check_convex_survival(self.alpha_per_gy, k)
        return k


@dataclass(frozen=True)
class LowestEUD(OfSurvival):
    """The lowest equivalent uniform dose of any tumour, maximized: the uniform dose of equal survival.

    Survival averaging of Niemierko 1997 (10.1118/1.598063) with the BED of permanent implants.  It is quasi-concave
    only; ``margin`` tells by planes where it reaches a level.
    """

    @property
    def name(self) -> str:
        return f"lowest equivalent uniform dose of any tumour ({self.parameters})"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        x, biology = np.asarray(activities_gbq, dtype=float), self.biology
        parameters = (self.alpha_per_gy, biology.alpha_beta_gy, biology.repair_half_time_h)
        half_life_h = dose.settings.device.nuclide.half_life_h
        every = [dose.voxel_rows(tumour.name) for tumour in tumours(dose)]
        return min(equivalent_uniform_dose_gy(r.exact_dose_gy(x), *parameters, half_life_h, r.share) for r in every)

    def margin(self, dose: DosePerGBq, level: float) -> Goal:
        self.curvature(dose, convex=True)
        return EUDMargin(self, level)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        raise NotImplementedError("An equivalent uniform dose is quasi-concave: its margins have planes.")

    def expression(self, model: Model) -> Any:
        """Full-voxel reference for its value; cvxpy cannot optimize it, because it is not concave."""
        cp, k, values = cvxpy(), self.curvature(model.dose), []
        for tumour in tumours(model.dose):
            rows = model.dose.voxel_rows(tumour.name)
            d = rows.rows.T.astype(float) @ model.activities
            uniform_bed = -cp.log_sum_exp(np.log(rows.share) - self.alpha_per_gy * (d + k * d**2)) / self.alpha_per_gy
            values.append((cp.sqrt(1.0 + 4.0 * k * uniform_bed) - 1.0) / (2.0 * k))
        return cp.min(cp.hstack(values))


@dataclass(frozen=True)
class EUDMargin(OfEveryTumour):
    """How far every tumour is beyond an equivalent uniform dose L, as a concave number that is zero there.

    ``min_k (1 - SF_k / SF(L)) / (alpha BED'(L))`` [Gy]: close to L it is EUD - L.  Terms of voxels as in
    ``surviving``, which change no sign.

    Parameters
    ----------
    goal : LowestEUD
    level_gy : float
    """

    goal: LowestEUD
    level_gy: float
    homogeneous: ClassVar[bool] = False
    summable: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return f"{self.goal.name} beyond {self.level_gy:g} Gy"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        x, k = np.asarray(activities_gbq, dtype=float), self.goal.curvature(dose, convex=True)
        every = [dose.voxel_rows(tumour.name) for tumour in tumours(dose)]
        ratios = [float(self._terms(rows.exact_dose_gy(x), rows, k)[0].sum()) for rows in every]
        return (1.0 - max(ratios)) / self._scale(k)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        x, k, supports = np.asarray(activities_gbq, dtype=float), self.goal.curvature(dose, convex=True), []
        for tumour in tumours(dose):
            rows = dose.voxel_rows(tumour.name)
            terms, slopes = self._terms(rows.exact_dose_gy(x) if exact else rows.dose_gy(x), rows, k)
            row = rows.weighted_row(-slopes / self._scale(k), exact)
            supports.append(Support(row, (1.0 - float(terms.sum())) / self._scale(k) - float(row @ x)))
        return supports

    def expression(self, model: Model) -> Any:
        """Full-voxel reference for its value where no voxel is very cold; not in the form cvxpy can optimize."""
        cp, alpha, k, values = cvxpy(), self.goal.alpha_per_gy, self.goal.curvature(model.dose), []
        at_level = self.level_gy * (1.0 + k * self.level_gy)
        for tumour in tumours(model.dose):
            rows = model.dose.voxel_rows(tumour.name)
            d = rows.rows.T.astype(float) @ model.activities
            values.append((1.0 - rows.share @ cp.exp(alpha * (at_level - d - k * d**2))) / self._scale(k))
        return cp.min(cp.hstack(values))

    def _scale(self, k: float) -> float:
        return self.goal.alpha_per_gy * (1.0 + 2.0 * k * self.level_gy)

    def _terms(self, dose_gy: np.ndarray, rows: VoxelRows, k: float) -> tuple[np.ndarray, np.ndarray]:
        log_number = self.goal.alpha_per_gy * self.level_gy * (1.0 + k * self.level_gy)
        return surviving(dose_gy, rows, log_number, self.goal.alpha_per_gy, k)


def surviving(
    dose_gy: np.ndarray, rows: VoxelRows, log_number: float, alpha: float, k: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``number share_v exp(-alpha BED(d_v))`` of each voxel (voxels,), and its slope [1/Gy].

    Where a term is above one it is continued by its tangent at one.  So the sum is at most one exactly where the sum
    of the terms themselves is, no term overflows, and planes that touch the sum stay of moderate size.

    Parameters
    ----------
    dose_gy : ndarray (voxels,)
    rows : VoxelRows
    log_number : float
        Logarithm of the number.
    alpha, k : float
        [1/Gy]
    """
    d = dose_gy.astype(float)
    with np.errstate(divide="ignore"):
        bed = (log_number + np.log(rows.share)) / alpha  # where the term is one
    edge = np.maximum(bed, 0.0)
    edge = 2.0 * edge / (1.0 + np.sqrt(1.0 + 4.0 * k * edge))
    beyond = np.maximum(d, edge)
    terms = np.exp(alpha * (bed - beyond * (1.0 + k * beyond)))
    slopes = -alpha * (1.0 + 2.0 * k * beyond) * terms
    return terms + slopes * (d - beyond), slopes
