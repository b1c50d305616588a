"""BED of all schedules at once against the ledger, which adds administration by administration."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_cases import course_problem, cycle, session_given, tissue, two_lesions, uptake
from radioembolization.biology import tissue_biology
from radioembolization.course.constraints import EMBOLIZED_FIRST, stated_constraints
from radioembolization.course.course import exposures_of
from radioembolization.course.course_problem import Repopulation
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.kind_effects import KindEffects
from radioembolization.course.ledger import Ledger
from radioembolization.course.objective import lesion_doses_gy
from radioembolization.course.schedule import Kind, WeekGrid
from radioembolization.course.sequence import KindResult
from radioembolization.course.sessions import Session, rows_of_sessions
from radioembolization.errors import InputError

SESSIONS = ((), (Session("all"),), (Session("one", ("1",)), Session("two", ("2",))), (Session("all"), Session("again")))
BEAMS = Exposure("beams", -60.0, Modality.EXTERNAL_BEAM, {"A": 20.0, "B": 0.0, "normal liver": 6.0}, fractions=10)
OLD = session_given("resin long ago", -31.0, {"A": 30.0, "B": 12.0, "normal liver": 9.0}, "resin")
CYCLE = cycle(0, -17.5, {"A": 12.0, "B": 25.0, "normal liver": 2.0, "bone": 9.0, "kidney": 4.0, "marrow": 0.2})
HISTORIES = ((), (OLD,), (CYCLE,), (BEAMS, OLD, CYCLE))


def problem_of(history=(), repair_h=1.5, half_life_h=85.0, **changes):
    changed = {name: uptake(name, 3.0, -0.14) for name in ("A", "B", "bone")}
    reasons = stated_constraints().because(**{EMBOLIZED_FIRST: "test"})
    tissues = {"A": tissue(10.0, repair_h), "B": tissue(3.0, 2.5 * repair_h), "bone": tissue(10.0, repair_h)}
    problem = course_problem(
        two_lesions(),
        {"bone": 3.0},
        history=tuple(history),
        constraints=reasons,
        weeks=WeekGrid((1, 7), (1, 4), (1, 5), (1, 8)),
        **changes,
    )
    half_life = type(changed["A"].effective_half_life_h)(half_life_h, "test", changed["A"].gy_per_gbq.status)
    lesions = {name: replace(one, effective_half_life_h=half_life) for name, one in changed.items()}
    return replace(problem, uptakes={**problem.uptakes, **lesions}, tissues={**problem.tissues, **tissues})


@settings(deadline=None, max_examples=60)
@given(
    cycles=st.integers(0, 3),
    plan=st.sampled_from(SESSIONS),
    order=st.integers(0, 3),
    history=st.sampled_from(HISTORIES),
    repair_h=st.sampled_from([0.5, 1.5, 10.0, 40.0]),
    half_life_h=st.sampled_from([20.0, 40.0, 85.0, 150.0]),
    seed=st.integers(0, 1000),
)
def test_all_schedules_are_those_of_the_ledger(cycles, plan, order, history, repair_h, half_life_h, seed):
    # Repair of up to 40 h and weeks from 1 on make cross terms of tens of Gy: a wrong delay, order or half-life fails.
    problem = problem_of(tuple(history), repair_h, half_life_h)
    kind = Kind(cycles, 7.4, plan, min(order, cycles) if plan else cycles)
    effects, rng = KindEffects(problem, kind), np.random.default_rng(seed)
    rows = rows_of_sessions(problem.dose, plan) if plan else None
    activities = rng.uniform(0.0, 3.0, len(rows.dose.site_names)) if rows else np.zeros(0)
    result = KindResult(kind, effects=effects, rows=rows, activities_gbq=activities)
    doses = lesion_doses_gy(rows, activities, problem) if rows else dict.fromkeys("AB", np.zeros((0, 1)))
    for schedule in rng.choice(effects.schedules, min(4, effects.schedules), replace=False):
        exposures = exposures_of(problem, result, schedule)
        ledger = Ledger((*history, *exposures), problem.tissues)
        before = Ledger(tuple(e for e in ledger.exposures if e in history or e.modality is Modality.LUTETIUM),
                        problem.tissues)  # fmt: skip
        for lesion in "AB":
            assert effects.lesion_bed_gy(lesion, doses[lesion])[schedule, 0] == pytest.approx(ledger.bed_gy(lesion))
        if BEAMS not in history and OLD not in history:
            assert effects.extrahepatic_bed_gy()["bone"][schedule] == pytest.approx(ledger.bed_gy("bone"))
        assert effects.bed_before_gy("normal liver")[schedule] == pytest.approx(before.bed_gy("normal liver"))
        total = effects.lesion_bed_gy("normal liver", _liver_gy(rows, activities, len(plan)))[schedule, 0]
        assert total + effects.growth_gy[schedule] == pytest.approx(ledger.bed_gy("normal liver"))


def _liver_gy(rows, activities, sessions):
    """Return the mean dose of the normal liver by each session (sessions, 1) [Gy]."""
    if rows is None:
        return np.zeros((0, 1))
    row = rows.dose.structure_row("normal liver")
    return np.array([[row @ np.where(rows.session_of == number, activities, 0.0)] for number in range(sessions)])


def test_doses_of_cycles_by_hand():
    problem = problem_of((CYCLE,), cycles_given=1)
    effects = KindEffects(problem, Kind(2, 7.4, (), 2))
    # The second cycle of the course is the first to be planned: 3 Gy/GBq less 14 %.
    assert effects.cycle_dose_gy("A", 1) == pytest.approx(3.0 * 7.4 * 0.86)
    assert effects.lutetium_dose_gy("A") == pytest.approx(3.0 * 7.4 * (0.86 + 0.86**2))
    assert effects.lutetium_dose_gy("kidney") == pytest.approx(2 * 0.6 * 7.4)
    assert effects.lutetium_dose_gy("lungs") == 0.0
    assert effects.earlier_dose_gy("A") == 12.0


def test_no_schedule_surpasses_the_optimistic_response():
    problem = problem_of(HISTORIES[3], repair_h=40.0)
    for plan in SESSIONS[1:]:
        effects, rng = KindEffects(problem, Kind(2, 7.4, plan, 2)), np.random.default_rng(3)
        for lesion, response in effects.optimistic.items():
            for _ in range(20):
                dose = rng.uniform(0.0, 80.0, (len(plan), 1))
                highest = effects.lesion_bed_gy(lesion, dose).max()
                assert highest <= response.bed_gy(float(dose.sum())) * (1.0 + 1e-12)
                if len(plan) == 1:
                    assert response.base_gy == pytest.approx(effects.lesion_bed_gy(lesion, 0.0 * dose).max())


def test_repopulation_takes_from_every_lesion_alike():
    rule = Repopulation(0.05, 28.0)
    kind, plain = Kind(2, 7.4, SESSIONS[1], 2), problem_of()
    slow, fast = KindEffects(plain, kind), KindEffects(problem_of(repopulation=rule), kind)
    days = 7.0 * (slow.weeks[:, -1] - slow.weeks[:, 0])
    loss = 0.05 * np.maximum(0.0, days - 28.0)
    assert loss.max() > 0.0
    dose = np.array([[30.0]])
    assert slow.lesion_bed_gy("A", dose)[:, 0] - fast.lesion_bed_gy("A", dose)[:, 0] == pytest.approx(loss)
    assert slow.extrahepatic_bed_gy()["bone"] - fast.extrahepatic_bed_gy()["bone"] == pytest.approx(loss)
    assert fast.bed_before_gy("kidney") == pytest.approx(slow.bed_before_gy("kidney"))
    # Of a course that has begun on day 0 the time since then counts; treatments before it do not.
    begun = KindEffects(problem_of((OLD, cycle(1, 0.0, dict.fromkeys(("A", "B", "bone", "normal liver"), 5.0))),
                                   repopulation=rule, cycles_given=1), Kind(1, 7.4, (), 1))  # fmt: skip
    assert begun.growth_gy == pytest.approx(0.05 * np.maximum(0.0, 7.0 * begun.weeks[:, 0] - 28.0))


@pytest.mark.parametrize("rate", [0.1001, 1.7, -0.1, np.nan])
def test_a_repopulation_that_would_choose_the_schedule_is_refused(rate):
    with pytest.raises(InputError):
        Repopulation(rate)


def test_tissues_are_those_of_the_problem():
    effects = KindEffects(course_problem(), Kind(1, 7.4, (), 1))
    liver = tissue_biology("normal liver")
    biology = effects.biology("normal liver")
    assert (biology.alpha_beta_gy, biology.repair_half_time_h) == (
        liver.alpha_beta_gy.value,
        liver.repair_half_time_h.value,
    )
    # 166Ho: T_rep / (T_rep + 26.8 h) / (alpha/beta).
    repair_h = liver.repair_half_time_h.value
    expected = repair_h / (repair_h + 26.8) / liver.alpha_beta_gy.value
    assert effects.curvature_per_gy("normal liver") == pytest.approx(expected, rel=2e-3)
