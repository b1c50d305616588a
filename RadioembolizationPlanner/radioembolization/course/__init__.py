"""A course of treatment: 177Lu cycles and radioembolization sessions, their doses and their sequence."""

from radioembolization.course.budget import (
    Balance,
    OrganBudget,
    lung_budgets,
    lung_dose_left_gy,
    organ_budget,
    organ_budgets,
)
from radioembolization.course.constraints import Constraints, Finding, IntervalRule, stated_constraints
from radioembolization.course.curve_fit import Fit, Model, fit_time_activity, fitted_models
from radioembolization.course.eligibility import Analyte, Gate, LabValue, Threshold
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.ledger import Ledger, LedgerEntry
from radioembolization.course.liver_budget import LiverBudget, liver_budget, liver_budgets_of
from radioembolization.course.lutetium_dose import (
    MeasuredRegion,
    RegionDose,
    dose_of_region,
    map_of_decays,
    patient_uptake,
    region_shares,
)
from radioembolization.course.published_uptake import PUBLISHED, completed, population_uptake
from radioembolization.course.schedule_check import Appointment, Violation, check_schedule
from radioembolization.course.time_activity import TimeActivity, TimeIntegratedActivity, single_time_point
from radioembolization.course.uptake import Origin, RegionUptake, cycle_dose_range_gy, cycle_doses_gy
from radioembolization.course.voxel_ledger import VoxelExposure, VoxelLedger

__all__ = [
    "PUBLISHED",
    "Analyte",
    "Appointment",
    "Balance",
    "Constraints",
    "Exposure",
    "Finding",
    "Fit",
    "Gate",
    "IntervalRule",
    "LabValue",
    "Ledger",
    "LedgerEntry",
    "LiverBudget",
    "MeasuredRegion",
    "Modality",
    "Model",
    "OrganBudget",
    "Origin",
    "RegionDose",
    "RegionUptake",
    "Threshold",
    "TimeActivity",
    "TimeIntegratedActivity",
    "Violation",
    "VoxelExposure",
    "VoxelLedger",
    "check_schedule",
    "completed",
    "cycle_dose_range_gy",
    "cycle_doses_gy",
    "dose_of_region",
    "fit_time_activity",
    "fitted_models",
    "liver_budget",
    "liver_budgets_of",
    "lung_budgets",
    "lung_dose_left_gy",
    "map_of_decays",
    "organ_budget",
    "organ_budgets",
    "patient_uptake",
    "population_uptake",
    "region_shares",
    "single_time_point",
    "stated_constraints",
]
