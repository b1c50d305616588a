"""Dose-volume limits by hand, as bounds on a share of the mass, against histograms, and in the model."""

import numpy as np
import pytest

from limit_checks import bounded, feasible, voxel_rows
from radioembolization.dose.dvh import exact_dvh
from radioembolization.errors import LimitError, StructureError
from radioembolization.planning import (
    DoseAtVolume,
    HepaticReserve,
    Limit,
    LowestDoseAtVolume,
    VolumeAbove,
    VolumeReaching,
)
from support import dose_rows

N = "normal liver"
#: One site; normal liver of ten equal voxels with 10, 20 ... 100 Gy/GBq, a tumour of two.
TEN = dose_rows([[*range(10, 101, 10), 150.0, 250.0]], [0.1] * 10 + [0.05] * 2, {"T": [10, 11]}, normal=range(10))
#: The same doses, the voxel of 100 Gy/GBq four times as heavy: 13 parts of the mass.
HEAVY = dose_rows([[*range(10, 101, 10), 150.0]], [0.1] * 9 + [0.4, 0.1], {"T": [10]}, normal=range(10))
ONE = np.ones(1)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        # Above 40 Gy: 50 ... 100 Gy; the voxel of 40 Gy itself does not count as above, but reaches it.
        (VolumeAbove(N, 40.0), 60.0),
        (VolumeAbove(N, 39.9), 70.0),
        (VolumeReaching(N, 40.0), 70.0),
        (VolumeReaching(N, 40.1), 60.0),
        (HepaticReserve(40.0), 40.0),
        # At least 70 % receive 40 Gy or more (40 ... 100); at least 71 % only 30 Gy.
        (DoseAtVolume(N, 70.0), 40.0),
        (DoseAtVolume(N, 71.0), 30.0),
        (DoseAtVolume(N, 100.0), 10.0),
        (DoseAtVolume(N, 2.0), 100.0),
        (LowestDoseAtVolume(50.0), 250.0),
        (LowestDoseAtVolume(70.0), 150.0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_value_by_hand(quantity, value):
    assert quantity.value(TEN, ONE) == pytest.approx(value)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        (VolumeAbove(N, 90.0), 400.0 / 13.0),
        (DoseAtVolume(N, 100.0 * 4.0 / 13.0), 100.0),
        (DoseAtVolume(N, 31.0), 90.0),  # 4/13 are 30.8 %
        (HepaticReserve(90.0), 900.0 / 13.0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_voxels_count_by_their_mass(quantity, value):
    assert quantity.value(HEAVY, ONE) == pytest.approx(value)


def test_voxels_at_the_dose_itself_are_on_the_right_side_of_both_limits():
    # Optimal plans put many voxels exactly there, and rounding moves them by 1e-7.
    for factor in (1.0 - 2e-7, 1.0, 1.0 + 2e-7):
        assert VolumeAbove(N, 40.0).at_most(percent=60).is_met(TEN, factor * ONE)
        assert VolumeAbove(N, 40.0).at_least(percent=70).is_met(TEN, factor * ONE)
        assert DoseAtVolume(N, 70.0).at_least(gy=40).is_met(TEN, factor * ONE)
        assert HepaticReserve(40.0).at_least(percent=40).is_met(TEN, factor * ONE)
    assert not VolumeAbove(N, 40.0).at_most(percent=60).is_met(TEN, 1.00001 * ONE)
    assert not VolumeAbove(N, 40.0).at_least(percent=70).is_met(TEN, 0.99999 * ONE)


@pytest.mark.parametrize("dose", [TEN, HEAVY], ids=["equal", "unequal"])
def test_a_limit_is_met_exactly_where_its_volume_bound_is(dose):
    # All directions, at shares that whole voxels hit exactly and at others.
    rng = np.random.default_rng(1)
    limits = [VolumeAbove(N, 40.0).at_most(percent=p) for p in (0, 10, 30, 35, 60)]
    limits += [VolumeAbove(N, 40.0).at_least(percent=p) for p in (10, 30, 70, 100)]
    limits += [DoseAtVolume(N, p).at_least(gy=35) for p in (5, 30, 70, 95, 100)]
    limits += [DoseAtVolume(N, p).at_most(gy=35) for p in (5, 30, 70, 95)]
    limits += [HepaticReserve(12.0).at_least(percent=p) for p in (10, 30, 33)]
    for limit in limits:
        bound = limit.volume_bound
        outcomes = set()
        for x in (*rng.uniform(0.05, 5.0, 40), 0.35, 0.5, 1.0, 3.5):
            within = bound.wrong_share(dose, x * ONE) <= bound.share
            assert within == limit.is_met(dose, x * ONE), (str(limit), x)
            outcomes.add(within)
        assert len(outcomes) == 2 or limit.bound in (0.0, 100.0), str(limit)


def test_dx_at_most_needs_less_than_the_share_above():
    # Exactly 70 % receive 40 Gy, so D70 is 40: not at most 39, and the 70 % above 39 Gy are too many.
    assert not DoseAtVolume(N, 70.0).at_most(gy=39.0).is_met(TEN, ONE)
    bound = DoseAtVolume(N, 70.0).at_most(gy=39.0).volume_bound
    assert bound.wrong_share(TEN, ONE) > bound.share


def test_against_histograms():
    # Vx of dose.dvh is the share of at least x.  Its Dx is interpolated between whole voxels: with n of them, it lies
    # between our dose and its neighbour in the order of doses.
    rng = np.random.default_rng(2)
    for n in (7, 10, 33):
        rows = rng.uniform(5.0, 90.0, n)
        dose = dose_rows([[*rows, 1.0]], [0.1] * n + [0.1], {"T": [n]}, normal=range(n))
        histogram, order = exact_dvh(rows, voxel_ml=1.0), np.sort(rows)
        for percent in (2, 30, 50, 70, 95, 100):
            ours = DoseAtVolume(N, percent).value(dose, ONE)
            place = int(np.searchsorted(order, ours))
            theirs = histogram.dose_at_volume(percent / 100.0)
            assert order[max(place - 1, 0)] <= theirs <= order[min(place + 1, n - 1)]
        for gy in rng.uniform(5.0, 90.0, 5):
            shares = 100.0 * histogram.share_at_dose(gy)
            assert VolumeReaching(N, gy).value(dose, ONE) == pytest.approx(shares)
            assert VolumeAbove(N, gy).value(dose, ONE) == pytest.approx(shares)  # no voxel has just this dose
            assert HepaticReserve(gy).value(dose, ONE) == pytest.approx(100.0 - shares)


@pytest.mark.parametrize(
    ("quantity", "upper"),
    [
        (VolumeAbove("T0", 20.0), True),
        (VolumeReaching("T0", 20.0), False),
        (DoseAtVolume("T0", 60.0), True),
        (DoseAtVolume("T0", 60.0), False),
        (HepaticReserve(20.0), False),
    ],
    ids=lambda value: getattr(value, "name", "at most" if value is True else "at least"),
)
def test_model_and_numpy_draw_the_same_line(quantity, upper):
    # The model has a binary for every voxel.  One unit of a percentage is far less than a voxel of 1/12.
    rng = np.random.default_rng(3)
    for _ in range(4):
        dose, x = voxel_rows(rng, 3), rng.uniform(0.2, 1.0, 3)
        value = quantity.value(dose, x)
        step = (0.5 if quantity.unit == "%" else 1e-3 * value) * (1.0 if upper else -1.0)
        assert feasible(Limit(quantity, value + step, upper), dose, x, np.full(3, 2.0))
        assert not feasible(Limit(quantity, value - step, upper), dose, x, np.full(3, 2.0))


@pytest.mark.parametrize("quantity", [VolumeAbove(N, 40.0), DoseAtVolume(N, 30.0)], ids=lambda q: q.name)
def test_caps_and_scales_cut_off_no_plan_within_the_limit(quantity):
    rng = np.random.default_rng(4)
    for _ in range(20):
        dose = voxel_rows(rng, 4)
        limit = bounded(quantity, 30.0, True)
        x = rng.uniform(0.0, 1.0, 4) * (rng.random(4) < 0.7)
        if not x.any():
            continue
        scale = quantity.largest_scale(dose, x, 30.0)
        assert limit.is_met(dose, (1.0 - 1e-9) * scale * x)
        assert not limit.is_met(dose, (1.0 + 1e-4) * scale * x)
        assert np.all(scale * x <= limit.cap_gbq(dose))


def test_caps_by_hand():
    # At most 30 % above 40 Gy: the fourth hottest voxel has 70 Gy/GBq, and a share of the mass too much above.
    assert VolumeAbove(N, 40.0).at_most(percent=30).cap_gbq(TEN)[0] == pytest.approx(40.0 / 70.0, rel=1e-5)
    assert VolumeAbove(N, 40.0).at_most(percent=100).cap_gbq(TEN)[0] == np.inf
    assert VolumeAbove(N, 40.0).at_most(percent=30).volume_bound.share == pytest.approx(0.3)
    assert DoseAtVolume(N, 40.0).at_most(gy=40).cap_gbq(TEN)[0] == pytest.approx(40.0 / 70.0, rel=1e-5)


def test_what_a_level_of_the_lowest_dx_asks_for():
    goal = LowestDoseAtVolume(70.0)
    (bound,) = goal.volume_bounds(TEN, 120.0)
    assert (bound.structure, bound.dose_gy, bound.above) == ("T", 120.0, False)
    assert bound.share == pytest.approx(0.3)
    assert goal.maximized and goal.homogeneous and goal.margin(TEN, 1.0) is None
    with pytest.raises(NotImplementedError):
        goal.supports(TEN, ONE)


# Bad input.


@pytest.mark.parametrize("bound", [{"gy": 30.0}, {"share": 0.3}, {}])
def test_a_share_is_given_in_per_cent(bound):
    with pytest.raises(LimitError, match=r"limited in percent= \(%\)"):
        VolumeAbove(N, 40.0).at_most(**bound)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: VolumeAbove(N, 40.0).at_most(percent=130),
        lambda: VolumeAbove(N, 40.0).at_least(percent=101),
        lambda: HepaticReserve(10.0).at_least(percent=300),
        lambda: DoseAtVolume(N, 0.0),
        lambda: DoseAtVolume(N, 101.0),
        lambda: VolumeAbove(N, 0.0),
        lambda: VolumeAbove(N, float("nan")),
        lambda: HepaticReserve(-1.0),
        lambda: HepaticReserve(10.0).at_most(percent=30),
    ],
)
def test_impossible_shares_and_doses_are_refused(wrong):
    with pytest.raises(LimitError):
        wrong()


def test_a_structure_without_voxels_is_named():
    empty = dose_rows([[1.0, 2.0]], [0.5, 0.1], {"T": [1], "gone": []}, [0])
    for quantity in (VolumeAbove("gone", 40.0), DoseAtVolume("gone", 70.0)):
        with pytest.raises(StructureError, match="'gone' has no voxels"):
            quantity.value(empty, ONE)


def test_no_plane_touches_them():
    with pytest.raises(NotImplementedError):
        VolumeAbove(N, 40.0).at_most(percent=30).supports(TEN, ONE)
