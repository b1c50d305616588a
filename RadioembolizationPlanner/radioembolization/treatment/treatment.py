"""A planned treatment: the case, its dose rows, the plan and the dose volume."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from radioembolization.dose import (
    DosePerGBq,
    DoseVolumeHistogram,
    LungVoxelDose,
    dose_volume,
    dose_volume_histogram,
)
from radioembolization.dose.lung_dose import FORMULA_TO_MONTE_CARLO
from radioembolization.errors import LungDoseCaution
from radioembolization.images import Volume
from radioembolization.physics import RESIN_Y90, Y90
from radioembolization.planning import Effort, Limit, LungDose, Plan, Problem
from radioembolization.planning.manual import manual_plan
from radioembolization.treatment.analysis import Analysis
from radioembolization.treatment.case import Case, Notice, collected_notices, joined
from radioembolization.treatment.densities import lungs_by_voxels
from radioembolization.treatment.prepared_case import PreparedCase, Progress, compute_rows, report

#: Resin: pneumonitis is reported from this lung dose [Gy] on (10.3389/fonc.2023.977160).
_RESIN_LUNG_CAUTION_GY = 13.0
#: Labelling contraindicates resin above this shunt.
_RESIN_SHUNT_CAUTION = 0.20


@dataclass(frozen=True, eq=False)
class Treatment:
    """Everything a report, a file or a scene is written from.

    Parameters
    ----------
    case : Case
    dose_per_gbq : DosePerGBq
    plan : Plan
    dose : Volume
        Absorbed dose of the plan on the planning grid [Gy].
    histograms : mapping of str to DoseVolumeHistogram
        By structure name.
    notices : tuple of Notice
        Of the case and of planning.
    lung_voxels : LungVoxelDose, optional
        Dose of the lungs by voxels, for ``Method.DENSITY`` with a CT and lungs.
    analysis : Analysis, optional
        Reasons, trade-offs, scenarios and vials, as far as asked for.
    """

    case: Case
    dose_per_gbq: DosePerGBq
    plan: Plan
    dose: Volume
    histograms: Mapping[str, DoseVolumeHistogram]
    notices: tuple[Notice, ...]
    lung_voxels: LungVoxelDose | None = None
    analysis: Analysis | None = None


def plan_treatment(case: Case, progress: Progress | None = None) -> Treatment:
    """Compute the dose rows of a case, optimize, and evaluate the plan.

    Raises
    ------
    PlannerError
        In one of its named forms; see ``Problem.solve``.
    """
    return plan_on_rows(compute_rows(case, progress), progress)


def plan_on_rows(prepared: PreparedCase, progress: Progress | None = None, effort: Effort | None = None) -> Treatment:
    """Optimize on dose rows that are there already, and evaluate the plan.

    Parameters
    ----------
    prepared : PreparedCase
    progress : callable, optional
    effort : Effort, optional
        Gap and time limit; its own progress is that of the solver, whose steps are more and finer.

    Raises
    ------
    PlannerError
        In one of its named forms; see ``Problem.solve``.
    """
    with collected_notices() as notices:
        problem = _problem(prepared)
        report(progress, "optimization", 0, 1)
        plan = problem.solve(prepared.dose_per_gbq, effort)
        report(progress, "optimization", 1, 1)
        evaluated = _evaluated(prepared, plan, problem.limits, progress)
    return replace(evaluated, notices=joined(prepared.notices, notices))


def evaluate_treatment(
    prepared: PreparedCase, activities_gbq: np.ndarray, progress: Progress | None = None
) -> Treatment:
    """Evaluate activities (sites,) [GBq] set by hand, as any plan; needs no solver.

    Limits may be exceeded: the plan and its explanation say which.  There is no bound and no comparison.

    Raises
    ------
    InputError
        If there is not one activity of zero or more for each site; in its other named forms, if goal or limits do
        not fit the dose rows.
    """
    with collected_notices() as notices:
        problem = _problem(prepared)
        plan = manual_plan(problem, prepared.dose_per_gbq, activities_gbq)
        evaluated = _evaluated(prepared, plan, problem.limits, progress)
    return replace(evaluated, notices=joined(prepared.notices, notices))


def with_plan(treatment: Treatment, plan: Plan, progress: Progress | None = None) -> Treatment:
    """Return a treatment with another plan on the same dose rows, and the dose volume of that; itself for its own plan.

    What is noticed about the lungs is warned of anew, and left out of the earlier notices.
    """
    if plan is treatment.plan:
        return treatment
    kept = tuple(notice for notice in treatment.notices if notice.name != LungDoseCaution.__name__)
    prepared = PreparedCase(treatment.case, treatment.dose_per_gbq, kept)
    with collected_notices() as notices:
        evaluated = _evaluated(prepared, plan, _problem(prepared).limits, progress)
    return replace(evaluated, notices=joined(kept, notices))


def _problem(prepared: PreparedCase) -> Problem:
    inputs = prepared.case.inputs
    return inputs.prescription.problem(inputs.settings.device)


def _evaluated(prepared: PreparedCase, plan: Plan, limits: tuple[Limit, ...], progress: Progress | None) -> Treatment:
    """Return a plan with its dose volume; what is noticed is warned of."""
    case, rows = prepared.case, prepared.dose_per_gbq
    report(progress, "dose of the plan", 0, 1)
    dose = dose_volume(case.territories, case.inputs.settings, plan.activities_gbq, case.density)
    histograms = _histograms(case, dose)
    lungs = lungs_by_voxels(case, plan.activities_gbq)
    report(progress, "dose of the plan", 1, 1)
    _warn_of_lungs(rows, plan, limits)
    return Treatment(case, rows, plan, dose, histograms, prepared.notices, lungs)


def _histograms(case: Case, dose: Volume) -> dict[str, DoseVolumeHistogram]:
    return {s.name: dose_volume_histogram(dose.array[s.mask]) for s in case.structures.all}


def _warn_of_lungs(rows: DosePerGBq, plan: Plan, limits: tuple[Limit, ...]) -> None:
    _warn_of_underestimated_lungs(rows, plan, limits)
    if rows.settings.device != RESIN_Y90:
        return
    if plan.lung_gy is not None and plan.lung_gy >= _RESIN_LUNG_CAUTION_GY:
        of_lungs = [limit for limit in limits if isinstance(limit.quantity, LungDose)]
        met = all(limit.is_met(rows, plan.activities_gbq) for limit in of_lungs)
        warnings.warn(
            f"The lung dose of {plan.lung_gy:.1f} Gy {'is within the limit, but' if met else 'exceeds the limit, and'} "
            f"pneumonitis after resin is reported from {_RESIN_LUNG_CAUTION_GY:g} Gy on (10.3389/fonc.2023.977160).",
            LungDoseCaution,
            stacklevel=3,
        )
    shunted = [s for s in plan.used_sites if s.lung_shunt > _RESIN_SHUNT_CAUTION]
    if shunted:
        warnings.warn(
            f"The lung shunt of {', '.join(f'{s.name} ({s.lung_shunt:.0%})' for s in shunted)} is above 20 %, where "
            "the labelling contraindicates resin microspheres.",
            LungDoseCaution,
            stacklevel=3,
        )


def _warn_of_underestimated_lungs(rows: DosePerGBq, plan: Plan, limits: tuple[Limit, ...]) -> None:
    """Warn if the lung dose would exceed its limit after correction for the known bias of the formula."""
    if plan.lung_gy is None or rows.settings.device.nuclide != Y90:
        return
    stressed = plan.lung_gy / FORMULA_TO_MONTE_CARLO
    bounds = [limit.bound - limit.quantity.earlier_gy for limit in limits if isinstance(limit.quantity, LungDose)]
    if bounds and plan.lung_gy <= min(bounds) < stressed:
        warnings.warn(
            f"The lung dose of {plan.lung_gy:.1f} Gy by shunt and mass underestimates Monte Carlo by about 40 % "
            f"(10.3390/app14177684): corrected it is {stressed:.1f} Gy, above the limit of {min(bounds):g} Gy.",
            LungDoseCaution,
            stacklevel=4,
        )
