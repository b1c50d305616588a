"""Dose-volume figures by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.dose import binned_dvh, dose_at_volume_share, dose_volume_histogram, exact_dvh
from radioembolization.errors import InputError

DOSES = np.array([50.0, 10.0, 40.0, 20.0, 30.0, 0.0, 60.0, 100.0, 80.0, 70.0, 90.0])  # 0 to 100 in tens


@pytest.mark.parametrize(
    ("share", "gy"), [(0.70, 30.0), (0.95, 5.0), (0.50, 50.0), (0.10, 90.0), (1.0, 0.0), (0.0, 100.0), (0.65, 35.0)]
)
def test_dose_that_a_share_of_the_volume_receives_at_least(share, gy):
    # Eleven voxels 10 Gy apart: a share x of the volume lies above the dose 100 (1 - x), interpolated.
    assert dose_at_volume_share(DOSES, share) == pytest.approx(gy)


def test_d70_is_below_the_median_and_d95_lower_still():
    doses = np.random.default_rng(0).gamma(2.0, 30.0, 5000)
    d95, d70, d50 = (dose_at_volume_share(doses, share) for share in (0.95, 0.70, 0.50))
    assert d95 < d70 < d50
    assert np.mean(doses >= d70) == pytest.approx(0.70, abs=1e-3)
    assert np.mean(doses >= d95) == pytest.approx(0.95, abs=1e-3)


def test_histogram_is_the_share_that_receives_at_least_a_dose():
    histogram = dose_volume_histogram(np.array([10.0, 10.0, 20.0, 40.0]), points=5)
    np.testing.assert_allclose(histogram.dose_gy, [0.0, 10.0, 20.0, 30.0, 40.0])
    np.testing.assert_allclose(histogram.volume_share, [1.0, 1.0, 0.5, 0.25, 0.25])


def test_histogram_falls_from_one_and_its_area_is_the_mean():
    doses = np.random.default_rng(1).gamma(3.0, 20.0, 2000)
    histogram = dose_volume_histogram(doses, points=2001)
    assert histogram.volume_share[0] == 1.0
    assert np.all(np.diff(histogram.volume_share) <= 0.0)
    assert histogram.volume_share[-1] == pytest.approx(1.0 / 2000)
    # Trapezoids of 1/2000 of the maximum.
    area = np.trapezoid(histogram.volume_share, histogram.dose_gy)
    assert area == pytest.approx(doses.mean(), rel=1e-3)


# Partly covered voxels, by hand: 30 Gy in a whole voxel, 20 Gy in half of one, 10 Gy in a quarter.  Filled in
# order of rising dose: 10 Gy to 0.25, 20 Gy to 0.75, 30 Gy to 1.75 voxels.  The window of one voxel begins
# at 0.75 (1 - x).
HAND = exact_dvh(np.array([30.0, 10.0, 20.0]), np.array([1.0, 0.25, 0.5]), voxel_ml=0.008)


@pytest.mark.parametrize(
    ("share", "gy"),
    [
        (1.0, 0.25 * 10.0 + 0.5 * 20.0 + 0.25 * 30.0),  # window 0 to 1
        (0.0, 30.0),  # window 0.75 to 1.75
        (0.5, 0.375 * 20.0 + 0.625 * 30.0),  # window 0.375 to 1.375
        (0.8, 0.1 * 10.0 + 0.5 * 20.0 + 0.4 * 30.0),  # window 0.15 to 1.15
    ],
)
def test_dose_at_volume_of_partly_covered_voxels(share, gy):
    assert HAND.dose_at_volume(share) == pytest.approx(gy, rel=1e-12)


def test_figures_of_partly_covered_voxels():
    assert HAND.mean_gy == pytest.approx((30.0 + 10.0 + 2.5) / 1.75)
    assert (HAND.minimum_gy, HAND.maximum_gy) == (10.0, 30.0)
    assert HAND.volume_ml == pytest.approx(0.014)
    at = [HAND.share_at_dose(gy) for gy in (0.0, 10.0, 10.01, 20.0, 20.01, 30.0, 30.01)]
    assert at == pytest.approx([1.0, 1.0, 1.5 / 1.75, 1.5 / 1.75, 1.0 / 1.75, 1.0 / 1.75, 0.0])
    assert HAND.volume_at_dose_ml(20.0) == pytest.approx(0.012)
    curve = HAND.curve(points=4)
    np.testing.assert_allclose(curve.dose_gy, [0.0, 10.0, 20.0, 30.0])
    np.testing.assert_allclose(curve.volume_share, [1.0, 1.0, 1.5 / 1.75, 1.0 / 1.75])


def test_a_structure_below_one_voxel_has_its_mean_at_every_volume():
    small = exact_dvh(np.array([10.0, 40.0]), np.array([0.2, 0.1]), voxel_ml=1.0)
    assert [small.dose_at_volume(share) for share in (0.0, 0.3, 1.0)] == pytest.approx([20.0, 20.0, 20.0])


def test_voxels_without_a_part_do_not_count_and_slivers_are_in_the_extremes():
    doses, shares = np.array([0.0, 5.0, 50.0, 60.0, 900.0]), np.array([0.0, 0.001, 1.0, 1.0, 0.0])
    for dvh in (exact_dvh(doses, shares, voxel_ml=1.0), binned_dvh(doses, shares, voxel_ml=1.0, bins=6000)):
        assert (dvh.minimum_gy, dvh.maximum_gy) == pytest.approx((5.0, 60.0), abs=0.006)
        # 0.999 of the coldest voxel volume has 50 Gy.
        assert dvh.dose_at_volume(1.0) == pytest.approx(0.001 * 5.0 + 0.999 * 50.0, abs=0.006)


def voxels():
    """Doses and covered shares of a structure: ties and whole voxels are likely."""
    dose = st.one_of(st.integers(0, 5).map(float), st.floats(0.0, 500.0, allow_subnormal=False))
    share = st.one_of(st.just(1.0), st.floats(0.01, 1.0))
    return st.lists(st.tuples(dose, share), min_size=1, max_size=60).map(lambda v: np.array(v).T)


SHARES = st.floats(0.0, 1.0)
SETTINGS = settings(max_examples=60, deadline=None)


@SETTINGS
@given(voxels(), SHARES)
def test_whole_voxels_follow_numpy_quantile(structure, share):
    doses, _ = structure
    expected = np.quantile(doses, 1.0 - share)
    whole = exact_dvh(doses, voxel_ml=1.0)
    assert whole.dose_at_volume(share) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert dose_at_volume_share(doses, share) == pytest.approx(expected, rel=1e-12)
    ones = exact_dvh(doses, np.ones(len(doses)), voxel_ml=1.0)
    np.testing.assert_array_equal(ones.dose_gy, whole.dose_gy)
    np.testing.assert_array_equal(ones.filled, whole.filled)
    assert ones.mean_gy == pytest.approx(whole.mean_gy)


@SETTINGS
@given(voxels(), SHARES, st.randoms(use_true_random=False))
def test_dividing_voxels_and_their_order_change_nothing(structure, share, random):
    doses, shares = structure
    one = exact_dvh(doses, shares, voxel_ml=1.0)
    order = random.sample(range(2 * len(doses)), 2 * len(doses))
    halves = exact_dvh(np.repeat(doses, 2)[order], np.repeat(shares / 2.0, 2)[order], voxel_ml=1.0)
    assert halves.mean_gy == pytest.approx(one.mean_gy)
    assert halves.volume_ml == pytest.approx(one.volume_ml)
    assert halves.dose_at_volume(share) == pytest.approx(one.dose_at_volume(share), abs=1e-9)
    for gy in (*doses[:5], 2.5):
        assert halves.share_at_dose(gy) == pytest.approx(one.share_at_dose(gy))


@SETTINGS
@given(voxels(), SHARES, SHARES, st.floats(0.01, 100.0))
def test_dose_falls_with_volume_and_scales_with_activity(structure, one_share, other_share, factor):
    doses, shares = structure
    dvh, scaled = (exact_dvh(k * doses, shares, voxel_ml=1.0) for k in (1.0, factor))
    low, high = sorted((one_share, other_share))
    assert dvh.dose_at_volume(low) >= dvh.dose_at_volume(high) - 1e-9
    assert dvh.minimum_gy <= dvh.dose_at_volume(high) <= dvh.dose_at_volume(low) + 1e-9 <= dvh.maximum_gy + 2e-9
    assert dvh.share_at_dose(500.0 * low) >= dvh.share_at_dose(500.0 * high)
    assert scaled.dose_at_volume(low) == pytest.approx(factor * dvh.dose_at_volume(low), abs=1e-9)
    assert scaled.mean_gy == pytest.approx(factor * dvh.mean_gy)


@SETTINGS
@given(voxels(), SHARES)
def test_volume_at_the_dose_of_a_volume_is_that_volume_within_a_voxel(structure, share):
    doses, shares = structure
    dvh = exact_dvh(doses, shares, voxel_ml=1.0)
    gy, total = dvh.dose_at_volume(share), dvh.volume_ml
    # Just below Dx at least the volume outside the window, just above at most the window more.
    outside = share * (total - min(1.0, total))
    assert dvh.volume_at_dose_ml(gy - 1e-6) >= outside - 1e-9
    assert dvh.volume_at_dose_ml(gy + 1e-6) <= outside + 1.0 + 1e-9


@SETTINGS
@given(voxels(), SHARES, st.integers(2, 300))
def test_bins_are_within_half_their_width(structure, share, bins):
    doses, shares = structure
    exact = exact_dvh(doses, shares, voxel_ml=0.5)
    binned = binned_dvh(doses, shares, voxel_ml=0.5, bins=bins)
    assert binned.bin_gy == pytest.approx(max(doses) / bins, rel=3e-6, abs=1e-20)
    half = 0.5 * binned.bin_gy * (1.0 + 1e-9) + 1e-9
    assert abs(binned.dose_at_volume(share) - exact.dose_at_volume(share)) <= half
    assert abs(binned.minimum_gy - exact.minimum_gy) <= half
    assert abs(binned.maximum_gy - exact.maximum_gy) <= half
    assert binned.mean_gy == pytest.approx(exact.mean_gy)
    assert binned.volume_ml == pytest.approx(exact.volume_ml)
    gy = share * exact.maximum_gy
    above, below = exact.share_at_dose(gy + half), exact.share_at_dose(gy - half)
    assert above - 1e-12 <= binned.share_at_dose(gy) <= below + 1e-12


def test_no_dose_at_all_has_a_histogram():
    for dvh in (exact_dvh(np.zeros(5), voxel_ml=1.0), binned_dvh(np.zeros(5), voxel_ml=1.0)):
        assert dvh.dose_at_volume(0.5) == pytest.approx(0.0, abs=1e-15)
        assert (dvh.share_at_dose(0.0), dvh.share_at_dose(0.1)) == (1.0, 0.0)


def test_rounding_of_covered_shares_is_forgiven():
    dvh = exact_dvh(np.array([1.0, 2.0, 3.0]), np.array([1.0 + 1e-7, -1e-8, 1.0 - 1e-7]), voxel_ml=1.0)
    np.testing.assert_array_equal(dvh.dose_gy, [1.0, 3.0])
    np.testing.assert_array_equal(dvh.filled, [0.0, 1.0, 2.0])


@pytest.mark.parametrize("make", [exact_dvh, binned_dvh])
@pytest.mark.parametrize(
    ("doses", "shares", "message"),
    [
        ([], None, "There is no voxel in tumour 1: leave it out"),
        ([1.0, np.nan, np.inf], None, r"2 of 3 doses of tumour 1 are not finite \(first: voxel 1\)"),
        ([1.0, 2.0], [1.0], "1 covered shares for 2 voxels of tumour 1"),
        ([1.0, 2.0], [0.5, 1.5], "covered shares of tumour 1 reach from 0.5 to 1.5"),
        ([1.0, 2.0], [-0.1, 1.0], "reach from -0.1 to 1: give the share"),
        ([1.0, 2.0], [np.nan, 1.0], "covered shares of tumour 1"),
        ([1.0, 2.0], [0.0, 0.0], "All covered shares of tumour 1 are 0"),
    ],
)
def test_what_has_no_histogram_is_refused(make, doses, shares, message):
    with pytest.raises(InputError, match=message):
        make(np.array(doses), None if shares is None else np.array(shares), voxel_ml=1.0, name="tumour 1")


def test_bins_need_doses_from_zero_on():
    with pytest.raises(InputError, match="lowest dose of tumour 1 is -2 Gy: set negative doses to 0"):
        binned_dvh(np.array([-2.0, 1.0]), voxel_ml=1.0, name="tumour 1")
    assert exact_dvh(np.array([-2.0, 1.0]), voxel_ml=1.0).minimum_gy == -2.0


@pytest.mark.parametrize("share", [-0.01, 70.0, np.nan])
def test_volumes_are_shares_and_not_per_cent(share):
    for ask in (HAND.dose_at_volume, lambda x: dose_at_volume_share(DOSES, x)):
        with pytest.raises(InputError, match=r"give a share from 0 to 1 \(0.70 for D70\)"):
            ask(share)
