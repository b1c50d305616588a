"""Perfused normal liver as the union of the injected territories: by hand, and against enumeration."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from radioembolization.errors import LimitError
from radioembolization.planning import (
    InjectionActivity,
    InjectionSites,
    PerfusedNormalLiverDose,
    TerritoryNormalLiverDose,
    WorstTumourMean,
    maximize,
)
from radioembolization.planning.limits import LEAST_INJECTION_GBQ
from support import dose_rows, random_rows

# Normal liver in three parts of 0.4, 0.4 and 0.2 kg; site 1 reaches the first two, site 2 the last two,
# site 3 the last alone; one tumour that all reach.
KG = [0.1, 0.4, 0.4, 0.2]
ROWS = [[80.0, 40.0, 20.0, 2.0], [60.0, 0.0, 30.0, 50.0], [90.0, 0.0, 1.0, 150.0]]
PERFUSED = np.array([[1, 1, 1, 0], [1, 0, 1, 1], [1, 0, 0, 1]], dtype=bool)


@pytest.fixture
def dose():
    return dose_rows(ROWS, KG, {"T": [0]}, normal=[1, 2, 3], perfused=PERFUSED)


def test_value_by_hand(dose):
    quantity = PerfusedNormalLiverDose()
    # Site 1 alone: 0.4 x 40 + 0.4 x 20 + 0.2 x 2 = 24.4 J over 0.8 kg; the 0.4 J spilled beyond its territory count.
    assert quantity.value(dose, np.array([1.0, 0, 0])) == pytest.approx(24.4 / 0.8)
    # Sites 2 and 3: the union is parts 2 and 3, 0.6 kg; energies 22 and 30.4 J.
    assert quantity.value(dose, np.array([0, 1.0, 0.5])) == pytest.approx((22.0 + 15.2) / 0.6)
    assert quantity.value(dose, np.zeros(3)) == 0.0


def test_value_is_not_below_the_mean_of_the_union(dose):
    activities = np.array([1.0, 0.0, 0.2])
    union = PERFUSED[[0, 2]].any(axis=0)[1:]
    doses, kg = (activities @ np.array(ROWS))[1:], np.array(KG)[1:]
    assert PerfusedNormalLiverDose().value(dose, activities) >= (doses * kg)[union].sum() / kg[union].sum() - 1e-12


def test_each_territory_by_itself_by_hand(dose):
    # Site 3 alone: only its own territory, 150 Gy; with site 1 the first territory has (0.4 x 40 + 0.4 x 21) / 0.8.
    quantity = TerritoryNormalLiverDose()
    assert quantity.value(dose, np.array([0, 0, 1.0])) == pytest.approx(150.0)
    assert quantity.value(dose, np.array([1.0, 0, 0.1])) == pytest.approx(max(30.05, 2.0 + 15.0))


def test_a_large_territory_dilutes_the_union_but_not_the_territory(dose):
    selective, diluted = np.array([0, 0, 0.3]), np.array([0.01, 0, 0.3])
    union, each = PerfusedNormalLiverDose(), TerritoryNormalLiverDose()
    assert union.value(dose, diluted) < 0.3 * union.value(dose, selective)
    assert each.value(dose, diluted) >= each.value(dose, selective)


def by_enumeration(dose, bound, count, least):
    """Best worst-tumour mean over every choice of sites, each by scipy's linear program on its own rows."""
    tumours = np.stack([dose.mean_row(s.voxels) for s in dose.structures if s.role == "tumour"])
    normal = next(s.voxels for s in dose.structures if s.name == "normal liver")
    kg, best = dose.voxel_kg, 0.0
    sites = len(dose.site_names)
    energy = dose.rows[:, normal] @ kg[normal]
    for size in range(1, count + 1):
        for used in map(list, combinations(range(sites), size)):
            mass = kg[normal][dose.perfused[used][:, normal].any(axis=0)].sum()
            columns = np.hstack([-tumours[:, used], np.ones((len(tumours), 1))])
            limit = np.append(energy[used], 0.0)[None]
            found = linprog(
                np.append(np.zeros(size), -1.0),
                A_ub=np.vstack([columns, limit]),
                b_ub=np.append(np.zeros(len(tumours)), bound * mass),
                bounds=[(least, None)] * size + [(None, None)],
            )
            if found.success:
                best = max(best, -found.fun)
    return best


@pytest.mark.parametrize("seed", range(25))
def test_optimum_agrees_with_enumeration(seed):
    rng = np.random.default_rng(seed)
    dose = random_rows(rng, sites=int(rng.integers(3, 7)), tumours=int(rng.integers(1, 4)))
    count, least = int(rng.integers(1, 4)), float(rng.choice([0.0, 0.1, 0.4]))
    limits = [PerfusedNormalLiverDose().at_most(gy=40), InjectionSites().at_most(count=count)]
    if least:
        limits.append(InjectionActivity().at_least(gbq=least))
    expected = by_enumeration(dose, 40.0, count, max(least, LEAST_INJECTION_GBQ))
    plan = maximize(WorstTumourMean()).subject_to(*limits).solve(dose)
    assert plan.goal.value == pytest.approx(expected, rel=1e-5)
    assert plan.goal.bound >= plan.goal.value * (1 - 1e-9)
    assert plan.goal.gap < 1e-5
    assert all(limit.met for limit in plan.limits)
    assert all(site.activity_gbq >= least * (1 - 1e-6) for site in plan.used_sites)
    assert all(b.goal_value <= plan.goal.value * (1 + 1e-6) for b in plan.baselines if b.limits_met)


def test_least_activity_forbids_a_small_injection(dose):
    problem = maximize(WorstTumourMean()).subject_to(PerfusedNormalLiverDose().at_most(gy=40))
    free = problem.solve(dose)
    assert free.used_sites
    smallest = min(site.activity_gbq for site in free.used_sites)
    kept = problem.subject_to(InjectionActivity().at_least(gbq=2 * smallest)).solve(dose)
    assert all(site.activity_gbq >= 2 * smallest * (1 - 1e-6) for site in kept.used_sites)
    assert kept.goal.value <= free.goal.value * (1 + 1e-9)


@pytest.mark.parametrize("quantity", [PerfusedNormalLiverDose(), TerritoryNormalLiverDose()])
def test_lower_bounds_on_perfused_liver_are_refused(quantity):
    with pytest.raises(LimitError, match="lower bound"):
        quantity.constraints(None, False, 88.0)


def test_upper_bound_on_each_injection_is_refused():
    with pytest.raises(LimitError, match="upper bound"):
        InjectionActivity().constraints(None, True, 1.0)
