"""The commands on reasons, trade-offs, scenarios and vials: tables, files, exit codes; nothing written on bad input."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest

from radioembolization.cli import main, planning
from radioembolization.files import write_case
from small_case import small_inputs
from support import REPOSITORY, SHARED

CASES, MAA = REPOSITORY / "Testing" / "cases", SHARED / "data" / "maa_spect_patient"
UNCERTAIN = "\n[uncertainty]\ncount = 40\nseed = 2\n"
VIALS = '\n[vials]\nsizes_gbq = [1, 2]\ncalibrations = ["2026-12-01T08:00+01:00"]\n'
AT_TWO = 'inject_at = "2026-12-01T14:00+01:00"\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_case(small_inputs(), tmp_path_factory.mktemp("case")).parent


@pytest.fixture
def case(folder):
    """Return a function that writes the case with more tables and returns its path."""

    def writing(tables=""):
        path = folder / "more.toml"
        path.write_text((folder / "case.toml").read_text(encoding="utf-8") + tables, encoding="utf-8")
        return str(path)

    return writing


def test_explain_tells_what_each_site_is_for(case, tmp_path, capsys):
    assert main(["explain", case(), "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    for text in ("buys", "is essential", "Mean dose by site", "explain.json", "Research use only"):
        assert text in printed
    found = json.loads((tmp_path / "explain.json").read_text(encoding="utf-8"))
    assert {site["site"] for site in found["explanation"]["sites"]} == {"proper", "left", "right"}
    matrix = found["explanation"]["contributions"]
    assert [sum(column) for column in zip(*matrix["mean_gy"], strict=True)] == pytest.approx(matrix["total_gy"])


def test_front_writes_points_and_both_figures(case, tmp_path, capsys):
    arguments = ["front", case(), "--limit", "lungs", "--from", "1", "--to", "2", "--out", str(tmp_path), "--json"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    points = found["trade_offs"]["front"]["points"]
    assert points[0]["limit_bound"] >= 1.0 - 1e-9 and points[-1]["limit_bound"] <= 2.0 + 1e-9
    # Less dose to the lungs means proportionally less to the tumours until another limit binds.
    assert points[0]["value"] < points[-1]["value"]
    assert len(found["trade_offs"]["staircase"]["steps"]) == 2 or found["trade_offs"]["staircase"]["steps"][0]["value"]
    assert {path.name for path in tmp_path.iterdir()} == {"front.json", "front.svg", "staircase.svg"}


def test_robust_shows_both_plans(case, tmp_path, capsys):
    tables = f"{UNCERTAIN}\n[report]\nmicrospheres = 2\n"
    assert main(["robust", case(tables), "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    for text in (
        "Whole microspheres",
        "2 draws (seed 0)",
        "Limits met in 1000 scenarios",
        "nominal [GBq]",
        "costs",
        "Research use only",
    ):
        assert text in printed
    found = json.loads((tmp_path / "robust.json").read_text(encoding="utf-8"))
    fresh, nominal = (found["scenarios"]["robust"][name]["all_limits"] for name in ("plan_fresh", "nominal_fresh"))
    assert found["microspheres"]["draws"] == 2 and len(found["microspheres"]["structures"]) == 4
    assert fresh >= 0.95 > nominal and found["scenarios"]["uncertainty"]["seed"] == 2


def test_vials_lists_what_to_order(case, tmp_path, capsys):
    assert main(["vials", case(VIALS + AT_TWO), "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    for text in ("To order", "delivered", "no vials of the calendar", "Research use only"):
        assert text in printed
    order = json.loads((tmp_path / "vials.json").read_text(encoding="utf-8"))["vials"]["orders"][0]
    assert order["calibrated_gbq"] in (1.0, 2.0) and order["earliest"] < order["injected_at"] < order["latest"]


def test_plan_holds_what_the_case_asks_for_and_stands(case, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(planning, "page", lambda _treatment: "")  # the report has tests of its own
    tables = UNCERTAIN + VIALS + AT_TWO + "\n[report]\nfront = true\nstaircase = true\nmicrospheres = 2\n"
    assert main(["plan", case(tables), "--out", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    document.pop("files")
    schema = json.loads(resources.files("radioembolization.files").joinpath("plan.schema.json").read_text())
    jsonschema.validate(document, schema)
    analysis = document["analysis"]
    assert all(
        analysis[part] for part in ("explanation", "trade_offs", "scenarios", "vials", "nominal", "microspheres")
    )
    assert analysis["scenarios"]["robust"] is None  # evaluated only
    # Whoever checks it finds every figure as stated, and no certificate of the vials (exit code 5).
    assert main(["certify", str(tmp_path / "plan.json")]) == 5


@pytest.mark.parametrize(
    ("command", "tables", "name", "message"),
    [
        ("robust", "\n[uncertainty]\ncount = 0\n", "UncertaintyError", "number of scenarios"),
        ("robust", "\n[uncertainty.spreads]\nwind = true\n", "UncertaintyError", "wind"),
        ("robust", "\n[uncertainty.spreads]\ncalibration = { sd = 300.0 }\n", "UncertaintyError", "physical"),
        ("vials", "", "CaseFileError", "no [vials]"),
        ("vials", '\n[vials]\ncalibrations = ["2026-12-01T08:00"]\n' + AT_TWO, "VialError", "no time zone"),
        ("vials", VIALS + 'inject_at = "2026-11-20T14:00+01:00"\n', "VialError", "before calibration"),
        ("vials", VIALS + 'inject_at = "2027-12-01T14:00+01:00"\n', "VialError", "after calibration"),
        ("plan", VIALS + 'inject_at = "2026-11-20T14:00+01:00"\n', "VialError", "before calibration"),
        ("front", '\n[report]\nfront = "spleen"\n', "LimitError", "'spleen' means none of the limits"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(case, tmp_path, capsys, command, tables, name, message):
    out = tmp_path / "out"
    assert main([command, case(tables), "--out", str(out), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["error"] == name and message in found["message"]
    assert not out.exists()


def test_ranges_need_both_ends(case, tmp_path, capsys):
    assert main(["front", case(), "--from", "1", "--out", str(tmp_path / "out")]) == 2
    assert "--from and --to" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_limits_that_contradict_each_other_are_listed(case, tmp_path, capsys):
    lower = '\n[[prescription.limits]]\nquantity = "mean_dose"\nstructure = "A"\nat_least_gy = 5000.0\n'
    assert main(["plan", case(lower), "--out", str(tmp_path / "out"), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert any("A" in limit for limit in found["irreducible"]) and len(found["irreducible"]) >= 2
    assert not (tmp_path / "out").exists()


@pytest.mark.exhaustive
@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.skipif(not MAA.is_dir(), reason="the MAA SPECT patient is not beside the repository")
@pytest.mark.parametrize("command", ["explain", "front", "robust", "vials"])
def test_real_patient_by_one_command_each(command, tmp_path):
    case = CASES / "maa_spect_patient_analysis.toml"
    assert main([command, str(case), "--out", str(tmp_path)]) == 0
    assert (tmp_path / f"{command}.json").is_file()
