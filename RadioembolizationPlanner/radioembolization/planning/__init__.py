"""Which sites, how much activity: goals, limits, the optimal plan and its bound."""

from radioembolization.planning.baselines import BaselineResult
from radioembolization.planning.goals import Goal, MeanShortfall, StructureMean, WeightedSum, WorstTumourMean
from radioembolization.planning.limits import (
    InjectionActivity,
    InjectionSites,
    Limit,
    LimitResult,
    LungDose,
    MeanDose,
    PerfusedNormalLiverDose,
    Provenance,
    ShuntedActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
)
from radioembolization.planning.plan import GoalResult, Plan, SitePlan, StructureDose
from radioembolization.planning.prescription import Prescription, Preset, load_presets, preset
from radioembolization.planning.problem import Problem, maximize, minimize

__all__ = [
    "BaselineResult",
    "Goal",
    "GoalResult",
    "InjectionActivity",
    "InjectionSites",
    "Limit",
    "LimitResult",
    "LungDose",
    "MeanDose",
    "MeanShortfall",
    "PerfusedNormalLiverDose",
    "Plan",
    "Prescription",
    "Preset",
    "Problem",
    "Provenance",
    "ShuntedActivity",
    "SitePlan",
    "StructureDose",
    "StructureMean",
    "TerritoryNormalLiverDose",
    "TotalActivity",
    "WeightedSum",
    "WorstTumourMean",
    "load_presets",
    "maximize",
    "minimize",
    "preset",
]
