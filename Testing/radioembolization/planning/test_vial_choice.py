"""Vials chosen together with sites: against the enumeration of every vial at every site, and what goes wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, combinations_with_replacement, product

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.dose import DoseSettings
from radioembolization.errors import Infeasible, LimitError, SolverFailure, VialError
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, RESIN_Y90
from radioembolization.planning import (
    Effort,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    LowestColdestMean,
    LowestDose,
    LowestEUD,
    LungDose,
    MeanDose,
    TerritoryNormalLiverDose,
    TotalActivity,
    VolumeAbove,
    WorstTumourMean,
    maximize,
)
from radioembolization.planning.solve import optimize
from radioembolization.planning.vial_calendar import VialCalendar
from radioembolization.planning.vial_choice import choose_vials
from radioembolization.planning.vial_supply import SharedVials, WholeVials

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=60)
#: Independent of the package: TheraSphere package insert; evaluations differ by 0.2 % at most.
HALF_LIFE_H = 64.1
NORMAL = "normal liver"


def phantom(seed, sites=6, device=GLASS_Y90, voxels=1500, tumours=2):
    dose = planning_phantom(voxels, sites=sites, tumours=tumours, seed=seed)
    return replace(dose, settings=DoseSettings(device))


def enumerated(dose, levels, most, within, score):
    """Return the best score of every vial (or none) at every site, with at most some sites, in plain numpy."""
    sites, best, plan = len(dose.site_names), -np.inf, None
    for count in range(1, most + 1):
        for used in combinations(range(sites), count):
            for activities in product(levels, repeat=count):
                x = np.zeros(sites)
                x[list(used)] = activities
                gy = x @ dose.rows.astype(float)
                if within(x, gy):
                    value = score(gy)
                    if value > best:
                        best, plan = value, x
    return best, plan


def voxels_of(dose, name):
    return next(s.voxels for s in dose.structures if s.name == name)


def tumours_of(dose):
    return [s.voxels for s in dose.structures if s.name.startswith("tumour")]


def hottest_mean(gy, part):
    """Mean of the hottest part of voxels of equal mass, the last one counted with its share."""
    ordered, wanted = np.sort(gy)[::-1], part * len(gy)
    whole = int(wanted)
    return (ordered[:whole].sum() + (wanted - whole) * ordered[min(whole, len(gy) - 1)]) / wanted


#: Goals with their value in numpy, and further limits with their check in numpy.
GOALS = (
    (LowestDose(), lambda dose, gy: min(gy[v].min() for v in tumours_of(dose))),
    (WorstTumourMean(), lambda dose, gy: min(gy[v].mean() for v in tumours_of(dose))),
    (LowestColdestMean(30.0), lambda dose, gy: min(-hottest_mean(-gy[v], 0.3) for v in tumours_of(dose))),
)


def more_limits(kind, dose):
    normal = voxels_of(dose, NORMAL)
    tumour = tumours_of(dose)[0]
    return (
        (None, lambda x, gy: True),
        (HottestMean(NORMAL, percent=30).at_most(gy=70), lambda x, gy: hottest_mean(gy[normal], 0.3) <= 70 * 1.000001),
        (MeanDose("tumour 1").at_least(gy=60), lambda x, gy: gy[tumour].mean() >= 60 * 0.999999),
        (InjectionActivity().at_least(gbq=0.45), lambda x, gy: x[x > 0].min() >= 0.45 * 0.999999),
        (VolumeAbove(NORMAL, gy=40).at_most(percent=40), lambda x, gy: (gy[normal] > 40).mean() <= 0.4 * 1.000001),
        (
            TerritoryNormalLiverDose().at_most(gy=150),
            lambda x, gy: all(
                gy[normal[dose.perfused[j][normal]]].mean() <= 150 * 1.000001
                for j in np.flatnonzero(x)
                if dose.perfused[j][normal].any()
            ),
        ),
    )[kind]


def check_against_enumeration(seed):
    """Compare one random case; goals, limits, sizes, hours and residuals follow from the seed."""
    rng = np.random.default_rng(1000 + seed)
    dose = phantom(seed)
    goal, score = GOALS[seed % 3]
    limit, met = more_limits(seed % 6, dose)
    most = 1 + seed % 3
    two = seed % 5 == 4
    sizes = np.round(np.sort(rng.uniform(0.4, 6.0, 3 if two else 5)), 2)
    hours, residual = rng.uniform(-30.0, 100.0), rng.uniform(0.0, 0.2)
    calendar = VialCalendar.of(GLASS_Y90, [NOON], sizes.tolist(), residual=residual, supply=WholeVials(2 if two else 1))
    limits = [MeanDose(NORMAL).at_most(gy=60), LungDose().at_most(gy=30), InjectionSites().at_most(count=most)]
    problem = maximize(goal).subject_to(*limits, *([] if limit is None else [limit]))
    factor = (1.0 - residual) * 2.0 ** (-hours / GLASS_Y90.nuclide.half_life_h)
    combined = [sum(c) for n in range(1, 3 if two else 2) for c in combinations_with_replacement(sizes, n)]
    normal = voxels_of(dose, NORMAL)

    def within(x, gy):
        lung = dose.lung_gy_per_gbq @ x
        return gy[normal].mean() <= 60 * 1.000001 and lung <= 30 * 1.000001 and met(x, gy)

    best, plan = enumerated(dose, sorted(set(combined * np.array(factor))), most, within, lambda gy: score(dose, gy))
    at = NOON + timedelta(hours=hours)
    if plan is None or best <= 0:
        with pytest.raises((VialError, Infeasible)):
            choose_vials(problem, dose, calendar, at)
        return False
    found = choose_vials(problem, dose, calendar, at)
    assert found.chosen.value == pytest.approx(best, rel=1e-6)
    assert found.bound == pytest.approx(best, rel=1e-6)
    assert found.bound >= found.chosen.value
    assert found.status == "optimal"
    assert found.gap <= 1e-6
    assert all(limit.met for limit in found.plan.limits)
    delivered = [i.delivered_gbq for i in found.chosen.injections]
    assert all(min(abs(d / (c * factor) - 1) for c in combined) < 1e-9 for d in delivered)
    return True


@pytest.mark.parametrize("seed", range(6))
def test_the_vials_chosen_are_the_best_of_all_there_are(seed):
    check_against_enumeration(seed)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(6, 56))
def test_the_vials_chosen_are_the_best_of_all_there_are_in_many_cases(seed):
    check_against_enumeration(seed)


def glass(sizes, hours=60, **more):
    """Return a problem-independent choice: calendar of glass with these sizes, and the hour of injection."""
    return VialCalendar.of(GLASS_Y90, [NOON], sizes, **more), NOON + timedelta(hours=hours)


LIMITS = (MeanDose(NORMAL).at_most(gy=60), LungDose().at_most(gy=30), InjectionSites().at_most(count=2))
PROBLEM = maximize(WorstTumourMean()).subject_to(*LIMITS)


def test_the_plan_is_that_of_the_delivered_activities_and_its_microspheres():
    dose = phantom(0)
    calendar, at = glass([1.0, 2.0, 4.0, 8.0], residual=0.1)
    found = choose_vials(PROBLEM, dose, calendar, at)
    x = found.plan.activities_gbq
    assert x.sum() == pytest.approx(sum(i.delivered_gbq for i in found.chosen.injections))
    assert found.plan.goal.value == pytest.approx(WorstTumourMean().value(dose, x))
    assert {site.name for site in found.plan.used_sites} == {i.site for i in found.chosen.injections}
    for site in found.plan.used_sites:
        (injection,) = (i for i in found.chosen.injections if i.site == site.name)
        (vial,) = injection.vials
        # 60 h of decay, 10 % residual; the spheres of the vial are those at calibration, 2500 Bq each.
        assert site.activity_gbq == pytest.approx(vial.calibrated_gbq * 0.9 * 2 ** (-60 / HALF_LIFE_H), rel=1e-3)
        assert site.microspheres == pytest.approx(0.9 * vial.calibrated_gbq * 1e9 / 2500.0)
    assert found.plan.unproved


def test_what_whole_vials_lose_against_free_activities():
    dose = phantom(0)
    free = optimize(PROBLEM.goal, PROBLEM.limits, dose, effort=Effort(fewer_within=None)).optimum
    found = choose_vials(PROBLEM, dose, *glass([1.0, 2.0, 4.0, 8.0]))
    assert found.free_value == pytest.approx(free, rel=1e-5)
    assert found.chosen.loss == pytest.approx(1.0 - found.chosen.value / free, abs=1e-5)
    finer = choose_vials(PROBLEM, dose, *glass(np.arange(1.0, 8.0, 0.1).tolist()))
    assert found.chosen.value < finer.chosen.value < free
    assert finer.chosen.loss < 0.05


def test_the_next_best_vials_leave_none_out():
    dose = phantom(1)
    sizes = [2.0, 3.0, 5.0]
    calendar, at = glass(sizes)
    found = choose_vials(PROBLEM, dose, calendar, at, alternatives=4)
    factor = 0.994 * 2.0 ** (-60 / GLASS_Y90.nuclide.half_life_h)
    scores = []
    for used in [*combinations(range(6), 1), *combinations(range(6), 2)]:
        for sizes_used in product(sizes, repeat=len(used)):
            x = np.zeros(6)
            x[list(used)] = np.array(sizes_used) * factor
            if all(limit.is_met(dose, x) for limit in LIMITS):
                scores.append(WorstTumourMean().value(dose, x))
    expected = sorted(scores, reverse=True)[:5]
    assert [found.chosen.value, *(a.value for a in found.alternatives)] == pytest.approx(expected, rel=1e-9)
    plans = {s.activities_gbq for s in (found.chosen, *found.alternatives)}
    assert len(plans) == 5


def test_each_site_has_the_hour_of_its_session():
    dose = phantom(2)
    calendar, _ = glass([1.0, 2.0, 4.0, 8.0])
    names = dose.site_names
    at = {names[0]: NOON + timedelta(hours=24), names[1]: NOON + timedelta(hours=48), names[5]: NOON}
    found = choose_vials(PROBLEM, dose, calendar, at)
    assert {i.site for i in found.chosen.injections} <= set(at)
    for injection in found.chosen.injections:
        hours = (at[injection.site] - NOON).total_seconds() / 3600
        content = sum(v.calibrated_gbq for v in injection.vials)
        assert injection.activity_gbq == pytest.approx(content * 2 ** (-hours / HALF_LIFE_H), rel=1e-3)


def test_no_vial_small_enough_names_the_nearest():
    dose = phantom(0)
    with pytest.raises(VialError, match=r"Nearest: 60 GBq at .* misses '.*' by .* Gy") as refused:
        choose_vials(PROBLEM, dose, *glass([60.0, 80.0], hours=0))
    assert "smaller vial" in str(refused.value)


def test_vials_between_which_a_lower_limit_lies_are_refused():
    dose = phantom(0)
    best = optimize(PROBLEM.goal, PROBLEM.limits, dose, effort=Effort(fewer_within=None))
    narrow = PROBLEM.subject_to(*(MeanDose(f"tumour {k}").at_least(gy=0.99 * best.optimum) for k in (1, 2)))
    with pytest.raises(VialError, match="Nearest"):
        choose_vials(narrow, dose, *glass([3.0, 30.0]))


def test_limits_that_contradict_each_other_are_no_matter_of_vials():
    with pytest.raises(Infeasible):
        choose_vials(PROBLEM.subject_to(MeanDose("tumour 1").at_least(gy=1e4)), phantom(0), *glass([3.0]))


def test_a_time_limit_without_any_vials_is_said():
    with pytest.raises(SolverFailure, match="time limit"):
        choose_vials(PROBLEM, phantom(0), *glass([3.0]), Effort(time_limit_s=1e-9, fewer_within=None))


def test_goals_without_planes_and_other_devices_are_refused():
    dose = phantom(0)
    eud = maximize(LowestEUD(alpha_per_gy=0.005)).subject_to(*LIMITS)
    with pytest.raises(LimitError, match="Whole vials"):
        choose_vials(eud, dose, *glass([3.0]))
    with pytest.raises(VialError, match="the doses those of"):
        choose_vials(PROBLEM, phantom(0, device=RESIN_Y90), *glass([3.0]))
    with pytest.raises(VialError, match="No site"):
        choose_vials(PROBLEM, dose, glass([3.0])[0], {"spleen": NOON})
    with pytest.raises(VialError, match="time zone"):
        choose_vials(PROBLEM, dose, glass([3.0])[0], datetime(2026, 3, 1, 12))
    with pytest.raises(VialError, match="Alternatives"):
        choose_vials(PROBLEM, dose, *glass([3.0]), alternatives=-1)


def test_resin_is_drawn_from_shared_vials():
    dose = phantom(3, device=RESIN_Y90)
    calendar = VialCalendar.of(RESIN_Y90, [NOON])
    free = optimize(PROBLEM.goal, PROBLEM.limits, dose, effort=Effort(fewer_within=None))
    at = NOON + timedelta(hours=24)
    found = choose_vials(PROBLEM, dose, calendar, at)
    assert found.chosen.loss == pytest.approx(0.0, abs=1e-6)
    assert found.plan.activities_gbq.sum() == pytest.approx(free.activities_gbq.sum(), rel=1e-4)
    (line,) = found.orders
    content = line.count * 3.0 * 2 ** (-24 / HALF_LIFE_H)
    prepared = sum(i.activity_gbq for i in found.chosen.injections)
    assert prepared == pytest.approx(found.plan.activities_gbq.sum() / 0.97)
    assert prepared <= content * (1 + 1e-3)
    assert prepared > content * (line.count - 1) / line.count
    assert set(line.sites) == {i.site for i in found.chosen.injections}
    # Later the same activity is a larger part, until the vials hold no more.
    hours = (line.latest - at).total_seconds() / 3600
    assert content * 2 ** (-hours / HALF_LIFE_H) == pytest.approx(prepared, rel=2e-3)
    assert found.window.ends_late_by == "content of the vials"


def test_one_vial_of_resin_limits_all_injections_together():
    dose = phantom(3, device=RESIN_Y90)
    calendar = VialCalendar.of(RESIN_Y90, [NOON], [1.0], supply=SharedVials(1))
    at = NOON + timedelta(hours=24)
    found = choose_vials(PROBLEM, dose, calendar, at)
    most = 0.97 * 2 ** (-24 / RESIN_Y90.nuclide.half_life_h)
    limited = PROBLEM.subject_to(TotalActivity().at_most(gbq=most))
    expected = optimize(limited.goal, limited.limits, dose, effort=Effort(fewer_within=None)).optimum
    assert found.chosen.value == pytest.approx(expected, rel=1e-5)
    assert found.chosen.loss > 0.01
    assert found.orders[0].count == 1


def test_holmium_is_made_for_each_injection():
    dose = phantom(4, device=HOLMIUM_HO166)
    calendar = VialCalendar.of(HOLMIUM_HO166, [NOON], residual=0.05)
    at = NOON + timedelta(hours=26.8)
    found = choose_vials(PROBLEM, dose, calendar, at)
    assert len(found.orders) == len(found.chosen.injections)
    for line, injection in zip(found.orders, found.chosen.injections, strict=True):
        # One half-life on the way: twice the prepared activity is ordered.
        assert line.calibrated_gbq == pytest.approx(2.0 * injection.delivered_gbq / 0.95, rel=1e-3)
        assert injection.bq_per_sphere == pytest.approx(170.0, rel=1e-3)
