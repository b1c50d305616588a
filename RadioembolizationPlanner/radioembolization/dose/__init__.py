"""Absorbed dose per GBq of every site, and what is read from it."""

from radioembolization.dose.body_surface import body_surface_m2, bsa_activity_gbq, modified_bsa_activity_gbq
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
from radioembolization.dose.holmium_rule import holmium_rule_activity_gbq
from radioembolization.dose.live_dose import LiveDose, LiveResult
from radioembolization.dose.live_histograms import LiveStructure
from radioembolization.dose.lung_dose import STANDARD_LUNG_KG, lung_dose_gy, lung_limited_activity_gbq
from radioembolization.dose.lung_shunt import LungVoxelDose, lung_voxel_dose
from radioembolization.dose.partition import partition_activity_gbq, partition_doses
from radioembolization.dose.partition_territories import PartitionModel, PartitionTerritory
from radioembolization.dose.prepared_activity import calibrated_activity_gbq, decayed_activity_gbq
from radioembolization.dose.sampling import draw, fresh, sample_scenarios
from radioembolization.dose.scenario_basis import ScenarioBasis, scenario_basis
from radioembolization.dose.scenario_voxels import ScenarioVoxels
from radioembolization.dose.scenarios import Draws, Scenarios
from radioembolization.dose.single_compartment import single_compartment_activity_gbq, single_compartment_dose_gy
from radioembolization.dose.site_maps import SiteMaps
from radioembolization.dose.sphere_scenarios import SphereScenarios, sphere_scenarios
from radioembolization.dose.spreads import ActsOn, Spread, published_spreads
from radioembolization.dose.threads import single_threaded_products
from radioembolization.dose.uncertainty import Uncertainty
from radioembolization.dose.voxel_rows import VoxelRows

__all__ = [
    "STANDARD_LUNG_KG",
    "ActsOn",
    "Columns",
    "DosePerGBq",
    "DoseSettings",
    "DoseVolumeHistogram",
    "Draws",
    "LiveDose",
    "LiveResult",
    "LiveStructure",
    "LungVoxelDose",
    "Method",
    "PartitionModel",
    "PartitionTerritory",
    "ScenarioBasis",
    "ScenarioVoxels",
    "Scenarios",
    "SiteMaps",
    "SphereScenarios",
    "Spread",
    "StructureDVH",
    "StructureRows",
    "Uncertainty",
    "VoxelRows",
    "binned_dvh",
    "body_surface_m2",
    "bsa_activity_gbq",
    "calibrated_activity_gbq",
    "compute_dose_per_gbq",
    "convolve",
    "decayed_activity_gbq",
    "dose_at_volume_share",
    "dose_volume",
    "dose_volume_histogram",
    "draw",
    "exact_dvh",
    "fresh",
    "holmium_rule_activity_gbq",
    "lung_dose_gy",
    "lung_limited_activity_gbq",
    "lung_voxel_dose",
    "modified_bsa_activity_gbq",
    "partition_activity_gbq",
    "partition_doses",
    "published_spreads",
    "sample_scenarios",
    "scenario_basis",
    "single_compartment_activity_gbq",
    "single_compartment_dose_gy",
    "single_threaded_products",
    "site_maps",
    "sphere_scenarios",
]
