"""The command ``certify``: what stands, what is rejected and why, and that it needs no solver."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys

import jsonschema
import numpy as np
import pytest

from radioembolization.cli import main, planning
from radioembolization.files import read_plan, read_rows, sha256_of, write_case
from small_case import RATIOS, small_inputs
from support import CORE

WITHOUT_SOLVERS = """
import sys
sys.modules["cvxpy"] = sys.modules["highspy"] = None
from radioembolization.cli import main
code = main(sys.argv[1:])
assert sys.modules["cvxpy"] is None and sys.modules["highspy"] is None
sys.exit(code)
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return the folder of the synthetic patient, planned."""
    folder = tmp_path_factory.mktemp("demo")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "page", lambda _treatment: "")  # nothing here reads the report
        assert main(["demo", "--seed", "3", "--spacing", "6", "--out", str(folder), "--json"]) == 0
    (folder / "printed.json").write_text(printed.getvalue(), encoding="utf-8")
    return folder


@pytest.fixture
def copied(demo, tmp_path):
    """Return a folder with the plan and its dose rows, to be changed."""
    for name in ("plan.json", "dose_rows.npz"):
        shutil.copy(demo / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def edit(copied):
    """Return a function that changes the document of the plan."""

    def write(change):
        path = copied / "plan.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write


def test_demo_writes_case_and_plan(demo, capsys):
    document = json.loads((demo / "printed.json").read_text(encoding="utf-8"))
    assert document["case"]["synthetic"] is True
    assert any(notice["name"] == "SyntheticData" for notice in document["notices"])
    assert sum(site["activity_gbq"] > 0 for site in document["sites"]) >= 2
    assert (demo / "case" / "case.toml").is_file()
    assert main(["check", str(demo / "case" / "case.toml"), "--json"]) == 0


def said(path, capsys, code, *options):
    capsys.readouterr()
    assert main(["certify", str(path), "--json", *options]) == code
    return json.loads(capsys.readouterr().out)


def test_a_plan_stands(demo, capsys):
    capsys.readouterr()
    assert main(["certify", str(demo / "plan.json")]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for text in ("SHA256 as stated", "without a solver", "Not proved: that the dose rows follow", "stands.", "gap"):
        assert text in printed
    document = said(demo / "plan.json", capsys, 0)
    plan = json.loads((demo / "plan.json").read_text(encoding="utf-8"))
    assert document["value"] == pytest.approx(plan["goal"]["value"])
    assert document["bound"] == plan["goal"]["bound"]
    assert document["gap"] < 0.03  # fewer injections are preferred within 2 %


def test_no_solver_is_imported(demo):
    run = [sys.executable, "-c", WITHOUT_SOLVERS, "certify", str(demo / "plan.json")]
    run += ["--rebuild", str(demo / "case" / "case.toml")]
    done = subprocess.run(run, capture_output=True, text=True, cwd=CORE.parent, check=False)
    assert done.returncode == 0, done.stderr
    assert "bound: proved" in done.stdout


def test_rows_rebuilt_from_the_images(demo, capsys):
    document = said(demo / "plan.json", capsys, 0, "--rebuild", str(demo / "case" / "case.toml"))
    assert document["largest_difference_of_rows"] <= 1e-6
    assert any("SHA256 of 5 files" in line for line in document["checked"])
    assert not any("follow from the images" in line for line in document["not_proved"])


def test_rows_that_are_not_those_of_the_images(demo, copied, capsys):
    # Plan, certificate and rows of a patient that does not exist, consistent in themselves.
    rebuild = ("--rebuild", str(demo / "case" / "case.toml"))
    with np.load(copied / "dose_rows.npz") as archive:
        entries = {name: archive[name] for name in archive.files}
    plan = json.loads((copied / "plan.json").read_text(encoding="utf-8"))
    unused = next(k for k, site in enumerate(plan["sites"]) if site["activity_gbq"] == 0)
    normal = read_rows(copied / "dose_rows.npz").structure("normal liver").voxels
    entries["rows"][unused, normal[0]] += 5e-4 * entries["rows"].max()
    np.savez(copied / "dose_rows.npz", **entries)
    plan["certificate"]["fingerprint"] = read_rows(copied / "dose_rows.npz").fingerprint
    (copied / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    assert said(copied / "plan.json", capsys, 0)["bound"]
    message = said(copied / "plan.json", capsys, 4, *rebuild)["message"]
    assert "differ from those of the images by 0.0005" in message


def test_another_case_is_rejected(demo, tmp_path, capsys):
    case = shutil.copytree(demo / "case", tmp_path / "case") / "case.toml"
    case.write_text(case.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    message = said(demo / "plan.json", capsys, 4, "--rebuild", str(case))["message"]
    assert "the SHA256 of case differ" in message


def test_a_changed_prescription_of_the_case_is_rejected(demo, copied, tmp_path, capsys):
    # The case asks for other limits than the plan, and the plan states its SHA256.
    case = shutil.copytree(demo / "case", tmp_path / "case") / "case.toml"
    text = case.read_text(encoding="utf-8")
    limit = '\n[[prescription.limits]]\nquantity = "total_activity"\nat_most_gbq = 1.0\n'
    case.write_text(text + limit, encoding="utf-8")
    plan = json.loads((copied / "plan.json").read_text(encoding="utf-8"))
    plan["inputs"]["case"]["sha256"] = sha256_of(case)
    (copied / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    message = said(copied / "plan.json", capsys, 4, "--rebuild", str(case))["message"]
    assert "prescription of the plan is not that of the case" in message


def _used(plan):
    return next(site for site in plan["sites"] if site["activity_gbq"] > 0)


def _times(table, key, factor):
    table[key] *= factor


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda p: _times(_used(p), "activity_gbq", 1.001), "microspheres of site"),
        (lambda p: _times(_used(p), "microspheres", 1.001), "microspheres of site"),
        (lambda p: p["sites"].reverse(), "sites of the plan are not those"),
        *(
            (lambda p, key=key: _times(p["structures"][0], key, 1.0001), f"{key} of structure")
            for key in ("mean_gy", "d95_gy", "d70_gy", "d50_gy", "min_gy", "max_gy", "mass_kg", "volume_ml")
        ),
        (lambda p: p["structures"].pop(), "structures of the plan are not those"),
        (lambda p: _times(p["lungs"], "mean_gy", 0.9), "mean_gy of lungs"),
        (lambda p: _times(p["limits"][0], "value", 0.9), "value of limit"),
        (lambda p: _times(p["limits"][0], "limit", 1.1), "limit of limit"),
        (lambda p: p["limits"].pop(), "states 3 limits"),
        (lambda p: p["limits"][0].update(met=False), "met of limit"),
        (lambda p: p["prescription"]["limits"].pop(), "states 4 limits"),
        (lambda p: _times(p["prescription"]["limits"][0], "at_most_gy", 1.01), "limit of limit"),
        (lambda p: p["prescription"].update(goal="worst_tumour_mean"), "its prescription another"),
        (lambda p: p["prescription"].update(goal="best_ever"), "does not fit"),
        (lambda p: _times(p["goal"], "value", 1.001), "The goal of the plan is"),
        (lambda p: _times(p["goal"], "bound", 0.999), "bound of goal"),
        (lambda p: _times(p["goal"], "optimum", 1.1), "optimum of"),
        (lambda p: p["goal"].update(gap=0.0), "gap of goal"),
        (lambda p: p["case"].update(device="glass"), "Device"),
        (lambda p: p["certificate"].update(fingerprint="0" * 64), "SHA256 differs"),
        (lambda p: p["certificate"].pop("cuts"), "missing"),
        (lambda p: p["certificate"].update(proof=None), "prove a score"),
        (lambda p: p["certificate"]["planes"][0]["row"].__setitem__(0, 1e6), "not what the voxels give"),
    ],
)
def test_changed_plans_are_rejected_with_the_reason(edit, capsys, change, match):
    document = said(edit(change), capsys, 4)
    assert document["status"] == "rejected"
    assert document["error"] == "CertificateRejected"
    assert re.search(match, document["message"]), document["message"]


def test_a_limit_loosened_everywhere_in_the_file_is_rejected(edit, capsys):
    def change(plan):
        plan["prescription"]["limits"][0]["at_most_gy"] *= 1.05
        plan["limits"][0].update(limit=plan["prescription"]["limits"][0]["at_most_gy"], binding=False)

    assert "not what the voxels give" in said(edit(change), capsys, 4)["message"]


def test_changed_rows_are_rejected(copied, capsys):
    with np.load(copied / "dose_rows.npz") as archive:
        entries = {name: archive[name] for name in archive.files}
    entries["rows"][0, 0] *= 1.0001  # of a site that is not used
    np.savez(copied / "dose_rows.npz", **entries)
    assert "SHA256 differs" in said(copied / "plan.json", capsys, 4)["message"]


def test_a_plan_without_certificate_stands_with_a_code_of_its_own(edit, capsys):
    path = edit(lambda plan: plan.update(certificate=None, unproved="Dose-volume limits are not convex."))
    document = said(path, capsys, 5)
    assert document["bound"] is None
    assert "the bound: Dose-volume limits are not convex." in document["not_proved"]
    assert any(line.startswith("dose figures") for line in document["checked"])
    edit(lambda plan: _times(plan["structures"][0], "mean_gy", 1.01))
    assert "mean_gy" in said(path, capsys, 4)["message"]


def test_a_plan_of_version_1_0_is_still_computed_anew(edit, capsys):
    def older(plan):
        plan["schema_version"] = "1.0"
        for key in ("certificate", "unproved", "prescription"):
            del plan[key]

    assert "does not hold the prescription" in said(edit(older), capsys, 5)["not_proved"][0]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "no plan file"),
        ("[]", "must be of kind dict"),
        ("{}", "schema_version"),
        ('{"schema_version": "2.0"}', "another program version"),
        ('{"schema_version": "1.1", "schema_version": "1.1"}', "twice"),
        ('{"schema_version": NaN}', "no number"),
        ("\u00e9\x00", "no plan file"),
        ("1" * 5000, "no plan file"),
    ],
)
def test_other_files_are_bad_input(copied, capsys, text, match):
    (copied / "plan.json").write_text(text, encoding="utf-8")
    document = said(copied / "plan.json", capsys, 2)
    assert re.search(match, document["message"])


def test_bad_bytes_and_bombs_have_names(copied, capsys):
    (copied / "plan.json").write_bytes(b"\xff\xfe{}")
    assert said(copied / "plan.json", capsys, 2)["error"] == "PlanFileError"
    (copied / "plan.json").write_text("[" * 100_000, encoding="utf-8")
    assert said(copied / "plan.json", capsys, 4)["error"] == "CertificateRejected"


@pytest.mark.parametrize("key", ["status", "goal", "sites", "structures", "limits", "constants", "case", "inputs"])
def test_missing_and_wrong_entries_are_bad_input(edit, capsys, key):
    path = edit(lambda plan: plan.update({key: 7}))
    assert said(path, capsys, 2)["error"] == "PlanFileError"
    edit(lambda plan: plan.pop(key))
    assert f"no entry '{key}'" in said(path, capsys, 2)["message"]


def test_missing_rows_are_bad_input(copied, tmp_path, capsys):
    (copied / "dose_rows.npz").rename(copied / "elsewhere.npz")
    assert "--rows" in said(copied / "plan.json", capsys, 2)["message"]
    assert said(copied / "plan.json", capsys, 0, "--rows", str(copied / "elsewhere.npz"))["bound"]
    assert said(tmp_path / "absent.json", capsys, 2)["error"] == "FileMissing"


def test_random_changes_of_the_file_never_end_in_a_traceback(demo, copied, capsys):
    # Any number of the document; what still stands has the same doses and a bound no better than the first.
    document = json.loads((demo / "plan.json").read_text(encoding="utf-8"))
    bound = document["goal"]["bound"]
    rng = np.random.default_rng(3)

    def numbers(value, path=()):
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        found = [path for _ in range(1) if isinstance(value, int | float) and not isinstance(value, bool)]
        return found + [place for key, entry in items for place in numbers(entry, (*path, key))]

    paths = numbers(document)
    for _ in range(20):
        changed = json.loads(json.dumps(document))
        *way, last = paths[int(rng.integers(len(paths)))]
        place = changed
        for key in way:
            place = place[key]
        values = [place[last] * 1.5, -place[last], None, "text", [], {}, 1e308, 10**40, place[last] + 1]
        place[last] = values[int(rng.integers(len(values)))]
        (copied / "plan.json").write_text(json.dumps(changed), encoding="utf-8")
        capsys.readouterr()
        code = main(["certify", str(copied / "plan.json"), "--json"])
        found = json.loads(capsys.readouterr().out)
        assert code in (0, 2, 4)
        assert code != 0 or found["bound"] >= bound * (1 - 1e-9)


def test_small_case_with_two_sites(tmp_path, capsys):
    case = write_case(small_inputs(tumour_to_normal=RATIOS), tmp_path / "case")
    assert main(["plan", str(case), "--out", str(tmp_path), "--json"]) == 0
    assert said(tmp_path / "plan.json", capsys, 0, "--rebuild", str(case))["gap"] < 0.03
    stated = read_plan(tmp_path / "plan.json")
    assert stated.name == "small case"
    assert stated.plan.certificate is not None


def test_the_document_obeys_the_schema(demo):
    schema = json.loads((CORE / "files" / "plan.schema.json").read_text(encoding="utf-8"))
    document = json.loads((demo / "plan.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    for change in (
        lambda c: c.update(kind="gap"),
        lambda c: c.pop("level"),
        lambda c: c["cuts"].append([[0]]),
        lambda c: c["cuts"].append([[0, -1.0]]),
        lambda c: c.update(proof=["pack"]),
        lambda c: c.update(proof=["branch", 0, [[1, ["wish"]]]]),
        lambda c: c["planes"][0].update(of="wish"),
    ):
        changed = json.loads(json.dumps(document))
        change(changed["certificate"])
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(changed, schema)
