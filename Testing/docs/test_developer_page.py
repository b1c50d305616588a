"""The developer guide names tests, folders and files that are there."""

import re

import pytest

from support import REPOSITORY

PAGE = (REPOSITORY / "docs" / "developer.md").read_text(encoding="utf-8")
TESTING = REPOSITORY / "Testing"
LIB = REPOSITORY / "RadioembolizationPlanner" / "RadioembolizationPlannerLib"
STATES = {"met", "partly", "not met", "desktop"}
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| ([\w ]+) \| (.+) \|$", PAGE, re.MULTILINE)


def test_all_expectations_are_there_with_a_state():
    assert [int(number) for number, *_ in ROWS] == list(range(1, 37))
    assert {state for _number, _item, state, _tests in ROWS} <= STATES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_is_met_is_shown_by_tests_that_are_there(row):
    _number, item, state, tests = row
    named = re.findall(r"`([^`]+)`", tests)
    assert named or state in ("partly", "not met"), item
    for name in named:
        path, function = name.split("::")
        text = (TESTING / path).read_text(encoding="utf-8")
        assert re.search(rf"^ *def {function}\(", text, re.MULTILINE), name


def test_files_of_the_adapter_are_named_as_they_are():
    block = PAGE[PAGE.index("RadioembolizationPlannerLib/     ") : PAGE.index("Everything the panel can do")]
    names = re.findall(r"\b(\w+)(\*?)\.py\b", block)
    assert len(names) > 8
    for name, star in names[1:] if names[0][0] == "RadioembolizationPlanner" else names:
        assert list(LIB.glob(f"{name}{star}.py")), name


def test_research_use_only():
    assert "research use only" in PAGE.lower() and "not yet run in desktop Slicer" in PAGE
