"""The command line as a user meets it: tables, JSON, exit codes, no half-written output."""

import json
import re
from importlib import resources

import jsonschema
import pytest

from radioembolization.cli import main, planning
from radioembolization.files import write_case
from small_case import RATIOS, small_inputs


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(small_inputs(tumour_to_normal=RATIOS), tmp_path_factory.mktemp("case"))


@pytest.fixture
def edited(case):
    """Return a function that writes the case with a change and returns its path."""

    def write(pattern, replacement, append=""):
        text, count = re.subn(pattern, replacement, case.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert count, pattern
        path = case.parent / "edited.toml"
        path.write_text(text + append, encoding="utf-8")
        return path

    return write


def test_plan_prints_tables_and_files(case, tmp_path, capsys):
    assert main(["plan", str(case), "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    for text in ("activity [GBq]", "D70 [Gy]", "perfused normal liver", "Proof:", "plan.json", "Research use only"):
        assert text in printed
    assert "of the scout counts lie inside the liver" in printed
    # The plan and the files are the last thing a reader sees.
    assert printed.index("Compared:") < printed.index("Plan: 90Y resin") < printed.index("plan.json")
    plan = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    used = [site for site in plan["sites"] if site["activity_gbq"] > 0]
    assert used
    for site in used:
        assert re.search(rf"{site['name']}\s*\S\s*{site['activity_gbq']:.3f}", printed)


def test_json_is_one_document_and_results_go_beside_the_case_by_default(case, capfd):
    assert main(["plan", str(case), "--json"]) == 0
    captured = capfd.readouterr()
    document = json.loads(captured.out)
    assert captured.err == ""
    files = document.pop("files")
    schema = json.loads(resources.files("radioembolization.files").joinpath("plan.schema.json").read_text())
    jsonschema.validate(document, schema)
    folder = case.parent / "case-plan"
    assert document == json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert set(files) == {"plan", "dose", "dose rows", "dose (NIfTI)", "DVH", "report"}
    assert (folder / "report.html").is_file()


def test_a_plan_may_end_at_a_time_limit(case, tmp_path, capsys, monkeypatch):
    """At once here; the plan says so."""
    monkeypatch.setattr(planning, "page", lambda _treatment: "")  # the report is that of any plan
    assert main(["plan", str(case), "--out", str(tmp_path), "--json", "--time-limit", "1e-9"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["status"] == "time limit"
    assert main(["plan", str(case), "--time-limit", "-1"]) == 2
    assert "--time-limit -1 must be a positive number of seconds" in capsys.readouterr().err


def test_check_explains_without_writing(case, capsys):
    before = sorted(case.parent.iterdir())
    assert main(["check", str(case)]) == 0
    printed = capsys.readouterr().out
    for text in (
        "Candidate sites",
        "maximize lowest mean dose of any tumour",
        "of the scout counts lie inside the liver",
    ):
        assert text in printed
    assert sorted(case.parent.iterdir()) == before


def test_check_as_json(case, capsys):
    assert main(["check", str(case), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is True
    assert [site["name"] for site in document["sites"]] == ["proper", "left", "right"]


@pytest.mark.parametrize("command", ["check", "plan"])
def test_bad_input_exits_with_2_and_writes_nothing(edited, tmp_path, capsys, command):
    path = edited(r"^lung_shunt = 0\.05", "lung_shunt = 5")
    out = ["--out", str(tmp_path / "out")] if command == "plan" else []
    assert main([command, str(path), *out]) == 2
    error = capsys.readouterr().err
    assert error.startswith("bad input: TerritoryError: Site 'proper': lung shunt 5 is not in [0, 1)")
    assert not (tmp_path / "out").exists()


def test_missing_case_exits_with_2(tmp_path, capsys):
    assert main(["plan", str(tmp_path / "absent.toml")]) == 2
    assert "absent.toml" in capsys.readouterr().err


def test_contradicting_limits_exit_with_3_and_name_the_excess(edited, tmp_path, capsys):
    limit = '\n[[prescription.limits]]\nquantity = "mean_dose"\nstructure = "A"\nat_least_gy = 5000\n'
    path = edited(r"^synthetic = .*", "synthetic = true", append=limit)
    out = tmp_path / "out"
    assert main(["plan", str(path), "--out", str(out), "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "infeasible"
    assert document["excess"]
    assert all(value > 0 for value in document["excess"].values())
    assert not out.exists()


def test_unknown_command_exits_with_2():
    with pytest.raises(SystemExit) as stopped:
        main(["optimise"])
    assert stopped.value.code == 2


def test_demo_refuses_an_absurd_voxel(tmp_path, capsys):
    assert main(["demo", "--spacing", "50", "--out", str(tmp_path / "out")]) == 2
    assert "outside 1 to 10 mm" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
