"""What a plan maximizes or minimizes.  A new goal is one class: name, value (numpy), planes, model (cvxpy)."""

from radioembolization.planning.goals.goal import Goal, WeightedSum
from radioembolization.planning.goals.means import (
    LowestOf,
    MeanShortfall,
    StructureMean,
    WorstTumourMean,
    WorstTumourPartMean,
    tumour_mean_rows,
)
from radioembolization.planning.goals.survival import LowestEUD
from radioembolization.planning.goals.tumour_control import LogTumourControl
from radioembolization.planning.goals.voxels import (
    LowestColdestMean,
    LowestDose,
    LowestDoseAtVolume,
    VoxelShortfall,
)

__all__ = [
    "Goal",
    "LogTumourControl",
    "LowestColdestMean",
    "LowestDose",
    "LowestDoseAtVolume",
    "LowestEUD",
    "LowestOf",
    "MeanShortfall",
    "StructureMean",
    "VoxelShortfall",
    "WeightedSum",
    "WorstTumourMean",
    "WorstTumourPartMean",
    "tumour_mean_rows",
]
