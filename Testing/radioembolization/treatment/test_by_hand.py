"""Dose rows computed once, planned again, and activities set by hand: files, report and check of such a plan."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from radioembolization.cli import main
from radioembolization.errors import InputError
from radioembolization.files import plan_document, read_plan, write_results
from radioembolization.planning import InjectionSites, LungDose, MeanDose, MeanShortfall, Prescription, preset
from radioembolization.report import page
from radioembolization.report.summary import plan_summary
from radioembolization.treatment import compute_rows, evaluate_treatment, plan_on_rows, plan_treatment, prepare
from small_case import small_inputs
from support import CORE, quiet

HAND_GBQ = np.array([1.0, 0.5, 0.0])
SCHEMA = json.loads((CORE / "files" / "plan.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def case():
    with quiet():
        return prepare(small_inputs(lung_mass_assumed=True))


@pytest.fixture(scope="module")
def prepared(case):
    return compute_rows(case)


@pytest.fixture(scope="module")
def by_hand(prepared):
    return evaluate_treatment(prepared, HAND_GBQ)


def test_a_plan_in_steps_is_the_plan_in_one(case, prepared):
    one, steps = plan_treatment(case), []
    other = plan_on_rows(prepared, lambda *step: steps.append(step))
    assert other.plan == one.plan and other.notices == one.notices
    np.testing.assert_array_equal(other.dose.array, one.dose.array)
    assert other.dose_per_gbq is prepared.dose_per_gbq
    assert [what for what, step, _ in steps if step == 0] == ["optimization", "dose of the plan"]


def test_other_limits_need_no_other_rows(prepared, monkeypatch):
    monkeypatch.setattr("radioembolization.treatment.prepared_case.compute_dose_per_gbq", None)
    whole = Prescription(limits=(MeanDose("normal liver").at_most(gy=25.0), InjectionSites().at_most(count=1)))
    plan = plan_on_rows(prepared.with_prescription(whole)).plan
    assert [limit.limit for limit in plan.limits] == [25.0, 1.0]
    assert plan.limits[0].value == pytest.approx(25.0, rel=1e-4)


def test_notices_about_earlier_limits_go_with_them(case):
    glass = Prescription.from_preset(preset("glass/hcc-bilobar"), override_reason="a trial")
    with quiet():
        overridden = compute_rows(prepare(replace(case.inputs, prescription=glass)))
    assert {"LimitOverride", "AssumedLungMass"} <= {notice.name for notice in overridden.notices}
    other = overridden.with_prescription(Prescription(limits=(LungDose().at_most(gy=30.0),)))
    for notices in (other.notices, other.case.notices, evaluate_treatment(other, HAND_GBQ).notices):
        names = {notice.name for notice in notices}
        assert "LimitOverride" not in names and "AssumedLungMass" in names


def test_by_hand_the_dose_is_the_sum_of_the_sites(prepared, by_hand):
    ones = [evaluate_treatment(prepared, unit) for unit in np.eye(3)]
    summed = sum(gbq * one.dose.array for gbq, one in zip(HAND_GBQ, ones, strict=True))
    np.testing.assert_allclose(by_hand.dose.array, summed, rtol=1e-4, atol=1e-4 * summed.max())
    # Shunted activity over the lung mass: 49.67 J/GBq x (1.0 x 0.05 + 0.5 x 0.05) / 1 kg.
    assert by_hand.plan.lung_gy == pytest.approx(49.67 * 0.075)
    assert by_hand.histograms["A"].dose_gy[-1] > 0
    assert by_hand.notices == prepared.notices


def test_a_lung_dose_beyond_its_limit_is_not_called_within_it(prepared):
    # 49.67 x 0.05 Gy/GBq: 13 GBq give 32 Gy, above 30 Gy.
    notices = evaluate_treatment(prepared, np.array([13.0, 0.0, 0.0])).notices
    (caution,) = [notice.message for notice in notices if "pneumonitis" in notice.message]
    assert "exceeds the limit" in caution and "within" not in caution


def test_no_activity_at_all_is_evaluated(prepared):
    nothing = evaluate_treatment(prepared, np.zeros(3))
    assert nothing.dose.array.max() == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(InputError, match="each of the 3 sites"):
        evaluate_treatment(prepared, np.zeros(2))


@pytest.fixture(scope="module")
def written(by_hand, tmp_path_factory):
    folder = tmp_path_factory.mktemp("by hand")
    write_results(by_hand, folder)
    return folder


def test_the_plan_file_keeps_to_the_schema_and_states_no_bound(by_hand, written):
    document = json.loads((written / "plan.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, SCHEMA)
    assert (document["status"], document["goal"]["bound"], document["goal"]["gap"]) == ("manual", None, None)
    assert any(not limit["met"] for limit in document["limits"])
    assert read_plan(written / "plan.json").plan == by_hand.plan


def test_without_a_bound_a_goal_to_minimize_comes_back_as_it_was(prepared, tmp_path):
    smallest = prepared.with_prescription(Prescription(goal=MeanShortfall("A", below_gy=200.0)))
    treatment = evaluate_treatment(smallest, HAND_GBQ)
    write_results(treatment, tmp_path / "results")
    assert read_plan(tmp_path / "results" / "plan.json").plan.goal == treatment.plan.goal
    assert treatment.plan.goal.bound == -math.inf


def test_certify_says_that_doses_stand_and_nothing_is_proved(written, capsys):
    assert main(["certify", str(written / "plan.json")]) == 5
    printed = " ".join(capsys.readouterr().out.split())
    for text in ("NOT met by activities set by hand", "stands, but nothing proves a bound", "Not proved: the bound"):
        assert text in printed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda plan: plan["goal"].update(bound=500.0, gap=0.1), "no bound, but the file states one"),
        (lambda plan: plan["limits"][0].update(met=True), "met of limit"),
        (lambda plan: plan["goal"].update(value=plan["goal"]["value"] + 5.0), "goal of the plan is"),
        (lambda plan: plan.update(status="optimal"), "exceeds its limit"),
    ],
)
def test_certify_rejects_a_plan_by_hand_that_claims_too_much(by_hand, written, tmp_path, capsys, change, words):
    document = plan_document(by_hand)
    change(document)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert main(["certify", str(path), "--rows", str(written / "dose_rows.npz"), "--json"]) == 4
    assert words in json.loads(capsys.readouterr().out)["message"]


def test_the_report_says_that_activities_were_set_by_hand(by_hand):
    text = page(by_hand)
    assert "activities set by hand; no bound" in text
    assert "this plan (set by hand)" in text and "optimized)" not in text
    assert "The plan is not compared with rules of thumb." in text
    assert "limits NOT met" in text
    goal = text.split('id="goal"')[1].split("</section>")[0]
    assert "none" in goal and "inf" not in goal


def test_the_terminal_says_it_too(by_hand, capsys):
    plan_summary(by_hand, {})
    assert "set by hand" in capsys.readouterr().out


def test_neither_rows_nor_activities_by_hand_need_a_solver():
    program = """
import sys
for name in ("cvxpy", "highspy", "clarabel"):
    sys.modules[name] = None
import warnings
warnings.simplefilter("ignore")
import numpy as np
from radioembolization.treatment import compute_rows, evaluate_treatment, prepare
from small_case import small_inputs
treatment = evaluate_treatment(compute_rows(prepare(small_inputs())), np.array([1.0, 0.5, 0.0]))
print(treatment.plan.status)
"""
    path = [str(CORE.parent), str(CORE.parents[1] / "Testing" / "support")]
    program = f"import sys; sys.path[:0] = {path!r}\n{program}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["manual"], done.stderr
