"""What limits bound.  A new quantity is one class: name, value (numpy), planes that touch it, model (cvxpy)."""

from radioembolization.planning.quantities.activity import ShuntedActivity, SiteActivity, TotalActivity
from radioembolization.planning.quantities.bed import MeanBED
from radioembolization.planning.quantities.dose_volume import (
    DoseAtVolume,
    HepaticReserve,
    VolumeAbove,
    VolumeReaching,
)
from radioembolization.planning.quantities.injections import (
    InjectionActivity,
    InjectionSites,
    LargestInjectionActivity,
)
from radioembolization.planning.quantities.linear import GastrointestinalDose, LungDose, MeanDose
from radioembolization.planning.quantities.microspheres import MicrosphereConcentration
from radioembolization.planning.quantities.perfused import (
    LowestTerritoryNormalLiverDose,
    PerfusedNormalLiverDose,
    TerritoryNormalLiverDose,
)
from radioembolization.planning.quantities.voxel_dose import ColdestMean, HottestMean, MaximumDose, MinimumDose

__all__ = [
    "ColdestMean",
    "DoseAtVolume",
    "GastrointestinalDose",
    "HepaticReserve",
    "HottestMean",
    "InjectionActivity",
    "InjectionSites",
    "LargestInjectionActivity",
    "LowestTerritoryNormalLiverDose",
    "LungDose",
    "MaximumDose",
    "MeanBED",
    "MeanDose",
    "MicrosphereConcentration",
    "MinimumDose",
    "PerfusedNormalLiverDose",
    "ShuntedActivity",
    "SiteActivity",
    "TerritoryNormalLiverDose",
    "TotalActivity",
    "VolumeAbove",
    "VolumeReaching",
]
