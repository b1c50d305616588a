"""What a goal is, and sums of goals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq, StructureRows
from radioembolization.errors import LimitError
from radioembolization.planning.model import Model
from radioembolization.planning.supports import Support
from radioembolization.planning.volume_bound import VolumeBound
from radioembolization.structures import Role


def tumours(dose: DosePerGBq) -> tuple[StructureRows, ...]:
    """Return the tumours.

    Raises
    ------
    LimitError
        If there is none.
    """
    found = dose.with_role(Role.TUMOUR)
    if not found:
        raise LimitError("The goal is about tumours, but the case has none: draw one, or name a structure in the goal.")
    return found


@dataclass(frozen=True)
class Goal(ABC):
    """A number to maximize or to minimize; concave or convex in the activities.

    Its score is the number itself if it is maximized, else its negative: concave, larger is better.
    """

    unit: ClassVar[str] = "Gy"
    #: Whether the value grows in proportion to all activities.
    homogeneous: ClassVar[bool] = True
    #: Whether ``supports`` at any one point describe the score everywhere.
    finite: ClassVar[bool] = False
    #: Whether it may be a term of a sum: a concave score in Gy.
    summable: ClassVar[bool] = True

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
        """Value for given activities (sites,) in the unit of the goal."""

    @abstractmethod
    def expression(self, model: Model) -> Any:
        """The same as a cvxpy expression."""

    @abstractmethod
    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        """Planes nowhere below the score; the lowest of them touches it at some activities (sites,)."""

    def margin(self, dose: DosePerGBq, level: float) -> Goal | None:
        """Return a goal with a concave score that is not negative exactly where the value reaches a level.

        For maximized goals that are only quasi-concave, as equivalent uniform doses, and have no planes of their
        own, or none that are of use far from the optimum (``LogTumourControl``); None for all others.
        """
        return None

    def volume_bounds(self, dose: DosePerGBq, level: float) -> tuple[VolumeBound, ...]:
        """Return the dose-volume limits that are met exactly where the value reaches a level.

        For maximized goals that are the dose of a share of a structure and have no planes; none for all others.
        """
        return ()

    @property
    def terms(self) -> tuple[tuple[float, Goal], ...]:
        """Weights and goals whose sum this is."""
        return ((1.0, self),)

    def score(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        """Return what is maximized for given activities (sites,)."""
        value = self.value(dose, activities_gbq)
        return value if self.maximized else -value

    def __add__(self, other: Goal) -> WeightedSum:
        return WeightedSum((*self.terms, *other.terms))

    def __rmul__(self, weight: float) -> WeightedSum:
        return WeightedSum(tuple((weight * w, goal) for w, goal in self.terms))


@dataclass(frozen=True)
class WeightedSum(Goal):
    """A flat sum of weighted goals of the same direction.

    Parameters
    ----------
    parts : tuple of (float, Goal)
        Positive weights.

    Raises
    ------
    LimitError
        If a weight is not positive, maximized and minimized goals are mixed, or a goal is not concave or not in Gy.
    """

    parts: tuple[tuple[float, Goal], ...]

    def __post_init__(self) -> None:
        if not all(weight > 0 and np.isfinite(weight) for weight, _ in self.parts):
            raise LimitError("Weights of goals must be positive.")
        for _, goal in self.parts:
            if not goal.summable:
                raise LimitError(
                    f"The goal '{goal.name}' cannot be part of a weighted sum, of which no optimum could be proved: "
                    "equivalent uniform doses, doses at a volume and log TCP stand alone; state the others as limits."
                )
        if len({goal.maximized for _, goal in self.parts}) != 1:
            raise LimitError("A sum of goals must consist of maximized goals only, or of minimized ones.")

    @property
    def name(self) -> str:
        return " + ".join(goal.name if weight == 1 else f"{weight:g} x {goal.name}" for weight, goal in self.parts)

    @property
    def maximized(self) -> bool:
        return self.parts[0][1].maximized

    @property
    def terms(self) -> tuple[tuple[float, Goal], ...]:
        return self.parts

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        raise NotImplementedError("A sum is taken apart into its terms.")

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(sum(weight * goal.value(dose, activities_gbq) for weight, goal in self.parts))

    def expression(self, model: Model) -> Any:
        return sum(weight * goal.expression(model) for weight, goal in self.parts)
