"""The probability of tumour control as a goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq, VoxelRows
from radioembolization.errors import LimitError
from radioembolization.physics.checked_numbers import positive
from radioembolization.planning.goals.goal import Goal, tumours
from radioembolization.planning.goals.survival import OfSurvival, surviving
from radioembolization.planning.goals.voxels import OfEveryTumour
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.supports import Support

#: No plan reaches a level of zero; it is taken as this.
_HIGHEST_LEVEL = -1e-300


@dataclass(frozen=True)
class LogTumourControl(OfSurvival):
    """Logarithm of the probability that no clonogenic cell of any tumour survives, maximized.

    ``ln TCP = -sum_k N_k SF_k``, Poisson statistics with the number N_k of clonogenic cells of each tumour.  It is
    concave, but far from the optimum so steep that its planes are useless in a linear program; ``margin`` is not.

    Parameters
    ----------
    clonogens_per_ml : float, optional
        Density of clonogenic cells [1/mL] ...
    clonogens : float, optional
        ... or their number in each tumour; one of the two.
    """

    unit: ClassVar[str] = ""
    clonogens_per_ml: float | None = None
    clonogens: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [number for number in (self.clonogens_per_ml, self.clonogens) if number is not None]
        if len(given) != 1:
            raise LimitError("The tumour control probability needs either clonogens_per_ml or clonogens (per tumour).")
        positive("The number of clonogenic cells", given[0], "")

    @property
    def name(self) -> str:
        number = (
            f"{self.clonogens:g} clonogens in each" if self.clonogens else f"{self.clonogens_per_ml:g} clonogens/mL"
        )
        return f"ln of the control probability of all tumours ({number}, {self.parameters})"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        x, k, total = np.asarray(activities_gbq, dtype=float), self.curvature(dose), 0.0
        for rows, number in self.with_numbers(dose):
            d = rows.exact_dose_gy(x)
            total -= number * float(rows.share @ np.exp(-self.alpha_per_gy * d * (1.0 + k * d)))
        return total

    def margin(self, dose: DosePerGBq, level: float) -> Goal:
        self.curvature(dose, convex=True)
        return ControlMargin(self, level)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        x, k = np.asarray(activities_gbq, dtype=float), self.curvature(dose, convex=True)
        row, height = np.zeros(len(x)), 0.0
        for rows, number in self.with_numbers(dose):
            d = (rows.exact_dose_gy(x) if exact else rows.dose_gy(x)).astype(float)
            survivors = number * rows.share * np.exp(-self.alpha_per_gy * d * (1.0 + k * d))
            row += rows.weighted_row(self.alpha_per_gy * (1.0 + 2.0 * k * d) * survivors, exact)
            height -= float(survivors.sum())
        return [Support(row, height - float(row @ x))]

    def expression(self, model: Model) -> Any:
        """Full-voxel reference for its value; concave, but not in the form cvxpy can optimize."""
        k, total = self.curvature(model.dose), 0.0
        for rows, number in self.with_numbers(model.dose):
            d = rows.rows.T.astype(float) @ model.activities
            total -= number * (rows.share @ cvxpy().exp(-self.alpha_per_gy * (d + k * d**2)))
        return total

    def with_numbers(self, dose: DosePerGBq) -> list[tuple[VoxelRows, float]]:
        """Return the rows and the number of clonogenic cells of each tumour."""
        density = self.clonogens_per_ml or 0.0
        return [(dose.voxel_rows(t.name), self.clonogens or density * t.volume_ml) for t in tumours(dose)]


@dataclass(frozen=True)
class ControlMargin(OfEveryTumour):
    """By which share fewer cells survive than at a level of ln TCP: ``1 - sum_k N_k SF_k / (-level)``, concave.

    Zero at the level; terms of voxels as in ``surviving``, which change no sign.

    Parameters
    ----------
    goal : LogTumourControl
    level : float
        Below zero; no plan reaches another.
    """

    unit: ClassVar[str] = ""
    goal: LogTumourControl
    level: float
    homogeneous: ClassVar[bool] = False
    summable: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return f"{self.goal.name} beyond {self.level:g}"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        x, k = np.asarray(activities_gbq, dtype=float), self.goal.curvature(dose, convex=True)
        every = self.goal.with_numbers(dose)
        return 1.0 - sum(float(self._terms(rows.exact_dose_gy(x), rows, n, k)[0].sum()) for rows, n in every)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        x, k = np.asarray(activities_gbq, dtype=float), self.goal.curvature(dose, convex=True)
        row, height = np.zeros(len(x)), 1.0
        for rows, number in self.goal.with_numbers(dose):
            terms, slopes = self._terms(rows.exact_dose_gy(x) if exact else rows.dose_gy(x), rows, number, k)
            row -= rows.weighted_row(slopes, exact)
            height -= float(terms.sum())
        return [Support(row, height - float(row @ x))]

    def expression(self, model: Model) -> Any:
        """Full-voxel reference for its value where no voxel is very cold; not in the form cvxpy can optimize."""
        return 1.0 - self.goal.expression(model) / self.level

    def _terms(self, dose_gy: np.ndarray, rows: VoxelRows, number: float, k: float) -> tuple[np.ndarray, np.ndarray]:
        log_number = float(np.log(number) - np.log(-min(self.level, _HIGHEST_LEVEL)))
        return surviving(dose_gy, rows, log_number, self.goal.alpha_per_gy, k)
