"""Rules of a schedule: each tried at an accepted and a rejected point, and what cannot be meant."""

import math
from dataclasses import replace

import pytest

from radioembolization.course import (
    Appointment,
    Exposure,
    Finding,
    IntervalRule,
    LabValue,
    Modality,
    Threshold,
    check_schedule,
    stated_constraints,
)
from radioembolization.course.constraints import EMBOLIZED_FIRST, INSTEAD_OF_CYCLES
from radioembolization.errors import CourseError, LimitError
from radioembolization.physics.sourced import Status

LU, RE, EBRT = Modality.LUTETIUM, Modality.RADIOEMBOLIZATION, Modality.EXTERNAL_BEAM
RULES = stated_constraints()
GOOD = {
    "bilirubin": (0.8, "mg/dL"),
    "albumin": (4.0, "g/dL"),
    "platelets": (200.0, "10^9/L"),
    "creatinine": (0.9, "mg/dL"),
}


def schedule(*steps):
    """Return administrations from (modality, week)."""
    return [Appointment(f"{modality} in week {week:g}", 7.0 * week, modality) for modality, week in steps]


def labs(day, **changes):
    return [LabValue(name, *value, day) for name, value in {**GOOD, **changes}.items() if value]


def labs_for(administrations):
    return [lab for one in administrations for lab in labs(one.day)]


def findings(administrations, constraints=RULES, extrahepatic=False):
    found = check_schedule(administrations, constraints, labs_for(administrations), extrahepatic)
    return [(violation.finding, violation.rule) for violation in found]


REFERENCE = schedule((LU, 0), (LU, 8), (LU, 16), (LU, 24), (RE, 36), (RE, 40))


def test_the_reference_schedule_keeps_every_rule():
    assert findings(REFERENCE) == []
    assert findings(REFERENCE, extrahepatic=True) == []


@pytest.mark.parametrize(
    ("steps", "rule", "finding"),
    [
        (((LU, 0), (LU, 7)), None, None),
        (((LU, 0), (LU, 6.9)), "177Lu to 177Lu", Finding.INTERVAL),
        (((LU, 0), (LU, 0.5)), "177Lu to 177Lu", Finding.INTERVAL),
        (((LU, 0), (LU, 9)), None, None),
        (((LU, 0), (LU, 9.2)), "177Lu to 177Lu", Finding.UNUSUAL_INTERVAL),
        (((LU, 0), (LU, 16)), "177Lu to 177Lu", Finding.UNUSUAL_INTERVAL),
        (((LU, 0), (LU, 16.2)), "177Lu to 177Lu", Finding.INTERVAL),
        (((LU, 0), (RE, 4)), None, None),
        (((LU, 0), (RE, 3.9)), "177Lu to radioembolization", Finding.INTERVAL),
        (((LU, 0), (RE, 20)), None, None),
        (((LU, 0), (RE, 20.2)), "177Lu to radioembolization", Finding.INTERVAL),
        # The second lobe may follow later than 20 weeks after the last cycle, but not too close.
        (((LU, 0), (RE, 20), (RE, 24)), None, None),
        (((LU, 0), (RE, 20), (RE, 23.9)), "radioembolization to radioembolization", Finding.INTERVAL),
        (((RE, 0), (LU, 8)), EMBOLIZED_FIRST, Finding.NEEDS_REASON),
        # Beams in between change no interval.
        (((LU, 0), (EBRT, 2), (LU, 6.5)), "177Lu to 177Lu", Finding.INTERVAL),
    ],
)
def test_intervals_and_order(steps, rule, finding):
    assert findings(schedule(*steps)) == ([] if rule is None else [(finding, rule)])


def test_embolized_first_is_told_twice_if_too_soon_as_well():
    assert findings(schedule((RE, 0), (LU, 7.9))) == [
        (Finding.INTERVAL, "radioembolization to 177Lu"),
        (Finding.NEEDS_REASON, EMBOLIZED_FIRST),
    ]


def test_words_say_what_where_and_from_whom():
    (violation,) = [v for v in check_schedule(schedule((LU, 0), (LU, 6)), RULES) if v.finding is Finding.INTERVAL]
    assert violation.blocks
    told = str(violation)
    assert "'177Lu in week 6' is 6 weeks after '177Lu in week 0', at least 7 weeks are needed" in told
    assert "Lutathera" in told
    assert "unverified" in told


def test_a_stated_reason_unblocks_and_stays_visible():
    steps = schedule((RE, 0), (LU, 9))
    reasoned = RULES.because(**{EMBOLIZED_FIRST: "liver-dominant disease, tumour board"})
    (violation,) = check_schedule(steps, reasoned, labs_for(steps), extrahepatic_disease=False)
    assert not violation.blocks
    assert "tumour board" in str(violation)
    with pytest.raises(LimitError, match="empty or break no rule"):
        RULES.because(**{EMBOLIZED_FIRST: " "})
    with pytest.raises(LimitError, match="empty or break no rule"):
        RULES.because(nothing="why not")


@pytest.mark.parametrize(("extrahepatic", "told"), [(True, "There is"), (None, "is not stated"), (False, "")])
def test_embolization_does_not_replace_cycles_with_extrahepatic_disease(extrahepatic, told):
    steps = schedule((LU, 0), (LU, 8), (RE, 14))
    found = check_schedule(steps, RULES, labs_for(steps), extrahepatic)
    assert [v.rule for v in found] == ([INSTEAD_OF_CYCLES] if told else [])
    assert all(told in v.text and "2 of 4 cycles" in v.text for v in found)
    # Without radioembolization, or with all cycles, there is nothing to replace.
    assert findings(schedule((LU, 0), (LU, 8)), extrahepatic=extrahepatic) == []
    assert findings(REFERENCE, extrahepatic=extrahepatic) == []


def test_what_was_given_is_told_but_does_not_block():
    given_ = [Appointment("1", -70.0, LU, True), Appointment("2", -35.0, LU, True), Appointment("3", 21.0, LU)]
    (past,) = check_schedule(given_, RULES, labs(21.0))
    assert past.past
    assert past.finding is Finding.INTERVAL
    assert not past.blocks
    # History without a mark is past by its days.
    history = [Appointment("1", -70.0, LU), Appointment("2", -35.0, LU)]
    assert [(v.finding, v.past) for v in check_schedule(history, RULES)] == [(Finding.INTERVAL, True)]
    # One end in the future blocks.
    (soon,) = check_schedule([given_[1], Appointment("3", 0.0, LU)], RULES, labs(0.0))
    assert soon.blocks


def test_exposures_are_administrations():
    exposures = [Exposure(f"177Lu cycle {n}", 35.0 * n, LU, {"kidney": 4.4}, {"kidney": 51.0}) for n in range(2)]
    assert findings(exposures) == [(Finding.INTERVAL, "177Lu to 177Lu")]


def test_rules_are_edited_one_by_one():
    edited = RULES.with_interval("177Lu to 177Lu", at_least_days=35.0)
    assert findings(schedule((LU, 0), (LU, 5)), edited) == []
    assert findings(schedule((LU, 0), (LU, 5)), RULES) != []
    rule = next(rule for rule in edited.intervals if rule.name == "177Lu to 177Lu")
    assert (rule.source, rule.status) == ("user", Status.UNVERIFIED)
    with pytest.raises(LimitError, match="Unknown interval"):
        RULES.with_interval("Lu-Lu", at_least_days=35.0)


def test_every_rule_has_a_source():
    assert all(rule.source for rule in RULES.intervals)
    for modality in (LU, RE):
        thresholds = [t for t in RULES.gate.thresholds if t.modality is modality]
        assert {t.analyte for t in thresholds} == {"bilirubin", "albumin", "platelets", "creatinine"}
        for threshold in thresholds:
            assert threshold.source
            if "no source read" in threshold.source or "not seen" in threshold.source:
                assert threshold.status is not Status.CONFIRMED


def gate(day, results, modality=RE, before=()):
    steps = [*before, Appointment("session", day, modality)]
    return [v for v in check_schedule(steps, RULES, results, False) if v.rule == "blood tests"]


def test_missing_blood_tests_are_a_flag_of_their_own():
    (missing,) = gate(0.0, [])
    assert missing.finding is Finding.NOT_ELIGIBLE_UNTIL_ENTERED
    assert missing.blocks
    assert "needs bilirubin, albumin, platelets, creatinine" in missing.text
    (one,) = gate(0.0, labs(-3.0, albumin=None))
    assert "needs albumin of" in one.text
    assert gate(0.0, labs(-3.0)) == []


@pytest.mark.parametrize(("taken", "usable"), [(-28.0, True), (-28.1, False), (0.0, True), (0.1, False)])
def test_blood_tests_age_and_are_not_of_the_future(taken, usable):
    assert (gate(0.0, labs(taken)) == []) is usable


def test_blood_tests_are_entered_anew_before_each_session():
    before = [Appointment("cycle", -28.0, LU, True)]
    # Young enough, but from before the last cycle, or of the day it was given.
    for taken, usable in ((-28.0, False), (-27.0, True)):
        assert (gate(0.0, labs(taken), RE, before) == []) is usable


@pytest.mark.parametrize(
    ("modality", "name", "accepted", "rejected"),
    [
        (RE, "bilirubin", (2.0, "mg/dL"), (2.01, "mg/dL")),
        (RE, "bilirubin", (34.0, "µmol/L"), (34.4, "umol/L")),
        (LU, "bilirubin", (1.2, "mg/dL"), (1.3, "mg/dL")),
        (RE, "albumin", (3.0, "g/dL"), (2.9, "g/dL")),
        (LU, "albumin", (30.0, "g/L"), (29.9, "g/L")),
        (RE, "platelets", (50.0, "10^9/L"), (49.0, "10^9/L")),
        (LU, "platelets", (75_000.0, "/µL"), (74_000.0, "/uL")),
        (LU, "creatinine", (1.7, "mg/dL"), (1.8, "mg/dL")),
        (RE, "creatinine", (150.0, "umol/L"), (151.0, "umol/L")),
    ],
)
def test_thresholds_at_an_accepted_and_a_rejected_value(modality, name, accepted, rejected):
    assert gate(0.0, labs(-1.0, **{name: accepted}), modality) == []
    (violation,) = gate(0.0, labs(-1.0, **{name: rejected}), modality)
    assert violation.finding is Finding.NOT_ELIGIBLE
    assert violation.blocks
    assert name in violation.text
    threshold = next(t for t in RULES.gate.thresholds if t.modality is modality and t.analyte == name)
    assert (str(threshold.status) in violation.text) is (threshold.status is not Status.CONFIRMED)


def test_the_latest_result_counts_and_of_one_day_the_worst():
    older_bad = [*labs(-5.0, bilirubin=(9.0, "mg/dL")), *labs(-1.0)]
    assert gate(0.0, older_bad) == []
    assert gate(0.0, [*labs(-1.0), LabValue("bilirubin", 9.0, "mg/dL", -1.0)]) != []
    assert gate(0.0, [LabValue("bilirubin", 9.0, "mg/dL", -1.0), *labs(-1.0)]) != []


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (("albumin", 40.0, "g/dL"), "Albumin of 40 g/dL cannot be"),
        (("creatinine", 80.0, "mg/dL"), "Check value and unit"),
        (("platelets", 200_000.0, "10^9/L"), "cannot be"),
        (("bilirubin", math.nan, "mg/dL"), "cannot be"),
        (("bilirubin", -1.0, "mg/dL"), "cannot be"),
        (("bilirubin", 1.0, "mg"), "Unknown unit 'mg' of bilirubin: use mg/dL, umol/L"),
        (("sodium", 140.0, "mmol/L"), "Unknown blood test 'sodium'"),
    ],
)
def test_results_that_cannot_be_are_refused(result, message):
    with pytest.raises(CourseError, match=message):
        gate(0.0, [LabValue(*result, -1.0)])


def test_days_that_cannot_be_are_refused():
    with pytest.raises(CourseError, match="negative interval"):
        check_schedule(schedule((LU, 8), (LU, 0)), RULES)
    with pytest.raises(CourseError, match="number of days, not nan"):
        check_schedule(schedule((LU, 0), (LU, math.nan)), RULES)
    with pytest.raises(CourseError, match="number of days, not inf"):
        LabValue("bilirubin", 1.0, "mg/dL", math.inf)
    unordered = [Appointment("1", 0.0, LU), Appointment("2", 56.0, LU, measured=True)]
    with pytest.raises(CourseError, match="'2' was given, but '1' before it was not"):
        check_schedule(unordered, RULES)


def test_rules_that_cannot_be_are_refused():
    for bounds in ((-1.0, None, None), (56.0, 49.0, None), (49.0, 100.0, 112.0), (math.nan, None, None)):
        with pytest.raises(LimitError, match="rising numbers from 0 on"):
            IntervalRule("wrong", LU, LU, *bounds)
    with pytest.raises(LimitError, match="no bound"):
        Threshold(RE, "bilirubin")
    with pytest.raises(LimitError, match="at least 3 and at most 2"):
        Threshold(RE, "albumin", at_least=3.0, at_most=2.0)
    with pytest.raises(LimitError, match=r"Thresholds on \['sodium'\]"):
        replace(RULES.gate, thresholds=(Threshold(RE, "sodium", at_least=130.0),))
