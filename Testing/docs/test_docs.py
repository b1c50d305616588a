"""What the documentation says is what the program does."""

import re

import pytest

from radioembolization.errors import OutflowNowhere
from radioembolization.planning import load_presets
from radioembolization.planning.goal_table import GOAL_ENTRIES
from radioembolization.planning.limit_table import QUANTITY_ENTRIES
from support import CORE, REPOSITORY

DOCS = REPOSITORY / "docs"


def code_blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_script_runs_as_printed(capsys):
    first, second, _of_a_tree, _in_slicer = code_blocks(DOCS / "scripting.md", "python")
    names = {}
    exec(compile(first, "scripting.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "mean dose, whole normal liver <= 50 Gy" in printed
    plan = names["plan"]
    assert plan.status == "optimal"
    assert plan.goal.gap < 1e-5
    assert names["dose_gy"].array[names["tumour_left"]].mean() == pytest.approx(plan.goal.value, rel=1e-4)
    exec(compile(second, "scripting.md", "exec"), names)
    harder = names["plan"]
    assert harder.status == "optimal"
    assert harder.activities_gbq[2] >= 0.2 * (1 - 1e-6)
    reached = [float(value) for value in re.findall(r"Gy: ([0-9.]+) Gy in the coldest", capsys.readouterr().out)]
    assert len(reached) == 3
    assert reached == sorted(reached, reverse=True)


def test_the_script_of_an_arterial_tree_runs_as_printed(capsys):
    first, _second, of_a_tree, _in_slicer = code_blocks(DOCS / "scripting.md", "python")
    names = {}
    exec(compile(first, "scripting.md", "exec"), names)
    with pytest.warns(OutflowNowhere, match="gallbladder"):
        exec(compile(of_a_tree, "scripting.md", "exec"), names)
    upstream = {candidate.name: candidate.upstream for candidate in names["candidates"]}
    assert upstream == {
        "proper hepatic": "",
        "right hepatic": "proper hepatic",
        "tip of the catheter": "right hepatic",
        "left hepatic": "proper hepatic",
    }
    # Flow of the cystic artery in the right hepatic by Murray's law, and of the two sides of the liver.
    assert names["candidates"][1].outflow["gallbladder"] == pytest.approx(0.8**3 / (2.2**3 + 0.8**3))
    right, left = 2.2**3 * (2.2**3 / (2.2**3 + 0.8**3)), 1.8**3
    covered = {one.site: one.liver_share for one in names["territories"].coverage(names["perfused"])}
    assert covered["tip of the catheter"] == pytest.approx(right / (right + left), rel=0.01)
    assert names["plan"].status == "optimal"
    assert names["plan"].goal.value > 100.0
    assert len(names["from_mask"].terminal_stretches) == 3 and len(names["grown"].terminal_stretches) == 16
    assert names["grown"].synthetic and not names["from_mask"].synthetic


def test_every_entry_of_the_case_file_is_documented():
    files = ("case_file.py", "case_images.py", "case_structures.py")
    source = "".join((CORE / "files" / name).read_text(encoding="utf-8") for name in files)
    entries = set(
        re.findall(
            r"\.(?:take|text|texts|number|numbers|flag|choice|table|tables|mapping|list_of_numbers)\(\"(\w+)\"", source
        )
    )
    text = (DOCS / "case-file.md").read_text(encoding="utf-8")
    assert len(entries) > 30
    assert not [entry for entry in entries if not re.search(rf"\b{entry}\b", text)]


def test_presets_and_their_limits_are_documented():
    text = (DOCS / "case-file.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z]+/[a-z-]+)` \| (.*) \|$", text, re.MULTILINE))
    assert set(rows) == set(load_presets())
    short = {
        "mean dose, perfused normal liver": "perfused normal liver",
        "mean dose, perfused normal liver of each territory": "perfused normal liver of each territory",
        "lowest mean dose, perfused normal liver of each territory": "perfused normal liver of each territory at least",
        "mean dose, whole normal liver": "whole normal liver",
        "mean dose, lungs": "lungs",
        "activity shunted to the lungs": "shunted activity",
    }
    for name, preset in load_presets().items():
        said = ", ".join(f"{short[x.quantity.name]} {x.bound:g} {x.quantity.unit}" for x in preset.limits)
        assert rows[name] == said


def test_quantities_and_goals_are_documented_with_their_entries():
    text = (DOCS / "case-file.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|(.*?)\| `at_", text, re.MULTILINE)
    documented = {
        name: set(re.findall(r"`(\w+)`", entries)) for names, entries in rows for name in re.findall(r"`(\w+)`", names)
    }
    assert documented == {name: set(entries) for name, entries in QUANTITY_ENTRIES.items()}
    goals = re.findall(
        r'^\| `(?:\{ )?"?(\w+)', text[text.index("#### Goals") : text.index("#### Limits")], re.MULTILINE
    )
    assert set(goals) == set(GOAL_ENTRIES)


def test_relative_links_lead_somewhere():
    for page in [REPOSITORY / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_research_use_only_stands_where_it_must():
    for page in ["README.md", "docs/case-file.md", "docs/scripting.md", "docs/developer.md"]:
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        assert "research use only" in text.lower(), page
