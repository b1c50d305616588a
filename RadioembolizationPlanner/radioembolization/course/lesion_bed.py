"""What microspheres add to the biologically effective dose of lesions that had other treatment, as a planning goal.

A lesion with a mean dose D of microspheres has ``BED = base + slope D + curvature D^2``: base is what everything else
gives, slope is one plus the unrepaired damage that other treatments leave or find, curvature that of the microspheres
alone.  All are at least zero, so BED rises with D and every level of it is a level of D.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.planning.goals import Goal, LowestOf
from radioembolization.planning.goals.goal import tumours
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.supports import Support


@dataclass(frozen=True)
class LesionResponse:
    """BED of one lesion by its mean dose of microspheres.

    Parameters
    ----------
    base_gy : float
        BED without microspheres [Gy]; negative if repopulation outweighs it.
    slope : float
        At least 1.
    curvature_per_gy : float
        [1/Gy]
    """

    base_gy: float
    slope: float
    curvature_per_gy: float

    @staticmethod
    def best_of(responses: Sequence[LesionResponse]) -> LesionResponse:
        """Return a response that none of several with one curvature surpasses."""
        base, slope = max(one.base_gy for one in responses), max(one.slope for one in responses)
        return LesionResponse(base, slope, responses[0].curvature_per_gy)

    def bed_gy(self, dose_gy: np.ndarray | float) -> np.ndarray | float:
        """Return the BED for a mean dose [Gy]."""
        return self.base_gy + self.slope * dose_gy + self.curvature_per_gy * dose_gy * dose_gy

    def dose_gy(self, bed_gy: float) -> float:
        """Return the least mean dose that reaches a BED [Gy]; 0 if nothing is needed."""
        return float(dose_for_bed_gy(bed_gy - self.base_gy, self.slope, self.curvature_per_gy))


def dose_for_bed_gy(bed_gy: np.ndarray | float, slope: np.ndarray | float, curvature_per_gy: float) -> np.ndarray:
    """Return the dose whose ``slope D + curvature D^2`` is a BED [Gy]; 0 for a BED below 0."""
    needed = np.maximum(bed_gy, 0.0)
    return np.asarray(2.0 * needed / (slope + np.sqrt(np.square(slope) + 4.0 * curvature_per_gy * needed)))


@dataclass(frozen=True)
class WorstLesionBED(Goal):
    """The lowest BED of any hepatic lesion, by its mean dose and by that of each of its parts, maximized.

    Parts are those of ``WorstTumourPartMean``.  It is quasi-concave only: a level of BED is a level of dose for each
    lesion, and ``margin`` tells by planes whether all of them are reached.

    Parameters
    ----------
    responses : mapping of str to LesionResponse
        By tumour; every tumour of the dose rows needs one.
    """

    responses: Mapping[str, LesionResponse] = field(hash=False)
    homogeneous: ClassVar[bool] = False
    summable: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return "lowest BED of any hepatic lesion or lesion part"

    @property
    def maximized(self) -> bool:
        return True

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        x = np.asarray(activities_gbq, dtype=float)
        means = ((self.responses[name], rows @ x) for name, rows in self._rows(dose).items())
        return min(float(np.min(response.bed_gy(mean))) for response, mean in means)

    def margin(self, dose: DosePerGBq, level: float) -> Goal:
        needed = {name: response.dose_gy(level) for name, response in self.responses.items()}
        return LesionDoseMargin(needed)

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> Any:
        raise NotImplementedError("The lowest BED is quasi-concave: its margins have planes.")

    def expression(self, model: Model) -> Any:
        """Full reference for its value; cvxpy cannot optimize it, because it is not concave."""
        cp, values = cvxpy(), []
        for name, rows in self._rows(model.dose).items():
            response, mean = self.responses[name], rows @ model.activities
            values.append(
                response.base_gy + response.slope * mean + response.curvature_per_gy * cp.multiply(mean, mean)
            )
        return cp.min(cp.hstack(values))

    def _rows(self, dose: DosePerGBq) -> dict[str, np.ndarray]:
        return lesion_rows(dose, self.responses)


@dataclass(frozen=True)
class LesionDoseMargin(LowestOf):
    """How far every lesion is beyond the mean dose it needs: the least difference [Gy].

    Parameters
    ----------
    needed_gy : mapping of str to float
        By tumour.
    """

    needed_gy: Mapping[str, float] = field(hash=False)
    homogeneous: ClassVar[bool] = False
    summable: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return "least dose of any hepatic lesion beyond what it needs"

    def rows(self, dose: DosePerGBq) -> np.ndarray:
        return np.vstack(list(lesion_rows(dose, self.needed_gy).values()))

    def offsets(self, dose: DosePerGBq) -> np.ndarray:
        """Return what every row is short of without any activity (rows,) [Gy]."""
        rows = lesion_rows(dose, self.needed_gy)
        return np.concatenate([np.full(len(block), self.needed_gy[name]) for name, block in rows.items()])

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(np.min(self.rows(dose) @ activities_gbq - self.offsets(dose)))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        rows, offsets = self.rows(dose), self.offsets(dose)
        return [Support(row, -float(offset)) for row, offset in zip(rows, offsets, strict=True)]

    def expression(self, model: Model) -> Any:
        return cvxpy().min(self.rows(model.dose) @ model.activities - self.offsets(model.dose))


def lesion_rows(dose: DosePerGBq, lesions: Mapping[str, object]) -> dict[str, np.ndarray]:
    """Return the mean dose per GBq (whole and parts, sites) of every tumour [Gy/GBq].

    Raises
    ------
    LimitError
        If a tumour is no lesion of the course.
    """
    missing = [tumour.name for tumour in tumours(dose) if tumour.name not in lesions]
    if missing:
        raise LimitError(f"Nothing says what 177Lu gives to the tumours {missing}: add their uptake to the course.")
    return {
        tumour.name: np.vstack([dose.structure_row(tumour.name)[None], dose.part_rows(tumour.name)])
        for tumour in tumours(dose)
    }
