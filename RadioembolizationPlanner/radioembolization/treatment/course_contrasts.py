"""What a planned course would be without one of its modalities, and at the ends of published ranges of uptake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from radioembolization.biology import bed_gy
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.ledger import Ledger
from radioembolization.planning import MeanDose
from radioembolization.structures import NORMAL_LIVER
from radioembolization.treatment.planned_course import PlannedCourse


@dataclass(frozen=True)
class Contrast:
    """BED of a structure by the whole course and with the rest of one modality left out, all else as planned [Gy]."""

    name: str
    kind: str
    both_gy: float
    without_radioembolization_gy: float
    without_lutetium_gy: float


@dataclass(frozen=True)
class Stress:
    """A budget at the ends of the range of an uptake.

    Parameters
    ----------
    structure : str
    budget : str
    gy_per_gbq : float
        The uptake that is planned with [Gy/GBq].
    range_gy_per_gbq : (float, float)
    limit_gy, spent_gy : float
        Dose or BED [Gy].
    spent_range_gy : (float, float)
    """

    structure: str
    budget: str
    gy_per_gbq: float
    range_gy_per_gbq: tuple[float, float]
    limit_gy: float
    spent_gy: float
    spent_range_gy: tuple[float, float]

    @property
    def kept(self) -> bool:
        """Whether the budget is kept at the upper end too."""
        return self.spent_range_gy[1] <= self.limit_gy * (1.0 + 1e-9)


def contrasts(planned: PlannedCourse) -> tuple[Contrast, ...]:
    """Return what every structure loses if what is planned of one modality is not given."""
    ledger, coming = planned.course.ledger, planned.planned

    def without(modality: Modality) -> Ledger:
        left_out = {exposure.label for exposure in coming if exposure.modality is modality}
        return Ledger(tuple(e for e in ledger.exposures if e.label not in left_out), ledger.tissues)

    cycles_only, sessions_only = without(Modality.RADIOEMBOLIZATION), without(Modality.LUTETIUM)
    return tuple(
        Contrast(e.name, e.kind, ledger.bed_gy(e.name), cycles_only.bed_gy(e.name), sessions_only.bed_gy(e.name))
        for e in planned.course.effects
    )


def liver_limit_beds_gy(problem: CourseProblem) -> dict[str, tuple[float, float]]:
    """Return dose and BED [Gy] of each limit on the mean dose of the whole normal liver, by its name.

    The BED is that of the device, with its own half-life; it says nothing about another device.
    """
    tissue = problem.tissues[NORMAL_LIVER]
    parameters = (tissue.alpha_beta_gy.value, tissue.repair_half_time_h.value, problem.microspheres_half_life_h)
    return {
        limit.quantity.name: (limit.bound, bed_gy(limit.bound, *parameters))
        for limit in problem.problem.limits
        if limit.upper and isinstance(limit.quantity, MeanDose) and limit.quantity.structure == NORMAL_LIVER
    }


def stresses(planned: PlannedCourse) -> tuple[Stress, ...]:
    """Return every budget at the ends of the range of its organ's uptake, where a range is known."""
    problem, course = planned.problem, planned.course
    counted: list[tuple[str, str, float, Callable[[Ledger], float]]] = [
        (b.structure, b.name, b.limit_gy, lambda ledger, b=b: b.balance(ledger).spent_gy)  # type: ignore[misc]
        for b in problem.budgets
    ]
    counted += [
        (NORMAL_LIVER, f"BED of the limit '{name}'", limit, lambda ledger: ledger.bed_gy(NORMAL_LIVER))
        for name, (_, limit) in liver_limit_beds_gy(problem).items()
    ]
    found = []
    for structure, budget, limit, spent in counted:
        uptake = problem.uptakes[structure]
        low_high = uptake.range_gy_per_gbq
        used = uptake.gy_per_gbq.value
        if low_high is None or used <= 0.0:
            continue
        low, high = (spent(_scaled(planned, structure, end / used)) for end in low_high)
        found.append(Stress(structure, budget, used, low_high, limit, spent(course.ledger), (low, high)))
    return tuple(found)


def _scaled(planned: PlannedCourse, structure: str, factor: float) -> Ledger:
    """Return the ledger with another dose of a structure in the cycles that are still to be given."""
    coming = {e.label for e in planned.planned if e.modality is Modality.LUTETIUM}

    def scaled(exposure: Exposure) -> Exposure:
        if exposure.label not in coming:
            return exposure
        doses = {**exposure.dose_gy, structure: exposure.dose_gy[structure] * factor}
        return replace(exposure, dose_gy=doses)

    ledger = planned.course.ledger
    return Ledger(tuple(scaled(exposure) for exposure in ledger.exposures), ledger.tissues)
