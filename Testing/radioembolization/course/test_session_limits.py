"""What earlier treatment leaves of limits: the worked case, other forms of limit, other devices, lungs."""

from dataclasses import replace

import numpy as np
import pytest

import naive_course
from course_cases import course_problem, cycle, liver_limit, session_given, sourced, two_lesions
from radioembolization.biology import bed_gy
from radioembolization.course.budget import OrganBudget, organ_budget
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.kind_effects import KindEffects
from radioembolization.course.plan_course import plan_course
from radioembolization.course.schedule import Kind, WeekGrid
from radioembolization.course.session_limits import check_devices, limits_of_sessions, schedules_with_room
from radioembolization.course.sessions import Session
from radioembolization.errors import DeviceMismatch, Infeasible, UnboundedActivity
from radioembolization.planning import (
    HepaticReserve,
    HottestMean,
    LungDose,
    MaximumDose,
    MeanBED,
    MeanDose,
    PerfusedNormalLiverDose,
    Provenance,
    TerritoryNormalLiverDose,
    TotalActivity,
    VolumeAbove,
    preset,
)
from radioembolization.structures import NORMAL_LIVER

WHOLE = (Session("whole liver"),)
HISTORY = {"A": 5.0, "B": 5.0, NORMAL_LIVER: 10.0}


def effects_of(problem, cycles=4, sessions=WHOLE):
    return KindEffects(problem, Kind(cycles, 7.4, sessions, cycles))


def liver_uptake(problem, gy_per_cycle):
    uptake = replace(problem.uptakes[NORMAL_LIVER], gy_per_gbq=sourced(gy_per_cycle / 7.4))
    return replace(problem, uptakes={**problem.uptakes, NORMAL_LIVER: uptake})


@pytest.mark.parametrize(("limit_gy", "left_gy"), [(60.0, 58.37), (40.0, 37.75)])
def test_worked_case(limit_gy, left_gy):
    # Case 5: four cycles of 2 Gy to the normal liver leave 58.37 of 60 Gy and 37.75 of 40 Gy of 166Ho; far enough
    # apart that BEDs add.
    far = WeekGrid((16,), (16,), (4,), (8,))
    problem = liver_uptake(course_problem(limits=(liver_limit(limit_gy),), weeks=far), 2.0)
    found = limits_of_sessions(effects_of(problem))
    (limit,), (reduced,) = found.limits, found.reduced
    assert limit.bound == pytest.approx(left_gy, rel=5e-4)
    assert reduced.remaining_gy == limit.bound
    assert reduced.spent_bed_gy == pytest.approx(8.230, rel=5e-3)
    assert (reduced.limit_gy, reduced.name) == (limit_gy, "mean dose, whole normal liver")
    assert limit.provenance.device == "holmium"
    course = plan_course(replace(problem, least_cycles=4, session_plans=(WHOLE,)))
    assert course.limits[0].value == pytest.approx(left_gy, rel=1e-3)
    assert any(f"reduced to {limit.bound:.4g} Gy" in line for line in course.explanation)
    # Nothing spent, nothing taken.
    assert limits_of_sessions(effects_of(problem, cycles=0)).limits[0].bound == pytest.approx(limit_gy, rel=1e-12)


def test_a_limit_is_met_with_equality_in_the_ledger():
    # Dose by dose in the ledger: BED of the course is that of the limit alone.  Weeks of cross terms: the schedule that
    # spends most keeps the limit, the others are below it.
    problem = liver_uptake(course_problem(weeks=WeekGrid((7, 9), (1, 4), (4,), (8,)), least_cycles=4), 8.0)
    course = plan_course(replace(problem, session_plans=(WHOLE,)))
    liver = problem.tissues[NORMAL_LIVER]
    allowed = bed_gy(60.0, liver.alpha_beta_gy.value, liver.repair_half_time_h.value, problem.microspheres_half_life_h)
    assert course.ledger.bed_gy(NORMAL_LIVER) <= allowed * (1.0 + 1e-6)
    assert course.ledger.bed_gy(NORMAL_LIVER) >= allowed * 0.99


@pytest.mark.parametrize(
    ("limit", "names"),
    [
        (liver_limit(60.0), lambda one: one.bound),
        (TerritoryNormalLiverDose().at_most(gy=60.0), lambda one: one.bound),
        (HottestMean(NORMAL_LIVER, percent=30).at_most(gy=60.0), lambda one: one.bound),
        (MaximumDose(NORMAL_LIVER).at_most(gy=60.0), lambda one: one.bound),
        (VolumeAbove(NORMAL_LIVER, gy=60.0).at_most(percent=30.0), lambda one: one.quantity.gy),
        (HepaticReserve(below_gy=60.0).at_least(percent=30.0), lambda one: one.quantity.below_gy),
        (PerfusedNormalLiverDose(full_from_gy=15.0).at_most(gy=60.0), lambda one: 4.0 * one.quantity.full_from_gy),
    ],
)
def test_every_dose_that_a_limit_on_the_normal_liver_names_is_lowered(limit, names):
    problem = course_problem(limits=(limit, TotalActivity().at_most(gbq=30.0)))
    found = limits_of_sessions(effects_of(problem))
    lowered, kept = found.limits
    assert kept == problem.problem.limits[1]
    expected = naive_course.remaining_gy(
        replace(problem, problem=replace(problem.problem, limits=(liver_limit(60.0),))),
        naive_course.Schedule(7.4, (0, 7, 14, 21), WHOLE, (25,)),
    )
    assert names(lowered) == pytest.approx(expected, rel=1e-6)
    assert names(lowered) < 59.0
    assert names(found.loosest[0]) == pytest.approx(names(lowered) * found.scale_from(found), rel=1e-9)


def test_a_limit_of_bed_is_lowered_by_what_is_spent():
    problem = course_problem(limits=(MeanBED(NORMAL_LIVER).at_most(gy=150.0),))
    spent = float(effects_of(problem).bed_before_gy(NORMAL_LIVER).max())
    found = limits_of_sessions(effects_of(problem))
    assert found.limits[0].bound == pytest.approx(150.0 - spent, rel=1e-4)
    assert found.limits[0].bound <= 150.0 - spent


def test_limits_on_other_things_stay():
    limits = (
        liver_limit(60.0),
        MeanDose("A").at_least(gy=10.0),
        LungDose().at_most(gy=30.0),
        VolumeAbove("B", gy=50.0).at_least(percent=20.0),
    )
    found = limits_of_sessions(effects_of(course_problem(limits=limits)))
    assert found.limits[1:] == limits[1:]


def test_nothing_left():
    problem = course_problem(limits=(liver_limit(20.0),), organs={NORMAL_LIVER: 2.0}, least_cycles=1)
    course = plan_course(problem)
    impossible = dict(course.impossible)
    text = impossible["4 x 177Lu, then radioembolization (whole liver)"][0]
    assert text.startswith(
        "177Lu and earlier treatment leave nothing of the limit 'mean dose, whole normal liver <= 20"
    )
    with pytest.raises(Infeasible, match=r"No course can be given .* leave nothing of the limit"):
        plan_course(replace(problem, session_plans=(WHOLE,), least_cycles=3))
    # A limit that only some schedules exhaust takes out these.
    near = course_problem(organs={NORMAL_LIVER: 1.0}, weeks=WeekGrid((1, 8), (4,), (4,), (8,)))
    spent = np.unique(effects_of(near, 2).bed_before_gy(NORMAL_LIVER))
    assert len(spent) == 2
    k = effects_of(near).curvature_per_gy(NORMAL_LIVER)
    level = (-1.0 + np.sqrt(1.0 + 4.0 * k * spent.mean())) / (2.0 * k)
    near = course_problem(limits=(liver_limit(level),), organs={NORMAL_LIVER: 1.0}, weeks=near.weeks, least_cycles=2)
    room, reasons = schedules_with_room(effects_of(near, 2))
    assert reasons == ()
    assert room.tolist() == [False, True]
    both = plan_course(replace(near, most_cycles=2, session_plans=(WHOLE,)))
    assert [one.week for one in both.administrations] == [0, 8, 12]


def test_no_limit_at_all_is_an_error_not_an_impossible_kind():
    problem = course_problem(limits=(MeanDose("A").at_most(gy=500.0),))
    rows = replace(problem.dose, rows=problem.dose.rows * np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]))
    with pytest.raises(UnboundedActivity, match="No limit bounds the activity of site '2'"):
        plan_course(replace(problem, dose=rows))


def test_limits_and_history_of_another_device_are_refused():
    with pytest.raises(DeviceMismatch, match="published for resin microspheres"):
        plan_course(course_problem(limits=(liver_limit(40.0, "resin"),)))
    old = session_given("resin session", -300.0, HISTORY, "resin")
    with pytest.raises(DeviceMismatch, match=r"'resin session' was given with resin .* State other_device_reason"):
        plan_course(course_problem(history=(old,)))
    told = plan_course(course_problem(history=(old,), other_device_reason="no better rule is known"))
    assert any("'resin session' (resin) is set against the limit of holmium" in line for line in told.explanation)
    # Without radioembolization to be planned there is nothing to set it against.
    assert plan_course(course_problem(history=(old,), session_plans=((),))).kind == "4 x 177Lu"
    assert check_devices(course_problem(history=(session_given("ho", -300.0, HISTORY),))) == ()
    with_lungs = course_problem(organs={"lungs": 0.0})
    with_lungs = replace(with_lungs, tissues={**with_lungs.tissues, "lungs": with_lungs.tissues["kidney"]})
    glass = organ_budget("lungs, one session of 90Y")
    with pytest.raises(DeviceMismatch, match="stated for glass and resin microspheres"):
        check_devices(replace(with_lungs, budgets=(glass,)))


def test_presets_of_the_device_pass():
    limits = preset("holmium/bilobar").limits
    assert check_devices(course_problem(limits=tuple(limits))) == ()


def test_earlier_microspheres_and_beams_count():
    old = session_given("earlier 166Ho", -300.0, HISTORY)
    beams = Exposure("beams", -200.0, Modality.EXTERNAL_BEAM, {"A": 0.0, "B": 0.0, NORMAL_LIVER: 9.0}, fractions=5)
    problem = course_problem(history=(old, beams))
    (reduced,) = limits_of_sessions(effects_of(problem, 0)).reduced
    k = effects_of(problem).curvature_per_gy(NORMAL_LIVER)
    ratio = problem.tissues[NORMAL_LIVER].alpha_beta_gy.value
    spent = 10.0 * (1.0 + 10.0 * k) + 9.0 * (1.0 + 9.0 / 5.0 / ratio)
    assert reduced.spent_bed_gy == pytest.approx(spent, rel=1e-9)
    left = reduced.remaining_gy
    assert left * (1.0 + k * left) + spent < 60.0 * (1.0 + 60.0 * k)
    assert left == pytest.approx(60.0 - 10.0, rel=1e-9)  # doses of one device add up, which leaves less
    cautions = " ".join(check_devices(problem))
    assert "'beams' is counted by its BED" in cautions


def shunting(gy_per_gbq=6.0):
    return replace(two_lesions(), lung_gy_per_gbq=np.array([gy_per_gbq, gy_per_gbq]))


def test_lungs_of_all_sessions_count():
    # Of 50 Gy in all, 38 are spent: 12 Gy are left, less than the 30 Gy of one session.
    old = session_given("earlier 166Ho", -300.0, {**HISTORY, "lungs": 38.0})
    limits = (liver_limit(60.0), LungDose().at_most(gy=30.0))
    dose = shunting()
    free = plan_course(course_problem(dose, limits=limits, session_plans=(WHOLE,)))
    course = plan_course(course_problem(dose, limits=limits, session_plans=(WHOLE,), history=(old,)))
    lungs = [float(dose.lung_gy_per_gbq[0] * one.administrations[-1].activity_gbq) for one in (free, course)]
    assert lungs[0] > 20.0
    assert lungs[1] == pytest.approx(12.0, rel=1e-3)
    assert [one.limit for one in course.limits if "lungs" in one.name] == [30.0, pytest.approx(12.0)]


def test_budgets_of_organs_that_microspheres_reach_limit_the_sessions():
    liver = OrganBudget("liver dose", NORMAL_LIVER, "whole normal liver", 30.0)
    course = plan_course(course_problem(budgets=(liver,), least_cycles=4, session_plans=(WHOLE,)))
    (balance,) = course.balances
    assert balance.kept
    assert balance.spent_gy == pytest.approx(30.0, rel=1e-3)
    bed = OrganBudget("liver BED", NORMAL_LIVER, "whole normal liver", 50.0, is_bed=True)
    course = plan_course(course_problem(budgets=(bed,), least_cycles=4, session_plans=(WHOLE,)))
    assert course.balances[0].kept
    assert course.balances[0].spent_gy == pytest.approx(50.0, rel=1e-3)


def test_history_keeps_its_own_provenance():
    limit = MeanDose(NORMAL_LIVER).at_most(gy=60.0).because(Provenance("a source", "guideline", "holmium"))
    found = limits_of_sessions(effects_of(course_problem(limits=(limit,))))
    assert found.limits[0].provenance == limit.provenance


def test_cross_terms_with_history_count_for_the_limit():
    close = cycle(0, -7.0, {"A": 5.0, "B": 5.0, NORMAL_LIVER: 10.0})
    weeks = WeekGrid((7,), (1,), (4,), (8,))
    near = limits_of_sessions(effects_of(course_problem(history=(close,), weeks=weeks), 0)).limits[0].bound
    far = replace(close, day=-300.0)
    assert near < limits_of_sessions(effects_of(course_problem(history=(far,), weeks=weeks), 0)).limits[0].bound


def test_sessions_given_before_leave_no_more_than_their_doses_do():
    """20 Gy of the same device leave 40 of 60 Gy, as if both sessions were planned together; by BED alone, 53."""
    given = session_given("earlier 166Ho", -400.0, {**HISTORY, NORMAL_LIVER: 20.0})
    problem = course_problem(limits=(liver_limit(60.0),), history=(given,))
    (reduced,) = limits_of_sessions(effects_of(problem, 0)).reduced
    assert reduced.remaining_gy == pytest.approx(40.0, rel=1e-9)
