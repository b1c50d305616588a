"""The rest of a course after something of it was delivered."""

from dataclasses import replace

import pytest

from course_cases import course_problem, cycle, liver_limit, session_given, two_lesions
from radioembolization.course.adapt import after, changes
from radioembolization.course.budget import organ_budget
from radioembolization.course.plan_course import plan_course
from radioembolization.course.sessions import Session
from radioembolization.course.uptake import Origin
from radioembolization.errors import CourseError, InputError
from radioembolization.planning import LungDose
from radioembolization.structures import NORMAL_LIVER

WHOLE = (Session("whole liver"),)
FIRST = {"A": 22.2, "B": 22.2, NORMAL_LIVER: 0.27 * 7.4, "kidney": 0.6 * 7.4, "marrow": 0.035 * 7.4}


def planned(**changes_):
    problem = course_problem(session_plans=(WHOLE,), least_cycles=4, **changes_)
    return problem, plan_course(problem)


def test_delivered_as_predicted_leaves_the_rest_as_it_was():
    problem, course = planned()
    (first,) = [exposure for exposure in course.ledger.exposures if exposure.label == "177Lu cycle 1"]
    rest = after(problem, [replace(first, measured=True)])
    assert rest.cycles_given == 1
    assert rest.history == (replace(first, measured=True),)
    for name, uptake in rest.uptakes.items():
        assert uptake.gy_per_gbq.value == pytest.approx(problem.uptakes[name].gy_per_gbq.value)
        assert uptake.origin is Origin.PATIENT
    again = plan_course(rest)
    assert [(a.label, a.week) for a in again.administrations] == [(a.label, a.week) for a in course.administrations[1:]]
    assert again.objective == pytest.approx(course.objective, rel=1e-3)
    assert again.bound == pytest.approx(course.bound, rel=1e-3)
    assert again.ledger.bed_gy("A") == pytest.approx(course.ledger.bed_gy("A"), rel=1e-3)
    assert again.ledger.bed_gy("kidney") == pytest.approx(course.ledger.bed_gy("kidney"), rel=1e-9)
    lines = changes(problem, course, rest, again)
    assert lines[0] == "Cycles of the course given since: 1."
    assert "The rest of the schedule stays." in lines
    assert not any("took up" in line for line in lines)


def test_predicted_cycles_leave_uptakes_alone():
    problem, course = planned()
    rest = after(problem, [course.ledger.exposures[0]])
    assert rest.uptakes == problem.uptakes
    assert plan_course(rest).administrations[0].label == "177Lu cycle 2"


def test_measured_doses_move_uptakes_by_hand():
    problem = course_problem()
    first = cycle(1, 0.0, {**FIRST, "A": 0.7 * 22.2, NORMAL_LIVER: 3.7}, measured=True)
    rest = after(problem, [first])
    # 15.54 Gy in 7.4 GBq; 3.7 Gy to the liver.
    assert rest.uptakes["A"].gy_per_gbq.value == pytest.approx(2.1)
    assert rest.uptakes[NORMAL_LIVER].gy_per_gbq.value == pytest.approx(0.5)
    assert rest.uptakes["B"].gy_per_gbq.value == pytest.approx(3.0)
    assert rest.uptakes["A"].change_per_cycle == -0.14
    # The second cycle gave 10 Gy in 5 GBq: 2 Gy/GBq, 2 / 0.86 in terms of the first; the mean of 2.1 and 2.3256.
    second = cycle(2, 52.0, {**FIRST, "A": 10.0}, measured=True, activity_gbq=5.0)
    both = after(problem, [first, second])
    assert both.uptakes["A"].gy_per_gbq.value == pytest.approx((2.1 + 2.0 / 0.86) / 2.0)
    assert both.uptakes["A"].sd_gy_per_gbq == pytest.approx(abs(2.1 - 2.0 / 0.86) / 2.0**0.5)
    assert "2 cycles" in both.uptakes["A"].gy_per_gbq.source
    # One after the other is the same as both at once.
    one_by_one = after(rest, [second])
    assert {n: u.gy_per_gbq.value for n, u in one_by_one.uptakes.items()} == pytest.approx(
        {n: u.gy_per_gbq.value for n, u in both.uptakes.items()}
    )
    assert one_by_one.cycles_given == 2


def test_cycles_before_the_course_are_no_cycles_of_it():
    old = cycle(0, -400.0, {**FIRST, "A": 99.0}, measured=True)
    rest = after(course_problem(history=(old,)), [cycle(1, 0.0, FIRST, measured=True)])
    assert rest.uptakes["A"].gy_per_gbq.value == pytest.approx(3.0)
    assert rest.cycles_given == 1


def test_lower_and_higher_uptake_change_plan_and_sentences():
    problem, course = planned()
    results = {}
    for factor in (0.5, 1.5):
        doses = {name: dose * (factor if name in "AB" else 1.0) for name, dose in FIRST.items()}
        rest = after(problem, [cycle(1, 0.0, doses, measured=True)])
        results[factor] = plan_course(rest)
        lines = changes(problem, course, rest, results[factor])
        assert f"A took up {3.0 * factor:.3g} instead of 3 Gy/GBq ({factor - 1.0:+.0%})." in lines
        assert any("becomes" in line and "instead of" in line for line in lines)
    assert results[0.5].objective < course.objective < results[1.5].objective
    # More in the liver leaves less to microspheres.
    more = after(problem, [cycle(1, 0.0, {**FIRST, NORMAL_LIVER: 12.0}, measured=True)])
    replanned = plan_course(more)
    assert replanned.reduced[0].remaining_gy < course.reduced[0].remaining_gy - 2.0
    lines = changes(problem, course, more, replanned)
    assert any(line.startswith("1: ") and "GBq instead of" in line for line in lines)


def test_a_delivered_session_counts_against_the_limit_of_the_liver_and_the_lungs():
    dose = replace(two_lesions(), lung_gy_per_gbq=two_lesions().lung_gy_per_gbq + 1.0)
    limits = (liver_limit(60.0), LungDose().at_most(gy=30.0))
    problem = course_problem(dose, limits=limits, session_plans=(WHOLE,), most_cycles=0)
    course = plan_course(problem)
    given = session_given("first", 0.0, {"A": 50.0, "B": 50.0, NORMAL_LIVER: 20.0, "lungs": 45.0}, measured=True)
    # Nothing more is planned unless it is asked for.
    assert plan_course(after(problem, [given])).kind == "no treatment"
    rest = after(problem, [given], left=(WHOLE,))
    again = plan_course(rest)
    # Doses of sessions of one device add up, as if they were planned together.
    assert again.reduced[0].remaining_gy == pytest.approx(60.0 - 20.0, rel=1e-9)
    assert again.ledger.bed_gy(NORMAL_LIVER) <= course.ledger.bed_gy(NORMAL_LIVER) * (1.0 + 1e-3)
    assert again.administrations[0].week >= 4
    lungs = next(e for e in again.ledger.exposures if e.label != "first").dose_gy["lungs"]
    assert lungs <= 5.0 * (1.0 + 1e-6)
    assert again.ledger.dose_gy("A") > 50.0


def test_impossible_deliveries():
    problem = course_problem(most_cycles=1)
    with pytest.raises(CourseError, match="Nothing was delivered"):
        after(problem, [])
    with pytest.raises(CourseError, match="2 cycles were delivered, more than the 1 of the course: raise most_cycles"):
        after(problem, [cycle(1, 0.0, FIRST), cycle(2, 50.0, FIRST)])
    with pytest.raises(CourseError, match="'given cycle 1' was measured without its activity"):
        after(problem, [cycle(1, 0.0, FIRST, measured=True, activity_gbq=None)])


def test_edges_of_a_course():
    assert plan_course(course_problem(most_cycles=0)).kind == "radioembolization (whole liver)"
    assert plan_course(course_problem(session_plans=((),))).kind == "4 x 177Lu"
    nothing = plan_course(course_problem(most_cycles=0, session_plans=((),)))
    assert (nothing.kind, nothing.objective, nothing.administrations) == ("no treatment", 0.0, ())
    dose = two_lesions()
    one = replace(dose, structures=tuple(s for s in dose.structures if s.name != "B"))
    assert plan_course(course_problem(one)).objective > 0.0
    with pytest.raises(InputError, match=r"The course has no uptake of \['B'\]"):
        problem = course_problem()
        replace(problem, uptakes={name: u for name, u in problem.uptakes.items() if name != "B"})
    with pytest.raises(InputError, match=r"no tissue parameters of \['kidney'\]"):
        replace(problem, budgets=(organ_budget("kidney dose"),), tissues={
            name: t for name, t in problem.tissues.items() if name != "kidney"})  # fmt: skip
    with pytest.raises(InputError, match="no tumours"):
        replace(problem, dose=replace(dose, structures=dose.structures[2:]))
    with pytest.raises(InputError, match="4 to 2 cycles"):
        replace(problem, most_cycles=2, least_cycles=4)
