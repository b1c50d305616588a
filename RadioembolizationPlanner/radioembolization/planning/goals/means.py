"""Goals on mean doses."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.goals.goal import Goal, tumours
from radioembolization.planning.kept import once_per_dose
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.supports import Support


@once_per_dose
def tumour_mean_rows(dose: DosePerGBq) -> np.ndarray:
    """Return the mean dose per GBq of each site in each tumour (tumours, sites) [Gy/GBq]."""
    return np.stack([dose.structure_row(tumour.name) for tumour in tumours(dose)])


@once_per_dose
def _tumour_and_part_rows(dose: DosePerGBq) -> np.ndarray:
    return np.unique(np.vstack([tumour_mean_rows(dose), dose.tumour_part_rows]), axis=0)


class LowestOf(Goal):
    """The lowest of several mean doses, maximized."""

    finite: ClassVar[bool] = True

    @abstractmethod
    def rows(self, dose: DosePerGBq) -> np.ndarray:
        """Mean dose per GBq of each site (means, sites) [Gy/GBq]."""

    @property
    def maximized(self) -> bool:
        return True

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(np.min(self.rows(dose) @ activities_gbq))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        return [Support(row) for row in self.rows(dose)]

    def expression(self, model: Model) -> Any:
        return cvxpy().min(self.rows(model.dose) @ model.activities)


@dataclass(frozen=True)
class WorstTumourMean(LowestOf):
    """The lowest mean dose of any tumour, maximized; it may leave part of a tumour without dose."""

    @property
    def name(self) -> str:
        return "lowest mean dose of any tumour"

    def rows(self, dose: DosePerGBq) -> np.ndarray:
        return tumour_mean_rows(dose)


@dataclass(frozen=True)
class WorstTumourPartMean(LowestOf):
    """The lowest mean dose of any tumour and of any of its parts, maximized.

    A tumour that several territories share is cut into the parts that lie in the same territories, so
    that none of them can be left out.  Parts below 5 % of their tumour, mostly voxels of a border, are
    not counted by themselves.
    """

    @property
    def name(self) -> str:
        return "lowest mean dose of any tumour or tumour part"

    def rows(self, dose: DosePerGBq) -> np.ndarray:
        return _tumour_and_part_rows(dose)


@dataclass(frozen=True)
class StructureMean(Goal):
    """The mean dose of one structure, maximized."""

    structure: str
    finite: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return f"mean dose of {self.structure}"

    @property
    def maximized(self) -> bool:
        return True

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(dose.structure_row(self.structure) @ activities_gbq)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        return [Support(dose.structure_row(self.structure))]

    def expression(self, model: Model) -> Any:
        return model.dose.structure_row(self.structure) @ model.activities


@dataclass(frozen=True)
class MeanShortfall(Goal):
    """How far the mean dose of a structure stays below a target, minimized: ``max(0, target - mean)``."""

    structure: str
    below_gy: float
    homogeneous: ClassVar[bool] = False
    finite: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return f"shortfall of {self.structure} below {self.below_gy:g} Gy mean"

    @property
    def maximized(self) -> bool:
        return False

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        mean = dose.structure_row(self.structure) @ activities_gbq
        return float(max(0.0, self.below_gy - mean))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        row = dose.structure_row(self.structure)
        return [Support(row, -self.below_gy), Support(np.zeros_like(row))]

    def expression(self, model: Model) -> Any:
        row = model.dose.structure_row(self.structure)
        return cvxpy().pos(self.below_gy - row @ model.activities)
