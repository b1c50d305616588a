"""Plans under dose-volume limits: against one binary for every voxel, against fine grids, over many cases."""

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.errors import Infeasible, LimitError
from radioembolization.planning import (
    DoseAtVolume,
    Effort,
    HepaticReserve,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    LowestColdestMean,
    LowestDose,
    LowestDoseAtVolume,
    LowestEUD,
    LungDose,
    MeanBED,
    MeanDose,
    StructureMean,
    VolumeAbove,
    VoxelShortfall,
    WorstTumourMean,
)
from radioembolization.planning.solve import optimize
from radioembolization.planning.volumes.check import verify_volumes
from series import series
from volume_cases import ACCURACY, N, best_by_binaries, limits_of, small_rows

BASE = [MeanDose(N).at_most(gy=50), LungDose().at_most(gy=30)]
V40 = VolumeAbove(N, 40.0).at_most(percent=30)
FINE = Effort(volume_gap=5e-3)


def met(limits, dose, solution):
    return all(limit.is_met(dose, solution.activities_gbq) for limit in limits)


def only(dose, *sites):
    return np.isin(np.arange(len(dose.site_names)), sites)


def confirmed(found, goal, limits, dose):
    """The bound as the check without a solver finds it."""
    value = goal.value(dose, found.activities_gbq)
    return verify_volumes(found.volumes, goal, limits, dose, found.activities_gbq, value).bound


def _kinds_and_seeds():
    """Every kind of limits and every goal, not each with each; the rest where it is asked for."""
    default = {("upper", 0), ("lower", 0), ("reserve", 1), ("two", 0), ("dx", 2)}
    for kind in ("upper", "lower", "reserve", "two", "dx"):
        for seed in range(3):
            marks = () if (kind, seed) in default else (pytest.mark.exhaustive,)
            yield pytest.param(kind, seed, marks=marks, id=f"{seed}-{kind}")


@pytest.mark.parametrize(("kind", "seed"), list(_kinds_and_seeds()))
def test_bound_and_plan_enclose_the_optimum_of_one_binary_for_each_voxel(kind, seed):
    rng = np.random.default_rng(100 + seed)
    dose = small_rows(rng, sites=2 + seed % 2)
    limits = limits_of(kind, dose)
    goal = (LowestDose(), WorstTumourMean(), LowestColdestMean(30.0))[seed]
    expected = best_by_binaries(goal, limits, dose)
    if expected == -np.inf:
        with pytest.raises(Infeasible):
            optimize(goal, limits, dose, effort=FINE)
        return
    found = optimize(goal, limits, dose, effort=FINE)
    assert found.bound >= expected * (1.0 - ACCURACY)
    assert found.optimum <= expected * (1.0 + ACCURACY)
    assert found.bound <= found.optimum * 1.006
    assert met(limits, dose, found)
    assert found.optimum == pytest.approx(goal.value(dose, found.activities_gbq))


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold_for_more_sites(seed):
    # With this few voxels no gap is promised, but no bound may be wrong.
    rng = np.random.default_rng(seed)
    dose = small_rows(rng, sites=int(rng.integers(4, 8)))
    limits = limits_of(("upper", "lower", "reserve", "dx")[seed % 4], dose)
    goal = (LowestDose(), WorstTumourMean(), StructureMean("T0"))[seed % 3]
    expected = best_by_binaries(goal, limits, dose)
    if expected == -np.inf:
        with pytest.raises(Infeasible):
            optimize(goal, limits, dose)
        return
    found = optimize(goal, limits, dose, effort=Effort(time_limit_s=5.0))
    assert found.bound >= expected * (1.0 - ACCURACY)
    assert found.optimum <= expected * (1.0 + ACCURACY)
    assert met(limits, dose, found)


@pytest.mark.parametrize("goal", [LowestDose(), LowestDoseAtVolume(95.0)], ids=lambda goal: goal.name)
def test_two_sites_against_a_fine_grid(goal):
    dose = planning_phantom(4000, sites=8, tumours=2, seed=1)
    limits, sites = [*BASE, V40], only(dose, 6, 3)
    found = optimize(goal, limits, dose, sites, FINE)
    best = 0.0
    for share in np.linspace(0.0, 1.0, 201):
        x = np.zeros(8)
        x[[6, 3]] = share, 1.0 - share
        scale = min(limit.quantity.largest_scale(dose, x, limit.bound) for limit in limits)
        best = max(best, goal.value(dose, scale * (1.0 - 1e-9) * x))
    assert best * (1.0 - 1e-9) <= found.bound
    assert found.bound <= found.optimum * 1.006
    assert found.optimum >= 0.995 * best
    assert met(limits, dose, found)


@pytest.mark.parametrize("seed", series(range(4), 1))
def test_the_bound_is_above_every_plan(seed):
    # Plans by other means: random directions scaled into the limits, and the convex restriction.
    dose = planning_phantom(1500, sites=8, tumours=3, seed=seed)
    limits, goal = [*BASE, V40], (LowestDose(), LowestColdestMean(30.0))[seed % 2]
    found = optimize(goal, limits, dose)
    restricted = optimize(goal, [*BASE, HottestMean(N, percent=30).at_most(gy=40)], dose)
    assert restricted.optimum <= found.optimum * (1.0 + 1e-6)
    rng = np.random.default_rng(seed)
    for _ in range(200):
        x = rng.exponential(size=8) * (rng.random(8) < 0.6) + 1e-3
        scale = min(limit.quantity.largest_scale(dose, x, limit.bound) for limit in limits)
        assert goal.value(dose, scale * (1.0 - 1e-9) * x) <= found.bound
    assert met(limits, dose, found)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(60))
def test_no_method_finds_a_plan_above_the_bound(seed):
    dose = planning_phantom(800, sites=5 + seed % 8, tumours=2 + seed % 3, seed=seed)
    limits = [*BASE, (V40, HepaticReserve(15.0).at_least(percent=40))[seed % 2]]
    goal = (LowestDose(), LowestColdestMean(30.0), WorstTumourMean())[seed % 3]
    short = optimize(goal, limits, dose, effort=Effort(time_limit_s=1.0))
    long = optimize(goal, limits, dose, effort=Effort(volume_gap=2e-3, time_limit_s=4.0))
    assert max(short.optimum, long.optimum) <= min(short.bound, long.bound) * (1.0 + 1e-7)


@pytest.mark.exhaustive
def test_given_sites_reach_two_per_cent_on_many_voxels():
    dose = planning_phantom(50_000, seed=0)
    limits = [*BASE, V40]
    for sites in ((27, 28), (0, 8, 27, 31)):
        found = optimize(LowestDose(), limits, dose, only(dose, *sites))
        assert found.bound <= 1.02 * found.optimum * (1.0 + 1e-6)
        assert met(limits, dose, found)


@pytest.mark.exhaustive
@pytest.mark.parametrize("voxels", [100_000, 1_000_000])
def test_free_sites_reach_two_per_cent(voxels):
    dose = planning_phantom(voxels, seed=0)
    limits = [*BASE, V40]
    found = optimize(LowestDose(), limits, dose)
    assert found.bound <= 1.02 * found.optimum * (1.0 + 1e-6)
    assert confirmed(found, LowestDose(), limits, dose) == pytest.approx(found.bound, rel=1e-5)


MIXED = {
    "a tumour dose from below": (LowestDose(), [*BASE, V40, DoseAtVolume("tumour 1", 95.0).at_least(gy=60)]),
    "BED and the hottest part": (
        LowestColdestMean(30.0),
        [*BASE, V40, MeanBED(N).at_most(gy=70), HottestMean(N, percent=10).at_most(gy=120)],
    ),
    "a goal to minimize": (VoxelShortfall("tumour 3", 1000.0), [*BASE, V40]),
    "D70 of every tumour": (LowestDoseAtVolume(70.0), [*BASE, V40]),
}


@pytest.mark.parametrize("case", series(list(MIXED), 3))
def test_other_limits_and_goals_go_along(case):
    goal, limits = MIXED[case]
    sites = 3 if isinstance(goal, LowestDoseAtVolume) else 8
    dose = planning_phantom(3000, sites=sites, tumours=2 if sites == 3 else 3, seed=1)
    found = optimize(goal, limits, dose)
    worse = (found.bound - found.optimum) * (1.0 if goal.maximized else -1.0)
    assert 0.0 <= worse <= 0.021 * max(abs(found.bound), 1.0)
    assert found.status == "gap"
    assert met(limits, dose, found)
    if found.volumes is not None:  # else the bound is that without dose-volume limits
        assert confirmed(found, goal, limits, dose) == pytest.approx(found.bound, rel=1e-5)


def test_a_limit_that_does_not_bind_leaves_the_plan_optimal():
    dose = planning_phantom(1500, sites=8, tumours=3, seed=1)
    limits = [*BASE, VolumeAbove(N, 300.0).at_most(percent=90)]
    found = optimize(WorstTumourMean(), limits, dose)
    assert found.status == "optimal"
    assert found.optimum == pytest.approx(optimize(WorstTumourMean(), BASE, dose).optimum)
    assert found.certificate() is not None


@pytest.mark.parametrize("least", [[], [InjectionActivity().at_least(gbq=0.3)]], ids=["number", "least activity"])
def test_rules_of_sites_hold(least):
    dose = planning_phantom(3000, sites=8, tumours=3, seed=1)
    limits = [*BASE, V40, InjectionSites().at_most(count=3), *least]
    found = optimize(LowestDose(), limits, dose)
    assert met(limits, dose, found)
    assert 1 <= np.count_nonzero(found.activities_gbq) <= 3
    assert found.optimum <= found.bound <= 1.15 * found.optimum


def test_limits_that_contradict_each_other_are_proved_to_do_so():
    # Two doses of one tumour: less than 30 % above 80 Gy, and yet 60 % with 90 Gy.
    dose = planning_phantom(1500, sites=8, tumours=3, seed=1)
    limits = [VolumeAbove("tumour 1", 80.0).at_most(percent=30), DoseAtVolume("tumour 1", 60.0).at_least(gy=90)]
    with pytest.raises(Infeasible, match=r"proved by a search over doses.*D60, tumour 1") as error:
        optimize(LowestDose(), [*limits, LungDose().at_most(gy=30)], dose)
    assert any("D60" in name for name in error.value.excess)


def test_goals_of_margins_are_refused_by_name():
    dose = planning_phantom(1500, sites=4, tumours=1, seed=1)
    with pytest.raises(LimitError, match=r"equivalent uniform dose.*cannot be combined with dose-volume limits"):
        optimize(LowestEUD(alpha_per_gy=0.02), [*BASE, V40], dose)


# Time, repetition, cancelling.


def test_the_time_limit_leaves_a_plan_and_a_bound():
    dose = planning_phantom(20_000, seed=3)
    found = optimize(LowestDose(), [*BASE, V40], dose, effort=Effort(volume_gap=1e-6, time_limit_s=1.0))
    assert met([*BASE, V40], dose, found)
    assert found.optimum < found.bound < 2.0 * found.optimum


def test_the_same_case_gives_the_same_plan_and_bound():
    dose = planning_phantom(3000, sites=10, seed=2)
    one, other = (optimize(LowestDose(), [*BASE, V40], dose, effort=Effort(volume_gap=0.05)) for _ in range(2))
    np.testing.assert_array_equal(one.activities_gbq, other.activities_gbq)
    assert one.bound == other.bound


def test_an_exception_of_the_progress_function_ends_the_work():
    seen = []

    class Cancelled(Exception):
        pass

    def stop(what, step, steps):
        seen.append(what)
        if what == "dose-volume limits" and step == 3:
            raise Cancelled

    dose = planning_phantom(3000, sites=16, seed=2)
    with pytest.raises(Cancelled):
        optimize(LowestDose(), [*BASE, V40], dose, effort=Effort(volume_gap=1e-4, progress=stop))
    assert "plans within dose-volume limits" in seen
