"""Quantities over single voxels: highest and lowest dose, mean dose of the hottest or coldest part."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq, VoxelRows
from radioembolization.errors import LimitError
from radioembolization.planning.limits import Limit, Quantity
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.quantities.linear import printed, quotient
from radioembolization.planning.supports import Support, extreme_weights


@dataclass(frozen=True)
class _OfVoxels(Quantity):
    """A weighted mean over voxels that the doses themselves choose: those with the highest or the lowest."""

    structure: str
    voxelwise: ClassVar[bool] = True
    #: Whether the value is convex and can be bounded from above; else concave and from below.
    convex: ClassVar[bool] = True

    @abstractmethod
    def weights(self, dose_gy: np.ndarray, rows: VoxelRows) -> np.ndarray:
        """Return the weights (voxels,) that give the value for the doses of the voxels."""

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        rows = dose.voxel_rows(self.structure)
        dose_gy = rows.exact_dose_gy(np.asarray(activities_gbq, dtype=float))
        return float(self.weights(dose_gy, rows) @ dose_gy)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        rows = dose.voxel_rows(self.structure)
        dose_gy = rows.exact_dose_gy(activities_gbq) if exact else rows.dose_gy(activities_gbq)
        return [Support(rows.weighted_row(self.weights(dose_gy, rows), exact))]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        rows = dose.voxel_rows(self.structure)
        alone = [float(self.weights(row, rows) @ row.astype(float)) for row in rows.rows]
        return quotient(bound, np.array(alone))

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        limit = super()._limit(bound, upper)
        if upper != self.convex:
            other = "at least" if self.convex else "at most"
            raise LimitError(f"The {self.name} cannot be limited to {other} a dose: that would not be a convex limit.")
        return limit

    def _voxel_doses(self, model: Model) -> tuple[Any, VoxelRows]:
        rows = model.dose.voxel_rows(self.structure)
        return rows.rows.T.astype(float) @ model.activities, rows


@dataclass(frozen=True)
class MaximumDose(_OfVoxels):
    """Highest dose of any voxel of a structure."""

    @property
    def name(self) -> str:
        return f"maximum dose, {printed(self.structure)}"

    def weights(self, dose_gy: np.ndarray, rows: VoxelRows) -> np.ndarray:
        return _at(int(np.argmax(dose_gy)), dose_gy)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        return [_extreme_voxel(dose.voxel_rows(self.structure), activities_gbq, np.argmax, exact)]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        return [self._voxel_doses(model)[0] <= bound + slack]


@dataclass(frozen=True)
class MinimumDose(_OfVoxels):
    """Lowest dose of any voxel of a structure; it depends on the voxel size, so prefer ``ColdestMean``."""

    convex: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return f"minimum dose, {printed(self.structure)}"

    def weights(self, dose_gy: np.ndarray, rows: VoxelRows) -> np.ndarray:
        return _at(int(np.argmin(dose_gy)), dose_gy)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        return [_extreme_voxel(dose.voxel_rows(self.structure), activities_gbq, np.argmin, exact)]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        return [self._voxel_doses(model)[0] >= bound - slack]


@dataclass(frozen=True)
class HottestMean(_OfVoxels):
    """Mean dose of the hottest part of a structure by mass (conditional value at risk).

    At most r implies that no more than that part receives r or more: a convex limit, stricter than the
    dose-volume limit ``VolumeAbove``.  Rockafellar and Uryasev 2000, 10.21314/JOR.2000.038.

    Parameters
    ----------
    structure : str
    percent : float
        Size of the part, above 0 and at most 100.
    """

    percent: float

    def __post_init__(self) -> None:
        check_percent(self.percent)

    @property
    def name(self) -> str:
        return f"mean dose, hottest {self.percent:g} % of {printed(self.structure)}"

    def weights(self, dose_gy: np.ndarray, rows: VoxelRows) -> np.ndarray:
        return extreme_weights(dose_gy, rows.share, self.percent / 100.0, hottest=True, equal=rows.equal)

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        doses, rows = self._voxel_doses(model)
        level = cvxpy().Variable()
        beyond = rows.share @ cvxpy().pos(doses - level)
        return [level + beyond / (self.percent / 100.0) <= bound + slack]


@dataclass(frozen=True)
class ColdestMean(_OfVoxels):
    """Mean dose of the coldest part of a structure by mass.

    At least r implies that the rest receives r or more: a convex limit, stricter than ``DoseAtVolume``.

    Parameters
    ----------
    structure : str
    percent : float
        Size of the part, above 0 and at most 100.
    """

    percent: float
    convex: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_percent(self.percent)

    @property
    def name(self) -> str:
        return f"mean dose, coldest {self.percent:g} % of {printed(self.structure)}"

    def weights(self, dose_gy: np.ndarray, rows: VoxelRows) -> np.ndarray:
        return extreme_weights(dose_gy, rows.share, self.percent / 100.0, hottest=False, equal=rows.equal)

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        return [self.expression(model) >= bound - slack]

    def expression(self, model: Model) -> Any:
        """Return the value as a concave cvxpy expression."""
        doses, rows = self._voxel_doses(model)
        level = cvxpy().Variable()
        return level - rows.share @ cvxpy().pos(level - doses) / (self.percent / 100.0)


def check_percent(percent: float) -> None:
    """Refuse a part of a structure that is no percentage above 0 (``LimitError``)."""
    if not 0.0 < percent <= 100.0:
        raise LimitError(f"A part of a structure must be above 0 and at most 100 %, not {percent:g}.")


def _at(voxel: int, dose_gy: np.ndarray) -> np.ndarray:
    weights = np.zeros(len(dose_gy))
    weights[voxel] = 1.0
    return weights


def _extreme_voxel(rows: VoxelRows, activities_gbq: np.ndarray, find: Any, exact: bool) -> Support:
    dose_gy = rows.exact_dose_gy(activities_gbq) if exact else rows.dose_gy(activities_gbq)
    return Support(rows.row_of(int(find(dose_gy))))
