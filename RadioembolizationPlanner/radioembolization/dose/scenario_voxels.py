"""Doses of every voxel of a structure in all scenarios: one product for all of them, blocks of scenarios at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from radioembolization.dose.scenarios import Scenarios

#: Doses (scenarios x voxels) held at a time.
_VALUES = 1 << 24


class ScenarioVoxels:
    """Voxels of one structure in all scenarios.

    Parameters
    ----------
    scenarios : Scenarios
    name : str
    every : int
        Only every so many voxels are looked at, for histograms of large structures.
    """

    def __init__(self, scenarios: Scenarios, name: str, every: int = 1) -> None:
        self._scenarios = scenarios
        readings, basis = scenarios.readings, scenarios.basis
        region = basis.region(name)
        uncertain, certain = readings.columns_of(region)
        columns = np.sort(np.concatenate([certain, uncertain]))[::every]
        self._held = readings.holds(region, columns)
        maps = basis.maps[:, columns]
        self._sources = np.flatnonzero(maps.any(axis=1))
        self._maps = np.ascontiguousarray(maps[self._sources])

    def __len__(self) -> int:
        return self._maps.shape[1]

    def held(self, scenario: int) -> np.ndarray:
        """Return the voxels (voxels,) of bool that belong to the structure in a scenario."""
        return np.asarray(self._held[self._scenarios.reading[scenario]])

    def dose_gy(self, activities_gbq: np.ndarray, scenario: int, exact: bool = False) -> np.ndarray:
        """Return the doses (voxels,) [Gy] in one scenario, also of voxels outside the structure."""
        kind = np.float64 if exact else np.float32
        amounts = activities_gbq @ self._scenarios.amounts[scenario][:, self._sources]
        return np.asarray(amounts.astype(kind) @ self._maps.astype(kind, copy=False))

    def blocks(self, activities_gbq: np.ndarray, exact: bool = False) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield blocks of scenarios with their doses (block, voxels) [Gy] and which voxels belong to the structure."""
        kind = np.float64 if exact else np.float32
        amounts = np.einsum("j,sjb->sb", activities_gbq, self._scenarios.amounts[:, :, self._sources], optimize=True)
        maps = self._maps.astype(kind, copy=False)
        together = max(1, _VALUES // max(len(self), 1))
        for start in range(0, len(amounts), together):
            part = slice(start, min(start + together, len(amounts)))
            yield part, amounts[part].astype(kind) @ maps, self._held[self._scenarios.reading[part]]

    def row(self, scenario: int, voxels: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the weighted sum of the dose rows (sites,) of some voxels in one scenario, in float64 [Gy/GBq]."""
        amounts = self._scenarios.amounts[scenario][:, self._sources]
        return np.asarray(amounts @ (self._maps[:, voxels].astype(float) @ np.asarray(weights, dtype=float)))
