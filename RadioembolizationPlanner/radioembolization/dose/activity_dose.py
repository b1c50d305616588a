"""From a map of activity to the dose of its complete decay in place."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radioembolization.dose.convolution import convolve
from radioembolization.dose.dose_per_gbq import Method
from radioembolization.dose.local_deposition import deposit_locally
from radioembolization.dose.medium import Medium
from radioembolization.errors import ActivityInAir, EnergyLeavesGrid, ImageError, InputError, UniformTransport
from radioembolization.images import Unit, Volume, checked_density, total_gbq
from radioembolization.physics import (
    Nuclide,
    PointKernel,
    TwoScaleKernel,
    VoxelKernel,
    two_scale_kernel,
    voxel_kernel,
)
from radioembolization.physics.s_value import check_kernel_size
from radioembolization.physics.tissue import WATER, Tissue
from radioembolization.physics.voxel_kernel import DENSITY_RANGE_G_PER_CM3

#: Methods of this function; ``None`` chooses between them.
METHODS = (Method.LOCAL, Method.FFT, Method.DENSITY)
#: Left to itself, deposition is local where a voxel holds this share of the energy within its smallest side.
_LOCAL_SHARE = 0.90
#: Voxels below are air [g/cm3]; activity in them is worth a notice from this share on.
_AIR, _IN_AIR_WARNED = 0.1, 0.001
#: Share of the energy absorbed elsewhere to warn at.
_ESCAPE_WARNED = 0.005


@dataclass(frozen=True, eq=False)
class ActivityDose:
    """Dose to infinity of an activity map, with its energy balance.

    ``absorbed_j + escaped_share * emitted_j`` is the emitted energy.

    Parameters
    ----------
    dose : Volume
        [Gy] on the grid of the map.
    voxel_kg : float or ndarray (z, y, x)
        Mass of the voxels.
    nuclide : Nuclide
    method : Method
        The one used, and in ``reason`` why.
    reason : str
    tissue : Tissue
    density_g_per_cm3 : float
        Density of the medium in which energy was carried; the activity-weighted mean of a density volume.
    kernel_radius_mm : float or None
        How far the kernel reaches, along each axis at least; None for local deposition.
    activity_gbq : float
        In the whole map.
    emitted_j, absorbed_j : float
        Energy emitted, and its part absorbed on the grid (sum of mass x dose).
    beyond_kernel_share : float
        Share of the emitted energy absorbed beyond the reach of the kernel.
    """

    dose: Volume
    voxel_kg: float | np.ndarray
    nuclide: Nuclide
    method: Method
    reason: str
    tissue: Tissue
    density_g_per_cm3: float
    kernel_radius_mm: float | None
    activity_gbq: float
    emitted_j: float
    absorbed_j: float
    beyond_kernel_share: float

    @property
    def escaped_share(self) -> float:
        """Share of the emitted energy absorbed outside the grid or beyond the kernel."""
        return 1.0 - self.absorbed_j / self.emitted_j


def dose_of_activity(
    activity: Volume,
    nuclide: Nuclide,
    energy_j_per_gbq: float,
    density_g_per_cm3: float | Volume,
    tissue: Tissue = WATER,
    method: Method | None = None,
    radius_mm: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ActivityDose:
    """Return the absorbed dose of an activity that decays completely where it is.

    ``D = k sum_j A_j w_j / m`` with k the emitted energy, w the energy share of a voxel kernel (1 in the
    voxel itself for local deposition) and m the mass of the voxel.  With a density volume, ``fft`` takes
    the mass of each voxel but carries energy as in a homogeneous medium of the activity-weighted mean
    density, so within about a centimetre of the lung errors of tens of per cent remain; ``density``
    carries electrons through the densities as they are (``Medium``), and photons as in that mean.

    Parameters
    ----------
    activity : Volume
        [Bq/mL] without negative values, see ``images.activity_map``.
    nuclide : Nuclide
    energy_j_per_gbq : float
        Emitted energy [J/GBq], from ``nuclide.energy_j_per_gbq(convention)``.
    density_g_per_cm3 : float or Volume
        One density, or a volume on the grid of the map, from 0.001 to 3 g/cm3.
    tissue : Tissue
        Scales the kernel of water, see ``voxel_kernel``.
    method : Method, optional
        Default: density if a density volume is given and electrons of at least 1 % of the activity meet
        other densities than the mean; else local if 90 % of the emitted energy is absorbed within the
        smallest voxel side of a point source; else fft.
    radius_mm : float, optional
        Reach of the kernel [mm]; default: to the end of the point kernel's table, 30 g/cm2.
    progress : callable, optional
        Called with (steps done, steps).

    Raises
    ------
    ImageError
        If the map is not in Bq/mL, or a density volume is on another grid.
    InputError
        If a density is out of range, or the method is none of ``METHODS``.
    """
    if activity.unit is not Unit.BQ_PER_ML:
        raise ImageError(f"Dose needs an activity map in Bq/mL, this image is in {activity.unit}.")
    grid = activity.grid
    density, mean = _density(activity, density_g_per_cm3)
    medium = (
        None
        if isinstance(density, float)
        else Medium(density.astype(np.float32), mean, grid.spacing_mm, water=tissue is WATER)
    )
    gbq = activity.array.astype(float) * (grid.voxel_ml * 1e-9)
    method, reason = _method(method, nuclide, mean * tissue.depth_factor, min(grid.spacing_mm), medium, gbq)
    beyond, reach = 0.0, None
    if method is Method.LOCAL:
        share = deposit_locally(gbq)
    else:
        kernel, reach = _kernel(nuclide, grid.spacing_mm, mean, radius_mm, tissue)
        beyond = kernel.share_beyond
        share = convolve(gbq, kernel, progress)
        if method is Method.DENSITY and medium is not None:
            share = medium.corrected(share, gbq, nuclide, progress) * medium.relative
    kg = density * (grid.voxel_ml / 1000.0)
    total = total_gbq(activity)
    result = ActivityDose(
        dose=Volume((share * (energy_j_per_gbq / kg)).astype(np.float32), grid, Unit.GY),
        voxel_kg=kg,
        nuclide=nuclide,
        method=method,
        reason=reason,
        tissue=tissue,
        density_g_per_cm3=mean,
        kernel_radius_mm=reach,
        activity_gbq=total,
        emitted_j=total * energy_j_per_gbq,
        absorbed_j=float(share.sum(dtype=float)) * energy_j_per_gbq,
        beyond_kernel_share=beyond,
    )
    if progress:
        progress(1, 1)
    _warn(result, gbq, density)
    return result


def _density(activity: Volume, density: float | Volume) -> tuple[float | np.ndarray, float]:
    """Return the density of each voxel, or of all, and its activity-weighted mean."""
    if not isinstance(density, Volume):
        low, high = DENSITY_RANGE_G_PER_CM3
        if not (math.isfinite(density) and low <= density <= high):
            raise InputError(f"Density {density:g} g/cm3 is outside {low:g} to {high:g}: enter g/cm3 (liver 1.06).")
        return float(density), float(density)
    if density.grid != activity.grid:
        raise ImageError(
            f"The density volume has {density.grid.shape} voxels of {density.grid.spacing_mm} mm (z, y, x), the "
            f"activity map {activity.grid.shape} of {activity.grid.spacing_mm} mm, or another place: resample it first."
        )
    values = checked_density(density).array.astype(float)
    return values, float(np.average(values, weights=activity.array))


def _kernel(
    nuclide: Nuclide,
    spacing_mm: tuple[float, float, float],
    density_g_per_cm3: float,
    radius_mm: float | None,
    tissue: Tissue,
) -> tuple[VoxelKernel | TwoScaleKernel, float]:
    """Return the kernel and its reach [mm]: the whole one, or one that ends at a stated radius."""
    check_kernel_size(spacing_mm, radius_mm)
    if radius_mm is None:
        whole = two_scale_kernel(nuclide, spacing_mm, density_g_per_cm3, tissue)
        return whole, whole.tail.end_mm
    return voxel_kernel(nuclide, spacing_mm, density_g_per_cm3, radius_mm, tissue), radius_mm


def _method(
    asked: Method | None,
    nuclide: Nuclide,
    depth_per_cm: float,
    smallest_mm: float,
    medium: Medium | None,
    gbq: np.ndarray,
) -> tuple[Method, str]:
    """Return the method and why; ``depth_per_cm`` is the mass depth in water of one centimetre [g/cm2]."""
    if asked is not None:
        if asked not in METHODS:
            raise InputError(f"Method '{asked}' is none of {', '.join(METHODS)}.")
        if asked is Method.DENSITY and medium is None:
            raise InputError("Method 'density' needs a density volume or a CT: give one, or choose another method.")
        return asked, "as asked"
    if medium is not None and medium.matters_to(gbq):
        return Method.DENSITY, "at least 1 % of the activity lies within electron range of other densities"
    kernel = PointKernel.water(nuclide)
    within = np.cumsum(kernel.energy_fraction)
    reached = int(np.searchsorted(within, _LOCAL_SHARE))
    beyond_table = reached == len(within)
    range_mm = math.inf if beyond_table else float(kernel.outer_radius_g_cm2[reached]) * 10.0 / depth_per_cm
    method = Method.LOCAL if smallest_mm > range_mm else Method.FFT
    shown = "only beyond the kernel's table" if beyond_table else f"within {range_mm:.1f} mm of a point source"
    return method, (
        f"{_LOCAL_SHARE:.0%} of the emitted energy of {nuclide.name} is absorbed {shown}; the "
        f"smallest voxel side is {smallest_mm:g} mm"
    )


def _warn(result: ActivityDose, gbq: np.ndarray, density: float | np.ndarray) -> None:
    if result.escaped_share > _ESCAPE_WARNED:
        rest = max(result.escaped_share - result.beyond_kernel_share, 0.0)
        warnings.warn(
            f"{result.escaped_share:.2%} of the emitted energy is missing from the dose map: "
            f"{result.beyond_kernel_share:.2%} is absorbed beyond the kernel's radius of {result.kernel_radius_mm:.0f} "
            f"mm, {rest:.2%} outside the grid.",
            EnergyLeavesGrid,
            stacklevel=3,
        )
    if isinstance(density, float):
        return
    if result.method is Method.FFT:
        warnings.warn(
            f"Energy was carried as in a homogeneous medium of {result.density_g_per_cm3:.3g} g/cm3 (activity-weighted "
            "mean) and divided by the mass of each voxel: errors of tens of per cent near the lung and other steps of "
            "density.",
            UniformTransport,
            stacklevel=3,
        )
    in_air = float(gbq[density < _AIR].sum()) / result.activity_gbq
    if in_air > _IN_AIR_WARNED:
        warnings.warn(
            f"{in_air:.1%} of the activity lies in voxels below {_AIR:g} g/cm3 (air): their dose is that of nearly no "
            "mass and has no meaning; check registration and background of the map.",
            ActivityInAir,
            stacklevel=3,
        )
