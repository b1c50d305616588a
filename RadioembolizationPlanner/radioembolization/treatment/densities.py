"""Densities of a case, and the lungs by voxels, for the dose method that needs them."""

from __future__ import annotations

import warnings

import numpy as np

from radioembolization.dose import DoseSettings, LungVoxelDose, Method, lung_voxel_dose
from radioembolization.errors import DensityUnknown, InputError
from radioembolization.images import (
    Grid,
    Unit,
    Volume,
    corners_of_mask,
    density_from_ct,
    resample_counts,
    resample_linear,
    resample_mask,
)
from radioembolization.structures import Role, StructureSet
from radioembolization.treatment.case import Case, CaseInputs

#: Voxel side at which the lungs are computed [mm], and what is added around them.
_LUNG_GRID_MM, _LUNG_MARGIN_MM = 4.0, 12.0
#: A voxel of the grid counts as seen by the CT from this share of it on.
_SEEN = 0.5


def planning_density(inputs: CaseInputs, structures: StructureSet) -> Volume | None:
    """Return the density [g/cm3] on the planning grid from the CT, or None if the method does not need it.

    Where the CT does not reach, the density of the liver is taken, with a warning.

    Raises
    ------
    InputError
        If the method needs a CT and the case has none.
    """
    if inputs.settings.method is not Method.DENSITY:
        return None
    if inputs.ct is None:
        raise InputError("Dose method 'density' needs a CT: give images.ct, or choose method 'fft'.")
    density, seen = _density_on(structures.grid, inputs.ct, structures.density_g_per_cm3)
    unseen = int(np.count_nonzero(~seen))
    if unseen:
        warnings.warn(
            f"The CT does not reach {unseen / seen.size:.1%} of the planning grid; there the density of the liver "
            "is assumed, so dose near the edge of the CT is that of a homogeneous medium.",
            DensityUnknown,
            stacklevel=3,
        )
    return density


def lungs_by_voxels(case: Case, activities_gbq: np.ndarray) -> LungVoxelDose | None:
    """Return the dose of the lungs by voxels of a plan, or None without lungs, CT or ``Method.DENSITY``."""
    inputs, settings = case.inputs, case.inputs.settings
    lungs = [s.source for s in inputs.structures if s.role is Role.LUNGS and s.source.mask.any()]
    if settings.method is not Method.DENSITY or inputs.ct is None or not lungs:
        return None
    grid = _lung_grid(case, [(s.mask, s.grid) for s in lungs])
    mask = np.any([resample_mask(s.mask, s.grid, grid) for s in lungs], axis=0)
    density, seen = _density_on(grid, inputs.ct, case.structures.density_g_per_cm3)
    on_ct = np.any([resample_mask(s.mask, s.grid, inputs.ct.grid) for s in lungs], axis=0)
    density = _of_lungs_alone(density, mask & seen, inputs.ct, on_ct)
    cut = int(np.count_nonzero(mask & ~seen))
    if cut:
        warnings.warn(
            f"{cut / np.count_nonzero(mask):.1%} of the lungs lie outside the CT: they are cut by its field of view, "
            "so the lung mass is too small and the lung dose too high.",
            DensityUnknown,
            stacklevel=3,
        )
    shunted = float(sum(site.lung_shunt * a for site, a in zip(case.sites, activities_gbq, strict=True)))
    activity = case.territories.combined(activities_gbq)
    if not activity.any():
        return None
    liver, _ = resample_counts(Volume(activity, case.structures.grid, Unit.COUNTS), grid)
    return _dose(mask, density, settings, shunted, liver.array, case.structures.density_g_per_cm3)


def _dose(
    mask: np.ndarray, density: Volume, settings: DoseSettings, shunted: float, liver: np.ndarray, liver_density: float
) -> LungVoxelDose:
    nuclide, energy = settings.device.nuclide, settings.energy_j_per_gbq
    return lung_voxel_dose(mask, density, nuclide, energy, shunted, liver, liver_density)


def _density_on(grid: Grid, ct: Volume, elsewhere_g_per_cm3: float) -> tuple[Volume, np.ndarray]:
    """Return densities on a grid, and which voxels the CT sees."""
    ones = Volume(np.ones(ct.grid.shape, np.float32), ct.grid, Unit.G_PER_CM3)
    share = resample_linear(ones, grid, outside=0.0).array
    values = np.array(resample_linear(density_from_ct(ct), grid, outside=0.0).array)
    seen = share >= _SEEN
    values[seen] /= share[seen]
    values[~seen] = elsewhere_g_per_cm3
    return Volume(np.clip(values, 0.001, 3.0).astype(np.float32), grid, Unit.G_PER_CM3), seen


def _of_lungs_alone(density: Volume, lungs: np.ndarray, ct: Volume, lungs_on_ct: np.ndarray) -> Volume:
    """Return the density with that of the lungs alone in their voxels, whose borders a coarse grid mixes."""
    share = resample_linear(Volume(lungs_on_ct.astype(np.float32), ct.grid, Unit.G_PER_CM3), density.grid, outside=0.0)
    inside = density_from_ct(ct).array * lungs_on_ct
    mass = resample_linear(Volume(inside.astype(np.float32), ct.grid, Unit.G_PER_CM3), density.grid, outside=0.0)
    values = np.array(density.array)
    pure = lungs & (share.array > 0.1)
    values[pure] = mass.array[pure] / share.array[pure]
    return Volume(np.clip(values, 0.001, 3.0), density.grid, Unit.G_PER_CM3)


def _lung_grid(case: Case, lungs: list[tuple[np.ndarray, Grid]]) -> Grid:
    """Return a grid of 4 mm that covers lungs and liver."""
    template = case.structures.grid
    corners = [corners_of_mask(mask, grid) for mask, grid in (*lungs, (case.structures.liver.mask, template))]
    axes = template.direction_matrix
    along = np.concatenate(corners) @ axes
    low, high = axes @ (along.min(axis=0) - _LUNG_MARGIN_MM), axes @ (along.max(axis=0) + _LUNG_MARGIN_MM)
    return Grid.covering(template, low, high, (_LUNG_GRID_MM,) * 3)
