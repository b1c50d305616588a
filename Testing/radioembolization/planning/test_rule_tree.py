"""The search where rules hold for used sites only: against every choice of sites, and its end after some steps."""

import gc
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.errors import SolverFailure
from radioembolization.planning import (
    Effort,
    InjectionActivity,
    InjectionSites,
    LungDose,
    MeanDose,
    TerritoryNormalLiverDose,
    WorstTumourMean,
    maximize,
)
from radioembolization.planning.certificate import verify
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.greedy import greedy_sites
from radioembolization.planning.kept import once_per_dose
from radioembolization.planning.limits import activity_caps_gbq
from radioembolization.planning.solve import optimize

BASE = (MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=30))
TERRITORIES = (*BASE, TerritoryNormalLiverDose().at_most(gy=45))
FIRST = Effort(fewer_within=None)


def best_of_all(limits, dose, most):
    """Solve every choice of sites by itself, with the rules of all of them."""
    planes = CuttingPlanes(WorstTumourMean(), limits, dose, activity_caps_gbq(limits, dose))
    sites = len(planes.cap_gbq)
    choices = (np.isin(np.arange(sites), some) for n in range(1, most + 1) for some in combinations(range(sites), n))
    return max(planes.solve(used, used).score for used in choices)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_plan_is_that_of_every_choice_of_sites(seed):
    dose = planning_phantom(1500, sites=7, tumours=3, seed=seed)
    most = (7, 3, 2)[seed % 3]
    limits = TERRITORIES if seed % 2 else (*TERRITORIES, InjectionActivity().at_least(gbq=0.3))
    counted = (*limits, InjectionSites().at_most(count=most)) if most < 7 else limits
    found = optimize(WorstTumourMean(), counted, dose, effort=FIRST)
    expected = best_of_all(limits, dose, most)
    assert found.status == "optimal"
    assert found.optimum == pytest.approx(expected, rel=1e-5)
    assert expected <= found.bound * (1.0 + 1e-6)
    certificate = found.certificate()
    assert certificate is not None
    verify(certificate, WorstTumourMean(), counted, dose, found.activities_gbq, found.optimum)


@pytest.fixture(scope="module")
def nested():
    return planning_phantom(4000, sites=32, seed=1), maximize(WorstTumourMean()).subject_to(*TERRITORIES)


def test_steps_end_a_search_with_the_bound_that_its_open_branches_prove(nested):
    dose, problem = nested
    whole = optimize(problem.goal, problem.limits, dose, effort=FIRST)
    steps = whole.planes.master.solved
    ended = optimize(problem.goal, problem.limits, dose, effort=replace(FIRST, most_steps=int(0.9 * steps)))
    again = optimize(problem.goal, problem.limits, dose, effort=replace(FIRST, most_steps=int(0.9 * steps)))
    assert whole.status == "optimal"
    assert ended.status == "search limit"
    assert not ended.choice.finished
    assert ended.optimum <= whole.optimum * (1 + 1e-5)
    assert whole.optimum <= ended.bound < 0.99 * ended.root.bound
    assert ended.certificate().bound == pytest.approx(ended.bound, rel=1e-6)
    assert (again.bound, again.optimum) == (ended.bound, ended.optimum)


def test_a_plan_whose_search_ended_says_what_to_do(nested):
    dose, problem = nested
    plan = problem.solve(dose, Effort(most_steps=700, fewer_within=None))
    assert plan.status == "search limit"
    assert all(limit.met for limit in plan.limits)
    text = " ".join(plan.explanation)
    assert "Bound reached within the limit of the search" in text
    assert "at_most_sites" in text and "smallest_radius_mm" in text
    assert plan.certificate is not None


def test_a_search_that_ends_without_any_plan_says_so():
    dose = planning_phantom(1500, sites=8, seed=1)
    lower, one = MeanDose("tumour 1").at_least(gy=20), InjectionSites().at_most(count=1)
    with pytest.raises(SolverFailure, match="search limit ended the search"):
        optimize(WorstTumourMean(), (*TERRITORIES, lower, one), dose, effort=replace(FIRST, most_steps=0))


def test_the_greedy_choice_ends_where_nothing_can_be_better():
    asked = []

    def value(sites):
        asked.append(sites)
        return 1.0 if {2, 4} <= set(sites) else 0.5 if 2 in sites else 0.0

    assert greedy_sites(value, 40, 40, lambda: None, ceiling=1.0) == [2, 4]
    assert len(asked) == 40 + 39
    asked.clear()
    assert greedy_sites(value, 40, 40, lambda: None) == [2, 4]
    assert len(asked) == 40 + 39 + 38 + 37 + 36


def test_what_depends_on_dose_rows_alone_is_computed_once_and_forgotten_with_them():
    computed = []

    @once_per_dose
    def highest(dose):
        computed.append(dose.rows.shape)
        return dose.rows.max()

    dose = planning_phantom(1500, sites=4, seed=0)
    other = replace(dose, rows=2 * dose.rows)
    assert highest(dose) == highest(dose) == 0.5 * highest(other)
    assert len(computed) == 2
    kept = highest.__closure__
    del other
    gc.collect()
    assert any(len(cell.cell_contents) == 1 for cell in kept if hasattr(cell.cell_contents, "__len__"))
