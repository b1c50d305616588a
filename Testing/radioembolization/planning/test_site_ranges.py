"""How much each site can and must receive: by hand, and against linear programs for every choice of sites."""

import numpy as np
import pytest

from every_choice import EveryChoice
from radioembolization.planning import (
    ColdestMean,
    DoseAtVolume,
    InjectionActivity,
    InjectionSites,
    LowestDose,
    LowestEUD,
    LungDose,
    MeanDose,
    SiteActivity,
    StructureMean,
    WorstTumourMean,
    maximize,
)
from radioembolization.planning.site_ranges import Need, site_ranges
from support import K_Y90, dose_rows, random_rows, resin_two_sites

D = K_Y90 * 0.94 / 1.8
WHOLE = MeanDose("normal liver").at_most(gy=40)
LUNGS = LungDose().at_most(gy=30)


def ranges_of(problem, dose, within=0.01):
    plan = problem.solve(dose)
    return plan, site_ranges(problem, dose, plan.activities_gbq, plan.goal.optimum, within)


def test_the_two_sites_by_hand():
    # T1 = 4 d x1 may fall to 99 % of 152 Gy; then the normal liver, 40 = d x1 + 31.127 x2, leaves more for site 2.
    # T1 cannot rise, nor site 2 get less, since 152 Gy is the optimum.
    problem = maximize(StructureMean("T1")).subject_to(MeanDose("T2").at_least(gy=100), WHOLE, LUNGS)
    _, (first, second) = ranges_of(problem, resin_two_sites())
    least = 0.99 * 152.0 / (4.0 * D)
    assert (first.least_gbq, first.most_gbq) == pytest.approx((least, 38.0 / D), rel=1e-5)
    assert second.least_gbq == pytest.approx(24.0 / (14.4 * D), rel=1e-5)
    assert second.most_gbq == pytest.approx((40.0 - D * least) / (K_Y90 * 0.94 / 0.25 * 0.15 / 0.9), rel=1e-5)
    assert [first.need, second.need] == [Need.ESSENTIAL, Need.ESSENTIAL]


@pytest.mark.parametrize("goal", [WorstTumourMean(), LowestDose()])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(1, 12))])
def test_ranges_are_those_of_linear_programs(goal, seed):
    rng = np.random.default_rng(seed)
    dose = random_rows(rng, 5, 3, spill=0.02)
    problem = maximize(goal).subject_to(WHOLE, LUNGS)
    plan, found = ranges_of(problem, dose)
    naive = EveryChoice(problem.limits, dose)
    least_goal = min(0.99 * plan.goal.optimum, plan.goal.value)
    # Without rules, the choice of all sites holds every other one.
    naive.choices = lambda: [range(5)]
    for site, result in enumerate(found):
        low, high = naive.range_gbq(problem, site, least_goal)
        assert (result.least_gbq, result.most_gbq) == pytest.approx((low, high), rel=2e-3, abs=1e-4)
        assert result.least_gbq <= low + 1e-6 and result.most_gbq >= high - 1e-6  # proved ends lie outside
        assert (result.need is Need.ESSENTIAL) == (low > 1e-5)


@pytest.mark.parametrize("rule", [InjectionSites().at_most(count=2), InjectionActivity().at_least(gbq=0.2)])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(1, 12))])
def test_ranges_with_rules_about_sites(rule, seed):
    dose = random_rows(np.random.default_rng(seed), 4, 2)
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, LUNGS, rule)
    plan, found = ranges_of(problem, dose, within=0.03)
    naive = EveryChoice(problem.limits, dose)
    least_goal = min(0.97 * plan.goal.optimum, plan.goal.value)
    for site, result in enumerate(found):
        low, high = naive.range_gbq(problem, site, least_goal)
        assert result.least_gbq <= low + 1e-6 and result.most_gbq >= high - 1e-6
        assert result.reached_gbq == pytest.approx((low, high), rel=2e-3, abs=1e-4)
        assert (result.need is Need.ESSENTIAL) == (low > 1e-5)
        assert high > 1e-5 or result.need is Need.USELESS


def test_two_identical_sites_are_exchangeable():
    dose = dose_rows([[4.0, 1.0], [4.0, 1.0]], [0.1, 1.0], {"T": [0]}, [1])
    _, found = ranges_of(maximize(WorstTumourMean()).subject_to(WHOLE), dose)
    for site in found:
        assert site.need is Need.EXCHANGEABLE
        assert (site.least_gbq, site.most_gbq) == pytest.approx((0.0, 40.0), abs=1e-5)


def test_nearly_identical_sites_are_exchangeable_too():
    dose = dose_rows([[4.0, 1.0], [4.0 * (1 - 1e-9), 1.0]], [0.1, 1.0], {"T": [0]}, [1])
    _, found = ranges_of(maximize(WorstTumourMean()).subject_to(WHOLE), dose)
    assert {site.need for site in found} == {Need.EXCHANGEABLE}


def test_forbidden_sites_and_those_without_tumour_are_useless():
    # Site 2 reaches no tumour: 1 % of the goal allows it 0.4 of 40 GBq, as much as the share that may be lost.
    dose = dose_rows([[4.0, 1.0], [0.0, 1.0], [4.0, 1.0]], [0.1, 1.0], {"T": [0]}, [1])
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, SiteActivity("3").at_most(gbq=0))
    _, (first, second, third) = ranges_of(problem, dose)
    assert [first.need, second.need, third.need] == [Need.ESSENTIAL, Need.USELESS, Need.USELESS]
    assert second.most_gbq == pytest.approx(0.4, rel=1e-4)
    assert third.most_gbq == 0.0


def test_a_goal_by_levels_has_ranges():
    problem = maximize(LowestEUD(alpha_per_gy=0.01)).subject_to(WHOLE, LUNGS)
    plan, (first, second) = ranges_of(problem, resin_two_sites())
    for site, amount in zip((first, second), plan.activities_gbq, strict=True):
        assert site.least_gbq <= amount + 1e-6 and site.most_gbq >= amount - 1e-6
    assert first.need is Need.ESSENTIAL


def test_a_limit_over_voxels_is_kept_exactly():
    # The coldest half of a tumour must have 10 Gy on average: what is proved and what plans reach meet.
    dose = random_rows(np.random.default_rng(7), 4, 2, spill=0.05)
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, ColdestMean("T0", 50).at_least(gy=10))
    _, found = ranges_of(problem, dose)
    assert all(site.least_gbq <= site.reached_gbq[0] and site.reached_gbq[1] <= site.most_gbq + 1e-9 for site in found)
    assert all(site.most_gbq - site.reached_gbq[1] < 1e-4 for site in found)


def test_dose_volume_limits_have_no_ranges():
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, DoseAtVolume("T1", 70).at_least(gy=50))
    assert site_ranges(problem, resin_two_sites(), np.array([1.0, 0.1]), 100.0) == ()
