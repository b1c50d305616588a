"""The photon tail: smooth at the joint, true to the table beyond it, and between voxels."""

from functools import cache

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.physics import I131, LU177, NUCLIDES, Y90, PhotonTail, PointKernel
from series import series

MM = 10.0 / 1.06
EACH = pytest.mark.parametrize("nuclide", series(list(NUCLIDES.values()), 3), ids=lambda n: n.name)


@cache
def tail_of(nuclide, joint_mm=20.0, mm=MM):
    """Return the tail in liver."""
    return PhotonTail.of(PointKernel.water(nuclide), mm, joint_mm)


def shells(tail, low, high, parts=4000):
    """Return the energy share between two radii by the midpoint rule."""
    edges = np.linspace(low, high, parts + 1)
    middle = (edges[1:] + edges[:-1]) / 2.0
    return float((4.0 * np.pi * middle**2 * tail.share_per_mm3(middle)).sum() * (high - low) / parts)


@EACH
@pytest.mark.parametrize("joint", [12.0, 20.0, 60.0])
def test_value_slope_and_curvature_are_continuous_at_the_joint(nuclide, joint):
    tail = tail_of(nuclide, joint)
    step = 1e-3 * joint
    inside = tail.share_per_mm3(joint - step * np.array([1e-9, 1.0, 2.0, 3.0]))
    outside = tail.share_per_mm3(joint + step * np.array([0.0, 1.0, 2.0, 3.0]))
    assert inside[0] == pytest.approx(outside[0], rel=1e-6)
    # One-sided differences of second order, in units of the joint: they agree to the step's square times a
    # third derivative of some tens of the value; a kink would show as a difference of order one.
    slope = [(-3.0 * v[0] + 4.0 * v[1] - v[2]) / 2e-3 / v[0] for v in (inside, outside)]
    assert slope[0] == pytest.approx(-slope[1], abs=2e-3)
    assert slope[1] < -1.0
    curvature = [(2.0 * v[0] - 5.0 * v[1] + 4.0 * v[2] - v[3]) / 1e-6 / v[0] for v in (inside, outside)]
    assert curvature[0] == pytest.approx(curvature[1], rel=0.05)
    assert curvature[1] > 1.0


@EACH
def test_beyond_the_joint_is_the_energy_of_the_table(nuclide):
    point, tail = PointKernel.water(nuclide), tail_of(nuclide)
    expected = point.energy_fraction.sum() - point.fraction_within(20.0 / MM)
    fading = 0.75 * tail.end_mm
    kept = shells(tail, 20.0, fading) + shells(tail, fading, tail.end_mm)
    assert kept + tail.faded_share == pytest.approx(expected, rel=1e-4)
    assert shells(tail, 0.0, 20.0) + kept == pytest.approx(tail.share, rel=1e-4)
    # Half of what lies in the last quarter fades; the tail falls there, so a little less than that.
    last = point.energy_fraction.sum() - point.fraction_within(fading / MM)
    assert 0.40 * last < tail.faded_share < 0.52 * last
    # Not only in sum: each range of radii holds the table's energy within Monte Carlo noise and the fit.
    for low, high in ((25.0, 50.0), (50.0, 100.0), (100.0, 200.0)):
        expected = point.fraction_within(high / MM) - point.fraction_within(low / MM)
        assert shells(tail, low, high) == pytest.approx(expected, rel=0.01)


@EACH
def test_the_fit_is_as_good_as_the_noise_allows(nuclide):
    point, tail = PointKernel.water(nuclide), tail_of(nuclide)
    edges = np.concatenate(([0.0], point.outer_radius_g_cm2)) * MM
    used = edges[:-1] >= 1.25 * MM
    middle, width = (edges[1:] + edges[:-1])[used] / 2.0, np.diff(edges)[used]
    fitted = 4.0 * np.pi * middle**2 * np.exp(tail.log_density(np.log(middle))) / (4.0 * np.pi * middle**2) * width
    chi2 = (((fitted - point.energy_fraction[used]) / point.sigma_fraction[used]) ** 2).sum()
    # Expected 1 with a standard deviation of sqrt(2 / shells), 0.1 to 0.3; 2 would be a wrong shape.
    assert used.sum() > 20
    assert 0.4 < chi2 / (used.sum() - 6) < 2.0


@EACH
@pytest.mark.parametrize("joint", [12.0, 20.0, 60.0, 140.0])
def test_falls_from_the_centre_and_ends_with_the_table(nuclide, joint):
    tail = tail_of(nuclide, joint)
    assert tail.end_mm == pytest.approx(PointKernel.water(nuclide).outer_radius_g_cm2[-1] * MM)
    density = tail.share_per_mm3(np.linspace(0.0, tail.end_mm, 5000))
    assert density[-1] == pytest.approx(0.0, abs=1e-15)
    assert np.all(np.diff(density) < 0.0)
    np.testing.assert_array_equal(tail.share_per_mm3(np.array([tail.end_mm * 1.0001, 1e4])), 0.0)


@EACH
def test_no_more_energy_than_the_kernel_within_the_joint(nuclide):
    # What the fine grid keeps, kernel minus tail, is positive.
    point, tail = PointKernel.water(nuclide), tail_of(nuclide)
    assert 0.0 < shells(tail, 0.0, 20.0) < point.fraction_within(20.0 / MM)


def test_only_mass_depth_counts():
    thin, dense = tail_of(LU177, 20.0, 10.0), tail_of(LU177, 10.0, 5.0)
    radius = np.array([0.0, 3.0, 15.0, 25.0, 200.0])
    np.testing.assert_allclose(dense.share_per_mm3(radius / 2.0), 8.0 * thin.share_per_mm3(radius), rtol=1e-9)
    assert dense.share == pytest.approx(thin.share, rel=1e-9)


@pytest.mark.parametrize("spacing", [(3.0, 4.0, 4.0), (2.5, 2.5, 2.5), (1.0, 2.0, 8.0)])
def test_between_voxels_is_the_integral_over_both(spacing):
    # Six Gauss points on either side of the kink of each triangle, 12 x 12 x 12 in all, as reference.
    tail = tail_of(LU177)
    offsets = [np.array([0, 1, 3, 9]) * side for side in spacing]
    nodes, weights = np.polynomial.legendre.leggauss(6)
    place = np.concatenate([(nodes - 1.0) / 2.0, (nodes + 1.0) / 2.0])
    weight = np.concatenate([weights, weights]) / 2.0 * (1.0 - np.abs(place))
    assert weight.sum() == pytest.approx(1.0)
    expected = np.zeros((4, 4, 4))
    for index in np.ndindex(12, 12, 12):
        z, y, x = (o + place[i] * s for o, i, s in zip(offsets, index, spacing, strict=True))
        radius = np.sqrt(z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2)
        expected += np.prod(weight[list(index)]) * tail.share_per_mm3(radius)
    found = tail.between_voxels((offsets[0], offsets[1], offsets[2]), spacing)
    # Exact to degree five; the tail varies over its joint of 20 mm, so 8 mm sides leave (8 / 20)^6 at most.
    np.testing.assert_allclose(found, expected * np.prod(spacing), rtol=2e-4 if max(spacing) < 5.0 else 4e-3)


def test_between_voxels_agrees_with_random_points():
    tail, spacing, rng = tail_of(I131), np.array([3.0, 5.0, 4.0]), np.random.default_rng(8)
    for offset in ((0, 0, 0), (1, 0, 2), (5, 2, 0)):
        between = (np.array(offset) + rng.random((200_000, 3)) - rng.random((200_000, 3))) * spacing
        values = tail.share_per_mm3(np.linalg.norm(between, axis=1)) * spacing.prod()
        at = tuple(np.array([n * side]) for n, side in zip(offset, spacing, strict=True))
        found = tail.between_voxels(at, tuple(spacing))
        # Five standard deviations of the mean.
        assert found.item() == pytest.approx(values.mean(), abs=5.0 * values.std() / np.sqrt(200_000))


def test_all_voxels_together_hold_the_whole_tail():
    # Density 3 keeps the tail within 100 mm: voxels of 8 mm over 120 mm hold all of it.
    tail = tail_of(I131, 20.0, 10.0 / 3.0)
    side = np.arange(16) * 8.0
    octant = tail.between_voxels((side, side, side), (8.0, 8.0, 8.0))
    for axis in range(3):
        octant = np.concatenate([octant, np.delete(octant, 0, axis)], axis)
    # The end of the table is an edge for the three-point rule.
    assert octant.sum() == pytest.approx(tail.share, rel=2e-3)


@pytest.mark.parametrize("joint", [11.0, 142.0, 0.0, -5.0, np.nan])
def test_a_joint_within_the_electrons_or_far_out_is_refused(joint):
    with pytest.raises(InputError, match="joint"):
        tail_of(Y90, joint)


def test_reach_of_electrons_is_beyond_all_nuclides():
    # Nothing but photons beyond the reach: from there on the energy per depth falls slowly for all.  An
    # electron would show as a drop by orders of magnitude over a few shells.
    for nuclide in NUCLIDES.values():
        point = PointKernel.water(nuclide)
        density = point.energy_fraction / np.diff(np.concatenate(([0.0], point.outer_radius_g_cm2)))
        beyond = point.inner_radius_g_cm2 >= 1.2
        assert density[beyond][0] < 4.0 * density[beyond][4]
