"""The plan document holds the plan, obeys its schema, and appears complete or not at all."""

import csv
import json
from dataclasses import replace
from importlib import resources

import jsonschema
import numpy as np
import pytest

import radioembolization.files.plan_file as plan_file
from radioembolization.files import plan_document, plan_text, read_plan, read_volume, write_results
from radioembolization.images import Unit
from radioembolization.planning.certificate_json import certificate_to_json
from radioembolization.treatment import plan_treatment, prepare
from small_case import small_inputs


@pytest.fixture(scope="module")
def treatment():
    return plan_treatment(prepare(small_inputs(patient="Jane Doe 4711")))


@pytest.fixture(scope="module")
def schema():
    return json.loads(resources.files("radioembolization.files").joinpath("plan.schema.json").read_text())


def test_document_obeys_the_schema(treatment, schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(plan_document(treatment), schema)


def test_schema_refuses_a_plan_without_proof(treatment, schema):
    document = plan_document(treatment)
    del document["goal"]["bound"]
    with pytest.raises(jsonschema.ValidationError, match="bound"):
        jsonschema.validate(document, schema)


def test_document_without_lungs_obeys_the_schema(schema):
    base = small_inputs(lung_mass_kg=None)
    limits = tuple(limit for limit in base.prescription.limits if "lungs" not in str(limit))
    inputs = replace(base, prescription=replace(base.prescription, limits=limits))
    document = plan_document(plan_treatment(prepare(inputs)))
    assert document["lungs"] is None
    jsonschema.validate(document, schema)


def test_files_hold_the_plan(treatment, tmp_path):
    files = write_results(treatment, tmp_path / "new" / "folder", "<html>report</html>")
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == [
        "dose.nii.gz", "dose.nrrd", "dose_rows.npz", "dvh.csv", "plan.json", "report.html",
    ]  # fmt: skip
    assert json.loads(files["plan"].read_text(encoding="utf-8")) == json.loads(json.dumps(plan_document(treatment)))
    for key in ("dose", "dose (NIfTI)"):
        dose = read_volume(files[key], Unit.GY)
        np.testing.assert_array_equal(dose.array, treatment.dose.array)
        np.testing.assert_allclose(dose.grid.to_lps(np.ones(3)), treatment.dose.grid.to_lps(np.ones(3)), atol=1e-4)


def test_dvh_table_gives_the_structures_of_the_plan(treatment, tmp_path):
    path = write_results(treatment, tmp_path)["DVH"]
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    for structure in treatment.plan.structures:
        curve = [(float(r["dose_gy"]), float(r["volume_percent"])) for r in rows if r["structure"] == structure.name]
        if structure.name == "perfused normal liver":
            assert not curve  # a part of normal liver that depends on the plan; it has a row in the tables only
            continue
        doses, shares = np.array(curve).T
        assert shares[0] == 100.0
        assert np.all(np.diff(shares) <= 0)
        # D50 lies between two of the n sorted doses, and the curve between two of its 400 points.
        one_voxel = 100.0 / (structure.volume_ml / treatment.dose.grid.voxel_ml)
        between = np.interp(structure.d50_gy + np.array([doses[1], -doses[1]]), doses, shares)
        assert between[0] - one_voxel <= 50.0 <= between[1] + one_voxel


def test_patient_identifier_is_in_no_output_unless_asked_for(treatment, tmp_path):
    write_results(treatment, tmp_path, None)
    assert not any(b"Jane Doe" in path.read_bytes() for path in tmp_path.iterdir())
    asked = replace(
        treatment, case=replace(treatment.case, inputs=replace(treatment.case.inputs, include_identifiers=True))
    )
    assert plan_document(asked)["patient"] == "Jane Doe 4711"


def test_same_case_gives_the_same_files(treatment, tmp_path):
    again = plan_treatment(prepare(small_inputs(patient="Jane Doe 4711")))
    first, second = write_results(treatment, tmp_path / "a"), write_results(again, tmp_path / "b")
    for what in ("plan", "DVH", "dose", "dose rows"):
        assert first[what].read_bytes() == second[what].read_bytes()


def test_a_failed_write_leaves_nothing(treatment, tmp_path, monkeypatch):
    def broken(*_arguments):
        raise OSError("disk full")

    monkeypatch.setattr(plan_file, "_dvh_table", broken)
    with pytest.raises(OSError, match="disk full"):
        write_results(treatment, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    old = tmp_path / "old"
    old.mkdir()
    (old / "plan.json").write_text("earlier plan")
    with pytest.raises(OSError, match="disk full"):
        write_results(treatment, old)
    assert [p.name for p in old.iterdir()] == ["plan.json"]
    assert (old / "plan.json").read_text() == "earlier plan"


def test_the_proof_is_part_of_the_document(treatment, schema):
    document = plan_document(treatment)
    assert document["certificate"]["fingerprint"] == treatment.dose_per_gbq.fingerprint
    assert document["unproved"] == ""
    assert [table["quantity"] for table in document["prescription"]["limits"]][-1] == "injection_sites"
    assert document["goal"]["optimum"] >= document["goal"]["value"]
    text = plan_text(document)
    assert json.loads(text) == document
    assert len(text.splitlines()) < 1000  # a line for a plane or cut, not for a number
    for name in ("certificate", "unproved", "prescription"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in document.items() if key != name}, schema)


def test_without_a_bound_there_is_null_and_a_reason(treatment, schema):
    goal = replace(treatment.plan.goal, bound=np.inf, gap=np.inf)
    reason = "The time limit ended the work before any bound was proved."
    unfinished = replace(treatment.plan, goal=goal, certificate=None, unproved=reason, status="time limit")
    document = plan_document(replace(treatment, plan=unfinished))
    assert (document["goal"]["bound"], document["goal"]["gap"], document["certificate"]) == (None, None, None)
    assert document["unproved"] == reason
    jsonschema.validate(document, schema)


def test_a_plan_file_is_read_back(treatment, tmp_path):
    stated = read_plan(write_results(treatment, tmp_path)["plan"])
    plan, again = treatment.plan, stated.plan
    assert (stated.name, stated.hashes) == (treatment.case.name, dict(treatment.case.inputs.hashes))
    assert again == plan  # apart from the certificate, which is compared by its numbers
    assert certificate_to_json(again.certificate) == certificate_to_json(plan.certificate)
