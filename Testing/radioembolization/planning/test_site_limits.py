"""Limits on sites, territories and what leaves the liver: by hand, and in the model."""

from dataclasses import replace

import numpy as np
import pytest

from limit_checks import bounded, feasible, voxel_rows
from radioembolization.errors import LimitError, TerritoryError
from radioembolization.planning import (
    GastrointestinalDose,
    InjectionActivity,
    LargestInjectionActivity,
    Limit,
    LowestTerritoryNormalLiverDose,
    LungDose,
    MeanDose,
    MicrosphereConcentration,
    SiteActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
    WorstTumourMean,
    maximize,
)
from support import K_Y90, dose_rows, resin_two_sites

DOSE = replace(resin_two_sites(), extrahepatic_share=np.array([0.02, 0.0]))
#: Dose per GBq in normal liver after injection at site 1, and at site 2 inside its territory.
D1, D2 = K_Y90 * 0.94 / 1.8, K_Y90 * 0.94 / 0.25
A = np.array([1.2, 0.05])

BY_HAND = {
    SiteActivity("1"): 1.2,
    SiteActivity("2"): 0.05,
    LargestInjectionActivity(): 1.2,
    # The whole liver as territory 1, and territory 2 of 0.15 + 0.05 kg.
    LowestTerritoryNormalLiverDose(): 1.2 * D1 + 0.05 * D2 * 0.15 / 0.9,
    # 2 % of 1.2 GBq, all of it absorbed in 50 g.
    GastrointestinalDose(0.05): K_Y90 * 0.02 * 1.2 / 0.05,
    # Territory 1 is the whole liver of 1150 mL, with all that stays in the liver: 50 Bq in each microsphere.
    MicrosphereConcentration(): 1.25 * 0.94 / 1150.0 * 1e9 / 50.0,
    MicrosphereConcentration(25.0): 1.25 * 0.94 / 1150.0 * 1e9 / 25.0,
}
UPPER = [q for q in BY_HAND if not isinstance(q, LowestTerritoryNormalLiverDose)]
LOWER = [SiteActivity("1"), SiteActivity("2"), LowestTerritoryNormalLiverDose(), GastrointestinalDose(0.05)]
SIDES = [*((q, True) for q in UPPER), *((q, False) for q in LOWER)]


@pytest.mark.parametrize("quantity", BY_HAND, ids=lambda q: q.name)
def test_value_by_hand(quantity):
    assert quantity.value(DOSE, A) == pytest.approx(BY_HAND[quantity], rel=1e-12)


@pytest.mark.parametrize(("quantity", "upper"), SIDES, ids=lambda v: getattr(v, "name", "at most" if v else "at least"))
def test_an_accepted_and_a_rejected_point(quantity, upper):
    value = BY_HAND[quantity]
    near, far = (1.001, 0.999) if upper else (0.999, 1.001)
    assert bounded(quantity, near * value, upper).is_met(DOSE, A)
    assert not bounded(quantity, far * value, upper).is_met(DOSE, A)


@pytest.mark.parametrize(("quantity", "upper"), SIDES, ids=lambda v: getattr(v, "name", "at most" if v else "at least"))
def test_model_and_numpy_draw_the_same_line(quantity, upper):
    rng = np.random.default_rng(5)
    for trial in range(4):
        dose = voxel_rows(rng, 4)
        x = rng.uniform(0.2, 1.0, 4) * (rng.random(4) < 0.7)
        x[[0, 1, trial]] = 0.6
        value = quantity.value(dose, x)
        step = 1e-4 * value * (1.0 if upper else -1.0)
        assert feasible(Limit(quantity, value + step, upper), dose, x, np.full(4, 2.0))
        assert not feasible(Limit(quantity, value - step, upper), dose, x, np.full(4, 2.0))


@pytest.mark.parametrize("quantity", UPPER, ids=lambda q: q.name)
def test_caps_cut_off_no_plan_within_the_limit(quantity):
    rng = np.random.default_rng(6)
    for _ in range(20):
        dose, x = voxel_rows(rng, 3), rng.uniform(0.05, 1.0, 3)
        bound = 0.7 * quantity.value(dose, x)
        scaled = quantity.largest_scale(dose, x, bound) * x
        assert quantity.value(dose, scaled) == pytest.approx(bound)
        assert np.all(scaled <= bounded(quantity, bound, True).cap_gbq(dose) * (1.0 + 1e-9))


# One site.


def test_a_forbidden_and_a_required_site():
    forbidden, required = SiteActivity("2").at_most(gbq=0), SiteActivity("2").at_least(gbq=0.04)
    assert (str(forbidden), str(required)) == ("activity at 2 <= 0 GBq", "activity at 2 >= 0.04 GBq")
    assert not forbidden.is_met(DOSE, A) and forbidden.is_met(DOSE, np.array([1.2, 0.0]))
    assert required.is_met(DOSE, A) and not required.is_met(DOSE, np.array([1.2, 0.03]))
    np.testing.assert_array_equal(forbidden.cap_gbq(DOSE), [np.inf, 0.0])


def test_an_unknown_site_is_an_error_that_names_the_sites():
    with pytest.raises(LimitError, match="no injection site 'left': use one of '1', '2'"):
        SiteActivity("left").value(DOSE, A)


def test_plans_obey_forbidden_and_required_sites():
    # Alone, site 1 gives T1 160 and T2 80 Gy at 40 Gy mean in normal liver; T2 needs site 2, which is the best plan.
    problem = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=40.0))
    without = problem.subject_to(SiteActivity("2").at_most(gbq=0.0)).solve(DOSE)
    assert without.activities_gbq[1] == 0.0
    assert without.goal.value == pytest.approx(80.0)
    # 0.2 GBq at site 2 take 0.2 x D2 / 6 = 6.23 of the 40 Gy.
    forced = problem.subject_to(SiteActivity("2").at_least(gbq=0.2)).solve(DOSE)
    assert forced.activities_gbq[1] == pytest.approx(0.2, rel=1e-5)
    assert forced.goal.value == pytest.approx(4 * (40.0 - 0.2 * D2 / 6.0), rel=1e-5)


# Each injection.


def test_bounds_of_each_injection_are_of_the_smallest_or_the_largest():
    assert InjectionActivity().at_most(gbq=3) == LargestInjectionActivity().at_most(gbq=3)
    assert LargestInjectionActivity().at_least(gbq=0.1) == InjectionActivity().at_least(gbq=0.1)
    np.testing.assert_array_equal(InjectionActivity().at_most(gbq=3).cap_gbq(DOSE), [3.0, 3.0])
    assert InjectionActivity().value(DOSE, A) == 0.05


# The intent of a lobectomy.


def test_the_lowest_dose_of_the_used_territories():
    lowest = LowestTerritoryNormalLiverDose()
    assert TerritoryNormalLiverDose().at_least(gy=88) == lowest.at_least(gy=88)
    assert lowest.at_most(gy=88) == TerritoryNormalLiverDose().at_most(gy=88)
    # Only what is injected counts, and nothing injected lacks nothing.
    assert lowest.value(DOSE, np.array([0.0, 0.1])) == pytest.approx(0.1 * D2)
    assert lowest.at_least(gy=88).is_met(DOSE, np.zeros(2))


def test_a_lobe_to_shrink_gets_its_dose_or_nothing():
    # Two lobes of 0.5 kg with a tumour each; one GBq gives 40 Gy in its own lobe and 2 Gy in the other.  Whole normal
    # liver at most 50 Gy allows x1 + x2 <= 100 / 42 = 2.38 GBq: 88 Gy in one lobe take 2.2, in both 4.2 GBq.
    rows = [[80.0, 4.0, 40.0, 2.0], [4.0, 80.0, 2.0, 40.0]]
    dose = dose_rows(rows, [0.1, 0.1, 0.5, 0.5], {"L": [0], "R": [1]}, [2, 3], perfused=np.eye(2)[:, [0, 1, 0, 1]] > 0)
    problem = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=50.0))
    both = problem.solve(dose)
    assert both.goal.value == pytest.approx(84.0 * 50.0 / 42.0, rel=1e-5)
    plan = problem.subject_to(TerritoryNormalLiverDose().at_least(gy=88.0)).solve(dose)
    assert [site.activity_gbq > 0 for site in plan.sites].count(True) == 1
    assert plan.goal.value == pytest.approx(4.0 * 100.0 / 42.0, rel=1e-5)
    assert all(limit.met for limit in plan.limits)


# What leaves the liver.


@pytest.mark.parametrize("shares", [None, np.zeros(2)])
def test_a_limit_on_a_deposit_that_gets_nothing_is_an_error(shares):
    with pytest.raises(LimitError, match="limits nothing, because no site has an extrahepatic share"):
        GastrointestinalDose(0.05).value(replace(DOSE, extrahepatic_share=shares), A)


@pytest.mark.parametrize("mass_kg", [0.0, -1.0, float("nan")])
def test_the_mass_of_a_deposit_is_positive(mass_kg):
    with pytest.raises(LimitError, match="mass of a gastrointestinal deposit"):
        GastrointestinalDose(mass_kg)


def test_lung_doses_of_one_session_and_of_all_stand_side_by_side():
    # 30 Gy in one session, 50 Gy with the 25 Gy of an earlier one: the second allows 25 Gy.
    session, course = LungDose().at_most(gy=30), LungDose(25.0).at_most(gy=50)
    per_gbq = K_Y90 * 0.06
    x = np.array([27.0 / per_gbq, 0.0])
    assert session.is_met(DOSE, x) and not course.is_met(DOSE, x)
    problem = maximize(WorstTumourMean()).subject_to(session, course)
    assert set(problem.evaluate(DOSE, x)) == {str(session), str(course)}
    assert per_gbq * sum(problem.solve(DOSE).activities_gbq) == pytest.approx(25.0, rel=1e-5)


# Microspheres.


def test_microspheres_are_bounded_from_above_only_and_need_a_territory():
    with pytest.raises(LimitError, match="at most a number"):
        MicrosphereConcentration().at_least(per_ml=1e4)
    with pytest.raises(LimitError, match="activity of a microsphere"):
        MicrosphereConcentration(0.0)
    nowhere = replace(DOSE, perfused=np.array([[1, 1, 1, 1], [0, 0, 0, 0]], dtype=bool))
    with pytest.raises(TerritoryError, match="'2' holds no liver"):
        MicrosphereConcentration().value(nowhere, A)


# Units.


@pytest.mark.parametrize(
    "quantity",
    [TotalActivity(), SiteActivity("1"), InjectionActivity(), LargestInjectionActivity()],
    ids=lambda q: q.name,
)
@pytest.mark.parametrize("number", [3e9, 3000.0])
def test_activities_in_bq_or_mbq_are_refused(quantity, number):
    for bound in (quantity.at_most, quantity.at_least):
        with pytest.raises(LimitError, match=r"units confused\? Enter GBq"):
            bound(gbq=number)
