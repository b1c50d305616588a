"""The best goal for every number of injections, against trying every choice of sites."""

import numpy as np
import pytest

from enumeration import best_value
from planning_phantom import planning_phantom
from radioembolization.errors import Infeasible, LimitError
from radioembolization.planning import (
    Effort,
    InjectionActivity,
    InjectionSites,
    LowestDose,
    LungDose,
    MeanDose,
    TerritoryNormalLiverDose,
    VolumeAbove,
    WorstTumourMean,
    maximize,
)
from radioembolization.planning.solve import optimize
from radioembolization.planning.staircase import staircase
from series import series
from support import random_rows, resin_two_sites

NORMAL, LUNGS = MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=10)
RULES = {
    "none": (),
    "least activity": (InjectionActivity().at_least(gbq=0.3),),
    "territory": (TerritoryNormalLiverDose().at_most(gy=90),),
}


def check(seed, rule, sites, tumours):
    dose = random_rows(np.random.default_rng(seed), sites, tumours, spill=0.05)
    problem = maximize(WorstTumourMean()).subject_to(NORMAL, LUNGS, *RULES[rule])
    found = staircase(problem, dose)
    for step in found.steps:
        expected = best_value(problem.subject_to(InjectionSites().at_most(count=step.most_injections)), dose)
        assert step.status == "optimal" and len(step.sites) <= step.most_injections
        assert step.value == pytest.approx(expected, rel=1e-5, abs=1e-6)
        assert step.best_possible >= expected * (1.0 - 1e-9)
        assert step.best_possible == pytest.approx(expected, rel=2e-5, abs=1e-6)
        assert all(limit.is_met(dose, np.array(step.activities_gbq)) for limit in problem.limits)
    values = [step.value for step in found.steps]
    assert values == sorted(values)
    assert len(found.steps) == sites or values[-1] >= 0.999 * found.all_sites


@pytest.mark.parametrize("rule", series(list(RULES), 2))
def test_steps_are_the_best_of_all_choices(rule):
    check(1, rule, 6, 3)


@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(2, 18))
def test_many_steps_are_the_best_of_all_choices(rule, seed):
    check(seed, rule, 8, 4)


def test_steps_are_those_of_plans_with_so_many_sites():
    dose = planning_phantom(2000, sites=8, tumours=3, seed=0)
    problem = maximize(LowestDose()).subject_to(NORMAL, LUNGS, InjectionSites().at_most(count=2))
    found = staircase(problem, dose)
    assert len(found.steps) > 2  # its own limit on the number is left out
    for step in found.steps:
        limits = (NORMAL, LUNGS, InjectionSites().at_most(count=step.most_injections))
        assert step.value == pytest.approx(optimize(LowestDose(), limits, dose).optimum, rel=1e-5)
    assert found.steps[-1].value >= 0.999 * found.all_sites
    assert found == staircase(problem, dose)
    assert [s.value for s in staircase(problem, dose, most=2).steps] == [s.value for s in found.steps[:2]]


def test_too_few_injections_for_a_lower_limit_are_told():
    # Site 1 alone cannot give T2 more than twice the 40 Gy of the normal liver, site 2 alone gives T1 nothing.
    lower = (MeanDose("T2").at_least(gy=100), MeanDose("T1").at_least(gy=120))
    problem = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=40), *lower)
    steps = staircase(problem, resin_two_sites()).steps
    assert (steps[0].status, steps[0].value, steps[1].status) == ("infeasible", None, "optimal")
    # Nothing but the T2 share of site 2 moves between the tumours: the worst of both is best where they are equal.
    assert steps[1].value == pytest.approx(best_value(problem, resin_two_sites()), rel=1e-6)
    with pytest.raises(Infeasible, match="at most 1 injections"):
        staircase(problem, resin_two_sites(), most=1)
    with pytest.raises(LimitError, match="at least one injection"):
        staircase(problem, resin_two_sites(), most=0)


def test_dose_volume_limits_have_steps_with_their_gap():
    dose = planning_phantom(600, sites=3, tumours=1, seed=1)
    volume = VolumeAbove("normal liver", 40.0).at_most(percent=20)
    problem = maximize(LowestDose()).subject_to(NORMAL, LUNGS, volume)
    found = staircase(problem, dose, most=2, effort=Effort(fewer_within=None, volume_gap=0.2))
    for step in found.steps:
        assert volume.is_met(dose, np.array(step.activities_gbq)) and step.best_possible >= step.value * (1 - 1e-9)
