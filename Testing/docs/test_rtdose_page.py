"""The example of docs/rtdose.md runs as printed, and its tables name what the program has."""

import re
import shlex

import pydicom
import pytest

from radioembolization.cli import main
from radioembolization.files.dicom_frames import PLACE_TOLERANCE_MM
from radioembolization.files.rtdose import DOSE_RANGE_GY, LABEL_CHARACTERS, ROUNDING_BELOW_ZERO
from support import REPOSITORY

PAGE = (REPOSITORY / "docs" / "rtdose.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_example_runs_as_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make, read = blocks("python")
    exec(compile(make, "rtdose.md", "exec"), {})
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 2
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "radioembolization-planner"
        assert main(arguments) == 0, command
    capsys.readouterr()
    exec(compile(read, "rtdose.md", "exec"), {})
    (printed,) = re.findall(r"which prints `(.*)`", PAGE)
    assert capsys.readouterr().out.strip() == printed
    doses = [pydicom.dcmread(tmp_path / name) for name in ("a.dcm", "b.dcm")]
    assert len({dose.StudyInstanceUID for dose in doses}) == 1
    assert len({dose.SeriesInstanceUID for dose in doses}) == 2
    assert f"`{doses[0].SeriesDescription}`" in PAGE
    assert doses[0].DoseComment in PAGE


def test_every_option_is_on_the_page(capsys):
    with pytest.raises(SystemExit):
        main(["rtdose", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert options == set(re.findall(r"--[a-z][a-z-]*", PAGE.split("Exit codes")[0]))


def test_the_numbers_on_the_page_are_those_used():
    assert f"at most {LABEL_CHARACTERS} characters" in PAGE
    assert f"more than {PLACE_TOLERANCE_MM} mm" in PAGE
    low, high = re.findall(r"outside ([\d.e-]+) to\s+([\d.e-]+) Gy", PAGE)[0]
    assert (float(low), float(high)) == DOSE_RANGE_GY
    assert float(re.findall(r"down to -([\d.e-]+) of the maximum", PAGE)[0]) == ROUNDING_BELOW_ZERO


def test_research_use_only():
    assert "research use only" in PAGE.lower()
