"""What limits bound.  A new quantity is one class: name, value (numpy), planes that touch it, model (cvxpy)."""

from radioembolization.planning.quantities.injections import InjectionActivity, InjectionSites
from radioembolization.planning.quantities.linear import LungDose, MeanDose, ShuntedActivity, TotalActivity
from radioembolization.planning.quantities.perfused import PerfusedNormalLiverDose, TerritoryNormalLiverDose

__all__ = [
    "InjectionActivity",
    "InjectionSites",
    "LungDose",
    "MeanDose",
    "PerfusedNormalLiverDose",
    "ShuntedActivity",
    "TerritoryNormalLiverDose",
    "TotalActivity",
]
