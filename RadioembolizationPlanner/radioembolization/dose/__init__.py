"""Absorbed dose per GBq of every site, and what is read from it."""

from radioembolization.dose.compute import compute_dose_per_gbq, dose_volume
from radioembolization.dose.convolution import convolve
from radioembolization.dose.dose_per_gbq import DosePerGBq, DoseSettings, Method, StructureRows
from radioembolization.dose.dvh import DoseVolumeHistogram, dose_at_volume_share, dose_volume_histogram
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
    "Method",
    "StructureRows",
    "compute_dose_per_gbq",
    "convolve",
    "dose_at_volume_share",
    "dose_volume",
    "dose_volume_histogram",
    "lung_dose_gy",
    "partition_activity_gbq",
    "partition_doses",
    "single_compartment_activity_gbq",
]
