"""From territories to dose: the rows of every site, and the dose volume of a plan."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy import sparse

from radioembolization.dose.columns import Columns
from radioembolization.dose.convolution import convolve
from radioembolization.dose.dose_per_gbq import DosePerGBq, DoseSettings, Method, StructureRows
from radioembolization.dose.local_deposition import deposit_locally
from radioembolization.dose.medium import Medium
from radioembolization.dose.site_maps import SiteMaps, compute_site_maps
from radioembolization.errors import EnergyLeavesGrid, InputError
from radioembolization.images import Unit, Volume
from radioembolization.physics import LIVER, TwoScaleKernel, two_scale_kernel
from radioembolization.structures import Structure, StructureSet
from radioembolization.territories import Territories

#: Share of the energy absorbed outside the grid to warn at.
_ESCAPE_WARNED = 0.005


def compute_dose_per_gbq(
    territories: Territories,
    settings: DoseSettings,
    progress: Callable[[int, int], None] | None = None,
    density: Volume | None = None,
) -> DosePerGBq:
    """Compute the dose rows of every site.

    The medium is homogeneous at the density of the structure set, unless ``Method.DENSITY`` is given the
    density around the structures.  Lung dose is that of the shunted activity spread evenly over the lung
    mass.  Activity that lodges in drawn organs counts in every row, as that in the liver does.

    Parameters
    ----------
    territories : Territories
    settings : DoseSettings
    progress : callable, optional
        Called with (parts done, parts); an exception it raises ends the computation.
    density : Volume, optional
        [g/cm3] on the planning grid, for ``Method.DENSITY``; inside structures it is that of the set.

    Raises
    ------
    InputError
        If ``Method.DENSITY`` has no density, or one on another grid.
    """
    structures = territories.structures
    columns, rows_of = _columns(structures)
    maps = site_maps(territories, settings, progress, density)
    rows = maps.at(Columns(columns, structures.grid.shape))
    rows *= np.float32(settings.energy_j_per_gbq / structures.voxel_kg)
    absorbed = maps.totals() * settings.energy_j_per_gbq
    sites = territories.sites
    shunt = np.array([site.lung_shunt for site in sites])
    retained = np.array([site.retained_share for site in sites])
    result = DosePerGBq(
        settings=settings,
        site_names=tuple(site.name for site in sites),
        lung_shunt=shunt,
        rows=rows,
        voxel_kg=np.full(len(columns), structures.voxel_kg),
        perfused=np.stack([territories.perfused(i).ravel()[columns] for i in range(len(sites))]),
        structures=rows_of,
        lung_gy_per_gbq=(settings.energy_j_per_gbq * shunt / structures.lungs.mass_kg if structures.lungs else None),
        emitted_j_per_gbq=settings.energy_j_per_gbq * (retained + territories.lodged_share),
        absorbed_j_per_gbq=absorbed,
        lung_mass_kg=structures.lungs.mass_kg if structures.lungs else None,
        lung_mass_method=structures.lungs.method if structures.lungs else "",
        extrahepatic_share=np.array([site.extrahepatic_share for site in sites]),
    )
    _warn_of_escape(result)
    return result


def site_maps(
    territories: Territories,
    settings: DoseSettings,
    progress: Callable[[int, int], None] | None = None,
    density: Volume | None = None,
) -> SiteMaps:
    """Return the absorbed energy of every site on the whole planning grid, per unit of emitted energy.

    Each organ wall that activity flows out to is computed once and added to the sites by their shares.
    """
    structures, organs = territories.structures, territories.to_organs
    if organs is None:
        return maps_of(territories.fractions, structures, settings, progress, density)
    sources = sparse.csr_array(sparse.vstack([territories.fractions, organs.walls]))
    maps = maps_of(sources, structures, settings, progress, density)
    return maps.mixed(np.hstack([np.eye(len(territories.sites)), organs.shares]))


def maps_of(
    fractions: sparse.csr_array,
    structures: StructureSet,
    settings: DoseSettings,
    progress: Callable[[int, int], None] | None = None,
    density: Volume | None = None,
) -> SiteMaps:
    """Return the absorbed energy of any sources (sources, voxels) on the planning grid, per unit of emitted energy."""
    kernel, medium = _kernel(structures, settings), _medium(structures, settings, density)
    return compute_site_maps(fractions, structures.grid.shape, kernel, progress, medium)


def dose_volume(
    territories: Territories, settings: DoseSettings, activities_gbq: np.ndarray, density: Volume | None = None
) -> Volume:
    """Return the dose [Gy] of a plan on the whole planning grid, computed in one pass.

    Microspheres in the lungs are not part of the map.
    """
    return dose_of_activity(territories.combined(activities_gbq), territories.structures, settings, density)


def dose_of_activity(
    activity: np.ndarray, structures: StructureSet, settings: DoseSettings, density: Volume | None = None
) -> Volume:
    """Return the dose [Gy] of any activity (z, y, x) [GBq] on the planning grid."""
    kernel = _kernel(structures, settings)
    share = deposit_locally(activity) if kernel is None else convolve(activity, kernel)
    medium = _medium(structures, settings, density)
    if medium is not None:
        share = medium.corrected(share, activity, settings.device.nuclide)
    return Volume(share * (settings.energy_j_per_gbq / structures.voxel_kg), structures.grid, Unit.GY)


def _kernel(structures: StructureSet, settings: DoseSettings) -> TwoScaleKernel | None:
    if settings.method is Method.LOCAL:
        return None
    nuclide, spacing_mm = settings.device.nuclide, structures.grid.spacing_mm
    return two_scale_kernel(nuclide, spacing_mm, structures.density_g_per_cm3, LIVER)


def _medium(structures: StructureSet, settings: DoseSettings, density: Volume | None) -> Medium | None:
    """Return the densities of the planning grid; inside structures that of the set, as their masses have it."""
    if settings.method is not Method.DENSITY:
        return None
    if density is None or density.grid != structures.grid:
        raise InputError(
            "Method 'density' needs the density of every voxel on the planning grid: give a CT, or choose method 'fft'."
        )
    values = np.array(density.array, dtype=np.float32)
    values[np.any([s.mask for s in structures.all], axis=0)] = structures.density_g_per_cm3
    return Medium(values, structures.density_g_per_cm3, structures.grid.spacing_mm)


def _columns(structures: StructureSet) -> tuple[np.ndarray, tuple[StructureRows, ...]]:
    """Return the flat voxels of any structure, and each structure in terms of them."""
    columns = np.flatnonzero(np.any([s.mask for s in structures.all], axis=0))
    position = np.full(structures.grid.voxels, -1)
    position[columns] = np.arange(len(columns))

    def rows_of(structure: Structure) -> StructureRows:
        voxels = position[np.flatnonzero(structure.mask)]
        return StructureRows(
            structure.name,
            structure.role,
            voxels,
            structures.volume_ml(structure),
            structures.mass_kg(structure),
        )

    return columns, tuple(rows_of(s) for s in structures.all)


def _warn_of_escape(dose: DosePerGBq) -> None:
    worst = int(np.argmax(dose.escaped_share))
    share = float(dose.escaped_share[worst])
    if share > _ESCAPE_WARNED:
        warnings.warn(
            f"{share:.1%} of the energy emitted in the liver after injection at '{dose.site_names[worst]}' is "
            f"absorbed outside the planning grid or beyond the kernel ({dose.settings.device.nuclide.name}; "
            "photons travel far): it is missing from the dose map.",
            EnergyLeavesGrid,
            stacklevel=3,
        )
