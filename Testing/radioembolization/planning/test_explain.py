"""What one more unit of a limit buys, by hand, and the sentences made of it."""

import numpy as np
import pytest

from radioembolization.planning import (
    InjectionActivity,
    InjectionSites,
    LungDose,
    MeanDose,
    MeanShortfall,
    StructureMean,
    TerritoryNormalLiverDose,
    TotalActivity,
    WorstTumourMean,
    maximize,
    minimize,
)
from support import K_Y90, dose_rows, resin_two_sites

D = K_Y90 * 0.94 / 1.8
WHOLE = MeanDose("normal liver")


def two_site_plan(problem):
    limits = MeanDose("T2").at_least(gy=100), WHOLE.at_most(gy=40), LungDose().at_most(gy=30)
    return problem.subject_to(*limits).solve(resin_two_sites())


def test_gains_by_hand():
    # x2 = (T2 - 2 d x1) / 14.4 d, so mean normal liver = 5/6 d x1 + T2 / 12: one more Gy of it gives
    # 1.2 Gy of d x1 and 4.8 Gy of T1; one Gy less of T2 gives 0.1 Gy of d x1 and 0.4 Gy of T1.
    plan = two_site_plan(maximize(StructureMean("T1")))
    t2, whole, lungs = plan.limits
    assert whole.gain_per_unit == pytest.approx(4.8, rel=1e-6)
    assert t2.gain_per_unit == pytest.approx(0.4, rel=1e-6)
    assert lungs.gain_per_unit is None


def test_gains_of_a_minimized_goal_are_negative():
    t2, whole, _ = two_site_plan(minimize(MeanShortfall("T1", 1000.0))).limits
    assert whole.gain_per_unit == pytest.approx(-4.8, rel=1e-6)
    assert t2.gain_per_unit == pytest.approx(-0.4, rel=1e-6)


def test_gain_of_an_activity_limit_is_per_gbq():
    plan = maximize(WorstTumourMean()).subject_to(TotalActivity().at_most(gbq=1), InjectionSites().at_most(count=1))
    total, sites = plan.solve(resin_two_sites()).limits
    assert total.gain_per_unit == pytest.approx(2 * D, rel=1e-6)  # T2 from site 1
    assert sites.binding
    assert sites.gain_per_unit is None  # there is no fraction of a site


def test_a_limit_that_two_others_hold_gains_nothing():
    # Whole normal liver and territory limit coincide for site 1; loosening one leaves the other.
    limits = WHOLE.at_most(gy=40), TerritoryNormalLiverDose().at_most(gy=40), InjectionSites().at_most(count=1)
    plan = maximize(WorstTumourMean()).subject_to(*limits).solve(resin_two_sites())
    assert [limit.binding for limit in plan.limits] == [True, True, True]
    assert [limit.gain_per_unit for limit in plan.limits[:2]] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_gains_stay_on_the_sites_used():
    # One injection.  Site 1 wins at 40 Gy; the gain is site 1's slope of T2, 2 Gy per Gy.
    limits = TerritoryNormalLiverDose().at_most(gy=40), InjectionSites().at_most(count=1)
    plan = maximize(WorstTumourMean()).subject_to(*limits).solve(resin_two_sites())
    assert plan.limits[0].gain_per_unit == pytest.approx(2.0, rel=1e-6)


def test_sentences():
    plan = two_site_plan(maximize(StructureMean("T1")))
    text = "\n".join(plan.explanation)
    assert "Injected: 1 1.46 GBq, 2 0.0643 GBq." in text
    assert "Binding: mean dose, whole normal liver 40 of at most 40 Gy; one Gy more changes the goal by +4.8 Gy" in text
    assert "Binding: mean dose, T2 100 of at least 100 Gy; one Gy less changes the goal by +0.4 Gy" in text
    assert "lungs" not in text
    assert "no plan within these limits has a mean dose of T1 above 152 Gy" in text
    # The partition model meets T2 >= 100 with T1 137.1 Gy.
    assert "Against the best rule of thumb (partition model per site on 1, 2)" in text
    assert "152.0 instead of 137.1 Gy (+10.8%)" in text


def test_unused_sites_are_named():
    limits = TerritoryNormalLiverDose().at_most(gy=40), InjectionSites().at_most(count=1)
    plan = maximize(WorstTumourMean()).subject_to(*limits).solve(resin_two_sites())
    assert plan.explanation[0] == "Injected: 1 1.54 GBq. Not used: 2."


def test_an_untreated_part_of_a_tumour_is_named():
    # A tumour of 0.03 and 0.01 kg, of which the site reaches the first.
    dose = dose_rows([[4.0, 0.0, 1.0]], [0.03, 0.01, 1.0], {"T": [0, 1]}, [2], perfused=[[1, 0, 1]])
    plan = maximize(WorstTumourMean()).subject_to(WHOLE.at_most(gy=40)).solve(dose)
    assert plan.structures[0].perfused_share == pytest.approx(0.75)
    assert any("25% of T lies outside the injected territories" in line for line in plan.explanation)


def test_a_plan_of_nothing_says_so():
    # Tumour B is beyond the one site allowed, so the worst tumour has no dose whatever is done.
    dose = dose_rows([[4.0, 0.0, 1.0], [0.0, 4.0, 1.0]], [0.1, 0.1, 1.0], {"A": [0], "B": [1]}, [2])
    limits = WHOLE.at_most(gy=40), InjectionSites().at_most(count=1), InjectionActivity().at_least(gbq=0.1)
    plan = maximize(WorstTumourMean()).subject_to(*limits).solve(dose)
    assert plan.goal.value == 0.0
    # Every figure goes into files, which hold no infinite numbers.
    assert np.isfinite(plan.goal.gap)
    assert all(np.isfinite(limit.value) for limit in plan.limits if limit.value is not None)
    assert any("gives every tumour a dose" in line for line in plan.explanation) == (not plan.used_sites)
