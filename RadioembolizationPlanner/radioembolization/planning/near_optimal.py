"""Plans that are nearly as good as the best: the goal as a limit, and one site's activity as a goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import Limit, Quantity
from radioembolization.planning.model import Model
from radioembolization.planning.supports import Support
from radioembolization.planning.volumes import is_about_volumes

#: Share of the optimum that a nearly optimal plan may lose.
WITHIN = 0.01
#: Goals closer to zero are judged as this.
_SMALLEST_GOAL = 1e-3
#: Goals closer than this, relative, are equal.
EQUAL = 1e-5


@dataclass(frozen=True)
class ScoreReached(Quantity):
    """The score of a goal, bounded from below; concave, over all voxels."""

    goal: Goal

    @property
    def name(self) -> str:
        return f"score of {self.goal.name}"

    @property
    def unit(self) -> str:  # type: ignore[override]
        return self.goal.unit

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return self.goal.score(dose, np.asarray(activities_gbq, dtype=float))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        if len(self.goal.terms) == 1:
            weight, goal = self.goal.terms[0]
            return [Support(weight * s.row, weight * s.constant) for s in goal.supports(dose, activities_gbq, exact)]
        row, constant = np.zeros(len(dose.site_names)), 0.0
        for weight, goal in self.goal.terms:
            lowest = min(goal.supports(dose, activities_gbq, exact), key=lambda plane: plane.at(activities_gbq))
            row, constant = row + weight * lowest.row, constant + weight * lowest.constant
        return [Support(row, constant)]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        score = self.goal.expression(model)
        return [(score if self.goal.maximized else -score) >= bound - slack]


@dataclass(frozen=True)
class OneSite(Goal):
    """The activity at one site, to be as large or as small as possible.

    Parameters
    ----------
    site : int
    largest : bool
    """

    site: int
    largest: bool
    unit: ClassVar[str] = "GBq"
    finite: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return f"activity at site {self.site + 1}"

    @property
    def maximized(self) -> bool:
        return self.largest

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(activities_gbq[self.site])

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        unit = np.zeros(len(dose.site_names))
        unit[self.site] = 1.0 if self.largest else -1.0
        return [Support(unit)]

    def expression(self, model: Model) -> Any:
        return model.activities[self.site]


def least_score(goal: Goal, optimum: float, within: float = WITHIN, value: float | None = None) -> float:
    """Return the score of a plan whose goal is worse than an optimum by a share, or that of a plan that is worse yet.

    A plan may have given up more for fewer injections; then plans as good as it are nearly optimal.
    """
    sign = 1.0 if goal.maximized else -1.0
    score = sign * optimum - within * max(_SMALLEST_GOAL, abs(optimum))
    return score if value is None else min(score, sign * value - EQUAL * max(_SMALLEST_GOAL, abs(value)))


def reaching(goal: Goal, score: float, dose: DosePerGBq) -> Limit:
    """Return the limit that the score of a goal is at least some score; for goals by levels, that of their margin."""
    margin = goal.margin(dose, score if goal.maximized else -score)
    if margin is not None:
        return Limit(ScoreReached(margin), 0.0, upper=False)
    return Limit(ScoreReached(goal), score, upper=False)


def has_planes(goal: Goal, limits: Sequence[Limit], dose: DosePerGBq) -> bool:
    """Whether nearly optimal plans are a convex set for given sites: not with dose-volume limits or goals."""
    return not is_about_volumes(goal, limits, dose)
