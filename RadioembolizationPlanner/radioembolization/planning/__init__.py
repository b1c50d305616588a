"""Which sites, how much activity: goals, limits, the optimal plan and its bound."""

from radioembolization.planning.baselines import BaselineResult
from radioembolization.planning.effort import Effort
from radioembolization.planning.goals import (
    Goal,
    MeanShortfall,
    StructureMean,
    WeightedSum,
    WorstTumourMean,
    WorstTumourPartMean,
)
from radioembolization.planning.limits import Limit, LimitResult, Provenance
from radioembolization.planning.plan import GoalResult, Plan, SitePlan, StructureDose
from radioembolization.planning.prescription import Prescription, Preset, load_presets, preset
from radioembolization.planning.problem import Problem, maximize, minimize
from radioembolization.planning.quantities import (
    InjectionActivity,
    InjectionSites,
    LungDose,
    MeanDose,
    PerfusedNormalLiverDose,
    ShuntedActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
)
from radioembolization.planning.replan import Replanner

__all__ = [
    "BaselineResult",
    "Effort",
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
    "Replanner",
    "ShuntedActivity",
    "SitePlan",
    "StructureDose",
    "StructureMean",
    "TerritoryNormalLiverDose",
    "TotalActivity",
    "WeightedSum",
    "WorstTumourMean",
    "WorstTumourPartMean",
    "load_presets",
    "maximize",
    "minimize",
    "preset",
]
