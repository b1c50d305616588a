"""Transport along rays: energy, scaling, symmetry, the point kernel it is made of."""

from functools import cache

import numpy as np
import pytest

from radioembolization.dose.collapsed_cone import half_sphere, transport
from radioembolization.physics import HO166, Y90, PointKernel, ray_kernel
from series import series

KERNEL = ray_kernel(Y90)


def impulse(shape=(31, 31, 31)):
    activity = np.zeros(shape)
    activity[tuple(n // 2 for n in shape)] = 1.0
    return activity


@pytest.mark.parametrize("count", [64, 128, 200])
def test_directions_divide_the_sphere_evenly(count):
    vectors = half_sphere(count)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
    both = np.concatenate((vectors, -vectors))
    # Second moments of evenly spread directions: a third along each axis, nothing across.
    np.testing.assert_allclose(both.T @ both / len(both), np.eye(3) / 3.0, atol=0.01)
    # No two directions are nearer than half the mean distance (nearest at the rim of the half sphere).
    closest = np.sort(both @ both.T, axis=1)[:, -2].max()
    assert closest < np.cos(0.5 * np.sqrt(4.0 * np.pi / len(both)))


@pytest.mark.parametrize(
    "density", [1.06, np.random.default_rng(0).uniform(0.25, 1.8, (31, 31, 31))], ids=["one", "many"]
)
def test_energy_is_kept_in_a_box_that_holds_it(density):
    absorbed = transport(impulse(), density, (4.0, 4.0, 4.0), KERNEL)
    assert absorbed.sum(dtype=float) == pytest.approx(KERNEL.share, rel=1e-4)


def test_what_leaves_the_box_is_lost():
    # A thin sheet in a box of its own thickness: most energy leaves.
    absorbed = transport(np.ones((1, 21, 21)), 1.0, (2.0, 2.0, 2.0), KERNEL)
    assert 0.1 < absorbed.sum() / (21 * 21) < 0.5


@pytest.mark.parametrize("nuclide", [Y90, pytest.param(HO166, marks=pytest.mark.exhaustive)], ids=lambda n: n.name)
def test_a_point_source_gives_its_point_kernel(nuclide):
    kernel, point = ray_kernel(nuclide), PointKernel.water(nuclide)
    absorbed = transport(impulse((41, 41, 41)), 1.0, (1.0, 1.0, 1.0), kernel, directions=400)
    z, y, x = np.indices(absorbed.shape) - 20
    radius_mm = np.sqrt(z**2 + y**2 + x**2)
    for limit in (2.0, 4.0, 6.0, 8.0):
        # The source fills a voxel of 1 mm and energy within a radius is counted by voxel centres: 0.03.
        assert absorbed[radius_mm <= limit].sum() == pytest.approx(point.fraction_within(limit / 10.0), abs=0.03)


def test_only_mass_depth_counts():
    density = np.random.default_rng(1).uniform(0.3, 1.5, (12, 13, 14)).astype(np.float32)
    activity = np.random.default_rng(2).random((12, 13, 14))
    thin = transport(activity, density, (4.0, 2.0, 6.0), KERNEL)
    dense = transport(activity, 2.0 * density, (2.0, 1.0, 3.0), KERNEL)
    np.testing.assert_allclose(dense, thin, rtol=1e-5, atol=1e-6 * thin.max())


def test_one_density_is_that_density_everywhere():
    activity = np.random.default_rng(3).random((10, 12, 11))
    one = transport(activity, 0.9, (3.0, 2.0, 2.5), KERNEL)
    each = transport(activity, np.full(activity.shape, 0.9), (3.0, 2.0, 2.5), KERNEL)
    np.testing.assert_allclose(one, each, rtol=1e-5, atol=1e-6 * one.max())


def test_linear_in_activity():
    rng = np.random.default_rng(4)
    density, one, two = (rng.uniform(0.3, 1.1, (9, 10, 11)) for _ in range(3))
    together = transport(2.0 * one + 3.0 * two, density, (2.0, 2.0, 2.0), KERNEL)
    apart = 2.0 * transport(one, density, (2.0, 2.0, 2.0), KERNEL) + 3.0 * transport(
        two, density, (2.0, 2.0, 2.0), KERNEL
    )
    np.testing.assert_allclose(together, apart, rtol=1e-4, atol=1e-5 * together.max())


@cache
def _uneven_box():
    """Return density and activity of a box without symmetry, and the energy absorbed in voxels of 2 x 3 x 4 mm."""
    density, activity = np.full((16, 18, 20), 1.06), np.ones((16, 18, 20))
    density[5:9, 4:14], density[12:, :, 8:15] = 0.3, 0.5
    return density, activity, transport(activity, density, (2.0, 3.0, 4.0), KERNEL)


@pytest.mark.parametrize("order", series([(1, 2, 0), (2, 0, 1), (0, 2, 1)], 2))
def test_no_axis_is_special(order):
    # Other directions cross the turned box: noise of 128 directions, at corners of the box up to 6 %.
    density, activity, straight = _uneven_box()
    spacing = tuple((2.0, 3.0, 4.0)[i] for i in order)
    turned = transport(activity.transpose(order), density.transpose(order), spacing, KERNEL)
    difference = (turned - straight.transpose(order)) / straight.max()
    assert np.abs(difference).max() < 0.06
    assert np.sqrt(np.mean(difference**2)) < 0.012
    # The density is not symmetric along the first axis; a wrong end would differ by far more.
    wrong = np.flip(straight.transpose(order), order.index(0))
    assert np.sqrt(np.mean((turned - wrong) ** 2)) > 0.03 * straight.max()


def test_energy_goes_where_matter_is():
    # A gap of low density between source and wall: the wall receives what the gap lets through.
    density = np.full((21, 21, 21), 1.0)
    density[:, :, 12:16] = 0.01
    with_gap = transport(impulse((21, 21, 21)), density, (2.0, 2.0, 2.0), KERNEL)
    without = transport(impulse((21, 21, 21)), 1.0, (2.0, 2.0, 2.0), KERNEL)
    assert with_gap[:, :, 16:].sum() > 20.0 * without[:, :, 16:].sum()
    np.testing.assert_allclose(with_gap[:, :, :10], without[:, :, :10], rtol=1e-4, atol=1e-6)


def test_progress_rises_and_can_end_the_computation():
    seen = []
    transport(impulse(), 1.0, (4.0, 4.0, 4.0), KERNEL, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(n, 8) for n in range(1, 9)]

    def cancel(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transport(impulse(), 1.0, (4.0, 4.0, 4.0), KERNEL, progress=cancel)


def test_no_activity_no_energy():
    assert not transport(np.zeros((4, 5, 6)), 1.0, (2.0, 2.0, 2.0), KERNEL).any()
