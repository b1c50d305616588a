"""The best course against enumeration: all kinds and schedules, each optimized by itself."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

import naive_course
from course_cases import course_problem, holmium, liver_limit, random_course, sourced
from naive_course import best_value, every_schedule, value_of
from radioembolization.course.budget import OrganBudget
from radioembolization.course.course_problem import Repopulation
from radioembolization.course.objective import lesion_doses_gy, objectives
from radioembolization.course.plan_course import plan_course
from radioembolization.course.schedule import WeekGrid
from radioembolization.course.sequence import optimize_kinds
from radioembolization.course.sessions import Session
from radioembolization.planning import InjectionActivity
from series import series
from support import random_rows

#: Levels of BED are tried in steps of 1e-4 of their value, and margins closed to 1e-3 of a Gy.
CLOSE = 1.5e-3


def check_against_enumeration(problem):
    course = plan_course(problem)
    values = {schedule: best_value(problem, schedule) for schedule in every_schedule(problem)}
    best = max(values.values())
    assert course.bound >= best - 1e-6 * abs(best)
    assert course.objective <= best + 1e-5 * max(1.0, abs(best))
    assert course.objective >= course.bound - course.gap * abs(course.bound) - 1e-9
    assert best - course.objective <= CLOSE * max(1.0, abs(best))
    # A schedule may also be plainly inside or outside of a hundredth of the best by its own optimum.
    possible = [value for value in values.values() if np.isfinite(value)]
    surely = sum(value >= (0.99 + 2.0 * CLOSE) * best for value in possible)
    perhaps = sum(value >= (0.99 - 2.0 * CLOSE) * best for value in possible)
    assert surely <= course.ties.schedules <= perhaps
    assert course.ties.of == len(possible)
    return course, best


@pytest.mark.slow
@pytest.mark.parametrize("seed", series(range(50), 3))
def test_random_courses(seed):
    check_against_enumeration(random_course(np.random.default_rng(seed)))


@pytest.mark.parametrize("seed", series(range(50, 54), 1))
def test_some_random_courses(seed):
    problem = random_course(np.random.default_rng(seed), most_cycles=2, cycle_activities_gbq=(7.4,))
    check_against_enumeration(problem)


@pytest.mark.parametrize("seed", series(range(4), 1))
def test_two_lobar_sessions(seed):
    # Every tumour lies in one lobe, so that it gets dose in one session.
    rng = np.random.default_rng(seed)
    dose = holmium(random_rows(rng, 4, 4, own_territories=True))
    lobes = (Session("right", ("1", "2")), Session("left", ("3", "4")))
    lesions = {f"T{i}": rng.uniform(0.5, 5.0) for i in range(4)}
    plans, weeks = ((), lobes, lobes[::-1]), WeekGrid((7,), (4, 6), (4, 5), (8,))
    check_against_enumeration(course_problem(dose, lesions, most_cycles=2, session_plans=plans, weeks=weeks))


@pytest.mark.parametrize("weeks", [WeekGrid((1, 7), (1, 4), (4,), (8,)), WeekGrid((1,), (1, 2, 9), (4,), (8,))])
@pytest.mark.parametrize("lesions_too", [False, True])
@pytest.mark.parametrize("seed", series(range(3), 1))
def test_cross_terms_that_matter(weeks, lesions_too, seed):
    # A week after 177Lu, unrepaired damage moves limits and lesions by percents: the bound has to hold for schedules
    # that leave more than the limits the plan keeps.
    problem = random_course(
        np.random.default_rng(seed), least_cycles=2, most_cycles=2, weeks=weeks, cycle_activities_gbq=(7.4,)
    )
    names = problem.tissues if lesions_too else ("normal liver",)
    slow = {name: replace(problem.tissues[name], repair_half_time_h=sourced(20.0)) for name in names}
    problem = replace(problem, tissues={**problem.tissues, **slow})
    course = plan_course(problem)
    values = [best_value(problem, schedule) for schedule in every_schedule(problem)]
    assert course.bound >= max(values) * (1.0 - 1e-6)
    assert course.objective <= max(values) * (1.0 + 1e-5)
    assert course.objective >= course.bound - course.gap * abs(course.bound) - 1e-9


def test_the_bound_holds_where_plans_cannot_be_scaled():
    # Every injection has at least some activity, so a plan within the loosest limits cannot be divided.
    problem = random_course(
        np.random.default_rng(3), least_cycles=2, most_cycles=2, weeks=WeekGrid((1, 7), (1, 9), (4,), (8,))
    )
    liver = replace(problem.tissues["normal liver"], repair_half_time_h=sourced(20.0))
    problem = replace(problem, tissues={**problem.tissues, "normal liver": liver})
    least = InjectionActivity().at_least(gbq=0.01)
    limited = replace(problem, problem=replace(problem.problem, limits=(*problem.problem.limits, least)))
    free, bound = plan_course(problem), plan_course(limited).bound
    values = [best_value(problem, schedule) for schedule in every_schedule(problem)]
    assert max(values) * (1.0 - 1e-6) <= bound <= free.bound * (1.0 + CLOSE)


@pytest.mark.parametrize("seed", range(3))
def test_ties_are_counted_for_the_plan_of_each_kind(seed):
    problem = random_course(np.random.default_rng(20 + seed), most_cycles=2, cycle_activities_gbq=(7.4,))
    results = [result for result in optimize_kinds(problem) if result.may_be_given]
    own = []
    for result in results:
        for row in result.effects.weeks.tolist():
            schedule = naive_course.Schedule(
                result.kind.activity_gbq,
                tuple(row[: result.kind.cycles]),
                result.kind.sessions,
                tuple(row[result.kind.cycles :]),
            )
            own.append(value_of(problem, schedule, result.activities_gbq))
    assert np.concatenate([result.objective for result in results]) == pytest.approx(own)
    course = plan_course(problem)
    assert course.objective == pytest.approx(max(own))
    assert course.ties.schedules == sum(value >= 0.99 * max(own) for value in own)
    assert course.ties.of == len(own)


@pytest.mark.exhaustive
def test_repopulation_cannot_change_the_ties_beyond_what_it_takes():
    # 0.02 Gy a day take 0.7 Gy of the 35 days that schedules differ by, less than 1 % of what all of them reach.
    problem = random_course(np.random.default_rng(5), most_cycles=2, weeks=WeekGrid((7, 8, 9), (4, 8, 12), (4,), (8,)))
    plain = plan_course(problem)
    slow = plan_course(replace(problem, repopulation=Repopulation(0.02)))
    fast = plan_course(replace(problem, repopulation=Repopulation(0.1)))
    assert plain.objective > 150.0
    assert (slow.kind, slow.ties.kinds) == (plain.kind, plain.ties.kinds)
    lost = 0.1 * 7.0 * (9 + 12 + 9)
    assert plain.objective - lost <= fast.objective <= plain.objective
    # A schedule is tied with 0.1 Gy a day only if it is within 1 % and what growth takes without it.
    near = plain.objective - 0.01 * plain.objective - lost
    values = [best_value(problem, schedule) for schedule in every_schedule(problem)]
    assert fast.ties.schedules <= sum(value >= near for value in values)
    check_against_enumeration(replace(problem, repopulation=Repopulation(0.1, kick_off_days=28.0)))


def test_a_budget_of_bed_takes_out_single_schedules():
    problem = course_problem(most_cycles=2, weeks=WeekGrid((1, 8), (4,), (4,), (8,)), organs={"kidney": 1.0})
    parts = [naive_course.bed_gy(problem, naive_course.Schedule(7.4, (0, week), (), ()), "kidney") for week in (1, 8)]
    assert parts[0] > parts[1] * 1.001
    budget = OrganBudget("kidney BED", "kidney", "both", sum(parts) / 2.0, is_bed=True)
    course = plan_course(replace(problem, budgets=(budget,)))
    assert course.kind.startswith("2 x 177Lu")
    assert [one.week for one in course.administrations[:2]] == [0, 8]
    assert all(balance.kept for balance in course.balances)
    check_against_enumeration(replace(problem, budgets=(budget,)))


@pytest.mark.parametrize("seed", range(3))
def test_shortfall_of_an_aim(seed):
    rng = np.random.default_rng(seed)
    problem = random_course(rng, most_cycles=2, cycle_activities_gbq=(7.4,), limits=(liver_limit(25.0),))
    aim, weights = 600.0, {"T0": 3.0}
    course = plan_course(replace(problem, aim_bed_gy=aim, weights=weights))
    values = []
    for schedule in every_schedule(problem):
        beyond = [max(0.0, aim - naive_course.bed_gy(problem, schedule, n)) for n in problem.extrahepatic_lesions]
        rows, needed = [], []
        for name in problem.hepatic_lesions:
            (row,) = naive_course.lesion_rows(problem, name)
            slope = naive_course.slope_of(problem, schedule, name, 0) if schedule.sessions else 1.0
            missing, k = aim - naive_course.bed_gy(problem, schedule, name), naive_course.curvature(problem, name)
            needed.append((-slope + np.sqrt(slope**2 + 4.0 * k * missing)) / (2.0 * k) if missing > 0.0 else 0.0)
            rows.append(row)
        weight = np.array([weights.get(name, 1.0) for name in problem.hepatic_lesions])
        if not schedule.sessions:
            values.append(-float(weight @ needed) - sum(beyond))
            continue
        # Activities, then what each lesion is short of.
        liver, count = naive_course.mean_row(problem.dose, problem.dose.structure("normal liver").voxels), len(rows)
        matrix = np.vstack([np.hstack([-np.array(rows), -np.eye(count)]), np.concatenate([liver, np.zeros(count)])])
        sides = [*(-gy for gy in needed), naive_course.remaining_gy(problem, schedule)]
        found = linprog(np.concatenate([np.zeros(len(liver)), weight]), matrix, sides)
        values.append(-found.fun - sum(beyond))
    best = max(values)
    assert best < -1.0
    assert course.bound >= best - 1e-6 * abs(best)
    assert course.objective == pytest.approx(best, rel=1e-4)
    assert course.objective <= best + 1e-6 * abs(best)


def test_two_injections_of_one_site_are_bounded_nevertheless():
    # Both sessions may inject every site: BED depends on how a dose is divided, and the bound must hold for any.
    problem = course_problem(most_cycles=1, session_plans=((Session("first"), Session("again")),))
    course = plan_course(problem)
    rng, results = np.random.default_rng(1), optimize_kinds(problem)
    for result in results:
        if result.rows is None:
            continue
        for _ in range(200):
            x = rng.uniform(0.0, 1.0, len(result.activities_gbq))
            x *= min(limit.quantity.largest_scale(result.rows.dose, x, limit.bound) for limit in result.limits)
            values, _ = objectives(result.effects, lesion_doses_gy(result.rows, x, problem))
            assert values.max() <= course.bound * (1.0 + 1e-9)
    assert course.gap < 0.5
