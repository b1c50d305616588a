"""Dose-volume limits: shares of a structure above or below a dose, and doses that a share receives.

None is convex; each is a ``VolumeBound``, at most a share of the mass on the wrong side of a dose.  A voxel whose dose
is the limit itself, to ``SIDE``, is on the right side either way: there are usually many in an optimal plan.  Whole
voxels are counted by mass.  ``dose.dvh`` has Vx as ``VolumeReaching`` has it, and a Dx that is interpolated between
neighbouring voxels in the order of their doses: it differs from ``DoseAtVolume`` by less than one voxel in that order.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq, VoxelRows
from radioembolization.errors import LimitError
from radioembolization.planning.limits import Limit, Quantity
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.quantities.linear import lower_only, printed, quotient, upper_only
from radioembolization.planning.quantities.voxel_dose import check_percent
from radioembolization.planning.volume_bound import VolumeBound
from radioembolization.structures import NORMAL_LIVER

#: Shares are sums of many; they are equal if they differ by less.  Far below the share of a voxel.
HAIR = 1e-9


def dose_received(dose_gy: np.ndarray, rows: VoxelRows, part: float) -> float:
    """Return the largest dose [Gy] that at least a part of the mass of a structure receives; zero if none.

    Parameters
    ----------
    dose_gy : ndarray (voxels,)
    rows : VoxelRows
        Of the structure.
    part : float
        To ``HAIR``.
    """
    if part > 1.0 + HAIR:
        return 0.0
    if rows.equal:
        voxels = min(max(int(np.ceil((part - HAIR) * len(dose_gy))), 1), len(dose_gy))
        return float(np.partition(dose_gy, len(dose_gy) - voxels)[len(dose_gy) - voxels])
    order = np.argsort(-dose_gy, kind="stable")
    last = int(np.searchsorted(np.cumsum(rows.share[order]), part - HAIR))
    return float(dose_gy[order[min(last, len(order) - 1)]])


class _OfVolume(Quantity):
    """A quantity whose bounds are dose-volume limits."""

    homogeneous: ClassVar[bool] = False
    voxelwise: ClassVar[bool] = True

    @abstractmethod
    def volume_bound(self, at_most: bool, bound: float) -> VolumeBound:
        """The dose-volume limit that a bound is."""

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        """One binary for every voxel, whether it counts: the reference for small cases."""
        wanted = self.volume_bound(at_most, bound)
        in_gy, in_share = (slack, 0.0) if self.keyword == "gy" else (0.0, slack / 100.0)
        rows = model.dose.voxel_rows(wanted.structure)
        doses = rows.rows.T.astype(float) @ model.activities
        wrong = cvxpy().Variable(len(rows), boolean=True)
        if wanted.above:
            highest = rows.rows.T.astype(float) @ model.cap_gbq
            right_side = doses <= wanted.dose_gy + in_gy + cvxpy().multiply(highest, wrong)
        else:
            right_side = doses >= wanted.dose_gy - in_gy - wanted.dose_gy * wrong
        return [right_side, rows.share @ wrong <= wanted.share + in_share]


class _InPercent(_OfVolume):
    """A share of the mass of a structure."""

    keyword: ClassVar[str] = "percent"
    unit: ClassVar[str] = "%"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return 100.0 * self._share(dose, activities_gbq)

    @abstractmethod
    def _share(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        """Share of the mass."""

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        limit = super()._limit(bound, upper)
        if limit.bound > 100.0:
            raise LimitError(f"The limit on the {self.name} must be from 0 to 100 %, not {limit.bound:g}.")
        return limit


@dataclass(frozen=True)
class VolumeAbove(_InPercent):
    """Share of a structure, by mass, with a dose above a given one; ``VolumeAbove("normal liver", 40)`` is V40.

    Bounded from below it is ``VolumeReaching``.

    Parameters
    ----------
    structure : str
    gy : float
    """

    structure: str
    gy: float

    def __post_init__(self) -> None:
        _check_dose(self.gy)

    @property
    def name(self) -> str:
        return f"share of {printed(self.structure)} above {self.gy:g} Gy"

    def _share(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return self.volume_bound(True, 0.0).wrong_share(dose, activities_gbq)

    def volume_bound(self, at_most: bool, bound: float) -> VolumeBound:
        upper_only(self, at_most)
        return VolumeBound(self.structure, self.gy, True, bound / 100.0 + HAIR)

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        rows = dose.voxel_rows(self.structure)
        too_much = bound / 100.0 + 2.0 * HAIR
        return quotient(self.gy, np.array([dose_received(row, rows, too_much) for row in rows.rows])) * (1.0 + 2e-6)

    def largest_scale(self, dose: DosePerGBq, activities_gbq: np.ndarray, bound: float) -> float:
        rows = dose.voxel_rows(self.structure)
        dose_gy = rows.exact_dose_gy(np.asarray(activities_gbq, dtype=float))
        reached = dose_received(dose_gy, rows, bound / 100.0 + 2.0 * HAIR)
        return self.gy / reached if reached > 0 else np.inf

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        return super()._limit(bound, upper) if upper else VolumeReaching(self.structure, self.gy)._limit(bound, upper)


@dataclass(frozen=True)
class VolumeReaching(_InPercent):
    """Share of a structure, by mass, with at least a given dose: the lower limits of ``VolumeAbove``.

    Parameters
    ----------
    structure : str
    gy : float
    """

    structure: str
    gy: float

    def __post_init__(self) -> None:
        _check_dose(self.gy)

    @property
    def name(self) -> str:
        return f"share of {printed(self.structure)} with at least {self.gy:g} Gy"

    def _share(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return 1.0 - self.volume_bound(False, 0.0).wrong_share(dose, activities_gbq)

    def volume_bound(self, at_most: bool, bound: float) -> VolumeBound:
        lower_only(self, at_most)
        return VolumeBound(self.structure, self.gy, False, 1.0 - bound / 100.0 + HAIR)

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        return VolumeAbove(self.structure, self.gy)._limit(bound, upper) if upper else super()._limit(bound, upper)


@dataclass(frozen=True)
class DoseAtVolume(_OfVolume):
    """Dx: the largest dose that at least a share of a structure, by mass, receives.

    Parameters
    ----------
    structure : str
    percent : float
        Above 0 and at most 100: 70 for D70.
    """

    structure: str
    percent: float
    homogeneous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_percent(self.percent)

    @property
    def name(self) -> str:
        return f"D{self.percent:g}, {printed(self.structure)}"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        rows = dose.voxel_rows(self.structure)
        return dose_received(rows.exact_dose_gy(np.asarray(activities_gbq, dtype=float)), rows, self.percent / 100.0)

    def volume_bound(self, at_most: bool, bound: float) -> VolumeBound:
        """At least: the rest may be below.  At most: less than the share may be above."""
        share = self.percent / 100.0
        if at_most:
            return VolumeBound(self.structure, bound, True, max(0.0, share - 2.0 * HAIR))
        return VolumeBound(self.structure, bound, False, 1.0 - share + HAIR)

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        rows = dose.voxel_rows(self.structure)
        alone = np.array([dose_received(row, rows, self.percent / 100.0) for row in rows.rows])
        return quotient(bound, alone) * (1.0 + 2e-6)


@dataclass(frozen=True)
class HepaticReserve(_InPercent):
    """Share of the whole normal liver, by mass, that receives no more than a dose, bounded from below.

    Definitions of the reserve differ: the untreated share of the liver (EANM 2022, 10.1007/s00259-021-05600-z), the
    untreated volume without tumour over the whole liver (NCT05063565).  Here untreated is what a dose tells, over the
    normal liver; with a dose of a few Gy it is the unperfused share, less the rim that electrons reach.

    Parameters
    ----------
    below_gy : float
    """

    below_gy: float

    def __post_init__(self) -> None:
        _check_dose(self.below_gy)

    @property
    def name(self) -> str:
        return f"share of {printed(NORMAL_LIVER)} below {self.below_gy:g} Gy"

    def _share(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return 1.0 - self.volume_bound(False, 0.0).wrong_share(dose, activities_gbq)

    def volume_bound(self, at_most: bool, bound: float) -> VolumeBound:
        lower_only(self, at_most)
        return VolumeBound(NORMAL_LIVER, self.below_gy, True, 1.0 - bound / 100.0 + HAIR)

    def largest_scale(self, dose: DosePerGBq, activities_gbq: np.ndarray, bound: float) -> float:
        rows = dose.voxel_rows(NORMAL_LIVER)
        dose_gy = rows.exact_dose_gy(np.asarray(activities_gbq, dtype=float))
        reached = dose_received(dose_gy, rows, 1.0 - bound / 100.0 + 2.0 * HAIR)
        return self.below_gy / reached * (1.0 - 1e-9) if reached > 0 else np.inf

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        if upper:
            raise LimitError(f"The {self.name} is a reserve and can only be limited to at least a share.")
        return super()._limit(bound, upper)


def _check_dose(gy: float) -> None:
    if not (np.isfinite(gy) and gy > 0):
        raise LimitError(f"The dose of a dose-volume limit must be positive, not {gy:g} Gy.")
