"""Goals on single voxels of the tumours: their lowest dose, and the mean of their coldest part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.goals.goal import Goal
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.quantities.voxel_dose import ColdestMean, check_percent
from radioembolization.planning.supports import Support
from radioembolization.structures import Role


class _OfEveryTumour(Goal):
    """The lowest value over all tumours, maximized."""

    finite: ClassVar[bool] = False

    @property
    def maximized(self) -> bool:
        return True


@dataclass(frozen=True)
class LowestDose(_OfEveryTumour):
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
        for tumour in dose.with_role(Role.TUMOUR):
            rows = dose.voxel_rows(tumour.name)
            dose_gy = rows.exact_dose_gy(activities_gbq) if exact else rows.dose_gy(activities_gbq)
            supports += [Support(rows.row_of(voxel)) for voxel in _coldest_of_parts(dose, tumour.name, dose_gy)]
        return supports

    def expression(self, model: Model) -> Any:
        doses = [rows.rows.T.astype(float) @ model.activities for rows in _tumour_rows(model.dose)]
        return cvxpy().min(cvxpy().hstack(doses))


@dataclass(frozen=True)
class LowestColdestMean(_OfEveryTumour):
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
        return [ColdestMean(tumour.name, self.percent) for tumour in dose.with_role(Role.TUMOUR)]


def _tumour_rows(dose: DosePerGBq) -> list[Any]:
    return [dose.voxel_rows(tumour.name) for tumour in dose.with_role(Role.TUMOUR)]


def _coldest_of_parts(dose: DosePerGBq, tumour: str, dose_gy: np.ndarray) -> list[int]:
    """Return the coldest voxel of every part of a tumour that lies in the same territories."""
    order, starts = dose.parts_of(tumour)
    sorted_gy = dose_gy[order]
    ends = [*starts[1:], len(order)]
    return [int(order[a + int(np.argmin(sorted_gy[a:b]))]) for a, b in zip(starts, ends, strict=True)]
