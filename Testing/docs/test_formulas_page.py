"""The examples of docs/formulas.md print what the page shows."""

import re
import shlex

import pytest

from radioembolization.cli import main
from support import REPOSITORY

PAGE = (REPOSITORY / "docs" / "formulas.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```sh\n(.*?)\n```\n\n```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
FORMULAS = ("partition", "mird", "bsa", "holmium", "lung", "shunt", "decay", "bed")


def test_every_formula_has_an_example():
    assert len(EXAMPLES) == PAGE.count("```sh") == 11
    assert {shlex.split(command)[2] for command in EXAMPLES} == set(FORMULAS)


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda command: " ".join(command.split()[2:5]))
def test_the_example_prints_what_the_page_shows(command, capsys):
    program, *arguments = shlex.split(command)
    assert program == "radioembolization-planner"
    assert main(arguments) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed == EXAMPLES[command].splitlines()


def test_every_option_is_on_the_page(capsys):
    for formula in FORMULAS:
        with pytest.raises(SystemExit):
            main(["calc", formula, "--help"])
        options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
        assert not [option for option in options if not re.search(rf"{option}\b", PAGE)]


def test_research_use_only():
    assert "research use\nonly" in PAGE.lower()
