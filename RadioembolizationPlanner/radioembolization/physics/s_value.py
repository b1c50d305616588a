"""Voxel S values: dose in a target voxel per decay in a source voxel (MIRD Pamphlet 17)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from radioembolization.errors import InputError
from radioembolization.physics.nuclide import JOULE_PER_MEV, Convention, Nuclide
from radioembolization.physics.tissue import WATER, Tissue
from radioembolization.physics.voxel_kernel import VoxelKernel, voxel_kernel

#: Gy/(Bq s) to mGy/(MBq s).
_MGY_PER_MBQ_S = 1e9
#: A kernel of more voxels is refused: its table would fill the memory rather than help anyone.
_MOST_VOXELS = 5_000_000


@dataclass(frozen=True, eq=False)
class SValues:
    """Voxel S values of a homogeneous medium.

    Parameters
    ----------
    nuclide : Nuclide
    convention : Convention
        Where the energy per decay comes from.
    tissue : Tissue
    kernel : VoxelKernel
        Energy shares, voxel sides (z, y, x) [mm] and density.
    s_mgy_per_mbq_s : ndarray (2a+1, 2b+1, 2c+1), (z, y, x)
        S value of each target voxel [mGy/(MBq s)]; the source voxel is at the centre.
    """

    nuclide: Nuclide
    convention: Convention
    tissue: Tissue
    kernel: VoxelKernel
    s_mgy_per_mbq_s: np.ndarray

    @property
    def energy_mev_per_decay(self) -> float:
        """Emitted energy per decay [MeV]."""
        return self.nuclide.energy_mev(self.convention)

    @property
    def voxel_kg(self) -> float:
        """Mass of one voxel [kg]."""
        return math.prod(self.kernel.spacing_mm) * 1e-6 * self.kernel.density_g_per_cm3

    @property
    def self_mgy_per_mbq_s(self) -> float:
        """S value of the source voxel itself [mGy/(MBq s)]."""
        return float(self.s_mgy_per_mbq_s[self.kernel.half_width])

    @property
    def radius_mm(self) -> float:
        """Radius of the largest sphere about the source whose voxels are all in the kernel [mm]."""
        sides = zip(self.kernel.half_width, self.kernel.spacing_mm, strict=True)
        return min((half + 0.5) * side for half, side in sides)

    @property
    def share_inside(self) -> float:
        """Share of the emitted energy absorbed in the voxels of the kernel."""
        return 1.0 - self.kernel.share_beyond


def voxel_s_values(
    nuclide: Nuclide,
    spacing_mm: tuple[float, float, float],
    density_g_per_cm3: float,
    radius_mm: float | None = None,
    tissue: Tissue = WATER,
    convention: Convention = Convention.ICRP107,
) -> SValues:
    """Return the voxel S values of a nuclide.

    ``S = share x E / m``: energy share of the target voxel, emitted energy per decay, voxel mass.

    Parameters
    ----------
    nuclide : Nuclide
    spacing_mm : tuple of float
        Voxel sides (z, y, x) [mm].
    density_g_per_cm3 : float
    radius_mm : float, optional
        Reach along each axis [mm]; default that of ``voxel_kernel``.
    tissue : Tissue
    convention : Convention

    Raises
    ------
    InputError
        If spacing, density or radius cannot be used, the nuclide has no energy under the convention, or
        the kernel would have more than five million voxels.
    """
    energy_j = nuclide.energy_mev(convention) * JOULE_PER_MEV
    check_kernel_size(spacing_mm, radius_mm)
    kernel = voxel_kernel(nuclide, spacing_mm, density_g_per_cm3, radius_mm, tissue)
    kg = math.prod(kernel.spacing_mm) * 1e-6 * kernel.density_g_per_cm3
    values = kernel.energy_share * (energy_j / kg * _MGY_PER_MBQ_S)
    values.flags.writeable = False
    return SValues(nuclide, convention, tissue, kernel, values)


def check_kernel_size(spacing_mm: tuple[float, float, float], radius_mm: float | None) -> None:
    """Refuse a kernel too large for any use; photons have no end.

    Raises
    ------
    InputError
        If a kernel to the radius would have more than five million voxels.
    """
    if radius_mm is None or not (radius_mm > 0 and min(spacing_mm) > 0):
        return  # the kernel itself says what is wrong
    voxels = math.prod(2.0 * radius_mm / side + 1.0 for side in spacing_mm)
    if voxels > _MOST_VOXELS:
        raise InputError(
            f"A kernel that reaches {radius_mm:.3g} mm would have {voxels:.1e} voxels, more than {_MOST_VOXELS:.0e}: "
            "choose a smaller radius or larger voxels."
        )
