"""The search over sites: against enumeration, its ties, its end by time or by the user."""

from itertools import combinations

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.planning import (
    Effort,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    LowestColdestMean,
    LowestDose,
    LungDose,
    MeanDose,
    WorstTumourMean,
)
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.effort import Watch
from radioembolization.planning.greedy import greedy_sites
from radioembolization.planning.limits import activity_caps_gbq
from radioembolization.planning.search import SiteSearch
from radioembolization.planning.solve import optimize
from series import series

BASE = [MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=30)]
HOT = HottestMean("normal liver", percent=30).at_most(gy=60)
FIRST = Effort(fewer_within=None)


def model(dose, goal, limits):
    return CuttingPlanes(goal, limits, dose, activity_caps_gbq(limits, dose))


def best_of_all(planes, most):
    """Solve every choice of sites by itself."""
    sites = len(planes.cap_gbq)
    scores = [
        planes.solve(np.isin(np.arange(sites), used)).score
        for size in range(1, most + 1)
        for used in combinations(range(sites), size)
    ]
    return max(scores)


@pytest.mark.parametrize("seed", series(range(8), 4))
def test_the_best_choice_of_sites_is_that_of_enumeration(seed):
    dose = planning_phantom(1500, sites=8, tumours=3, seed=seed)
    goal = (LowestDose(), LowestColdestMean(30.0), WorstTumourMean())[seed % 3]
    limits = [*BASE, HOT] if seed % 2 else BASE
    most = 1 + seed % 4
    found = optimize(goal, [*limits, InjectionSites().at_most(count=most)], dose, effort=FIRST)
    expected = best_of_all(model(dose, goal, limits), most)
    assert found.optimum == pytest.approx(expected, rel=1e-5)
    assert expected <= found.bound * (1.0 + 1e-6)
    assert np.count_nonzero(found.activities_gbq) <= most
    assert found.status == "optimal"
    assert found.choice.proof is not None


def test_a_site_that_is_used_gets_at_least_the_least_activity():
    dose = planning_phantom(1500, sites=8, tumours=3, seed=3)
    limits = [*BASE, HOT, InjectionSites().at_most(count=3)]
    free = optimize(LowestDose(), limits, dose, effort=FIRST)
    least = 1.5 * free.activities_gbq[free.activities_gbq > 0].min()
    bound = optimize(LowestDose(), [*limits, InjectionActivity().at_least(gbq=least)], dose, effort=FIRST)
    used = bound.activities_gbq > 0
    assert bound.activities_gbq[used].min() >= least * (1 - 1e-6)
    assert bound.optimum < free.optimum


def test_the_same_case_gives_the_same_plan():
    dose = planning_phantom(3000, sites=16, seed=2)
    limits = [*BASE, HOT, InjectionSites().at_most(count=4)]
    one, other = (optimize(LowestDose(), limits, dose) for _ in range(2))
    np.testing.assert_array_equal(one.activities_gbq, other.activities_gbq)
    assert one.bound == other.bound
    assert one.choice.nodes == other.choice.nodes


def test_every_choice_of_equal_value_is_found():
    # Exactly nested: parents are mixtures of their children, so that plans on other sites are as good.
    dose = planning_phantom(1500, sites=8, tumours=2, seed=1, jitter=0.0)
    planes = model(dose, WorstTumourMean(), BASE)
    root = planes.solve(np.ones(8, dtype=bool))
    search = SiteSearch(planes, 2, 5e-6, Watch(FIRST))
    search.run(root)
    found = {tuple(np.flatnonzero(plan)) for plan in search.equals()}
    expected = set()
    for used in combinations(range(8), 2):
        solved = planes.solve(np.isin(np.arange(8), used))
        if solved.score >= search.score * (1 - 1e-6) and solved.used.sum() == 2:
            expected.add(used)
    assert expected <= found | {tuple(np.flatnonzero(search.best))}
    assert all(planes.goal.score(dose, plan) >= search.score * (1 - 3e-6) for plan in search.equals())


def test_fewer_injections_are_preferred_if_they_cost_little():
    dose = planning_phantom(3000, sites=16, seed=0)
    all_sites = optimize(LowestDose(), BASE, dose, effort=FIRST)
    plan = optimize(LowestDose(), BASE, dose, effort=Effort(fewer_within=0.05))
    value = LowestDose().value(dose, plan.activities_gbq)
    fewer = np.count_nonzero(plan.activities_gbq)
    assert fewer < np.count_nonzero(all_sites.activities_gbq)
    assert value >= 0.95 * all_sites.optimum
    assert plan.optimum == pytest.approx(all_sites.optimum, rel=1e-6)
    # One injection less would cost more.
    limit = InjectionSites().at_most(count=fewer - 1)
    assert optimize(LowestDose(), [*BASE, limit], dose, effort=FIRST).optimum < 0.95 * all_sites.optimum


def test_a_time_limit_returns_a_plan_and_a_bound():
    dose = planning_phantom(3000, sites=32, seed=0)
    limits = [*BASE, HOT, InjectionSites().at_most(count=6)]
    plan = optimize(LowestDose(), limits, dose, effort=Effort(time_limit_s=1e-9, fewer_within=None))
    best = optimize(LowestDose(), limits, dose, effort=FIRST)
    assert plan.status == "time limit"
    assert plan.bound >= best.optimum
    assert 0.0 <= plan.optimum <= best.optimum * (1 + 1e-6)
    assert all(limit.is_met(dose, plan.activities_gbq) for limit in limits)


def test_an_exception_of_the_progress_function_ends_the_search():
    class Cancelled(Exception):
        pass

    steps = []

    def progress(what, step, steps_):
        steps.append(what)
        if what == "injection sites":
            raise Cancelled

    dose = planning_phantom(3000, sites=32, seed=0)
    limits = [*BASE, HOT, InjectionSites().at_most(count=6)]
    with pytest.raises(Cancelled):
        optimize(LowestDose(), limits, dose, effort=Effort(progress=progress))
    assert "optimization" in steps


def test_greedy_choice_exchanges_sites():
    # The best single site is 0, the best pair 1 and 2: greedy alone would keep site 0.
    worth = {(0,): 5.0, (1,): 4.0, (2,): 3.0, (0, 1): 6.0, (0, 2): 6.5, (1, 2): 9.0}
    assert greedy_sites(lambda sites: worth[tuple(sorted(sites))], 3, 2, lambda: None) == [1, 2]
