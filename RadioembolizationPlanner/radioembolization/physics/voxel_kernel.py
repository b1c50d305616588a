"""Voxel dose kernels: a point kernel integrated over source and target voxel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from radioembolization.errors import InputError
from radioembolization.physics.kernel_cache import cached_array, content_key
from radioembolization.physics.nuclide import Nuclide
from radioembolization.physics.photon_tail import ELECTRON_REACH_G_CM2, PhotonTail
from radioembolization.physics.point_kernel import PointKernel
from radioembolization.physics.quadrature import deposit_in_octant, radial_points, unfold
from radioembolization.physics.tissue import WATER, Tissue

Spacing = tuple[float, float, float]

#: Voxel sides [mm] for which the quadrature was verified (``docs/validation.md``).
SPACING_RANGE_MM = (0.4, 30.0)
#: Densities [g/cm3] that a medium can have.
DENSITY_RANGE_G_PER_CM3 = (0.001, 3.0)
#: Share of energy carried by photons from which on their tail matters, as it does not for pure beta emitters.
_PHOTONS_MATTER = 0.01
#: The fine-grid part reaches at least this far where photons matter [mm], and this many of the largest voxel
#: side; where photons matter also two coarse samples, so that these are coarser than voxels.
_PHOTON_JOINT_MM, _JOINT_VOXELS = 20.0, 2.5
#: Default reach of a tabulated kernel [mm].
DEFAULT_RADIUS_MM, PHOTON_RADIUS_MM = 14.0, 60.0
#: Energy share that coarse sampling of the tail may misplace at most, see ``TwoScaleKernel``.  Constants of
#: ``photon share * 0.04 * (coarse side / joint) ** 2.7``, which bounds the errors computed for all nuclides.
TAIL_ERROR = 5e-4
_ERROR_FACTOR, _ERROR_ORDER, _COARSEST = 0.04, 2.7, 1.33


@dataclass(frozen=True, eq=False)
class VoxelKernel:
    """Share of the emitted energy absorbed in each voxel around a uniformly filled source voxel.

    Parameters
    ----------
    nuclide_name : str
    spacing_mm : tuple of float
        Voxel sides in array order (z, y, x) [mm].
    density_g_per_cm3 : float
        Density of the homogeneous medium.
    energy_share : ndarray (2a+1, 2b+1, 2c+1), float64
        Share of the emitted energy per voxel, even along each axis; the source voxel is at the centre.
    """

    nuclide_name: str
    spacing_mm: Spacing
    density_g_per_cm3: float
    energy_share: np.ndarray

    def __post_init__(self) -> None:
        share = self.energy_share
        if share.ndim != 3 or any(n % 2 == 0 for n in share.shape):
            raise InputError(f"A voxel kernel has an odd number of voxels along three axes, not {share.shape}.")
        if any(not np.array_equal(share, np.flip(share, axis)) for axis in range(3)):
            raise InputError("A voxel kernel is the same to both sides along every axis; this one is not.")

    @property
    def share_beyond(self) -> float:
        """Share of the emitted energy absorbed outside the voxels of the kernel."""
        return 1.0 - float(self.energy_share.sum())

    @property
    def half_width(self) -> tuple[int, int, int]:
        """Voxels from the centre to the edge, (z, y, x)."""
        z, y, x = (n // 2 for n in self.energy_share.shape)
        return z, y, x


@dataclass(frozen=True, eq=False)
class TwoScaleKernel:
    """A voxel kernel as a compact part on the fine grid and a smooth tail for a coarser one.

    The sum of both is the whole kernel, to the end of the Monte Carlo table (30 g/cm2).  Sampled at
    every ``coarse_factor``-th voxel with cubic-or-better interpolation, the tail misplaces at most
    ``TAIL_ERROR`` of the emitted energy, counted as the sum of absolute errors of the response to a
    point source, so no dose errs by more than that share of what a uniform organ of the highest
    concentration would receive.

    Parameters
    ----------
    near : VoxelKernel
        Kernel minus tail; zero beyond the joint.
    tail : PhotonTail
    coarse_factor : tuple of int
        Fine voxels per coarse sample along each axis (z, y, x).
    """

    near: VoxelKernel
    tail: PhotonTail
    coarse_factor: tuple[int, int, int]

    @property
    def share_beyond(self) -> float:
        """Share of the emitted energy absorbed further away than the kernel is known."""
        return 1.0 - float(self.near.energy_share.sum()) - self.tail.share


def voxel_kernel(
    nuclide: Nuclide,
    spacing_mm: Spacing,
    density_g_per_cm3: float,
    radius_mm: float | None = None,
    tissue: Tissue = WATER,
) -> VoxelKernel:
    """Return the kernel of a homogeneous medium, every voxel complete, to a reach along each axis.

    Parameters
    ----------
    nuclide : Nuclide
    spacing_mm : tuple of float
        Voxel sides (z, y, x) [mm], each in ``SPACING_RANGE_MM``.
    density_g_per_cm3 : float
        Density of the medium, in ``DENSITY_RANGE_G_PER_CM3``.
    radius_mm : float, optional
        The kernel has ``ceil(radius / side)`` voxels to each side; default 14 mm, and 60 mm where photons
        carry more than 1 % of the energy.  Energy absorbed outside is stated by ``share_beyond``.
    tissue : Tissue
        Its depth factor scales the kernel of water on top of the density: ``t_water = a * density * r``.

    Raises
    ------
    InputError
        If spacing, density or radius cannot be used.
    """
    kernel = two_scale_kernel(nuclide, spacing_mm, density_g_per_cm3, tissue)
    if radius_mm is None:
        radius_mm = PHOTON_RADIUS_MM if _photons_matter(nuclide) else DEFAULT_RADIUS_MM
    if not 0.0 < radius_mm <= kernel.tail.end_mm:
        raise InputError(
            f"Kernel radius {radius_mm:g} mm is outside 0 to {kernel.tail.end_mm:.0f} mm, the reach of the point "
            f"kernel of {nuclide.name} at {density_g_per_cm3:g} g/cm3."
        )
    spacing = kernel.near.spacing_mm
    half = [math.ceil(radius_mm / side - 1e-9) for side in spacing]
    offsets = [np.arange(n + 1) * side for n, side in zip(half, spacing, strict=True)]
    octant = kernel.tail.between_voxels((offsets[0], offsets[1], offsets[2]), spacing)
    near = np.asarray(kernel.near.energy_share)
    corner = tuple(slice(n // 2, n // 2 + m + 1) for n, m in zip(near.shape, half, strict=True))
    inner = near[corner]
    octant[tuple(slice(0, n) for n in inner.shape)] += inner
    share = np.pad(octant, [(n, 0) for n in half], mode="reflect")
    share.flags.writeable = False
    return VoxelKernel(nuclide.name, spacing, float(density_g_per_cm3), share)


def two_scale_kernel(
    nuclide: Nuclide, spacing_mm: Spacing, density_g_per_cm3: float, tissue: Tissue = WATER
) -> TwoScaleKernel:
    """Return the kernel for convolution at two scales; parameters and errors as ``voxel_kernel``."""
    low, high = SPACING_RANGE_MM
    if not all(low <= side <= high for side in spacing_mm):
        raise InputError(
            f"Voxel spacing {tuple(spacing_mm)} mm is outside {low:g} to {high:g} mm along some axis, where the "
            "kernel's quadrature is not accurate: resample the image."
        )
    low, high = DENSITY_RANGE_G_PER_CM3
    if not low <= density_g_per_cm3 <= high:
        raise InputError(f"Density {density_g_per_cm3:g} g/cm3 is outside {low:g} to {high:g}: enter g/cm3.")
    z, y, x = (float(side) for side in spacing_mm)
    return _two_scales(nuclide, (z, y, x), float(density_g_per_cm3), tissue)


@lru_cache(maxsize=16)
def _two_scales(nuclide: Nuclide, spacing_mm: Spacing, density_g_per_cm3: float, tissue: Tissue) -> TwoScaleKernel:
    point = PointKernel.water(nuclide)
    mm_per_g_cm2 = 10.0 / (density_g_per_cm3 * tissue.depth_factor)
    samples = _samples_per_joint(nuclide)
    joint_mm = max(ELECTRON_REACH_G_CM2 * mm_per_g_cm2, _JOINT_VOXELS * max(spacing_mm))
    if _photons_matter(nuclide):
        joint_mm = max(joint_mm, _PHOTON_JOINT_MM, 2.01 * samples * max(spacing_mm))
    tail = PhotonTail.of(point, mm_per_g_cm2, joint_mm)
    table = (point.outer_radius_g_cm2, point.energy_fraction, point.sigma_fraction)
    key = content_key(_near_share, *table, mm_per_g_cm2, joint_mm, spacing_mm)
    share = cached_array(key, lambda: _near_share(point, tail, mm_per_g_cm2, spacing_mm))
    share.flags.writeable = False
    near = VoxelKernel(nuclide.name, spacing_mm, density_g_per_cm3, share)
    z, y, x = (max(1, int(joint_mm / (samples * side))) for side in spacing_mm)
    return TwoScaleKernel(near, tail, (z, y, x))


def _near_share(point: PointKernel, tail: PhotonTail, mm_per_g_cm2: float, spacing_mm: Spacing) -> np.ndarray:
    edges_mm = np.concatenate(([0.0], point.outer_radius_g_cm2)) * mm_per_g_cm2
    radii, widths, shares = radial_points(edges_mm, point.energy_fraction, tail.joint_mm, min(spacing_mm))
    shares -= 4.0 * np.pi * radii**2 * widths * tail.share_per_mm3(radii)
    return unfold(deposit_in_octant(radii, shares, spacing_mm))


def _samples_per_joint(nuclide: Nuclide) -> float:
    """Return the coarse samples needed in one joint radius to keep the error of the tail below ``TAIL_ERROR``."""
    photon_share = max(nuclide.photon_mev / nuclide.total_mev, 1e-6)
    widest = (TAIL_ERROR / (_ERROR_FACTOR * photon_share)) ** (1.0 / _ERROR_ORDER)
    return 1.0 / min(widest, _COARSEST)


def _photons_matter(nuclide: Nuclide) -> bool:
    return nuclide.photon_mev > _PHOTONS_MATTER * nuclide.total_mev
