"""Other choices of sites that are nearly as good: against trying every choice."""

import numpy as np
import pytest

from every_choice import EveryChoice
from radioembolization.planning import (
    InjectionActivity,
    InjectionSites,
    LowestDose,
    LungDose,
    MeanDose,
    WorstTumourMean,
    maximize,
)
from radioembolization.planning.alternatives import alternatives, nearly_optimal
from support import dose_rows, random_rows

WHOLE, LUNGS = MeanDose("normal liver").at_most(gy=40), LungDose().at_most(gy=30)


def sets(plans):
    return {frozenset(np.flatnonzero(plan).tolist()) for plan in plans}


@pytest.mark.parametrize("goal", [WorstTumourMean(), LowestDose()])
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 20))])
def test_every_least_choice_of_sites_is_found(goal, seed):
    dose = random_rows(np.random.default_rng(seed), 6, 3, spill=0.02)
    problem = maximize(goal).subject_to(WHOLE, LUNGS, InjectionSites().at_most(count=3))
    naive = EveryChoice(problem.limits, dose)
    optimum = max(naive.best(problem, used) for used in naive.choices())
    score = 0.9 * optimum
    found = nearly_optimal(problem, dose, 6, score)
    assert found.complete and found.most == 3
    assert sets(found.plans) == naive.least_sets(problem, score)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(1, 12))])
def test_with_a_least_activity(seed):
    dose = random_rows(np.random.default_rng(seed), 5, 2)
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, LUNGS, InjectionActivity().at_least(gbq=0.2))
    naive = EveryChoice(problem.limits, dose)
    score = 0.95 * max(naive.best(problem, used) for used in naive.choices())
    found = nearly_optimal(problem, dose, 5, score)
    assert found.complete
    assert sets(found.plans) == naive.least_sets(problem, score)


def test_alternatives_are_within_their_share_and_meet_all_limits():
    rows = [[4.0, 1.0], [3.4, 1.0], [3.6, 1.0], [3.1, 1.0], [3.8, 1.0]]
    dose = dose_rows(rows, [0.1, 1.0], {"T": [0]}, [1])
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, LUNGS, InjectionSites().at_most(count=2))
    plan = problem.solve(dose)
    found = alternatives(problem, dose, plan.activities_gbq, plan.goal.optimum, within=0.2, most_plans=2)
    assert [other.sites for other in found] == [("5",), ("3",)]  # the best two of four
    assert [other.loss for other in found] == pytest.approx([0.05, 0.1])
    for other in found:
        assert other.goal_value == pytest.approx(problem.goal.value(dose, np.array(other.activities_gbq)))
        assert other.goal_value >= 0.8 * plan.goal.bound * (1 - 1e-5)
        assert all(limit.met for limit in other.limits) and len(other.limits) == 3
        assert set(other.sites) != {site.name for site in plan.used_sites}


def test_an_identical_site_is_the_alternative():
    dose = dose_rows([[4.0, 1.0], [4.0, 1.0], [2.0, 1.0]], [0.1, 1.0], {"T": [0]}, [1])
    problem = maximize(WorstTumourMean()).subject_to(WHOLE)
    plan = problem.solve(dose)
    (other,) = alternatives(problem, dose, plan.activities_gbq, plan.goal.optimum)
    assert {other.sites[0], plan.used_sites[0].name} == {"1", "2"}
    assert other.loss == pytest.approx(0.0, abs=1e-6)


def test_no_alternative_holds_the_sites_of_the_plan():
    # Site 2 adds nothing; with site 1 it would be another choice of sites, but not another plan.
    dose = dose_rows([[4.0, 1.0], [3.9, 1.0]], [0.1, 1.0], {"T": [0]}, [1])
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, InjectionSites().at_most(count=2))
    plan = problem.solve(dose)
    assert alternatives(problem, dose, plan.activities_gbq, plan.goal.optimum, within=0.01) == ()
    (other,) = alternatives(problem, dose, plan.activities_gbq, plan.goal.optimum, within=0.03)
    assert other.sites == ("2",) and other.loss == pytest.approx(0.025)
