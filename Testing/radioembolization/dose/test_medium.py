"""Correction for density: plane layers against the exact answer, nothing where nothing changes, energy."""

import numpy as np
import pytest

from layers import averaged_over_voxels
from radioembolization.dose import DoseSettings, Method, compute_dose_per_gbq, convolve, dose_volume
from radioembolization.dose.medium import Medium
from radioembolization.dose.near_field import Patch
from radioembolization.errors import InputError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import GLASS_Y90, Y90, two_scale_kernel
from radioembolization.territories import InjectionSite, territories_from_sites
from support import box_mask, counts, quiet, structure_set


def half_space(spacing_mm, axis, lung, half_mm=48.0, lateral_mm=40.0, layers_mm=()):
    """Return activity and density of water with activity, beside lung without, the surface on voxel faces.

    ``layers_mm``: thicknesses of further layers, alternately of water and lung.
    """
    sides = [2 * lateral_mm] * 3
    sides[axis] = 2 * half_mm
    shape = [round(side / s) for side, s in zip(sides, spacing_mm, strict=True)]
    edges = (np.arange(shape[axis] + 1) - shape[axis] // 2) * spacing_mm[axis]
    middle = (edges[1:] + edges[:-1]) / 2.0
    profile = np.where(middle < 0, 1.0, lung)
    start = 0.0
    for number, thickness in enumerate(layers_mm):
        start += thickness
        profile[middle > start] = 1.0 if number % 2 == 0 else lung
    index = [None, None, None]
    index[axis] = slice(None)
    along = tuple(index)
    density = np.broadcast_to(profile[along], shape).astype(np.float32)
    activity = np.broadcast_to((middle < 0)[along], shape).astype(np.float32)
    return activity, density, edges / 10.0, profile, middle < 0


def dose_relative(activity, density, spacing_mm):
    """Return convolution and corrected dose, over the equilibrium dose."""
    plain = convolve(activity, two_scale_kernel(Y90, spacing_mm, 1.0))
    medium = Medium(density, 1.0, spacing_mm, water=True)
    return plain, medium.corrected(plain, activity, Y90)


@pytest.mark.parametrize(
    ("spacing", "axis", "lung", "further"),
    [
        pytest.param((2.0, 2.0, 2.0), 0, 0.3, (), marks=pytest.mark.exhaustive),
        pytest.param((3.0, 3.0, 3.0), 1, 0.3, (), marks=pytest.mark.exhaustive),
        pytest.param((2.0, 2.0, 2.0), 2, 0.2, (), marks=pytest.mark.exhaustive),
        ((3.0, 4.0, 4.0), 0, 0.3, ()),
        ((2.0, 2.0, 2.0), 2, 0.3, (8.0, 4.0)),
    ],
    ids=["z", "y", "x thin lung", "3 x 4 x 4 mm", "water behind 8 mm of lung"],
)
def test_plane_layers_are_within_two_per_cent_of_the_exact_answer(spacing, axis, lung, further):
    activity, density, edges, profile, inside = half_space(spacing, axis, lung, layers_mm=further)
    plain, corrected = dose_relative(activity, density, spacing)
    exact = averaged_over_voxels(Y90, edges, profile, inside)
    middle = [n // 2 for n in activity.shape]
    middle[axis] = slice(None)
    near = np.abs(edges[1:] + edges[:-1]) / 2.0 < 2.4  # further away the ends of the box are felt
    error = np.abs(corrected[tuple(middle)] - exact)[near]
    assert error.max() < 0.02
    # The two methods in use are wrong by 15 % and more of the equilibrium dose.
    assert np.abs(plain[tuple(middle)] - exact)[near].max() > 0.15


def test_a_homogeneous_medium_is_left_as_it_is():
    rng = np.random.default_rng(7)
    activity = np.zeros((20, 22, 24), dtype=np.float32)
    activity[6:14, 7:15, 8:16] = rng.random((8, 8, 8))
    medium = Medium(np.full(activity.shape, 1.06, np.float32), 1.06, (3.0, 3.0, 3.0))
    assert medium.correction(Patch((0, 0, 0), activity), Y90) is None
    assert not medium.matters_to(activity)
    # Nor where a density that matters is near, but not in the way: both transports are the same there.
    density = np.full(activity.shape, 1.06, np.float32)
    density[:4] = 0.3
    change = Medium(density, 1.06, (3.0, 3.0, 3.0)).correction(Patch((0, 0, 0), activity), Y90)
    assert np.abs(change.values[4:]).max() < 1e-5 * activity.max()


def test_densities_matter_within_the_reach_of_electrons():
    density = np.full((40, 20, 20), 1.06, np.float32)
    density[30:] = 0.3
    medium = Medium(density, 1.06, (2.0, 2.0, 2.0))
    near, far = np.zeros(density.shape), np.zeros(density.shape)
    near[26, 10, 10] = far[20, 10, 10] = 1.0  # 8 and 20 mm from the lung, electrons reach 11.4 mm
    assert medium.matters_to(near) and not medium.matters_to(far)
    assert medium.matters_in(Patch((25, 9, 9), np.ones((2, 2, 2), np.float32)))
    assert not medium.matters_in(Patch((19, 9, 9), np.ones((2, 2, 2), np.float32)))
    # Less than 1 % of the activity near the lung is not worth it.
    assert not medium.matters_to(near + 200.0 * far)


@pytest.mark.parametrize("density", [0.0, -1.0, 5.0, np.nan])
def test_densities_that_are_none_are_refused(density):
    values = np.full((4, 4, 4), 1.0, np.float32)
    values[1, 1, 1] = density
    with pytest.raises(InputError, match="g/cm3"):
        Medium(values, 1.0, (2.0, 2.0, 2.0))
    with pytest.raises(InputError, match="g/cm3"):
        Medium(np.ones((4, 4, 4), np.float32), density, (2.0, 2.0, 2.0))


GRID = Grid((26, 20, 22), (3.0, 3.0, 3.0))
LIVER = box_mask(GRID.shape, (6, 16), (5, 15), (5, 17))
TUMOUR = box_mask(GRID.shape, (9, 12), (7, 10), (7, 10))


def density(lung):
    values = np.full(GRID.shape, 1.0, np.float32)
    values[16:] = lung
    return Volume(values, GRID, Unit.G_PER_CM3)


def territories():
    structures = structure_set(GRID, LIVER, {"T": TUMOUR}, density=1.06)
    left = LIVER & box_mask(GRID.shape, (0, 26), (0, 20), (0, 11))
    with quiet():
        return territories_from_sites(
            (InjectionSite("all", LIVER, 0.05), InjectionSite("left", left, 0.0)),
            structures,
            counts(np.random.default_rng(3).gamma(2.0, 1.0, GRID.shape), GRID),
        )


def test_rows_and_volume_of_a_plan_agree_and_keep_the_energy():
    sites, settings, lung = territories(), DoseSettings(GLASS_Y90, method=Method.DENSITY), density(0.3)
    with quiet():
        rows = compute_dose_per_gbq(sites, settings, density=lung)
        plain = compute_dose_per_gbq(sites, DoseSettings(GLASS_Y90))
    activities = np.array([0.7, 0.4])
    volume = dose_volume(sites, settings, activities, lung).array
    columns = np.flatnonzero(np.any([s.mask for s in sites.structures.all], axis=0))
    assert rows.dose_gy(activities) == pytest.approx(volume.ravel()[columns], abs=3e-3 * float(volume.max()))
    # Energy is mass x dose with the mass of each voxel: that of the set in structures, the density elsewhere.
    mass = lung.array * GRID.voxel_ml * 1e-3
    mass[LIVER] = 1.06 * GRID.voxel_ml * 1e-3
    absorbed = (mass * volume).sum(dtype=float)
    assert absorbed == pytest.approx(rows.absorbed_j_per_gbq @ activities, rel=2e-3)
    # The structures hardly change: what their surface gives away depends on mass depth alone.
    for name in ("T", "normal liver"):
        assert rows.structure_row(name) == pytest.approx(plain.structure_row(name), rel=0.01)
    # In the lung beside the liver the dose does: the homogeneous one falls off three times too fast.
    homogeneous = dose_volume(sites, DoseSettings(GLASS_Y90), activities).array
    assert volume[18, 10, 10] > 2.0 * homogeneous[18, 10, 10]


def test_uniform_density_gives_the_homogeneous_dose():
    sites = territories()
    uniform = Volume(np.full(GRID.shape, 1.06, np.float32), GRID, Unit.G_PER_CM3)
    with quiet():
        one = compute_dose_per_gbq(sites, DoseSettings(GLASS_Y90, method=Method.DENSITY), density=uniform)
        two = compute_dose_per_gbq(sites, DoseSettings(GLASS_Y90))
    np.testing.assert_array_equal(one.rows, two.rows)


def test_the_method_needs_a_density_on_the_planning_grid():
    settings = DoseSettings(GLASS_Y90, method=Method.DENSITY)
    with pytest.raises(InputError, match="CT"):
        compute_dose_per_gbq(territories(), settings)
    other = Volume(np.ones((4, 4, 4), np.float32), Grid((4, 4, 4), (3.0, 3.0, 3.0)), Unit.G_PER_CM3)
    with pytest.raises(InputError, match="planning grid"):
        dose_volume(territories(), settings, np.ones(2), other)
