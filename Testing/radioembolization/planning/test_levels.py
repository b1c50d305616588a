"""Goals by levels: against a fine grid of activities, against uniform doses, and over choices of sites."""

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.planning import (
    Effort,
    InjectionSites,
    LogTumourControl,
    LowestEUD,
    LungDose,
    MeanBED,
    MeanDose,
    WorstTumourMean,
)
from radioembolization.planning.solve import optimize
from series import series
from support import quiet, resin_two_sites

FIRST = Effort(fewer_within=None)
BASE = [MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=30)]
GOALS = [LowestEUD(0.05), LowestEUD(0.02), LogTumourControl(0.05, clonogens_per_ml=100.0)]


@pytest.fixture(autouse=True)
def _no_notices():
    with quiet():
        yield


def test_of_uniform_tumours_the_equivalent_dose_is_the_dose():
    dose = resin_two_sites()
    limits = [MeanDose("normal liver").at_most(gy=40)]
    by_mean = optimize(WorstTumourMean(), limits, dose, effort=FIRST)
    by_eud = optimize(LowestEUD(0.02), limits, dose, effort=FIRST)
    assert by_eud.optimum == pytest.approx(by_mean.optimum, rel=2e-4)
    assert by_mean.optimum <= by_eud.bound <= by_mean.optimum * (1 + 2e-4)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name[:40])
@pytest.mark.parametrize("seed", series(range(3), 1))
def test_no_point_of_a_grid_is_better(goal, seed):
    dose = planning_phantom(1200, sites=3, tumours=2, seed=seed)
    limits = [*BASE, MeanBED("normal liver").at_most(gy=70)] if seed == 1 else BASE
    found = optimize(goal, limits, dose, effort=FIRST)
    assert found.status == "optimal"
    assert all(limit.is_met(dose, found.activities_gbq) for limit in limits)
    value = goal.value(dose, found.activities_gbq)
    assert value == pytest.approx(found.optimum, rel=1e-9)
    # Directions of activity on a grid, each scaled up to the limits: the goals rise with every activity.
    random = np.random.default_rng(seed)
    directions = random.dirichlet(np.full(3, 0.7), 800)
    best = -np.inf
    for direction in directions:
        scale = min(limit.quantity.largest_scale(dose, direction, limit.bound) for limit in limits)
        best = max(best, goal.value(dose, scale * direction))
    assert best <= found.bound
    assert best <= value + 2e-4 * abs(value)
    # And the grid comes close, so that the comparison means something.
    assert best >= value - 0.25 * abs(value)


def test_the_best_choice_of_sites_by_enumeration():
    dose = planning_phantom(1200, sites=5, tumours=2, seed=2)
    goal = LowestEUD(0.03)
    found = optimize(goal, [*BASE, InjectionSites().at_most(count=2)], dose, effort=FIRST)
    singles = []
    for one in range(5):
        for other in range(one + 1, 5):
            only = np.isin(np.arange(5), [one, other])
            singles.append(optimize(goal, BASE, dose, only=only, effort=FIRST).optimum)
    assert found.optimum == pytest.approx(max(singles), rel=3e-4)
    assert max(singles) <= found.bound
    assert np.count_nonzero(found.activities_gbq) <= 2


def test_fewer_injections_reach_almost_the_same_level():
    dose = planning_phantom(1500, sites=16, seed=1)
    best = optimize(LowestEUD(0.03), BASE, dose, effort=FIRST)
    plan = optimize(LowestEUD(0.03), BASE, dose, effort=Effort(fewer_within=0.05))
    assert np.count_nonzero(plan.activities_gbq) < np.count_nonzero(best.activities_gbq)
    assert LowestEUD(0.03).value(dose, plan.activities_gbq) >= 0.95 * best.optimum * (1 - 1e-6)
