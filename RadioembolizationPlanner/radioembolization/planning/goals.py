"""Goals: what a plan maximizes or minimizes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.planning.model import Model, cvxpy
from radioembolization.structures import Role


@dataclass(frozen=True)
class Goal(ABC):
    """A number to maximize or to minimize; concave or convex in the activities."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What is optimized."""

    @property
    @abstractmethod
    def maximized(self) -> bool:
        """Whether larger is better."""

    @abstractmethod
    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        """Value for given activities (sites,) [Gy]."""

    @abstractmethod
    def expression(self, model: Model) -> Any:
        """The same as a cvxpy expression."""

    def __add__(self, other: Goal) -> WeightedSum:
        return WeightedSum((*_terms(self), *_terms(other)))

    def __rmul__(self, weight: float) -> WeightedSum:
        return WeightedSum(tuple((weight * w, goal) for w, goal in _terms(self)))


def tumour_mean_rows(dose: DosePerGBq) -> np.ndarray:
    """Return the mean dose per GBq of each site in each tumour (tumours, sites) [Gy/GBq]."""
    return np.stack([dose.mean_rows[tumour.name] for tumour in dose.with_role(Role.TUMOUR)])


class LowestOf(Goal):
    """The lowest of several mean doses, maximized."""

    @abstractmethod
    def rows(self, dose: DosePerGBq) -> np.ndarray:
        """Mean dose per GBq of each site (means, sites) [Gy/GBq]."""

    @property
    def maximized(self) -> bool:
        return True

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(np.min(self.rows(dose) @ activities_gbq))

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
        return np.unique(np.vstack([tumour_mean_rows(dose), dose.tumour_part_rows]), axis=0)


@dataclass(frozen=True)
class StructureMean(Goal):
    """The mean dose of one structure, maximized."""

    structure: str

    @property
    def name(self) -> str:
        return f"mean dose of {self.structure}"

    @property
    def maximized(self) -> bool:
        return True

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(dose.structure_row(self.structure) @ activities_gbq)

    def expression(self, model: Model) -> Any:
        return model.dose.structure_row(self.structure) @ model.activities


@dataclass(frozen=True)
class MeanShortfall(Goal):
    """How far the mean dose of a structure stays below a target, minimized: ``max(0, target - mean)``."""

    structure: str
    below_gy: float

    @property
    def name(self) -> str:
        return f"shortfall of {self.structure} below {self.below_gy:g} Gy mean"

    @property
    def maximized(self) -> bool:
        return False

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        mean = dose.structure_row(self.structure) @ activities_gbq
        return float(max(0.0, self.below_gy - mean))

    def expression(self, model: Model) -> Any:
        row = model.dose.structure_row(self.structure)
        return cvxpy().pos(self.below_gy - row @ model.activities)


@dataclass(frozen=True)
class WeightedSum(Goal):
    """A flat sum of weighted goals of the same direction.

    Parameters
    ----------
    terms : tuple of (float, Goal)
        Positive weights.

    Raises
    ------
    LimitError
        If a weight is not positive or maximized and minimized goals are mixed.
    """

    terms: tuple[tuple[float, Goal], ...]

    def __post_init__(self) -> None:
        if any(weight <= 0 for weight, _ in self.terms):
            raise LimitError("Weights of goals must be positive.")
        if len({goal.maximized for _, goal in self.terms}) != 1:
            raise LimitError("A sum of goals must consist of maximized goals only, or of minimized ones.")

    @property
    def name(self) -> str:
        return " + ".join(goal.name if weight == 1 else f"{weight:g} x {goal.name}" for weight, goal in self.terms)

    @property
    def maximized(self) -> bool:
        return self.terms[0][1].maximized

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(sum(weight * goal.value(dose, activities_gbq) for weight, goal in self.terms))

    def expression(self, model: Model) -> Any:
        return sum(weight * goal.expression(model) for weight, goal in self.terms)


def _terms(goal: Goal) -> tuple[tuple[float, Goal], ...]:
    return goal.terms if isinstance(goal, WeightedSum) else ((1.0, goal),)
