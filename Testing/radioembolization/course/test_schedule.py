"""Schedules: every choice of weeks within the intervals, and what was given before."""

from itertools import pairwise

import numpy as np
import pytest

from course_cases import course_problem, cycle, session_given
from radioembolization.course.constraints import EMBOLIZED_FIRST, stated_constraints
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.kind_effects import KindEffects, last_weeks
from radioembolization.course.schedule import Event, Kind, WeekGrid, kinds, weeks_of, weeks_within
from radioembolization.course.schedule_check import Appointment, check_schedule
from radioembolization.course.sessions import Session
from radioembolization.errors import InputError

CYCLE, SESSION = Event.CYCLE, Event.SESSION
BOTH, RIGHT, LEFT = (Session("whole liver"),), Session("right", ("1",)), Session("left", ("2",))
GRID = WeekGrid((7, 8), (4, 20), (4, 5), (8, 9))
DOSES = {"A": 10.0, "B": 10.0, "normal liver": 5.0}


def test_weeks_of_a_kind_by_hand():
    weeks = weeks_of(Kind(2, 7.4, BOTH, 2), GRID)
    assert sorted(map(tuple, weeks.tolist())) == [(0, 7, 11), (0, 7, 27), (0, 8, 12), (0, 8, 28)]
    between = weeks_of(Kind(2, 7.4, (RIGHT, LEFT), 1), GRID)
    assert sorted(map(tuple, np.diff(between, axis=1).tolist())) == [
        (a, b, c) for a in (4, 20) for b in (4, 5) for c in (8, 9)
    ]  # fmt: skip
    assert weeks_of(Kind(0, 7.4, (), 0), GRID).shape == (1, 0)


def test_stated_constraints_as_weeks():
    grid = weeks_within(stated_constraints())
    # 7 to 9 weeks between cycles, 4 to 20 from the last cycle to microspheres; a month more where there is no end.
    assert grid.cycle_to_cycle == (7, 8, 9)
    assert grid.cycle_to_session == tuple(range(4, 21))
    assert grid.session_to_session == (4, 5, 6, 7, 8)
    assert grid.session_to_cycle == (8, 9, 10, 11, 12)
    ten_days = stated_constraints().with_interval("177Lu to 177Lu", at_least_days=50.0, usually_at_most_days=None)
    assert weeks_within(ten_days).cycle_to_cycle == tuple(range(8, 17))


def test_all_kinds_of_course():
    found = [str(kind) for kind in kinds(2, (7.4,), ((), BOTH), False)]
    assert found == [
        "no treatment",
        "radioembolization (whole liver)",
        "1 x 177Lu",
        "1 x 177Lu, then radioembolization (whole liver)",
        "2 x 177Lu",
        "2 x 177Lu, then radioembolization (whole liver)",
    ]
    # Two activities for every number of cycles but none, and cycles before, around and after the sessions.
    assert len(list(kinds(2, (5.0, 7.4), ((), BOTH), False))) == 2 + 2 * 2 * 2
    orders = [kind.events for kind in kinds(2, (7.4,), (BOTH,), True, least_cycles=2)]
    assert orders == [(SESSION, CYCLE, CYCLE), (CYCLE, SESSION, CYCLE), (CYCLE, CYCLE, SESSION)]


@pytest.mark.parametrize(
    ("given", "first", "starts"),
    [
        ({CYCLE: -52}, SESSION, [0]),  # long ago: the course begins in week 0, whatever the largest interval
        ({CYCLE: -2}, SESSION, [2]),
        ({CYCLE: -2}, CYCLE, [5]),
        ({SESSION: -1, CYCLE: -30}, CYCLE, [7]),
        ({CYCLE: 14}, CYCLE, [21, 22]),  # a course that has begun keeps the largest interval too
        ({CYCLE: 14, SESSION: 10}, SESSION, [18, 34]),
        ({SESSION: 10, CYCLE: 9}, CYCLE, [18, 19]),
        ({CYCLE: 9, SESSION: 8}, CYCLE, [16, 17]),
    ],
)
def test_weeks_after_what_was_given(given, first, starts):
    kind = Kind(1, 7.4, (), 1) if first is CYCLE else Kind(0, 7.4, BOTH, 0)
    assert weeks_of(kind, GRID, given)[:, 0].tolist() == starts


def test_days_of_history_are_rounded_up_to_weeks():
    beams = Exposure("beams", -3.0, Modality.EXTERNAL_BEAM, DOSES, fractions=5)
    history = (cycle(2, 50.0, DOSES), cycle(1, 0.0, DOSES), session_given("old", -365.0, DOSES), beams)
    assert last_weeks(history) == {CYCLE: 8, SESSION: -52}


def test_every_schedule_keeps_every_interval():
    # Against the check of schedules, which reads the intervals in days, and whose rule of 16 weeks between cycles a
    # session between them must keep too: 4 to 20 and 8 to 12 weeks alone would allow 32.
    reasons = stated_constraints().because(**{EMBOLIZED_FIRST: "test"})
    history = (session_given("old", -100.0, DOSES), cycle(1, 0.0, DOSES))
    for past, given in ((history, 1), ((), 0)):
        problem = course_problem(weeks=None, constraints=reasons, history=past, cycles_given=given)
        for kind in kinds(3, (7.4,), ((), BOTH, (RIGHT, LEFT)), True):
            effects = KindEffects(problem, kind)
            weeks = effects.weeks
            for row in weeks[:: max(1, len(weeks) // 50)].tolist():
                planned = [
                    Appointment(f"{event} {number}", 7.0 * week, _MODALITY[event])
                    for number, (event, week) in enumerate(zip(kind.events, row, strict=True))
                ]
                found = check_schedule([*past, *planned], reasons, extrahepatic_disease=False)
                assert [v for v in found if v.blocks and "blood" not in v.rule] == [], (str(kind), row)
            assert all(a < b for a, b in pairwise(weeks[0])) if kind.events else True


_MODALITY = {CYCLE: Modality.LUTETIUM, SESSION: Modality.RADIOEMBOLIZATION}


def test_sessions_may_delay_the_next_cycle_to_the_last_day_allowed():
    reasons = stated_constraints().because(**{EMBOLIZED_FIRST: "test"})
    problem = course_problem(weeks=None, constraints=reasons)
    weeks = KindEffects(problem, Kind(2, 7.4, (RIGHT, LEFT), 1)).weeks
    assert (weeks[:, 3] - weeks[:, 0]).tolist() == [16]  # 4 + 4 + 8
    three = KindEffects(problem, Kind(2, 7.4, (RIGHT, LEFT, Session("again", ("1",))), 1))
    assert three.schedules == 0


def test_bad_input():
    with pytest.raises(InputError, match="rising whole weeks from 1 on"):
        WeekGrid(cycle_to_cycle=(8, 7))
    with pytest.raises(InputError, match="rising whole weeks from 1 on"):
        WeekGrid(session_to_cycle=(0, 7))
    with pytest.raises(InputError, match="ways: allow fewer different weeks"):
        weeks_of(Kind(13, 7.4, (), 13), WeekGrid())
    with pytest.raises(InputError, match="3 of 2 cycles before the first session is no order"):
        Kind(2, 7.4, BOTH, 3)
