"""Goals on single voxels: their lowest dose, the mean of their coldest part, what they lack of a dose, and Dx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.planning.goals.goal import Goal, tumours
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.quantities.dose_volume import DoseAtVolume
from radioembolization.planning.quantities.linear import printed
from radioembolization.planning.quantities.voxel_dose import ColdestMean, check_percent
from radioembolization.planning.supports import Support
from radioembolization.planning.volume_bound import VolumeBound


class OfEveryTumour(Goal):
    """The lowest value over all tumours, maximized."""

    finite: ClassVar[bool] = False

    @property
    def maximized(self) -> bool:
        return True


@dataclass(frozen=True)
class LowestDose(OfEveryTumour):
    """The lowest dose of any tumour voxel, maximized.

    It depends on the voxel size: one anatomy had 122, 99 and 92 Gy at 5.6, 2.6 and 1.2 mm.  Prefer
    ``LowestColdestMean``.
    """

    @property
    def name(self) -> str:
        return "lowest dose of any tumour voxel"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        activities = np.asarray(activities_gbq, dtype=float)
        return min(float(rows.exact_dose_gy(activities).min()) for rows in _tumour_rows(dose))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        supports = []
        for tumour in tumours(dose):
            rows = dose.voxel_rows(tumour.name)
            dose_gy = rows.exact_dose_gy(activities_gbq) if exact else rows.dose_gy(activities_gbq)
            supports += [Support(rows.row_of(voxel)) for voxel in _coldest_of_parts(dose, tumour.name, dose_gy)]
        return supports

    def expression(self, model: Model) -> Any:
        doses = [rows.rows.T.astype(float) @ model.activities for rows in _tumour_rows(model.dose)]
        return cvxpy().min(cvxpy().hstack(doses))


@dataclass(frozen=True)
class LowestColdestMean(OfEveryTumour):
    """The lowest mean dose of the coldest part of any tumour, maximized.

    At least ``100 - percent`` % of every tumour receive more: with 30 % it is a bound below D70 that can be
    optimized over all voxels.

    Parameters
    ----------
    percent : float
        Size of the coldest part by mass, above 0 and at most 100.
    """

    percent: float = 30.0

    def __post_init__(self) -> None:
        check_percent(self.percent)

    @property
    def name(self) -> str:
        return f"lowest mean dose of the coldest {self.percent:g} % of any tumour"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return min(part.value(dose, activities_gbq) for part in self._parts(dose))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        return [plane for part in self._parts(dose) for plane in part.supports(dose, activities_gbq, exact)]

    def expression(self, model: Model) -> Any:
        return cvxpy().min(cvxpy().hstack([part.expression(model) for part in self._parts(model.dose)]))

    def _parts(self, dose: DosePerGBq) -> list[ColdestMean]:
        return [ColdestMean(tumour.name, self.percent) for tumour in tumours(dose)]


@dataclass(frozen=True)
class LowestDoseAtVolume(OfEveryTumour):
    """The lowest Dx of any tumour, maximized: the dose that at least a share of its mass receives.

    Not concave and without planes; ``volume_bounds`` say what a level asks for.

    Parameters
    ----------
    percent : float
        Above 0 and at most 100: 70 for D70.
    """

    percent: float = 70.0
    summable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_percent(self.percent)

    @property
    def name(self) -> str:
        return f"lowest D{self.percent:g} of any tumour"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return min(part.value(dose, activities_gbq) for part in self._parts(dose))

    def volume_bounds(self, dose: DosePerGBq, level: float) -> tuple[VolumeBound, ...]:
        return tuple(part.volume_bound(False, level) for part in self._parts(dose))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        raise NotImplementedError("The dose at a volume is no function that planes can touch.")

    def expression(self, model: Model) -> Any:
        raise NotImplementedError("The dose at a volume is no concave expression; limit it with DoseAtVolume.")

    def _parts(self, dose: DosePerGBq) -> list[DoseAtVolume]:
        return [DoseAtVolume(tumour.name, self.percent) for tumour in tumours(dose)]


@dataclass(frozen=True)
class VoxelShortfall(Goal):
    """How far the voxels of a structure stay below a dose in the mean, minimized: mean of ``max(0, target - dose)``.

    Other than of ``MeanShortfall``, hot voxels do not make up for cold ones.

    Parameters
    ----------
    structure : str
    below_gy : float
    """

    structure: str
    below_gy: float
    homogeneous: ClassVar[bool] = False
    finite: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.below_gy) and self.below_gy > 0):
            raise LimitError(f"The dose of a shortfall must be positive, not {self.below_gy:g} Gy.")

    @property
    def name(self) -> str:
        return f"mean shortfall of the voxels of {printed(self.structure)} below {self.below_gy:g} Gy"

    @property
    def maximized(self) -> bool:
        return False

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        rows = dose.voxel_rows(self.structure)
        missing = self.below_gy - rows.exact_dose_gy(np.asarray(activities_gbq, dtype=float))
        return float(rows.share @ np.maximum(missing, 0.0))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        rows = dose.voxel_rows(self.structure)
        dose_gy = rows.exact_dose_gy(activities_gbq) if exact else rows.dose_gy(activities_gbq)
        below = rows.share * (dose_gy < self.below_gy)
        return [Support(rows.weighted_row(below, exact), -self.below_gy * float(below.sum()))]

    def expression(self, model: Model) -> Any:
        rows = model.dose.voxel_rows(self.structure)
        return rows.share @ cvxpy().pos(self.below_gy - rows.rows.T.astype(float) @ model.activities)


def _tumour_rows(dose: DosePerGBq) -> list[Any]:
    return [dose.voxel_rows(tumour.name) for tumour in tumours(dose)]


def _coldest_of_parts(dose: DosePerGBq, tumour: str, dose_gy: np.ndarray) -> list[int]:
    """Return the coldest voxel of every part of a tumour that lies in the same territories."""
    order, starts = dose.parts_of(tumour)
    sorted_gy = dose_gy[order]
    ends = [*starts[1:], len(order)]
    return [int(order[a + int(np.argmin(sorted_gy[a:b]))]) for a, b in zip(starts, ends, strict=True)]
