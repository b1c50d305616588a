"""Goals in every single scenario: their values, and the planes that touch them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from radioembolization.dose.scenario_voxels import ScenarioVoxels
from radioembolization.dose.scenarios import Scenarios
from radioembolization.errors import LimitError
from radioembolization.planning.goals import (
    Goal,
    LowestColdestMean,
    LowestDose,
    StructureMean,
    WorstTumourMean,
    WorstTumourPartMean,
)
from radioembolization.planning.supports import extreme_weights


class ScenarioScore(ABC):
    """A maximized goal in every scenario; concave in the activities, growing in proportion to them."""

    @abstractmethod
    def values(self, activities_gbq: np.ndarray, exact: bool = False) -> np.ndarray:
        """Return the goal (scenarios,) [Gy] for some activities (sites,)."""

    @abstractmethod
    def rows(self, activities_gbq: np.ndarray, chosen: np.ndarray, exact: bool = False) -> np.ndarray:
        """Return rows (chosen, sites) that touch the goal in some scenarios, and are nowhere below it."""


class LowestMeanScore(ScenarioScore):
    """The lowest of several mean doses.

    Parameters
    ----------
    rows : ndarray (scenarios, means, sites)
        [Gy/GBq]
    """

    def __init__(self, rows: np.ndarray) -> None:
        self.mean_rows = np.ascontiguousarray(rows)

    def values(self, activities_gbq: np.ndarray, exact: bool = False) -> np.ndarray:
        return np.asarray((self.mean_rows @ activities_gbq).min(axis=1))

    def rows(self, activities_gbq: np.ndarray, chosen: np.ndarray, exact: bool = False) -> np.ndarray:
        lowest = (self.mean_rows[chosen] @ activities_gbq).argmin(axis=1)
        return np.asarray(self.mean_rows[chosen, lowest])


class ColdestScore(ScenarioScore):
    """The lowest mean dose of the coldest part of any tumour; part 0 is the coldest voxel.

    Parameters
    ----------
    scenarios : Scenarios
    part : float
        Share of the voxels.
    """

    def __init__(self, scenarios: Scenarios, part: float) -> None:
        self._part = part
        self._tumours = [ScenarioVoxels(scenarios, name) for name in scenarios.basis.tumour_names]
        self._count = len(scenarios)
        self._last: tuple[bytes, np.ndarray] = (b"", np.empty(0))

    def values(self, activities_gbq: np.ndarray, exact: bool = False) -> np.ndarray:
        return np.asarray(self._of_tumours(activities_gbq, exact).min(axis=0))

    def rows(self, activities_gbq: np.ndarray, chosen: np.ndarray, exact: bool = False) -> np.ndarray:
        coldest = self._of_tumours(activities_gbq, exact)[:, chosen].argmin(axis=0)
        return np.array(
            [self._row(int(s), int(t), activities_gbq, exact) for s, t in zip(chosen, coldest, strict=True)]
        )

    def _of_tumours(self, activities_gbq: np.ndarray, exact: bool) -> np.ndarray:
        """Return the mean of the coldest part (tumours, scenarios) [Gy]; the last result is kept."""
        key = np.asarray(activities_gbq, dtype=float).tobytes() + bytes([exact])
        if self._last[0] != key:
            self._last = key, np.array([self._of(t, activities_gbq, exact) for t in self._tumours])
        return self._last[1]

    def _of(self, tumour: ScenarioVoxels, activities_gbq: np.ndarray, exact: bool) -> np.ndarray:
        values = np.empty(self._count)
        for part, doses, held in tumour.blocks(activities_gbq, exact):
            np.putmask(doses, ~held, np.inf)
            values[part] = _coldest_means(doses, self._part * np.count_nonzero(held, axis=1))
        return values

    def _row(self, scenario: int, number: int, activities_gbq: np.ndarray, exact: bool) -> np.ndarray:
        """Return the row that touches the goal of one tumour in one scenario."""
        tumour = self._tumours[number]
        inside = np.flatnonzero(tumour.held(scenario))
        doses = tumour.dose_gy(activities_gbq, scenario, exact)[inside]
        weights = _coldest_weights(doses, self._part)
        kept = np.flatnonzero(weights > 0)
        return tumour.row(scenario, inside[kept], weights[kept])


def _coldest_means(doses_gy: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the mean of the lowest doses of each row (rows, voxels), as many as its count, perhaps not whole.

    Counts below one stand for the lowest dose alone.
    """
    counts = np.maximum(counts, 1.0)
    most = min(int(np.ceil(counts.max() - 1e-9)), doses_gy.shape[1])
    if most == 1:
        return np.asarray(doses_gy.min(axis=1))
    lowest = np.sort(np.partition(doses_gy, most - 1, axis=1)[:, :most], axis=1).astype(float)
    whole = np.minimum((counts + 1e-9).astype(int), most)
    sums = np.concatenate([np.zeros((len(lowest), 1)), np.cumsum(lowest, axis=1)], axis=1)
    rows = np.arange(len(lowest))
    rest = np.maximum(counts - whole, 0.0)
    edge = np.where(rest > 1e-9, lowest[rows, np.minimum(whole, most - 1)], 0.0)
    return np.asarray((sums[rows, whole] + rest * edge) / counts)


def _coldest_weights(doses_gy: np.ndarray, part: float) -> np.ndarray:
    """Return the weights (voxels,) whose sum with the doses is the mean of their coldest part."""
    if part * len(doses_gy) <= 1.0:
        weights = np.zeros(len(doses_gy))
        weights[np.argmin(doses_gy)] = 1.0
        return weights
    share = np.broadcast_to(1.0 / len(doses_gy), len(doses_gy))
    return extreme_weights(doses_gy.astype(float), share, part, hottest=False, equal=True)


def score_of(goal: Goal, scenarios: Scenarios) -> ScenarioScore:
    """Return a goal in every scenario.

    Raises
    ------
    LimitError
        If the goal cannot be planned over scenarios.
    """
    names = scenarios.basis.tumour_names
    if isinstance(goal, WorstTumourPartMean):
        return LowestMeanScore(np.concatenate([scenarios.tumour_part_rows(name) for name in names], axis=1))
    if isinstance(goal, WorstTumourMean):
        return LowestMeanScore(np.stack([scenarios.mean_rows(name) for name in names], axis=1))
    if isinstance(goal, StructureMean):
        known = [region.name for region in scenarios.basis.regions]
        if goal.structure not in known:
            raise LimitError(f"There is no structure '{goal.structure}' in the scenarios: use one of {known}.")
        return LowestMeanScore(scenarios.mean_rows(goal.structure)[:, None, :])
    if isinstance(goal, LowestDose):
        return ColdestScore(scenarios, 0.0)
    if isinstance(goal, LowestColdestMean):
        return ColdestScore(scenarios, goal.percent / 100.0)
    raise LimitError(
        f"The goal '{goal.name}' cannot be planned over scenarios: use the lowest mean dose of any tumour or tumour "
        "part, the lowest dose, the lowest mean of a coldest part, or the mean dose of a structure."
    )
