"""The best course: its rules, its sentences, and what it says of itself."""

from dataclasses import replace

import numpy as np
import pytest

import naive_course
from course_cases import course_problem, holmium
from radioembolization.course.budget import organ_budget
from radioembolization.course.constraints import EMBOLIZED_FIRST, INSTEAD_OF_CYCLES, stated_constraints
from radioembolization.course.course import best_of
from radioembolization.course.lesion_bed import lesion_rows
from radioembolization.course.plan_course import plan_course
from radioembolization.course.schedule import Kind
from radioembolization.course.sequence import KindResult, optimize_kinds, same_as_best
from radioembolization.course.sessions import Session, rows_of_sessions
from radioembolization.planning import PerfusedNormalLiverDose
from support import dose_rows


def test_a_lesion_out_of_reach_of_microspheres_decides_and_the_others_are_raised_nevertheless():
    problem = course_problem(lesions={"bone": 1.0}, most_cycles=2)
    course = plan_course(problem)
    bone = next(effect for effect in course.effects if effect.name == "bone")
    assert course.objective == pytest.approx(bone.bed_gy) == pytest.approx(course.bound)
    # 177Lu alone has the same objective; with microspheres the lesions of the liver get more.
    assert course.kind == "2 x 177Lu, then radioembolization (whole liver)"
    alone = {one.name: one for one in course.alternatives}["177Lu alone"]
    assert alone.objective == pytest.approx(course.objective)
    assert "bone" in " ".join(course.explanation)
    assert "microspheres cannot reach it" in " ".join(course.explanation)


def test_extrahepatic_disease_and_order_need_reasons():
    problem = course_problem(lesions={"bone": 4.0}, most_cycles=2)
    course = plan_course(problem)
    fewer = [reasons for kind, reasons in course.impossible if "radioembolization" in kind]
    assert fewer
    assert all("state a reason" in reasons[-1] for reasons in fewer)
    alone = {one.name: one for one in course.alternatives}["radioembolization alone"]
    assert alone.objective == pytest.approx(0.0)
    assert "state a reason" in alone.reasons[0]
    assert not any(one.startswith("1 x 177Lu, then radio") for one in course.ties.kinds)
    reasons = stated_constraints().because(**{INSTEAD_OF_CYCLES: "bone is stable"})
    unlocked = plan_course(replace(problem, constraints=reasons))
    assert not any("radioembolization" in kind for kind, _ in unlocked.impossible)
    assert any("bone is stable" in line for line in unlocked.explanation)
    # Without extrahepatic disease nothing has to be stated, but cycles come first.
    free = plan_course(course_problem(most_cycles=1))
    kinds = [*free.ties.kinds, *(kind for kind, _ in free.impossible)]
    assert free.impossible == ()
    assert not any(kind.endswith("177Lu") and "then" in kind for kind in kinds)
    first = stated_constraints().because(**{EMBOLIZED_FIRST: "liver failure threatens"})
    orders = [str(r.kind) for r in optimize_kinds(course_problem(most_cycles=1, constraints=first))]
    assert "radioembolization (whole liver), then 1 x 177Lu" in orders


@pytest.mark.parametrize(("kidney", "most"), [(0.6, 4), (0.8, 3), (1.0, 3), (1.3, 2)])
def test_organ_budgets_prune_kinds(kidney, most):
    # 23 Gy over 7.4 GBq times the uptake: 5.2, 3.9, 3.1, 2.4 cycles.
    budget = organ_budget("kidney dose")
    course = plan_course(course_problem(organs={"kidney": kidney}, budgets=(budget,)))
    assert course.kind.startswith(f"{most} x 177Lu")
    assert all(balance.kept for balance in course.balances)
    pruned = dict(course.impossible)
    assert all(int(kind[0]) > most for kind in pruned)
    assert ("4 x 177Lu" in pruned) == (most < 4)
    if pruned:
        assert pruned["4 x 177Lu"] == (f"kidney: dose {4 * 7.4 * kidney:.3g} Gy above 23 Gy",)


def test_parts_of_a_tumour_are_the_same_whatever_the_sessions():
    # A session of one lobe leaves the other part of a tumour to 177Lu; that part counts.
    rows = [[30.0, 0.0, 9.0, 0.0], [0.0, 30.0, 0.0, 9.0]]
    dose = holmium(dose_rows(rows, [0.1, 0.1, 0.5, 0.5], {"A": [0, 1]}, normal=[2, 3]))
    right = (Session("right", ("1",)),)
    course = plan_course(course_problem(dose, session_plans=(right,), most_cycles=1))
    assert len(lesion_rows(rows_of_sessions(dose, right).dose, {"A": None})["A"]) == 3
    alone = naive_course.Schedule(7.4, (0,), (), ())
    assert course.objective == pytest.approx(naive_course.bed_gy(course_problem(dose), alone, "A"))
    assert all(site == "1" for one in course.administrations for site, _ in one.sites)


def test_the_perfused_limit_is_lowered_with_what_counts_as_perfused():
    limit = PerfusedNormalLiverDose(full_from_gy=10.0).at_most(gy=40.0)
    course = plan_course(course_problem(limits=(limit,), organs={"normal liver": 1.0}, least_cycles=4))
    (result,) = course.limits
    (reduced,) = course.reduced
    assert result.met
    assert result.limit == reduced.remaining_gy
    assert reduced.remaining_gy < 32.0


def test_among_equals_the_second_objective_then_the_earliest():
    assert same_as_best(np.array([1.0, 1.0 - 1e-12, 0.9])).tolist() == [True, True, False]
    assert same_as_best(np.array([-50.0, -50.0])).all()
    kind = Kind(0, 7.4, (), 0)
    first = KindResult(kind, objective=np.array([5.0 - 1e-12]), second=np.array([3.0]))
    second = KindResult(kind, objective=np.array([5.0]), second=np.array([2.0]))
    assert best_of([second, first]) is first
    assert best_of([second, replace(first, objective=np.array([4.0]))]) is second
