"""The examples of docs/lutetium.md run as printed and give the numbers printed beside them."""

import json
import re
import shlex

import pytest

from radioembolization.cli import main
from radioembolization.course.published_uptake import CHANGE_PER_CYCLE, PUBLISHED
from radioembolization.errors import PopulationUptake
from support import REPOSITORY

PAGE = (REPOSITORY / "docs" / "lutetium.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def lesions(tmp_path_factory):
    """Return what the two commands of the page say of the lesion."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(blocks("python")[0], "lutetium.md", "exec"), {})
        for command in blocks("sh")[0].splitlines():
            program, *arguments = shlex.split(command)
            assert program == "radioembolization-planner"
            assert main(arguments) == 0, command
    documents = [json.loads((folder / f"{name}-dose.nrrd.json").read_text()) for name in ("day1", "fit")]
    return [next(r for r in found["regions"] if r["name"] == "T1") for found in documents]


def test_the_lesion_is_as_on_the_page(lesions):
    stated = float(re.search(r"= ([\d.]+) GBq h", PAGE)[1])
    assert [lesion["time_integrated_gbq_h"] for lesion in lesions] == pytest.approx([stated, stated], rel=2e-4)
    spread = [100.0 * lesion["sd_gbq_h"] / lesion["time_integrated_gbq_h"] for lesion in lesions]
    one, three = re.search(r"leaves (\d+) % of\s+uncertainty.*each ([\d.]+) %", PAGE, re.DOTALL).groups()
    assert spread == pytest.approx([float(one), float(three)], abs=0.5)
    assert spread[1] == pytest.approx(float(three), abs=0.05)


def test_doses_of_cycles_are_as_on_the_page():
    names = {}
    with pytest.warns(PopulationUptake):
        exec(compile(blocks("python")[1], "lutetium.md", "exec"), names)
    stated = re.search(r"These are ([\d.]+), ([\d.]+), ([\d.]+) and ([\d.]+) Gy", PAGE).groups()
    assert names["doses_gy"] == pytest.approx([float(dose) for dose in stated], abs=0.05)


def test_the_table_of_published_values_is_the_one_used():
    rows = re.findall(r"^\| (\w+) \| ([\d.]+), (\w+) \| ([\d.]+) to ([\d.]+) \| (\S+)", PAGE, re.MULTILINE)
    assert {row[0] for row in rows} == {kind for kind, found in PUBLISHED.items() if found.gy_per_gbq is not None}
    for kind, value, status, low, high, half_life in rows:
        found = PUBLISHED[kind]
        assert (found.gy_per_gbq.value, str(found.gy_per_gbq.status)) == (float(value), status)
        assert found.range_gy_per_gbq == (float(low), float(high))
        assert (found.half_life_h is None) if half_life == "-" else found.half_life_h.value == float(half_life)
    for grade, change in CHANGE_PER_CYCLE.items():
        assert f"{change.value:.0%}".replace("%", " %") + f" ({grade})" in PAGE


def test_every_option_is_on_the_page(capsys):
    with pytest.raises(SystemExit):
        main(["lutetium", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert not [option for option in options if option not in PAGE]
    assert "research use only" in PAGE.lower()
