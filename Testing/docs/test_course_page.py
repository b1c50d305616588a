"""docs/course.md names every entry, and its examples are read as they stand."""

import re

import pytest

from radioembolization.cli import main
from radioembolization.course.budget import organ_budgets
from radioembolization.course.constraints import stated_constraints
from radioembolization.files.course_file import read_course
from radioembolization.files.measured_file import read_measured
from small_course import write_small_course
from support import CORE, REPOSITORY

PAGE = (REPOSITORY / "docs" / "course.md").read_text(encoding="utf-8")
READERS = ("course_file", "course_rules", "course_tables", "uptake_tables", "measured_file")
FIRST, MEASURED = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_every_entry_is_documented():
    entries = set()
    for name in READERS:
        source = (CORE / "files" / f"{name}.py").read_text(encoding="utf-8")
        methods = r"take|text|texts|number|numbers|flag|choice|table|tables|mapping|list_of_numbers|peek"
        entries |= set(re.findall(rf"\.(?:{methods})\(\s*\"(\w+)\"", source))
        entries |= set(re.findall(r"_(?:whole|numbers)\(\w+, \"(\w+)\"", source))
    assert len(entries) > 50
    assert not [entry for entry in entries if not re.search(rf"\b{entry}\b", PAGE)]


def test_the_examples_are_read_and_say_what_the_page_says(tmp_path):
    course = read_course(write_small_course(tmp_path, FIRST))
    published = re.search(r"Lesion `(\w)`, normal liver, kidney and marrow have no uptake", PAGE)[1]
    assert published == "C" and [notice.name for notice in course.notices] == ["PopulationUptake"] * 4
    assert course.history[0].day == -900.0 and course.labs[0].analyte == "bilirubin"
    (tmp_path / "measured.toml").write_text(MEASURED, encoding="utf-8")
    delivered = read_measured(tmp_path / "measured.toml", course)
    assert delivered.exposures[0].activity_gbq == 7.3 and len(delivered.sessions_left) == 2
    assert [notice.name for notice in delivered.notices] == ["PredictedDose"]


def test_budgets_intervals_and_blood_tests_are_named():
    stated = {name: budget for name, budget in organ_budgets().items() if budget.structure != "lungs"}
    assert all(f"`{name}` ({budget.limit_gy:g} Gy)" in PAGE for name, budget in stated.items())
    assert all(rule.name in PAGE for rule in stated_constraints().intervals)
    assert all(f"`{analyte}`" in PAGE for analyte in stated_constraints().gate.analytes)


def test_every_option_is_on_the_page(capsys):
    with pytest.raises(SystemExit):
        main(["course", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert not [option for option in options if option not in PAGE]
    assert "research use only" in PAGE.lower()
