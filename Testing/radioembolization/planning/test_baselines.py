"""Rules of thumb by hand on two sites, each at its best scale and on its best choice of sites."""

import numpy as np
import pytest

from radioembolization.planning import (
    InjectionActivity,
    InjectionSites,
    LowestDose,
    LungDose,
    MeanDose,
    MeanShortfall,
    PerfusedNormalLiverDose,
    TerritoryNormalLiverDose,
    TotalActivity,
    WorstTumourMean,
    maximize,
    minimize,
)
from series import series
from support import K_Y90, dose_rows, random_rows, resin_two_sites

#: Dose per GBq in normal liver after injection at site 1.
D = K_Y90 * 0.94 / 1.8
WHOLE = MeanDose("normal liver").at_most(gy=40)


def by_name(plan):
    return {rule.name: rule for rule in plan.baselines}


def test_rules_on_two_sites_by_hand():
    # Mean dose of all normal liver per GBq: site 1 d, site 2 1.2 d; T1 4 d and 0; T2 2 d and 14.4 d.
    rules = by_name(maximize(WorstTumourMean()).subject_to(WHOLE).solve(resin_two_sites()))
    assert set(rules) == {
        "equal activity per site",
        "by tumour volume in the territory",
        "single compartment per site",
        "partition model per site",
    }
    # Equal on both: a (d + 1.2 d) = 40, worst T1 = 4 d a = 72.7.  Site 1 alone: T2 = 80, better.
    equal = rules["equal activity per site"]
    assert equal.sites == ("1",)
    assert (equal.goal_value, equal.tumour_mean_gy, equal.normal_liver_gy) == pytest.approx((80.0, 80.0, 40.0))
    assert equal.activities_gbq == pytest.approx((40.0 / D,))
    # By tumour mass 0.25 : 0.05 kg: a (5 + 1.2) d = 40, T1 = 4 x 5 d a, T2 = (2 x 5 + 14.4) d a.
    volume = rules["by tumour volume in the territory"]
    assert volume.sites == ("1", "2")
    assert volume.activities_gbq == pytest.approx((5 * 40.0 / 6.2 / D, 40.0 / 6.2 / D))
    assert volume.goal_value == pytest.approx(20.0 * 40.0 / 6.2)
    # Single compartment: by perfused mass 1.15 : 0.2 kg: a (1.15 + 0.24) d = 40, T1 = 4.6 d a, T2 = (2.3 + 2.88) d a.
    single = rules["single compartment per site"]
    assert single.activities_gbq == pytest.approx((1.15 * 40.0 / 1.39 / D, 0.2 * 40.0 / 1.39 / D))
    assert single.goal_value == pytest.approx(4.6 * 40.0 / 1.39)
    # Partition model: activities as the effective masses 1.8 : 0.25 kg, a (1.8 + 0.3) d = 40;
    # T1 = 4 x 1.8 d a = T2 = (3.6 + 3.6) d a = 960 / 7, which is the optimum itself here.
    partition = rules["partition model per site"]
    assert partition.activities_gbq == pytest.approx((1.8 * 40.0 / 2.1 / D, 0.25 * 40.0 / 2.1 / D))
    assert partition.goal_value == pytest.approx(960.0 / 7.0)
    assert all(rule.limits_met for rule in rules.values())


def test_the_partition_rule_gives_every_territory_the_same_normal_liver_dose():
    # Disjoint territories: 0.5 + 3 x 0.1 = 0.8 and 1.0 + 2 x 0.05 = 1.1 effective kg, shunts 5 and 15 %.
    effective, retained = np.array([0.8, 1.1]), np.array([0.95, 0.85])
    per_gbq = K_Y90 * retained / effective
    rows = [[per_gbq[0], 3 * per_gbq[0], 0.0, 0.0], [0.0, 0.0, per_gbq[1], 2 * per_gbq[1]]]
    dose = dose_rows(rows, [0.5, 0.1, 1.0, 0.05], {"A": [1], "B": [3]}, [0, 2], lung_shunt=1.0 - retained)
    plan = maximize(WorstTumourMean()).subject_to(TerritoryNormalLiverDose().at_most(gy=40)).solve(dose)
    rule = by_name(plan)["partition model per site"]
    assert rule.activities_gbq == pytest.approx(tuple(40.0 / per_gbq))
    assert (rule.goal_value, rule.normal_liver_gy) == pytest.approx((80.0, 40.0))


def test_a_number_of_sites_holds_for_the_rules_too():
    plan = maximize(WorstTumourMean()).subject_to(WHOLE, InjectionSites().at_most(count=1)).solve(resin_two_sites())
    for rule in plan.baselines:
        assert rule.sites == ("1",)
        assert rule.goal_value == pytest.approx(80.0)


@pytest.mark.parametrize(
    ("limits", "tightest"),
    [
        ((TerritoryNormalLiverDose().at_most(gy=40), LungDose().at_most(gy=30)), 0),
        ((TerritoryNormalLiverDose().at_most(gy=40), LungDose().at_most(gy=1)), 1),
        ((PerfusedNormalLiverDose().at_most(gy=40), TotalActivity().at_most(gbq=0.5)), 1),
        ((PerfusedNormalLiverDose().at_most(gy=40), TotalActivity().at_most(gbq=50)), 0),
        ((LungDose(20.0).at_most(gy=22), WHOLE), 0),
    ],
)
def test_a_rule_is_scaled_to_the_tightest_limit(limits, tightest):
    dose = resin_two_sites()
    plan = maximize(WorstTumourMean()).subject_to(*limits).solve(dose)
    for rule in plan.baselines:
        activities = np.zeros(2)
        activities[[int(site) - 1 for site in rule.sites]] = rule.activities_gbq
        values = [limit.quantity.value(dose, activities) / limit.bound for limit in limits]
        assert rule.limits_met
        assert max(values) == pytest.approx(1.0, rel=1e-6)
        assert int(np.argmax(values)) == tightest


def test_a_lower_limit_out_of_reach_is_stated():
    # T1 >= 70 and T2 >= 85 Gy need both sites; with 0.6 GBq or more in each only equal activities of
    # 40 / 2.2 d = 0.70 GBq do: the others give site 2 0.25 and 0.18 GBq.
    limits = (
        WHOLE,
        InjectionActivity().at_least(gbq=0.6),
        MeanDose("T1").at_least(gy=70),
        MeanDose("T2").at_least(gy=85),
    )
    rules = by_name(maximize(WorstTumourMean()).subject_to(*limits).solve(resin_two_sites()))
    assert rules["equal activity per site"].limits_met
    assert rules["equal activity per site"].activities_gbq == pytest.approx((40.0 / 2.2 / D,) * 2)
    assert not rules["by tumour volume in the territory"].limits_met
    assert not rules["partition model per site"].limits_met


@pytest.mark.parametrize("seed", series(range(6), 2))
def test_no_rule_beats_the_plan(seed):
    rng = np.random.default_rng(seed)
    dose = random_rows(rng, 5, 3, spill=0.02)
    limits = TerritoryNormalLiverDose().at_most(gy=40), LungDose().at_most(gy=25), InjectionSites().at_most(count=3)
    best = maximize(WorstTumourMean()).subject_to(*limits).solve(dose)
    assert all(rule.goal_value <= best.goal.value * (1 + 1e-6) for rule in best.baselines)
    assert all(len(rule.sites) <= 3 for rule in best.baselines)
    short = minimize(MeanShortfall("T0", 300.0)).subject_to(*limits).solve(dose)
    assert all(rule.goal_value >= short.goal.value * (1 - 1e-6) - 1e-9 for rule in short.baselines)


def test_d70_of_the_worst_tumour():
    # A tumour of ten equal voxels at 10 to 100 Gy per GBq: D70 lies 30 % up, 37 Gy; 40 Gy limit at 4 GBq.
    dose = dose_rows([[*range(10, 101, 10), 10.0]], [0.01] * 10 + [1.0], {"T": range(10)}, [10])
    rule = maximize(WorstTumourMean()).subject_to(WHOLE).solve(dose).baselines[0]
    assert rule.tumour_mean_gy == pytest.approx(4.0 * 55.0)
    assert rule.tumour_d70_gy == pytest.approx(4.0 * 37.0)


def test_goals_on_voxels_compare_with_the_same_rules():
    # One voxel for each tumour: the lowest dose is the worst mean.
    mean = by_name(maximize(WorstTumourMean()).subject_to(WHOLE).solve(resin_two_sites()))
    lowest = by_name(maximize(LowestDose()).subject_to(WHOLE).solve(resin_two_sites()))
    assert {name: rule.goal_value for name, rule in lowest.items()} == pytest.approx(
        {name: rule.goal_value for name, rule in mean.items()}
    )
