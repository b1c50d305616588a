"""The table of a course: entries and their texts come back as they were; the core reads it as it reads its files."""

from __future__ import annotations

import tomllib

import pytest
import slicer_headless
from course_hands import course_table, planned_by_core

from radioembolization.errors import InputError, PopulationUptake
from small_course import case_inputs

slicer_headless.require_slicer()
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from RadioembolizationPlannerLib.course_reader import course_inputs, delivered_of  # noqa: E402
from RadioembolizationPlannerLib.course_table import (  # noqa: E402
    course_digests,
    doses_from_text,
    doses_text,
    entry,
    plans_from_text,
    plans_text,
    toml_text,
    with_entry,
)

pytestmark = pytest.mark.slicer

_LU = {"label": "one", "modality": "177Lu", "activity_gbq": 7.4}


def test_toml_says_the_same_as_the_table():
    table = course_table(
        history=[{"label": 'a "b" \\ ä\n\x7f', "day": -3.5, "dose_gy": {"normal liver": 1e-7}, "measured": True}],
        radioembolization={"plans": [[], ["a"]], "other_device_reason": ""},
    )
    assert tomllib.loads(toml_text(table)) == table
    assert tomllib.loads(toml_text({"a": None, "b": {"c": None}})) == {"b": {}}


def test_the_core_reads_the_table_as_it_reads_the_file():
    found, expected = course_inputs(course_table(), case_inputs()), planned_by_core().inputs
    for name in (
        "uptakes",
        "tissues",
        "budgets",
        "session_plans",
        "most_cycles",
        "extrahepatic_lesions",
        "constraints",
    ):
        assert getattr(found, name) == getattr(expected, name), name


def test_entries_are_changed_in_a_copy_and_empty_ones_go():
    table = {"cycles": {"at_most": 3}, "grade": "G1"}
    changed = with_entry(table, 1, "cycles", "at_least")
    assert changed == {"cycles": {"at_most": 3, "at_least": 1}, "grade": "G1"} and table["cycles"] == {"at_most": 3}
    assert with_entry(table, None, "cycles", "at_most") == {"grade": "G1"}
    assert with_entry(table, 0, "cycles", "at_most")["cycles"] == {"at_most": 0}
    assert entry({}, "cycles", "at_most") == 4 and entry(changed, "cycles", "at_least") == 1
    assert entry({"extrahepatic_disease": False}, "extrahepatic_disease") is False
    assert entry({}, "objective", "aim_bed_gy") is None


@pytest.mark.parametrize("text", ["none", "none; whole liver", "none; whole liver; right lobe + left lobe"])
def test_plans_of_sessions_come_back_as_they_were_typed(text):
    assert plans_text(plans_from_text(text)) == text
    assert plans_from_text(" none ;a+ b;") == [[], ["a", "b"]]


def test_doses_come_back_as_they_were_typed():
    doses, spared = doses_from_text("tumor 1: 30; kidney:4,4;; bone: -; a: b: 2")
    assert doses == {"tumor 1": 30.0, "kidney": 4.4, "a: b": 2.0} and spared == ["bone"]
    assert doses_from_text(doses_text(doses, spared)) == (doses, spared)
    assert doses_from_text("") == ({}, [])


@pytest.mark.parametrize("text", ["kidney", ": 3", "kidney: x", "kidney: nan", "kidney: 3; kidney: -"])
def test_what_is_no_dose_is_refused(text):
    with pytest.raises(InputError):
        doses_from_text(text)


def test_digests_tell_parts_apart_and_do_not_mind_defaults_or_deliveries():
    plain, given = course_table(), course_table(delivered=[_LU])
    assert course_digests(plain, delivered=False) == course_digests(given, delivered=False)
    assert course_digests(plain, delivered=True) != course_digests(given, delivered=True)
    stated = with_entry(plain, ["kidney dose", "marrow dose"], "budgets", "stated")
    assert course_digests(stated, delivered=True) == course_digests(plain, delivered=True)
    other = course_digests(with_entry(plain, "G2", "grade"), delivered=True)
    changed = {part for part, digest in course_digests(plain, delivered=True).items() if other[part] != digest}
    assert changed == {"course: grade"}


def test_half_lives_of_earlier_cycles_are_entered_ones_else_published_with_a_notice():
    doses = {"A": 20.0, "B": 9.0, "C": 11.0, "bone": 30.0, "kidney": 3.4, "marrow": 0.2, "normal liver": 2.1}
    uptakes = {name: value for name, value in course_table()["uptakes"].items() if name != "marrow"}
    table = course_table(history=[{**_LU, "day": -300.0, "dose_gy": doses}], uptakes=uptakes)
    found = course_inputs(table, case_inputs())
    assert found.history[0].half_life_h["bone"] == 80.0 and found.history[0].half_life_h["marrow"] == 71.0
    told = [notice.message for notice in found.notices if notice.name == PopulationUptake.__name__]
    assert any("'one': the half-life of 'marrow'" in text for text in told)
    assert not any("half-life of 'bone'" in text for text in told)


def test_what_was_delivered_is_read_with_predictions_for_the_rest():
    table = course_table(delivered=[{**_LU, "day": 0.0, "dose_gy": {"A": 30.0}}])
    inputs = course_inputs(table, case_inputs())
    (cycle,) = delivered_of(table, inputs).exposures
    assert cycle.dose_gy["A"] == 30.0 and cycle.dose_gy["kidney"] == pytest.approx(0.5 * 7.4)
    with pytest.raises(InputError, match="Nothing of the course was given"):
        delivered_of(course_table(), inputs)
