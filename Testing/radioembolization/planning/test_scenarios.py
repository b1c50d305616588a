"""Plans over scenarios against models stacked scenario by scenario, voxel by voxel, in cvxpy."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import cvxpy as cp
import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.dose import DosePerGBq, Draws, Scenarios, Uncertainty, draw
from radioembolization.errors import LimitError
from radioembolization.planning import (
    Effort,
    GastrointestinalDose,
    HottestMean,
    InjectionSites,
    LowestColdestMean,
    LowestDose,
    LowestEUD,
    LungDose,
    MeanDose,
    PerfusedNormalLiverDose,
    StructureMean,
    TerritoryNormalLiverDose,
    TotalActivity,
    WorstTumourMean,
    WorstTumourPartMean,
    maximize,
)
from radioembolization.planning.model import Model
from radioembolization.planning.robust import robust_problem
from radioembolization.planning.scenario_goal import tail_weights
from radioembolization.planning.scenario_limits import limits_in_scenarios, values_in
from radioembolization.planning.solve import optimize
from scenario_phantom import phantom_basis

NORMAL = "normal liver"
MEAN, LUNGS = MeanDose(NORMAL).at_most(gy=40), LungDose().at_most(gy=6)
PLAIN = Effort(gap=1e-6, fewer_within=None)
SAME = 1e-5


@dataclass(frozen=True, eq=False)
class Made:
    dose: DosePerGBq
    scenarios: Scenarios
    uncertainty: Uncertainty


@cache
def made(seed, count=24, voxels=3_000, sites=8, tumours=3):
    uncertainty = Uncertainty.default("resin", count=count, seed=seed)
    scenarios = draw(phantom_basis(voxels, uncertainty, sites, tumours, seed), uncertainty)
    return Made(planning_phantom(voxels, sites, tumours, seed), scenarios, uncertainty)


def tail(values, share, highest):
    """Return the mean over the worst share of some expressions, and its constraints, one variable for each."""
    level, beyond = cp.Variable(), cp.Variable(len(values), nonneg=True)
    part = max(share * len(values), 1.0)
    if highest:
        return level + cp.sum(beyond) / part, [beyond >= cp.hstack(values) - level]
    return level - cp.sum(beyond) / part, [beyond >= level - cp.hstack(values)]


def stacked(case, goal, goal_share, limit_share, chosen=None):
    """Return the optimum of the model with the dose of every voxel in every scenario, and its activities."""
    scenarios, x = case.scenarios, cp.Variable(len(case.dose.site_names), nonneg=True)
    names, constraints, values, normal = scenarios.basis.tumour_names, [], [], []
    for scenario in range(len(scenarios)):
        value = cp.Variable()
        values.append(value)
        for name in names:
            rows, _ = scenarios.rows(scenario, name)
            doses = rows.T @ x
            if isinstance(goal, WorstTumourMean):
                constraints.append(value <= rows.mean(axis=1) @ x)
            elif isinstance(goal, LowestDose):
                constraints.append(value <= doses)
            else:
                level, below = cp.Variable(), cp.Variable(rows.shape[1], nonneg=True)
                constraints += [below >= level - doses]
                constraints.append(value <= level - cp.sum(below) / (goal.percent / 100 * rows.shape[1]))
        normal.append(scenarios.rows(scenario, NORMAL)[0].mean(axis=1) @ x)
    objective, needed = tail(values, goal_share, highest=False)
    constraints += needed
    lungs = list(scenarios.lung_gy_per_gbq @ x)
    for found, bound in ((normal, 40.0), (lungs, 6.0)):
        worst, needed = tail(found, limit_share, highest=True)
        constraints += [*needed, worst <= bound]
    if chosen is not None:
        constraints.append(x[[j for j in range(x.size) if j not in chosen]] == 0)
    problem = cp.Problem(cp.Maximize(objective), constraints)
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-9, tol_gap_rel=1e-9, tol_feas=1e-9)
    return float(problem.value), np.asarray(x.value)


def planned(case, goal, percent, probability, *more):
    uncertainty = replace(case.uncertainty, worst_percent=percent, probability=probability)
    over, unknown = robust_problem(maximize(goal).subject_to(MEAN, LUNGS, *more), case.scenarios, uncertainty)
    assert not unknown
    return over, optimize(over.goal, over.limits, case.dose, effort=PLAIN)


def assert_same(case, goal, percent, probability):
    over, solution = planned(case, goal, percent, probability)
    expected, _ = stacked(case, goal, percent / 100, 1 - probability)
    assert over.goal.value(case.dose, solution.activities_gbq) == pytest.approx(expected, rel=SAME)
    assert solution.bound == pytest.approx(expected, rel=SAME)
    assert all(limit.is_met(case.dose, solution.activities_gbq) for limit in over.limits)
    certificate = solution.certificate()
    assert certificate is not None and certificate.bound == pytest.approx(expected, rel=SAME)


GOALS = (WorstTumourMean(), LowestDose(), LowestColdestMean(5.0))
MEASURES = ((0.0, 1.0), (20.0, 0.9), (15.0, 1.0))


@pytest.mark.parametrize(("goal", "measure"), list(zip(GOALS, MEASURES, strict=True)), ids=str)
def test_plans_are_those_of_the_stacked_model(goal, measure):
    assert_same(made(1), goal, *measure)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(2, 8))
@pytest.mark.parametrize("measure", MEASURES, ids=str)
@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: type(goal).__name__)
def test_plans_are_those_of_the_stacked_model_at_length(goal, measure, seed):
    assert_same(made(seed), goal, *measure)


@pytest.mark.exhaustive
@pytest.mark.parametrize("measure", MEASURES[:2], ids=str)
@pytest.mark.parametrize("goal", GOALS[:2], ids=lambda goal: type(goal).__name__)
def test_plans_of_ten_thousand_voxels_are_those_of_the_stacked_model(goal, measure):
    assert_same(made(0, count=40, voxels=10_000, sites=16, tumours=5), goal, *measure)


def assert_best_choice(seed, percent, probability, most):
    case = made(seed, count=12, sites=6)
    over, solution = planned(case, WorstTumourMean(), percent, probability, InjectionSites().at_most(count=most))
    every = [
        stacked(case, WorstTumourMean(), percent / 100, 1 - probability, chosen)[0]
        for chosen in combinations(range(6), most)
    ]
    assert over.goal.value(case.dose, solution.activities_gbq) == pytest.approx(max(every), rel=SAME)
    assert solution.bound == pytest.approx(max(every), rel=SAME)
    assert np.count_nonzero(solution.activities_gbq) <= most


def test_the_choice_of_sites_is_the_best_of_all():
    assert_best_choice(3, 20.0, 0.8, 1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(4, 9))
def test_the_choice_of_sites_is_the_best_of_all_at_length(seed):
    assert_best_choice(seed, 25.0, 0.75, 2)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.33, 1.0])
def test_tails_are_means_of_the_worst_scenarios(share):
    values = np.random.default_rng(0).normal(size=50)
    weights = tail_weights(values, share, highest=False)
    assert weights.sum() == pytest.approx(1.0)
    count = max(share * 50, 1.0)
    rising = np.sort(values)
    expected = (rising[: int(count)].sum() + (count - int(count)) * rising[min(int(count), 49)]) / count
    assert weights @ values == pytest.approx(expected)


@pytest.mark.parametrize("goal", [*GOALS, WorstTumourPartMean(), StructureMean("tumour 2")], ids=str)
@pytest.mark.parametrize("percent", [0.0, 20.0])
def test_planes_touch_the_goal_and_are_nowhere_below_it(goal, percent):
    case, rng = made(1), np.random.default_rng(4)
    over, _ = robust_problem(
        maximize(goal).subject_to(MEAN), case.scenarios, replace(case.uncertainty, worst_percent=percent)
    )
    for _ in range(4):
        x = rng.exponential(0.5, 8)
        planes = over.goal.supports(case.dose, x, exact=True)
        assert min(p.at(x) for p in planes) == pytest.approx(over.goal.value(case.dose, x), rel=1e-9)
        for _ in range(5):
            y = rng.exponential(0.5, 8)
            assert min(p.at(y) for p in planes) >= over.goal.value(case.dose, y) - 1e-7


LIMITS = (
    MEAN,
    LUNGS,
    LungDose(earlier_gy=2.0).at_most(gy=9.0),
    PerfusedNormalLiverDose(10.0).at_most(gy=40),
)


@pytest.mark.parametrize("limit", LIMITS, ids=str)
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_limits_agree_with_their_planes_and_with_cvxpy(limit, share):
    case, rng = made(1), np.random.default_rng(5)
    (over,), _ = limits_in_scenarios((limit,), case.scenarios, share)
    caps = over.cap_gbq(case.dose)
    for _ in range(4):
        x = rng.exponential(0.4, 8)
        value, planes = over.quantity.value(case.dose, x), over.supports(case.dose, x)
        assert (max(p.at(x) for p in planes) > 0) == (value > limit.bound)
        scale = over.quantity.largest_scale(case.dose, x, limit.bound)
        if value > limit.bound:
            assert over.quantity.value(case.dose, scale * x) == pytest.approx(limit.bound, rel=1e-6)
        model = Model(case.dose, np.full(8, 10.0))
        total = cp.Variable()
        held = over.quantity.constraints(model, True, limit.bound)
        problem = cp.Problem(cp.Maximize(total), [*held, model.activities == total * x])
        problem.solve(solver="CLARABEL")
        if value > limit.bound:
            assert total.value == pytest.approx(scale, rel=1e-4)
        for _ in range(4):
            y = rng.exponential(0.4, 8)
            excess = max(p.at(y) for p in over.supports(case.dose, y))
            assert max(p.at(y) for p in planes) <= excess + 1e-9
            assert over.quantity.value(case.dose, y) > limit.bound or np.all(y <= caps * (1 + 1e-9))


def test_each_territory_is_bounded_at_least_as_strictly():
    case = made(1)
    limit = TerritoryNormalLiverDose().at_most(gy=60)
    (over,), unknown = limits_in_scenarios((limit,), case.scenarios, 0.2)
    rng = np.random.default_rng(6)
    for _ in range(20):
        x = rng.exponential(0.4, 8)
        values = values_in(limit.quantity, case.scenarios, x)
        assert over.quantity.value(case.dose, x) >= tail_weights(values, 0.2, highest=True) @ values - 1e-9
    assert not unknown


def test_as_planned_values_in_scenarios_are_those_of_the_rows():
    case = made(1, count=1)
    same = Scenarios(case.scenarios.basis, Draws.as_planned(case.scenarios.basis, 1))
    x = np.random.default_rng(7).exponential(0.4, 8)
    for quantity in (
        MeanDose(NORMAL),
        LungDose(1.0),
        PerfusedNormalLiverDose(10.0),
        TerritoryNormalLiverDose(),
    ):
        assert values_in(quantity, same, x)[0] == pytest.approx(quantity.value(case.dose, x), rel=1e-5)
    for goal in GOALS:
        over, _ = robust_problem(maximize(goal).subject_to(MEAN), same, case.uncertainty)
        assert over.goal.value(case.dose, x) == pytest.approx(goal.value(case.dose, x), rel=1e-5)


def test_what_scenarios_cannot_hold_is_named():
    case = made(1)
    hot = HottestMean(NORMAL, 30).at_most(gy=60)
    limits, unknown = limits_in_scenarios((MEAN, hot, TotalActivity().at_most(gbq=5)), case.scenarios, 0.05)
    assert unknown == (str(hot),)
    assert limits[1] is hot
    with pytest.raises(LimitError, match="cannot be planned over scenarios"):
        robust_problem(maximize(LowestEUD(0.005)).subject_to(MEAN), case.scenarios, case.uncertainty)
    with pytest.raises(LimitError, match="no structure 'spleen'"):
        robust_problem(maximize(StructureMean("spleen")).subject_to(MEAN), case.scenarios, case.uncertainty)
    with pytest.raises(LimitError, match="no structure 'spleen'"):
        limits_in_scenarios((MeanDose("spleen").at_most(gy=5),), case.scenarios, 0.05)
    gut = GastrointestinalDose(0.02).at_most(gy=49)
    values = limits_in_scenarios((gut,), case.scenarios, 0.05)[0][0].quantity.rows
    assert not values.any()
