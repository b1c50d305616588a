"""A goal over scenarios: its value in the worst one, or its mean over the worst share of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.dose.scenarios import Scenarios
from radioembolization.planning.goals import Goal
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.scenario_scores import LowestMeanScore, ScenarioScore, score_of
from radioembolization.planning.supports import Support, extreme_weights

#: For the worst scenario, so many of the worst get a plane in each round.
_PLANES = 8


def tail_weights(values: np.ndarray, worst_share: float, *, highest: bool) -> np.ndarray:
    """Return weights (scenarios,), sum 1, of the mean over the worst share of scenarios; at least the worst one."""
    share = np.broadcast_to(1.0 / len(values), len(values))
    part = min(1.0, max(worst_share, 1.0 / len(values)))
    return np.asarray(extreme_weights(np.asarray(values, dtype=float), share, part, hottest=highest, equal=True))


def in_words(worst_share: float) -> str:
    """Return which scenarios count."""
    return f"mean of the worst {100 * worst_share:g} % of scenarios" if worst_share > 0 else "worst scenario"


@dataclass(frozen=True, eq=False)
class GoalInScenarios(Goal):
    """A maximized goal, in the worst scenario or as its mean over the worst share of scenarios.

    Concave, because it is the lowest of all weighted means with weights of at most ``1 / (share * scenarios)``
    (conditional value at risk; Rockafellar and Uryasev 2000, 10.21314/JOR.2000.038).

    Parameters
    ----------
    goal : Goal
        On mean or voxel doses; the dose rows it is given are not used, those of the scenarios are.
    scenarios : Scenarios
    worst_share : float
        0 for the worst scenario alone.
    """

    goal: Goal
    scenarios: Scenarios
    worst_share: float
    score_in: ScenarioScore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "score_in", score_of(self.goal, self.scenarios))

    @property
    def name(self) -> str:
        return f"{self.goal.name}, {in_words(self.worst_share)}"

    @property
    def maximized(self) -> bool:
        return True

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        values = self.score_in.values(np.asarray(activities_gbq, dtype=float), exact=True)
        return float(tail_weights(values, self.worst_share, highest=False) @ values)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        """Planes in float64 always: where many voxels are equally cold, as at an optimum, float32 finds others."""
        x = np.asarray(activities_gbq, dtype=float)
        values = self.score_in.values(x, exact=True)
        if self.worst_share * len(values) <= 1.0:
            worst = np.argsort(values, kind="stable")[:_PLANES]
            return [Support(row) for row in self.score_in.rows(x, worst, exact=True)]
        weights = tail_weights(values, self.worst_share, highest=False)
        chosen = np.flatnonzero(weights > 0)
        return [Support(weights[chosen] @ self.score_in.rows(x, chosen, exact=True))]

    def expression(self, model: Model) -> Any:
        if not isinstance(self.score_in, LowestMeanScore):
            raise NotImplementedError("Goals of voxels over scenarios are optimized by planes only.")
        cp, rows = cvxpy(), self.score_in.mean_rows
        scenarios, means, sites = rows.shape
        every = cp.reshape(rows.reshape(-1, sites) @ model.activities, (scenarios, means), order="C")
        lowest, level = cp.min(every, axis=1), cp.Variable()
        share = max(self.worst_share, 1.0 / scenarios)
        return level - cp.sum(cp.pos(level - lowest)) / (share * scenarios)
