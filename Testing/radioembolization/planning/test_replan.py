"""Solving again after a limit was moved gives what solving anew gives."""

from dataclasses import replace

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.errors import Infeasible
from radioembolization.planning import (
    HottestMean,
    InjectionSites,
    LowestColdestMean,
    LowestDose,
    LowestEUD,
    LungDose,
    MeanDose,
    PerfusedNormalLiverDose,
    Replanner,
    TerritoryNormalLiverDose,
    VolumeAbove,
    maximize,
)
from radioembolization.planning.replan import LIVE
from radioembolization.planning.solve import optimize
from support import quiet

DOSE = planning_phantom(2000, sites=8, tumours=3, seed=4)
LIMITS = (
    MeanDose("normal liver").at_most(gy=50),
    LungDose().at_most(gy=30),
    HottestMean("normal liver", 30).at_most(gy=70),
    PerfusedNormalLiverDose(10.0).at_most(gy=60),
)


def changed(problem, index, bound):
    limits = list(problem.limits)
    limits[index] = replace(limits[index], bound=bound)
    return replace(problem, limits=tuple(limits))


@pytest.mark.parametrize("sites", [None, 3])
def test_moved_limits_give_the_plan_of_a_fresh_start(sites):
    problem = maximize(LowestColdestMean(30.0)).subject_to(*LIMITS)
    if sites:
        problem = problem.subject_to(InjectionSites().at_most(count=sites))
    replanner = Replanner(problem, DOSE)
    replanner.solve()
    random = np.random.default_rng(0)
    for _ in range(6):
        index = int(random.integers(4))
        problem = changed(problem, index, float(LIMITS[index].bound * random.uniform(0.6, 1.5)))
        again, anew = replanner.solve(problem), optimize(problem.goal, problem.limits, DOSE, effort=LIVE)
        assert again.optimum == pytest.approx(anew.optimum, rel=2e-4)
        assert again.bound >= anew.optimum * (1 - 1e-6)
        assert all(limit.is_met(DOSE, again.activities_gbq) for limit in problem.limits)


def test_another_goal_or_number_of_sites_starts_anew():
    problem = maximize(LowestColdestMean(30.0)).subject_to(*LIMITS, InjectionSites().at_most(count=3))
    replanner = Replanner(problem, DOSE)
    for other in (changed(problem, 4, 2.0), maximize(LowestColdestMean(50.0)).subject_to(*LIMITS)):
        again, anew = replanner.solve(other), optimize(other.goal, other.limits, DOSE, effort=LIVE)
        assert again.optimum == pytest.approx(anew.optimum, rel=2e-4)


def test_a_limit_that_nothing_meets_is_named():
    replanner = Replanner(maximize(LowestColdestMean(30.0)).subject_to(LungDose(29.0).at_most(gy=30), *LIMITS), DOSE)
    replanner.solve()
    with pytest.raises(Infeasible, match="before anything is injected"):
        replanner.solve(maximize(LowestColdestMean(30.0)).subject_to(LungDose(31.0).at_most(gy=30), *LIMITS))


def test_a_moved_limit_on_every_injected_territory_is_obeyed():
    # It is a rule of the sites that are used, not a plane that could be moved.
    quantity = TerritoryNormalLiverDose()
    problem = maximize(LowestColdestMean(30.0)).subject_to(*LIMITS[:2], quantity.at_most(gy=60))
    replanner = Replanner(problem, DOSE)
    replanner.solve()
    harder = changed(problem, 2, 30.0)
    again, anew = replanner.solve(harder), optimize(harder.goal, harder.limits, DOSE, effort=LIVE)
    assert all(limit.is_met(DOSE, again.activities_gbq) for limit in harder.limits)
    assert again.optimum == pytest.approx(anew.optimum, rel=2e-4)


def test_dose_volume_limits_and_goals_by_levels_are_not_dropped():
    dose = planning_phantom(1200, sites=3, tumours=2, seed=1)
    volume = VolumeAbove("normal liver", 40.0).at_most(percent=20)
    replanner = Replanner(maximize(LowestDose()).subject_to(*LIMITS[:2]), dose)
    free = replanner.solve()
    assert not volume.is_met(dose, free.activities_gbq)
    limited = replanner.solve(maximize(LowestDose()).subject_to(*LIMITS[:2], volume))
    assert volume.is_met(dose, limited.activities_gbq)
    with quiet():
        by_level = replanner.solve(maximize(LowestEUD(0.05)).subject_to(*LIMITS[:2]))
    assert by_level.level is not None
