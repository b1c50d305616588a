"""Which sites, how much activity: goals, limits, the optimal plan and its bound."""

from radioembolization.planning.alternatives import Alternative, alternatives
from radioembolization.planning.baselines import BaselineResult
from radioembolization.planning.conflict import Conflict
from radioembolization.planning.contributions import Contributions, contributions
from radioembolization.planning.dropped_sites import DroppedSite
from radioembolization.planning.effort import Effort
from radioembolization.planning.explanation import Explanation, explain_plan
from radioembolization.planning.front import FrontPoint, ParetoFront
from radioembolization.planning.goals import (
    Goal,
    LogTumourControl,
    LowestColdestMean,
    LowestDose,
    LowestDoseAtVolume,
    LowestEUD,
    MeanShortfall,
    StructureMean,
    VoxelShortfall,
    WeightedSum,
    WorstTumourMean,
    WorstTumourPartMean,
)
from radioembolization.planning.limits import Limit, LimitResult, Provenance
from radioembolization.planning.pareto import pareto_front
from radioembolization.planning.plan import GoalResult, Plan, SitePlan, StructureDose
from radioembolization.planning.prescription import Prescription, Preset, load_presets, preset
from radioembolization.planning.price_intervals import LimitPrices, PriceInterval, price_intervals
from radioembolization.planning.problem import Problem, maximize, minimize
from radioembolization.planning.quantities import (
    ColdestMean,
    DoseAtVolume,
    GastrointestinalDose,
    HepaticReserve,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    LargestInjectionActivity,
    LowestTerritoryNormalLiverDose,
    LungDose,
    MaximumDose,
    MeanBED,
    MeanDose,
    MicrosphereConcentration,
    MinimumDose,
    PerfusedNormalLiverDose,
    ShuntedActivity,
    SiteActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
    VolumeAbove,
    VolumeReaching,
)
from radioembolization.planning.replan import Replanner
from radioembolization.planning.robust import RobustPlan, plan_robustly
from radioembolization.planning.scenario_evaluation import ScenarioEvaluation, evaluate_scenarios
from radioembolization.planning.site_ranges import Need, SiteRange, site_ranges
from radioembolization.planning.staircase import Staircase, Step, staircase
from radioembolization.planning.vial_calendar import VialCalendar, sizes_in_steps_gbq
from radioembolization.planning.vial_choice import VialPlan, VialSet, choose_vials
from radioembolization.planning.vial_order import OrderLine, UsableWindow
from radioembolization.planning.vial_supply import MadeForPatient, SharedVials, Supply, WholeVials
from radioembolization.planning.vial_table import TableEntry, vial_time_table
from radioembolization.planning.vials import DecaySense, Injection, Vial

__all__ = [
    "Alternative",
    "BaselineResult",
    "ColdestMean",
    "Conflict",
    "Contributions",
    "DecaySense",
    "DoseAtVolume",
    "DroppedSite",
    "Effort",
    "Explanation",
    "FrontPoint",
    "GastrointestinalDose",
    "Goal",
    "GoalResult",
    "HepaticReserve",
    "HottestMean",
    "Injection",
    "InjectionActivity",
    "InjectionSites",
    "LargestInjectionActivity",
    "Limit",
    "LimitPrices",
    "LimitResult",
    "LogTumourControl",
    "LowestColdestMean",
    "LowestDose",
    "LowestDoseAtVolume",
    "LowestEUD",
    "LowestTerritoryNormalLiverDose",
    "LungDose",
    "MadeForPatient",
    "MaximumDose",
    "MeanBED",
    "MeanDose",
    "MeanShortfall",
    "MicrosphereConcentration",
    "MinimumDose",
    "Need",
    "OrderLine",
    "ParetoFront",
    "PerfusedNormalLiverDose",
    "Plan",
    "Prescription",
    "Preset",
    "PriceInterval",
    "Problem",
    "Provenance",
    "Replanner",
    "RobustPlan",
    "ScenarioEvaluation",
    "SharedVials",
    "ShuntedActivity",
    "SiteActivity",
    "SitePlan",
    "SiteRange",
    "Staircase",
    "Step",
    "StructureDose",
    "StructureMean",
    "Supply",
    "TableEntry",
    "TerritoryNormalLiverDose",
    "TotalActivity",
    "UsableWindow",
    "Vial",
    "VialCalendar",
    "VialPlan",
    "VialSet",
    "VolumeAbove",
    "VolumeReaching",
    "VoxelShortfall",
    "WeightedSum",
    "WholeVials",
    "WorstTumourMean",
    "WorstTumourPartMean",
    "alternatives",
    "choose_vials",
    "contributions",
    "evaluate_scenarios",
    "explain_plan",
    "load_presets",
    "maximize",
    "minimize",
    "pareto_front",
    "plan_robustly",
    "preset",
    "price_intervals",
    "site_ranges",
    "sizes_in_steps_gbq",
    "staircase",
    "vial_time_table",
]
