"""Every limit at an accepted and a rejected point, in numpy and in the model."""

import numpy as np
import pytest
from scipy.optimize import brentq

from limit_checks import bounded, feasible
from radioembolization.errors import DeviceMismatch, LimitError, LungMassMissing, StructureError, TerritoryError
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, RESIN_Y90
from radioembolization.planning import (
    HepaticReserve,
    InjectionActivity,
    InjectionSites,
    LargestInjectionActivity,
    Limit,
    LimitResult,
    LowestTerritoryNormalLiverDose,
    LungDose,
    MeanDose,
    PerfusedNormalLiverDose,
    Provenance,
    ShuntedActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
    VolumeAbove,
    VolumeReaching,
)
from radioembolization.planning.model import Model
from support import K_Y90, dose_rows, random_rows, resin_two_sites

DOSE = resin_two_sites()
#: Dose per GBq in normal liver after injection at site 1, and at site 2 inside its territory.
D1, D2 = K_Y90 * 0.94 / 1.8, K_Y90 * 0.94 / 0.25
A = np.array([1.2, 0.05])

#: Value of each quantity for 1.2 and 0.05 GBq, by hand.
BY_HAND = {
    MeanDose("T1"): 1.2 * 4 * D1,
    MeanDose("T2"): 1.2 * 2 * D1 + 0.05 * 2 * D2,
    MeanDose("normal liver"): 1.2 * D1 + 0.05 * D2 * 0.15 / 0.9,
    MeanDose("whole liver"): K_Y90 * 0.94 * 1.25 / 1.15,  # all retained energy over 1.15 kg
    # Both territories together hold all normal liver.
    PerfusedNormalLiverDose(): 1.2 * D1 + 0.05 * D2 * 0.15 / 0.9,
    # Territory 2 has the higher mean.
    TerritoryNormalLiverDose(): 1.2 * D1 + 0.05 * D2,
    LungDose(): K_Y90 * 0.06 * 1.25 / 1.0,
    LungDose(earlier_gy=12.0): 12.0 + K_Y90 * 0.06 * 1.25,
    ShuntedActivity(): 0.06 * 1.25,
    TotalActivity(): 1.25,
    InjectionActivity(): 0.05,
    InjectionSites(): 2.0,
}
UPPER = [q for q in BY_HAND if not isinstance(q, InjectionActivity)]
#: Quantities with a lower limit.
LOWER = [q for q in BY_HAND if not isinstance(q, InjectionSites | PerfusedNormalLiverDose | TerritoryNormalLiverDose)]


@pytest.mark.parametrize("quantity", BY_HAND, ids=lambda q: q.name)
def test_value_by_hand(quantity):
    assert quantity.value(DOSE, A) == pytest.approx(BY_HAND[quantity], rel=1e-12)


@pytest.mark.parametrize("quantity", UPPER, ids=lambda q: q.name)
def test_upper_limit_at_an_accepted_and_a_rejected_point(quantity):
    value = BY_HAND[quantity]
    step = 1.0 if isinstance(quantity, InjectionSites) else 1e-3 * value
    accepted, rejected = bounded(quantity, value + step, True), bounded(quantity, value - step, True)
    assert accepted.is_met(DOSE, A)
    assert not rejected.is_met(DOSE, A)
    assert accepted.excess(DOSE, A) == pytest.approx(-step)
    assert rejected.excess(DOSE, A) == pytest.approx(step)


@pytest.mark.parametrize("quantity", LOWER, ids=lambda q: q.name)
def test_lower_limit_at_an_accepted_and_a_rejected_point(quantity):
    value = BY_HAND[quantity]
    accepted, rejected = bounded(quantity, 0.999 * value, False), bounded(quantity, 1.001 * value, False)
    assert accepted.is_met(DOSE, A)
    assert not rejected.is_met(DOSE, A)
    assert rejected.excess(DOSE, A) == pytest.approx(0.001 * value)


def test_perfused_normal_liver_is_that_of_the_sites_used():
    # Site 2 alone: its 0.15 kg only.  Nothing injected: no dose.  Energy beyond the territory counts too.
    assert PerfusedNormalLiverDose().value(DOSE, np.array([0.0, 0.1])) == pytest.approx(0.1 * D2)
    assert PerfusedNormalLiverDose().value(DOSE, np.zeros(2)) == 0.0
    spilling = dose_rows([[30.0, 3.0, 9.0]], [0.2, 0.5, 0.1], {"T": [2]}, [0, 1], perfused=[[1, 0, 1]])
    # 0.2 kg x 30 + 0.5 kg x 3 over the 0.2 kg of the territory.
    assert PerfusedNormalLiverDose().value(spilling, np.ones(1)) == pytest.approx(37.5)
    assert TerritoryNormalLiverDose().value(spilling, np.ones(1)) == pytest.approx(30.0)


def test_each_territory_counts_by_itself():
    # A small injection into the whole liver does not dilute a selective one.
    selective = np.array([0.01, 0.1])
    assert TerritoryNormalLiverDose().value(DOSE, selective) == pytest.approx(0.01 * D1 + 0.1 * D2)
    assert TerritoryNormalLiverDose().value(DOSE, np.array([0.5, 0.0])) == pytest.approx(0.5 * D1)


def on_random_rows(quantity):
    """Return the quantity for random rows, whose tumours are T0 and T1."""
    return MeanDose("T0") if isinstance(quantity, MeanDose) and quantity.structure.startswith("T") else quantity


@pytest.mark.parametrize(
    ("quantity", "upper"),
    [*((q, True) for q in UPPER), *((q, False) for q in LOWER)],
    ids=lambda value: getattr(value, "name", "at most" if value is True else "at least"),
)
def test_model_and_numpy_draw_the_same_line(quantity, upper):
    # On random rows with overlapping territories and spill: just inside the numpy value the model must
    # be feasible, just outside not.  A swapped row or a wrong slack shifts the line.
    rng, quantity = np.random.default_rng(17), on_random_rows(quantity)
    for trial in range(4):
        dose = random_rows(rng, 4, 2, spill=0.03 * (trial % 2))
        activities = rng.uniform(0.2, 1.0, 4) * (rng.random(4) < 0.7)
        activities[trial] = 0.6
        value, caps = quantity.value(dose, activities), np.full(4, 2.0)
        step = (0.5 if isinstance(quantity, InjectionSites) else 1e-4 * value) * (1.0 if upper else -1.0)
        assert feasible(Limit(quantity, value + step, upper), dose, activities, caps)
        assert not feasible(Limit(quantity, value - step, upper), dose, activities, caps)


@pytest.mark.parametrize(
    "quantity", [MeanDose("T0"), MeanDose("normal liver"), LungDose(5.0), ShuntedActivity(), TotalActivity()]
)
def test_linear_constraints_are_violated_by_what_numpy_says(quantity):
    rng = np.random.default_rng(3)
    dose = random_rows(rng, 5, 3)
    model = Model(dose, np.full(5, 10.0))
    for _ in range(10):
        activities = rng.uniform(0.0, 2.0, 5)
        model.activities.value = activities
        for upper in (True, False):
            limit = bounded(quantity, 0.5 * quantity.value(dose, np.ones(5)), upper)
            (constraint,) = limit.constraints(model)
            assert constraint.violation() == pytest.approx(max(0.0, limit.excess(dose, activities)), abs=1e-9)


@pytest.mark.parametrize("quantity", UPPER[:-1], ids=lambda q: q.name)
def test_caps_cut_off_no_plan_within_the_limit(quantity):
    rng, quantity = np.random.default_rng(5), on_random_rows(quantity)
    for _ in range(20):
        dose = random_rows(rng, 4, 2, spill=0.02)
        bound = 30.0
        activities = rng.uniform(0.05, 1.0, 4) * (rng.random(4) < 0.6)
        if not activities.any():
            continue
        # Scale to the limit.
        scale = brentq(lambda s: quantity.value(dose, s * activities) - bound, 1e-3, 1e4, xtol=1e-12, rtol=1e-12)  # noqa: B023
        cap = bounded(quantity, bound, True).cap_gbq(dose)
        assert np.all(scale * activities <= cap * (1.0 + 1e-9))


def test_lower_limits_cap_nothing():
    assert np.all(np.isinf(MeanDose("T1").at_least(gy=100.0).cap_gbq(DOSE)))


def test_cap_of_a_single_injection_by_hand():
    np.testing.assert_allclose(MeanDose("T1").at_most(gy=100.0).cap_gbq(DOSE), [100.0 / (4 * D1), np.inf])
    np.testing.assert_allclose(TerritoryNormalLiverDose().at_most(gy=40.0).cap_gbq(DOSE), [40.0 / D1, 40.0 / D2])
    np.testing.assert_allclose(LungDose(25.0).at_most(gy=30.0).cap_gbq(DOSE), [5.0 / (K_Y90 * 0.06)] * 2)
    # Earlier treatments used up the limit.
    np.testing.assert_allclose(LungDose(31.0).at_most(gy=30.0).cap_gbq(DOSE), [0.0, 0.0])


def test_cap_of_a_territory_without_normal_liver_is_found_without_a_division_by_zero():
    dose = dose_rows([[9.0, 0.0], [1.0, 1.0]], [0.1, 0.2], {"T": [0]}, [1], perfused=[[1, 0], [1, 1]])
    with np.errstate(all="raise"):
        cap = PerfusedNormalLiverDose().at_most(gy=40.0).cap_gbq(dose)
    np.testing.assert_allclose(cap, [np.inf, 40.0])


def test_a_limit_below_what_counts_as_perfused_is_refused():
    # Every injected part counts in proportion below full_from_gy, so that the smallest possible value of
    # any injection is full_from_gy: a lower limit would mean "inject nothing" in silence.
    assert PerfusedNormalLiverDose(10.0).value(DOSE, np.array([1e-3, 0.0])) == pytest.approx(10.0)
    with pytest.raises(LimitError):
        PerfusedNormalLiverDose(full_from_gy=10.0).at_most(gy=8.0)


# The unit is the keyword.


@pytest.mark.parametrize(
    ("quantity", "wrong", "right"),
    [
        (MeanDose("T1"), {"gbq": 1.0}, "gy="),
        (MeanDose("normal liver"), {"mgy": 40000.0}, "gy="),
        (PerfusedNormalLiverDose(), {"gbq": 1.0}, "gy="),
        (TerritoryNormalLiverDose(), {"per_cent": 40.0}, "gy="),
        (LungDose(), {"gbq": 0.61}, "gy="),
        (ShuntedActivity(), {"gy": 30.0}, "gbq="),
        (TotalActivity(), {"mbq": 3000.0}, "gbq="),
        (InjectionActivity(), {"count": 1.0}, "gbq="),
        (InjectionSites(), {"gbq": 3.0}, "count="),
        (LungDose(), {}, "gy="),
        (LungDose(), {"gy": 30.0, "gbq": 0.61}, "gy="),
    ],
)
def test_a_wrong_unit_is_refused(quantity, wrong, right):
    for bound in (quantity.at_most, quantity.at_least):
        with pytest.raises(LimitError, match=f"limited in {right}"):
            bound(**wrong)


@pytest.mark.parametrize("earlier_gy", [-20.0, np.nan, np.inf])
def test_an_impossible_earlier_lung_dose_is_refused(earlier_gy):
    # A negative one would raise the limit in silence.
    with pytest.raises(LimitError, match="earlier lung dose"):
        LungDose(earlier_gy)


@pytest.mark.parametrize("count", [0, 0.5, 2.5])
def test_a_number_of_sites_is_a_whole_one(count):
    with pytest.raises(LimitError, match="whole number"):
        InjectionSites().at_most(count=count)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_an_impossible_bound_is_refused(value):
    with pytest.raises(LimitError, match="positive number"):
        LungDose().at_most(gy=value)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (PerfusedNormalLiverDose().at_least(gy=88.0), "lower bound"),
        (Limit(TerritoryNormalLiverDose(), 88.0, upper=False), "lower bound"),
        (InjectionSites().at_least(count=2), "least number"),
        (Limit(InjectionActivity(), 2.0, upper=True), "upper bound"),
        (Limit(LowestTerritoryNormalLiverDose(), 2.0, upper=True), "upper bound"),
        (Limit(LargestInjectionActivity(), 2.0, upper=False), "lower bound"),
        (Limit(VolumeAbove("normal liver", 40.0), 30.0, upper=False), "lower bound"),
        (Limit(VolumeReaching("normal liver", 40.0), 30.0, upper=True), "upper bound"),
        (Limit(HepaticReserve(40.0), 30.0, upper=True), "upper bound"),
    ],
)
def test_directions_without_a_model_are_refused(limit, message):
    with pytest.raises(LimitError, match=f"(?i){message}"):
        limit.constraints(Model(DOSE, np.ones(2)))


def test_missing_structures_territories_and_lungs_are_errors():
    with pytest.raises(StructureError, match="'T3'"):
        MeanDose("T3").value(DOSE, A)
    without = dose_rows([[1.0, 2.0]], [0.5, 0.1], {"T": [1]}, [0], lung_kg=None)
    with pytest.raises(LungMassMissing, match="lung mass"):
        LungDose().at_most(gy=30.0).is_met(without, np.ones(1))
    tumour_only = dose_rows([[0.0, 2.0]], [0.5, 0.1], {"T": [1]}, [0])
    with pytest.raises(TerritoryError, match="'1' holds no normal liver"):
        TerritoryNormalLiverDose().value(tumour_only, np.ones(1))


# The denominator is in the name.


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (MeanDose("normal liver").at_most(gy=40.0), "mean dose, whole normal liver <= 40 Gy"),
        (PerfusedNormalLiverDose().at_most(gy=40.0), "mean dose, perfused normal liver <= 40 Gy"),
        (TerritoryNormalLiverDose().at_most(gy=120.0), "mean dose, perfused normal liver of each territory <= 120 Gy"),
        (MeanDose("T2").at_least(gy=100.0), "mean dose, T2 >= 100 Gy"),
        (LungDose().at_most(gy=30.0), "mean dose, lungs <= 30 Gy"),
        (LungDose(25.0).at_most(gy=50.0), "mean dose, lungs (with 25 Gy before) <= 50 Gy"),
        (ShuntedActivity().at_most(gbq=0.61), "activity shunted to the lungs <= 0.61 GBq"),
        (TotalActivity().at_most(gbq=3.0), "total injected activity <= 3 GBq"),
        (InjectionActivity().at_least(gbq=0.1), "activity of each injection >= 0.1 GBq"),
        (InjectionSites().at_most(count=3), "number of injection sites <= 3 sites"),
    ],
)
def test_a_limit_reads_as_it_is_meant(limit, text):
    assert str(limit) == text


# A limit belongs to its device.


def test_a_limit_of_another_device_is_refused_unless_a_reason_is_stated():
    limit = MeanDose("normal liver").at_most(gy=75.0).because(Provenance("EANM", "guideline", device="glass"))
    limit.check_device(GLASS_Y90)
    with pytest.raises(DeviceMismatch, match=r"published for glass.*resin"):
        limit.check_device(RESIN_Y90)
    with pytest.raises(DeviceMismatch, match="holmium"):
        limit.check_device(HOLMIUM_HO166)
    limit.because(Provenance("EANM", "guideline", "glass", "local protocol 7")).check_device(RESIN_Y90)
    MeanDose("normal liver").at_most(gy=75.0).check_device(RESIN_Y90)


def test_result_of_a_limit():
    limit = MeanDose("T2").at_least(gy=50.0).because(Provenance("source", "level", "resin", "reason"))
    result = LimitResult.of(limit, DOSE, A)
    assert (result.name, result.unit, result.sense) == ("mean dose, T2", "Gy", "at least")
    assert (result.source, result.evidence, result.override_reason) == ("source", "level", "reason")
    assert result.value == pytest.approx(BY_HAND[MeanDose("T2")])
    assert (result.limit, result.met, result.binding) == (50.0, True, False)


@pytest.mark.parametrize(
    ("factor", "met", "binding"),
    [(1.01, True, False), (1.0 + 5e-5, True, True), (1.0, True, True), (1.0 - 1e-5, False, True)],
)
def test_binding_is_within_a_ten_thousandth_of_the_bound(factor, met, binding):
    value = BY_HAND[LungDose()]
    result = LimitResult.of(LungDose().at_most(gy=value * factor), DOSE, A)
    assert (result.met, result.binding) == (met, binding)
