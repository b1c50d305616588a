"""Mean biologically effective dose of a structure, from the mean and the mean square of its doses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.biology import dose_of_bed_gy
from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.planning.limits import Limit, Quantity
from radioembolization.planning.linear_quadratic import OfTissue
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.quantities.linear import printed, quotient
from radioembolization.planning.supports import Support
from radioembolization.structures import NORMAL_LIVER


@dataclass(frozen=True)
class MeanBED(OfTissue, Quantity):
    """Mean BED of a structure: ``m x + k x Q x``, exact over all voxels.

    ``BED = D (1 + k D)`` of each voxel with ``k = G / (alpha/beta)`` and the physical half-life of the device; m is the
    mean of the dose rows and Q of their products (``VoxelRows.gram``).  Dale 1985, 10.1259/0007-1285-58-690-515.  The
    BED of one device says nothing about another: 93 Gy after resin, 250 after glass and 115 of external beams had the
    same complications (10.2967/jnumed.113.135301).

    Parameters
    ----------
    structure : str
    alpha_beta_gy, repair_half_time_h : float, optional
        Ratio alpha/beta [Gy] and half-time of repair [h]; what is not given is that of ``tissue`` and an assumption.
    tissue : str
        As for ``biology.tissue_biology``; the normal liver needs none.
    """

    structure: str
    alpha_beta_gy: float | None = None
    repair_half_time_h: float | None = None
    tissue: str = ""
    homogeneous: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _ = self.biology  # refuses parameters that are missing or impossible

    @property
    def tissue_used(self) -> str:
        return self.tissue or (NORMAL_LIVER if self.structure == NORMAL_LIVER else "")

    @property
    def name(self) -> str:
        return f"mean BED, {printed(self.structure)} ({self.biology})"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        x = np.asarray(activities_gbq, dtype=float)
        row, quadratic = self._terms(dose)
        return float(row @ x + x @ quadratic @ x)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        x = np.asarray(activities_gbq, dtype=float)
        row, quadratic = self._terms(dose)
        return [Support(row + 2.0 * quadratic @ x, -float(x @ quadratic @ x))]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        rows = model.dose.voxel_rows(self.structure)
        doses = rows.rows.T.astype(float) @ model.activities
        k = self.biology.curvature_per_gy(model.dose.settings.device)
        return [rows.share @ (doses + k * cvxpy().square(doses)) <= bound + slack]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        """Activities whose uniform dose has the BED: no uneven dose of the same mean has less."""
        biology, half_life_h = self.biology, dose.settings.device.nuclide.half_life_h
        uniform = dose_of_bed_gy(bound, biology.alpha_beta_gy, biology.repair_half_time_h, half_life_h)
        return quotient(uniform, dose.structure_row(self.structure))

    def largest_scale(self, dose: DosePerGBq, activities_gbq: np.ndarray, bound: float) -> float:
        x = np.asarray(activities_gbq, dtype=float)
        row, quadratic = self._terms(dose)
        first, second = float(row @ x), float(x @ quadratic @ x)
        return 2.0 * bound / (first + np.sqrt(first**2 + 4.0 * second * bound)) if first > 0 else np.inf

    def _terms(self, dose: DosePerGBq) -> tuple[np.ndarray, np.ndarray]:
        """Return m (sites,) and k Q (sites, sites)."""
        k = self.biology.curvature_per_gy(dose.settings.device)
        return dose.structure_row(self.structure), k * dose.voxel_rows(self.structure).gram

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        if not upper:
            raise LimitError(f"The {self.name} cannot be limited to at least a value: that is not a convex limit.")
        return super()._limit(bound, upper)
