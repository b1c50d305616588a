"""Prices of limits and the bounds over which they hold: by hand, by finite differences, by their sum."""

from dataclasses import replace

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.planning import (
    Effort,
    HottestMean,
    InjectionSites,
    LowestColdestMean,
    LowestDose,
    LungDose,
    MeanDose,
    PerfusedNormalLiverDose,
    StructureMean,
    TerritoryNormalLiverDose,
    VolumeAbove,
    WorstTumourMean,
    maximize,
)
from radioembolization.planning.price_intervals import price_intervals
from radioembolization.planning.solve import optimize
from support import resin_two_sites

FINE = Effort(plan_gap=1e-9, fewer_within=None)
NORMAL, LUNGS = MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=15)


def priced(problem, dose):
    best = optimize(problem.goal, problem.limits, dose, effort=FINE)
    return best, price_intervals(problem, dose, best.activities_gbq)


def value(problem, index, bound, dose, only=None):
    limits = list(problem.limits)
    limits[index] = replace(limits[index], bound=float(bound))
    return optimize(problem.goal, limits, dose, only=only, effort=FINE).optimum


def test_the_worked_case():
    limits = (MeanDose("normal liver").at_most(gy=40), MeanDose("T2").at_least(gy=100), LungDose().at_most(gy=30))
    _, prices = priced(maximize(StructureMean("T1")).subject_to(*limits), resin_two_sites())
    assert [(p.index, p.all_sites) for p in prices] == [(0, False), (1, False), (0, True), (1, True)]
    normal, t2 = prices[:2]
    # +1 Gy mean whole normal liver buys 4.8 Gy of T1 up to 50 Gy, 4.0 up to 261 Gy, nothing beyond (lungs).
    assert [i.per_unit for i in normal.loosening] == pytest.approx([4.8, 4.0], rel=1e-5)
    assert [i.valid_to for i in normal.loosening] == pytest.approx([50.0, 2350 / 9])
    assert normal.tightening[0].valid_from == normal.infeasible_beyond == pytest.approx(25 / 3, rel=2e-6)
    assert normal.no_effect_beyond == pytest.approx(2350 / 9)
    assert (normal.limit, normal.unit, normal.goal_unit) == ("mean dose, whole normal liver", "Gy", "Gy")
    assert [i.per_unit for i in t2.loosening] == pytest.approx([0.4])
    assert (t2.loosening[0].valid_from, t2.tightening[0].valid_to) == pytest.approx((80.0, 480.0), rel=2e-6)


@pytest.mark.parametrize("goal", [LowestDose(), WorstTumourMean()], ids=lambda goal: goal.name)
def test_prices_are_finite_differences_over_their_whole_interval(goal):
    for seed in range(2):
        dose = planning_phantom(2000, sites=8, tumours=3, seed=seed)
        problem = maximize(goal).subject_to(NORMAL, LUNGS)
        best, found = priced(problem, dose)
        assert found
        for prices in found:
            only = None if prices.all_sites else best.activities_gbq > 0
            for interval in (*prices.loosening[:2], *prices.tightening[:1]):
                width = interval.valid_to - interval.valid_from
                a, b = interval.valid_from + 0.05 * width, interval.valid_to - 0.05 * width
                slope = (value(problem, prices.index, b, dose, only) - value(problem, prices.index, a, dose, only)) / (
                    b - a
                )
                # A price may hold for intervals so short that rounding of the goals shows.
                rounding = 2e-7 * best.optimum / (b - a)
                assert interval.per_unit == pytest.approx(slope, rel=1e-3, abs=rounding)


@pytest.mark.parametrize("goal", [LowestDose(), WorstTumourMean()], ids=lambda g: g.name)
def test_of_polyhedral_fronts_they_sum_to_it_exactly(goal):
    for seed in range(3):
        dose = planning_phantom(2000, sites=8, tumours=3, seed=seed)
        best, found = priced(maximize(goal).subject_to(NORMAL, LungDose().at_most(gy=6)), dose)
        for everywhere in (True, False):
            of = [p for p in found if p.all_sites == everywhere]
            assert all(p.loosening[0] == p.tightening[0] for p in of)  # no bound is a breakpoint
            assert sum(p.limit_bound * p.loosening[0].per_unit for p in of) == pytest.approx(best.optimum, rel=2e-6)


@pytest.mark.parametrize("goal", [LowestDose(), LowestColdestMean(30.0), WorstTumourMean()], ids=lambda g: g.name)
def test_prices_times_bounds_sum_to_the_goal(goal):
    # Goal and limits grow with the activities: scaling all bounds by f scales the goal by f.  A bound lies inside an
    # interval with one price, or between two prices, whose sums enclose the goal.
    limits = (NORMAL, HottestMean("normal liver", 30).at_most(gy=70), LUNGS)
    for seed in range(2):
        dose = planning_phantom(2000, sites=8, tumours=3, seed=seed)
        best, found = priced(maximize(goal).subject_to(*limits), dose)
        for everywhere in (True, False):
            of = [p for p in found if p.all_sites == everywhere]
            low = sum(p.limit_bound * (p.loosening[0].per_unit if p.loosening else 0.0) for p in of)
            high = sum(p.limit_bound * p.tightening[0].per_unit for p in of)
            # Prices of curved fronts are means over intervals that foretell the goal to 1e-4.
            assert low * (1 - 0.03) <= best.optimum <= high * (1 + 0.03)
            if all(p.loosening and p.loosening[0] == p.tightening[0] for p in of):
                assert low == pytest.approx(best.optimum, rel=1e-3)


def test_on_given_sites_a_rule_about_territories_has_a_price():
    dose = planning_phantom(2000, sites=8, tumours=3, seed=0)
    rule, few = TerritoryNormalLiverDose().at_most(gy=60), InjectionSites().at_most(count=3)
    problem = maximize(WorstTumourMean()).subject_to(NORMAL, LUNGS, rule, few)
    best, found = priced(problem, dose)
    prices = next(p for p in found if p.index == 2)
    assert not any(p.all_sites for p in found)
    used = best.activities_gbq > 0
    inside = prices.loosening[0]
    assert inside.valid_from < 60.0 + 1e-9 and inside.valid_to > 60.0
    step = 0.5 * (inside.valid_to - 60.0)
    change = value(problem, 2, 60.0 + step, dose, used) - value(problem, 2, 60.0, dose, used)
    assert inside.per_unit == pytest.approx(change / step, rel=1e-4)


def test_a_limit_whose_front_is_not_concave_has_a_price_nearby():
    dose = planning_phantom(2000, sites=8, tumours=3, seed=0)
    problem = maximize(WorstTumourMean()).subject_to(LUNGS, PerfusedNormalLiverDose(10.0).at_most(gy=40))
    _, found = priced(problem, dose)
    prices = next(p for p in found if p.index == 1 and p.all_sites)
    change = value(problem, 1, 40.4, dose) - value(problem, 1, 40.0, dose)
    assert (prices.intervals[0].valid_from, prices.intervals[0].valid_to) == (40.0, pytest.approx(40.4))
    assert prices.intervals[0].per_unit == pytest.approx(change / 0.4, rel=1e-3)


def test_dose_volume_limits_have_no_prices():
    dose = planning_phantom(1200, sites=3, tumours=2, seed=1)
    problem = maximize(LowestDose()).subject_to(NORMAL, VolumeAbove("normal liver", 40.0).at_most(percent=20))
    assert price_intervals(problem, dose, np.ones(3)) == ()
