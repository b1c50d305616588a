"""The commands ``shunt`` and ``calc shunt`` as a user meets them."""

import json

import pytest

from radioembolization.cli import main
from radioembolization.files import write_case
from small_case import small_inputs

PLANAR = "--lungs-anterior 100 --lungs-posterior 400 --liver-anterior 9000 --liver-posterior 4000"


@pytest.fixture
def run(capsys):
    """Return a function that runs a command and returns exit code, standard output and error."""

    def run_command(line):
        code = main(line.split())
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(small_inputs(), tmp_path_factory.mktemp("case"))


def test_scout_of_a_case(run, case):
    code, printed, _error = run(f"shunt {case} --json")
    assert code == 0
    found = json.loads(printed)
    # Concentrations of the scout are 400, 250 and 600 over 100; voxels of 4.4 mm blur the edges of the lesions.
    by_tumour = {one["name"]: one for one in found["tumour_to_normal"] if one["reference"] == "normal liver"}
    assert set(by_tumour) == {"A", "B", "C"}
    assert by_tumour["A"]["ratio"] == pytest.approx(4.0, rel=0.15)
    assert all(one["standard_error"] > 0 for one in by_tumour.values())
    assert {"normal liver of right", "normal liver of left"} <= {one["reference"] for one in found["tumour_to_normal"]}
    # What the scout has outside the liver is 40 against 100 in the liver: below the rule.
    assert found["foci"] == []
    assert found["lung_shunts"] == []
    assert {"ShuntNotComputed", "PartialVolumeLoss"} <= {notice["name"] for notice in found["notices"]}


def test_tables_of_a_case(run, case):
    code, printed, _error = run(f"shunt {case}")
    assert code == 0
    assert "Tumour-to-normal ratios" in printed
    assert "lung shunts of their own: 4.0 %, 5.0 %" in printed
    assert "No extrahepatic focus was found." in printed
    assert "Research use only" in printed


def test_without_scout_is_refused(run, tmp_path):
    case = write_case(small_inputs(scout=None, tumour_to_normal={"A": 4.0, "B": 2.0, "C": 3.0}), tmp_path / "case")
    text = case.read_text(encoding="utf-8").replace('distribution = "scout"', 'distribution = "tumour_to_normal"')
    case.write_text(text, encoding="utf-8")
    code, _printed, error = run(f"shunt {case}")
    assert code == 2
    assert "scout" in error


def test_calc_shunt_by_hand(run):
    # Planar 200 / 6200; SPECT 400 / 0.8 = 500 of 10000.
    code, printed, _error = run(f"calc shunt {PLANAR} --spect-lungs 400 --spect-liver 9500 --measured-share 0.8 --json")
    found = json.loads(printed)
    assert code == 0
    assert found["planar_shunt"] == pytest.approx(200 / 6200)
    assert found["spect_shunt"] == pytest.approx(0.05)
    assert [notice["name"] for notice in found["notices"]] == ["LungsExtrapolated"]


def test_calc_shunt_warns_for_the_device(run):
    code, printed, _error = run("calc shunt --spect-lungs 300 --spect-liver 700 --device glass")
    assert code == 0
    assert "LungShuntHigh" in printed
    assert "2.03 GBq of glass" in printed  # 0.61 / 0.3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("calc shunt", "Give planar counts"),
        ("calc shunt --lungs-anterior 100", "Missing: --lungs-posterior, --liver-anterior, --liver-posterior"),
        (f"calc shunt {PLANAR.replace('4000', '-4')}", "are -4"),
        (f"calc shunt {PLANAR} --lungs-background-anterior 1", "needs the area"),
        ("calc shunt --spect-lungs 300 --spect-liver 700 --measured-share 80", "not per cent"),
        ("calc shunt --spect-lungs 300 --spect-liver 700 --measured-share 0.3", "Extend the SPECT"),
        ("calc shunt --spect-lungs 0 --spect-liver 700", "no counts in the lungs"),
    ],
)
def test_bad_input(run, line, message):
    code, _printed, error = run(line)
    assert code == 2
    assert message in error
