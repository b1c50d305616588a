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
def small(prepared):
    return plan_on_rows(prepared)


def first(lines, start):
    return next(number for number, line in enumerate(lines) if line.startswith(start))


def test_all_lines_are_there_in_order(small):
    lines = summary_lines(small)
    starts = ["Intent: ", "Site ", "Tumour ", "Limit, ", "Binds: ", "Lung dose: ", "Proof: ", "Overrides: none."]
    places = [first(lines, start) for start in [*starts, "Research use only"]]
    assert places == sorted(places)
    assert places[0] == 0 and places[-1] == len(lines) - 1
    assert len([line for line in lines if line.startswith("Site ")]) == len(small.plan.used_sites)
    assert len([line for line in lines if line.startswith("Limit, ")]) == len(small.plan.limits)


def test_lines_hold_the_figures_of_the_plan(small):
    lines, plan = summary_lines(small), small.plan
    assert plan.settings.device.title in lines[0]
    site, tumour = plan.used_sites[0], next(s for s in plan.structures if s.role == "tumour")
    text = lines[first(lines, f"Site {site.name}: ")]
    assert f"{site.activity_gbq:.3g}"[:4] in text and "vial not chosen" in text and "million spheres" in text
    text = lines[first(lines, f"Tumour {tumour.name}: ")]
    assert f"mean {tumour.mean_gy:.1f} Gy" in text and f"D70 {tumour.d70_gy:.1f} Gy" in text
    whole = lines[first(lines, "Limit, mean dose: ")]
    assert "denominator perfused normal liver" in whole and "source EANM 2022" in whole and "met" in whole
    lungs = lines[first(lines, "Lung dose: ")]
    assert f"{plan.lung_gy:.1f} Gy mean" in lungs and small.dose_per_gbq.lung_mass_method in lungs


def test_scenarios_and_prices_are_told_where_known(small):
    plan = small.plan
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
    problem = small.case.inputs.prescription.problem(plan.settings.device)
    explanation = explain_plan(problem, small.dose_per_gbq, plan)
    analysis = Analysis(explanation=explanation, in_scenarios=scenarios)
    lines = summary_lines(replace(small, analysis=analysis))
    text = lines[first(lines, f"Tumour {tumour.name}: ")]
    assert text.count("(P10 81.0 Gy)") == 2 and "not computed" not in text
    assert "in 87.5 % of scenarios" in lines[first(lines, "Limit, ")]
    assert explanation.price_lines and set(explanation.price_lines) <= set(lines)
    # The number of sites binds, too, but has no price.
    assert [line for line in lines if line.startswith("Binds: ")] == ["Binds: number of injection sites."]


def test_overrides_are_named(small):
    limits = (replace(small.plan.limits[0], override_reason="agreed by the board"), *small.plan.limits[1:])
    lines = summary_lines(replace(small, plan=replace(small.plan, limits=limits)))
    assert any(line.startswith("Override: ") and "agreed by the board" in line for line in lines)


def test_a_plan_by_hand_has_no_proof(prepared):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_hand = evaluate_treatment(prepared, np.full(len(prepared.dose_per_gbq.site_names), 9.0))
    lines = summary_lines(by_hand)
    assert "Proof: none, the activities were set by hand." in lines
    assert any("NOT met" in line for line in lines)


def test_the_terminal_prints_them_in_order(small, capsys):
    plan_summary(small, {})
    printed = " ".join(capsys.readouterr().out.split())
    places = [printed.index(" ".join(line.split())) for line in summary_lines(small)]
    assert places == sorted(places)


def test_the_order_is_the_same_with_every_part(robust):
    lines, vials = summary_lines(robust), robust.analysis.vials
    starts = ["Intent: ", "Site ", "Tumour ", "Limit, ", "With free activities: ", "Lung dose: ", "Proof: "]
    places = [first(lines, start) for start in [*starts, "Overrides: none.", "Research use only"]]
    assert places == sorted(places) and places[-1] == len(lines) - 1
    for one in vials.chosen.injections:
        text = lines[first(lines, f"Site {one.site}: ")]
        (size,) = {vial.calibrated_gbq for vial in one.vials}
        assert f"{one.delivered_gbq:.3g}"[:4] in text and f"× {size:g} GBq calibrated" in text
        assert f"injected {one.at.isoformat(' ', 'minutes')}" in text
        drawn = text.split("; ")[1].partition(" GBq of vial")[0]
        assert float(drawn) == pytest.approx(one.activity_gbq, rel=5e-3)
    for chance in robust.analysis.in_scenarios.tumours:
        text = lines[first(lines, f"Tumour {chance.name}: ")]
        assert f"(P10 {chance.mean_gy.p10:.1f} Gy)" in text and f"(P10 {chance.d70_gy.p10:.1f} Gy)" in text
    proof = lines[first(lines, "Proof: ")]
    assert "No vials of the calendar" in proof and "in the scenarios drawn" in proof and robust.plan.unproved in proof


def test_a_whole_vial_is_named_without_a_share(of_vials):
    lines = summary_lines(of_vials)
    (one, *_) = of_vials.analysis.vials.chosen.injections
    assert f" GBq; vial 1 × {one.vials[0].calibrated_gbq:g} GBq" in lines[first(lines, f"Site {one.site}: ")]
    assert "P10 not computed" in lines[first(lines, "Tumour ")]
