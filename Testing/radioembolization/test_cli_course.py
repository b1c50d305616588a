"""The command ``course`` as a user meets it: a first plan, what is left after a cycle, bad input."""

import csv
import json
from importlib import resources

import jsonschema
import pytest

from radioembolization.cli import course, main
from small_course import COURSE, changed, write_small_course

HISTORY = """
[[history]]
label = "cycle of another year"
modality = "177Lu"
day = -20
activity_gbq = 7.4
dose_gy = { kidney = 3.4, marrow = 0.2, "normal liver" = 2.1, A = 20, B = 9, C = 11, bone = 30 }
half_life_h = { kidney = 51, marrow = 71, "normal liver" = 67, A = 85, B = 85, C = 85, bone = 85 }
"""
EARLIER = HISTORY.replace("another year", "the same month").replace("-20", "-30")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cli course")


@pytest.fixture(scope="module")
def schema():
    return json.loads(resources.files("radioembolization.files").joinpath("course.schema.json").read_text())


@pytest.fixture(scope="module")
def run(folder):
    """Return a function that runs the command on a course text and returns code, document and results folder."""

    def run_command(text=COURSE, *more):
        path, out = write_small_course(folder, text), folder / "out"
        with pytest.MonkeyPatch.context() as patch:
            lines: list[str] = []
            patch.setattr("sys.stdout.write", lines.append)
            code = main(["course", str(path), "--json", "--out", str(out), *map(str, more)])
        return code, json.loads("".join(lines)), out

    return run_command


@pytest.fixture(scope="module")
def first(run):
    return run()


def test_the_document_obeys_its_schema(first, schema):
    code, document, out = first
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(schema)
    files = document.pop("files")
    jsonschema.validate(document, schema)
    assert document == json.loads((out / "course.json").read_text(encoding="utf-8"))
    assert sorted(files) == ["course", "ledger", "page"]
    broken = {**document, "course": {**document["course"], "objective": {"value": 1.0}}}
    with pytest.raises(jsonschema.ValidationError, match="bound"):
        jsonschema.validate(broken, schema)


def test_the_combined_course_beats_either_modality_within_every_limit(first):
    document = first[1]
    by_name = {one["name"]: one["objective"] for one in document["alternatives"]}
    assert by_name["both"] > max(by_name["177Lu alone"], by_name["radioembolization alone"]) + 10.0
    assert all(budget["kept"] for budget in document["budgets"]) and all(limit["met"] for limit in document["limits"])
    assert document["course"]["objective"]["bound"] >= document["course"]["objective"]["value"] - 1e-6


def test_cycles_of_177lu_give_what_their_uptake_says(first):
    effects = {effect["name"]: effect for effect in first[1]["effects"]}
    assert effects["kidney"]["lutetium_gy"] == pytest.approx(2 * 7.4 * 0.5)
    assert effects["B"]["lutetium_gy"] == pytest.approx(7.4 * 1.0 * (1.0 + 0.94))  # 6 % less in the second cycle
    assert effects["bone"]["microspheres_gy"] == 0.0
    contrasts = {one["name"]: one for one in first[1]["contrasts"]}
    assert contrasts["bone"]["without_radioembolization_gy"] == contrasts["bone"]["both_gy"]
    assert contrasts["bone"]["without_lutetium_gy"] == 0.0
    assert 0.0 < contrasts["B"]["without_radioembolization_gy"] < contrasts["B"]["both_gy"]


def test_the_ledger_adds_up_to_the_effects(first):
    _, document, out = first
    with (out / "ledger.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for effect in document["effects"]:
        own = [row for row in rows if row["structure"] == effect["name"]]
        dose = sum(float(row["dose_gy"]) for row in own)
        bed = sum(float(row["bed_gy"]) + float(row["cross_bed_gy"]) for row in own)
        assert dose == pytest.approx(effect["lutetium_gy"] + effect["microspheres_gy"], abs=2e-3)
        assert bed == pytest.approx(effect["bed_gy"], abs=2e-3)
        assert float(own[-1]["total_bed_gy"]) == pytest.approx(bed, abs=2e-3)


def test_missing_blood_tests_stand_in_the_way(first):
    findings = first[1]["findings"]
    missing = [finding for finding in findings if finding["finding"] == "not eligible until entered"]
    assert len(missing) == len(first[1]["course"]["administrations"])
    assert not first[1]["may_be_given"] and all("bilirubin" in finding["text"] for finding in missing)


def test_a_course_of_two_cycles_with_extrahepatic_disease_needs_a_reason(first, run):
    rule = "radioembolization instead of cycles"
    assert [f["blocks"] for f in first[1]["findings"] if f["rule"] == rule] == [True]
    _, document, _ = run(COURSE + f'[reasons]\n"{rule}" = "two cycles were given elsewhere"\n')
    (finding,) = [f for f in document["findings"] if f["rule"] == rule]
    assert not finding["blocks"] and finding["reason"] == "two cycles were given elsewhere"


def test_the_rest_is_planned_after_a_measured_cycle(run, folder, schema):
    measured = folder / "measured.toml"
    measured.write_text(
        '[[delivered]]\nlabel = "177Lu cycle 1"\nmodality = "177Lu"\nday = 0\nactivity_gbq = 7.4\n'
        "dose_gy = { A = 37, B = 14.8, kidney = 4.44 }\n"
    )
    code, document, _ = run(COURSE, "--after", measured)
    assert code == 0
    document.pop("files")
    jsonschema.validate(document, schema)
    states = [(entry["label"], entry["measured"], entry["planned"]) for entry in document["ledger"]]
    assert states[0] == ("177Lu cycle 1", True, False) and states[1] == ("177Lu cycle 2", False, True)
    uptakes = {uptake["region"]: uptake for uptake in document["uptakes"]}
    assert uptakes["B"]["gy_per_gbq"]["value"] == pytest.approx(2.0) and uptakes["B"]["origin"] == "patient"
    assert uptakes["C"]["origin"] == "entered"  # not measured: the prediction stays what it was
    assert any("B took up 2 instead of 1" in line for line in document["changed"])
    assert document["first_plan"]["kind"].startswith("2 x 177Lu")
    assert "PredictedDose" in [notice["name"] for notice in document["notices"]]
    effects = {effect["name"]: effect for effect in document["effects"]}
    assert effects["B"]["lutetium_gy"] == pytest.approx(14.8 * (1.0 + 0.94))


def test_cycles_too_close_in_the_history_are_told_as_past(run):
    text = changed("at_most = 2", "at_most = 0") + EARLIER + HISTORY
    code, document, _ = run(text)
    assert code == 0
    intervals = [f for f in document["findings"] if f["finding"] == "interval" and f["past"]]
    assert intervals and not intervals[0]["blocks"] and "7 weeks are needed" in intervals[0]["text"]


def test_population_values_are_tried_at_both_ends(run):
    kidney = "[uptakes.kidney]\ngy_per_gbq = 0.5\neffective_half_life_h = 51\n"
    code, document, _ = run(changed(kidney, ""))
    assert code == 0
    (stress,) = [one for one in document["stress"] if one["structure"] == "kidney"]
    assert stress["spent_range_gy"] == pytest.approx([2 * 7.4 * 0.27, 2 * 7.4 * 0.91])
    assert next(u for u in document["uptakes"] if u["region"] == "kidney")["origin"] == "population"
    assert "PopulationUptake" in [notice["name"] for notice in document["notices"]]


def test_bad_input_and_infeasible_courses_have_their_codes(run):
    code, document, _ = run(changed("[7.4]", "[7400]"))
    assert (code, document["error"]) == (2, "InputError")
    code, document, _ = run(changed("at_most = 2", "at_least = 2\nat_most = 2") + "[budgets.x]\n")
    assert (code, document["error"]) == (2, "CaseFileError")
    own = '[[budgets.own]]\nname = "tiny"\nstructure = "kidney"\nat_most_gy = 1.0\n'
    code, document, _ = run(changed("at_most = 2", "at_least = 1\nat_most = 2") + own)
    assert code == 3 and "kidney" in document["message"]


def test_tables_are_printed(folder, capsys):
    path = write_small_course(folder)
    assert main(["course", str(path), "--out", str(folder / "out")]) == 0
    out = capsys.readouterr().out
    for words in ("Course: 2 x 177Lu", "kidney dose", "177Lu alone", "course.html", "Research use only"):
        assert words in out


@pytest.mark.slow
def test_the_demo_course_is_a_course_that_needs_both(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(course, "course_page", lambda _planned: "")  # the page has tests of its own
    assert main(["demo", "--course", "--spacing", "8", "--json", "--out", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out)
    by_name = {one["name"]: one["objective"] for one in document["alternatives"]}
    assert by_name["both"] > max(by_name["177Lu alone"], by_name["radioembolization alone"]) + 50.0
    assert all(one["kept"] for one in document["budgets"]) and all(one["met"] for one in document["limits"])
    assert document["case"]["synthetic"] and (tmp_path / "case" / "course.toml").is_file()
