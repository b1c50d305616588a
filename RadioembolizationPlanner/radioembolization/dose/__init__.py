"""Absorbed dose per GBq of every site, and what is read from it."""

from radioembolization.dose.columns import Columns
from radioembolization.dose.compute import compute_dose_per_gbq, dose_volume, site_maps
from radioembolization.dose.convolution import convolve
from radioembolization.dose.dose_per_gbq import DosePerGBq, DoseSettings, Method, StructureRows
from radioembolization.dose.dvh import (
    DoseVolumeHistogram,
    StructureDVH,
    binned_dvh,
    dose_at_volume_share,
    dose_volume_histogram,
    exact_dvh,
)
from radioembolization.dose.live_dose import LiveDose, LiveResult
from radioembolization.dose.live_histograms import LiveStructure
from radioembolization.dose.lung_shunt import LungShuntDose, lung_shunt_dose
from radioembolization.dose.partition import (
    lung_dose_gy,
    partition_activity_gbq,
    partition_doses,
    single_compartment_activity_gbq,
)
from radioembolization.dose.site_maps import SiteMaps

__all__ = [
    "Columns",
    "DosePerGBq",
    "DoseSettings",
    "DoseVolumeHistogram",
    "LiveDose",
    "LiveResult",
    "LiveStructure",
    "LungShuntDose",
    "Method",
    "SiteMaps",
    "StructureDVH",
    "StructureRows",
    "binned_dvh",
    "compute_dose_per_gbq",
    "convolve",
    "dose_at_volume_share",
    "dose_volume",
    "dose_volume_histogram",
    "exact_dvh",
    "lung_dose_gy",
    "lung_shunt_dose",
    "partition_activity_gbq",
    "partition_doses",
    "single_compartment_activity_gbq",
    "site_maps",
]
