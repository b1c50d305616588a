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
from radioembolization.planning.goals.voxels import LowestColdestMean, LowestDose

__all__ = [
    "Goal",
    "LowestColdestMean",
    "LowestDose",
    "LowestOf",
    "MeanShortfall",
    "StructureMean",
    "WeightedSum",
    "WorstTumourMean",
    "WorstTumourPartMean",
    "tumour_mean_rows",
]
