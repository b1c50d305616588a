"""The quadrature: energy kept, independent of its steps, symmetric, and honest about what it cannot do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.errors import InputError
from radioembolization.physics import LU177, Y90, PhotonTail, PointKernel, quadrature
from radioembolization.physics.quadrature import deposit_in_octant, radial_points, unfold

EDGES = np.array([0.0, 0.5, 2.0, 7.0, 20.0])
SHARES = np.array([0.1, 0.4, 0.3, 0.2])


def fine_part(nuclide, spacing, density=1.06):
    """Return the kernel minus its tail as the engine computes it, past every cache."""
    point, mm = PointKernel.water(nuclide), 10.0 / density
    tail = PhotonTail.of(point, mm, max(1.2 * mm, 20.0 if nuclide is LU177 else 0.0, 2.5 * max(spacing)))
    edges = np.concatenate(([0.0], point.outer_radius_g_cm2)) * mm
    radii, widths, shares = radial_points(edges, point.energy_fraction, tail.joint_mm, min(spacing))
    shares = shares - 4.0 * np.pi * radii**2 * widths * tail.share_per_mm3(radii)
    return shares.sum(), unfold(deposit_in_octant(radii, shares, spacing))


@pytest.mark.parametrize(("reach", "expected"), [(20.0, 1.0), (50.0, 1.0), (7.0, 0.8), (4.5, 0.65), (0.25, 0.05)])
def test_radial_points_hold_the_energy_within_reach(reach, expected):
    radii, widths, shares = radial_points(EDGES, SHARES, reach, 2.0)
    assert shares.sum() == pytest.approx(expected, rel=1e-12)
    assert widths.sum() == pytest.approx(min(reach, 20.0), rel=1e-12)
    assert np.all(np.diff(radii) > 0.0)
    # Steps touch: each middle lies half of both widths from the next.
    np.testing.assert_allclose(np.diff(radii), (widths[1:] + widths[:-1]) / 2.0, rtol=1e-9)
    assert widths.max() <= 0.05 * 2.0 + 1e-12


def test_radial_points_follow_the_shells():
    radii, _, shares = radial_points(EDGES, SHARES, 20.0, 1.0)
    for low, high, share in zip(EDGES[:-1], EDGES[1:], SHARES, strict=True):
        assert shares[(radii > low) & (radii < high)].sum() == pytest.approx(share, rel=1e-12)


@given(
    st.tuples(*[st.floats(0.5, 8.0)] * 3),
    st.lists(st.floats(0.01, 12.0), min_size=1, max_size=20, unique=True),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_energy_is_kept_exactly(spacing, radii, seed):
    shares = np.random.default_rng(seed).normal(size=len(radii))  # also negative, as kernel minus tail is
    octant = deposit_in_octant(np.sort(radii), shares, spacing)
    # Weights of directions and corners add up to one; what is left is double precision.
    scale = np.abs(shares).sum()
    assert octant.sum() == pytest.approx(shares.sum(), abs=1e-11 * scale)
    kernel = unfold(octant)
    assert kernel.sum() == pytest.approx(shares.sum(), abs=1e-11 * scale)
    for axis in range(3):
        np.testing.assert_array_equal(kernel, np.flip(kernel, axis))


def test_a_tiny_sphere_stays_in_the_source_voxel_but_for_its_surface():
    # From a uniform voxel, energy at a radius r far below the side leaves through each pair of faces with
    # the mean projection r / 2 over the side.
    kernel = unfold(deposit_in_octant(np.array([0.01]), np.array([1.0]), (2.0, 4.0, 5.0)))
    assert kernel.shape == (3, 3, 3)
    out = [1.0 - kernel.sum(axis=tuple({0, 1, 2} - {axis}))[1] for axis in range(3)]
    np.testing.assert_allclose(out, [0.005 / 2.0, 0.005 / 4.0, 0.005 / 5.0], rtol=1e-3)


def test_second_moment_is_that_of_sphere_and_voxels():
    # Along an axis: r^2 / 3 of the sphere, plus the variance w (1 - w) side^2 of each linear split.
    radius, spacing = 9.0, (2.0, 3.0, 4.0)
    kernel = unfold(deposit_in_octant(np.array([radius]), np.array([1.0]), spacing))
    for axis, side in enumerate(spacing):
        profile = kernel.sum(axis=tuple({0, 1, 2} - {axis}))
        offset = (np.arange(len(profile)) - len(profile) // 2) * side
        # Along a diameter a sphere is uniform: its points are spread evenly over the radius.
        place = np.linspace(0.0, radius / side, 200_001) % 1.0
        expected = radius**2 / 3.0 + side**2 * (place * (1.0 - place)).mean()
        assert (profile * offset**2).sum() == pytest.approx(expected, rel=1e-3)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("nuclide", "spacing"), [(Y90, (3.0, 4.0, 4.0)), pytest.param(LU177, (7.0, 6.0, 8.0), marks=pytest.mark.exhaustive)]
)
def test_half_the_steps_change_nothing(nuclide, spacing, monkeypatch):
    energy, kernel = fine_part(nuclide, spacing)
    assert kernel.sum() == pytest.approx(energy, rel=1e-12)
    for name, value in (("_RADIAL_STEP", 0.025), ("_ARC", 0.1), ("_FEWEST", 96), ("_MOST", 1600)):
        monkeypatch.setattr(quadrature, name, value)
    _, finer = fine_part(nuclide, spacing)
    near = finer > 1e-3 * finer.max()
    assert near.sum() >= 7
    np.testing.assert_allclose(kernel[near], finer[near], rtol=1e-3)
    assert np.abs(kernel - finer).sum() < 1e-4


@pytest.mark.parametrize("spacing", [(2.0, 3.0, 5.0), (1.0, 1.0, 4.0)])
def test_order_of_the_axes_follows_the_spacing(spacing):
    octant = deposit_in_octant(np.array([1.0, 6.0]), np.array([0.5, 0.5]), spacing)
    reach = [int(np.ceil(6.0 / side)) + 1 for side in spacing]
    assert list(octant.shape) == reach
    turned = deposit_in_octant(np.array([1.0, 6.0]), np.array([0.5, 0.5]), spacing[::-1])
    # Polar and azimuthal angles are not treated alike; 48 directions each leave 1 % of small shares.
    np.testing.assert_allclose(turned.transpose(2, 1, 0), octant, rtol=1e-2, atol=1e-4)


def test_unfolding_halves_what_stands_for_both_sides():
    octant = np.arange(8.0).reshape(2, 2, 2)
    kernel = unfold(octant)
    assert kernel.shape == (3, 3, 3)
    assert kernel[1, 1, 1] == octant[0, 0, 0]
    assert kernel[2, 1, 1] == kernel[0, 1, 1] == octant[1, 0, 0] / 2.0
    assert kernel[1, 0, 2] == octant[0, 1, 1] / 4.0
    assert kernel[2, 2, 2] == octant[1, 1, 1] / 8.0


def test_voxels_far_smaller_than_the_reach_are_refused_with_the_size_that_works():
    with pytest.raises(InputError, match=r"0\.4 mm is too small .* reaches 40\.0 mm.*at least 0\.79 mm"):
        deposit_in_octant(np.array([40.0]), np.array([1.0]), (0.4, 0.4, 0.4))
