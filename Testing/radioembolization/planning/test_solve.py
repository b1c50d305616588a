"""Optimal plans against hand calculation and against an independent formulation over all choices of sites."""

import warnings
from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linprog

from radioembolization.errors import DeviceMismatch, Infeasible, LungMassMissing, UnboundedActivity
from radioembolization.physics import GLASS_Y90
from radioembolization.planning import (
    Effort,
    InjectionActivity,
    InjectionSites,
    LungDose,
    MeanDose,
    MeanShortfall,
    PerfusedNormalLiverDose,
    Provenance,
    ShuntedActivity,
    StructureMean,
    TerritoryNormalLiverDose,
    TotalActivity,
    WorstTumourMean,
    maximize,
    minimize,
)
from radioembolization.structures import Role
from series import series
from support import K_Y90, dose_rows, random_rows, resin_two_sites

#: The best plan, whatever number of injections it takes.
EXACT = Effort(fewer_within=0.0)

WHOLE = MeanDose("normal liver")


def tumour_means(plan):
    return np.array([s.mean_gy for s in plan.structures if s.role == "tumour"])


# The worked resin example.


def test_one_site_under_the_perfused_limit():
    # 40 Gy x 1.8 kg / (49.67 x 0.94) = 1.5421 GBq; T1 160, T2 80, lung 4.60 Gy, 30.8 million spheres.
    for quantity in (PerfusedNormalLiverDose(), TerritoryNormalLiverDose(), WHOLE):
        plan = (
            maximize(WorstTumourMean())
            .subject_to(quantity.at_most(gy=40), LungDose().at_most(gy=30), InjectionSites().at_most(count=1))
            .solve(resin_two_sites(), EXACT)
        )
        assert plan.activities_gbq == pytest.approx([1.5421, 0.0], abs=5e-5)
        assert tumour_means(plan) == pytest.approx([160.0, 80.0], abs=0.005)
        assert plan.lung_gy == pytest.approx(4.60, abs=0.005)
        assert plan.used_sites[0].microspheres / 1e6 == pytest.approx(30.8, abs=0.05)
        assert plan.status == "optimal"


def test_two_sites_raise_the_second_tumour():
    # T1 largest with T2 >= 100 and mean normal liver <= 40 Gy.
    for problem in (maximize(StructureMean("T1")), minimize(MeanShortfall("T1", below_gy=1000.0))):
        plan = problem.subject_to(
            MeanDose("T2").at_least(gy=100), WHOLE.at_most(gy=40), LungDose().at_most(gy=30)
        ).solve(resin_two_sites(), EXACT)
        assert plan.activities_gbq == pytest.approx([1.4650, 0.0643], abs=1e-4)
        assert tumour_means(plan) == pytest.approx([152.0, 100.0], abs=0.05)
        assert plan.lung_gy == pytest.approx(4.56, abs=0.005)
        by_name = {s.name: s for s in plan.structures}
        # 50.0 Gy in the 0.15 kg of territory 2 and 38.0 Gy elsewhere.
        assert (by_name["normal liver"].max_gy, by_name["normal liver"].min_gy) == pytest.approx((50.0, 38.0), abs=0.05)


def test_the_worst_of_two_tumours_by_hand():
    # T1 = T2: 4 x1 = 2 x1 + 14.4 x2, so x2 = 5/36 x1; 40 = d (1 + 1.2 x 5/36) x1 gives d x1 = 240/7.
    plan = maximize(WorstTumourMean()).subject_to(WHOLE.at_most(gy=40)).solve(resin_two_sites(), EXACT)
    d = K_Y90 * 0.94 / 1.8
    assert plan.activities_gbq == pytest.approx([240.0 / 7.0 / d, 240.0 / 7.0 / d * 5.0 / 36.0], rel=1e-6)
    assert tumour_means(plan) == pytest.approx([960.0 / 7.0] * 2, rel=1e-6)


# Lung-limited glass.


@pytest.mark.parametrize(
    ("shunt", "lung_kg", "earlier_gy", "cap_gy", "activity", "perfused_gy", "lung_gy"),
    [
        (0.18, 1.0, 0.0, 30.0, 3.3555, 97.6, 30.0),
        (0.18, 0.8, 0.0, 30.0, 2.6844, 78.1, 30.0),
        (0.18, 1.0, 25.0, 50.0, 2.7962, 81.3, 25.0),  # 50 Gy in all, 25 Gy before
        (0.13, 1.0, 0.0, 30.0, 3.8877, 120.0, 25.1),  # here 120 Gy is reached first
    ],
)
def test_glass_bound_by_the_lung(shunt, lung_kg, earlier_gy, cap_gy, activity, perfused_gy, lung_gy):
    # Perfused 1.4 kg of one concentration, 120 Gy prescribed.
    per_gbq = K_Y90 * (1.0 - shunt) / 1.4
    dose = dose_rows(
        [[per_gbq, per_gbq]], [1.3, 0.1], {"T": [1]}, [0], lung_shunt=[shunt], lung_kg=lung_kg, device=GLASS_Y90
    )
    lung = LungDose(earlier_gy).at_most(gy=cap_gy)
    plan = maximize(WorstTumourMean()).subject_to(lung, MeanDose("whole liver").at_most(gy=120)).solve(dose, EXACT)
    assert plan.activities_gbq == pytest.approx([activity], abs=5e-5)
    assert tumour_means(plan) == pytest.approx([perfused_gy], abs=0.05)
    assert plan.lung_gy == pytest.approx(lung_gy, abs=0.05)
    assert plan.limits[0].value == pytest.approx(lung_gy + earlier_gy, abs=0.05)


# An independent formulation: a linear program for every choice of sites.


def weighted_mean(dose, voxels):
    return dose.rows[:, voxels] @ dose.voxel_kg[voxels] / dose.voxel_kg[voxels].sum()


def perfused_rows(dose, normal, bound, full_from):
    """Return rows of ``energy @ x <= bound * sum_p m_p min(1, d_p / full_from)``.

    The smaller of two is at most either: one row for every choice of which parts count in full.
    """
    energy = dose.rows[:, normal] @ dose.voxel_kg[normal]
    kinds = sorted({tuple(dose.perfused[:, v]) for v in normal if dose.perfused[:, v].any()})
    parts = [np.array([v for v in normal if tuple(dose.perfused[:, v]) == kind]) for kind in kinds]
    kg = np.array([dose.voxel_kg[part].sum() for part in parts])
    own = [weighted_mean(dose, part) * np.array(kind) for part, kind in zip(parts, kinds, strict=True)]
    rows, sides = [], []
    for full in product((True, False), repeat=len(parts)):
        partly = sum((m * d / full_from for m, d, f in zip(kg, own, full, strict=True) if not f), np.zeros(len(energy)))
        rows.append(energy - bound * partly)
        sides.append(bound * kg[np.array(full)].sum())
    return rows, sides


def linear_rows(limit, dose, used):
    """Return rows and right sides of ``row @ x <= side`` for the used sites, and their least activity."""
    quantity, sign = limit.quantity, 1.0 if limit.upper else -1.0
    normal, bound = dose.structure("normal liver").voxels, limit.bound
    if isinstance(quantity, MeanDose):
        return [sign * weighted_mean(dose, dose.structure(quantity.structure).voxels)], [sign * bound], 0.0
    if isinstance(quantity, LungDose):
        return [sign * dose.lung_gy_per_gbq], [sign * (bound - quantity.earlier_gy)], 0.0
    if isinstance(quantity, ShuntedActivity):
        return [sign * dose.lung_shunt], [sign * bound], 0.0
    if isinstance(quantity, TotalActivity):
        return [sign * np.ones(len(dose.site_names))], [sign * bound], 0.0
    if isinstance(quantity, TerritoryNormalLiverDose):
        rows = [weighted_mean(dose, normal[dose.perfused[site, normal]]) for site in used]
        return rows, [bound] * len(used), 0.0
    if isinstance(quantity, PerfusedNormalLiverDose):
        return *perfused_rows(dose, normal, bound, quantity.full_from_gy), 0.0
    if isinstance(quantity, InjectionActivity):
        return [], [], bound
    assert isinstance(quantity, InjectionSites)
    return [], [], 0.0


def best_of_all_choices(limits, dose):
    """Return the largest worst tumour mean over every choice of sites; -inf if none is possible."""
    tumours = np.stack([weighted_mean(dose, t.voxels) for t in dose.with_role(Role.TUMOUR)])
    sites = len(dose.site_names)
    most = min([sites, *(int(li.bound) for li in limits if isinstance(li.quantity, InjectionSites))])
    best = -np.inf
    for used in (list(c) for size in range(most + 1) for c in combinations(range(sites), size)):
        parts = [linear_rows(limit, dose, used) for limit in limits]
        rows = [np.append(row[used], 0.0) for part in parts for row in part[0]]
        rows += [np.append(-tumour[used], 1.0) for tumour in tumours]
        sides = [side for part in parts for side in part[1]] + [0.0] * len(tumours)
        least = max(part[2] for part in parts)
        result = linprog(
            np.append(np.zeros(len(used)), -1.0),
            A_ub=np.array(rows),
            b_ub=sides,
            bounds=[(least, None)] * len(used) + [(None, None)],
        )
        if result.status == 0:
            best = max(best, -result.fun)
    return best


def random_limits(rng):
    limits = [LungDose(earlier_gy=float(rng.choice([0.0, 8.0]))).at_most(gy=25.0)]
    kind = rng.integers(4)
    if kind == 0:
        limits.append(TerritoryNormalLiverDose().at_most(gy=40))
    if kind == 1:
        limits.append(PerfusedNormalLiverDose(full_from_gy=float(rng.choice([2.0, 10.0, 35.0]))).at_most(gy=40))
    if kind >= 2 or rng.random() < 0.4:
        limits.append(WHOLE.at_most(gy=35))
    if rng.random() < 0.6:
        limits.append(InjectionSites().at_most(count=int(rng.integers(1, 4))))
    if rng.random() < 0.3:
        limits.append(TotalActivity().at_most(gbq=3))
    if rng.random() < 0.3:
        limits.append(ShuntedActivity().at_most(gbq=0.15))
    if rng.random() < 0.4:
        limits.append(MeanDose("T0").at_least(gy=float(rng.uniform(40, 130))))
    if rng.random() < 0.3:
        limits.append(InjectionActivity().at_least(gbq=0.2))
    return limits


@pytest.mark.parametrize("seed", series(range(40), 8))
def test_optimum_bound_and_feasibility_against_all_choices_of_sites(seed):
    rng = np.random.default_rng(1000 + seed)
    sites, tumours = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    dose = random_rows(rng, sites, tumours, bool(rng.random() < 0.4), spill=0.03 * (seed % 2))
    limits = random_limits(rng)
    expected = best_of_all_choices(limits, dose)
    problem = maximize(WorstTumourMean()).subject_to(*limits)
    if expected == -np.inf:
        with pytest.raises(Infeasible) as failure:
            problem.solve(dose, EXACT)
        assert failure.value.excess
        return
    plan = problem.solve(dose, EXACT)
    # Search gap 1e-6, then the tie-break at 1e-9.
    assert plan.goal.value == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert all(limit.met for limit in plan.limits)
    # The bound is one on every plan: it is never below a feasible value, and close to it.
    assert plan.goal.bound >= plan.goal.value - 1e-9 * max(1.0, plan.goal.value)
    assert plan.goal.bound >= expected - 1e-7 * max(1.0, expected)
    if plan.goal.value > 0:
        assert plan.goal.gap <= 1e-5
    for rule in plan.baselines:
        assert not rule.limits_met or rule.goal_value <= plan.goal.value * (1.0 + 1e-6) + 1e-9


@pytest.mark.parametrize("seed", series(range(8), 3))
def test_linear_programs_close_their_gap(seed):
    rng = np.random.default_rng(seed)
    dose = random_rows(rng, 6, 3, spill=0.02)
    goals = maximize(WorstTumourMean()), minimize(MeanShortfall("T0", 250.0) + 0.5 * MeanShortfall("T1", 400.0))
    for problem in goals:
        plan = problem.subject_to(WHOLE.at_most(gy=40), LungDose().at_most(gy=20)).solve(dose, EXACT)
        assert plan.goal.gap < 2e-7  # the tie-breaks may cost 1e-7
        better = plan.goal.bound - plan.goal.value
        assert (better if plan.goal.sense == "maximize" else -better) >= -1e-9 * max(1.0, plan.goal.value)


def test_a_minimized_sum_by_hand():
    # Both tumours short of 200 Gy, whole liver at 40 Gy.  Per Gy of normal liver site 1 gives T1 4 and T2 2,
    # site 2 gives T2 12: with equal weights site 2 is better, until T2 has its 200 Gy.
    plan = (
        minimize(MeanShortfall("T1", 200.0) + MeanShortfall("T2", 200.0))
        .subject_to(WHOLE.at_most(gy=40))
        .solve(resin_two_sites(), EXACT)
    )
    # d x1 + 1.2 d x2 = 40 and 2 d x1 + 14.4 d x2 = 200: 12 d x2 = 120, d x2 = 10, d x1 = 28; T1 = 112 Gy.
    d = K_Y90 * 0.94 / 1.8
    assert plan.activities_gbq == pytest.approx([28.0 / d, 10.0 / d], rel=1e-6)
    assert plan.goal.value == pytest.approx(88.0, rel=1e-6)


def test_at_least_so_much_in_every_injection():
    # Without it site 2 gets 0.0643 GBq; with 0.2 GBq it is either left out or gets 0.2.
    problem = maximize(StructureMean("T1")).subject_to(WHOLE.at_most(gy=40), MeanDose("T2").at_least(gy=100))
    plan = problem.subject_to(InjectionActivity().at_least(gbq=0.2)).solve(resin_two_sites(), EXACT)
    d = K_Y90 * 0.94 / 1.8
    assert plan.activities_gbq == pytest.approx([(40.0 - 1.2 * d * 0.2) / d, 0.2], rel=1e-6)


# Other tumours once the worst is settled.


@pytest.mark.parametrize("seed", series(range(12), 2))
def test_a_tumour_in_a_territory_of_its_own_reaches_its_own_limit(seed):
    # Disjoint territories, each at 40 Gy in its normal liver: every tumour has 40 Gy times its ratio.
    rng = np.random.default_rng(seed)
    dose = random_rows(rng, int(rng.integers(2, 6)), 3, own_territories=True)
    plan = maximize(WorstTumourMean()).subject_to(TerritoryNormalLiverDose().at_most(gy=40)).solve(dose, EXACT)
    expected = []
    for tumour in dose.with_role(Role.TUMOUR):
        site = int(np.argmax(dose.rows[:, tumour.voxels[0]]))
        normal = dose.structure("normal liver").voxels
        inside = normal[dose.perfused[site, normal]][0]
        expected.append(40.0 * dose.rows[site, tumour.voxels[0]] / dose.rows[site, inside])
    assert tumour_means(plan) == pytest.approx(expected, rel=1e-5)


def highest_doses_in_turn(limits, dose, used):
    """Return tumour means when the lowest is raised as far as it goes, then the next, on given sites.

    A tumour is settled once it cannot rise although the others keep what they have at least.
    """
    tumours = np.stack([weighted_mean(dose, t.voxels) for t in dose.with_role(Role.TUMOUR)])[:, used]
    parts = [linear_rows(limit, dose, used) for limit in limits]
    rows = np.array([row[used] for part in parts for row in part[0]])
    sides = np.array([side for part in parts for side in part[1]])
    settled = np.full(len(tumours), np.nan)

    def largest(objective, held, at_least):
        result = linprog(-objective, A_ub=np.vstack([rows, -held]), b_ub=np.append(sides, -at_least))
        return -result.fun if result.status == 0 else -np.inf

    while np.isnan(settled).any():
        free = np.isnan(settled)
        # Level: every free tumour at least at it.  As one more column.
        with_level = np.hstack([np.vstack([rows, -tumours]), np.append(np.zeros(len(rows)), free)[:, None]])
        floors = np.append(sides, np.where(free, 0.0, -(1.0 - 1e-9) * np.nan_to_num(settled)))
        found = linprog(np.append(np.zeros(len(used)), -1.0), A_ub=with_level, b_ub=floors)
        level = -found.fun
        held = np.where(free, level, settled) * (1.0 - 1e-9)
        stuck = [t for t in np.flatnonzero(free) if largest(tumours[t], tumours, held) <= level * (1.0 + 1e-6)]
        settled[stuck or np.flatnonzero(free)[:1]] = level
    return settled


@pytest.mark.parametrize("seed", series([43, 59, 109, 118, 217, *range(15)], 6))
def test_the_next_worst_tumours_are_raised_as_far_as_they_go(seed):
    rng = np.random.default_rng(3000 + seed)
    dose = random_rows(rng, int(rng.integers(2, 5)), int(rng.integers(2, 4)), own_territories=seed % 2 == 0)
    limits = TerritoryNormalLiverDose().at_most(gy=40), LungDose().at_most(gy=25)
    plan = maximize(WorstTumourMean()).subject_to(*limits).solve(dose, EXACT)
    used = [i for i, activity in enumerate(plan.activities_gbq) if activity > 0]
    expected = highest_doses_in_turn(limits, dose, used)
    assert sorted(tumour_means(plan)) == pytest.approx(sorted(expected), rel=1e-4)


def test_raising_other_tumours_costs_the_worst_nothing():
    rng = np.random.default_rng(2)
    for _ in range(5):
        dose = random_rows(rng, 5, 3)
        limits = TerritoryNormalLiverDose().at_most(gy=40), LungDose().at_most(gy=25)
        plan = maximize(WorstTumourMean()).subject_to(*limits).solve(dose, EXACT)
        assert tumour_means(plan).min() == pytest.approx(best_of_all_choices(limits, dose), rel=1e-6)


# What cannot be planned.


def test_contradicting_limits_name_the_least_relaxation():
    # T1 >= 170 needs d x1 = 42.5; T2 >= 100 then 15 Gy from site 2, 1.25 Gy of normal liver: 43.75 Gy in
    # all, 3.75 Gy (9.4 %) too much.  Giving up T1 instead would cost 18 Gy (10.6 %).
    problem = maximize(WorstTumourMean()).subject_to(
        MeanDose("T1").at_least(gy=170),
        MeanDose("T2").at_least(gy=100),
        WHOLE.at_most(gy=40),
        LungDose().at_most(gy=30),
    )
    message = r"contradict.*'mean dose, whole normal liver <= 40 Gy' by 3.75 Gy\."
    with pytest.raises(Infeasible, match=message) as failure:
        problem.solve(resin_two_sites(), EXACT)
    assert failure.value.excess == pytest.approx({"mean dose, whole normal liver <= 40 Gy": 3.75}, rel=1e-6)


def test_contradicting_limits_of_one_site():
    # One site: T1 >= 170 means 42.5 Gy: 2.5 of 40 Gy (6.3 %) or 10 of 170 Gy (5.9 %, less).
    problem = maximize(WorstTumourMean()).subject_to(
        MeanDose("T1").at_least(gy=170), TerritoryNormalLiverDose().at_most(gy=40), InjectionSites().at_most(count=1)
    )
    with pytest.raises(Infeasible) as failure:
        problem.solve(resin_two_sites(), EXACT)
    assert failure.value.excess == pytest.approx({"mean dose, T1 >= 170 Gy": 10.0}, rel=1e-6)


def test_an_earlier_lung_dose_above_the_limit_is_named():
    problem = maximize(WorstTumourMean()).subject_to(LungDose(35.0).at_most(gy=30), WHOLE.at_most(gy=40))
    with pytest.raises(Infeasible, match=r"lungs \(with 35 Gy before\).* by 5 Gy"):
        problem.solve(resin_two_sites(), EXACT)


@pytest.mark.parametrize(
    "limits",
    [
        (),
        (MeanDose("T2").at_least(gy=100),),
        (InjectionSites().at_most(count=1),),
        (InjectionActivity().at_least(gbq=0.1),),
    ],
    ids=["none", "lower", "count", "least activity"],
)
def test_without_a_limit_on_activity_there_is_no_plan(limits):
    with pytest.raises(UnboundedActivity, match="site '1'"):
        maximize(WorstTumourMean()).subject_to(*limits).solve(resin_two_sites(), EXACT)


def test_a_site_that_no_limit_reaches_is_named():
    # Nothing shunted from site 2: a lung limit does not bound it.
    dose = dose_rows([[1.0, 4.0], [1.0, 2.0]], [0.5, 0.1], {"T": [1]}, [0], lung_shunt=[0.1, 0.0])
    with pytest.raises(UnboundedActivity, match="site '2'"):
        maximize(WorstTumourMean()).subject_to(LungDose().at_most(gy=30)).solve(dose, EXACT)


def test_a_lung_limit_without_a_lung_mass_is_refused():
    dose = dose_rows([[1.0, 4.0]], [0.5, 0.1], {"T": [1]}, [0], lung_kg=None)
    with pytest.raises(LungMassMissing):
        maximize(WorstTumourMean()).subject_to(LungDose().at_most(gy=30), WHOLE.at_most(gy=40)).solve(dose, EXACT)


def test_a_limit_of_another_device_is_refused():
    limit = WHOLE.at_most(gy=75).because(Provenance("EANM", "guideline", device="glass"))
    with pytest.raises(DeviceMismatch):
        maximize(WorstTumourMean()).subject_to(limit).solve(resin_two_sites(), EXACT)
    overridden = limit.because(Provenance("EANM", "guideline", "glass", "comparison of devices"))
    plan = maximize(WorstTumourMean()).subject_to(overridden).solve(resin_two_sites(), EXACT)
    assert plan.limits[0].override_reason == "comparison of devices"


def test_no_warning_of_numerics_or_solver_reaches_the_user():
    # A territory of tumour only, next to one with normal liver.
    dose = dose_rows([[0.0, 80.0], [30.0, 60.0]], [0.5, 0.1], {"T": [1]}, [0], perfused=[[0, 1], [1, 1]])
    problem = maximize(WorstTumourMean()).subject_to(
        PerfusedNormalLiverDose().at_most(gy=40), TotalActivity().at_most(gbq=2)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem.solve(dose, EXACT)


def test_the_same_problem_has_the_same_plan():
    rng = np.random.default_rng(4)
    dose = random_rows(rng, 6, 3, spill=0.02)
    problem = maximize(WorstTumourMean()).subject_to(
        TerritoryNormalLiverDose().at_most(gy=40), LungDose().at_most(gy=25), InjectionSites().at_most(count=3)
    )
    first, second = problem.solve(dose, EXACT), problem.solve(dose)
    np.testing.assert_array_equal(first.activities_gbq, second.activities_gbq)
    assert first.goal == second.goal
    assert first.explanation == second.explanation
