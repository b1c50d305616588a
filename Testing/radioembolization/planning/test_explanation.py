"""The reasons behind a plan, in words and numbers, for cases solved by hand."""

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.planning import (
    DoseAtVolume,
    InjectionSites,
    LowestDose,
    LungDose,
    MeanDose,
    MeanShortfall,
    StructureMean,
    WorstTumourMean,
    maximize,
    minimize,
)
from radioembolization.planning.explanation import explain_plan
from radioembolization.planning.manual import manual_plan
from radioembolization.planning.site_ranges import Need
from support import dose_rows, resin_two_sites

WHOLE, LUNGS, T2 = MeanDose("normal liver").at_most(gy=40), LungDose().at_most(gy=30), MeanDose("T2").at_least(gy=100)


def explained(problem, dose):
    plan = problem.solve(dose)
    return plan, explain_plan(problem, dose, plan)


def test_the_two_sites_in_words():
    # 40 = d x1 + mean of site 2 with T2 = 100: 4.8 Gy of T1 for 1 Gy, until site 2 is not needed for T2 (d x1 = 50);
    # then 4 Gy, until the lungs have 30 Gy (10.07 GBq at site 1, 261 Gy).  T2 costs 0.4 Gy of T1 per Gy, until 80 Gy.
    plan, found = explained(maximize(StructureMean("T1")).subject_to(T2, WHOLE, LUNGS), resin_two_sites())
    assert found.price_lines == (
        "-1 Gy mean dose of T2 buys 0.4 Gy mean dose of T1 down to 80 Gy (on the same sites); beyond 80 Gy nothing.",
        "+1 Gy mean dose of whole normal liver buys 4.8 Gy mean dose of T1 up to 50 Gy, then 4 Gy up to 261 Gy "
        "(on the same sites); beyond 261 Gy nothing.",
    )
    assert [site.need for site in found.sites] == [Need.ESSENTIAL, Need.ESSENTIAL]
    lines = found.lines()
    assert lines[: len(plan.explanation)] == plan.explanation
    assert "1 is essential: every plan within 1 % of the optimum uses it, with 1.45 to 1.46 GBq." in lines
    assert "Mean dose of T2, 100.0 Gy: 1 76.0 Gy (76%), 2 24.0 Gy (24%)." in lines
    assert found.dropped == () and found.alternatives == ()


def test_a_minimized_goal_is_bought_less_of():
    _, found = explained(minimize(MeanShortfall("T1", 500.0)).subject_to(T2, WHOLE, LUNGS), resin_two_sites())
    assert "buys 4.8 Gy less shortfall of T1 below 500 Gy mean up to 50 Gy" in found.price_lines[1]


def test_sites_that_are_not_used_in_words():
    dose = dose_rows([[4.0, 1.0], [6.0, 2.0], [0.0, 1.0], [4.0, 1.0]], [0.1, 1.0], {"T": [0]}, [1])
    plan, found = explained(maximize(WorstTumourMean()).subject_to(WHOLE), dose)
    text = "\n".join(found.lines())
    (used,) = (site.name for site in plan.used_sites)
    other = {"1": "4", "4": "1"}[used]
    assert (
        "2 is not used: 1 GBq there would raise the goal by 6 Gy but takes 2 Gy mean dose of whole normal liver, "
        f"worth 8 Gy at the sites used; 1.5 GBq at {used} would give every tumour as much and take no more." in text
    )
    assert "3 is not used: its territory holds no tumour." in text
    assert f"{other} is not used: it is as good as the sites used" in text
    assert f"Instead: {other} 40 GBq reaches 160 Gy, 0.00% below the optimum." in text
    assert "Of no use within 1 % of the optimum: 3." in text
    assert f"{used} is exchangeable: plans within 1 % of the optimum give it 0 to 40 GBq." in text


def test_a_plan_that_gave_up_more_for_fewer_injections_is_within_its_own_ranges():
    # Site 1 alone gives A 160 Gy.  With site 2, 6 x2 + 4 x1 = 4.2 x1 and x1 + x2 = 40: 162.6 Gy, 1.6 % more.
    dose = dose_rows([[4.0, 4.2, 1.0], [6.0, 0.0, 1.0]], [0.1, 0.1, 1.0], {"A": [0], "B": [1]}, [2])
    plan, found = explained(maximize(WorstTumourMean()).subject_to(WHOLE), dose)
    lost = (plan.goal.optimum - plan.goal.value) / plan.goal.optimum
    assert len(plan.used_sites) == 1 and lost > 0.01
    assert found.within == pytest.approx(lost, abs=1e-4)
    for site in found.sites:
        assert site.least_gbq - 1e-4 <= site.activity_gbq <= site.most_gbq + 1e-4


def test_volumes_and_plans_by_hand_say_what_is_not_known():
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, LUNGS)
    plan = manual_plan(problem, resin_two_sites(), np.array([1.0, 0.0]))
    found = explain_plan(problem, resin_two_sites(), plan)
    assert found.sites == () and found.prices == () and "Set by hand" in found.lines()[-1]
    assert found.contributions.sites == ("1",)
    volumes = problem.subject_to(DoseAtVolume("T2", 70).at_least(gy=90))
    _, found = explained(volumes, resin_two_sites())
    assert "dose-volume" in found.remark and found.lines()[-1] == found.remark


def test_over_voxels_with_few_sites():
    dose = planning_phantom(3000, sites=12, tumours=3)
    problem = maximize(LowestDose()).subject_to(MeanDose("normal liver").at_most(gy=50), LUNGS)
    plan, found = explained(problem.subject_to(InjectionSites().at_most(count=3)), dose)
    assert len(found.sites) == 12 and len(found.dropped) == 12 - len(plan.used_sites)
    assert found.alternatives_complete
    assert all(site.least_gbq <= a + 1e-5 for site, a in zip(found.sites, plan.activities_gbq, strict=True))
    assert all(site.most_gbq >= a - 1e-5 for site, a in zip(found.sites, plan.activities_gbq, strict=True))
    assert all(isinstance(line, str) and line.endswith(".") for line in found.lines())
