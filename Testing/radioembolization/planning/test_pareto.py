"""The front over the bound of a limit: solved by hand, against separate solves, and what it refuses."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from enumeration import best_value
from planning_phantom import planning_phantom
from radioembolization.errors import Infeasible, LimitError
from radioembolization.planning import (
    ColdestMean,
    Effort,
    HottestMean,
    InjectionSites,
    LowestColdestMean,
    LowestDose,
    LowestEUD,
    LungDose,
    MaximumDose,
    MeanBED,
    MeanDose,
    MeanShortfall,
    PerfusedNormalLiverDose,
    StructureMean,
    TerritoryNormalLiverDose,
    TotalActivity,
    VolumeAbove,
    WorstTumourMean,
    maximize,
    minimize,
)
from radioembolization.planning.pareto import pareto_front
from radioembolization.planning.solve import optimize
from series import series
from support import quiet, random_rows, resin_two_sites

NORMAL, LUNGS = MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=15)
FINE = Effort(plan_gap=1e-9, fewer_within=None)
GOALS = {"lowest": LowestDose(), "cold": LowestColdestMean(30.0), "means": WorstTumourMean()}
#: The limit that is moved, and those beside it.
MOVED = {
    "mean": (NORMAL, (LUNGS,)),
    "lungs": (LUNGS, (NORMAL,)),
    "hottest": (HottestMean("normal liver", 30).at_most(gy=60), (NORMAL,)),
    "maximum": (MaximumDose("normal liver").at_most(gy=150), (NORMAL, LUNGS)),
    "total": (TotalActivity().at_most(gbq=3), (NORMAL,)),
    "at least": (ColdestMean("tumour 1", 30.0).at_least(gy=40), (NORMAL, LUNGS)),
}


def moved(problem, limit, bound):
    return tuple(replace(li, bound=float(bound)) if li is limit else li for li in problem.limits)


def solved(problem, limit, bound, dose):
    return optimize(problem.goal, moved(problem, limit, bound), dose, effort=FINE).optimum


def check_against_solves(problem, limit, dose, solves, most_points=100):
    """Compare a front with separate solves at bounds spread over it; return the front."""
    front = pareto_front(problem, dose, limit, most_points=most_points)
    bounds = [point.limit_bound for point in front.points]
    assert bounds == sorted(bounds) and not front.points_only
    # The tight end is as tight as a limit may be with rounding; there the separate solve may find no plan.
    edge = 1e-3 * (bounds[-1] - bounds[0])
    largest = max(abs(point.value) for point in front.points)
    # Plans meet their limits to a relative 1e-6, which a lower limit may sell dearly.
    falls = 0.0 if limit.upper else max(abs(price) for price in front.prices) * bounds[-1]
    slack = max(0.01 * largest, falls)
    for bound in np.linspace(bounds[0] + edge, bounds[-1] - edge, solves):
        expected, found = solved(problem, limit, bound, dose), front.value_at(bound)
        # The separate solve is itself accurate to about 1e-7.
        assert found == pytest.approx(expected, rel=1e-6 + front.gap, abs=(1e-6 + front.gap) * slack)
    return front


def check_plans(front, problem, limit, dose):
    """Assert that plans at and between points are within the limits and reach what the front says."""
    bounds = np.array([point.limit_bound for point in front.points])
    for bound in [*bounds, *(0.3 * bounds[:-1] + 0.7 * bounds[1:])]:
        activities = front.activities_at(bound)
        assert all(li.is_met(dose, activities) for li in moved(problem, limit, bound))
        value, said = problem.goal.value(dose, activities), front.value_at(bound)
        better = value - said if front.maximized else said - value
        assert better >= -1e-6 * max(1.0, abs(said))
    for point in front.points:
        sign = 1.0 if front.maximized else -1.0
        assert sign * (point.best_possible - point.value) >= -1e-9 * max(1.0, abs(point.value))


# Worked case: site 1 gives 25.94, 103.76, 51.88 Gy/GBq to normal liver, T1, T2; site 2 31.13, 0, 373.5.
def test_the_worked_case_has_the_breakpoints_found_by_hand():
    dose = resin_two_sites()
    limit, other = MeanDose("normal liver").at_most(gy=40), MeanDose("T2").at_least(gy=100)
    problem = maximize(StructureMean("T1")).subject_to(limit, other, LungDose().at_most(gy=30))
    front = pareto_front(problem, dose, limit)
    # All by site 2: T2 100 Gy costs 100 x 31.127 / 373.52 = 8.333 Gy; from 50 Gy on site 1 alone gives T2 100 Gy;
    # lungs end it at 30 / (49.67 x 0.06) = 10.066 GBq, 261.1 Gy.
    assert [p.limit_bound for p in front.points] == pytest.approx([25 / 3, 50.0, 2350 / 9], rel=2e-6)
    assert [p.value for p in front.points] == pytest.approx([0.0, 200.0, 9400 / 9], rel=1e-6, abs=1e-3)
    assert front.prices == pytest.approx([4.8, 4.0], rel=1e-5)
    assert front.infeasible_beyond == pytest.approx(25 / 3, rel=2e-6)
    assert front.no_effect_beyond == pytest.approx(2350 / 9)
    assert front.value_at(40.0) == pytest.approx(152.0, rel=1e-6)
    assert front.activities_at(40.0) == pytest.approx([1.4650, 0.0643], abs=5e-5)
    check_plans(front, problem, limit, dose)
    # The lower limit: free until 80 Gy, which site 1 gives by itself; 0.4 Gy of T1 for each Gy, up to 480 Gy.
    lower = pareto_front(problem, dose, other)
    assert [p.limit_bound for p in lower.points] == pytest.approx([80.0, 480.0], rel=2e-6)
    assert lower.prices == pytest.approx([0.4], rel=1e-6)
    assert (lower.no_effect_beyond, lower.infeasible_beyond) == pytest.approx((80.0, 480.0), rel=2e-6)


@pytest.mark.parametrize(("goal", "limit"), [("lowest", "mean"), ("means", "lungs"), ("means", "at least")])
def test_fronts_are_those_of_separate_solves(goal, limit):
    check_random(goal, limit, 0, 50)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("limit", MOVED)
@pytest.mark.parametrize("goal", GOALS)
def test_many_fronts_are_those_of_separate_solves(goal, limit, seed):
    check_random(goal, limit, seed, 50)


def check_random(goal, limit, seed, solves):
    dose = planning_phantom(2000, sites=8, tumours=3, seed=seed)
    of, others = MOVED[limit]
    problem = maximize(GOALS[goal]).subject_to(*others, of)
    front = check_against_solves(problem, of, dose, solves)
    check_plans(front, problem, of, dose)
    prices = np.array(front.prices)
    assert np.all(np.diff(prices if front.upper else prices[::-1]) <= 1e-3 * max(1.0, np.abs(prices).max()))


def test_a_polyhedral_front_is_exact():
    for seed in range(3):
        dose = planning_phantom(2000, sites=8, tumours=3, seed=seed)
        front = pareto_front(maximize(LowestDose()).subject_to(LUNGS, NORMAL), dose, NORMAL)
        assert front.gap <= 1e-6 and all(point.status == "optimal" for point in front.points)
        assert front == pareto_front(maximize(LowestDose()).subject_to(LUNGS, NORMAL), dose, NORMAL)


def test_a_front_is_plain_numbers():
    dose = resin_two_sites()
    front = pareto_front(maximize(WorstTumourMean()).subject_to(NORMAL, LUNGS), dose, NORMAL)
    table = asdict(front)
    assert table["points"][0]["activities_gbq"] == (0.0, 0.0) and isinstance(table["points"][1]["value"], float)
    assert front.nearest(1.0) is front.points[0]


def test_a_mean_bed_is_approached_to_the_gap_that_is_stated():
    dose = planning_phantom(1000, sites=5, tumours=2, seed=3)
    limit = MeanBED("normal liver").at_most(gy=80)
    problem = maximize(WorstTumourMean()).subject_to(LUNGS, limit)
    front = check_against_solves(problem, limit, dose, 10, most_points=25)
    assert 1e-6 < front.gap < 2e-2
    check_plans(front, problem, limit, dose)
    assert pareto_front(problem, dose, limit, gap=0.05).gap <= 0.05


def test_a_shortfall_is_minimized_and_a_quantity_that_never_binds_has_a_flat_front():
    dose = resin_two_sites()
    problem = minimize(MeanShortfall("T1", 150.0)).subject_to(NORMAL, LUNGS)
    front = pareto_front(problem, dose, NORMAL)
    # 103.76 Gy of T1 for 25.94 Gy of normal liver: 150 Gy at 37.5 Gy.
    assert [(p.limit_bound, p.value) for p in front.points] == [
        pytest.approx((0.0, 150.0)),
        pytest.approx((37.5, 0.0), abs=1e-3),
    ]
    assert front.prices == pytest.approx([-4.0], rel=1e-5)
    flat = MeanDose("T1").at_least(gy=10)
    front = pareto_front(maximize(StructureMean("T1")).subject_to(NORMAL, LUNGS, flat), dose, flat)
    assert {round(point.value, 3) for point in front.points} == {200.0}


def test_a_limit_that_alone_bounds_the_activity_is_followed_to_twice_its_bound():
    front = pareto_front(maximize(WorstTumourMean()).subject_to(NORMAL), resin_two_sites(), NORMAL)
    assert front.points[-1].limit_bound == 100.0 and front.no_effect_beyond is None


def test_a_range_is_kept_as_far_as_it_has_plans():
    dose = resin_two_sites()
    limit, other = MeanDose("normal liver").at_most(gy=40), MeanDose("T2").at_least(gy=100)
    problem = maximize(StructureMean("T1")).subject_to(limit, other)
    front = pareto_front(problem, dose, limit, (30.0, 60.0))
    assert [p.limit_bound for p in front.points] == pytest.approx([30.0, 50.0, 60.0])
    assert pareto_front(problem, dose, limit, (2.0, 60.0)).points[0].limit_bound == pytest.approx(25 / 3, rel=2e-6)
    with pytest.raises(Infeasible, match=r"between 2 and 5 Gy.*tightest bound with a plan is 8\.333"):
        pareto_front(problem, dose, limit, (2.0, 5.0))


@pytest.mark.parametrize("seed", series(range(3), 1))
def test_points_with_few_sites_are_those_of_all_choices(seed):
    dose = random_rows(np.random.default_rng(seed), 6, 3, spill=0.05)
    limit, few = MeanDose("normal liver").at_most(gy=50), InjectionSites().at_most(count=2)
    problem = maximize(WorstTumourMean()).subject_to(limit, LungDose().at_most(gy=10), few)
    front = pareto_front(problem, dose, limit, points=7)
    assert len(front.points) == 7 and "cannot be mixed" in front.points_only and front.gap <= 1e-5
    for point in front.points:
        expected = best_value(replace(problem, limits=moved(problem, limit, point.limit_bound)), dose)
        assert point.value == pytest.approx(expected, rel=1e-5, abs=1e-6)
        assert point.best_possible >= expected * (1 - 1e-9) and point.injections <= 2
    # Between points nothing is known but that the plan of the tighter one still fits.
    a, b = front.points[2], front.points[3]
    between = 0.5 * (a.limit_bound + b.limit_bound)
    assert front.value_at(between) == a.value and tuple(front.activities_at(between)) == a.activities_gbq


def test_other_fronts_that_are_not_concave_are_points_too():
    dose = planning_phantom(1200, sites=4, tumours=2, seed=1)
    perfused, territory = PerfusedNormalLiverDose(10.0).at_most(gy=60), TerritoryNormalLiverDose().at_most(gy=60)
    for limit in (perfused, territory):
        problem = maximize(WorstTumourMean()).subject_to(NORMAL, LUNGS, limit)
        front = pareto_front(problem, dose, limit, points=5)
        assert front.points_only and len(front.points) == 5
        for point in front.points:
            expected = solved(problem, limit, point.limit_bound, dose)
            assert point.value == pytest.approx(expected, rel=1e-5)
    volume = VolumeAbove("normal liver", 40.0).at_most(percent=20)
    dose = planning_phantom(600, sites=3, tumours=1, seed=1)
    quick = Effort(fewer_within=None, volume_gap=0.2)
    problem = maximize(LowestDose()).subject_to(NORMAL, LUNGS, volume)
    front = pareto_front(problem, dose, volume, points=3, effort=quick)
    values = [point.value for point in front.points]
    assert values == sorted(values) and "not convex" in front.points_only
    assert all(point.best_possible >= point.value * (1 - 1e-9) for point in front.points)
    with quiet():
        front = pareto_front(maximize(LowestEUD(0.05)).subject_to(NORMAL, LUNGS), dose, NORMAL, points=2)
    assert "by levels" in front.points_only and front.points[0].value < front.points[1].value


def test_what_cannot_be_moved_is_refused_by_name():
    dose = resin_two_sites()
    few = InjectionSites().at_most(count=1)
    problem = maximize(WorstTumourMean()).subject_to(NORMAL, LUNGS, few)
    with pytest.raises(LimitError, match=r"has no limit 'total injected activity <= 3 GBq': choose one of 'mean dose"):
        pareto_front(problem, dose, TotalActivity().at_most(gbq=3))
    with pytest.raises(LimitError, match=r"counts sites.*staircase"):
        pareto_front(problem, dose, few)
    for between, word in (((60.0, 20.0), "reversed"), ((20.0, 20.0), "empty"), ((-1.0, 5.0), "zero or more")):
        with pytest.raises(LimitError, match=word):
            pareto_front(problem, dose, NORMAL, between)
    with pytest.raises(LimitError, match="zero or more"):
        pareto_front(problem, dose, NORMAL, (0.0, float("inf")))
    plain = maximize(WorstTumourMean()).subject_to(NORMAL, LUNGS)
    with pytest.raises(LimitError, match=r"reaches from 0 to .* not to 900"):
        pareto_front(plain, dose, NORMAL).value_at(900.0)


def test_limits_that_contradict_each_other_whatever_the_bound_are_named():
    dose = resin_two_sites()
    high, low = MeanDose("T2").at_least(gy=500), MeanDose("T2").at_most(gy=100)
    problem = maximize(StructureMean("T1")).subject_to(NORMAL, high, low)
    with pytest.raises(Infeasible, match=r"even without 'mean dose, whole normal liver <= 50 Gy'"):
        pareto_front(problem, dose, NORMAL)
    few = maximize(StructureMean("T1")).subject_to(NORMAL, high, low, InjectionSites().at_most(count=1))
    with pytest.raises(Infeasible):
        pareto_front(few, dose, NORMAL, (10.0, 60.0))
