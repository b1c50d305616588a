"""Activities set by hand: doses and limits by hand calculation, and no claim about other plans."""

import math

import numpy as np
import pytest

from radioembolization.errors import DeviceMismatch, InputError, LungMassMissing
from radioembolization.planning import (
    InjectionActivity,
    LogTumourControl,
    LowestDose,
    LowestEUD,
    LungDose,
    MeanDose,
    MeanShortfall,
    StructureMean,
    WorstTumourMean,
    maximize,
    minimize,
    preset,
)
from radioembolization.planning.manual import manual_plan
from radioembolization.planning.problem import Problem
from radioembolization.planning.recheck import recheck
from support import K_Y90, dose_rows, resin_two_sites

#: Dose of normal liver per GBq in site 1 [Gy]: 0.94 of the energy over 1.8 effective kg.
D = K_Y90 * 0.94 / 1.8
WHOLE = MeanDose("normal liver")
PROBLEM = maximize(StructureMean("T1")).subject_to(
    MeanDose("T2").at_least(gy=100), WHOLE.at_most(gy=40), LungDose().at_most(gy=30)
)


def plan_of(*activities_gbq, problem=PROBLEM, dose=None):
    return manual_plan(problem, dose or resin_two_sites(), np.array(activities_gbq))


def test_doses_limits_and_goal_are_those_of_the_activities():
    plan = plan_of(2.0, 0.0)
    doses = {s.name: s.mean_gy for s in plan.structures}
    assert doses["T1"] == pytest.approx(8.0 * D) == pytest.approx(207.5, abs=0.05)
    assert doses["T2"] == pytest.approx(4.0 * D)
    assert doses["normal liver"] == pytest.approx(2.0 * D)
    assert plan.lung_gy == pytest.approx(K_Y90 * 0.06 * 2.0)
    assert (plan.goal.value, plan.goal.optimum) == pytest.approx((8.0 * D, 8.0 * D))
    assert [limit.met for limit in plan.limits] == [True, False, True]
    assert plan.limits[1].value == pytest.approx(51.88, abs=0.005)
    assert [site.name for site in plan.used_sites] == ["1"]


def test_nothing_is_claimed_about_other_plans():
    plan = plan_of(2.0, 0.0)
    assert plan.by_hand and plan.status == "manual"
    assert plan.goal.bound == math.inf and plan.goal.gap == math.inf
    assert plan.certificate is None and plan.baselines == ()
    assert "set by hand" in plan.unproved
    assert all(limit.gain_per_unit is None for limit in plan.limits)
    smallest = plan_of(2.0, 0.0, problem=minimize(MeanShortfall("T1", below_gy=250.0)))
    assert smallest.goal.bound == -math.inf  # refuses no plan


def test_the_explanation_says_what_is_exceeded_and_by_how_much():
    text = " ".join(plan_of(2.0, 0.0).explanation)
    assert "Injected: 1 2 GBq. Not used: 2." in text
    assert "Activities set by hand; no bound" in text
    assert "Exceeded: mean dose, whole normal liver 51.9 of at most 40 Gy, by 12." in text
    assert "lungs" not in text and "Proof" not in text
    low = " ".join(plan_of(1.0, 0.0).explanation)
    assert "Not reached: mean dose, T2 51.9 of at least 100 Gy, by 48." in low
    # Normal liver 38 x 5/6 + 100 / 12 = 40 Gy and T2 100 Gy, both limits touched.
    assert "All limits are met." in " ".join(plan_of(38.0 / D, 24.0 / (14.4 * D)).explanation)


def test_the_optimal_activities_set_by_hand_give_the_doses_of_the_optimal_plan():
    best = PROBLEM.solve(resin_two_sites())
    mine = plan_of(*best.activities_gbq)
    assert mine.structures == best.structures and mine.sites == best.sites
    assert mine.goal.value == best.goal.value


def test_nothing_injected_is_a_plan_too():
    plan = plan_of(0.0, 0.0)
    assert all(s.mean_gy == 0.0 for s in plan.structures)
    assert plan.explanation[0] == "Injected: nothing. Not used: 1, 2."
    single = plan_of(0.0, 0.0, problem=PROBLEM.subject_to(InjectionActivity().at_least(gbq=0.1)))
    assert single.limits[-1].value is None and single.limits[-1].met


@pytest.mark.parametrize(
    "goal",
    [
        WorstTumourMean(),
        LowestDose(),
        LowestEUD(0.05, 10.0, 1.5),
        LogTumourControl(0.05, 10.0, 1.5, clonogens=1e9),
        MeanShortfall("T1", below_gy=205.0),
    ],
)
def test_every_kind_of_goal_has_a_value_without_activity(goal):
    assert math.isfinite(plan_of(0.0, 0.0, problem=Problem(goal)).goal.value)


def test_activities_that_count_as_unused_become_zero():
    assert plan_of(2.0, 1e-6).activities_gbq.tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("activities", "words"),
    [((1.0,), "each of the 2 sites"), ((1.0, -0.5), "2 -0.5 GBq"), ((math.nan, 1.0), "1 nan GBq")],
)
def test_what_is_no_activity_is_refused(activities, words):
    with pytest.raises(InputError, match=words):
        plan_of(*activities)


def test_limits_that_do_not_fit_are_refused_as_when_optimizing():
    with pytest.raises(DeviceMismatch):
        plan_of(1.0, 0.0, problem=PROBLEM.subject_to(*preset("glass/hcc-bilobar").limits))
    without_lungs = dose_rows([[1.0, 1.0]], kg=[0.1, 0.9], tumours={"T1": [0]}, normal=[1], lung_kg=None)
    with pytest.raises(LungMassMissing):
        plan_of(1.0, problem=maximize(StructureMean("T1")).subject_to(LungDose().at_most(gy=30)), dose=without_lungs)


def test_checked_anew_its_doses_stand_and_nothing_is_proved():
    found = recheck(plan_of(2.0, 0.0), resin_two_sites())
    assert found.bound is None and found.gap is None
    assert found.value == pytest.approx(8.0 * D)
    assert "1 NOT met by activities set by hand: mean dose, whole normal liver" in " ".join(found.checked)
    assert "set by hand" in " ".join(found.unproved)
