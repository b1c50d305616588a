"""The summary of a plan: every required line, in its order, with figures of the plan."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from radioembolization.planning import explain_plan
from radioembolization.planning.scenario_evaluation import LimitChance, Percentiles, ScenarioEvaluation, TumourChance
from radioembolization.report.summary import plan_summary
from radioembolization.report.summary_lines import summary_lines
from radioembolization.treatment import Analysis, compute_rows, evaluate_treatment, plan_on_rows, prepare
from small_case import small_inputs


@pytest.fixture(scope="module")
def prepared():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compute_rows(prepare(small_inputs()))


@pytest.fixture(scope="module")
def treatment(prepared):
    return plan_on_rows(prepared)


def first(lines, start):
    return next(number for number, line in enumerate(lines) if line.startswith(start))


def test_all_lines_are_there_in_order(treatment):
    lines = summary_lines(treatment)
    starts = ["Intent: ", "Site ", "Tumour ", "Limit, ", "Binds: ", "Lung dose: ", "Proof: ", "Overrides: none."]
    places = [first(lines, start) for start in [*starts, "Research use only"]]
    assert places == sorted(places)
    assert places[0] == 0 and places[-1] == len(lines) - 1
    assert len([line for line in lines if line.startswith("Site ")]) == len(treatment.plan.used_sites)
    assert len([line for line in lines if line.startswith("Limit, ")]) == len(treatment.plan.limits)


def test_lines_hold_the_figures_of_the_plan(treatment):
    lines, plan = summary_lines(treatment), treatment.plan
    assert plan.settings.device.title in lines[0]
    site, tumour = plan.used_sites[0], next(s for s in plan.structures if s.role == "tumour")
    text = lines[first(lines, f"Site {site.name}: ")]
    assert f"{site.activity_gbq:.3g}"[:4] in text and "vial not chosen" in text and "million spheres" in text
    text = lines[first(lines, f"Tumour {tumour.name}: ")]
    assert f"mean {tumour.mean_gy:.1f} Gy" in text and f"D70 {tumour.d70_gy:.1f} Gy" in text
    whole = lines[first(lines, "Limit, mean dose: ")]
    assert "denominator perfused normal liver" in whole and "source EANM 2022" in whole and "met" in whole
    lungs = lines[first(lines, "Lung dose: ")]
    assert f"{plan.lung_gy:.1f} Gy mean" in lungs and treatment.dose_per_gbq.lung_mass_method in lungs


def test_scenarios_and_prices_are_told_where_known(treatment):
    plan = treatment.plan
    values = Percentiles.of(np.linspace(80.0, 90.0, 11))
    tumour, limit = next(s for s in plan.structures if s.role == "tumour"), plan.limits[0]
    scenarios = ScenarioEvaluation(
        count=11,
        seed=1,
        goal=values,
        limits=(LimitChance(limit.name, limit.sense, limit.limit, limit.unit, 0.875, values),),
        all_limits=0.875,
        tumours=(TumourChance(tumour.name, values, values, values),),
    )
    problem = treatment.case.inputs.prescription.problem(plan.settings.device)
    explanation = explain_plan(problem, treatment.dose_per_gbq, plan)
    analysis = Analysis(explanation=explanation, in_scenarios=scenarios)
    lines = summary_lines(replace(treatment, analysis=analysis))
    text = lines[first(lines, f"Tumour {tumour.name}: ")]
    assert text.count("(P10 81.0 Gy)") == 2 and "not computed" not in text
    assert "in 87.5 % of scenarios" in lines[first(lines, "Limit, ")]
    assert explanation.price_lines and set(explanation.price_lines) <= set(lines)
    # The number of sites binds, too, but has no price.
    assert [line for line in lines if line.startswith("Binds: ")] == ["Binds: number of injection sites."]


def test_overrides_are_named(treatment):
    limits = (replace(treatment.plan.limits[0], override_reason="agreed by the board"), *treatment.plan.limits[1:])
    lines = summary_lines(replace(treatment, plan=replace(treatment.plan, limits=limits)))
    assert any(line.startswith("Override: ") and "agreed by the board" in line for line in lines)


def test_a_plan_by_hand_has_no_proof(prepared):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_hand = evaluate_treatment(prepared, np.full(len(prepared.dose_per_gbq.site_names), 9.0))
    lines = summary_lines(by_hand)
    assert "Proof: none, the activities were set by hand." in lines
    assert any("NOT met" in line for line in lines)


def test_the_terminal_prints_them_in_order(treatment, capsys):
    plan_summary(treatment, {})
    printed = " ".join(capsys.readouterr().out.split())
    places = [printed.index(" ".join(line.split())) for line in summary_lines(treatment)]
    assert places == sorted(places)
