"""Absorbed dose per GBq of every site, and what is read from it."""

from radioembolization.dose.compute import compute_dose_per_gbq, dose_volume
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
from radioembolization.dose.partition import (
    lung_dose_gy,
    partition_activity_gbq,
    partition_doses,
    single_compartment_activity_gbq,
)

__all__ = [
    "DosePerGBq",
    "DoseSettings",
    "DoseVolumeHistogram",
    "LiveDose",
    "LiveResult",
    "LiveStructure",
    "Method",
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
    "partition_activity_gbq",
    "partition_doses",
    "single_compartment_activity_gbq",
]
