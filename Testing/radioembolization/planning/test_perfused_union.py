"""Perfused normal liver as the union of the injected territories: by hand, and against enumeration."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from radioembolization.errors import LimitError
from radioembolization.planning import (
    Effort,
    InjectionActivity,
    InjectionSites,
    PerfusedNormalLiverDose,
    TerritoryNormalLiverDose,
    WorstTumourMean,
    maximize,
)
from series import series
from support import dose_rows, random_rows

#: The best plan, whatever number of injections it takes.
EXACT = Effort(fewer_within=0.0)

# Normal liver in three parts of 0.4, 0.4 and 0.2 kg; site 1 reaches the first two, site 2 the last two,
# site 3 the last alone; one tumour that all reach.
KG = [0.1, 0.4, 0.4, 0.2]
ROWS = [[80.0, 40.0, 20.0, 2.0], [60.0, 0.0, 30.0, 50.0], [90.0, 0.0, 1.0, 150.0]]
PERFUSED = np.array([[1, 1, 1, 0], [1, 0, 1, 1], [1, 0, 0, 1]], dtype=bool)


@pytest.fixture
def dose():
    return dose_rows(ROWS, KG, {"T": [0]}, normal=[1, 2, 3], perfused=PERFUSED)


def test_value_by_hand(dose):
    quantity = PerfusedNormalLiverDose(full_from_gy=1.0)
    # Site 1 alone: 0.4 x 40 + 0.4 x 20 + 0.2 x 2 = 24.4 J over 0.8 kg; the 0.4 J spilled beyond its territory count.
    assert quantity.value(dose, np.array([1.0, 0, 0])) == pytest.approx(24.4 / 0.8)
    # Sites 2 and 3: the union is parts 2 and 3, 0.6 kg; energies 22 and 30.4 J.
    assert quantity.value(dose, np.array([0, 1.0, 0.5])) == pytest.approx((22.0 + 15.2) / 0.6)
    assert quantity.value(dose, np.zeros(3)) == 0.0


def test_parts_count_in_proportion_below_the_threshold_by_hand(dose):
    # 0.5 GBq at site 1 gives its parts 20 and 10 Gy; with full_from 25 Gy they count 0.8 and 0.4.
    quantity = PerfusedNormalLiverDose(full_from_gy=25.0)
    assert quantity.value(dose, np.array([0.5, 0, 0])) == pytest.approx(12.2 / (0.4 * 0.8 + 0.4 * 0.4))


@pytest.mark.parametrize("full_from_gy", [0.01, 5.0, 20.0])
def test_value_is_not_below_the_mean_of_the_union(full_from_gy):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        random = random_rows(rng, sites=5, tumours=2)
        activities = rng.uniform(0.0, 2.0, 5) * (rng.random(5) < 0.6)
        normal = next(s.voxels for s in random.structures if s.name == "normal liver")
        union = normal[random.perfused[activities > 0][:, normal].any(axis=0)]
        mean = float(random.mean_row(union) @ activities) if len(union) else 0.0
        assert PerfusedNormalLiverDose(full_from_gy).value(random, activities) >= mean * (1 - 1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_largest_scale_meets_the_bound_and_no_more(seed):
    rng = np.random.default_rng(seed)
    random, quantity = random_rows(rng, sites=4, tumours=1), PerfusedNormalLiverDose(full_from_gy=10.0)
    activities = rng.uniform(0.01, 1.0, 4) * np.append(1.0, rng.random(3) < 0.7)
    scale = quantity.largest_scale(random, activities, 40.0)
    assert quantity.value(random, scale * activities) == pytest.approx(40.0, rel=1e-9)
    values = [quantity.value(random, factor * scale * activities) for factor in (0.2, 0.5, 0.9, 1.1, 2.0)]
    assert values == sorted(values)
    assert values[3] > 40.0


def test_each_territory_by_itself_by_hand(dose):
    # Site 3 alone: only its own territory, 150 Gy; with site 1 the first territory has (0.4 x 40 + 0.4 x 21) / 0.8.
    quantity = TerritoryNormalLiverDose()
    assert quantity.value(dose, np.array([0, 0, 1.0])) == pytest.approx(150.0)
    assert quantity.value(dose, np.array([1.0, 0, 0.1])) == pytest.approx(max(30.05, 2.0 + 15.0))


def test_a_trace_in_a_large_territory_dilutes_nothing(dose):
    selective, diluted = np.array([0, 0, 0.3]), np.array([0.01, 0, 0.3])
    literal, ours = PerfusedNormalLiverDose(full_from_gy=1e-6), PerfusedNormalLiverDose(full_from_gy=10.0)
    assert literal.value(dose, diluted) < 0.3 * literal.value(dose, selective)
    assert ours.value(dose, diluted) > 0.85 * ours.value(dose, selective)
    each = TerritoryNormalLiverDose()
    assert each.value(dose, diluted) >= each.value(dose, selective)


def by_enumeration(dose, bound, full_from, count, least):
    """Best worst-tumour mean over every choice of sites, each by scipy's linear program on its own rows."""
    tumours = np.stack([dose.mean_row(s.voxels) for s in dose.structures if s.role == "tumour"])
    normal = next(s.voxels for s in dose.structures if s.name == "normal liver")
    kg, best = dose.voxel_kg[normal], 0.0
    energy = dose.rows[:, normal] @ kg
    own = np.where(dose.perfused[:, normal], dose.rows[:, normal], 0.0).T  # every voxel is a part of its own
    for size in range(1, count + 1):
        for used in map(list, combinations(range(len(dose.site_names)), size)):
            voxels = len(normal)
            # Variables: activities of the used sites, share of each voxel that counts, level.
            level = np.hstack([-tumours[:, used], np.zeros((len(tumours), voxels)), np.ones((len(tumours), 1))])
            shares = np.hstack([-own[:, used] / full_from, np.eye(voxels), np.zeros((voxels, 1))])
            limit = np.concatenate([energy[used], -bound * kg, [0.0]])[None]
            found = linprog(
                np.append(np.zeros(size + voxels), -1.0),
                A_ub=np.vstack([level, shares, limit]),
                b_ub=np.zeros(len(tumours) + voxels + 1),
                bounds=[(least, None)] * size + [(0, 1)] * voxels + [(None, None)],
            )
            if found.success:
                best = max(best, -found.fun)
    return best


@pytest.mark.parametrize("seed", series(range(25), 8))
def test_optimum_agrees_with_enumeration(seed):
    rng = np.random.default_rng(seed)
    dose = random_rows(rng, sites=int(rng.integers(3, 7)), tumours=int(rng.integers(1, 4)))
    count, least = int(rng.integers(1, 4)), float(rng.choice([0.0, 0.1, 0.4]))
    full_from = float(rng.choice([0.1, 10.0, 30.0]))
    limits = [PerfusedNormalLiverDose(full_from).at_most(gy=40), InjectionSites().at_most(count=count)]
    if least:
        limits.append(InjectionActivity().at_least(gbq=least))
    expected = by_enumeration(dose, 40.0, full_from, count, least)
    plan = maximize(WorstTumourMean()).subject_to(*limits).solve(dose, EXACT)
    assert plan.goal.value == pytest.approx(expected, rel=1e-5)
    assert plan.goal.bound >= plan.goal.value * (1 - 1e-9)
    assert plan.goal.gap < 1e-5
    assert all(limit.met for limit in plan.limits)
    assert all(site.activity_gbq >= least * (1 - 1e-6) for site in plan.used_sites)
    assert all(b.goal_value <= plan.goal.value * (1 + 1e-6) for b in plan.baselines if b.limits_met)


def test_least_activity_forbids_a_small_injection(dose):
    problem = maximize(WorstTumourMean()).subject_to(PerfusedNormalLiverDose().at_most(gy=40))
    free = problem.solve(dose, EXACT)
    assert free.used_sites
    smallest = min(site.activity_gbq for site in free.used_sites)
    kept = problem.subject_to(InjectionActivity().at_least(gbq=2 * smallest)).solve(dose, EXACT)
    assert all(site.activity_gbq >= 2 * smallest * (1 - 1e-6) for site in kept.used_sites)
    assert kept.goal.value <= free.goal.value * (1 + 1e-9)


@pytest.mark.parametrize("quantity", [PerfusedNormalLiverDose(), TerritoryNormalLiverDose()])
def test_lower_bounds_on_perfused_liver_are_refused(quantity):
    with pytest.raises(LimitError, match="lower bound"):
        quantity.constraints(None, False, 88.0)


def test_upper_bound_on_the_smallest_injection_is_refused():
    with pytest.raises(LimitError, match="upper bound"):
        InjectionActivity().constraints(None, True, 1.0)
