"""Radionuclides, microspheres and dose kernels; knows no patient."""

from radioembolization.physics.decay import decay_factor
from radioembolization.physics.evaluation import Evaluation
from radioembolization.physics.microspheres import (
    DEVICES,
    GLASS_Y90,
    HOLMIUM_HO166,
    RESIN_Y90,
    Device,
    device_by_name,
)
from radioembolization.physics.nuclide import (
    HO166,
    I131,
    LU177,
    NUCLIDES,
    P32,
    RE188,
    TC99M,
    Y90,
    Convention,
    Nuclide,
    nuclide_by_name,
)
from radioembolization.physics.photon_tail import PhotonTail
from radioembolization.physics.point_kernel import PointKernel
from radioembolization.physics.ray_kernel import RayKernel, ray_kernel
from radioembolization.physics.s_value import SValues, voxel_s_values
from radioembolization.physics.sourced import Sourced, Status
from radioembolization.physics.spectra import (
    Y90_POSITRONS_PER_DECAY,
    BetaSpectrum,
    Line,
    Radiation,
    beta_spectrum,
    emissions,
)
from radioembolization.physics.tissue import (
    CORTICAL_BONE,
    LIVER,
    LUNG,
    SOFT_TISSUE,
    TISSUES,
    WATER,
    Tissue,
    depth_factor,
    tissue_by_name,
)
from radioembolization.physics.voxel_kernel import TwoScaleKernel, VoxelKernel, two_scale_kernel, voxel_kernel

__all__ = [
    "CORTICAL_BONE",
    "DEVICES",
    "GLASS_Y90",
    "HO166",
    "HOLMIUM_HO166",
    "I131",
    "LIVER",
    "LU177",
    "LUNG",
    "NUCLIDES",
    "P32",
    "RE188",
    "RESIN_Y90",
    "SOFT_TISSUE",
    "TC99M",
    "TISSUES",
    "WATER",
    "Y90",
    "Y90_POSITRONS_PER_DECAY",
    "BetaSpectrum",
    "Convention",
    "Device",
    "Evaluation",
    "Line",
    "Nuclide",
    "PhotonTail",
    "PointKernel",
    "Radiation",
    "RayKernel",
    "SValues",
    "Sourced",
    "Status",
    "Tissue",
    "TwoScaleKernel",
    "VoxelKernel",
    "beta_spectrum",
    "decay_factor",
    "depth_factor",
    "device_by_name",
    "emissions",
    "nuclide_by_name",
    "ray_kernel",
    "tissue_by_name",
    "two_scale_kernel",
    "voxel_kernel",
    "voxel_s_values",
]
