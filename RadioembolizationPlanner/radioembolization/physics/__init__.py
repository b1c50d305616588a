"""Radionuclides, microspheres and dose kernels; knows no patient."""

from radioembolization.physics.decay import decay_factor
from radioembolization.physics.microspheres import (
    DEVICES,
    GLASS_Y90,
    HOLMIUM_HO166,
    RESIN_Y90,
    Device,
    device_by_name,
)
from radioembolization.physics.nuclide import HO166, NUCLIDES, Y90, Convention, Nuclide
from radioembolization.physics.point_kernel import PointKernel
from radioembolization.physics.voxel_kernel import VoxelKernel, voxel_kernel

__all__ = [
    "DEVICES",
    "GLASS_Y90",
    "HO166",
    "HOLMIUM_HO166",
    "NUCLIDES",
    "RESIN_Y90",
    "Y90",
    "Convention",
    "Device",
    "Nuclide",
    "PointKernel",
    "VoxelKernel",
    "decay_factor",
    "device_by_name",
    "voxel_kernel",
]
