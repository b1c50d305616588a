"""A planned treatment: the case, its dose rows, the plan and the dose volume."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from radioembolization.dose import (
    DosePerGBq,
    DoseVolumeHistogram,
    LungVoxelDose,
    compute_dose_per_gbq,
    dose_volume,
    dose_volume_histogram,
)
from radioembolization.dose.lung_dose import FORMULA_TO_MONTE_CARLO
from radioembolization.errors import LungDoseCaution
from radioembolization.images import Volume
from radioembolization.physics import RESIN_Y90, Y90
from radioembolization.planning import Limit, LungDose, Plan
from radioembolization.treatment.case import Case, Notice, collected_notices
from radioembolization.treatment.densities import lungs_by_voxels

#: Resin: pneumonitis is reported from this lung dose [Gy] on (10.3389/fonc.2023.977160).
_RESIN_LUNG_CAUTION_GY = 13.0
#: Labelling contraindicates resin above this shunt.
_RESIN_SHUNT_CAUTION = 0.20

#: Called with (what is done, step, steps).
Progress = Callable[[str, int, int], None]


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
    """

    case: Case
    dose_per_gbq: DosePerGBq
    plan: Plan
    dose: Volume
    histograms: Mapping[str, DoseVolumeHistogram]
    notices: tuple[Notice, ...]
    lung_voxels: LungVoxelDose | None = None


def plan_treatment(case: Case, progress: Progress | None = None) -> Treatment:
    """Compute the dose rows of a case, optimize, and evaluate the plan.

    Raises
    ------
    PlannerError
        In one of its named forms; see ``Problem.solve``.
    """

    def report(what: str, step: int, steps: int) -> None:
        if progress:
            progress(what, step, steps)

    with collected_notices() as notices:
        problem = case.inputs.prescription.problem(case.inputs.settings.device)
        rows = compute_dose_per_gbq(
            case.territories,
            case.inputs.settings,
            lambda step, steps: report("dose per GBq", step, steps),
            case.density,
        )
        report("optimization", 0, 1)
        plan = problem.solve(rows)
        report("optimization", 1, 1)
        report("dose of the plan", 0, 1)
        dose = dose_volume(case.territories, case.inputs.settings, plan.activities_gbq, case.density)
        histograms = _histograms(case, dose)
        lungs = lungs_by_voxels(case, plan.activities_gbq)
        report("dose of the plan", 1, 1)
        _warn_of_lungs(rows, plan, problem.limits)
    all_notices = tuple(dict.fromkeys((*case.notices, *notices)))
    return Treatment(case, rows, plan, dose, histograms, all_notices, lungs)


def _histograms(case: Case, dose: Volume) -> dict[str, DoseVolumeHistogram]:
    return {s.name: dose_volume_histogram(dose.array[s.mask]) for s in case.structures.all}


def _warn_of_lungs(rows: DosePerGBq, plan: Plan, limits: tuple[Limit, ...]) -> None:
    _warn_of_underestimated_lungs(rows, plan, limits)
    if rows.settings.device != RESIN_Y90:
        return
    if plan.lung_gy is not None and plan.lung_gy >= _RESIN_LUNG_CAUTION_GY:
        warnings.warn(
            f"The lung dose of {plan.lung_gy:.1f} Gy is within the limit, but pneumonitis after resin is reported "
            f"from {_RESIN_LUNG_CAUTION_GY:g} Gy on (10.3389/fonc.2023.977160).",
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
