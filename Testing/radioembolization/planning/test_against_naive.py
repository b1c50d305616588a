"""Plans against models written voxel by voxel in cvxpy, which share no code with the planner.

Random livers of 1e3 to 1e5 voxels for the activities; small ones, where every set of sites can be tried, for the
choice of sites.  Marked slow are the whole hundreds; a part of them always runs.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from naive_models import (
    Goal,
    NaiveLimits,
    SiteRule,
    best_plan,
    best_plan_of_all_subsets,
    caps_gbq,
    excess_gy,
    goal_gy,
    lowest_coldest_mean,
    lowest_dose,
    lowest_mean,
)
from planning_phantom import planning_phantom
from radioembolization import planning
from radioembolization.dose import DosePerGBq
from radioembolization.planning import (
    Effort,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    Limit,
    LowestColdestMean,
    LowestDose,
    LungDose,
    MeanDose,
    WorstTumourMean,
)
from radioembolization.planning.solve import Solution, optimize
from series import series
from support import random_rows

#: The interior-point solver of the reference states its objective to about 1e-7, the simplex solver to 1e-9.
SAME = 1e-5
#: Cases of activities without a choice of sites; three of them have 1e5 voxels.
ACTIVITY_CASES, LARGE_CASES = 100, (33, 66, 99)
CHOICE_CASES, TREE_CASES = 100, 40
#: Optimal to a tenth of the tolerance; no fewer sites for a slightly worse goal.
EFFORT = Effort(gap=0.1 * SAME, fewer_within=None)


@dataclass(frozen=True, eq=False)
class Case:
    """The same problem for the planner and for the reference."""

    dose: DosePerGBq
    goal: planning.Goal
    naive_goal: Goal
    limits: NaiveLimits
    rule: SiteRule | None = None

    def planner_limits(self) -> list[Limit]:
        """Return the limits and the rule as the planner has them."""
        limits = [MeanDose("normal liver").at_most(gy=self.limits.normal_mean_gy)]
        if self.limits.lung_gy is not None:
            limits.append(LungDose().at_most(gy=self.limits.lung_gy))
        if self.limits.hottest_gy is not None:
            hottest = HottestMean("normal liver", percent=self.limits.hottest_percent)
            limits.append(hottest.at_most(gy=self.limits.hottest_gy))
        if self.rule is not None:
            limits.append(InjectionSites().at_most(count=self.rule.at_most))
            if self.rule.minimum_gbq > 0:
                limits.append(InjectionActivity().at_least(gbq=self.rule.minimum_gbq))
        return limits

    def solve(self) -> Solution:
        """Return the plan of the planner."""
        return optimize(self.goal, self.planner_limits(), self.dose, effort=EFFORT)


def random_goal(rng: np.random.Generator) -> tuple[planning.Goal, Goal]:
    """Return one of three goals, for the planner and for the reference."""
    percent = float(rng.choice([2.0, 5.0, 30.0, 50.0]))
    pairs = (
        (LowestDose(), lowest_dose),
        (LowestColdestMean(percent), lowest_coldest_mean(percent)),
        (WorstTumourMean(), lowest_mean),
    )
    return pairs[rng.integers(len(pairs))]


def random_limits(rng: np.random.Generator) -> NaiveLimits:
    """Return limits on mean and lungs, in half of the cases on the hottest part too."""
    mean_gy = float(rng.uniform(30.0, 70.0))
    hottest_gy = float(mean_gy * rng.uniform(0.9, 2.0)) if rng.random() < 0.5 else None
    return NaiveLimits(mean_gy, float(rng.uniform(5.0, 30.0)), hottest_gy, float(rng.choice([10.0, 30.0, 33.3])))


def activity_case(number: int, most_voxels: float) -> Case:
    """Return a random liver with random goal and limits."""
    rng = np.random.default_rng([1, number])
    voxels = int(10 ** rng.uniform(3.0, np.log10(most_voxels)))
    sites, tumours = int(rng.integers(3, 33)), int(rng.integers(1, 8))
    goal, naive_goal = random_goal(rng)
    limits = random_limits(rng)
    if number in LARGE_CASES and most_voxels > 5e4:
        voxels = 100_000
    return Case(planning_phantom(voxels, sites, tumours, seed=number), goal, naive_goal, limits)


def choice_case(number: int) -> Case:
    """Return a small problem: a coarse liver, few compartments of unequal mass, or as many as have to be covered.

    In the last kind, greedy choices and single exchanges of sites often miss the best set.
    """
    rng = np.random.default_rng([2, number])
    goal, naive_goal = random_goal(rng)
    limits = random_limits(rng)
    spill = float(rng.choice([0.0, 0.05]))
    if number % 4 == 0:
        dose = planning_phantom(1000, int(rng.integers(4, 9)), int(rng.integers(1, 5)), seed=number)
        limits, most = replace(limits, hottest_gy=None), int(rng.integers(1, 4))
    elif number % 4 == 1:
        dose = random_rows(rng, int(rng.integers(4, 11)), int(rng.integers(1, 6)), spill=spill)
        most = int(rng.integers(1, 5))
    else:
        dose = random_rows(rng, int(rng.integers(9, 13)), int(rng.integers(5, 9)), spill=spill)
        most = int(rng.integers(3, 5))
    minimum = float(rng.uniform(0.1, 0.4) * caps_gbq(dose, limits).min()) if rng.random() < 0.4 else 0.0
    return Case(dose, goal, naive_goal, limits, SiteRule(most, minimum))


def tree_case(number: int) -> Case:
    """Return a choice among more sites, of a nested tree, of which some have to be given up."""
    rng = np.random.default_rng([3, number])
    rule = SiteRule(int(rng.integers(3, 6)), float(rng.choice([0.0, 0.15])))
    dose = planning_phantom(1000, int(rng.integers(20, 33)), int(rng.integers(5, 9)), seed=number)
    return Case(dose, *random_goal(rng), NaiveLimits(50.0, 30.0), rule)


def check_plan(case: Case, solution: Solution, expected: float) -> None:
    """Assert that a plan is optimal, that its bound holds, and that it is within its limits in float64."""
    activities = solution.activities_gbq
    assert goal_gy(case.naive_goal, case.dose, activities) == pytest.approx(expected, rel=SAME, abs=1e-6)
    assert solution.bound == pytest.approx(expected, rel=SAME, abs=1e-6)
    assert solution.bound >= goal_gy(case.naive_goal, case.dose, activities) * (1.0 - 1e-7)
    assert excess_gy(case.dose, case.limits, activities) <= 1e-6 * case.limits.normal_mean_gy
    assert np.all(activities >= 0)


def check_activities(number: int, most_voxels: float) -> None:
    """Compare a plan without a choice of sites; a variable for every voxel is left to the interior-point solver."""
    case = activity_case(number, most_voxels)
    solver = "HIGHS" if case.limits.hottest_gy is None else "CLARABEL"
    expected, _ = best_plan(case.naive_goal, case.dose, case.limits, solver=solver)
    check_plan(case, case.solve(), expected)


def check_choice(number: int) -> None:
    """Compare a choice of sites with all sets of sites, and with binaries."""
    case = choice_case(number)
    expected, _ = best_plan_of_all_subsets(case.naive_goal, case.dose, case.limits, case.rule)
    by_binaries, _ = best_plan(case.naive_goal, case.dose, case.limits, case.rule)
    assert by_binaries == pytest.approx(expected, rel=SAME, abs=1e-6)
    check_choice_of(case, expected)


def check_choice_of(case: Case, expected: float) -> None:
    """Assert that a plan is optimal and follows the rule on its sites."""
    solution = case.solve()
    used = solution.activities_gbq[solution.activities_gbq > 0]
    assert len(used) <= case.rule.at_most
    assert np.all(used >= case.rule.minimum_gbq * (1.0 - 1e-6))
    check_plan(case, solution, expected)


def check_choice_in_a_tree(number: int) -> None:
    """Compare a choice of sites with binaries alone."""
    case = tree_case(number)
    expected, _ = best_plan(case.naive_goal, case.dose, case.limits, case.rule)
    check_choice_of(case, expected)


@pytest.mark.parametrize("number", series(range(20), 8))
def test_activities_are_those_of_the_model_of_all_voxels(number):
    check_activities(number, most_voxels=1e4)


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(ACTIVITY_CASES))
def test_activities_of_large_livers_are_those_of_the_model_of_all_voxels(number):
    check_activities(number, most_voxels=1e5)


@pytest.mark.parametrize("number", series(range(24), 2))
def test_sites_are_those_found_by_trying_all_sets(number):
    check_choice(number)


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(24, CHOICE_CASES))
def test_more_sites_are_those_found_by_trying_all_sets(number):
    check_choice(number)


@pytest.mark.parametrize("number", series(range(12), 4))
def test_sites_of_a_tree_are_those_found_with_binaries(number):
    check_choice_in_a_tree(number)


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(12, TREE_CASES))
def test_more_sites_of_a_tree_are_those_found_with_binaries(number):
    check_choice_in_a_tree(number)
